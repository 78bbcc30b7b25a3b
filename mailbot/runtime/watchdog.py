"""A hard time limit: if a block takes longer, the process ends.

For code that may hang on a mail: a runaway regular expression holds the interpreter's lock, so that no other thread and
no signal handler runs. faulthandler's watchdog is a thread of the operating system that needs no lock: it writes every
thread's stack to stderr and ends the process with status 1. systemd restarts it, and the attempts that were counted
beforehand quarantine the mail (desk.inbound.processor).

Several threads may have limits at once: the watchdog is set to the earliest.
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
    """End the process if the block takes longer than this. Must not be nested within a thread."""
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
    remaining = max(0.001, min(_ends.values()) - time.monotonic())
    faulthandler.dump_traceback_later(remaining, exit=True, file=2 if stderr is None or stderr.closed else stderr)
