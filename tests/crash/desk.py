"""A desk's process that gets killed, with eyes of its own on the mailbox, the database and what was sent.

The mailbox is read as files and the database through a store of the test's own, so that looking costs little and asks
nothing of the process under test. Several desks share one Dovecot: each has a user, and so an inbox, of its own.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from mailbot.runtime.clock import SystemClock
from mailbot.store import integrity
from mailbot.store.engine import Store
from tests.crash.ledger import (
    Findings,
    Holdings,
    compare,
    compare_folders,
    compare_sent,
    holdings,
)
from tests.crash.smtp_record import RecordingSink
from tests.support.loopback import until
from tests.support.people import (
    ACHA,
    ADDRESS,
    Sent,
)
from tests.support.running_desk import RunningDesk

FOLDERS = {"INBOX": "", "Mailbot/Processed": ".Mailbot.Processed", "Mailbot/Quarantine": ".Mailbot.Quarantine"}
# Mails that are known, that are not handled, that are to be sent; deadlines long past.
_TO_DO = text(
    "SELECT (SELECT count(*) FROM inbound), (SELECT count(*) FROM inbound WHERE state = 'received'),"
    " (SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending')),"
    " (SELECT count(*) FROM timer WHERE due_at < '2021-01-01 00:00:00')"
)
# Long enough for a machine that does much else; nothing here waits without looking.
PATIENCE = 120.0


@dataclass
class CrashDesk(RunningDesk):
    """`user`: its mailbox. `kills`: how often it has been killed; `started_at`: when it started last (monotonic)."""

    user: str = "support"
    kills: int = field(default=0, init=False)
    started_at: float = field(default=0.0, init=False)

    @property
    def record(self) -> RecordingSink:
        assert isinstance(self.sink, RecordingSink)
        return self.sink

    def write_config(self, **changed: Any) -> None:
        super().write_config(**changed)
        words = self.config.read_text(encoding="utf-8")
        self.config.write_text(words.replace('username = "support"', f'username = "{self.user}"'), encoding="utf-8")

    def start(self, *arguments: str) -> None:
        self.record.life = self.kills
        self.started_at = time.monotonic()
        super().start(*arguments)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.stop(signal.SIGKILL)
        self.kills += 1

    def write_to_it(self, subject: str) -> None:
        """Acha writes to this desk."""
        fields = {
            "From": ACHA,
            "To": ADDRESS,
            "Subject": subject,
            "Message-ID": f"<{subject.replace(' ', '.')}@sekolah>",
        }
        mail = "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\nIsi.\r\n"
        self.dovecot.append(self.user, mail.encode())

    def last_sent(self, recipient: str, kind: str, subject: str) -> Sent:
        for one in reversed(self.record.accepted):
            sent = Sent(one.sender, one.recipient, one.raw)
            if sent.recipient == recipient and sent.kind == kind and subject in sent["Subject"]:
                return sent
        raise AssertionError(f"no {kind} to {recipient} about {subject!r}")

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The desk's database, opened beside it."""
        with Store(self.database_url, clock=SystemClock(), data_dir=self.home / "data") as opened:
            yield opened

    def folders(self) -> dict[str, list[bytes]]:
        """All mail of the mailbox, folder by folder."""
        return {name: [file.read_bytes() for file in self._files(name)] for name in FOLDERS}

    def _files(self, folder: str) -> list[Path]:
        home = self.dovecot.maildir(self.user) / FOLDERS[folder]
        return [file for part in ("new", "cur") if (home / part).is_dir() for file in (home / part).iterdir()]

    def rest(self, mails: int, store: Store, patience: float = PATIENCE) -> float:
        """Wait until all is done that has to be done now, with `mails` taken in; seconds since the start."""

        try:
            until(lambda: not self.busy(mails, store) or self._ended(), patience, "the desk is at rest")
        except AssertionError as error:
            raise AssertionError(f"{self.busy(mails, store)}\n{self.log()[-3000:]}") from error
        assert not self._ended(), f"the daemon ended: {self.log()[-3000:]}"
        return time.monotonic() - self.started_at

    def busy(self, mails: int, store: Store) -> str:
        """What there is to do still, until `mails` were taken in and all of it was worked off; "" at rest."""
        if waiting := len(self._files("INBOX")):
            return f"{waiting} mails in the inbox"
        with store.reading() as connection:
            known, raw, out, due = connection.execute(_TO_DO).one()
        if (known, raw, out, due) == (mails, 0, 0, 0):
            return ""
        return f"known {known} of {mails}, not handled {raw}, to be sent {out}, timers due {due}"

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def audit(self, expected: Holdings, written: list[bytes], store: Store) -> Findings:
        """Everything that can be compared, compared."""
        findings = Findings()
        compare(expected, holdings(store), findings)
        compare_folders(written, self.folders(), findings)
        compare_sent(store, self.record.accepted, self.kills, findings)
        findings.wrong += [f"db check: {line}" for line in integrity.check(store)]
        return findings
