"""A lock between processes that dies with its holder: flock(2) on a file, never a pid file that outlives a crash.

The holder's process id is written into the file, for the message to whoever comes second; nothing is decided by it.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

_RETRY_SECONDS = 0.05


class FileLock:
    """An exclusive lock on `path` (made 0600 if there is none; left there afterwards, empty of meaning)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, wait_seconds: float | None) -> bool:
        """Take the lock; True if it is ours now (or was). `wait_seconds` 0: don't wait; None: as long as it takes."""
        if self._descriptor is not None:
            return True
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _take(descriptor, wait_seconds):
                os.close(descriptor)
                return False
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; nothing happens if it isn't held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)

    def holder(self) -> int | None:
        """The process id that the present holder wrote, if it can be read."""
        try:
            words = self.path.read_text().split()
        except OSError:
            return None
        return int(words[0]) if words and words[0].isdigit() else None


def _take(descriptor: int, wait_seconds: float | None) -> bool:
    if wait_seconds is None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    end = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_RETRY_SECONDS)
        else:
            return True
