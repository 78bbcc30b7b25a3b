"""Journal of mail that an SMTP server has accepted, until the database has recorded it.

A SQLite desk has one writer, which is busy storing incoming mail under a backlog. A line in this file (an append and
an fdatasync, no lock: 0.3 ms where a commit takes 2.9) makes it durable that a mail was sent before the next one goes
out on its connection; the database records several in one commit. Lines that a crash leaves are read at the next start:
that mail was sent, and is not sent again.

A line holds the outbox row's id, a digest of the Message-ID (SQLite reuses row ids, Message-IDs are unique) and a
checksum. A line that a crash cut, or whose row is gone, is ignored. Nothing in the file identifies a person.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from zlib import crc32


class SentJournal:
    """One desk's journal, a file of its own (0600), used by one thread."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._flush = os.fdatasync if durable else lambda _: None
        self._file: int | None = None

    def note(self, mails: Iterable[tuple[int, str]]) -> None:
        """Record accepted mail by outbox row and Message-ID, durably; raises OSError where the disk fails."""
        lines = b"".join(_line(row_id, message_id) for row_id, message_id in mails)
        if not lines:
            return
        file = self._opened()
        if os.write(file, lines) < len(lines):
            raise OSError(f"{self._path}: only part of a line was written")
        self._flush(file)

    def entries(self) -> Mapping[int, str]:
        """Return what the database may not have recorded yet: digests of Message-IDs by outbox row."""
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        found: dict[int, str] = {}
        for line in lines:
            words, _, check = line.rpartition(b" ")
            row_id, _, digest = words.partition(b" ")
            if digest and check == _check(words):
                found[int(row_id)] = digest.decode("ascii")
        return found

    def clear(self) -> None:
        """Empty the journal: the database has recorded all of it."""
        with contextlib.suppress(OSError):  # remaining lines are read again and found in the database
            os.ftruncate(self._opened(), 0)

    def _opened(self) -> int:
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return self._file

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def digest_of(message_id: str) -> str:
    """Return the digest of a Message-ID in a line: sixteen hexadecimal digits."""
    return blake2b(message_id.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _line(row_id: int, message_id: str) -> bytes:
    words = f"{row_id} {digest_of(message_id)}".encode("ascii")
    # The line break comes first: a line that a full disk cut must not run into this one.
    return b"\n" + words + b" " + _check(words)


def _check(words: bytes) -> bytes:
    return f"{crc32(words):08x}".encode("ascii")
