"""All that is known about a mail, or about a ticket with its mails, as one document.

In: bytes, a Message-ID or a ticket's number; a desk or none. Out: what `mailbot explain --json` prints. Unknown values
are null. Raises NotPossible if the desk knows no such mail or ticket.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from mailbot.diagnostics.explain import mail_facts
from mailbot.diagnostics.explain.evidence import evidence, sent_to_author
from mailbot.diagnostics.explain.mail_facts import MailFacts, read_mail
from mailbot.diagnostics.explain.read_only_desk import ReadOnlyDesk
from mailbot.errors import NotPossible
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.duplicates import identity
from mailbot.mail.message import Kind
from mailbot.store.engine import Store
from mailbot.store.queries.explain import (
    ReceivedMail,
    SentMail,
    consequences,
    message_id_of,
    original,
    received_by_message_id,
    received_copies,
    received_on_ticket,
    sent_by_message_id,
    sent_on_ticket,
)
from mailbot.store.queries.ticket import show_ticket


def explain_raw(raw: bytes, desk: ReadOnlyDesk | None = None) -> dict[str, Any]:
    """Explain raw bytes: what the mail says by itself and, with a desk, its outcome if the desk received it."""
    received: list[ReceivedMail] = []
    if desk is not None and desk.store is not None:
        who = identity(raw)
        received = received_copies(desk.store, who.message_id, who.digest)
    return _mail(read_mail(raw, desk.own if desk else OwnIdentity()), desk, received)


def explain_message_id(message_id: str, desk: ReadOnlyDesk) -> list[dict[str, Any]]:
    """Explain the mails with this Message-ID (several if a sender repeats it), or a mail that the desk wrote."""
    store = _store(desk)
    wanted = message_id if message_id.startswith("<") else f"<{message_id}>"
    found = received_by_message_id(store, wanted)
    if found:
        return [_received(mail, desk) for mail in found]
    ours = sent_by_message_id(store, wanted)
    if ours:
        return [_ours(store, mail, _zone(desk)) for mail in ours]
    raise NotPossible(f"The desk knows no mail {wanted}. For a mail in a file: mailbot explain FILE.eml")


def explain_ticket(number: int, desk: ReadOnlyDesk) -> dict[str, Any]:
    """Explain a ticket: itself, each mail that belongs to it, and every mail that was sent."""
    store = _store(desk)
    ticket = show_ticket(store, number)
    if ticket is None:
        raise NotPossible(f"There is no ticket #{number}; see `mailbot ticket list`.")
    zone = _zone(desk)
    return {
        "ticket": ticket.as_json(zone),
        "mails": [_received(mail, desk) for mail in received_on_ticket(store, number)],
        "sent": [mail.as_json(zone) for mail in sent_on_ticket(store, number)],
    }


def _received(record: ReceivedMail, desk: ReadOnlyDesk) -> dict[str, Any]:
    raw = original(_store(desk), record)
    if raw is None:
        return {"mail": None, "outcome": _outcome(desk, [record])}  # dropped or erased: only the outcome is left
    return _mail(read_mail(raw, desk.own, partial=record.partial), desk, [record])


def _mail(mail: MailFacts, desk: ReadOnlyDesk | None, received: list[ReceivedMail]) -> dict[str, Any]:
    clues = evidence(mail, desk)
    if desk is not None:
        goes_to = received[0].ticket if received else None
        mail = mail_facts.with_sent(mail, sent_to_author(mail, desk, goes_to or (clues["route"] or {}).get("ticket")))
    commands = mail_facts.commands(mail.reply.text)
    is_agents = clues["agent"] is not None
    return {
        "mail": mail_facts.facts(mail.message),
        "authentication": mail_facts.authentication(mail.message, mail.own),
        "verdict": mail_facts.verdict(mail),
        "words": mail_facts.cut(mail.reply),
        # an automatic mail has no intent
        "intent": mail_facts.intent(mail.reply.text) if mail.verdict.kind in (Kind.HUMAN, Kind.NOACK) else None,
        "subject": mail_facts.subject(mail.message),
        # without a desk nobody knows who is an agent: command lines are shown as what they would be
        "commands": commands if is_agents or (desk is None and commands["commands"]) else None,
        "evidence": clues,
        "outcome": _outcome(desk, received) if desk is not None else None,
    }


def _outcome(desk: ReadOnlyDesk, received: list[ReceivedMail]) -> dict[str, Any] | None:
    """Return what the desk did with the mail; None if it never received it."""
    if not received or desk.store is None:
        return None
    zone, first = _zone(desk), received[0]
    found = consequences(desk.store, first)
    return first.as_json(zone) | {
        "recorded_as": found.recorded_as or None,
        "events": [event.as_json(zone) for event in found.events],
        "sent": [mail.as_json(zone) for mail in found.sent],
        "came_again": [again.id for again in received[1:]],
    }


def _ours(store: Store, mail: SentMail, zone: tzinfo) -> dict[str, Any]:
    because_of = message_id_of(store, mail.inbound_id) if mail.inbound_id is not None else ""
    return {"ours": mail.as_json(zone), "because_of": because_of or None}


def _store(desk: ReadOnlyDesk) -> Store:
    if desk.store is None:
        raise NotPossible("This desk has no database yet: it has received nothing. For a mail in a file: FILE.eml")
    return desk.store


def _zone(desk: ReadOnlyDesk) -> tzinfo:
    return desk.profile.zone
