"""The same storm on PostgreSQL, where the database dies as well: the daemon, a backend, or the whole server is killed.

A backend that is killed with SIGKILL makes PostgreSQL end all of its connections and recover; a killed postmaster is
started again by the test. Neither excuses that a mail is sent twice: what became of it is remembered until it can be
written down. On a desk of this kind mail of different people is handled side by side, so tickets are compared without
regard to which of them got which number.
"""

from __future__ import annotations

import os
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from mailbot.errors import StoreUnavailable
from mailbot.store.engine import Store
from tests.crash.conftest import MakeDesk
from tests.crash.desk import CrashDesk
from tests.crash.ledger import (
    Findings,
    Holdings,
    compare,
    holdings,
)
from tests.crash.test_random_kills import Storm
from tests.support.chaos_results import is_recording
from tests.support.loopback import until
from tests.support.postgres import Postgres

pytestmark = [pytest.mark.dovecot, pytest.mark.postgresql, pytest.mark.timeout(900)]

KILLS = 15 if is_recording() else 3
# Of each kill: the daemon, a backend, the server.
VICTIMS = ("daemon", "daemon", "backend", "server")
_NUMBER = re.compile(r"\b\d{5}\b")


class Server(Postgres):
    """A PostgreSQL that is killed. What it has confirmed is in its log, as it is on a server of an admin's."""

    def start(self) -> None:
        super().start()
        self.sql("ALTER SYSTEM SET synchronous_commit = on")
        self.sql("SELECT pg_reload_conf()")

    def kill_a_backend(self, url: str) -> bool:
        """SIGKILL for one that works for the desk; False where none does at this moment."""
        with closing(self._connect(url)) as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            found = connection.execute(query).fetchall()
        if not found:
            return False
        os.kill(found[0][0], signal.SIGKILL)
        return True

    def kill(self, url: str) -> None:
        """SIGKILL for the whole server, and a start as a supervisor would try it."""
        data = self.folder / "data"
        os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        until(lambda: self._starts(data), 60, "the server starts again, its old processes gone")
        until(lambda: self._answers(url), 60, "the server has recovered")

    def _starts(self, data: Path) -> bool:
        try:
            self.run("pg_ctl", "-D", str(data), "-w", "-l", str(self.folder / "log"), "start")
        except RuntimeError:
            return False
        return True

    def _answers(self, url: str) -> bool:
        try:
            with closing(self._connect(url)):
                return True
        except psycopg.OperationalError:
            return False

    def _connect(self, url: str) -> psycopg.Connection[Any]:
        address = make_url(url).set(drivername="postgresql").render_as_string(False)
        return psycopg.connect(address, autocommit=True)


class PatientDesk(CrashDesk):
    """One whose database may be away while somebody looks at it."""

    def busy(self, mails: int, store: Store) -> str:
        try:
            return super().busy(mails, store)
        except StoreUnavailable as error:
            return f"the database is away: {error}"

    def audit(self, expected: Holdings, written: list[bytes], store: Store) -> Findings:
        findings = super().audit({}, written, store)
        compare(without_numbers(expected), without_numbers(holdings(store)), findings)
        return findings


class DatabaseStorm(Storm):
    """Kills of all that can be killed."""

    def __init__(self, server: Server, desk: CrashDesk, seed: int, home: Path) -> None:
        super().__init__(desk, seed, home)
        self.server = server
        self.fell: Counter[str] = Counter()

    def rounds(self, kills: int) -> int:
        """Each second one kills the database, which is no kill of the desk's."""
        return 2 * kills + len(VICTIMS)

    def _die_after(self, at_most: float) -> None:
        victim = VICTIMS[sum(self.fell.values()) % len(VICTIMS)]
        self.fault = f"postgresql: {victim} killed at a random moment, under load"
        self.fell[victim] += 1
        if victim == "daemon":
            super()._die_after(at_most)
            return
        time.sleep(self.dice.uniform(0, at_most))
        if victim == "backend":
            self.server.kill_a_backend(self.desk.database_url)
            until(lambda: self.server._answers(self.desk.database_url), 60, "the server has recovered")
        else:
            self.server.kill(self.desk.database_url)
        self.desk.started_at = time.monotonic()

    def _judge(self, findings: Findings, seconds: float) -> None:
        if self.desk.kills == self._judged:
            self._judged -= 1  # a database that died counts as one as well
        super()._judge(findings, seconds)


def without_numbers(found: Holdings) -> Holdings:
    """The same, each ticket named by its requester, its title and which of several such it is."""
    rows = sorted(found["ticket"].elements(), key=lambda row: (str(row[2]), str(row[1]), row[0]))
    seen: Counter[tuple[object, object]] = Counter()
    names: dict[str, str] = {}
    for number, title, requester, *_ in rows:
        seen[requester, title] += 1
        names[str(number)] = f"{requester}/{title}/{seen[requester, title]}"

    def named(value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            return names.get(str(value), value)
        return _NUMBER.sub(lambda m: names.get(m[0], m[0]), value) if isinstance(value, str) else value

    return {
        kind: Counter({tuple(map(named, row)): count for row, count in rows.items()}) for kind, rows in found.items()
    }


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server(Path(tempfile.mkdtemp(prefix="mailbot-pg-")))
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("seed", range(1, 4) if is_recording() else [1])
@pytest.mark.slow
def test_nothing_is_lost_and_nothing_is_doubled(seed: int, server: Server, make_desk: MakeDesk, tmp_path: Path) -> None:
    with make_desk(kind=PatientDesk, database_url=server.create()) as desk:
        storm = DatabaseStorm(server, desk, seed, tmp_path / "reference")
        storm.rage(KILLS)
        assert desk.kills == KILLS and set(storm.fell) == set(VICTIMS)
