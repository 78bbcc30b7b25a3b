"""One IMAP connection with deadlines: the socket under imaplib, and imapclient on top of it.

In: `Endpoint`: host, port, a TLS context or none, timeouts. Out: `Client`, an `IMAPClient` whose every read has a
deadline. Standards: RFC 3501, RFC 2177 (IDLE).

imaplib documents `open`, `read`, `readline`, `send` and `shutdown` as the methods to override; they are, because
- its timeout applies to single reads, so a peer that sends a byte a minute blocks a command for ever: here the whole
  command has a deadline (`allowance`), which FETCH extends by the bytes that it expects;
- its lines are limited to 1,000,000 bytes, which a SEARCH over 150,000 mails exceeds;
- its buffer can't be examined, and an IDLE that only polls the socket misses the "EXISTS" that came in one packet with
  the "+".
imapclient sets imaplib's debug level to 5, which formats every literal for a log that is not written (two thirds of its
CPU time on FETCH), and would log whole mails: it is set back to 0.

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
from typing import Any, NamedTuple

from imapclient import IMAPClient

from mailbot.transport.tls import interrupt, keep_alive, readable

# The longest line: the UIDs of four million mails.
LONGEST_LINE = 32 * 1024 * 1024
# How many seconds a whole command may take, not counting the transfer of mail.
ALLOWANCE = 120.0
READ_CHUNK = 65536
# No mail is larger than this; a server that announces more is broken.
LONGEST_LITERAL = 1024 * 1024 * 1024


class Endpoint(NamedTuple):
    """Where to connect, and how long to wait."""

    host: str
    port: int
    context: ssl.SSLContext | None  #: TLS from the first byte, if given.
    connect_timeout: float
    read_timeout: float  #: Seconds of silence after which a server that owes an answer counts as dead.


class _Receiver(io.RawIOBase):
    """The raw side of the read buffer: each read waits at most `timeout` seconds, and never past `deadline`."""

    def __init__(self, sock: socket.socket, timeout: float) -> None:
        self.sock = sock
        self.timeout = timeout
        self.deadline = time.monotonic() + ALLOWANCE
        self.only_buffered = False
        self.heard_at = time.monotonic()

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int | None:  # any writable buffer, as RawIOBase has it
        if self.only_buffered:
            return None  # RawIOBase: nothing available at the moment
        left = self.deadline - time.monotonic()
        try:
            self.sock.settimeout(max(0.001, min(self.timeout, left)))
            size = self.sock.recv_into(target)
        except TimeoutError:
            if left < self.timeout:
                raise TimeoutError("it sends too slowly: its answer was not complete within the time for it") from None
            raise
        self.heard_at = time.monotonic()
        return size


class Wire(imaplib.IMAP4):
    """An imaplib connection that reads through `_Receiver`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._context = endpoint.context
        self._read_timeout = endpoint.read_timeout
        self.allowance = ALLOWANCE  #: Seconds for the next command.
        self.grown = False  #: Whether the server has announced mail (EXISTS) since this was last reset.
        super().__init__(endpoint.host, endpoint.port, endpoint.connect_timeout)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect (called by imaplib)."""
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
        self._receiver = _Receiver(sock, self._read_timeout)
        self._lines = io.BufferedReader(self._receiver, READ_CHUNK)

    def upgrade(self, context: ssl.SSLContext) -> None:
        """Issue STARTTLS (RFC 3501 §6.2.1). Raises imaplib's error if the server refuses."""
        kind, words = self._simple_command("STARTTLS")
        if kind != "OK":
            raise self.error(f"STARTTLS was refused: {words!r}")
        if self.buffered():
            # Bytes received before the handshake may not be the server's (response injection, CVE-2011-0411).
            raise self.abort("plain text followed the answer to STARTTLS: the connection may have been tampered with")
        self.sock.settimeout(self._read_timeout)
        self._read_from(context.wrap_socket(self.sock, server_hostname=self.host))
        self._tls_established = True
        self._get_capabilities()  # RFC 3501 §6.2.1: those known before are void

    def read(self, size: int) -> bytes:
        """Read a literal (called by imaplib)."""
        if size > LONGEST_LITERAL:
            raise self.abort(f"the server announced {size} bytes")
        found = self._lines.read(size)
        if len(found) < size:
            raise self.abort(f"socket error: EOF within a literal ({len(found)} of {size} bytes came)")
        return found

    def readline(self) -> bytes:
        """Read a line (called by imaplib)."""
        line = self._lines.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise self.abort(f"a line is longer than {LONGEST_LINE} bytes")
        return line

    def send(self, data: Any) -> None:  # any buffer, as imaplib has it
        """Send, and start the clock for the answer (called by imaplib)."""
        self.restart_clock()
        self.sock.settimeout(self.allowance)
        self.sock.sendall(data)

    def shutdown(self) -> None:
        """Close the socket (called by imaplib)."""
        with suppress(OSError):  # it may be shut down already
            self.sock.shutdown(socket.SHUT_RDWR)
        self._lines.close()
        self.sock.close()

    @property
    def heard_at(self) -> float:
        """When the last bytes were received (time.monotonic)."""
        return self._receiver.heard_at

    def restart_clock(self) -> None:
        """Allow `allowance` seconds for the answer, from now on."""
        self._receiver.deadline = time.monotonic() + self.allowance

    def buffered(self) -> bool:
        """Return whether the buffer holds bytes that were not parsed yet."""
        self._receiver.only_buffered = True
        try:
            return bool(self._lines.peek(1))
        finally:
            self._receiver.only_buffered = False

    def waiting(self) -> bool:
        """Return whether a line, or the end of the connection, can be read without waiting for the network."""
        return self.buffered() or readable(self.sock)

    def begin_idle(self) -> list[bytes]:
        """Issue IDLE and wait for the server's "+" (RFC 2177 §3); return untagged lines that came before it."""
        self._idle_tag = self._command("IDLE")
        before: list[bytes] = []
        while (line := self._get_response()) is not None:
            if self.tagged_commands.get(self._idle_tag):
                raise self.error(f"IDLE was refused: {line!r}")
            before.append(line)
            self._check_bye()
        return before

    def end_idle(self) -> list[bytes]:
        """Send DONE; return all lines up to the tagged answer."""
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
        """Drop unsolicited untagged responses, which imaplib accumulates until the next SELECT.

        EXISTS, which may come with any answer (RFC 3501 §5.2), is recorded in `grown`: the server sends it once.
        """
        self._check_bye()
        self.grown = self.grown or bool(self.untagged_responses.get("EXISTS"))
        self.untagged_responses.clear()


class Client(IMAPClient):  # type: ignore[misc]  # imapclient has no types
    """imapclient over a `Wire`."""

    _imap: Wire

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        super().__init__(
            endpoint.host,
            endpoint.port,
            ssl=endpoint.context is not None,
            ssl_context=endpoint.context,
            timeout=endpoint.read_timeout,
        )
        self._imap.debug = 0
        self.normalise_times = False  # else INTERNALDATE is naive, in this machine's zone

    def _create_IMAP4(self) -> Wire:
        return Wire(self._endpoint)

    @property
    def wire(self) -> Wire:
        """The connection below, for commands that imapclient has no method for."""
        return self._imap

    def upgrade(self, context: ssl.SSLContext) -> None:
        """Issue STARTTLS with a verifying context, keeping our own read buffer."""
        self._imap.upgrade(context)
        self._starttls_done = True

    def interrupt(self) -> None:
        """Shut the connection down while another thread waits for it."""
        interrupt(self._imap.sock)
