"""Tickets for people to read: the list, and one whole.

In: a `Store`, filters, a number. Out: `TicketSummary` and `TicketDetail`; `as_json(zone)` gives what contract.md shows.
The newest ticket is the one with the highest number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from mailbot.mail.message import Address
from mailbot.runtime.clock import rfc3339, rfc3339_or_null
from mailbot.store.engine import Store
from mailbot.store.search import index as words
from mailbot.store.tables import (
    EVENT,
    MESSAGE,
    PARTICIPANT,
    TICKET,
    TIMER,
)
from mailbot.ticket.ticket import Timer, TimerKind

# So many tickets' participants, follow-ups and timers are fetched with one query.
_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class TicketSummary:
    """A ticket as a list shows it. `agent` and `program` are "" where there is none."""

    number: int
    subject: str
    status: str
    requester: Address
    created_at: datetime
    updated_at: datetime
    participants: tuple[str, ...] = ()
    agent: str = ""
    language: str = "id"
    program: str = ""
    tags: tuple[str, ...] = ()
    priority: str = "normal"
    closed_at: datetime | None = None
    close_reason: str | None = None
    follow_up_of: int | None = None
    follow_ups: tuple[int, ...] = ()
    merged_into: int | None = None
    reminders_sent: int = 0
    next_timer: Timer | None = None

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """One element of `mailbot ticket list --json`."""
        timer = self.next_timer
        return {
            "number": self.number,
            "subject": self.subject,
            "status": self.status,
            "requester": {"email": self.requester.email, "name": self.requester.name},
            "participants": list(self.participants),
            "agent": self.agent or None,
            "language": self.language,
            "program": self.program or None,
            "tags": list(self.tags),
            "priority": self.priority,
            "created_at": rfc3339(self.created_at, zone),
            "updated_at": rfc3339(self.updated_at, zone),
            "closed_at": rfc3339_or_null(self.closed_at, zone),
            "close_reason": self.close_reason or None,
            "follow_up_of": self.follow_up_of,
            "follow_ups": list(self.follow_ups),
            "merged_into": self.merged_into,
            "reminders_sent": self.reminders_sent,
            "next_timer": {"kind": timer.kind.value, "at": rfc3339(timer.due_at, zone)} if timer else None,
        }


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a ticket. `attachments` have name, type, size, sha256; `raw_sha256` finds the whole mail."""

    id: int
    at: datetime
    direction: str
    kind: str
    author: str
    author_name: str
    author_role: str
    public: bool
    message_id: str
    subject: str
    text: str
    attachments: tuple[Mapping[str, Any], ...]
    raw_sha256: str
    inbound_id: int | None

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """One element of `messages`."""
        return {
            "id": self.id,
            "at": rfc3339(self.at, zone),
            "direction": self.direction,
            "kind": self.kind,
            "author": self.author or None,
            "author_role": self.author_role,
            "public": self.public,
            "message_id": self.message_id or None,
            "subject": self.subject,
            "text": self.text,
            "attachments": [
                {key: attachment.get(key) for key in ("name", "type", "size", "sha256")}
                | ({"held": attachment["held"]} if attachment.get("held") else {})
                for attachment in self.attachments
            ],
        }


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a ticket's history."""

    at: datetime
    actor: str
    kind: str
    from_: str
    to: str

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """One element of `events`."""
        return {
            "at": rfc3339(self.at, zone),
            "actor": self.actor or None,
            "kind": self.kind,
            "from": self.from_ or None,
            "to": self.to or None,
        }


@dataclass(frozen=True, slots=True)
class TicketDetail:
    """A ticket whole: `messages` and `events` in the order in which they came."""

    summary: TicketSummary
    messages: tuple[Message, ...]
    events: tuple[Event, ...]

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """`mailbot ticket show N --json`."""
        return self.summary.as_json(zone) | {
            "messages": [message.as_json(zone) for message in self.messages],
            "events": [event.as_json(zone) for event in self.events],
        }


def list_tickets(
    store: Store,
    *,
    status: str | None = None,
    requester: str | None = None,
    agent: str | None = None,
    search: str | None = None,
    limit: int = 50,
) -> list[TicketSummary]:
    """Tickets that fit all of the filters, newest first. Addresses are whole, in any case; `search`: store.search."""
    filters = {"status": status, "requester_email": _address(requester), "agent": _address(agent)}
    given = {name: value for name, value in filters.items() if value is not None}
    if search is None:
        query = select(TICKET).where(
            TICKET.c.desk_id == store.desk_id, *(TICKET.c[name] == given[name] for name in given)
        )
        with store.reading() as connection:
            rows = connection.execute(query.order_by(TICKET.c.number.desc()).limit(max(0, limit))).all()
            return _summaries(connection, store.desk_id, rows)
    words.catch_up(store)
    with store.reading() as connection:
        found = words.find(connection, store.desk_id, search, given, limit)
        rows = [
            row for some in _parts(found) for row in connection.execute(select(TICKET).where(TICKET.c.id.in_(some)))
        ]
        return _summaries(connection, store.desk_id, sorted(rows, key=lambda row: -row.number))


def show_ticket(store: Store, number: int) -> TicketDetail | None:
    """One ticket; None if there is none of that number."""
    if not 0 < number < 2**31:  # the column's range
        return None
    query = select(TICKET).where(TICKET.c.desk_id == store.desk_id, TICKET.c.number == number)
    with store.reading() as connection:
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        (summary,) = _summaries(connection, store.desk_id, [row])
        messages = connection.execute(select(MESSAGE).where(MESSAGE.c.ticket_id == row.id).order_by(MESSAGE.c.id))
        events = connection.execute(select(EVENT).where(EVENT.c.ticket_id == row.id).order_by(EVENT.c.id))
        return TicketDetail(
            summary,
            tuple(read_message(found) for found in messages),
            tuple(Event(found.at, found.actor, found.kind, found._mapping["from"], found.to) for found in events),
        )


def _summaries(connection: Connection, desk_id: int, rows: Sequence[Any]) -> list[TicketSummary]:
    """Tickets with what stands in other tables, fetched for many at a time."""
    made: list[TicketSummary] = []
    for some in _parts(rows):
        ids, numbers = [row.id for row in some], [row.number for row in some]
        people = _grouped(
            connection, select(PARTICIPANT.c.ticket_id, PARTICIPANT.c.email), PARTICIPANT.c.ticket_id, ids
        )
        newer = select(TICKET.c.follow_up_of, TICKET.c.number).where(TICKET.c.desk_id == desk_id)
        follow_ups = _grouped(connection, newer, TICKET.c.follow_up_of, numbers)
        due = select(TIMER.c.ticket_id, TIMER.c.due_at, TIMER.c.kind, TIMER.c.step)
        timers = _grouped(connection, due, TIMER.c.ticket_id, ids)
        for row in some:
            deadlines = [Timer(at, TimerKind(kind), step) for at, kind, step in timers.get(row.id, ())]
            made.append(
                _summary(
                    row,
                    participants=tuple(sorted(email for (email,) in people.get(row.id, ()))),
                    follow_ups=tuple(sorted(number for (number,) in follow_ups.get(row.number, ()))),
                    next_timer=min(deadlines, default=None),
                )
            )
    return made


def _grouped(
    connection: Connection, query: Select[Any], key: ColumnElement[Any], wanted: Sequence[int]
) -> dict[int, list[Any]]:
    """The rows of a query whose `key` (its first column) is among `wanted`, by that key, without it."""
    found: dict[int, list[Any]] = {}
    for first, *rest in connection.execute(query.where(key.in_(wanted))):
        found.setdefault(first, []).append(tuple(rest))
    return found


def _summary(
    row: Any, *, participants: tuple[str, ...], follow_ups: tuple[int, ...], next_timer: Timer | None
) -> TicketSummary:
    return TicketSummary(
        number=row.number,
        subject=row.subject,
        status=row.status,
        requester=Address(row.requester_email, row.requester_name),
        created_at=row.created_at,
        updated_at=row.updated_at,
        participants=participants,
        agent=row.agent,
        language=row.language,
        program=row.program,
        tags=tuple(row.tags),
        priority=row.priority,
        closed_at=row.closed_at,
        close_reason=row.close_reason,
        follow_up_of=row.follow_up_of,
        follow_ups=follow_ups,
        merged_into=row.merged_into,
        reminders_sent=row.reminders_sent,
        next_timer=next_timer,
    )


def read_message(row: Any) -> Message:
    """A row of `MessageRow` as a value."""
    return Message(
        id=row.id,
        at=row.at,
        direction=row.direction,
        kind=row.kind,
        author=row.author,
        author_name=row.author_name,
        author_role=row.author_role,
        public=row.public,
        message_id=row.message_id,
        subject=row.subject,
        text=row.text,
        attachments=tuple(row.attachments),
        raw_sha256=row.raw_sha256,
        inbound_id=row.inbound_id,
    )


def _parts(whole: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (whole[start : start + _TOGETHER] for start in range(0, len(whole), _TOGETHER))


def _address(given: str | None) -> str | None:
    return None if given is None else given.strip().lower()
