"""Tickets to be shown: the list of them, and one in full.

In: a `Store`, a filter, a number. Out: `TicketSummary` and `TicketDetail`; `as_json(zone)` is the output of `--json`.
The newest ticket is the one with the highest number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Self, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, select

from mailbot.mail.message import Address
from mailbot.runtime.clock import rfc3339, rfc3339_or_null
from mailbot.store.engine import Store
from mailbot.store.queries.values import RowValue
from mailbot.store.search import index as words
from mailbot.store.tables import (
    EVENT,
    MESSAGE,
    PARTICIPANT,
    TICKET,
    TIMER,
    AnyRow,
)
from mailbot.ticket.ticket import Timer, TimerKind

# Participants, follow-ups and timers of this many tickets are fetched with one query.
_TOGETHER = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets to list: those that match every field that is not None."""

    status: str | None = None
    requester: str | None = None  #: a whole address, in any case
    agent: str | None = None  #: likewise
    search: str | None = None  #: words (store.search)

    def columns(self) -> dict[str, str]:
        """Return the values that columns of the table must have."""
        wanted = {"status": self.status, "requester_email": _address(self.requester), "agent": _address(self.agent)}
        return {name: value for name, value in wanted.items() if value is not None}


@dataclass(frozen=True, slots=True)
class TicketSummary:
    """A ticket as a list shows it."""

    number: int
    subject: str
    status: str
    requester: Address
    created_at: datetime
    updated_at: datetime
    participants: tuple[str, ...] = ()
    agent: str = ""  #: "" for none
    language: str = "id"
    program: str = ""  #: "" for none
    tags: tuple[str, ...] = ()
    priority: str = "normal"
    closed_at: datetime | None = None
    close_reason: str | None = None
    follow_up_of: int | None = None
    follow_ups: tuple[int, ...] = ()
    merged_into: int | None = None
    reminders_sent: int = 0
    next_timer: Timer | None = None

    @classmethod
    def from_row(cls, row: AnyRow) -> Self:
        """Return what the ticket's own row says; the rest is in other tables."""
        return cls(
            number=row.number,
            subject=row.subject,
            status=row.status,
            requester=Address(row.requester_email, row.requester_name),
            created_at=row.created_at,
            updated_at=row.updated_at,
            agent=row.agent,
            language=row.language,
            program=row.program,
            tags=tuple(row.tags),
            priority=row.priority,
            closed_at=row.closed_at,
            close_reason=row.close_reason,
            follow_up_of=row.follow_up_of,
            merged_into=row.merged_into,
            reminders_sent=row.reminders_sent,
        )

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """Return one element of `mailbot ticket list --json`."""
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
class Message(RowValue):
    """One message of a ticket."""

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
    attachments: Sequence[Mapping[str, Any]]  #: with name, type, size, sha256
    raw_sha256: str  #: of the whole mail
    inbound_id: int | None

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """Return one element of `messages`."""
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
class Event(RowValue):
    """One line of a ticket's history."""

    at: datetime
    actor: str
    kind: str
    from_: str
    to: str

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """Return one element of `events`."""
        return {
            "at": rfc3339(self.at, zone),
            "actor": self.actor or None,
            "kind": self.kind,
            "from": self.from_ or None,
            "to": self.to or None,
        }


@dataclass(frozen=True, slots=True)
class TicketDetail:
    """A ticket in full."""

    summary: TicketSummary
    messages: tuple[Message, ...]  #: oldest first
    events: tuple[Event, ...]  #: oldest first

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """Return the output of `mailbot ticket show N --json`."""
        return self.summary.as_json(zone) | {
            "messages": [message.as_json(zone) for message in self.messages],
            "events": [event.as_json(zone) for event in self.events],
        }


EVENT_COLUMNS = (EVENT.c.at, EVENT.c.actor, EVENT.c.kind, EVENT.c["from"].label("from_"), EVENT.c.to)


def list_tickets(store: Store, wanted: TicketFilter = TicketFilter(), *, limit: int = 50) -> list[TicketSummary]:
    """Return the tickets that match the filter, newest first."""
    columns = wanted.columns()
    if wanted.search is None:
        of_desk = select(TICKET).where(TICKET.c.desk_id == store.desk_id)
        query = of_desk.where(*(TICKET.c[name] == value for name, value in columns.items()))
        with store.reading() as connection:
            rows = connection.execute(query.order_by(TICKET.c.number.desc()).limit(max(0, limit))).all()
            return _summaries(connection, store.desk_id, rows)
    words.catch_up(store)
    with store.reading() as connection:
        found = words.find(connection, store.desk_id, wanted.search, columns, limit)
        rows = [
            row for some in _parts(found) for row in connection.execute(select(TICKET).where(TICKET.c.id.in_(some)))
        ]
        return _summaries(connection, store.desk_id, sorted(rows, key=lambda row: -row.number))


def show_ticket(store: Store, number: int) -> TicketDetail | None:
    """Return one ticket; None if there is none of that number."""
    if not 0 < number < 2**31:  # the column's range
        return None
    query = select(TICKET).where(TICKET.c.desk_id == store.desk_id, TICKET.c.number == number)
    with store.reading() as connection:
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        (summary,) = _summaries(connection, store.desk_id, [row])
        messages = select(*Message.columns(MESSAGE)).where(MESSAGE.c.ticket_id == row.id).order_by(MESSAGE.c.id)
        events = select(*EVENT_COLUMNS).where(EVENT.c.ticket_id == row.id).order_by(EVENT.c.id)
        return TicketDetail(
            summary,
            tuple(Message.from_row(found) for found in connection.execute(messages)),
            tuple(Event.from_row(found) for found in connection.execute(events)),
        )


def _summaries(connection: Connection, desk_id: int, rows: Sequence[AnyRow]) -> list[TicketSummary]:
    """Complete tickets with what is in other tables, fetched for many at a time."""
    made: list[TicketSummary] = []
    for some in _parts(rows):
        ids, numbers = [row.id for row in some], [row.number for row in some]
        emails = select(PARTICIPANT.c.ticket_id, PARTICIPANT.c.email)
        people = _grouped(connection, emails, PARTICIPANT.c.ticket_id, ids)
        newer = select(TICKET.c.follow_up_of, TICKET.c.number).where(TICKET.c.desk_id == desk_id)
        follow_ups = _grouped(connection, newer, TICKET.c.follow_up_of, numbers)
        due = select(TIMER.c.ticket_id, TIMER.c.due_at, TIMER.c.kind, TIMER.c.step)
        timers = _grouped(connection, due, TIMER.c.ticket_id, ids)
        for row in some:
            deadlines = [Timer(at, TimerKind(kind), step) for at, kind, step in timers.get(row.id, ())]
            made.append(
                replace(
                    TicketSummary.from_row(row),
                    participants=tuple(sorted(email for (email,) in people.get(row.id, ()))),
                    follow_ups=tuple(sorted(number for (number,) in follow_ups.get(row.number, ()))),
                    next_timer=min(deadlines, default=None),
                )
            )
    return made


def _grouped(
    connection: Connection, query: Select[Any], key: ColumnElement[Any], wanted: Sequence[int]
) -> dict[int, list[tuple[Any, ...]]]:
    """Return the rows whose `key` (the query's first column) is among `wanted`, by that key, without it."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for first, *rest in connection.execute(query.where(key.in_(wanted))):
        found.setdefault(first, []).append(tuple(rest))
    return found


def _parts(whole: Sequence[T]) -> Iterator[Sequence[T]]:
    return (whole[start : start + _TOGETHER] for start in range(0, len(whole), _TOGETHER))


def _address(given: str | None) -> str | None:
    return None if given is None else given.strip().lower()
