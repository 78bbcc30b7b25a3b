"""What the desk remembers of one mail: the row of its arrival, and everything that came of it.

In: a `Store`, a Message-ID, a ticket's number. Out: frozen values with their JSON. What a mail led to is found by the
row that it left (`inbound_id`); lines of history, and mail to others than its author, carry the moment of its
transaction instead, so that of two mails on one ticket in one batch each shows the lines of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select

from mailbot.runtime.clock import rfc3339, rfc3339_or_null
from mailbot.store import raw_mail
from mailbot.store.engine import Store
from mailbot.store.queries.ticket import Event
from mailbot.store.tables import (
    EVENT,
    INBOUND,
    MAILBOX,
    MESSAGE,
    OUTBOX,
    TICKET,
)

MAX_MAILS = 200


@dataclass(frozen=True, slots=True)
class TakenIn:
    """One arrival; `original` gives its bytes."""

    id: int
    state: str
    kind: str
    rule: str
    reason: str
    message_id: str
    received_at: datetime
    processed_at: datetime | None
    mailbox: str
    source: str
    sender: str
    size: int
    partial: bool
    place: str
    duplicate_of: int | None
    attempts: int
    traceback: str
    explanation: Mapping[str, Any]
    ticket_id: int | None
    ticket: int | None
    raw_sha256: str

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """What became of the mail, in facts."""
        return {
            "id": self.id,
            "state": self.state,
            "reason": self.reason,
            "received_at": rfc3339(self.received_at, zone),
            "processed_at": rfc3339_or_null(self.processed_at, zone),
            "mailbox": self.mailbox,
            "source": self.source,
            "place": self.place or None,
            "kind": self.kind or None,
            "rule": self.rule or None,
            "duplicate_of": self.duplicate_of,
            "attempts": self.attempts,
            "traceback": self.traceback or None,
            "explanation": dict(self.explanation or {}),
            "ticket": self.ticket,
        }


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail of ours. `last_error` has the server's words. `inbound_id`: the mail that it answers."""

    id: int
    kind: str
    recipient: str
    subject: str
    message_id: str
    state: str
    attempts: int
    last_error: str
    created_at: datetime
    sent_at: datetime | None
    next_attempt_at: datetime
    ticket: int | None
    inbound_id: int | None

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """One element of `sent`."""
        return {
            "id": self.id,
            "kind": self.kind,
            "to": self.recipient,
            "subject": self.subject,
            "message_id": self.message_id,
            "state": self.state,
            "attempts": self.attempts,
            "said": self.last_error or None,
            "created_at": rfc3339(self.created_at, zone),
            "sent_at": rfc3339_or_null(self.sent_at, zone),
            "next_attempt_at": rfc3339(self.next_attempt_at, zone) if self.state == "pending" else None,
            "ticket": self.ticket,
        }


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a mail led to. `recorded_as`: the kind of message that it is on its ticket, "" where it is none."""

    recorded_as: str
    events: tuple[Event, ...]
    sent: tuple[SentMail, ...]


def taken_in_by_message_id(store: Store, message_id: str) -> list[TakenIn]:
    """Every arrival with this Message-ID, oldest first."""
    return _taken_in(store, INBOUND.c.message_id == message_id)


def taken_in_again(store: Store, message_id: str, digest: str) -> list[TakenIn]:
    """Every arrival of the mail with this identity, oldest first."""
    return _taken_in(store, and_(INBOUND.c.message_id == message_id, INBOUND.c.digest == digest))


def taken_in_on_ticket(store: Store, number: int) -> list[TakenIn]:
    """The mails that belong to a ticket, oldest first, at most `MAX_MAILS`."""
    ticket_id = select(TICKET.c.id).where(TICKET.c.desk_id == store.desk_id, TICKET.c.number == number)
    return _taken_in(store, INBOUND.c.ticket_id == ticket_id.scalar_subquery())


def original(store: Store, mail: TakenIn) -> bytes | None:
    """The mail as it came; None where it was dropped ([storage] keep_raw) or erased."""
    with store.reading() as connection:
        return raw_mail.get(connection, mail.raw_sha256)


def consequences(store: Store, mail: TakenIn) -> Consequences:
    """What came of a mail, and what went out because of it."""
    with store.reading() as connection:
        kind = connection.scalar(
            select(MESSAGE.c.kind).where(
                MESSAGE.c.ticket_id == mail.ticket_id, MESSAGE.c.inbound_id == mail.id, MESSAGE.c.direction == "in"
            )
        )
        events = connection.execute(
            select(EVENT)
            .where(EVENT.c.ticket_id == mail.ticket_id, EVENT.c.at == mail.processed_at)
            .order_by(EVENT.c.id)
        )
        return Consequences(
            kind or "",
            tuple(Event(row.at, row.actor, row.kind, row._mapping["from"], row.to) for row in events),
            tuple(_sent_because_of(connection, store.desk_id, mail)),
        )


def sent_by_message_id(store: Store, message_id: str) -> list[SentMail]:
    """Mails of ours with this Message-ID."""
    with store.reading() as connection:
        found = connection.execute(_sent(store.desk_id).where(OUTBOX.c.message_id == message_id).order_by(OUTBOX.c.id))
        return [_sent_mail(row) for row in found]


def sent_on_ticket(store: Store, number: int) -> list[SentMail]:
    """Every mail of ours about a ticket, in the order in which they were written."""
    with store.reading() as connection:
        found = connection.execute(_sent(store.desk_id).where(TICKET.c.number == number).order_by(OUTBOX.c.id))
        return [_sent_mail(row) for row in found]


def message_id_of(store: Store, inbound_id: int) -> str:
    """The Message-ID of a mail that was taken in; "" where it has none."""
    with store.reading() as connection:
        return str(connection.scalar(select(INBOUND.c.message_id).where(INBOUND.c.id == inbound_id)) or "")


def _taken_in(store: Store, condition: Any) -> list[TakenIn]:
    query = (
        select(INBOUND, MAILBOX.c.name.label("mailbox"), TICKET.c.number)
        .join(MAILBOX, MAILBOX.c.id == INBOUND.c.mailbox_id)
        .join(TICKET, TICKET.c.id == INBOUND.c.ticket_id, isouter=True)
        .where(INBOUND.c.desk_id == store.desk_id, condition)
        .order_by(INBOUND.c.id)
        .limit(MAX_MAILS)
    )
    with store.reading() as connection:
        return [_one_taken_in(row) for row in connection.execute(query)]


def _one_taken_in(row: Any) -> TakenIn:
    return TakenIn(
        id=row.id,
        state=row.state,
        kind=row.kind,
        rule=row.rule,
        reason=row.reason,
        message_id=row.message_id,
        received_at=row.received_at,
        processed_at=row.processed_at,
        mailbox=row.mailbox,
        source=row.source,
        sender=row.sender,
        size=row.size,
        partial=row.partial,
        place=row.place,
        duplicate_of=row.duplicate_of,
        attempts=row.attempts,
        traceback=row.traceback,
        explanation=row.explanation,
        ticket_id=row.ticket_id,
        ticket=row.number,
        raw_sha256=row.raw_sha256,
    )


def _sent_because_of(connection: Connection, desk_id: int, mail: TakenIn) -> Sequence[SentMail]:
    """By the ticket where there is one; else (an answer without a ticket) by its reader: both have an index."""
    of_its_moment = and_(OUTBOX.c.inbound_id.is_(None), OUTBOX.c.created_at == mail.processed_at)
    if mail.ticket_id is not None:
        condition = and_(OUTBOX.c.ticket_id == mail.ticket_id, or_(OUTBOX.c.inbound_id == mail.id, of_its_moment))
    else:
        to_sender = and_(OUTBOX.c.desk_id == desk_id, OUTBOX.c.recipient == mail.sender)
        condition = and_(to_sender, or_(OUTBOX.c.inbound_id == mail.id, of_its_moment))
    return [_sent_mail(row) for row in connection.execute(_sent(desk_id).where(condition).order_by(OUTBOX.c.id))]


def _sent(desk_id: int) -> Select[Any]:
    wanted = (
        "id", "kind", "recipient", "subject", "message_id", "state", "attempts", "last_error", "created_at", "sent_at",
        "next_attempt_at", "inbound_id",
    )  # fmt: skip
    return (
        select(*(OUTBOX.c[name] for name in wanted), TICKET.c.number)
        .join(TICKET, TICKET.c.id == OUTBOX.c.ticket_id, isouter=True)
        .where(OUTBOX.c.desk_id == desk_id)
    )


def _sent_mail(row: Any) -> SentMail:
    return SentMail(
        id=row.id,
        kind=row.kind,
        recipient=row.recipient,
        subject=row.subject,
        message_id=row.message_id,
        state=row.state,
        attempts=row.attempts,
        last_error=row.last_error,
        created_at=row.created_at,
        sent_at=row.sent_at,
        next_attempt_at=row.next_attempt_at,
        ticket=row.number,
        inbound_id=row.inbound_id,
    )
