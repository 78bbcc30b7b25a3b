"""What the database knows of one mail: its inbound row, and everything that followed from it.

In: a `Store`, a Message-ID, a ticket's number. Out: frozen values with their JSON. What followed is found by the
inbound row's id; lines of history, and mail to others than the author, are found by the time of the transaction, so
that of two mails on one ticket in one batch each shows the lines of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from mailbot.runtime.clock import rfc3339, rfc3339_or_null
from mailbot.store import raw_mail
from mailbot.store.engine import Store
from mailbot.store.queries.ticket import EVENT_COLUMNS, Event
from mailbot.store.queries.values import RowValue
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
class ReceivedMail(RowValue):
    """One received mail; `original` gives its bytes."""

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
        """Return what happened to the mail."""
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
class SentMail(RowValue):
    """One mail of ours."""

    id: int
    kind: str
    recipient: str
    subject: str
    message_id: str
    state: str
    attempts: int
    last_error: str  #: the server's reply
    created_at: datetime
    sent_at: datetime | None
    next_attempt_at: datetime
    ticket: int | None
    inbound_id: int | None  #: the mail that it answers

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """Return one element of `sent`."""
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
    """What followed from a mail."""

    recorded_as: str  #: its kind of message on the ticket; "" where it is no message
    events: tuple[Event, ...]
    sent: tuple[SentMail, ...]


def received_by_message_id(store: Store, message_id: str) -> list[ReceivedMail]:
    """Return every received mail with this Message-ID, oldest first."""
    return _received(store, INBOUND.c.message_id == message_id)


def received_copies(store: Store, message_id: str, digest: str) -> list[ReceivedMail]:
    """Return every copy that was received of the mail with this identity, oldest first."""
    return _received(store, and_(INBOUND.c.message_id == message_id, INBOUND.c.digest == digest))


def received_on_ticket(store: Store, number: int) -> list[ReceivedMail]:
    """Return the mails of a ticket, oldest first, at most `MAX_MAILS`."""
    ticket_id = select(TICKET.c.id).where(TICKET.c.desk_id == store.desk_id, TICKET.c.number == number)
    return _received(store, INBOUND.c.ticket_id == ticket_id.scalar_subquery())


def original(store: Store, mail: ReceivedMail) -> bytes | None:
    """Return the raw mail; None where it was dropped ([storage] keep_raw) or erased."""
    with store.reading() as connection:
        return raw_mail.get(connection, mail.raw_sha256)


def consequences(store: Store, mail: ReceivedMail) -> Consequences:
    """Return what a mail changed, and what was sent because of it."""
    with store.reading() as connection:
        kind = connection.scalar(
            select(MESSAGE.c.kind).where(
                MESSAGE.c.ticket_id == mail.ticket_id, MESSAGE.c.inbound_id == mail.id, MESSAGE.c.direction == "in"
            )
        )
        events = connection.execute(
            select(*EVENT_COLUMNS)
            .where(EVENT.c.ticket_id == mail.ticket_id, EVENT.c.at == mail.processed_at)
            .order_by(EVENT.c.id)
        )
        return Consequences(
            kind or "",
            tuple(Event.from_row(row) for row in events),
            tuple(_sent_because_of(connection, store.desk_id, mail)),
        )


def sent_by_message_id(store: Store, message_id: str) -> list[SentMail]:
    """Return our mails with this Message-ID."""
    with store.reading() as connection:
        return _sent(connection, store.desk_id, OUTBOX.c.message_id == message_id)


def sent_on_ticket(store: Store, number: int) -> list[SentMail]:
    """Return our mails about a ticket, oldest first."""
    with store.reading() as connection:
        return _sent(connection, store.desk_id, TICKET.c.number == number)


def message_id_of(store: Store, inbound_id: int) -> str:
    """Return the Message-ID of a received mail; "" where it has none."""
    with store.reading() as connection:
        return str(connection.scalar(select(INBOUND.c.message_id).where(INBOUND.c.id == inbound_id)) or "")


def _received(store: Store, condition: ColumnElement[bool]) -> list[ReceivedMail]:
    query = (
        select(*ReceivedMail.columns(INBOUND), MAILBOX.c.name.label("mailbox"), TICKET.c.number.label("ticket"))
        .join(MAILBOX, MAILBOX.c.id == INBOUND.c.mailbox_id)
        .join(TICKET, TICKET.c.id == INBOUND.c.ticket_id, isouter=True)
        .where(INBOUND.c.desk_id == store.desk_id, condition)
        .order_by(INBOUND.c.id)
        .limit(MAX_MAILS)
    )
    with store.reading() as connection:
        return [ReceivedMail.from_row(row) for row in connection.execute(query)]


def _sent_because_of(connection: Connection, desk_id: int, mail: ReceivedMail) -> Sequence[SentMail]:
    """Find mail by the ticket, or (an answer without a ticket) by its recipient: both have an index."""
    of_its_moment = and_(OUTBOX.c.inbound_id.is_(None), OUTBOX.c.created_at == mail.processed_at)
    if mail.ticket_id is not None:
        found_by = OUTBOX.c.ticket_id == mail.ticket_id
    else:
        found_by = and_(OUTBOX.c.desk_id == desk_id, OUTBOX.c.recipient == mail.sender)
    return _sent(connection, desk_id, and_(found_by, or_(OUTBOX.c.inbound_id == mail.id, of_its_moment)))


def _sent(connection: Connection, desk_id: int, condition: ColumnElement[bool]) -> list[SentMail]:
    query = (
        select(*SentMail.columns(OUTBOX), TICKET.c.number.label("ticket"))
        .join(TICKET, TICKET.c.id == OUTBOX.c.ticket_id, isouter=True)
        .where(OUTBOX.c.desk_id == desk_id, condition)
        .order_by(OUTBOX.c.id)
    )
    return [SentMail.from_row(row) for row in connection.execute(query)]
