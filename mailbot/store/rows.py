"""Rows of the tables as frozen values: what a unit of work hands to the desk.

In: a row of a statement that selected `columns_of` one of these classes. Out: that class. Only columns that are used
are selected, so a field that is missing here is not read from the database either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Column, Table


class _FromRow:
    """A row type whose fields are columns of one table, in the order in which they were selected."""

    __slots__ = ()

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Self:
        """Return the row as a value; `row` comes from the driver, with values of whatever types its columns have."""
        make: Callable[..., Self] = cls
        return make(*row)


def columns_of(table: Table, row_type: type[_FromRow]) -> list[Column[Any]]:
    """Return the columns that a row type is made of, for `select`."""
    return [table.c[field.name] for field in fields(row_type)]  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class InboundRow(_FromRow):
    """A mail that was stored, and what became of it (`store.models.Inbound`)."""

    id: int
    mailbox_id: int
    source: str
    raw_sha256: str
    message_id: str
    received_at: datetime
    size: int
    partial: bool
    state: str
    rule: str
    reason: str
    sender: str
    subject: str
    ticket_id: int | None
    traceback: str
    explanation: dict[str, Any]
    attempts: int
    place: str


@dataclass(frozen=True, slots=True)
class QuarantinedRow(_FromRow):
    """A mail in quarantine, as far as the leads' list shows it."""

    id: int
    state: str
    rule: str
    kind: str
    reason: str
    sender: str
    subject: str
    size: int
    partial: bool
    received_at: datetime
    ticket_id: int | None


@dataclass(frozen=True, slots=True)
class FolderRow(_FromRow):
    """A mail that was stored, by its UID in a mail folder."""

    id: int
    uid: int
    place: str


@dataclass(frozen=True, slots=True)
class OutboxRow(_FromRow):
    """One mail to one person (`store.models.OutboxRow`)."""

    id: int
    mailbox_id: int
    ticket_id: int | None
    kind: str
    recipient: str
    message_id: str
    raw: bytes
    attachments: list[dict[str, Any]]
    cycle: int
    step: int
    state: str
    attempts: int
    expires_at: datetime
    lease_owner: str


@dataclass(frozen=True, slots=True)
class MessageRow(_FromRow):
    """One message on a ticket (`store.models.MessageRow`)."""

    at: datetime
    kind: str
    author: str
    author_name: str
    author_role: str
    public: bool
    text: str
    attachments: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TicketRow(_FromRow):
    """A ticket without its participants and timers (`store.models.TicketRow`)."""

    id: int
    mailbox_id: int
    number: int
    subject: str
    requester_email: str
    requester_name: str
    status: str
    language: str
    agent: str
    priority: str
    program: str
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    close_reason: str | None
    follow_up_of: int | None
    merged_into: int | None
    wait_cycle: int
    waiting_since: datetime | None
    reminders_sent: int
    last_reminder_at: datetime | None
    told: list[str]
    root_message_id: str


@dataclass(frozen=True, slots=True)
class AgentRow(_FromRow):
    """An agent whom the database knows (`store.models.AgentRow`)."""

    email: str
    name: str
    aliases: list[str]
    role: str
    programs: list[str]
    term: int
    in_file: bool
    active: bool
