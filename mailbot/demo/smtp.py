"""The SMTP server of the demo, for mailbot's mail and the people's alike.

In: SMTP on loopback (aiosmtpd). Out: mail to the desk in its IMAP inbox, mail to a person in their mailbox, each with
the trace fields of a mail server (RFC 5321 §4.4). Other recipients are rejected (550).
Never: relays anything to another machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

from mailbot.demo.background_server import HOST, BackgroundServer
from mailbot.demo.mails import Mailboxes
from mailbot.demo.people import BY_EMAIL, is_desk

MAX_SIZE = 40_000_000
HOST_NAME = "mx.helpdesk.example"


class EmbeddedSmtp(BackgroundServer):
    """An SMTP server on 127.0.0.1.

    `to_desk(raw, at)` puts a mail into the desk's inbox; `now` returns the simulated time.
    """

    def __init__(
        self, mailboxes: Mailboxes, to_desk: Callable[[bytes, datetime], None], now: Callable[[], datetime]
    ) -> None:
        super().__init__("demo-smtp")
        self._mailboxes = mailboxes
        self._to_desk = to_desk
        self._now = now
        self._sessions: WeakSet[SMTP] = WeakSet()

    async def opening(self) -> asyncio.Server:
        """Listen."""
        loop = asyncio.get_running_loop()

        def session() -> SMTP:
            protocol = SMTP(
                self, data_size_limit=MAX_SIZE, enable_SMTPUTF8=True, hostname=HOST_NAME, ident="demo", loop=loop
            )
            self._sessions.add(protocol)
            return protocol

        return await loop.create_server(session, HOST, self.port)

    async def closing(self) -> None:
        """Close every session."""
        for protocol in list(self._sessions):
            if protocol.transport is not None:
                protocol.transport.close()
        await asyncio.sleep(0)  # lets the transports notify their protocols

    async def handle_RCPT(  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept the desk and the people of the demo."""
        if not is_desk(address) and address.lower() not in BY_EMAIL:
            return f"550 5.1.1 <{address}>: nobody of that name in this demo"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Deliver to each recipient."""
        at = self._now()
        content: Any = envelope.content  # typed as bytes | str | None; bytes without decode_data
        for address in envelope.rcpt_tos:
            raw = _trace(envelope.mail_from or "", address, at) + content
            person = BY_EMAIL.get(address.lower())
            if person is not None:
                self._mailboxes.deliver(person, raw, at)
            else:
                # Waits for the IMAP server's loop in another thread; doing so here would block this loop.
                await asyncio.to_thread(self._to_desk, raw, at)
        return "250 2.0.0 OK"


def _trace(sender: str, recipient: str, at: datetime) -> bytes:
    """Return the trace fields of the delivering server: Return-Path, Delivered-To, Received."""
    return (
        f"Return-Path: <{sender}>\r\n"
        f"Delivered-To: {recipient}\r\n"
        f"Received: from localhost ([{HOST}]) by {HOST_NAME} with ESMTP\r\n"
        f"\tfor <{recipient}>; {format_datetime(at)}\r\n"
    ).encode("utf-8", "surrogateescape")
