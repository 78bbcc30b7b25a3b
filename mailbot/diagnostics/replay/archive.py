"""What lies in an archive: when each mail came and who wrote it, so that they can be replayed in their order.

In: mails, one at a time (an archive may be larger than the memory: only some 200 bytes are kept of each). Out: a
`Survey`: `ArchivedMail`s by time, and whose inbox this probably was.

A mail's time is that of the topmost Received field (RFC 5321 §4.4), which is when the mail server had it; else its
Date; else that of the mail before it. A time before e-mail was common, or in the future, is nobody's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sys import intern

from mailbot.mail.message import InboundMessage
from mailbot.mail.mime.parser import parse_header_only

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
# Counting whom mail went to shall not fill the memory.
MAX_COUNTED = 50_000
# An address in fewer of the mails than this is not taken for the desk's.
DESK_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class ArchivedMail:
    """One mail of the archive. `start`, `size`: where in `file` it lies. `author`: its From, "" where it names none.

    `guessed`: the mail says no time that can be believed.
    """

    at: datetime
    file: Path
    start: int
    size: int
    place: str
    author: str
    guessed: bool


@dataclass(frozen=True)
class Survey:
    """An archive. `letters`: oldest first. `desk_address`: who is in most of the mails ("" : nobody stands out)."""

    letters: tuple[ArchivedMail, ...]
    desk_address: str
    desk_share: float


class Surveyor:
    """Takes note of one mail after the other; `survey()` at the end."""

    def __init__(self, now: datetime) -> None:
        self._latest = now + timedelta(days=2)
        self._letters: list[ArchivedMail] = []
        self._people: Counter[str] = Counter()

    def note(self, raw: bytes, file: Path, start: int, size: int, place: str) -> None:
        """One mail."""
        message = parse_header_only(raw)
        at = self._moment(message)
        before = self._letters[-1].at if self._letters else EARLIEST
        author = intern(message.from_addr)
        self._letters.append(ArchivedMail(at or before, file, start, size, place, author, at is None))
        self._people.update({_plain(address) for address in (*message.recipients[:50], author) if address})
        if len(self._people) > MAX_COUNTED:
            self._people = Counter(dict(self._people.most_common(MAX_COUNTED // 10)))

    def survey(self) -> Survey:
        """Everything that was noted."""
        known = [letter for letter in self._letters if letter.at != EARLIEST]
        first = min((letter.at for letter in known), default=self._latest)
        dated = (letter if letter.at != EARLIEST else _at(letter, first) for letter in self._letters)
        address, share = "", 0.0
        if self._people:
            address, count = self._people.most_common(1)[0]
            share = count / len(self._letters)
        believed = share >= DESK_SHARE and len(self._letters) > 1
        # sorted() is stable: mails of one second stay in the archive's order
        letters = tuple(sorted(dated, key=lambda letter: letter.at))
        return Survey(letters, address if believed else "", share if believed else 0.0)

    def _moment(self, message: InboundMessage) -> datetime | None:
        candidates: Iterable[datetime | None] = (*(hop.at for hop in message.received[:1]), message.date)
        return next((at for at in candidates if at is not None and EARLIEST < at < self._latest), None)


def _at(letter: ArchivedMail, moment: datetime) -> ArchivedMail:
    return ArchivedMail(moment, letter.file, letter.start, letter.size, letter.place, letter.author, letter.guessed)


def _plain(address: str) -> str:
    """Without a sub-address (RFC 5233): `support+x@y` is `support@y`."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
