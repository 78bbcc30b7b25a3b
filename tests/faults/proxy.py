"""A TCP proxy on loopback between mailbot and a server: it can be slow, hang, cut a connection off in the middle.

The rules are attributes that a test sets while connections run; they hold for what the server says (the client's own
words pass at once):

    piece, pause   so many bytes at a time, and so many seconds between two pieces
    hung           nothing passes any more; connections stay open, and new ones are taken
    cut_after      a connection is cut off when so many bytes have passed after the next piece of at least `cut_from`
                   bytes began (a literal; short answers pass)
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class Proxy:
    """Listens at `port`, passes on to `target` on loopback."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.piece, self.pause = 65536, 0.0
        self.cut_after, self.cut_from = 0, 2000
        self.cuts = 0
        self.connections = 0
        self._flows = threading.Event()
        self._flows.set()
        self._ends = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def hang(self) -> None:
        """From now on nothing passes."""
        self._flows.clear()

    def flow(self) -> None:
        """Everything passes again."""
        self._flows.set()

    def cut_all(self) -> None:
        """Close every connection."""
        for sock in list(self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self._flows.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()
        for thread in list(self._threads):
            thread.join(5)
        for sock in self._sockets:
            sock.close()

    def _spawn(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                client, _address = self._listener.accept()
                self.connections += 1
                self._sockets.append(client)
                try:
                    server = socket.create_connection(("127.0.0.1", self._target), 10)
                except OSError:
                    client.close()  # nobody is there: the client hears it
                    continue
                server.settimeout(None)
                self._sockets.append(server)
                for sock in (client, server):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._spawn(self._up, client, server)
                self._spawn(self._down, server, client)

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                self._flows.wait()
                server.sendall(data)
        self._close(client, server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                self._flows.wait()
                if self.cut_after and len(data) >= self.cut_from:
                    client.sendall(data[: self.cut_after])
                    self.cuts += 1
                    break
                while data and not self._ends.is_set():
                    client.sendall(data[: self.piece])
                    data = data[self.piece :]
                    if self.pause:
                        self._ends.wait(self.pause)
                    self._flows.wait()
        self._close(client, server)

    def _close(self, *sockets: socket.socket) -> None:
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
