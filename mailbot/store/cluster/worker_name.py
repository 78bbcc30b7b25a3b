"""The name of a worker, which its successor in the same data folder inherits."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

from mailbot.runtime.filelock import FileLock

MOST_ON_ONE_FOLDER = 64


class WorkerName:
    """A name that outlives the process: the next one in this data folder recovers what this one had claimed.

    Of several processes that share the folder, each holds a file lock on a name of its own.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for nth in range(MOST_ON_ONE_FOLDER):
            self._lock = FileLock(folder / f"worker-{nth}.lock")
            if self._lock.acquire(wait_seconds=0):
                self.name = f"{socket.gethostname()[:40]}-{_read_or_make(folder / 'worker-id')}-{nth}"
                return
        self.name = secrets.token_hex(8)

    def release(self) -> None:
        """Release the name for another process."""
        self._lock.release()


def _read_or_make(path: Path) -> str:
    """Return the random name of a data folder, made once."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()[:32] or "0"
    with os.fdopen(descriptor, "w") as out:
        out.write(secrets.token_hex(6))
    return path.read_text(encoding="ascii").strip()
