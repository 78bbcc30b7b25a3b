"""Values at the door: a mail that waits in a folder, and where it belongs once it was taken in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True)
class FetchedMail:
    """A mail that waits in the folder.

    `raw`: its bytes as the server has them (only the header where `partial`: the mail is larger than allowed);
    `size`: RFC822.SIZE, bytes; `internal_date`: when the server received it, aware UTC, None where it did not say.
    """

    uidvalidity: int
    uid: int
    raw: bytes = field(repr=False)
    size: int
    internal_date: datetime | None
    partial: bool


@dataclass(frozen=True, slots=True)
class Misfiled:
    """A mail that was let out of quarantine after it had been moved there: it lies in the wrong folder.

    `uid`, `uidvalidity`: where it lay in the inbox; `size`: RFC822.SIZE; `message_id`, `digest`: `core.identity` of
    what was stored, which is only the header where `partial`.
    """

    inbound_id: int
    uidvalidity: int
    uid: int
    size: int
    message_id: str
    digest: str
    partial: bool


class Folder(StrEnum):
    """Where a mail that was taken in belongs."""

    PROCESSED = "processed"
    QUARANTINE = "quarantine"
