"""A lock between processes, released when its holder ends.

It is flock(2) on a file, and not a PID file, which survives a crash. The holder's process id is written into the file
for the error message of other processes; nothing depends on it.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

_RETRY_SECONDS = 0.05


class FileLock:
    """An exclusive lock on the file `path`, which is created with mode 0600 and never removed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, wait_seconds: float | None) -> bool:
        """Acquire the lock; return whether we hold it. `wait_seconds` 0: don't wait; None: wait without limit."""
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
        """Release the lock, if held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)

    def holder(self) -> int | None:
        """Return the process id of the holder, None if it can't be read."""
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
