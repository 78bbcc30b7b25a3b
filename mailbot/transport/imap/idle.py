"""Waits for mail: by IDLE, or by frequent NOOPs while mail is likely; another thread can end the wait.

In: a `Client` with a selected folder, a time, a `WakeUp`. Out: whether the server signalled a change. A signal is only
a hint: the caller searches in any case. Standards: RFC 2177 (IDLE; servers log clients out after 30 minutes).
Never: a busy loop. A closed connection, a BYE and a peer that owes an answer raise an exception; none of them returns
early as if nothing had happened.

Dovecot notifies an idling client 500 ms after a mail arrived (a constant of its own); NOOP sees it at once. So while
mail is likely, and the server near enough to answer at once, NOOP is sent ten times a second instead (`brisk`); see
docs/developer/performance.md for the gain and the cost. A single mail after a pause waits half a second.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress

from mailbot.transport.imap.connection import Client

# The interval of NOOPs; and the longest round trip: a server that takes longer is far away, and shared by many.
BRISK_EVERY, NEAR_SECONDS = 0.1, 0.005
# NAT routers drop silent connections, many of them after ten minutes.
RE_IDLE = 9 * 60.0


class WakeUp:
    """An event that can be polled along with a socket: `set` makes `fileno()` readable until `clear`."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def fileno(self) -> int:
        """Return the file descriptor to poll."""
        return self._reader

    def set(self) -> None:
        """Set the event; callable from any thread or signal handler, any number of times."""
        with suppress(BlockingIOError):  # the pipe is full: it is set already
            os.write(self._writer, b"\0")

    def clear(self) -> None:
        """Reset the event."""
        with suppress(BlockingIOError):  # empty
            while os.read(self._reader, 4096):
                pass

    def close(self) -> None:
        """Close the file descriptors."""
        os.close(self._reader)
        os.close(self._writer)

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds; return whether the event is set."""
        return bool(_poll(timeout, self.fileno()))


def _poll(timeout: float, *descriptors: int) -> set[int]:
    """Return those of `descriptors` that become readable (or closed) within `timeout` seconds."""
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _event in poller.poll(max(0, int(timeout * 1000 + 0.999)))}


def brisk(client: Client, timeout: float, wake: WakeUp) -> bool | None:
    """Send NOOPs for at most `timeout` seconds. True: the folder changed; False: `wake` was set; None: neither.

    Returns early if the server is not near. Raises imaplib's errors and OSError.
    """
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        if wake.wait(min(BRISK_EVERY, left)):
            return False
        sent_at = time.monotonic()
        _words, responses = client.noop()
        client.wire.forget()
        if any(len(response) > 1 and response[1] == b"EXISTS" for response in responses):
            return True
        if time.monotonic() - sent_at > NEAR_SECONDS:
            return None
    return None


def idle(client: Client, timeout: float, wake: WakeUp) -> bool:
    """Idle for at most `timeout` seconds; return whether the folder changed. Raises imaplib's errors and OSError."""
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        changed, woken = _one_idle(client, min(left, RE_IDLE), wake)
        if changed or woken:
            return changed
    return False


def _one_idle(client: Client, timeout: float, wake: WakeUp) -> tuple[bool, bool]:
    """Run one IDLE … DONE; return whether the folder changed, and whether `wake` was set.

    Any line ends it, because DONE reads everything up to its answer: nothing remains in a buffer.
    """
    wire = client.wire
    lines = wire.begin_idle()
    woken = False
    if not any(map(_is_change, lines)) and not wire.waiting():
        woken = wake.fileno() in _poll(timeout, wire.sock.fileno(), wake.fileno())
    lines += wire.end_idle()  # a dead connection or a BYE raises here
    wire.forget()
    return any(map(_is_change, lines)), woken


def _is_change(line: bytes) -> bool:
    """Return whether an untagged line is about the folder (EXISTS, EXPUNGE, …), unlike "* OK Still here"."""
    words = line.split(b" ", 2)
    return len(words) > 1 and words[0] == b"*" and words[1].isdigit()
