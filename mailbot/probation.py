"""Is it this mail that kills? It is read by a process of its own, which may die in our place.

In: a mail, and the desk's own marks. Out: whether that process, which reads the mail as we do, died or hung over it. A
process also dies for reasons of the machine's: so where it did, an ordinary letter is tried as well, and where that
fails too, nothing is said against the mail.
"""

from __future__ import annotations

import logging
import threading

from mailbot.core.classify import OwnIdentity
from mailbot.understanding import hear, say, start_worker

log = logging.getLogger(__name__)

SECONDS = 70.0  # the process ends itself after 60 (understanding_worker)
_ORDINARY = b"From: a@sekolah.example\r\nSubject: BKU\r\nMessage-ID: <a@sekolah.example>\r\n\r\nMohon bantuan.\r\n"


def is_deadly(raw: bytes, own: OwnIdentity, seconds: float = SECONDS) -> bool:
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
