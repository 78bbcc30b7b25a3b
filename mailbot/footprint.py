"""How much memory this process keeps: large blocks go back to the system at once, and large mails are unpacked singly.

Out: `keep_small()`, once at the start of a process; `give_back()`, now and then; `one_large(size)`, a `with` around
whatever holds a large mail in several forms (packed, as it came, taken apart), so that no two threads do it at once.

Why glibc is told: by default it learns from the first 30 MB block that is freed to keep such blocks (mallopt(3),
M_MMAP_THRESHOLD grows up to 32 MB and the trim threshold to twice that), and gives each thread a heap of its own, of
which freed pieces seldom come back. It is told at run time and not by MALLOC_ARENA_MAX and its like, so that whoever
starts the process (systemd, a container, a shell) need not know. Another C library has no `mallopt` and is left alone.
Never: waits for `one_large` with a transaction open; a thread that writes never needs it.
"""

from __future__ import annotations

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

_gate = threading.Lock()


def keep_small() -> bool:
    """Tell the C library; False where it can't be told."""
    library = _glibc()
    if library is None:
        return False
    told = ((_MMAP_THRESHOLD, LARGE), (_TRIM_THRESHOLD, _KEPT_AT_THE_TOP), (_ARENA_MAX, _ARENAS))
    return sum(int(library.mallopt(option, value)) for option, value in told) == len(told)


def give_back() -> None:
    """What was freed in between goes back to the system too (malloc_trim(3)); takes a few milliseconds."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


@contextmanager
def one_large(size: int) -> Iterator[None]:
    """Alone in this process with a mail of so many bytes; one that is not large waits for nobody."""
    if size <= LARGE:
        yield
        return
    with _gate:
        yield


def _glibc() -> Any:
    """The C library that this process runs on, where it is glibc; imported late, since few commands need it."""
    import ctypes

    try:
        library = ctypes.CDLL(None)
    except OSError:
        return None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
