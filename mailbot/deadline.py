"""A bound on time that holds whatever the code inside does: past it, the process ends.

For code that may hang on a mail (a regular expression gone wild holds the interpreter's lock, so that no other thread
and no signal gets a word in). faulthandler's watchdog is a thread of the operating system that needs no lock: it writes
every thread's stack to stderr and ends the process with status 1. systemd starts it again, and the attempts that were
counted beforehand take the mail out of the way (see `processing`).

One bound at a time in a process: the inner one would take the place of the outer.
"""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """End the process where the block takes longer than this."""
    stderr = sys.__stderr__
    faulthandler.dump_traceback_later(seconds, exit=True, file=2 if stderr is None or stderr.closed else stderr)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
