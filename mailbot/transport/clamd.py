"""A virus scanner asked over a socket: ClamAV's clamd, by its INSTREAM command (clamd(8), "COMMANDS").

In: bytes. Out: `Clean`, `Infected(signature)` or `Unscanned(why)`; never an exception for what the daemon does or
fails to do. One connection for each scan, as clamd expects: `zINSTREAM\\0`, then chunks that carry their length
(32 bits, network order), a length of 0 at the end, one answer that ends with NUL. Every wait has an end: connecting,
and the scan as a whole.

The protocol is neither encrypted nor does it know log-ins: a unix socket, or a host that only this machine reaches.
Never: stores what it was given, logs (who asks does), asks twice.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

CHUNK = 262_144
_MOST_ANSWER = 4096
_CONNECT = 5.0


@dataclass(frozen=True, slots=True)
class Clean:
    """Nothing was found."""


@dataclass(frozen=True, slots=True)
class Infected:
    """A signature of the scanner's fits."""

    signature: str


@dataclass(frozen=True, slots=True)
class Unscanned:
    """The scanner gave no verdict, and why. `down` is False where it works, and only this content was too much."""

    why: str
    down: bool = True


Verdict = Clean | Infected | Unscanned


class Clamd:
    """Asks one clamd. `address` is "unix:/path" or "host:port"; `timeout` the seconds that one scan may take."""

    def __init__(self, address: str, timeout: float = 30.0) -> None:
        self.address = address
        self._timeout = timeout

    def scan(self, content: bytes) -> Verdict:
        """What clamd says to this content."""

        def send(connection: socket.socket) -> None:
            connection.sendall(b"zINSTREAM\0")
            view = memoryview(content)
            for start in range(0, len(view), CHUNK):
                piece = view[start : start + CHUNK]
                connection.sendall(struct.pack("!I", len(piece)))
                connection.sendall(piece)
            connection.sendall(struct.pack("!I", 0))

        return _verdict(self._asked(send))

    def version(self) -> str | Unscanned:
        """clamd's own words on itself and its signatures ("ClamAV 1.4.3/27500/…"): it lives, and can be asked."""
        answer = self._asked(lambda connection: connection.sendall(b"zVERSION\0"))
        if isinstance(answer, Unscanned):
            return answer
        return answer if answer.startswith("ClamAV") else Unscanned(f"it answered {answer[:100]!r}")

    def _asked(self, send: Callable[[socket.socket], None]) -> str | Unscanned:
        end = time.monotonic() + self._timeout
        try:
            with self._connect() as connection:
                connection.settimeout(self._timeout)
                try:
                    send(connection)
                except (BrokenPipeError, ConnectionResetError):
                    # Past its StreamMaxLength clamd closes; what it says to that may be there to read.
                    return _heard(connection, end) or Unscanned("it closed the connection")
                return _heard(connection, end) or Unscanned("it closed the connection without an answer")
        except TimeoutError:
            return Unscanned(f"no answer within {self._timeout:g} s")
        except (OSError, ValueError) as error:
            return Unscanned(getattr(error, "strerror", None) or str(error) or type(error).__name__)

    def _connect(self) -> socket.socket:
        wait = min(_CONNECT, self._timeout)
        if self.address.startswith("unix:"):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(wait)
                connection.connect(self.address.removeprefix("unix:"))
            except BaseException:
                connection.close()
                raise
            return connection
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), wait)


def _heard(connection: socket.socket, end: float) -> str:
    """One answer, to its NUL or to the connection's end."""
    heard = b""
    while b"\0" not in heard and len(heard) < _MOST_ANSWER:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        try:
            piece = connection.recv(_MOST_ANSWER)
        except ConnectionResetError:
            break
        if not piece:
            break
        heard += piece
    return heard.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _verdict(answer: str | Unscanned) -> Verdict:
    """clamd(8): `stream: OK`, `stream: NAME FOUND`, `… ERROR`."""
    if isinstance(answer, Unscanned):
        return answer
    told = answer.removeprefix("stream: ")
    if told == "OK":
        return Clean()
    if told.endswith(" FOUND"):
        signature = "".join(c for c in told.removesuffix(" FOUND") if c.isprintable())[:200]
        return Infected(signature or "unnamed")
    if "size limit exceeded" in told:
        return Unscanned("larger than clamd's StreamMaxLength", down=False)
    return Unscanned(f"it answered {told[:100]!r}")
