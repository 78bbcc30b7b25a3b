"""Wait until something comes: IDLE where the server has it, else a plain wait; another thread can end it.

In: a `Client` with a selected folder, a time, a `WakeUp`. Out: whether the server signalled anything. A signal is a
hint only: the caller searches in any case. Standards: RFC 2177 (IDLE; a client is thrown out after 30 minutes).
Never: a busy loop. A closed connection, a BYE and a peer that owes an answer all end in an exception, never in an empty
return that comes too early.

Dovecot tells an idling client of a new mail 500 ms after it came (a constant of its own); NOOP sees it at once. So
while traffic is on, and the server near enough to answer at once, NOOP is said ten times a second instead (`brisk`);
docs/performance.md has what that gains and costs. A single mail after a silence waits half a second.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress

from mailbot.transport.imap.connection import Client

# NOOP so often while traffic is on; not to a server that takes longer to answer: it is far away, and many share it.
BRISK_EVERY, NEAR_SECONDS = 0.1, 0.005
# Routers forget silent connections, many of them after ten minutes.
RE_IDLE = 9 * 60.0


class WakeUp:
    """A bell that another thread, or a signal handler, can ring: `set` makes `fileno()` readable until `clear`."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def fileno(self) -> int:
        """A file descriptor to poll."""
        return self._reader

    def set(self) -> None:
        """Ring. May be called from any thread, as often as one likes."""
        with suppress(BlockingIOError):  # the pipe is full: it rings already
            os.write(self._writer, b"\0")

    def clear(self) -> None:
        """Stop ringing."""
        with suppress(BlockingIOError):  # empty
            while os.read(self._reader, 4096):
                pass

    def close(self) -> None:
        """Give the file descriptors back."""
        os.close(self._reader)
        os.close(self._writer)

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds; whether it rings."""
        return bool(_poll(timeout, self.fileno()))


def _poll(timeout: float, *descriptors: int) -> set[int]:
    """Those of `descriptors` that are readable (or closed) within `timeout` seconds."""
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _event in poller.poll(max(0, int(timeout * 1000 + 0.999)))}


def brisk(client: Client, timeout: float, wake: WakeUp) -> bool | None:
    """NOOP for at most `timeout` seconds. True: the folder changed; False: `wake` rang; None: neither.

    Comes back early where the server is not near. Raises imaplib's errors and OSError.
    """
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        if wake.wait(min(BRISK_EVERY, left)):
            return False
        asked = time.monotonic()
        _words, responses = client.noop()
        client.wire.forget()
        if any(len(response) > 1 and response[1] == b"EXISTS" for response in responses):
            return True
        if time.monotonic() - asked > NEAR_SECONDS:
            return None
    return None


def idle(client: Client, timeout: float, wake: WakeUp) -> bool:
    """IDLE for at most `timeout` seconds. True: the folder changed. Raises imaplib's errors and OSError."""
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        changed, rung = _one_idle(client, min(left, RE_IDLE), wake)
        if changed or rung:
            return changed
    return False


def _one_idle(client: Client, timeout: float, wake: WakeUp) -> tuple[bool, bool]:
    """One IDLE … DONE: whether the folder changed, and whether `wake` rang.

    Any line ends the round, because DONE reads everything up to its answer: nothing is left lying in a buffer.
    """
    wire = client.wire
    lines = wire.begin_idle()
    rung = False
    if not any(map(_is_change, lines)) and not wire.waiting():
        rung = wake.fileno() in _poll(timeout, wire.sock.fileno(), wake.fileno())
    lines += wire.end_idle()  # a dead connection and a BYE show themselves here
    wire.forget()
    return any(map(_is_change, lines)), rung


def _is_change(line: bytes) -> bool:
    """Whether an untagged line tells of the folder (EXISTS, EXPUNGE, …) and is not merely "* OK Still here"."""
    words = line.split(b" ", 2)
    return len(words) > 1 and words[0] == b"*" and words[1].isdigit()
