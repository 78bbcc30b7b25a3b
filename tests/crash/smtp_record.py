"""An SMTP server that remembers what it accepted: by connection and by life of the daemon, before it says 250.

It lives in the test's process, so nothing that happens to the daemon takes its memory away.
"""

from __future__ import annotations

import email.parser
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.smtp_sink import Sink


@dataclass(frozen=True, slots=True)
class Transaction:
    """One mail that was accepted. `life`: how often the daemon had been killed when the connection began."""

    connection: int
    life: int
    sender: str
    recipient: str
    message_id: str
    raw: bytes


@dataclass
class RecordingSink(Sink):
    """`accepted` grows with each 250 after a last dot; the test sets `life` before it starts a daemon again."""

    accepted: list[Transaction] = field(default_factory=list)
    life: int = 0
    _lives: dict[int, int] = field(default_factory=dict)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        # A connection's first MAIL: whoever gets as far as a whole mail from here on lives at this moment.
        self._lives.setdefault(self._servers.index(server), self.life)
        return await super().handle_MAIL(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        reply = await super().handle_DATA(server, session, envelope)
        if reply.startswith("250"):
            raw = bytes(envelope.original_content or b"")
            header = email.parser.BytesHeaderParser().parsebytes(raw)
            connection = self._servers.index(server)
            self.accepted.append(
                Transaction(
                    connection, self._lives[connection], envelope.mail_from or "", envelope.rcpt_tos[0],
                    str(header["Message-ID"]), raw,
                )
            )  # fmt: skip
        return reply
