"""Several `mailbot run` on one PostgreSQL desk, between a real Dovecot and an SMTP server: killed, stopped, cut off."""

from __future__ import annotations

import contextlib
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.contract.dovecot import Dovecot
from tests.contract.loopback import until
from tests.contract.postgres import Postgres
from tests.contract.smtp_sink import Sink
from tests.integration.people import ADDRESS, WIRE
from tests.integration.running_desk import RunningDesk

pytestmark = [pytest.mark.dovecot, pytest.mark.postgresql, pytest.mark.timeout(420)]

SECRET = "a secret that all workers of a desk share\n"


class Team:
    """Workers of one desk, each with a data folder of its own, as on hosts of their own."""

    def __init__(self, folder: Path, dovecot: Dovecot, sink: Sink, url: str, count: int, more: str = "") -> None:
        self.url = url
        self.dovecot, self.sink = dovecot, sink
        self.workers = []
        for nth in range(count):
            home = folder / f"host{nth}"
            (home / "data").mkdir(parents=True)
            (home / "data" / "secret.key").write_text(SECRET)
            (home / "data" / "secret.key").chmod(0o600)
            self.workers.append(RunningDesk(home, dovecot, sink, database_url=url, more=more))

    def start(self) -> None:
        for worker in self.workers:
            worker.start()
        for worker in self.workers:
            worker.logged("running", seconds=120)
        until(lambda: self.holder() is not None, 60, "somebody reads the mailbox")

    def query(self, statement: str) -> list[Any]:
        with psycopg.connect(make_url(self.url).set(drivername="postgresql").render_as_string(False)) as connection:
            return connection.execute(statement).fetchall()

    def holder(self, *, but: RunningDesk | None = None) -> RunningDesk | None:
        """The worker that reads the mailbox, by its lease."""
        rows = self.query("SELECT owner FROM lease WHERE name LIKE 'mailbox:%' AND until > clock_timestamp()")
        for worker in self.workers:
            names = worker.home / "data" / "worker-id"
            if rows and worker is not but and names.exists() and names.read_text() in rows[0][0]:
                return worker
        return None

    def write(self, nth: int, sender: str, subject: str, text: str, **headers: str) -> bytes:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, headers.pop("To", ADDRESS), subject
        mail["Message-ID"] = f"<{nth}.surat@sekolah.example>"
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        return mail.as_bytes(policy=WIRE)

    def reports(self, count: int, start: int = 0) -> None:
        nths = range(start, start + count)
        self.dovecot.append(
            "support", *(self.write(n, f"guru{n}@sekolah{n}.example", f"Lapor {n}", f"Isi {n}.") for n in nths)
        )

    def acknowledged(self) -> Counter[str]:
        kinds = (self.header(e, "X-Mailbot-Kind") == "acknowledgement" for e in list(self.sink.envelopes))
        return Counter(e.rcpt_tos[0] for e, is_one in zip(list(self.sink.envelopes), kinds, strict=False) if is_one)

    @staticmethod
    def header(envelope: Any, name: str) -> str:
        found = re.search(rf"(?im)^{name}: *([^\r\n]*)".encode(), bytes(envelope.original_content or b""))
        return found[1].decode() if found else ""

    def all_done(self, count: int, seconds: float = 150) -> None:
        """Every report has its ticket and one acknowledgement, once; the inbox is empty, the outbox sent."""
        try:
            until(lambda: len(self.acknowledged()) >= count, seconds, f"{count} acknowledgements")
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.trouble()}") from None
        waiting = "SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending')"
        until(lambda: self.query(waiting) == [(0,)], seconds, "everything is sent")
        until(lambda: self.dovecot.count("support") == 0, seconds, "the inbox is empty")
        doubles = {to: n for to, n in self.acknowledged().items() if n != 1}
        assert not doubles, doubles
        assert self.query("SELECT count(*), count(DISTINCT requester_email) FROM ticket") == [(count, count)]
        ids = [self.header(e, "Message-ID") for e in list(self.sink.envelopes)]
        assert len(ids) == len(set(ids))

    def trouble(self) -> str:
        states = self.query("SELECT state, count(*) FROM inbound GROUP BY 1")
        logs = "\n".join(worker.log()[-1500:] for worker in self.workers)
        return f"{len(self.acknowledged())} acknowledged, {states}, {logs}"

    def stop(self) -> None:
        for worker in self.workers:
            if worker.process is not None:
                worker.process.send_signal(signal.SIGCONT)
                worker.stop(signal.SIGKILL)


@pytest.fixture
def dovecot(server_home: Callable[[], Path]) -> Iterator[Dovecot]:
    with Dovecot(server_home()) as server:
        yield server


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server


@pytest.fixture
def team(tmp_path: Path, dovecot: Dovecot, sink: Sink, postgres: Postgres) -> Iterator[Callable[..., Team]]:
    with contextlib.ExitStack() as after:

        def make(count: int = 2, more: str = "") -> Team:
            made = Team(tmp_path, dovecot, sink, postgres.create(), count, more)
            after.callback(made.stop)
            made.start()
            return made

        yield make


def test_work_is_spread_and_each_mail_is_answered_once(team: Callable[..., Team]) -> None:
    desk = team(2)
    desk.reports(150)
    desk.all_done(150)
    assert desk.query("SELECT count(*) FROM claim") == [(0,)]
    assert desk.dovecot.count("support", "Mailbot/Processed") == 150
    for worker in desk.workers:
        assert worker.stop() == 0
    assert desk.query("SELECT count(*) FROM lease") == [(0,)]  # given back, so that nobody has to wait
