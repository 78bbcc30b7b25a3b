r"""Client of ClamAV's clamd: scans content over a socket, by the INSTREAM command (clamd(8), "COMMANDS").

In: bytes. Out: `Clean`, `Infected(signature)` or `Unscanned(why)`; never an exception for what clamd does or fails to
do. One connection for each scan, as clamd expects: `zINSTREAM\0`, then chunks preceded by their length (32 bits,
network order), a length of 0 at the end, one answer that ends with NUL. Connecting and the scan as a whole have
timeouts.

The protocol has neither encryption nor authentication: use a unix socket, or a host that only this machine reaches.
Never: stores content, logs (the caller does), retries.
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
    """A signature of the scanner matches."""

    signature: str


@dataclass(frozen=True, slots=True)
class Unscanned:
    """The scanner gave no verdict."""

    why: str
    down: bool = True  #: False if it works, and only this content was too large.


Verdict = Clean | Infected | Unscanned


class Clamd:
    """Client of one clamd. `address`: "unix:/path" or "host:port"; `timeout`: seconds that one scan may take."""

    def __init__(self, address: str, timeout: float = 30.0) -> None:
        self.address = address
        self._timeout = timeout

    def scan(self, content: bytes) -> Verdict:
        """Scan `content`."""

        def send(connection: socket.socket) -> None:
            connection.sendall(b"zINSTREAM\0")
            view = memoryview(content)
            for start in range(0, len(view), CHUNK):
                piece = view[start : start + CHUNK]
                connection.sendall(struct.pack("!I", len(piece)))
                connection.sendall(piece)
            connection.sendall(struct.pack("!I", 0))

        return _verdict(self._request(send))

    def version(self) -> str | Unscanned:
        """Return the version of clamd and its signatures ("ClamAV 1.4.3/27500/…"), as a check that it works."""
        answer = self._request(lambda connection: connection.sendall(b"zVERSION\0"))
        if isinstance(answer, Unscanned):
            return answer
        return answer if answer.startswith("ClamAV") else Unscanned(f"it answered {answer[:100]!r}")

    def _request(self, send: Callable[[socket.socket], None]) -> str | Unscanned:
        end = time.monotonic() + self._timeout
        try:
            with self._connect() as connection:
                connection.settimeout(self._timeout)
                try:
                    send(connection)
                except (BrokenPipeError, ConnectionResetError):
                    # Beyond its StreamMaxLength clamd closes the connection; its answer may still be readable.
                    return _read_answer(connection, end) or Unscanned("it closed the connection")
                return _read_answer(connection, end) or Unscanned("it closed the connection without an answer")
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


def _read_answer(connection: socket.socket, end: float) -> str:
    """Read one answer, up to its NUL or the end of the connection."""
    answer = b""
    while b"\0" not in answer and len(answer) < _MOST_ANSWER:
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
        answer += piece
    return answer.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _verdict(answer: str | Unscanned) -> Verdict:
    """Parse `stream: OK`, `stream: NAME FOUND` or `… ERROR` (clamd(8))."""
    if isinstance(answer, Unscanned):
        return answer
    words = answer.removeprefix("stream: ")
    if words == "OK":
        return Clean()
    if words.endswith(" FOUND"):
        signature = "".join(c for c in words.removesuffix(" FOUND") if c.isprintable())[:200]
        return Infected(signature or "unnamed")
    if "size limit exceeded" in words:
        return Unscanned("larger than clamd's StreamMaxLength", down=False)
    return Unscanned(f"it answered {words[:100]!r}")
