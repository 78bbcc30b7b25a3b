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
import logging
import os
import threading
from pathlib import Path

from mailbot.desk.inbound.analysis_pool import (
    hear,
    say,
    start_worker,
)
from mailbot.mail.classify.facts import OwnIdentity

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class InFlightMarker:
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


log = logging.getLogger(__name__)


SECONDS = 70.0  # the process ends itself after 60 (understanding_worker)


_ORDINARY = b"From: a@sekolah.example\r\nSubject: BKU\r\nMessage-ID: <a@sekolah.example>\r\n\r\nMohon bantuan.\r\n"


def crashes_parser(raw: bytes, own: OwnIdentity, seconds: float = SECONDS) -> bool:
    """Does a process end, or hang for `seconds`, over this mail, and not over another?"""
    return not _survives(raw, own, seconds) and _survives(_ORDINARY, own, seconds)


def _survives(raw: bytes, own: OwnIdentity, seconds: float) -> bool:
    """Did a process of its own read the mail to its end?"""
    with start_worker() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        too_long = threading.Timer(seconds, process.kill)
        too_long.start()
        try:
            say(process.stdin, own)
            hear(process.stdout)
            say(process.stdin, [raw])
            hear(process.stdout)
        except (EOFError, BrokenPipeError):
            return False
        finally:
            too_long.cancel()
            process.kill()  # it has nothing more to say, and would clean up for longer than anybody waits
    return True
