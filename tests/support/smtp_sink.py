"""A real SMTP server (aiosmtpd) on loopback that keeps what it gets, and refuses what its `replies` say.

`replies` maps a stage and an address to a reply: {"rcpt": {"no@sekolah.example": "550 5.1.1 unknown"}}. With a
certificate it speaks STARTTLS (or TLS from the first byte); with `account` it wants that log-in.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.certificate import Certificate
from tests.support.loopback import free_port


class _Session(SMTP):
    """One connection. Its transport is None before it has begun, and again when it has ended."""

    has_begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.has_begun = True


@dataclass
class Sink:
    """What came, and the server's rules; start it by `with`."""

    certificate: Certificate | None = None
    implicit_tls: bool = False
    account: tuple[str, str] | None = None
    replies: dict[str, dict[str, str]] = field(default_factory=dict)
    smtputf8: bool = True
    envelopes: list[Envelope] = field(default_factory=list)
    connections: int = 0
    _servers: list[_Session] = field(default_factory=list)
    port: int = field(default_factory=free_port)

    @property
    def contents(self) -> list[bytes]:
        """The mails, byte for byte."""
        return [bytes(envelope.original_content or b"") for envelope in self.envelopes]

    def __enter__(self) -> Sink:
        context = None
        if self.certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate.certificate, self.certificate.key)
        sink = self

        class Listener(Controller):
            def factory(self) -> SMTP:
                sink.connections += 1
                sink._servers.append(_Session(self.handler, **self.SMTP_kwargs))
                return sink._servers[-1]

        options: dict[str, Any] = {"enable_SMTPUTF8": self.smtputf8, "ident": "sink"}
        if self.implicit_tls:
            options |= {"ssl_context": context}
        elif context is not None:
            options |= {"tls_context": context, "require_starttls": True}
        if self.account is not None:
            options |= {
                "authenticator": self._authenticate,
                "auth_required": True,
                "auth_require_tls": True,
            }
        self._controller = Listener(self, hostname="127.0.0.1", port=self.port, **options)
        self._controller.start()
        self.connections = 0  # the controller itself tried whether the server answers
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # aiosmtpd leaves the sockets of open connections to the garbage collector, which complains.
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._controller.loop).result(5)
        self._controller.stop()

    async def _hang_up(self) -> None:
        assert isinstance(self._controller.server, asyncio.Server)
        for listener in self._controller.server.sockets:
            self._controller.loop.remove_reader(listener.fileno())
        await asyncio.sleep(0.01)  # one that was just let in has no session yet, and then for a moment no transport
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while not all(server.has_begun for server in self._servers):
                    await asyncio.sleep(0.005)
        for server in self._servers:
            # Under TLS the socket belongs to the transport from before STARTTLS.
            for transport in (server.transport, server._original_transport):
                if isinstance(transport, asyncio.WriteTransport):
                    transport.abort()
        await asyncio.sleep(0.01)

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == self.account
        return AuthResult(success=right, handled=False)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse, or note the sender."""
        refusal = self.replies.get("mail", {}).get(address)
        if refusal is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return refusal or "250 ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse, or note the recipient."""
        refusal = self.replies.get("rcpt", {}).get(address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Refuse, or keep the mail."""
        refusal = self.replies.get("data", {}).get(envelope.rcpt_tos[0])
        if refusal is None:
            self.envelopes.append(envelope)
        return refusal or "250 2.0.0 kept"
