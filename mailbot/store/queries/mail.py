"""Mail that waits for somebody: the quarantine (in), and what is not delivered (out).

In: a `Store`. Out: frozen values with their JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import Select, select

from mailbot.runtime.clock import rfc3339, rfc3339_or_null
from mailbot.store import raw_mail
from mailbot.store.engine import Store
from mailbot.store.tables import (
    INBOUND,
    MAILBOX,
    OUTBOX,
    TICKET,
)

HELD = ("quarantined", "held")
UNDELIVERED = ("pending", "sending", "failed")


@dataclass(frozen=True, slots=True)
class HeldMail:
    """A mail that went no further. `state`: quarantined, or held (an agent is asked to confirm it).

    `rule` and `reason` say why; `traceback` is there where it was a fault of ours. `partial`: only its header is here,
    the whole lies in the quarantine folder of the IMAP account. `raw` is the mail as it came, which only
    `show_quarantine` fetches (None where it was dropped).
    """

    id: int
    state: str
    received_at: datetime
    mailbox: str
    source: str
    sender: str
    subject: str
    size: int
    partial: bool
    kind: str
    rule: str
    reason: str
    message_id: str
    raw_sha256: str
    ticket: int | None = None
    traceback: str = ""
    explanation: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes | None = field(default=None, repr=False)

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """One element of `mailbot quarantine list --json`; `show` has traceback and explanation filled in."""
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
class QueuedMail:
    """A mail that is not delivered: pending, being sent just now, or given up (failed)."""

    id: int
    state: str
    kind: str
    recipient: str
    subject: str
    ticket: int | None
    message_id: str
    attempts: int
    last_error: str
    created_at: datetime
    next_attempt_at: datetime | None
    expires_at: datetime

    def as_json(self, zone: tzinfo = UTC) -> dict[str, Any]:
        """One element of `mailbot outbox list --json`."""
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
            "next_attempt_at": rfc3339_or_null(self.next_attempt_at, zone),
            "expires_at": rfc3339(self.expires_at, zone),
        }


def list_quarantine(store: Store, limit: int = 1000) -> list[HeldMail]:
    """What is held, newest first, without tracebacks and explanations."""
    query = _held(store).where(INBOUND.c.state.in_(HELD)).order_by(INBOUND.c.id.desc()).limit(limit)
    with store.reading() as connection:
        return [_held_mail(row) for row in connection.execute(query)]


def show_quarantine(store: Store, id_: int) -> HeldMail | None:
    """One held mail with all that is known of it; None if that mail isn't held, or isn't there."""
    query = _held(store).add_columns(INBOUND.c.traceback, INBOUND.c.explanation)
    with store.reading() as connection:
        row = connection.execute(query.where(INBOUND.c.id == id_, INBOUND.c.state.in_(HELD))).one_or_none()
        if row is None:
            return None
        raw = raw_mail.get(connection, row.raw_sha256)
        return replace(_held_mail(row), traceback=row.traceback, explanation=row.explanation, raw=raw)


def list_outbox(store: Store, limit: int = 1000) -> list[QueuedMail]:
    """What is not delivered, oldest first."""
    query = (
        select(
            OUTBOX.c.id,
            OUTBOX.c.state,
            OUTBOX.c.kind,
            OUTBOX.c.recipient,
            OUTBOX.c.subject,
            OUTBOX.c.message_id,
            OUTBOX.c.attempts,
            OUTBOX.c.last_error,
            OUTBOX.c.created_at,
            OUTBOX.c.next_attempt_at,
            OUTBOX.c.expires_at,
            TICKET.c.number,
        )
        .join(TICKET, TICKET.c.id == OUTBOX.c.ticket_id, isouter=True)
        .where(OUTBOX.c.desk_id == store.desk_id, OUTBOX.c.state.in_(UNDELIVERED))
        .order_by(OUTBOX.c.id)
        .limit(limit)
    )
    with store.reading() as connection:
        return [_queued_mail(row) for row in connection.execute(query)]


def _held(store: Store) -> Select[Any]:
    return (
        select(
            INBOUND.c.id,
            INBOUND.c.state,
            INBOUND.c.received_at,
            INBOUND.c.source,
            INBOUND.c.sender,
            INBOUND.c.subject,
            INBOUND.c.size,
            INBOUND.c.partial,
            INBOUND.c.kind,
            INBOUND.c.rule,
            INBOUND.c.reason,
            INBOUND.c.message_id,
            INBOUND.c.raw_sha256,
            MAILBOX.c.name.label("mailbox"),
            TICKET.c.number,
        )
        .join(MAILBOX, MAILBOX.c.id == INBOUND.c.mailbox_id)
        .join(TICKET, TICKET.c.id == INBOUND.c.ticket_id, isouter=True)
        .where(INBOUND.c.desk_id == store.desk_id)
    )


def _held_mail(row: Any) -> HeldMail:
    return HeldMail(
        id=row.id,
        state=row.state,
        received_at=row.received_at,
        mailbox=row.mailbox,
        source=row.source,
        sender=row.sender,
        subject=row.subject,
        size=row.size,
        partial=row.partial,
        kind=row.kind,
        rule=row.rule,
        reason=row.reason,
        message_id=row.message_id,
        raw_sha256=row.raw_sha256,
        ticket=row.number,
    )


def _queued_mail(row: Any) -> QueuedMail:
    return QueuedMail(
        id=row.id,
        state=row.state,
        kind=row.kind,
        recipient=row.recipient,
        subject=row.subject,
        ticket=row.number,
        message_id=row.message_id,
        attempts=row.attempts,
        last_error=row.last_error,
        created_at=row.created_at,
        next_attempt_at=None if row.state == "failed" else row.next_attempt_at,
        expires_at=row.expires_at,
    )
