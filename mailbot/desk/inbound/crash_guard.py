"""Which mail this process is handling by itself, and whether a mail crashes whoever parses it.

`processor` counts an attempt before it handles a mail, since nothing can be counted afterwards where the process dies.
But a process may also end normally, or meet a full disk or a database that is gone; then the attempt says nothing about
the mail, and there is no database to record that in. So beside the count there is a small file with the mail's id: made
before, removed afterwards whatever happened (removing needs no room). A successor that finds it knows that the process
died. A file of another boot of the machine says nothing: the power failed, or the machine was reset.
Never: mail; a lock.
"""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

from mailbot.desk.inbound.analysis_pool import receive, send, start_worker
from mailbot.mail.classify.facts import OwnIdentity

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

SECONDS = 70.0  # the process ends itself after 60 (analysis_worker)
_ORDINARY = b"From: a@sekolah.example\r\nSubject: BKU\r\nMessage-ID: <a@sekolah.example>\r\n\r\nMohon bantuan.\r\n"


class InFlightMarker:
    """The marker of one worker. `name` says whose it is, also to a successor; "" where no marker can be kept."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.name = name
        self._died_with = self._of_predecessor()

    def died_with(self, inbound_id: int) -> bool:
        """Return whether the predecessor died while it handled this mail; True once."""
        if self._died_with != inbound_id:
            return False
        self._died_with = None
        return True

    def take(self, inbound_id: int) -> bool:
        """Set the marker; return False where the disk is full: a death is not the mail's fault then."""
        try:
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                out.write(f"{inbound_id} {_boot()}\n")
        except OSError as error:
            if error.errno in _NO_ROOM:
                return False
            self.name = ""  # a folder that can't be written: every attempt counts, as if it had ended in a death
        return True

    def put_down(self) -> None:
        """Remove the marker: the attempt has ended, in whatever way."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            self.name = ""

    def _of_predecessor(self) -> int | None:
        try:
            inbound_id, _, boot = self._path.read_text(encoding="ascii").strip().partition(" ")
        except (OSError, ValueError):
            return None
        return int(inbound_id) if inbound_id.isdecimal() and boot == _boot() else None


def _boot() -> str:
    """Return the id of this boot of the machine (random(4)), "" where there is none."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def crashes_parser(raw: bytes, own: OwnIdentity, seconds: float = SECONDS) -> bool:
    """Return whether a process crashes over this mail, or hangs for `seconds`, and not over an ordinary one."""
    return not _survives(raw, own, seconds) and _survives(_ORDINARY, own, seconds)


def _survives(raw: bytes, own: OwnIdentity, seconds: float) -> bool:
    """Return whether a process of its own read the mail to its end."""
    with start_worker() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        timeout = threading.Timer(seconds, process.kill)
        timeout.start()
        try:
            send(process.stdin, own)
            receive(process.stdout)
            send(process.stdin, [raw])
            receive(process.stdout)
        except (EOFError, BrokenPipeError):
            return False
        finally:
            timeout.cancel()
            process.kill()  # its result is in; its clean-up would take longer than anybody waits
    return True
