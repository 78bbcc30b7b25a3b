"""Agents' mail: proven or held, then an answer, a note, commands, a forward; all of a mail or nothing of it.

A From alone proves nothing: `intake.proof` says what does. What is not proven is held, and the agent is asked at their
known address; only a person's reply to that confirms, and only the mail that it was asked about.
"""

from __future__ import annotations

from typing import Any

from mailbot.desk.apply_event import apply_event, open_new
from mailbot.desk.context import (
    Context,
    HandlingResult,
    IncomingMail,
    Words,
)
from mailbot.desk.inbound.quarantine_replies import carry_out_orders, list_token
from mailbot.desk.inbound.requesters import (
    first_line,
    handle_person,
    report,
    words_of,
)
from mailbot.desk.inbound.sender_proof import is_proven, proves_author
from mailbot.desk.inbound.ticket_lookup import (
    as_known,
    look_up,
    resolve_merged,
)
from mailbot.mail.intent.intent import Answer, answer_of
from mailbot.mail.message import (
    Address,
    Forward,
    InboundMessage,
    Kind,
)
from mailbot.mail.redaction import strip_internal_quotes, without_tokens
from mailbot.mail.reply.forward import read_forward
from mailbot.mail.reply_token import Purpose, Token
from mailbot.mail.subject import clean_subject, status_request
from mailbot.mail.untrusted_text import safe_title
from mailbot.store.unit_of_work import StoredTicket
from mailbot.ticket.command_parser import (
    CommandError,
    Fault,
    Verb,
    parse_commands,
)
from mailbot.ticket.events import (
    Answered,
    Reported,
    Target,
)
from mailbot.ticket.matching import (
    AgentRoute,
    Clues,
    clues_of,
    route_agent,
)
from mailbot.ticket.ticket import Agent, Role
from mailbot.vocabulary.refused_files import (
    INFECTED,
    OWN_MAIL,
    UNSCANNED,
)


def handle_agent(turn: Context, mail: IncomingMail, agent: Agent) -> HandlingResult:
    """A mail whose From is an agent's."""
    clues = clues_of(mail.message)
    held = _confirmed(turn, mail, clues, agent)
    if held is not None:
        return _take_up(turn, mail, held, agent)
    orders = list_token(clues, turn.profile.signer, agent)
    if orders is not None:
        return _order(turn, mail, agent, orders)
    if _writes_as_person(turn, clues) or status_request(mail.message.subject) is not None:
        return handle_person(turn, mail)
    known = look_up(turn, clues, of_agents=True)
    found = route_agent(clues, as_known(known), turn.profile.signer, agent)
    if unsure := _unsure(turn, mail, agent, found):
        return unsure
    if found.conflict is not None and found.number is not None:
        error = CommandError(Fault.TWO_TICKETS, mail.message.subject, 0, f"#{found.conflict}", (f"#{found.number}",))
        turn.post.refuse(turn, known[found.number], mail, agent, (error,))
        return HandlingResult(
            "processed", "the subject names another ticket than the reply address", known[found.number].id
        )
    if found.number is not None:
        return _act(turn, mail, agent, resolve_merged(turn, known[found.number]), found)
    forward = read_forward(mail.message, turn.profile.zone)
    if forward is not None and _is_outsider(turn, forward.author.email):
        return _open_for(turn, mail, agent, forward)
    return report(turn, mail)


def _unsure(turn: Context, mail: IncomingMail, agent: Agent, found: AgentRoute) -> HandlingResult | None:
    """Ask the agent whether they wrote this, where that is not plain."""
    if not is_proven(turn, mail, found):
        asked = "asked to confirm" if turn.post.ask_to_confirm(turn, mail, agent) else "asked too often: not again"
        return HandlingResult("held", f"not proven to be from {agent.email} (trust = {turn.profile.trust}); {asked}")
    if _looks_automatic(mail):
        turn.post.ask_to_confirm(turn, mail, agent)
        return HandlingResult("held", f"looks like an automatic reply of {agent.email}: {mail.verdict.reason}")
    return None


def _order(turn: Context, mail: IncomingMail, agent: Agent, token: Token) -> HandlingResult:
    """An answer to the list of the quarantine."""
    found = AgentRoute(None, by_token=turn.profile.signer.belongs_to(token, agent.signs_as))
    return _unsure(turn, mail, agent, found) or carry_out_orders(turn, mail, agent, token)


def _is_outsider(turn: Context, email: str) -> bool:
    return bool(email) and turn.policy.agent(email) is None and not turn.profile.is_own(email)


def _looks_automatic(mail: IncomingMail) -> bool:
    """An out-of-office note without the fields of one comes to the signed address like an answer, but is none."""
    return mail.verdict.kind is Kind.NOACK and mail.verdict.rule == "one-hint" and not (mail.proven or mail.released)


def _writes_as_person(turn: Context, clues: Clues) -> bool:
    """An agent who is a requester or participant replies to mail that they got as such."""
    return any(
        token.purpose is Purpose.REQUESTER and turn.profile.signer.belongs_to(token, clues.sender)
        for token in clues.tokens
    )


# A held mail and its confirmation


def _confirmed(turn: Context, mail: IncomingMail, clues: Clues, agent: Agent) -> Any | None:
    """The held mail that this one confirms, if it does."""
    for token in (*clues.tokens, *clues.reference_tokens):
        if token.purpose is not Purpose.CONFIRM or not turn.profile.signer.belongs_to(token, agent.signs_as):
            continue
        if turn.profile.trust == "both" and not proves_author(turn, mail):
            return None
        return next(iter(turn.work.inbound([token.number])), None)
    return None


def _take_up(turn: Context, mail: IncomingMail, held: Any, agent: Agent) -> HandlingResult:
    if held.state != "held":
        return HandlingResult("processed", f"confirms mail {held.id}, which is no longer held ({held.state})")
    reply = words_of(turn, mail, None)
    answer = answer_of(mail.message, mail.verdict, "" if reply.nothing_new else reply.text)
    if answer is not Answer.YES:
        what = "says that it is not theirs" if answer is Answer.NO else "is an automatic reply, which confirms nothing"
        return HandlingResult("processed", f"the answer about held mail {held.id} {what}")
    original = turn.reread(held)
    if turn.policy.agent(original.message.from_addr) != agent:
        return HandlingResult("processed", f"held mail {held.id} is not in the name of {agent.email}")
    handled = handle_agent(turn, original, agent)
    turn.work.note_place(held, handled.place)
    turn.work.set_inbound(
        held.id, state=handled.state, reason=f"confirmed by {agent.email}", ticket_id=handled.ticket_id,
        place=handled.place, processed_at=turn.work.now,
    )  # fmt: skip
    return HandlingResult("processed", f"confirms mail {held.id}", handled.ticket_id, handled.number)


# Words and commands on a ticket


def _act(turn: Context, mail: IncomingMail, agent: Agent, loaded: StoredTicket, found: AgentRoute) -> HandlingResult:
    earlier = turn.work.same_text_on_ticket(mail.inbound_id, loaded.id)
    if earlier is not None and not mail.released:  # somebody sends it again, or a mail program that heard no answer
        what = f"the same as mail {earlier} under another Message-ID: not carried out again"
        return HandlingResult("processed", what, loaded.id, loaded.ticket.number)
    reply = words_of(turn, mail, loaded)
    # A quotation with nothing above it is our own notification: what it tells agents must not go to the school.
    words = "" if reply.nothing_new else _words_to_relay(turn, mail, loaded, reply.text)
    source = Words(
        Address(agent.email, agent.name), Role.AGENT, words, mail, mail.message.attachments, mail.message.subject
    )
    errors = refused_files(mail, turn.profile.instance_id) or run_commands(turn, loaded, agent, source)
    if errors:
        turn.post.refuse(turn, loaded, mail, agent, errors)
        reason = "; ".join(f"line {e.line_number}: {e.fault}" for e in errors)
        return HandlingResult("processed", f"nothing was carried out: {reason}", loaded.id, loaded.ticket.number)
    why = {"evidence": found.evidence, "cut": reply.rule}
    return HandlingResult("processed", "", loaded.id, loaded.ticket.number, why)


def _words_to_relay(turn: Context, mail: IncomingMail, loaded: StoredTicket, words: str) -> str:
    """The agent's own words, without what the cut left standing of mail that only agents may see."""

    def public() -> list[str]:
        if any(not person.visible for person in loaded.ticket.participants):
            return []  # after a forced merge one side's words are not for the other
        return [row.text for row in turn.work.messages(loaded.id) if row.public]

    def is_own(email: str) -> bool:
        return turn.profile.is_own(email) or turn.policy.agent(email) is not None

    return strip_internal_quotes(mail.message, words, public, is_own)


def run_commands(turn: Context, loaded: StoredTicket, agent: Agent, source: Words) -> tuple[CommandError, ...]:
    """Carry out an agent's words, which may begin with commands; the errors, and then nothing was done."""
    parsed = parse_commands(source.words)
    if parsed.errors:
        return parsed.errors
    words = without_tokens(parsed.words).strip()
    numbers = [c.number for c in parsed.commands if c.verb is Verb.MERGE]
    event = Answered(
        at=turn.work.now,
        agent=agent.email,
        commands=parsed.commands,
        has_words=bool(words or source.attachments),
        targets={n: _target(found) for n, found in turn.work.tickets(numbers).items()},
    )
    spoken = Words(source.author, source.role, words, source.mail, source.attachments, source.subject)
    return apply_event(turn, loaded, event, spoken).refusals


def _target(loaded: StoredTicket) -> Target:
    ticket = loaded.ticket
    return Target(ticket.number, ticket.requester.email, ticket.status, ticket.merged_into)


# A forwarded report


def _open_for(turn: Context, mail: IncomingMail, agent: Agent, forward: Forward) -> HandlingResult:
    """A school's mail that an agent passed on becomes that school's ticket; commands above it are carried out on it."""
    parsed = parse_commands(forward.comment)
    if parsed.errors:
        turn.post.refuse(turn, None, mail, agent, parsed.errors)
        return HandlingResult("processed", "nothing was carried out: a command above the forwarded mail is wrong")
    event = Reported(
        at=turn.work.now,
        number=turn.work.next_number(),
        subject=safe_title(
            clean_subject(forward.subject or mail.message.subject) or first_line(forward.text), turn.profile.language
        ),
        requester=forward.author,
        author=forward.author,
        language=turn.profile.language,
        program=mail.program,
        by_agent=agent.email,
    )
    source = Words(
        forward.author, Role.REQUESTER, without_tokens(forward.text), mail, forward.attachments,
        forward.subject, f"forwarded:{agent.email}",
    )  # fmt: skip
    opened = open_new(turn, event, source, mail.mailbox_id)
    why = {"forwarded_by": agent.email}
    if forward.comment.strip():
        comment = Words(Address(agent.email, agent.name), Role.AGENT, _as_note(forward.comment, parsed.words), mail)
        errors = run_commands(turn, opened, agent, comment)
        if errors:
            turn.post.refuse(turn, opened, mail, agent, errors)
    return HandlingResult("processed", "", opened.id, opened.ticket.number, why)


def _as_note(comment: str, words: str) -> str:
    """What an agent writes above a forwarded mail is for colleagues: a note, unless commands say otherwise."""
    is_note = words.strip() and not comment.lstrip().startswith("#")
    return f"#catatan\n{comment}" if is_note else comment


_FAULTS = {INFECTED: Fault.INFECTED_FILE, UNSCANNED: Fault.UNSCANNED_FILE, OWN_MAIL: Fault.OWN_MAIL}


def refused_files(mail: IncomingMail, instance_id: str) -> tuple[CommandError, ...]:
    """Why an agent's mail can't go to the requester as it is: a fault for each of its files that may not."""
    own = (name for name in _own_mails(mail.message, instance_id))
    found = [*((held.kind, held.to_blame) for held in mail.held), *((OWN_MAIL, name) for name in own)]
    return tuple(CommandError(_FAULTS.get(kind, Fault.REFUSED_FILE), "", 0, name) for kind, name in found)


def _own_mails(message: InboundMessage, instance_id: str) -> list[str]:
    """Attached mails that the desk wrote to agents: with history, notes and a signed address that are theirs alone."""
    names = [each.name for each in message.attachments if each.content_type == "message/rfc822"]
    found = []
    for position, nested in enumerate(message.nested):
        kind = nested.headers.get("X-Mailbot-Kind").strip().lower()
        is_ours = nested.headers.get("X-Mailbot-Instance").strip() == instance_id
        if (is_ours and kind in ("notification", "notice", "")) or _own_mails(nested, instance_id):
            found.append(names[position] if position < len(names) else nested.subject)
    return found
