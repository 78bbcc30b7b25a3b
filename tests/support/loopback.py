"""Ports of loopback, and waiting for servers that are processes of their own."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import time
from collections.abc import Callable

# Below the ports that Linux gives to outgoing connections (from 32768 on), which come and go at any moment.
LOWEST, HIGHEST = 10_000, 32_000
_next = itertools.count(os.getpid() * 97)


def free_port() -> int:
    """A TCP port of loopback that nobody listens on at the moment; each process looks from a place of its own on."""
    for candidate in _next:
        port = LOWEST + candidate % (HIGHEST - LOWEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("there is no free port")


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Come back when `condition` holds; AssertionError after `seconds`. For other processes, which send us no event."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def listening(port: int) -> bool:
    """Whether somebody answers at a port of loopback."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False
