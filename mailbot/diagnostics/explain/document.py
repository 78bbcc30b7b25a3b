"""All that is known about a mail, or about a ticket with its mails, as one document.

In: bytes, a Message-ID or a number; a desk or none. Out: what `mailbot explain --json` prints. What a section can't
say is null. NotPossible where the desk knows no such mail or ticket.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from mailbot.diagnostics.explain import understood
from mailbot.diagnostics.explain.evidence import evidence, sent_to_author
from mailbot.diagnostics.explain.known import KnownDesk
from mailbot.diagnostics.explain.understood import MailFacts, understand
from mailbot.errors import NotPossible
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.duplicates import identity
from mailbot.mail.message import Kind
from mailbot.store.engine import Store
from mailbot.store.queries.explain import (
    SentMail,
    TakenIn,
    consequences,
    message_id_of,
    original,
    sent_by_message_id,
    sent_on_ticket,
    taken_in_again,
    taken_in_by_message_id,
    taken_in_on_ticket,
)
from mailbot.store.queries.ticket import show_ticket


def explain_raw(raw: bytes, desk: KnownDesk | None = None) -> dict[str, Any]:
    """A mail in hand. Without a desk: what it says by itself; with one, also what came of it if it was taken in."""
    memory: list[TakenIn] = []
    if desk is not None and desk.store is not None:
        who = identity(raw)
        memory = taken_in_again(desk.store, who.message_id, who.digest)
    return _mail(understand(raw, desk.own if desk else OwnIdentity()), desk, memory)


def explain_message_id(message_id: str, desk: KnownDesk) -> list[dict[str, Any]]:
    """The mails with this Message-ID (several where a sender repeats them), or a mail of ours."""
    store = _store(desk)
    wanted = message_id if message_id.startswith("<") else f"<{message_id}>"
    found = taken_in_by_message_id(store, wanted)
    if found:
        return [_taken_in(mail, desk) for mail in found]
    ours = sent_by_message_id(store, wanted)
    if ours:
        return [_ours(store, mail, _zone(desk)) for mail in ours]
    raise NotPossible(f"The desk knows no mail {wanted}. For a mail in a file: mailbot explain FILE.eml")


def explain_ticket(number: int, desk: KnownDesk) -> dict[str, Any]:
    """A ticket: itself, each mail that belongs to it, and every mail that went out."""
    store = _store(desk)
    ticket = show_ticket(store, number)
    if ticket is None:
        raise NotPossible(f"There is no ticket #{number}. `mailbot ticket list` shows those that there are.")
    zone = _zone(desk)
    return {
        "ticket": ticket.as_json(zone),
        "mails": [_taken_in(mail, desk) for mail in taken_in_on_ticket(store, number)],
        "sent": [mail.as_json(zone) for mail in sent_on_ticket(store, number)],
    }


def _taken_in(memory: TakenIn, desk: KnownDesk) -> dict[str, Any]:
    raw = original(_store(desk), memory)
    if raw is None:
        return {"mail": None, "outcome": _outcome(desk, [memory])}  # dropped or erased: what came of it is left
    return _mail(understand(raw, desk.own, partial=memory.partial), desk, [memory])


def _mail(mail: MailFacts, desk: KnownDesk | None, memory: list[TakenIn]) -> dict[str, Any]:
    clues = evidence(mail, desk)
    if desk is not None:
        goes_to = memory[0].ticket if memory else None
        mail = understood.with_sent(mail, sent_to_author(mail, desk, goes_to or (clues["route"] or {}).get("ticket")))
    spoken = understood.commands(mail.reply.text)
    is_agents = clues["agent"] is not None
    return {
        "mail": understood.facts(mail.message),
        "authentication": understood.authentication(mail.message, mail.own),
        "verdict": understood.verdict(mail),
        "words": understood.cut(mail.reply),
        # a machine's words mean nothing to the rules
        "intent": understood.intent(mail.reply.text) if mail.verdict.kind in (Kind.HUMAN, Kind.NOACK) else None,
        "subject": understood.subject(mail.message),
        # without a desk nobody knows who is an agent: lines that are commands are shown as what they would be
        "commands": spoken if is_agents or (desk is None and spoken["commands"]) else None,
        "evidence": clues,
        "outcome": _outcome(desk, memory) if desk is not None else None,
    }


def _outcome(desk: KnownDesk, memory: list[TakenIn]) -> dict[str, Any] | None:
    """What came of it: None where it was never taken in."""
    if not memory or desk.store is None:
        return None
    zone, first = _zone(desk), memory[0]
    found = consequences(desk.store, first)
    return first.as_json(zone) | {
        "recorded_as": found.recorded_as or None,
        "events": [event.as_json(zone) for event in found.events],
        "sent": [mail.as_json(zone) for mail in found.sent],
        "came_again": [again.id for again in memory[1:]],
    }


def _ours(store: Store, mail: SentMail, zone: tzinfo) -> dict[str, Any]:
    because_of = message_id_of(store, mail.inbound_id) if mail.inbound_id is not None else ""
    return {"ours": mail.as_json(zone), "because_of": because_of or None}


def _store(desk: KnownDesk) -> Store:
    if desk.store is None:
        raise NotPossible("This desk has no database yet: it has taken in nothing. For a mail in a file: FILE.eml")
    return desk.store


def _zone(desk: KnownDesk) -> tzinfo:
    return desk.profile.zone
