"""What is in an archive: when each mail came and who wrote it, so that the mails can be replayed in order.

In: mails, one at a time (an archive may be larger than the memory: only some 200 bytes are kept of each). Out: a
`Survey`: `ArchivedMail`s by time, and whose inbox this probably was.

A mail's time is that of the topmost Received field (RFC 5321 §4.4), when the mail server accepted it; else its Date;
else that of the mail before it. Times before 1990 or in the future are ignored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sys import intern

from mailbot.mail.message import InboundMessage
from mailbot.mail.mime.parser import parse_header_only

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
# Bounds the memory for counting recipients.
MAX_COUNTED = 50_000
# An address must be in at least this share of the mails to be taken for the desk's.
DESK_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class ArchivedMail:
    """One mail of the archive."""

    at: datetime
    file: Path
    offset: int  # where in the file it begins
    size: int
    location: str  # as people name it: "2024.mbox:17"
    author: str  # the address in From, "" if there is none
    guessed: bool  # whether the mail has no plausible time of its own


@dataclass(frozen=True)
class Survey:
    """What an archive has."""

    mails: tuple[ArchivedMail, ...]  # oldest first
    desk_address: str  # the address that is in most of the mails; "" if none stands out
    desk_share: float  # in which share of the mails it is


class Surveyor:
    """Collects one mail after the other; `survey()` at the end."""

    def __init__(self, now: datetime) -> None:
        self._latest = now + timedelta(days=2)
        self._mails: list[ArchivedMail] = []
        self._counts: Counter[str] = Counter()

    def add(self, raw: bytes, file: Path, offset: int, size: int, location: str) -> None:
        """Add one mail."""
        message = parse_header_only(raw)
        at = self._time_of(message)
        before = self._mails[-1].at if self._mails else EARLIEST
        author = intern(message.from_addr)
        self._mails.append(ArchivedMail(at or before, file, offset, size, location, author, at is None))
        self._counts.update({_without_detail(address) for address in (*message.recipients[:50], author) if address})
        if len(self._counts) > MAX_COUNTED:
            self._counts = Counter(dict(self._counts.most_common(MAX_COUNTED // 10)))

    def survey(self) -> Survey:
        """Return everything that was collected."""
        first = min((mail.at for mail in self._mails if mail.at != EARLIEST), default=self._latest)
        dated = (mail if mail.at != EARLIEST else replace(mail, at=first) for mail in self._mails)
        address, share = "", 0.0
        if self._counts:
            address, count = self._counts.most_common(1)[0]
            share = count / len(self._mails)
        is_desk = share >= DESK_SHARE and len(self._mails) > 1
        # sorted() is stable: mails of one second stay in the archive's order
        mails = tuple(sorted(dated, key=lambda mail: mail.at))
        return Survey(mails, address if is_desk else "", share if is_desk else 0.0)

    def _time_of(self, message: InboundMessage) -> datetime | None:
        candidates: Iterable[datetime | None] = (*(hop.at for hop in message.received[:1]), message.date)
        return next((at for at in candidates if at is not None and EARLIEST < at < self._latest), None)


def _without_detail(address: str) -> str:
    """Strip the sub-address (RFC 5233): `support+x@y` is `support@y`."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
