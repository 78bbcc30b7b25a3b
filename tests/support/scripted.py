"""A TCP server on loopback that does what a test tells it: for the faults that real servers don't show on demand.

`Scripted(play)` calls `play(peer)` in a thread of its own for each connection; an assertion that fails in there fails
the test when the server is closed. `Peer` reads lines and says bytes.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Peer:
    """The other end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lines = sock.makefile("rb")

    def line(self) -> bytes:
        """The next line without its CRLF; b"" at the end of the connection."""
        return self.whole_line().rstrip(b"\r\n")

    def whole_line(self) -> bytes:
        """The next line as it came; b"" at the end of the connection."""
        return self._lines.readline()

    def read(self, size: int) -> bytes:
        """So many bytes."""
        return self._lines.read(size)

    def say(self, *lines: bytes) -> None:
        """Send lines, each with CRLF, in one packet."""
        self.raw(b"".join(line + b"\r\n" for line in lines))

    def raw(self, data: bytes) -> None:
        """Send bytes as they are; nobody minds if the client is gone."""
        with contextlib.suppress(OSError):
            self._sock.sendall(data)

    def wait_for_end(self) -> None:
        """Say nothing until the client gives up."""
        with contextlib.suppress(OSError):
            while self._lines.read(4096):
                pass

    def reset(self) -> None:
        """Break the connection, as a router does that forgot it."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close, so that the client reads the end."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._lines.close()
        self._sock.close()


class Scripted:
    """A server that plays a script to each connection."""

    def __init__(self, play: Callable[[Peer], None]) -> None:
        self._play = play
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._peers: list[Peer] = []
        self._errors: list[AssertionError] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.port: int = self._listener.getsockname()[1]

    @property
    def connections(self) -> int:
        """How many clients came so far."""
        return len(self._peers)

    def hang_up(self) -> None:
        """End every connection that is open."""
        for peer in list(self._peers):
            peer.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                sock, _address = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peer = Peer(sock)
                self._peers.append(peer)
                thread = threading.Thread(target=self._one, args=(peer,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _one(self, peer: Peer) -> None:
        try:
            self._play(peer)
        except (OSError, ValueError):
            return  # the client, or the test's end, closed it: that is for the client's side to judge
        except AssertionError as error:
            self._errors.append(error)
        finally:
            peer.close()

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in list(self._peers):
            peer.close()
        for thread in list(self._threads):
            thread.join(5)
        if kind is None and self._errors:
            raise self._errors[0]
