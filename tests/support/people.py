"""A whole desk in this process, with people who write to it and a clock that a test moves.

Everything is real but the network: mail is fed in where the inbox reader would, and taken out where the SMTP server
would get it. Used for the rules of the desk; the servers have tests of their own.
"""

from __future__ import annotations

import atexit
import email.policy
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from mailbot.config.model import Settings
from mailbot.desk.helpdesk import Ingested
from mailbot.desk.wiring import open_desk
from mailbot.mail.compose.streaming import Outgoing
from mailbot.runtime.clock import ManualClock
from mailbot.store.queries import (
    list_outbox,
    list_quarantine,
    list_tickets,
    show_ticket,
)
from mailbot.transport.smtp.submission import (
    Accepted,
    Deferred,
    Rejected,
)

ADDRESS = "support@helpdesk.example"
ACHA = "acha@sekolah.example"
SALLY = "sally@helpdesk.example"
BUDI = "budi@helpdesk.example"
MONDAY = datetime(2025, 11, 3, 3, 0, tzinfo=UTC)  # 10:00 WIB
WIRE = email.policy.SMTP.clone(max_line_length=998)


@dataclass(frozen=True)
class Sent:
    """One mail that left the desk."""

    envelope_from: str
    recipient: str
    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)  # type: ignore[return-value]

    def __getitem__(self, header: str) -> str:
        return str(self.message.get(header, ""))

    @property
    def kind(self) -> str:
        return self["X-Mailbot-Kind"]

    @cached_property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return str(part.get_content()) if part else ""

    @property
    def files(self) -> dict[str, bytes]:
        return {str(a.get_filename()): a.get_content() for a in self.message.iter_attachments()}


Verdict = Callable[[Sent], Accepted | Deferred | Rejected]


@lru_cache
def prepared() -> Path:
    """A desk's folder as its first start leaves it (schema, key, compiled templates): tests start from copies."""
    folder = Path(tempfile.mkdtemp(prefix="mailbot-prepared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings = Settings(helpdesk={"first_ticket_number": 12345}, storage={"data_dir": str(folder)})
    with open_desk(settings, clock=ManualClock(MONDAY)) as desk:
        assert desk.store.desk_id == 1
    return folder


class TryDesk:
    """The desk under test. `verdict` decides what the SMTP server says to each mail."""

    def __init__(
        self, folder: Path, database_url: str = "", start: datetime = MONDAY, durable: bool = True, **tables: Any
    ) -> None:
        agents = tables.pop("agents", None) or [
            {"name": "Sally", "email": SALLY},
            {"name": "Budi", "email": BUDI, "role": "lead"},
        ]
        helpdesk = {"first_ticket_number": 12345} | tables.pop("helpdesk", {})
        storage = {"data_dir": str(folder), "database_url": database_url}
        self.settings = Settings(helpdesk=helpdesk, storage=storage, agents=agents, **tables)
        self.clock = ManualClock(start)
        if helpdesk["first_ticket_number"] == 12345 and not (folder / "mailbot.db").exists():
            leave_out = shutil.ignore_patterns("mailbot.db*") if database_url else None
            shutil.copytree(prepared(), folder, dirs_exist_ok=True, ignore=leave_out)
        self.desk = open_desk(self.settings, clock=self.clock, durable=durable)
        self.sent: list[Sent] = []
        self.verdict: Verdict = lambda mail: Accepted("250 ok")
        self._count = 0

    def close(self) -> None:
        self.desk.close()

    # people

    def write(
        self, sender: str, subject: str, text: str = "", *, to: str = ADDRESS, cc: str = "",
        files: Sequence[tuple[str, bytes]] = (), headers: dict[str, str] | None = None, deliver: bool = True,
    ) -> Ingested:  # fmt: skip
        """A mail of somebody arrives, is handled, and what comes of it is sent."""
        self._count += 1
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        if cc:
            mail["Cc"] = cc
        mail["Message-ID"] = f"<{self._count}.surat@sekolah.example>"
        mail["Date"] = format_datetime(self.clock.now())
        for name, value in (headers or {}).items():
            mail[name] = value
        mail.set_content(text)
        for name, content in files:
            mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
        return self.feed(mail.as_bytes(policy=WIRE), deliver=deliver)

    def feed(self, raw: bytes, *, deliver: bool = True) -> Ingested:
        done = self.desk.helpdesk.ingest(raw)
        if deliver:
            self.deliver()
        return done

    def reply(
        self, to: Sent, sender: str, text: str, *, subject: str = "", reply_to: str = "", references: bool = True,
        **more: Any,
    ) -> Ingested:  # fmt: skip
        """A reply as Gmail makes it."""
        quoted = "\n".join("> " + line for line in to.text.splitlines())
        body = f"{text}\n\nPada tanggal Sen, 3 Nov 2025 pukul 15.10 Helpdesk BOSP <{ADDRESS}> menulis:\n\n{quoted}\n"
        headers = dict(more.pop("headers", {}))
        if references:
            headers |= {
                "In-Reply-To": to["Message-ID"],
                "References": f"{to['References']} {to['Message-ID']}".strip(),
            }
        address = reply_to or getaddresses([to["Reply-To"]])[0][1]
        return self.write(sender, subject or f"Re: {to['Subject']}", body, to=address, headers=headers, **more)

    # the desk

    def deliver(self) -> None:
        """Send what is due; the server says what `verdict` says."""
        while self.desk.delivery.deliver_due(self).tried:
            continue

    def send(self, envelope_from: str, recipient: str, raw: bytes | Outgoing) -> Accepted | Deferred | Rejected:
        mail = Sent(envelope_from, recipient, bytes(raw))
        said = self.verdict(mail)
        if isinstance(said, Accepted):
            self.sent.append(mail)
        return said

    def pass_time(self, **span: float) -> None:
        """Time goes by; what is due happens."""
        self.clock.advance(timedelta(**span))
        self.desk.helpdesk.fire_due_timers()
        self.deliver()

    # what came of it

    def to(self, recipient: str, kind: str = "") -> list[Sent]:
        return [m for m in self.sent if m.recipient == recipient and (not kind or m.kind == kind)]

    def to_domain(self, domain: str) -> list[Sent]:
        return [m for m in self.sent if m.recipient.endswith(f"@{domain}")]

    def last(self, recipient: str, kind: str = "") -> Sent:
        found = self.to(recipient, kind)
        assert found, f"no {kind or 'mail'} to {recipient}; sent: {[(m.recipient, m.kind) for m in self.sent]}"
        return found[-1]

    def ticket(self, number: int = 12345) -> dict[str, Any]:
        found = show_ticket(self.desk.store, number)
        assert found is not None, f"no ticket {number}"
        return found.as_json()

    def numbers(self) -> list[int]:
        return sorted(t.as_json()["number"] for t in list_tickets(self.desk.store, limit=1000))

    def quarantine(self) -> list[Any]:
        return list(list_quarantine(self.desk.store))

    def outbox(self) -> list[Any]:
        return list(list_outbox(self.desk.store))

    # short cuts

    def opened(
        self, sender: str = ACHA, subject: str = "Tidak bisa tutup BKU", text: str = "BKU Oktober.", **more: Any
    ) -> int:
        number = self.write(sender, subject, text, **more).ticket
        assert number is not None
        return number

    def answered(self, text: str = "Mohon kirim tangkapan layar.", agent: str = SALLY) -> Sent:
        """An agent answers the newest notification; the answer that Acha got."""
        self.reply(self.last(agent, "notification"), agent, text)
        return self.last(ACHA)
