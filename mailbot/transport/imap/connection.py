"""One IMAP connection with deadlines: the socket under imaplib, and imapclient on top of it.

In: host, port, a TLS context or none, how long to be patient. Out: `Client`, an `IMAPClient` whose every read ends by a
deadline. Standards: RFC 3501, RFC 2177 (IDLE).

imaplib documents `open`, `read`, `readline`, `send` and `shutdown` as the methods to override; they are, because
- its time-out counts single reads, so a peer that sends a byte a minute holds a command for ever: here the whole
  command has a deadline (`allowance`), which the fetch lane raises with the bytes that it expects;
- its lines end at 1,000,000 bytes, which a SEARCH over 150,000 mails exceeds;
- its buffer can't be asked whether it holds something, and an IDLE that only looks at the socket then misses the
  "EXISTS" that came in one packet with the "+".
imapclient sets imaplib's debug level to 5, which formats every literal for a log that nobody reads (two thirds of its
CPU on FETCH), and would log whole mails: it is set back to 0.

Never: any knowledge of folders or of mail; a thread. One connection belongs to one thread; only `interrupt` may be
called from another.
"""

from __future__ import annotations

import imaplib
import io
import socket
import ssl
import time
from contextlib import suppress
from typing import Any

from imapclient import IMAPClient

from mailbot.transport.tls import keep_alive, readable

# A line is at most this long: the UIDs of four million mails.
LONGEST_LINE = 32 * 1024 * 1024
# How long a whole command may take, seconds, before what it fetches is added.
ALLOWANCE = 120.0
READ_CHUNK = 65536
# A server that announces more than this for one mail is out of its mind.
LONGEST_LITERAL = 1024 * 1024 * 1024


class _Receiver(io.RawIOBase):
    """The raw side of the read buffer: each read waits at most `patience` seconds, and never past `deadline`."""

    def __init__(self, sock: socket.socket, patience: float) -> None:
        self.sock = sock
        self.patience = patience
        self.deadline = time.monotonic() + ALLOWANCE
        self.only_buffered = False
        self.heard_at = time.monotonic()

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int | None:
        if self.only_buffered:
            return None  # what RawIOBase says for "nothing at the moment"
        left = self.deadline - time.monotonic()
        try:
            self.sock.settimeout(max(0.001, min(self.patience, left)))
            size = self.sock.recv_into(target)
        except TimeoutError:
            if left < self.patience:
                raise TimeoutError("it sends too slowly: its answer was not complete within the time for it") from None
            raise
        self.heard_at = time.monotonic()
        return size


class Wire(imaplib.IMAP4):
    """An imaplib connection that reads through `_Receiver`. `context` given: TLS from the first byte."""

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext | None, connect_within: float, patience: float
    ) -> None:
        self._context = context
        self._patience = patience
        self.allowance = ALLOWANCE
        self.grown = False
        super().__init__(host, port, connect_within)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host = host
        self.port = port
        sock = socket.create_connection((host, port), timeout)
        try:
            keep_alive(sock)
            self._read_from(self._context.wrap_socket(sock, server_hostname=host) if self._context else sock)
        except BaseException:
            sock.close()
            raise

    def _read_from(self, sock: socket.socket) -> None:
        self.sock = sock
        self._receiver = _Receiver(sock, self._patience)
        self._lines = io.BufferedReader(self._receiver, READ_CHUNK)

    def upgrade(self, context: ssl.SSLContext) -> None:
        """STARTTLS (RFC 3501 §6.2.1). Raises imaplib's error where the server refuses."""
        kind, words = self._simple_command("STARTTLS")
        if kind != "OK":
            raise self.error(f"STARTTLS was refused: {words!r}")
        if self.buffered():
            # Bytes that came before the handshake are not the server's word (response injection, CVE-2011-0411).
            raise self.abort("plain text followed the answer to STARTTLS: somebody tampers with the connection")
        self.sock.settimeout(self._patience)
        self._read_from(context.wrap_socket(self.sock, server_hostname=self.host))
        self._tls_established = True
        self._get_capabilities()  # RFC 3501 §6.2.1: what was known before is void

    def read(self, size: int) -> bytes:
        if size > LONGEST_LITERAL:
            raise self.abort(f"the server announced {size} bytes")
        found = self._lines.read(size)
        if len(found) < size:
            raise self.abort(f"socket error: EOF within a literal ({len(found)} of {size} bytes came)")
        return found

    def readline(self) -> bytes:
        line = self._lines.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise self.abort(f"a line is longer than {LONGEST_LINE} bytes")
        return line

    def send(self, data: Any) -> None:
        self.restart_clock()
        self.sock.settimeout(self.allowance)
        self.sock.sendall(data)

    def shutdown(self) -> None:
        with suppress(OSError):  # it may be cut already, and closing is all that is wanted
            self.sock.shutdown(socket.SHUT_RDWR)
        self._lines.close()
        self.sock.close()

    @property
    def heard_at(self) -> float:
        """When the last bytes came (time.monotonic)."""
        return self._receiver.heard_at

    def restart_clock(self) -> None:
        """From now on the answer may take `allowance` seconds."""
        self._receiver.deadline = time.monotonic() + self.allowance

    def buffered(self) -> bool:
        """Whether bytes were read from the socket that nobody has looked at yet."""
        self._receiver.only_buffered = True
        try:
            return bool(self._lines.peek(1))
        finally:
            self._receiver.only_buffered = False

    def waiting(self) -> bool:
        """Whether a line, or the end of the connection, can be read without waiting for the network."""
        return self.buffered() or readable(self.sock)

    def begin_idle(self) -> list[bytes]:
        """IDLE until the server agrees (RFC 2177 §3); untagged lines that came before its "+" are returned."""
        self._idle_tag = self._command("IDLE")
        before: list[bytes] = []
        while (line := self._get_response()) is not None:
            if self.tagged_commands.get(self._idle_tag):
                raise self.error(f"IDLE was refused: {line!r}")
            before.append(line)
            self._check_bye()
        return before

    def end_idle(self) -> list[bytes]:
        """DONE, and all lines that came up to the tagged answer."""
        self.send(b"DONE\r\n")
        lines: list[bytes] = []
        while True:
            line = self._get_response()
            if self.tagged_commands.get(self._idle_tag):
                kind, words = self._get_tagged_response(self._idle_tag)
                if kind != "OK":
                    raise self.error(f"IDLE ended with {kind}: {words!r}")
                return lines
            if line is not None:
                lines.append(line)
            self._check_bye()

    def forget(self) -> None:
        """Drop untagged responses that nobody asked for: imaplib keeps each of them until the next SELECT.

        EXISTS, which may come with any answer (RFC 3501 §5.2), is noted in `grown`: the server says it once.
        """
        self._check_bye()
        self.grown = self.grown or bool(self.untagged_responses.get("EXISTS"))
        self.untagged_responses.clear()


class Client(IMAPClient):  # type: ignore[misc]  # imapclient has no types
    """imapclient over a `Wire`."""

    _imap: Wire

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext | None, connect_within: float, patience: float
    ) -> None:
        self._wire_arguments = (host, port, context, connect_within, patience)
        super().__init__(host, port, ssl=context is not None, ssl_context=context, timeout=patience)
        self._imap.debug = 0
        self.normalise_times = False  # else INTERNALDATE comes naive, in this machine's zone

    def _create_IMAP4(self) -> Wire:
        return Wire(*self._wire_arguments)

    @property
    def wire(self) -> Wire:
        """The connection below, for the lanes that imapclient has no call for."""
        return self._imap

    def upgrade(self, context: ssl.SSLContext) -> None:
        """STARTTLS with a verifying context, over our own read buffer."""
        self._imap.upgrade(context)
        self._starttls_done = True

    def interrupt(self) -> None:
        """End whatever another thread reads from this connection: it gets a network fault at once."""
        with suppress(OSError):  # cut already
            # Not the method of SSLSocket, which takes the TLS session away under the thread that reads from it.
            socket.socket.shutdown(self._imap.sock, socket.SHUT_RDWR)
