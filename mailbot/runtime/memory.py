"""Memory of the process: tuning of allocator and garbage collector, and limits on large mails in memory at once.

`tune_memory()` is called once at the start of a process, `release_memory()` now and then. Three context managers go
around work on large mails:

    one_large_mail(size)        the work that holds it in several forms (compressed, raw, parsed): one thread at a time
    receiving_large_mail(size)  from before its first byte is received until it is handled
    unpacking_large_mail(size)  a stored mail is decompressed, so that a file of it can be sent: not while one is
                                received, if that ends soon, and vice versa; both take about a second without the
                                network

glibc by default learns from the first 30 MB block that is freed to keep such blocks (mallopt(3): M_MMAP_THRESHOLD
grows up to 32 MB and the trim threshold to twice that), and gives each thread a heap of its own, whose freed blocks are
seldom returned. It is tuned at run time and not by MALLOC_ARENA_MAX and the like, so that whatever starts the process
(systemd, a container, a shell) need not set them. Other C libraries have no `mallopt` and are not tuned.

Python's collector by default looks for cycles after every 700 new objects, and a mail creates thousands, of which next
to none are in cycles: this took 6 to 8 % of a mail's CPU time (600 mails, four alternating rounds) and saved no memory.

Never: waits for `one_large_mail` with a transaction open; a thread that writes never needs it.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# A mail of more bytes counts as large.
LARGE = 1_000_000
# mallopt(3), values of malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_TRIM_ABOVE = 4 * 1024 * 1024
_ARENAS = 2
# gc.set_threshold: new objects, then collections of the younger generation.
_COLLECT_AFTER = (10_000, 20, 20)

# Seconds that receiving and unpacking wait for each other. Receiving may be slow, and then memory use is accepted.
PATIENCE = 5.0

_gate = threading.Lock()
_changed = threading.Condition()
_received: set[object] = set()
_unpacked: set[object] = set()


def tune_memory() -> bool:
    """Tune the collector and the allocator; return whether the allocator could be tuned."""
    gc.set_threshold(*_COLLECT_AFTER)
    library = _glibc()
    if library is None:
        return False
    options = ((_MMAP_THRESHOLD, LARGE), (_TRIM_THRESHOLD, _TRIM_ABOVE), (_ARENA_MAX, _ARENAS))
    return sum(int(library.mallopt(option, value)) for option, value in options) == len(options)


def release_memory() -> None:
    """Return freed memory to the system (malloc_trim(3)), which takes a few milliseconds."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


@contextmanager
def one_large_mail(size: int) -> Iterator[None]:
    """Exclude other threads from work on large mails, if this mail is large."""
    if size <= LARGE:
        yield
        return
    with _gate:
        yield


@contextmanager
def receiving_large_mail(size: int, patience: float = PATIENCE) -> Iterator[None]:
    """Mark the time in which a mail of this size is received and handled, if it is large."""
    with _one_kind(size, _received, _unpacked, patience):
        yield


@contextmanager
def unpacking_large_mail(size: int, patience: float = PATIENCE) -> Iterator[None]:
    """Mark the time in which a mail or file of this size is decompressed to be sent, if it is large."""
    with _one_kind(size, _unpacked, _received, patience), one_large_mail(size):
        yield


@contextmanager
def _one_kind(size: int, ours: set[object], others: set[object], patience: float) -> Iterator[None]:
    """Wait, up to `patience`, until there are no others, then add a mark to ours."""
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


def _glibc() -> Any:  # a ctypes library has any function
    """Return the C library of this process if it is glibc."""
    import ctypes  # late, since few commands need it

    try:
        library = ctypes.CDLL(None)
    except OSError:
        return None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
