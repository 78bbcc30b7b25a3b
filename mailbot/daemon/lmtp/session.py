"""One LMTP connection (RFC 2033) on aiosmtpd: checks the envelope, reads the content, replies for each recipient.

In: the commands of a mail server. Out: a `ReceivedMail` for `LmtpHandler.receive`, whose reply is sent once for each
recipient (RFC 2033 §4.2). Standards: RFC 5321 (§4.4 trace fields, §4.5.2 dots), RFC 1870 (SIZE), RFC 2034 with RFC 3463
(enhanced codes), RFC 2920 (PIPELINING), RFC 6152 (8BITMIME), RFC 6531 (SMTPUTF8).

Two parts of aiosmtpd are replaced: its DATA replies once for all recipients, which leaves an LMTP client waiting for
the others, and keeps a Python object for each line; its address parser is slow on hostile text.
Never: a mail for an address that is not the desk's; a line that ends at a bare LF (a smuggled second mail); more than
one large mail in memory at a time.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from io import SEEK_END, BytesIO
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import Envelope, Session

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 20
MOST_RECIPIENTS = 100
# Timeouts for a silent client, and for the store.
IDLE_SECONDS, STORE_SECONDS = 120.0, 300.0
# Mails up to this size are read concurrently, larger ones one after the other.
LARGE = 1_000_000
_END, _ALONE = b"\r\n.\r\n", b".\r\n"
# RFC 5321 §4.1.2, as far as needed: a quoted or a plain local part; "" is the null path.
_PATH = re.compile(r'<((?:"(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f]){0,128}")?[^<>"\x00-\x20\x7f]{0,512})>[ ]*(.*)', re.DOTALL)
# Dovecot's LMTP proxy sends ORCPT even to servers that do not announce DSN (RFC 3461 §4); these are ignored.
_DSN = re.compile(r"(?<!\S)(?:ORCPT|NOTIFY|RET|ENVID)=\S{1,600}", re.IGNORECASE)
_BARE = re.compile(r"[245]\d\d (?!\d\.\d{1,3}\.\d{1,3})")
# Enhanced codes (RFC 3463) for replies that aiosmtpd sends without one.
_CODES = {
    "250": "2.0.0", "500": "5.5.2", "501": "5.5.4", "502": "5.5.1", "503": "5.5.1", "538": "5.7.11", "552": "5.3.4",
    "555": "5.5.4",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail with its envelope."""

    sender: str  #: "" is the null path.
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)  #: Begins with the trace fields.
    size: int  #: Without the trace fields.


@dataclass
class LmtpHandler:
    """What all connections share; aiosmtpd calls its `handle_…` methods (`Any`: aiosmtpd has no types)."""

    hostname: str
    largest: int  #: Bytes; larger mail is rejected.
    is_own: Callable[[str], bool]  #: Whether an address is one of the desk's.
    receive: Callable[[ReceivedMail], Awaitable[str]]  #: Stores a mail and returns the reply.
    sessions: set[LmtpSession] = field(default_factory=set)
    large: asyncio.Lock = field(default_factory=asyncio.Lock)  #: Held while a large mail is in memory.

    async def handle_EHLO(
        self, server: Any, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Return what LHLO announces; SIZE, 8BITMIME and SMTPUTF8 are already in `responses`."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250 ENHANCEDSTATUSCODES"]

    async def handle_MAIL(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept any sender."""
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender OK"

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept the desk's addresses, with any sub-address, and no others."""
        if not self.is_own(address):
            return f"550 5.1.1 <{address.encode('ascii', 'backslashreplace').decode()}>: no address of this desk"
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients, send the others again"  # RFC 5321 §4.5.3.1.10
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient OK"

    async def handle_exception(self, error: Exception) -> str:
        """Reply to a bug temporarily: the client keeps the mail."""
        log.error("LMTP: unexpected error; the sending server keeps the mail", exc_info=error)
        return "451 4.3.0 Local fault, try again later"


class LmtpSession(LMTP):
    """One connection."""

    # At most twice this is buffered unread; a line of a mail may be of any length.
    line_length_limit = 65_536

    _greets = False
    _holds_large = False

    def __init__(self, handler: LmtpHandler, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            handler, data_size_limit=handler.largest, enable_SMTPUTF8=True, hostname=handler.hostname,
            ident="mailbot LMTP", timeout=IDLE_SECONDS, loop=loop,
        )  # fmt: skip
        self._handler = handler

    def connection_made(self, transport: Any) -> None:
        """Count the connection."""
        self._handler.sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        self._handler.sessions.discard(self)
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        if len(self._handler.sessions) > MOST_CONNECTIONS:
            await self.push("421 4.3.2 Too many connections, try again later")
            self.leave()
            return
        await super()._handle_client()

    def leave(self) -> None:
        """Close once the buffer is sent."""
        if self.transport is not None:
            self.transport.close()

    def drop(self) -> None:
        """Close at once, discarding the buffer."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def push(self, status: Any) -> None:
        """Send a reply with its enhanced code (RFC 2034 §3: all but the greeting and that to LHLO)."""
        if isinstance(status, str) and not self._greets and not status.startswith("220") and _BARE.match(status):
            status = f"{status[:3]} {_CODES.get(status[:3], f'{status[0]}.0.0')} {status[4:]}"
        await super().push(status)

    async def smtp_LHLO(self, arg: str) -> None:
        """Greet as for EHLO (RFC 2033 §4.1)."""
        self._greets = True
        try:
            await super().smtp_LHLO(arg)
        finally:
            self._greets = False

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        found = _PATH.fullmatch(arg.strip()) if arg else None
        if found is None:
            return None, None
        return found[1] or "<>", _DSN.sub("", found[2])

    async def smtp_DATA(self, arg: str | None) -> None:
        """Read the content, and send one reply for each recipient (RFC 2033 §4.2)."""
        if await self.check_helo_needed("LHLO"):
            return
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        if arg:
            await self.push("501 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        recipients = tuple(envelope.rcpt_tos)
        try:
            reply = await self._receive(_sender(envelope), recipients)
        finally:
            if self._holds_large:
                self._handler.large.release()
                self._holds_large = False
        self.envelope = self._create_envelope()
        self._reset_timeout()
        await self.push("\r\n".join([reply] * len(recipients)))

    async def _receive(self, sender: str, recipients: tuple[str, ...]) -> str:
        trace = trace_fields(sender, recipients)
        content = await self._content(trace)
        if content is None:
            return f"552 5.3.4 The mail is larger than {self._handler.largest} bytes"
        self._reset_timeout(STORE_SECONDS)
        return await self._handler.receive(ReceivedMail(sender, recipients, content, len(content) - len(trace)))

    async def _content(self, trace: bytes) -> bytes | None:
        """Read up to the lone dot, undo dot-stuffing, prepend `trace`; return None if it was too large."""
        content = BytesIO(trace)
        content.seek(0, SEEK_END)
        size, tail = 0, b"\r\n"  # the bytes received, and the last of them
        while not (tail.endswith(_END) and size):
            try:
                piece = await self._reader.readuntil(_ALONE)
            except asyncio.LimitOverrunError as more:
                piece = await self._reader.read(more.consumed)
                self._reset_timeout()
            size += len(piece)
            if size > self._handler.largest + len(_END):
                content = BytesIO()
            else:
                # RFC 5321 §4.5.2: the first dot of a line that begins with one is removed, even if the line end and the
                # dot are in different pieces.
                content.write((tail[-2:] + piece).replace(b"\r\n.", b"\r\n")[2:])
            tail = (tail + piece)[-len(_END) :]
            if size > LARGE and not self._holds_large and size <= self._handler.largest + len(_END):
                await self._handler.large.acquire()
                self._holds_large = True
        if size > self._handler.largest + len(_END):
            return None
        content.truncate(content.tell() - len(b"\r\n"))  # what remains of the lone dot's line
        return content.getvalue()  # shares the buffer: a large mail is in memory once


def _sender(envelope: Envelope) -> str:
    return "" if envelope.mail_from == "<>" else str(envelope.mail_from)


def trace_fields(sender: str, recipients: tuple[str, ...]) -> bytes:
    """Return Return-Path, and Delivered-To for each address (RFC 5321 §4.4): they carry tokens and a null sender.

    No Received, which would contain a time: a mail without Message-ID that is sent again is recognised by its bytes.
    """
    lines = [f"Return-Path: <{sender}>", *(f"Delivered-To: {address}" for address in dict.fromkeys(recipients))]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")
