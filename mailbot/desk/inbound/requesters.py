"""Requesters', participants' and strangers' mail: a status request, a reply, a follow-up, or a new report."""

from __future__ import annotations

from dataclasses import replace

from mailbot.desk.apply_event import apply_event, open_new
from mailbot.desk.context import (
    Context,
    HandlingResult,
    IncomingMail,
    Words,
)
from mailbot.desk.inbound.sender_proof import proves_author
from mailbot.desk.inbound.ticket_lookup import (
    _newest_of_chain,
    as_known,
    look_up,
    resolve_merged,
)
from mailbot.mail.classify.senders import is_automatic_address
from mailbot.mail.compose.composer import is_usable
from mailbot.mail.intent.intent import intent_of
from mailbot.mail.message import Address, Reply
from mailbot.mail.redaction import without_tokens
from mailbot.mail.reply.reply_text import new_words
from mailbot.mail.subject import clean_subject, status_request
from mailbot.mail.untrusted_text import safe_title
from mailbot.store.unit_of_work import StoredTicket
from mailbot.ticket.events import (
    OpenFollowUp,
    Origin,
    Quarantine,
    Replied,
    Reported,
)
from mailbot.ticket.matching import (
    Clues,
    Route,
    clues_of,
    route,
)
from mailbot.ticket.ticket import (
    CloseReason,
    Participant,
    Role,
    Status,
)


def handle_person(turn: Context, mail: IncomingMail) -> HandlingResult:
    """A mail of somebody who is no agent."""
    clues = clues_of(mail.message)
    if mail.from_form:
        clues = replace(clues, doubtful=True)
    number = status_request(mail.message.subject)
    if number is not None and not mail.from_form:
        return _tell_status(turn, mail, number, clues)
    known = look_up(turn, clues)
    found = route(clues, as_known(known), turn.profile.signer)
    loaded = resolve_merged(turn, known[found.number]) if found.number is not None else None
    if loaded is None or _is_strangers_reply_to_closed(found, loaded):
        return report(turn, mail, named=found.named or found.number, route=found)
    return _reply(turn, mail, loaded, found)


def _is_strangers_reply_to_closed(found: Route, loaded: StoredTicket) -> bool:
    """A reference alone, from an address that takes no part, doesn't open a follow-up in somebody's name."""
    return found.elsewhere and found.evidence == "reference" and loaded.ticket.status is Status.CLOSED


# A reply


def _reply(turn: Context, mail: IncomingMail, loaded: StoredTicket, found: Route) -> HandlingResult:
    message = mail.message
    reply = words_of(turn, mail, loaded)
    author = message.from_address
    role = Role.REQUESTER if author.email == loaded.ticket.requester.email else Role.PARTICIPANT
    event = Replied(
        at=turn.work.now,
        author=author,
        role=role,
        intent=intent_of("" if reply.nothing_new else reply.text),
        elsewhere=found.elsewhere,
        participants=people_in_cc(turn, mail) if role is Role.REQUESTER and _is_theirs(turn, mail, found) else (),
        acknowledge=mail.may_be_answered,
    )
    mark = "elsewhere" if found.elsewhere else ""
    source = Words(author, role, reply.text, mail, message.attachments, message.subject, mark)
    why = {"evidence": found.evidence, "cut": reply.rule, "intent": event.intent.value}
    return reply_to(turn, loaded, event, source, why)


def _is_theirs(turn: Context, mail: IncomingMail, found: Route) -> bool:
    """May this mail bring others into the ticket? A number and a From are enough to add words, not to let people in:

    who is in Cc reads every answer from then on, and a From anybody can write.
    """
    return found.authenticated or mail.released or proves_author(turn, mail)


def reply_to(turn: Context, loaded: StoredTicket, event: Replied, source: Words, why: dict[str, str]) -> HandlingResult:
    """Put a person's words on the ticket, on its open follow-up, or into a new follow-up."""
    decision = apply_event(turn, loaded, event, source)
    for effect in decision.effects:
        if isinstance(effect, Quarantine):
            if source.mail is not None and source.mail.released:  # an admin read it: no spam after all
                return report(turn, source.mail, named=loaded.ticket.number)
            return HandlingResult("quarantined", effect.reason, loaded.id, loaded.ticket.number, dict(why))
        if isinstance(effect, OpenFollowUp):
            newest = _newest_of_chain(turn, loaded)
            if newest.ticket.status is not Status.CLOSED:
                return reply_to(turn, newest, event, source, why | {"joined": "open follow-up"})
            return _follow_up(turn, newest, event, source, why)
    return HandlingResult("processed", "", loaded.id, loaded.ticket.number, dict(why))


def _follow_up(turn: Context, old: StoredTicket, event: Replied, source: Words, why: dict[str, str]) -> HandlingResult:
    ticket = old.ticket
    if ticket.close_reason is CloseReason.SPAM:
        return HandlingResult(
            "quarantined", f"reply to ticket #{ticket.number}, which was closed as spam", old.id, ticket.number
        )
    reported = Reported(
        at=event.at,
        number=turn.work.next_number(),
        subject=ticket.subject,
        requester=ticket.requester,
        author=ticket.requester if event.elsewhere else event.author,
        language=ticket.language,
        participants=(*ticket.participants, *event.participants),
        acknowledge=event.acknowledge,
        follow_up_of=Origin(ticket.number, ticket.agent, ticket.program, ticket.priority),
    )
    mailbox_id = source.mail.mailbox_id if source.mail else 0
    opened = open_new(turn, reported, source, mailbox_id)
    return HandlingResult("processed", "", opened.id, opened.ticket.number, why | {"follow_up_of": str(ticket.number)})


# A new report


def report(
    turn: Context,
    mail: IncomingMail,
    *,
    named: int | None = None,
    route: Route | None = None,
) -> HandlingResult:
    """A mail that belongs to no ticket opens one."""
    message = mail.message
    reply = words_of(turn, mail, None)
    author = message.from_address
    event = Reported(
        at=turn.work.now,
        number=turn.work.next_number(),
        subject=safe_title(clean_subject(message.subject) or first_line(reply.text), turn.profile.language),
        requester=author,
        author=author,
        language=turn.profile.language,
        participants=people_in_cc(turn, mail),
        program=mail.program,
        acknowledge=mail.may_be_answered,
        named=named,
    )
    mark = f"named:{named}" if named else ""
    source = Words(author, Role.REQUESTER, reply.text, mail, message.attachments, message.subject, mark)
    opened = open_new(turn, event, source, mail.mailbox_id)
    why = {"evidence": route.evidence if route else "", "cut": reply.rule}
    return HandlingResult(
        "processed", "", opened.id, opened.ticket.number, why | ({"named": str(named)} if named else {})
    )


def words_of(turn: Context, mail: IncomingMail, loaded: StoredTicket | None) -> Reply:
    """The new words of a mail; what we sent is known, so that quotations of it are recognised by comparison."""
    message = mail.message
    sent = turn.work.sent_texts((*message.in_reply_to, *message.references[-5:]))
    if loaded is not None and not sent:
        sent = turn.work.sent_to(loaded.id, message.from_addr)
    reply = mail.words if mail.words is not None and not sent else new_words(message, sent)
    # A signed address in what they quote is theirs alone: it goes to nobody who reads their words.
    return replace(reply, text=without_tokens(reply.text))


def people_in_cc(turn: Context, mail: IncomingMail) -> tuple[Participant, ...]:
    """Who else the requester wrote to: people, not the desk, not its agents, not robots (service.md 1).

    Beside a mailing list or a robot nobody takes part: the addresses there are not known to be people.
    """
    if not mail.may_be_answered:
        return ()
    people: dict[str, Participant] = {}
    author = mail.message.from_addr
    for address in (*mail.message.cc, *mail.message.to):
        if address.email != author and "@" in address.email and _is_outside_person(turn, address):
            people.setdefault(address.email, Participant(address.email, address.name))
    return tuple(people.values())[: turn.policy.max_participants]


def _is_outside_person(turn: Context, address: Address) -> bool:
    ours = turn.profile.is_own(address.email) or turn.policy.agent(address.email) is not None
    return not ours and is_usable(address.email) and not is_automatic_address(address.local_part)


def first_line(text: str) -> str:
    """A subject for a mail that has none."""
    return clean_subject(next((line.strip() for line in text.splitlines() if line.strip()), ""))[:80]


# A status request, and mail whose words can't be read


def _tell_status(turn: Context, mail: IncomingMail, number: int, clues: Clues) -> HandlingResult:
    if not mail.may_be_answered:
        return HandlingResult("processed", "a status request of a sender who must get no automatic mail")
    loaded = turn.work.ticket(number)
    if loaded is not None and not clues.doubtful and loaded.ticket.takes_part(clues.sender):
        turn.post.status(turn, loaded, mail)
        return HandlingResult("processed", "status request", None, number)
    turn.post.status_unknown(turn, number, mail)
    return HandlingResult("processed", "status request for a number that doesn't belong to this address")


def handle_unread(turn: Context, mail: IncomingMail, why: str) -> None:
    """A person wrote, but their words can't be read: the timers stop all the same, its sender is evidence enough."""
    message = mail.message
    if why == "too_large" and mail.may_be_answered:
        turn.post.too_large(turn, mail)
    clues = clues_of(message)
    known = look_up(turn, clues)
    found = route(clues, as_known(known), turn.profile.signer)
    if found.number is None or found.elsewhere:
        return
    if why == "quarantined" and mail.verdict.rule == "dmarc-fail" and found.evidence == "tag":
        return  # a number and a From that is refuted: evidence of nothing
    loaded = resolve_merged(turn, known[found.number])
    role = Role.REQUESTER if message.from_addr == loaded.ticket.requester.email else Role.PARTICIPANT
    apply_event(turn, loaded, Replied(turn.work.now, message.from_address, role, unread=why))
