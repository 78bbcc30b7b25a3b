"""Values between a mailbox and the desk: a mail as fetched, and the folder it is moved to once it is handled."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True)
class FetchedMail:
    """A mail in the inbox."""

    uidvalidity: int
    uid: int
    raw: bytes = field(repr=False)  #: As the server has it; only the header if `partial`.
    size: int  #: RFC822.SIZE, bytes.
    internal_date: datetime | None  #: When the server received it, aware UTC; None if unknown.
    partial: bool  #: The mail is larger than allowed.


@dataclass(frozen=True, slots=True)
class Misfiled:
    """A mail that was released from quarantine after it had been moved to the quarantine folder."""

    inbound_id: int
    uidvalidity: int  #: In the inbox, as `uid`.
    uid: int
    size: int  #: RFC822.SIZE, bytes.
    message_id: str  #: As `digest`, of `duplicates.identity` of what was stored.
    digest: str
    partial: bool  #: Only the header was stored.


class Folder(StrEnum):
    """The folder to which a handled mail is moved."""

    PROCESSED = "processed"
    QUARANTINE = "quarantine"
