"""Names for the steps of the daemon, told from the system calls that it makes.

In: calls, each with its thread, what it writes to, and the beginning and end of what it sends. Out: a name in words,
as "IMAP: MOVE" or "commit: process, flushed"; "" for a call that decides nothing. What a commit is about is told by
what its thread has said to a server before: nothing in mailbot was changed to be watched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

_IMAP = re.compile(rb"[A-Z]*\d+ (?:UID )?([A-Z]+)")
_TEMPLATE = re.compile(r"template-cache/|\.cache$")
_DOT = b".\r\n"
_WAL_HEADER = 32  # bytes (sqlite.org/fileformat2.html#walformat); it is flushed by itself, before any commit

# What a thread's next commits are about, after what it has said last. The last of a row stands for all that follow.
COMMITS: dict[str, tuple[str, ...]] = {
    "IMAP: NOOP": ("mailbox row",),
    "IMAP: SEARCH": ("mailbox row",),
    "IMAP: SELECT": ("process",),  # mail that was stored, but not handled, by a predecessor
    "IMAP: FETCH": ("receive", "process"),
    "IMAP: MOVE": ("filed",),
    "IMAP: EXPUNGE": ("filed",),
    "SMTP: last dot": ("record", "claim"),
    "SMTP: other": ("claim",),
}
# How the calls of a commit are told apart.
PARTS = {
    "pwrite64": "written",
    "write": "written",
    "truncate": "cut",
    "fdatasync": "flushed",
    "fsync": "flushed",
    "ftruncate": "cut",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One system call. `target`: a file's name in the desk's folder, or "IMAP", "SMTP"; `content`: the beginning
    and the end of what is sent; `size`: bytes that are written.
    """

    thread: int
    name: str
    target: str
    content: bytes
    size: int = 0


@dataclass(slots=True)
class _Thread:
    said: str = ""
    commits: int = 0
    frames: int = 0


class Names:
    """Remembers what each thread has done."""

    def __init__(self) -> None:
        self._threads: dict[int, _Thread] = {}
        self._order: list[int] = []

    def thread_started(self, thread: int) -> None:
        """A thread began; they are told apart by their order."""
        self._order.append(thread)

    def name(self, call: Call, *, is_main: bool) -> str:
        """What this call is; "" where it decides nothing."""
        thread = self._threads.setdefault(call.thread, _Thread())
        if call.target in ("IMAP", "SMTP"):
            thread.said, thread.commits = _wire(call), 0
            return thread.said
        file = PurePath(call.target).name
        if "secret.key" in file:
            return f"key file: {call.name}"
        if file.endswith("-wal") and call.name != "unlink":
            return self._commit(thread, call, is_main)
        if file.endswith((".db", "-journal")):
            return f"database file: {PARTS.get(call.name, call.name)}"
        if file.endswith(".sent"):
            return f"sent journal: {PARTS.get(call.name, call.name)}"
        if file.endswith(".lock"):
            return f"lock file: {call.name}"
        return f"compiled templates: {call.name}" if _TEMPLATE.search(call.target) else ""

    def _commit(self, thread: _Thread, call: Call, is_main: bool) -> str:
        what = self._subject(thread, call.thread, is_main)
        part = PARTS.get(call.name, call.name)
        if part == "written" and call.size != _WAL_HEADER:
            thread.frames += 1
        if part == "flushed" and thread.frames:
            thread.frames = 0
            thread.commits += 1
        return f"commit: {what}, {part}"

    def _subject(self, thread: _Thread, number: int, is_main: bool) -> str:
        row = COMMITS.get(thread.said)
        if row is not None:
            return row[min(thread.commits, len(row) - 1)]
        if is_main:
            return "start"
        # One that has said nothing yet: the thread that was started after the inbox's sends the outbox.
        readers = [t for t, state in self._threads.items() if state.said.startswith("IMAP")]
        after = [self._order.index(t) + 1 for t in readers if t in self._order]
        is_sender = any(at < len(self._order) and self._order[at] == number for at in after)
        return "claim" if is_sender else "timers"


def _wire(call: Call) -> str:
    if call.target == "IMAP":
        found = _IMAP.match(call.content)
        return f"IMAP: {found[1].decode()}" if found else "IMAP: more"
    content = call.content
    if content.startswith((b"MAIL ", b"RCPT ", b"DATA\r\n")):
        return "SMTP: envelope"
    if content.startswith((b"EHLO", b"ehlo", b"QUIT", b"quit", b"RSET", b"rset", b"NOOP", b"noop", b"STARTTLS")):
        return "SMTP: other"
    return "SMTP: last dot" if content.endswith(_DOT) else "SMTP: content"
