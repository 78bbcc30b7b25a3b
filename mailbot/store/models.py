"""The tables of the database: models without logic.

`store.unit_of_work` writes them, `store.queries` reads them, Alembic creates them. Every table carries the desk and,
where mail is concerned, the mailbox, so that several can share one database. Times are aware UTC (SQLModel's
UTCDateTime). Texts hold no NUL, which PostgreSQL refuses.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

# SQLite assigns row ids only to INTEGER PRIMARY KEY; PostgreSQL gets 64 bits.
Id = BigInteger().with_variant(Integer(), "sqlite")


def _only_where(flag: str, is_set: str) -> dict[str, Any]:
    """Return the options of a partial index on a flag.

    SQLite uses such an index only where a query has the same term as the index, so it is spelled as SQLAlchemy does.
    """
    return {"sqlite_where": text(is_set), "postgresql_where": text(flag)}


class Desk(SQLModel, table=True):
    """One helpdesk."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    next_number: int  #: number of the next ticket; the row's lock serialises its use
    round_robin: str = ""  #: addresses of the agents who got new tickets, separated by blanks, the latest one last


class Mailbox(SQLModel, table=True):
    """One IMAP folder that mail is read from, or another source of mail ("ingest", "web", "lmtp")."""

    id: int | None = Field(default=None, primary_key=True)
    desk_id: int = Field(foreign_key="desk.id")
    name: str
    #: On a desk shared by several workers: when the latest complete read of the folder began, for the timers.
    read_at: datetime | None = None

    __table_args__ = (UniqueConstraint("desk_id", "name", name="uq_mailbox_name"),)


class RawMail(SQLModel, table=True):
    """A mail as received, byte for byte, stored once per SHA-256.

    It is in the database so that it is committed together with the row that refers to it, and one backup has it all.
    """

    __tablename__ = "raw_mail"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    sha256: str
    size: int  #: of the mail, uncompressed
    stored_at: datetime
    #: A zstd frame (RFC 8878).
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))

    __table_args__ = (UniqueConstraint("sha256", name="uq_raw_mail_sha256"),)


class Inbound(SQLModel, table=True):
    """One received mail. UNIQUE (mailbox, uidvalidity, uid) makes receiving idempotent."""

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    mailbox_id: int
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)
    source: str
    raw_sha256: str
    #: Row of the raw mail. References are looked up by it: new ids share a page of an index, digests don't.
    raw_id: int | None = Field(default=None, sa_type=BigInteger)
    digest: str  #: of what the author determines, not of trace headers; with `message_id` it identifies a duplicate
    message_id: str
    received_at: datetime
    size: int
    partial: bool = False  #: only the header was fetched
    #: received → processed | quarantined | held (awaits an agent's confirmation) | duplicate | discarded
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
    place: str = ""  #: folder that the mail belongs in: "processed", "quarantine", "" while undecided
    filed: bool = False  #: it was moved there
    processed_at: datetime | None = None

    __table_args__ = (
        UniqueConstraint("mailbox_id", "uidvalidity", "uid", name="uq_inbound_uid"),
        Index("ix_inbound_identity", "desk_id", "message_id", "digest"),
        Index("ix_inbound_state", "desk_id", "state", "id"),
        Index("ix_inbound_ticket", "ticket_id"),
        Index("ix_inbound_raw", "raw_id"),
    )


class TicketRow(SQLModel, table=True):
    """One ticket."""

    __tablename__ = "ticket"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    mailbox_id: int
    number: int
    subject: str = Field(sa_type=Text)
    requester_email: str  #: lower case
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
    told: list[str] = Field(default_factory=list, sa_type=JSON)  #: agents who were notified when it was new
    root_message_id: str = ""  #: of the mail that opened it

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
    """A participant of a ticket other than its requester."""

    __tablename__ = "participant"
    ticket_id: int = Field(foreign_key="ticket.id", primary_key=True, sa_type=BigInteger)
    email: str = Field(primary_key=True)
    desk_id: int
    name: str = ""
    visible: bool = True

    __table_args__ = (Index("ix_participant_email", "desk_id", "email"),)


class MessageRow(SQLModel, table=True):
    """One message on a ticket; the whole mail is the raw mail (in) or the outbox row (out).

    The flags `id_here` and `by_other` keep rows out of indexes in which each new mail would touch a page of its own.
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
    text: str = Field(default="", sa_type=Text)  #: the new text, without quotations
    attachments: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    raw_sha256: str = ""
    inbound_id: int | None = Field(default=None, sa_type=BigInteger)
    mark: str = ""
    #: The inbound row has another Message-ID (its header held more, or it was erased): look this one up here.
    id_here: bool = False
    #: Written by someone other than the present requester, whose messages are found by way of the ticket.
    by_other: bool = False

    __table_args__ = (
        Index("ix_message_ticket", "ticket_id", "id"),
        Index("ix_message_message_id", "desk_id", "message_id", **_only_where("id_here", "id_here = 1")),
        Index("ix_message_inbound", "inbound_id"),
        Index("ix_message_author", "desk_id", "author", **_only_where("by_other", "by_other = 1")),
    )


class EventRow(SQLModel, table=True):
    """One line of a ticket's history. Append-only; erasing a person replaces their address in it."""

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
    """One deadline of a waiting ticket, unique per ticket, kind and step."""

    __tablename__ = "timer"
    ticket_id: int = Field(foreign_key="ticket.id", primary_key=True, sa_type=BigInteger)
    kind: str = Field(primary_key=True)
    step: int = Field(primary_key=True)
    desk_id: int
    due_at: datetime

    __table_args__ = (Index("ix_timer_due", "desk_id", "due_at"),)


class OutboxRow(SQLModel, table=True):
    """One outgoing mail to one recipient."""

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
    message_id: str  #: fixed when the mail is queued: a retry repeats it
    subject: str = Field(default="", sa_type=Text)
    text: str = Field(default="", sa_type=Text)
    #: The composed mail without attachments; empty once it was sent.
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    #: What is attached when the mail is sent: [{"raw": SHA-256 of the mail that it came in, "index": n}].
    attachments: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    automatic: bool = False
    cycle: int = 0  #: with `step`: the wait that begins once this mail was sent
    step: int = 0
    #: pending → sending → sent | failed | cancelled; suppressed: recorded, but never sent (an auto-reply limit)
    state: str = "pending"
    turn: int = 0  #: priority among due mail, the smallest first, then by age
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
    """One automatic mail to a person, counted by the auto-reply limits; deleted when no time window includes it."""

    __tablename__ = "automatic_mail"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    at: datetime
    number: int = Field(sa_type=BigInteger)  #: increases by one with each automatic mail of the desk
    mailbox: int = Field(sa_type=BigInteger)  #: keyed hash of the address
    ticket: int | None = Field(default=None, sa_type=BigInteger)  #: number of the first ticket of a chain of follow-ups
    domain: int | None = Field(default=None, sa_type=BigInteger)  #: keyed hash, None for a shared domain
    #: Two keys of the wording of the answered mail (ticket.auto_reply_limits).
    alike_a: int | None = Field(default=None, sa_type=BigInteger)
    alike_b: int | None = Field(default=None, sa_type=BigInteger)
    domain_turn: bool = False  #: the answered mail was written right after our last mail to that domain …
    alike_turn: bool = False  #: … or to a mail of that wording
    sort: str = ""  #: "newcomer", "echo", "confirm" or ""
    #: For a newcomer's turn: microseconds since our mail to the previous newcomer.
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
    """A mail that an auto-reply limit withheld: an automatic one, or a notification left for the digest.

    The leads were notified of the first one of each limit in its time window.
    """

    __tablename__ = "withheld"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    at: datetime
    cap: str
    ticket_id: int | None = Field(default=None, sa_type=BigInteger)
    listed: bool = False  #: a digest has named it

    __table_args__ = (
        Index("ix_withheld_cap", "desk_id", "cap", "at"),
        Index("ix_withheld_ticket", "ticket_id", "cap"),
        Index("ix_withheld_listed", "desk_id", "listed", "cap", "at"),
    )


class AgentRow(SQLModel, table=True):
    """An agent, present or former."""

    __tablename__ = "agent"
    id: int | None = Field(default=None, primary_key=True)
    desk_id: int
    email: str
    name: str
    aliases: list[str] = Field(default_factory=list, sa_type=JSON)
    role: str = "agent"
    programs: list[str] = Field(default_factory=list, sa_type=JSON)
    in_file: bool = False  #: from the configuration, not added by `mailbot agent add`
    active: bool = True
    term: int = 0  #: how often they left: reply tokens of earlier terms are revoked
    added_at: datetime

    __table_args__ = (UniqueConstraint("desk_id", "email", name="uq_agent_email"),)


class AuditRow(SQLModel, table=True):
    """An admin's action whose record outlives its object (an erased requester, a discarded mail)."""

    __tablename__ = "audit"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    desk_id: int
    at: datetime
    actor: str
    action: str
    detail: str = Field(default="", sa_type=Text)


class QuarantineList(SQLModel, table=True):
    """One quarantine report that was sent to the leads."""

    __tablename__ = "quarantine_list"
    id: int | None = Field(default=None, primary_key=True)
    desk_id: int
    opening: datetime  #: the opening of the desk that it was sent after: one report for each
    mails: list[int] = Field(default_factory=list, sa_type=JSON)  #: ids of `inbound` in the report's order

    __table_args__ = (UniqueConstraint("desk_id", "opening", name="uq_quarantine_list_opening"),)


class MisfiledRow(SQLModel, table=True):
    """A mail released from quarantine that still has to be moved out of the IMAP quarantine folder."""

    __tablename__ = "astray"
    inbound_id: int = Field(sa_column=Column(Id, primary_key=True, autoincrement=False))
    mailbox_id: int


class LeaseRow(SQLModel, table=True):
    """A lease on something that one worker at a time may do, such as reading a mailbox."""

    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    desk_id: int
    owner: str
    until: datetime  #: by the database's clock


class ClaimRow(SQLModel, table=True):
    """An unprocessed mail of a desk shared by several workers; deleted when it was processed."""

    __tablename__ = "claim"
    inbound_id: int = Field(sa_column=Column(Id, primary_key=True, autoincrement=False))
    desk_id: int
    worker: str = ""  #: who is processing it
    tried: bool = False  #: a worker has begun to process it before
    #: Mails that share a key are processed in order (mail.ordering_keys).
    order_keys: list[str] = Field(default_factory=list, sa_type=JSON)
