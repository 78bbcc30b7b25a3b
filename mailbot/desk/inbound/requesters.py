"""Requesters', participants' and strangers' mail: a status request, a reply, a follow-up, or a new report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mailbot.desk.apply_event import apply_event, open_ticket
from mailbot.desk.context import Case, Context, HandlingResult, Words
from mailbot.desk.inbound.new_words import new_words_of, spoken, title_of
from mailbot.desk.inbound.sender_proof import domain_vouches
from mailbot.desk.inbound.ticket_lookup import look_up, newest_of_chain, resolve_merged
from mailbot.mail.classify.senders import is_automatic_address
from mailbot.mail.compose.composer import is_usable
from mailbot.mail.intent.intent import intent_of
from mailbot.mail.message import Address
from mailbot.mail.subject import status_request
from mailbot.store.tickets import StoredTicket
from mailbot.ticket.events import OpenFollowUp, Origin, Quarantine, Replied, Reported
from mailbot.ticket.matching import Clues, Route, clues_of, route
from mailbot.ticket.ticket import CloseReason, Participant, Role, Status


def handle_person(case: Case) -> HandlingResult:
    """Handle a mail whose sender is no agent, or writes as a requester."""
    context, mail = case.context, case.incoming
    clues = clues_of(mail.message)
    if mail.from_form:
        clues = replace(clues, doubtful=True)
    number = status_request(mail.message.subject)
    if number is not None and not mail.from_form:
        return _answer_status(case, number, clues)
    tickets = look_up(context, clues)
    found = route(clues, tickets.known, context.profile.signer)
    stored = resolve_merged(context, tickets[found.number]) if found.number is not None else None
    if stored is None or _is_strangers_reply_to_closed(found, stored):
        return report(case, named=found.named or found.number, evidence=found.evidence)
    return _reply(case.about(stored), found)


def _is_strangers_reply_to_closed(found: Route, stored: StoredTicket) -> bool:
    """Return whether only a reference, from an address that takes no part, would open a follow-up for the requester."""
    return found.elsewhere and found.evidence == "reference" and stored.ticket.status is Status.CLOSED


# A reply


def _reply(case: Case, found: Route) -> HandlingResult:
    context, mail = case.context, case.incoming
    message = mail.message
    reply = new_words_of(case)
    author = message.from_address
    role = case.stored.ticket.role_of(author.email)
    event = Replied(
        at=context.work.now,
        author=author,
        role=role,
        intent=intent_of(spoken(reply)),
        elsewhere=found.elsewhere,
        participants=_people_in_cc(case) if role is Role.REQUESTER and _may_add_people(case, found) else (),
        acknowledge=mail.may_be_answered,
    )
    mark = "elsewhere" if found.elsewhere else ""
    words = Words(author, role, reply.text, message.attachments, message.subject, mark)
    why = {"evidence": found.evidence, "cut": reply.rule, "intent": event.intent.value}
    return _apply_reply(case.saying(words), event, why)


def _may_add_people(case: Case, found: Route) -> bool:
    """Return whether this mail may bring others into the ticket.

    A number and a From are enough to add words, not people: who is in Cc gets every answer from then on, and a From
    anybody can write.
    """
    return found.authenticated or case.incoming.released or domain_vouches(case)


def _apply_reply(case: Case, event: Replied, why: Mapping[str, str]) -> HandlingResult:
    """Put a person's words on the ticket, on its open follow-up, or into a new follow-up."""
    stored = case.stored
    for effect in apply_event(case, event).effects:
        if isinstance(effect, Quarantine):
            if case.incoming.released:  # an admin read it: no spam after all
                return report(case, named=stored.ticket.number)
            return HandlingResult.quarantined(effect.reason, stored, why)
        if isinstance(effect, OpenFollowUp):
            newest = newest_of_chain(case.context, stored)
            if newest.ticket.status is not Status.CLOSED:
                return _apply_reply(case.about(newest), event, {**why, "joined": "open follow-up"})
            return _open_follow_up(case.about(newest), event, why)
    return HandlingResult.processed("", stored, why)


def _open_follow_up(case: Case, event: Replied, why: Mapping[str, str]) -> HandlingResult:
    ticket = case.stored.ticket
    if ticket.close_reason is CloseReason.SPAM:
        return HandlingResult.quarantined(f"reply to ticket #{ticket.number}, which was closed as spam", case.ticket)
    reported = Reported(
        at=event.at,
        number=case.context.work.next_number(),
        subject=ticket.subject,
        requester=ticket.requester,
        author=ticket.requester if event.elsewhere else event.author,
        language=ticket.language,
        participants=(*ticket.participants, *event.participants),
        acknowledge=event.acknowledge,
        follow_up_of=Origin(ticket.number, ticket.agent, ticket.program, ticket.priority),
    )
    opened = open_ticket(case, reported)
    return HandlingResult.processed("", opened, {**why, "follow_up_of": str(ticket.number)})


# A new report


def report(case: Case, *, named: int | None = None, evidence: str = "") -> HandlingResult:
    """Open a ticket for a mail that belongs to none. `named`: a number in it that is not its sender's."""
    context, mail = case.context, case.incoming
    message = mail.message
    reply = new_words_of(case.about(None))
    author = message.from_address
    event = Reported(
        at=context.work.now,
        number=context.work.next_number(),
        subject=title_of(message.subject, reply.text, context.profile.language),
        requester=author,
        author=author,
        language=context.profile.language,
        participants=_people_in_cc(case),
        program=mail.program,
        acknowledge=mail.may_be_answered,
        named=named,
    )
    mark = f"named:{named}" if named else ""
    words = Words(author, Role.REQUESTER, reply.text, message.attachments, message.subject, mark)
    opened = open_ticket(case.saying(words), event)
    why = {"evidence": evidence, "cut": reply.rule} | ({"named": str(named)} if named else {})
    return HandlingResult.processed("", opened, why)


def _people_in_cc(case: Case) -> tuple[Participant, ...]:
    """Return whom else the requester wrote to: people, not the desk, its agents or machines.

    Beside a mailing list or a machine nobody takes part: the addresses there are not known to be people.
    """
    if not case.incoming.may_be_answered:
        return ()
    people: dict[str, Participant] = {}
    message = case.incoming.message
    for address in (*message.cc, *message.to):
        if address.email != message.from_addr and "@" in address.email and _is_outside_person(case.context, address):
            people.setdefault(address.email, Participant(address.email, address.name))
    return tuple(people.values())[: case.context.policy.max_participants]


def _is_outside_person(context: Context, address: Address) -> bool:
    return (
        not context.is_ours(address.email) and is_usable(address.email) and not is_automatic_address(address.local_part)
    )


# A status request


def _answer_status(case: Case, number: int, clues: Clues) -> HandlingResult:
    if not case.incoming.may_be_answered:
        return HandlingResult.processed("a status request of a sender who must get no automatic mail")
    stored = case.context.work.ticket(number)
    if stored is not None and not clues.doubtful and stored.ticket.takes_part(clues.sender):
        case.context.outbound.status(case.about(stored))
        return HandlingResult("processed", "status request", None, number)
    case.context.outbound.status_unknown(case, number)
    return HandlingResult.processed("status request for a number that doesn't belong to this address")
