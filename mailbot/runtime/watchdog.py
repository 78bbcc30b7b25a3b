"""A bound on time that holds whatever the code inside does: past it, the process ends.

For code that may hang on a mail (a regular expression gone wild holds the interpreter's lock, so that no other thread
and no signal gets a word in). faulthandler's watchdog is a thread of the operating system that needs no lock: it writes
every thread's stack to stderr and ends the process with status 1. systemd starts it again, and the attempts that were
counted beforehand take the mail out of the way (see `processing`).

Several threads may have bounds at once: the watchdog is set to the one that ends first.
"""

from __future__ import annotations

import faulthandler
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_ends: dict[int, float] = {}
_lock = threading.Lock()


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """End the process where the block takes longer than this. Not inside itself."""
    me = threading.get_ident()
    with _lock:
        _ends[me] = time.monotonic() + seconds
        _arm()
    try:
        yield
    finally:
        with _lock:
            del _ends[me]
            _arm()


def _arm() -> None:
    if not _ends:
        faulthandler.cancel_dump_traceback_later()
        return
    stderr = sys.__stderr__
    left = max(0.001, min(_ends.values()) - time.monotonic())
    faulthandler.dump_traceback_later(left, exit=True, file=2 if stderr is None or stderr.closed else stderr)
