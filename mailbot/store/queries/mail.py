"""Mail that needs attention: the quarantine, and what is not delivered yet.

In: a `Store`. Out: frozen values with their JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import Select, select

from mailbot.runtime.clock import rfc3339
from mailbot.store import raw_mail
from mailbot.store.engine import Store
from mailbot.store.queries.values import RowValue
from mailbot.store.tables import (
    INBOUND,
    MAILBOX,
    OUTBOX,
    TICKET,
)

HELD = ("quarantined", "held")
UNDELIVERED = ("pending", "sending", "failed")


@dataclass(frozen=True, slots=True)
class HeldMail(RowValue):
    """A mail that was not processed: quarantined, or awaiting an agent's confirmation."""

    id: int
    state: str  #: "quarantined", or "held" (awaiting confirmation)
    received_at: datetime
    mailbox: str
    source: str
    sender: str
    subject: str
    size: int
    partial: bool  #: only the header is stored; the whole mail is in the quarantine folder of the IMAP account
    kind: str
    rule: str
    reason: str
    message_id: str
    raw_sha256: str
    ticket: int | None = None
    traceback: str = ""  #: of an unexpected error
    explanation: Mapping[str, Any] = field(default_factory=dict)
    #: The mail itself, which only `show_quarantine` reads; None where it was dropped.
    raw: bytes | None = field(default=None, repr=False)

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """Return one element of `mailbot quarantine list --json`; `show` adds traceback and explanation."""
        return {
            "id": self.id,
            "state": self.state,
            "received_at": rfc3339(self.received_at, zone),
            "mailbox": self.mailbox,
            "source": self.source,
            "sender": self.sender or None,
            "subject": self.subject,
            "size": self.size,
            "partial": self.partial,
            "kind": self.kind or None,
            "rule": self.rule or None,
            "reason": self.reason,
            "message_id": self.message_id or None,
            "sha256": self.raw_sha256,
            "ticket": self.ticket,
            "traceback": self.traceback or None,
            "explanation": dict(self.explanation),
        }


@dataclass(frozen=True, slots=True)
class QueuedMail(RowValue):
    """A mail that is not delivered."""

    id: int
    state: str  #: "pending", "sending" or "failed"
    kind: str
    recipient: str
    subject: str
    ticket: int | None
    message_id: str
    attempts: int
    last_error: str
    created_at: datetime
    next_attempt_at: datetime
    expires_at: datetime

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """Return one element of `mailbot outbox list --json`."""
        return {
            "id": self.id,
            "state": self.state,
            "kind": self.kind,
            "recipient": self.recipient,
            "subject": self.subject,
            "ticket": self.ticket,
            "message_id": self.message_id,
            "attempts": self.attempts,
            "last_error": self.last_error or None,
            "created_at": rfc3339(self.created_at, zone),
            "next_attempt_at": None if self.state == "failed" else rfc3339(self.next_attempt_at, zone),
            "expires_at": rfc3339(self.expires_at, zone),
        }


def list_quarantine(store: Store, limit: int = 1000) -> list[HeldMail]:
    """Return the mail in quarantine, newest first, without tracebacks and explanations."""
    query = _held(store).where(INBOUND.c.state.in_(HELD)).order_by(INBOUND.c.id.desc()).limit(limit)
    with store.reading() as connection:
        return [HeldMail.from_row(row) for row in connection.execute(query)]


def show_quarantine(store: Store, id_: int) -> HeldMail | None:
    """Return one mail in quarantine in full; None if there is none of that id."""
    query = _held(store).add_columns(INBOUND.c.traceback, INBOUND.c.explanation)
    with store.reading() as connection:
        row = connection.execute(query.where(INBOUND.c.id == id_, INBOUND.c.state.in_(HELD))).one_or_none()
        return None if row is None else replace(HeldMail.from_row(row), raw=raw_mail.get(connection, row.raw_sha256))


def list_outbox(store: Store, limit: int = 1000) -> list[QueuedMail]:
    """Return the mail that is not delivered, oldest first."""
    query = (
        select(*QueuedMail.columns(OUTBOX), TICKET.c.number.label("ticket"))
        .join(TICKET, TICKET.c.id == OUTBOX.c.ticket_id, isouter=True)
        .where(OUTBOX.c.desk_id == store.desk_id, OUTBOX.c.state.in_(UNDELIVERED))
        .order_by(OUTBOX.c.id)
        .limit(limit)
    )
    with store.reading() as connection:
        return [QueuedMail.from_row(row) for row in connection.execute(query)]


def _held(store: Store) -> Select[Any]:
    names = ("id", "state", "received_at", "source", "sender", "subject", "size", "partial", "kind", "rule", "reason")
    return (
        select(
            *(INBOUND.c[name] for name in (*names, "message_id", "raw_sha256")),
            MAILBOX.c.name.label("mailbox"),
            TICKET.c.number.label("ticket"),
        )
        .join(MAILBOX, MAILBOX.c.id == INBOUND.c.mailbox_id)
        .join(TICKET, TICKET.c.id == INBOUND.c.ticket_id, isouter=True)
        .where(INBOUND.c.desk_id == store.desk_id)
    )
