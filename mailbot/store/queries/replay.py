"""Everything that a desk did, row by row, for `mailbot replay`.

In: a `Store`. Out: frozen rows in chronological order. (`queries.report`, which serves desks in production, counts
instead.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select

from mailbot.store.engine import Store
from mailbot.store.tables import (
    EVENT,
    INBOUND,
    MESSAGE,
    OUTBOX,
    TICKET,
)


@dataclass(frozen=True, slots=True)
class MailRow:
    """A received mail."""

    uid: int  #: its number in the archive, from 0
    at: datetime
    state: str
    kind: str
    rule: str
    reason: str
    sender: str
    subject: str
    ticket: int | None
    recorded_as: str  #: kind of message on its ticket; "" where it is no message
    explanation: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket at the end of the replay."""

    number: int
    subject: str
    requester: str
    status: str
    close_reason: str
    created_at: datetime
    closed_at: datetime | None
    follow_up_of: int | None
    reminders: int
    mails: int  #: how many were received on it


@dataclass(frozen=True, slots=True)
class TimerEvent:
    """A line of a ticket's history that a timer caused: a reminder, or the closing."""

    at: datetime
    ticket: int
    kind: str
    step: str


def mails(store: Store) -> Iterator[MailRow]:
    """Yield every mail, in the order in which it was received."""
    on_ticket = and_(MESSAGE.c.ticket_id == INBOUND.c.ticket_id, MESSAGE.c.inbound_id == INBOUND.c.id)
    columns = ("uid", "received_at", "state", "kind", "rule", "reason", "sender", "subject", "explanation")
    query = (
        select(*(INBOUND.c[name] for name in columns), TICKET.c.number, MESSAGE.c.kind.label("recorded_as"))
        .join(TICKET, TICKET.c.id == INBOUND.c.ticket_id, isouter=True)
        .join(MESSAGE, and_(on_ticket, MESSAGE.c.direction == "in"), isouter=True)
        .where(INBOUND.c.desk_id == store.desk_id)
        .order_by(INBOUND.c.id)
    )
    last = -1
    with store.reading() as connection:
        for row in connection.execution_options(yield_per=500).execute(query):
            if row.uid == last:
                continue  # a forward with a note above it is two messages
            last = row.uid
            yield MailRow(
                row.uid, row.received_at, row.state, row.kind, row.rule, row.reason, row.sender, row.subject,
                row.number, row.recorded_as or "", row.explanation or {},
            )  # fmt: skip


def tickets(store: Store) -> list[TicketRow]:
    """Return every ticket, by number."""
    came_in = (
        select(MESSAGE.c.ticket_id, func.count().label("mails"))
        .where(MESSAGE.c.desk_id == store.desk_id, MESSAGE.c.direction == "in")
        .group_by(MESSAGE.c.ticket_id)
        .subquery()
    )
    query = (
        select(TICKET, came_in.c.mails)
        .join(came_in, came_in.c.ticket_id == TICKET.c.id, isouter=True)
        .where(TICKET.c.desk_id == store.desk_id)
        .order_by(TICKET.c.number)
    )
    with store.reading() as connection:
        return [
            TicketRow(
                row.number, row.subject, row.requester_email, row.status, row.close_reason or "", row.created_at,
                row.closed_at, row.follow_up_of, row.reminders_sent, row.mails or 0,
            )
            for row in connection.execute(query)
        ]  # fmt: skip


def timer_events(store: Store) -> list[TimerEvent]:
    """Return reminders and closings by timers, oldest first."""
    closing = and_(EVENT.c.kind == "status", EVENT.c.actor == "system", EVENT.c.to == "closed")
    query = (
        select(EVENT.c.at, TICKET.c.number, EVENT.c.kind, EVENT.c.to)
        .join(TICKET, TICKET.c.id == EVENT.c.ticket_id)
        .where(EVENT.c.desk_id == store.desk_id, (EVENT.c.kind == "reminder") | closing)
        .order_by(EVENT.c.id)
    )
    with store.reading() as connection:
        return [
            TimerEvent(row.at, row.number, "closed" if row.kind == "status" else "reminder", row.to)
            for row in connection.execute(query)
        ]


def sent(store: Store) -> dict[tuple[str, str, bool], int]:
    """Return how many mails were queued, by (kind, state, whether automatic)."""
    key = (OUTBOX.c.kind, OUTBOX.c.state, OUTBOX.c.automatic)
    query = select(*key, func.count().label("many")).where(OUTBOX.c.desk_id == store.desk_id).group_by(*key)
    with store.reading() as connection:
        return {(row.kind, row.state, bool(row.automatic)): row.many for row in connection.execute(query)}
