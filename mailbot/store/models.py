"""The tables. No logic: `store.work` writes them, `store.queries` reads them, Alembic makes them.

Every table carries the desk and, where mail is concerned, the mailbox, so that several can share one installation.
Times are aware UTC (SQLModel's UTCDateTime). Texts hold no NUL (PostgreSQL refuses it). Raw mail lies in `raw_mail`,
whole, compressed with zstd, once for each SHA-256: in the database, so that it is stored in the same commit as the row
that names it, and one backup has everything.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

# SQLite gives a row id only to INTEGER PRIMARY KEY; PostgreSQL shall have 64 bits.
Id = BigInteger().with_variant(Integer(), "sqlite")


def _only_where(flag: str, is_set: str) -> dict[str, Any]:
    """A partial index, in the words in which SQLAlchemy asks for a flag: SQLite compares the terms as written."""
    return {"sqlite_where": text(is_set), "postgresql_where": text(flag)}


class Desk(SQLModel, table=True):
    """One helpdesk. `next_number` is the number that the next ticket gets; the row's lock orders them.

    `round_robin` has the addresses of the agents whom new tickets went to, with blanks between, the last one last.
    """

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    next_number: int
    round_robin: str = ""


class Mailbox(SQLModel, table=True):
    """One IMAP folder that mail is read from, or another way in ("ingest", "web", "lmtp").

    `read_at`: when the last reading for the timers' sake began, on a desk that several workers share.
    """

    id: int | None = Field(default=None, primary_key=True)
    desk_id: int = Field(foreign_key="desk.id")
    name: str
    read_at: datetime | None = None

    __table_args__ = (UniqueConstraint("desk_id", "name", name="uq_mailbox_name"),)


class RawMail(SQLModel, table=True):
    """A mail as it came, byte for byte. `size` is that of the mail, `body` its zstd frame."""

    __tablename__ = "raw_mail"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    sha256: str
    size: int
    stored_at: datetime
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))

    __table_args__ = (UniqueConstraint("sha256", name="uq_raw_mail_sha256"),)


class Inbound(SQLModel, table=True):
    """One mail that was taken in. UNIQUE (mailbox, uidvalidity, uid) makes taking in idempotent.

    `digest` is over what a mail's author determines (not over trace headers): with `message_id` it finds the same mail
    that came by another way. `state`: received → processed | quarantined | held | duplicate | discarded.
    `held` waits for an agent's confirmation. `place` is the folder that the mail belongs in ("processed",
    "quarantine", "" while undecided); `filed` that it was moved there. `partial`: only the header was fetched.
    `raw_id` is the row of the raw mail that `raw_sha256` names: who else has it is asked by number, since new numbers
    stand side by side in an index, while each digest falls on a page of its own.
    """

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    mailbox_id: int
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)
    source: str
    raw_sha256: str
    raw_id: int | None = Field(default=None, sa_type=BigInteger)
    digest: str
    message_id: str
    received_at: datetime
    size: int
    partial: bool = False
    state: str = "received"
    kind: str = ""
    rule: str = ""
    reason: str = Field(default="", sa_type=Text)
    sender: str = ""
    subject: str = Field(default="", sa_type=Text)
    ticket_id: int | None = Field(default=None, sa_type=BigInteger)
    duplicate_of: int | None = Field(default=None, sa_type=BigInteger)
    traceback: str = Field(default="", sa_type=Text)
    explanation: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    attempts: int = 0
    place: str = ""
    filed: bool = False
    processed_at: datetime | None = None

    __table_args__ = (
        UniqueConstraint("mailbox_id", "uidvalidity", "uid", name="uq_inbound_uid"),
        Index("ix_inbound_identity", "desk_id", "message_id", "digest"),
        Index("ix_inbound_state", "desk_id", "state", "id"),
        Index("ix_inbound_ticket", "ticket_id"),
        Index("ix_inbound_raw", "raw_id"),
    )


class TicketRow(SQLModel, table=True):
    """A ticket. `requester_email` is lower case."""

    __tablename__ = "ticket"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    mailbox_id: int
    number: int
    subject: str = Field(sa_type=Text)
    requester_email: str
    requester_name: str = ""
    status: str
    language: str
    agent: str = ""
    priority: str = "normal"
    program: str = ""
    tags: list[str] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    close_reason: str | None = None
    follow_up_of: int | None = None
    merged_into: int | None = None
    wait_cycle: int = 0
    waiting_since: datetime | None = None
    reminders_sent: int = 0
    last_reminder_at: datetime | None = None
    told: list[str] = Field(default_factory=list, sa_type=JSON)
    root_message_id: str = ""

    __table_args__ = (
        UniqueConstraint("desk_id", "number", name="uq_ticket_number"),
        Index("ix_ticket_requester", "desk_id", "requester_email", "number"),
        Index("ix_ticket_status", "desk_id", "status", "number"),
        Index("ix_ticket_agent", "desk_id", "agent", "number"),
        Index("ix_ticket_follow_up", "desk_id", "follow_up_of"),
        Index("ix_ticket_merged", "desk_id", "merged_into"),
        Index("ix_ticket_created", "desk_id", "created_at"),
    )


class ParticipantRow(SQLModel, table=True):
    """Somebody beside the requester who takes part in a ticket."""

    __tablename__ = "participant"
    ticket_id: int = Field(foreign_key="ticket.id", primary_key=True, sa_type=BigInteger)
    email: str = Field(primary_key=True)
    desk_id: int
    name: str = ""
    visible: bool = True

    __table_args__ = (Index("ix_participant_email", "desk_id", "email"),)


class MessageRow(SQLModel, table=True):
    """One message on a ticket: `text` has the new words; the whole is the raw mail (in) or the outbox row (out).

    Two flags keep rows out of indexes in which each new mail would fall on a page of its own. `id_here`: its row of
    `inbound` has another Message-ID (its header held more than that, or it was erased there), so it is looked up here;
    all others are by way of `inbound`. `by_other`: it came from somebody else than the ticket's requester of today;
    what the requester wrote is found by way of the ticket.
    """

    __tablename__ = "message"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=BigInteger)
    at: datetime
    direction: str
    kind: str
    author: str
    author_name: str = ""
    author_role: str
    public: bool = True
    message_id: str = ""
    subject: str = Field(default="", sa_type=Text)
    text: str = Field(default="", sa_type=Text)
    attachments: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    raw_sha256: str = ""
    inbound_id: int | None = Field(default=None, sa_type=BigInteger)
    mark: str = ""
    id_here: bool = False
    by_other: bool = False

    __table_args__ = (
        Index("ix_message_ticket", "ticket_id", "id"),
        Index("ix_message_message_id", "desk_id", "message_id", **_only_where("id_here", "id_here = 1")),
        Index("ix_message_inbound", "inbound_id"),
        Index("ix_message_author", "desk_id", "author", **_only_where("by_other", "by_other = 1")),
    )


class EventRow(SQLModel, table=True):
    """One line of a ticket's history. Never changed."""

    __tablename__ = "event"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=BigInteger)
    at: datetime
    actor: str
    kind: str
    from_: str = Field(default="", sa_column=Column("from", Text, nullable=False))
    to: str = Field(default="", sa_column=Column("to", Text, nullable=False))

    __table_args__ = (Index("ix_event_ticket", "ticket_id", "id"),)


class TimerRow(SQLModel, table=True):
    """A deadline of a waiting ticket; unique for each ticket, kind and step."""

    __tablename__ = "timer"
    ticket_id: int = Field(foreign_key="ticket.id", primary_key=True, sa_type=BigInteger)
    kind: str = Field(primary_key=True)
    step: int = Field(primary_key=True)
    desk_id: int
    due_at: datetime

    __table_args__ = (Index("ix_timer_due", "desk_id", "due_at"),)


class OutboxRow(SQLModel, table=True):
    """One mail to one person. `raw` is the composed mail without attachments; `attachments` names those that are put

    in when it is sent: [{"raw": sha256 of the mail they came in, "index": n}]. `state`: pending → sending → sent |
    failed | cancelled. The Message-ID is fixed here: a retry repeats it. `cycle` and `step` belong to timers.
    What is due goes out by `turn`, the least first, and by age.
    """

    __tablename__ = "outbox"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    mailbox_id: int
    ticket_id: int | None = Field(default=None, sa_type=BigInteger)
    message_row_id: int | None = Field(default=None, sa_type=BigInteger)
    inbound_id: int | None = Field(default=None, sa_type=BigInteger)
    kind: str
    recipient: str
    role: str
    message_id: str
    subject: str = Field(default="", sa_type=Text)
    text: str = Field(default="", sa_type=Text)
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    attachments: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    automatic: bool = False
    cycle: int = 0
    step: int = 0
    state: str = "pending"
    turn: int = 0
    attempts: int = 0
    created_at: datetime
    next_attempt_at: datetime
    expires_at: datetime
    sent_at: datetime | None = None
    last_error: str = Field(default="", sa_type=Text)
    lease_owner: str = ""
    lease_until: datetime | None = None

    __table_args__ = (
        Index("ix_outbox_due", "desk_id", "state", "next_attempt_at"),
        Index("ix_outbox_turn", "desk_id", "state", "turn", "id", "next_attempt_at"),
        Index("ix_outbox_message_id", "desk_id", "message_id"),
        Index("ix_outbox_ticket", "ticket_id", "id"),
        Index("ix_outbox_recipient", "desk_id", "recipient", "created_at"),
    )


class AutomaticMailRow(SQLModel, table=True):
    """What the desk wrote to a person by itself, for `core.restraint` to count; gone when no window needs it any more.

    `mailbox`, `domain`: keyed hashes; `ticket` the number of the ticket, or of the one that it follows; `alike_a`,
    `alike_b`: `core.likeness` of the mail that was answered. `number` goes up by one with each mail of the desk.
    `domain_turn`, `alike_turn`: that mail was a turn; `sort` is "newcomer", "echo", "confirm" or ""; `pace`: for a
    newcomer's turn the microseconds since our mail to the newcomer before, else None.
    """

    __tablename__ = "automatic_mail"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    at: datetime
    number: int = Field(sa_type=BigInteger)
    mailbox: int = Field(sa_type=BigInteger)
    ticket: int | None = Field(default=None, sa_type=BigInteger)
    domain: int | None = Field(default=None, sa_type=BigInteger)
    alike_a: int | None = Field(default=None, sa_type=BigInteger)
    alike_b: int | None = Field(default=None, sa_type=BigInteger)
    domain_turn: bool = False
    alike_turn: bool = False
    sort: str = ""
    pace: int | None = Field(default=None, sa_type=BigInteger)

    __table_args__ = (
        Index("ix_automatic_at", "desk_id", "at", "number"),
        Index("ix_automatic_mailbox", "desk_id", "mailbox", "at"),
        Index("ix_automatic_ticket", "desk_id", "ticket", "at"),
        Index("ix_automatic_domain", "desk_id", "domain", "at", "domain_turn"),
        Index("ix_automatic_alike_a", "desk_id", "alike_a", "at", "alike_turn", "alike_b"),
        Index("ix_automatic_alike_b", "desk_id", "alike_b", "at", "alike_turn"),
        Index("ix_automatic_sort", "desk_id", "sort", "at", "pace"),
    )


class WithheldRow(SQLModel, table=True):
    """A mail that the desk did not write, past a cap: an automatic one, or a notification that was folded.

    The first of a cap in its window is the one that the leads were told of. `listed`: it stood in a summary.
    """

    __tablename__ = "withheld"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    at: datetime
    cap: str
    ticket_id: int | None = Field(default=None, sa_type=BigInteger)
    listed: bool = False

    __table_args__ = (
        Index("ix_withheld_cap", "desk_id", "cap", "at"),
        Index("ix_withheld_ticket", "ticket_id", "cap"),
        Index("ix_withheld_listed", "desk_id", "listed", "cap", "at"),
    )


class AgentRow(SQLModel, table=True):
    """An agent: added by `mailbot agent add`, or (`in_file`) last seen in the configuration.

    `active` False: left. `term` counts how often they left: what was signed for them before is worth nothing after.
    """

    __tablename__ = "agent"
    id: int | None = Field(default=None, primary_key=True)
    desk_id: int
    email: str
    name: str
    aliases: list[str] = Field(default_factory=list, sa_type=JSON)
    role: str = "agent"
    programs: list[str] = Field(default_factory=list, sa_type=JSON)
    in_file: bool = False
    active: bool = True
    term: int = 0
    added_at: datetime

    __table_args__ = (UniqueConstraint("desk_id", "email", name="uq_agent_email"),)


class AuditRow(SQLModel, table=True):
    """What an admin did that must outlive what it was done to (an erased requester, a discarded mail)."""

    __tablename__ = "audit"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    at: datetime
    actor: str
    action: str
    detail: str = Field(default="", sa_type=Text)


class QuarantineList(SQLModel, table=True):
    """One list of the quarantine that leads were sent. `mails` are ids of `inbound`: that of number 1 first.

    `opening` is the opening of the desk that it was sent after: one list for each.
    """

    __tablename__ = "quarantine_list"
    id: int | None = Field(default=None, primary_key=True)
    desk_id: int
    opening: datetime
    mails: list[int] = Field(default_factory=list, sa_type=JSON)

    __table_args__ = (UniqueConstraint("desk_id", "opening", name="uq_quarantine_list_opening"),)


class AstrayRow(SQLModel, table=True):
    """A mail that was let out of quarantine, until it was moved from the quarantine folder to where it belongs."""

    __tablename__ = "astray"
    inbound_id: int = Field(sa_column=Column(Id, primary_key=True, autoincrement=False))
    mailbox_id: int


class LeaseRow(SQLModel, table=True):
    """Who does a thing that only one may do at a time (reading a mailbox), until when by the database's clock."""

    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    desk_id: int
    owner: str
    until: datetime


class ClaimRow(SQLModel, table=True):
    """A mail that was stored and not handled yet, on a desk that several workers share; gone when it was handled.

    `worker` has it in hand, "" nobody; `tried`: somebody had it before; `order_keys`: what it may have in common with
    other mail (`core.order`), so that mail of one ticket is handled in its order.
    """

    __tablename__ = "claim"
    inbound_id: int = Field(sa_column=Column(Id, primary_key=True, autoincrement=False))
    desk_id: int
    worker: str = ""
    tried: bool = False
    order_keys: list[str] = Field(default_factory=list, sa_type=JSON)
