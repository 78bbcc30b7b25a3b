"""The demo's simulation: people, a mail server, the real desk with its daemon, and an adjustable clock.

    person ── SMTP ──▶ EmbeddedSmtp ──▶ IMAP inbox ──▶ mailbot's daemon ── SMTP ──▶ EmbeddedSmtp ──▶ person's mailbox

In: commands of the page and the tour. Out: mail and tickets. Everything is in a temporary folder and on free ports of
127.0.0.1, and is removed by `stop`. Never: a rule of the desk.
"""

from __future__ import annotations

import logging
import smtplib
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mailbot.config.model import AgentSettings, HelpdeskSettings, ImapSettings, Settings, SmtpSettings, StorageSettings
from mailbot.daemon.app import Daemon
from mailbot.demo.background_server import HOST
from mailbot.demo.imap import EmbeddedImap
from mailbot.demo.mail_client import Outgoing
from mailbot.demo.mails import ChangeNotifier, DemoMail, Mailboxes
from mailbot.demo.people import DESK_ADDRESS, DESK_BRAND, DESK_NAME, PEOPLE, Person
from mailbot.demo.smtp import EmbeddedSmtp
from mailbot.desk.wiring import Desk, open_desk
from mailbot.runtime.clock import ScaledClock
from mailbot.store import queries

log = logging.getLogger(__name__)

# A Monday morning within service hours (09:00 WIB), with no holiday in that week.
START = datetime(2025, 11, 24, 2, 0, tzinfo=UTC)
FIRST_TICKET = 12345
INBOX_USER = "support"
INBOX_PASSWORD = "only-on-this-machine"
# The clock can't stop; one simulated second in nearly three hours looks like it.
PAUSED = 0.0001
FASTEST = 50_000.0


class Simulation:
    """One run of the demo; a context manager, or `start()` and `stop()` it."""

    def __init__(self, speed: float = 1.0) -> None:
        self.clock = ScaledClock(START, speed)
        self.changes = ChangeNotifier()
        self.mailboxes = Mailboxes(self.changes)
        self._folder = tempfile.TemporaryDirectory(prefix="mailbot-demo-", ignore_cleanup_errors=True)
        self._imap = EmbeddedImap({INBOX_USER: INBOX_PASSWORD})
        self._smtp = EmbeddedSmtp(self.mailboxes, self._to_inbox, self.clock.now)
        self._desk: Desk | None = None
        self._daemon: Daemon | None = None

    @property
    def desk(self) -> Desk:
        """The desk, while the simulation runs."""
        if self._desk is None:
            raise RuntimeError("the demo's simulation is not running")
        return self._desk

    @property
    def mail_ports(self) -> tuple[int, int]:
        """(IMAP, SMTP) ports on 127.0.0.1."""
        return self._imap.port, self._smtp.port

    def start(self) -> None:
        """Start the mail servers, then the desk, then its daemon."""
        self._imap.start()
        self._smtp.start()
        self._desk = open_desk(self._settings(), clock=self.clock)
        self._daemon = Daemon(self._desk)
        self._daemon.start()

    def stop(self) -> None:
        """Stop everything in the opposite order; remove the folder."""
        if self._daemon is not None:
            self._daemon.stop()
        if self._desk is not None:
            self._desk.close()
        self._daemon = self._desk = None
        self._smtp.stop()
        self._imap.stop()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # The clock

    def set_speed(self, speed: float) -> None:
        """Set how many simulated seconds pass in a real one, from `PAUSED` to `FASTEST`."""
        self.clock.set_speed(min(max(speed, PAUSED), FASTEST))
        self._clock_changed()

    def jump(self, span: timedelta) -> None:
        """Set the clock ahead."""
        self.clock.advance(span)
        self._clock_changed()

    def _clock_changed(self) -> None:
        if self._daemon is not None:
            self._daemon.wake()
        self.changes.notify()

    # Mail

    def send(self, writer: Person, mail: Outgoing) -> DemoMail:
        """Send a person's mail to the SMTP server, and keep it in their mailbox. Raises smtplib's errors."""
        with smtplib.SMTP(HOST, self._smtp.port, timeout=30) as connection:
            connection.sendmail(mail.sender, mail.recipients, mail.raw)
        return self.mailboxes.keep_sent(writer, mail.raw, self.clock.now())

    def folders(self) -> dict[str, int]:
        """Return the desk's IMAP folders with the number of mails in each."""
        return self._imap.counts(INBOX_USER)

    def _to_inbox(self, raw: bytes, at: datetime) -> None:
        self._imap.append(raw, INBOX_USER, at=at)
        self.changes.notify()

    # Tickets

    def tickets(self) -> list[dict[str, Any]]:
        """Return what `mailbot ticket list --json` prints."""
        return [ticket.as_json() for ticket in queries.list_tickets(self.desk.store)]

    def ticket(self, number: int) -> dict[str, Any] | None:
        """Return what `mailbot ticket show N --json` prints; None if there is no such ticket."""
        found = queries.show_ticket(self.desk.store, number)
        return found.as_json() if found is not None else None

    def _settings(self) -> Settings:
        imap, smtp = self.mail_ports
        return Settings(
            helpdesk=HelpdeskSettings(
                name=DESK_NAME, brand=DESK_BRAND, address=DESK_ADDRESS, first_ticket_number=FIRST_TICKET
            ),
            storage=StorageSettings(data_dir=Path(self._folder.name)),
            imap=ImapSettings(
                host=HOST,
                port=imap,
                security="none",
                username=INBOX_USER,
                password=INBOX_PASSWORD,
                poll_interval=timedelta(seconds=2),
            ),
            smtp=SmtpSettings(host=HOST, port=smtp, security="none"),
            agents=tuple(AgentSettings(name=p.name, email=p.email) for p in PEOPLE if p.agent),
        )
