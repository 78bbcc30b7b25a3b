"""Mail that a server has accepted, noted on the disk at once, until the database knows of it.

The database of a SQLite desk has one writer, and under a backlog that is busy taking mail in. A line here (an append
and a flush, no lock) makes a mail's fate durable before the next one goes out on its connection, and the database
learns of several in one commit. Whoever opens the desk next reads what is left: it was sent, and is not sent again.

A line: the outbox row's id, a digest of the mail's Message-ID (ids of rows come again, Message-IDs don't), a checksum.
A line that was cut by a fall, or whose row is gone, says nothing. Nothing in the file names a person.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from zlib import crc32


class SentJournal:
    """One desk's journal, a file of its own (0600). One thread uses it. OSError passes through where it says so."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._flush = os.fdatasync if durable else lambda _: None
        self._file: int | None = None

    def note(self, mails: Iterable[tuple[int, str]]) -> None:
        """These were accepted: outbox row and Message-ID. Durable when it returns; OSError where the disk refuses."""
        lines = b"".join(_line(row_id, message_id) for row_id, message_id in mails)
        if not lines:
            return
        file = self._opened()
        if os.write(file, lines) < len(lines):
            raise OSError(f"{self._path}: the disk took half a line")
        self._flush(file)

    def left(self) -> Mapping[int, str]:
        """What the database may not know yet: the digest of the Message-ID by outbox row."""
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
        """The database knows all of it."""
        with contextlib.suppress(OSError):  # lines that stay are read again, and found in the database
            os.ftruncate(self._opened(), 0)

    def _opened(self) -> int:
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return self._file

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def digest_of(message_id: str) -> str:
    """What a line has of a Message-ID: sixteen hexadecimal digits."""
    return blake2b(message_id.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _line(row_id: int, message_id: str) -> bytes:
    words = f"{row_id} {digest_of(message_id)}".encode("ascii")
    return (
        b"\n" + words + b" " + _check(words)
    )  # the end of a line that a full disk cut is not the beginning of this one


def _check(words: bytes) -> bytes:
    return f"{crc32(words):08x}".encode("ascii")
