"""How much memory this process keeps: large blocks go back to the system at once, and large mails are unpacked singly.

Out: `tune_memory()`, once at the start of a process; `release_memory()`, now and then; and three things to be put around what
has to do with a large mail:

    one_large_mail(size)    whatever holds it in several forms (packed, as it came, taken apart): no two threads at once
    receiving_large_mail(size)    from before its first byte comes until it was handled
    unpacking_large_mail(size)    one that was stored is unpacked, so that a file of it can be sent: not while one is taken in, if
                       that is soon over, and the other way round. Both are work of a second, without the network

Why glibc is told: by default it learns from the first 30 MB block that is freed to keep such blocks (mallopt(3),
M_MMAP_THRESHOLD grows up to 32 MB and the trim threshold to twice that), and gives each thread a heap of its own, of
which freed pieces seldom come back. It is told at run time and not by MALLOC_ARENA_MAX and its like, so that whoever
starts the process (systemd, a container, a shell) need not know. Another C library has no `mallopt` and is left alone.
Why Python's collector is told: by default it looks for cycles after every 700 new objects, and a mail makes thousands,
of which next to none are in cycles: 6 to 8 % of a mail's CPU time (600 mails, four rounds in turns), no memory saved.
Never: waits for `one_large_mail` with a transaction open; a thread that writes never needs it.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# A mail of more bytes is a large one.
LARGE = 1_000_000
# mallopt(3); the figures are those of malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_KEPT_AT_THE_TOP = 4 * 1024 * 1024
_ARENAS = 2
# gc.set_threshold: new objects, then collections of the younger generation.
_COLLECT_AFTER = (10_000, 20, 20)

# One waits so long for the other, which may be slow to come in, and then no longer: memory is no reason to stand still.
PATIENCE = 5.0

_gate = threading.Lock()
_changed = threading.Condition()
_taken_in: set[object] = set()
_unpacked: set[object] = set()


def tune_memory() -> bool:
    """Tell the collector and the C library; False where the latter can't be told."""
    gc.set_threshold(*_COLLECT_AFTER)
    library = _glibc()
    if library is None:
        return False
    told = ((_MMAP_THRESHOLD, LARGE), (_TRIM_THRESHOLD, _KEPT_AT_THE_TOP), (_ARENA_MAX, _ARENAS))
    return sum(int(library.mallopt(option, value)) for option, value in told) == len(told)


def release_memory() -> None:
    """What was freed in between goes back to the system too (malloc_trim(3)); takes a few milliseconds."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


@contextmanager
def one_large_mail(size: int) -> Iterator[None]:
    """Alone in this process with a mail of so many bytes; one that is not large waits for nobody."""
    if size <= LARGE:
        yield
        return
    with _gate:
        yield


@contextmanager
def receiving_large_mail(size: int, patience: float = PATIENCE) -> Iterator[None]:
    """While a large mail of so many bytes comes in and is handled."""
    with _one_kind(size, _taken_in, _unpacked, patience):
        yield


@contextmanager
def unpacking_large_mail(size: int, patience: float = PATIENCE) -> Iterator[None]:
    """While a large mail, or one with a file of so many bytes, is unpacked to be sent."""
    with _one_kind(size, _unpacked, _taken_in, patience), one_large_mail(size):
        yield


@contextmanager
def _one_kind(size: int, ours: set[object], others: set[object], patience: float) -> Iterator[None]:
    """Wait until there are no others, and be one of ours."""
    if size <= LARGE:
        yield
        return
    mark = object()
    with _changed:
        _changed.wait_for(lambda: not others, patience)
        ours.add(mark)
    try:
        yield
    finally:
        with _changed:
            ours.discard(mark)
            _changed.notify_all()


def _glibc() -> Any:
    """The C library that this process runs on, where it is glibc; imported late, since few commands need it."""
    import ctypes

    try:
        library = ctypes.CDLL(None)
    except OSError:
        return None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
