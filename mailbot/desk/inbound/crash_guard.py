"""Which mail this process has in hand by itself: a small file that only a death leaves behind.

`processing` counts an attempt before it takes a mail in hand, since nobody can count afterwards where the process dies.
But a process may also end in peace, or meet a full disk or a database that is gone, and then the attempt says nothing
about the mail, and there is no database to write that down in. So beside the count stands a file with the mail's id:
made before, removed afterwards whatever happened (removing needs no room). A successor that finds it knows: it died.
A file of another boot of the machine says nothing: the power failed, or somebody pressed the button.
Never: mail; a lock.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class InHand:
    """The mark of one worker. `name` says whose it is, also to a successor; "" where no mark can be kept."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.name = name
        self._died_with = self._left_behind()

    def died_with(self, inbound_id: int) -> bool:
        """Did the predecessor die while it had this mail in hand? Said once."""
        if self._died_with != inbound_id:
            return False
        self._died_with = None
        return True

    def take(self, inbound_id: int) -> bool:
        """Make the mark; False where the disk is full: a death is not the mail's fault then."""
        try:
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                out.write(f"{inbound_id} {_boot()}\n")
        except OSError as error:
            if error.errno in _NO_ROOM:
                return False
            self.name = ""  # a folder that may not be written: every attempt counts, as if it had ended in a death
        return True

    def put_down(self) -> None:
        """Remove the mark: it has ended, in whatever way."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            self.name = ""

    def _left_behind(self) -> int | None:
        try:
            inbound_id, _, boot = self._path.read_text(encoding="ascii").strip().partition(" ")
        except (OSError, ValueError):
            return None
        return int(inbound_id) if inbound_id.isdecimal() and boot == _boot() else None


def _boot() -> str:
    """What is another at each start of the machine (random(4)); "" where nobody says."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""
