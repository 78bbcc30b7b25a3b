"""How much more do several workers do? Throughput of one desk with 1, 2 and 4 `mailbot run` on one machine.

    python -m bench.speed.workers [--mails 400] [--workers 1 2 4] [--rounds 2] [--write]

A PostgreSQL that waits for its disk (fsync on), a Dovecot with the backlog in it, an SMTP server that takes everything
and looks whether a Message-ID comes twice; all on loopback, all of this machine. Full work: each mail of the mix
(corpus.py) stored, understood, made a ticket or put to one of 100 earlier ones, acknowledged in text and HTML (a
reply: told to its agent, so that one mail goes out for each that came in), the mail out accepted, the mail in moved.
The desk with the earlier tickets is made once; each turn has a copy of its database and a mailbox of its own, and the
numbers of workers take turns, `--rounds` times.

Measured from the first mail out to the last. CPU is what the kernel counted for a process and its descendants, also
those that have ended meanwhile; beside it how busy the whole machine was: where that is 100 %, it is the limit.
"""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text

from bench.speed import corpus
from bench.speed.products import AGENT, MailbotDesk, Servers, here
from bench.speed.sink import Sink
from bench.support import machine, report
from tests.support import postgres as pg
from tests.support.dovecot import Dovecot

EARLIER = 100
LOOK_SECONDS = 0.02
# A turn that takes longer than a second for each mail hangs.
PATIENCE_SECONDS = 60
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "128MB"}
TICKS = os.sysconf("SC_CLK_TCK")
# Whose CPU is counted.
PARTS = ("workers", "PostgreSQL", "Dovecot", "SMTP server")


@dataclass(frozen=True, slots=True)
class Turn:
    """One number of workers, once. `cpu`: ms a mail, for each of `PARTS`; `busy`: of the machine, in per cent;

    `database`, `raw`: what it grew by, bytes a mail.
    """

    workers: int
    rate: float
    cpu: tuple[float, ...]
    busy: float
    database: float
    raw: float


@dataclass(frozen=True)
class Place:
    """What all turns have in common. `prepared`: the database that they copy."""

    folder: Path
    server: pg.Postgres
    servers: Servers
    sink: Sink
    prepared: str

    def environment(self, url: str) -> dict[str, str]:
        return here() | {"MAILBOT_STORAGE__DATABASE_URL": url}

    def desk(self, name: str) -> Path:
        """A worker's folder, with the key that all share."""
        folder = self.folder / name
        (folder / "data").mkdir(parents=True)
        key = folder / "data" / "secret.key"
        key.write_text("a secret that all workers of a desk share\n")
        key.chmod(0o600)
        return folder


def busy() -> tuple[float, float]:
    """Seconds of CPU that this machine has spent, and has had, since it started."""
    parts = [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(parts) - parts[3] - parts[4]) / TICKS, sum(parts) / TICKS


@contextmanager
def place() -> Iterator[Place]:
    """The servers, and a desk with earlier tickets, which are an agent's."""
    if not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        sys.exit("there is no PostgreSQL on this machine (Debian's postgresql), and several workers need one")
    folder = Path(tempfile.mkdtemp(prefix="mailbot-bench-"))
    folder.chmod(0o755)
    (folder / "dovecot").mkdir(mode=0o755)
    pg._SETTINGS |= DURABLE
    server = pg.Postgres(Path(tempfile.mkdtemp(prefix="mailbot-pg-")))
    server.start()
    try:
        with Dovecot(folder / "dovecot") as dovecot, Sink(identify=True) as sink:
            found = Place(folder, server, Servers(dovecot, sink.port), sink, server.create())
            dovecot.append("earlier", *(mail.raw for mail in corpus.mails(0, earlier=EARLIER)))
            desk = found.desk("earlier")
            command = MailbotDesk("", "none").command(desk, found.servers, "earlier", "run", "--once")
            cost = machine.run(command, environment=found.environment(found.prepared), log=desk / "log")
            assert cost.code == 0, (desk / "log").read_text()[-2000:]
            engine = create_engine(found.prepared)
            with engine.begin() as connection:
                connection.execute(text("UPDATE ticket SET agent = :agent"), {"agent": AGENT})
            engine.dispose()  # a database that somebody is in can't be copied
            yield found
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def turn(at: Place, count: int, mails: int, name: str) -> Turn:
    """So many workers take in a backlog."""
    url = at.server.create(at.prepared.partition("@/")[2].partition("?")[0])
    before = _sizes(url)
    backlog = list(corpus.mails(mails, earlier=EARLIER))[EARLIER:]
    at.servers.dovecot.append(name, *(mail.raw for mail in backlog))
    at.sink.count()
    at.sink.ids.clear()
    desks = [at.desk(f"{name}-{nth}") for nth in range(count)]
    product = MailbotDesk("", "none")
    workers = []
    try:
        for desk in desks:
            with (desk / "log").open("wb") as log:
                command = [str(part) for part in product.command(desk, at.servers, name, "run")]
                workers.append(subprocess.Popen(command, env=at.environment(url), stdout=log, stderr=log))
        pids = [[worker.pid for worker in workers], *_servers(at)]
        done, rate, spent, share = _watched(at, pids, mails)
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        codes = [worker.wait(30) for worker in workers]
    logs = "\n".join((desk / "log").read_text()[-1000:] for desk in desks)
    at.sink.count()
    assert not any(codes), f"exit codes {codes}: {logs}"
    ids = Counter(at.sink.ids)
    assert len(ids) == ids.total() == mails, f"{ids.total()} mails out, {len(ids)} different, for {mails}: {logs}"
    after = _sizes(url)
    grown = [(now - was) / mails for now, was in zip(after, before, strict=True)]
    return Turn(count, rate, tuple(1000 * seconds / done for seconds in spent), 100 * share, *grown)


def _watched(at: Place, pids: Sequence[Sequence[int]], mails: int) -> tuple[int, float, list[float], float]:
    """From the first mail out to the last: how many, mails a second, CPU of each part, share of the machine."""
    ends = time.monotonic() + PATIENCE_SECONDS + mails
    out = already = 0
    while not out:
        time.sleep(LOOK_SECONDS)
        out = already = at.sink.count().total()
        assert time.monotonic() < ends, "nothing went out"
    begun, before, (used, had) = time.monotonic(), [sum(map(machine.cpu, some)) for some in pids], busy()
    while out < mails:
        time.sleep(LOOK_SECONDS)
        out += at.sink.count().total()
        assert time.monotonic() < ends, f"only {out} mails went out for {mails}"
    lasted, (used_now, had_now) = time.monotonic() - begun, busy()
    spent = [sum(map(machine.cpu, some)) - was for some, was in zip(pids, before, strict=True)]
    return out - already, (out - already) / lasted, spent, (used_now - used) / (had_now - had)


def _servers(at: Place) -> tuple[list[int], list[int], list[int]]:
    """Of PostgreSQL, Dovecot and the SMTP server the process that all others descend from."""
    postmaster = int((at.server.folder / "data" / "postmaster.pid").read_text().split()[0])
    master = int((at.servers.dovecot.home / "run" / "master.pid").read_text())
    return [postmaster], [master], [at.sink.pid]


def _sizes(url: str) -> tuple[int, int]:
    """Bytes of the database, and of the raw mail in it."""
    engine = create_engine(url)
    with engine.connect() as connection:
        whole = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        raw = connection.execute(text("SELECT pg_total_relation_size('raw_mail')")).scalar_one()
    engine.dispose()
    return int(whole), int(raw)


def measure(numbers: Sequence[int], mails: int, rounds: int) -> list[Turn]:
    """All turns."""
    found = []
    with place() as at:
        for nth in range(rounds):
            for count in numbers:
                found.append(done := turn(at, count, mails, f"w{count}-{nth}"))
                cpu = ", ".join(f"{part} {ms:.1f}" for part, ms in zip(PARTS, done.cpu, strict=True))
                print(
                    f"round {nth + 1}, {count} workers: {done.rate:.1f} mails/s, ms CPU a mail: {cpu}; machine "
                    f"{done.busy:.0f} % busy",
                    flush=True,
                )
    return found


def section(found: Sequence[Turn], mails: int, rounds: int, command: str) -> str:
    """The table and the plot."""
    rows, bars = [], []
    numbers = list(dict.fromkeys(turn.workers for turn in found))
    alone = statistics.median(turn.rate for turn in found if turn.workers == numbers[0])
    for count in numbers:
        turns = [turn for turn in found if turn.workers == count]
        rates = [turn.rate for turn in turns]
        rate = statistics.median(rates)
        cpu = [statistics.median(turn.cpu[nth] for turn in turns) for nth in range(len(PARTS))]
        rows.append((
            count, f"{rate:.1f} ({min(rates):.1f}–{max(rates):.1f})", f"{rate / alone:.2f}",
            *(f"{ms:.1f}" for ms in cpu), f"{sum(cpu):.1f}",
            f"{statistics.median(turn.busy for turn in turns):.0f} %",
        ))  # fmt: skip
        bars.append((f"{count} worker{'s' if count > 1 else ''}", rate, f"{rate:.0f}/s"))
    plot = report.bars("workers", "Mails taken in per second by so many workers", bars)
    head = ("workers", "mails/s (range)", f"times {numbers[0]}", *(f"CPU of {part}, ms a mail" for part in PARTS))
    backlog = list(corpus.mails(mails, earlier=EARLIER))[EARLIER:]
    mean = sum(len(mail.raw) for mail in backlog) / mails / 1000
    grown = statistics.median(turn.database for turn in found) / 1000
    raw = statistics.median(turn.raw for turn in found) / 1000
    return "\n\n".join((
        report.table((*head, "in all", "machine busy"), rows),
        f"![mails per second](plots/{plot.name})",
        f"{rounds} interleaved rounds of {mails} mails ({mean:.1f} KB in the mean), medians; no mail went out twice. "
        f"Dovecot, PostgreSQL with fsync, SMTP server and workers on one machine. The database grew by {grown:.1f} KB "
        f"a mail, {raw:.1f} of it raw mail. {report.measured_by(command)}",
    ))  # fmt: skip


def main() -> None:
    """Measure, and print or write the section."""
    given = report.options(__doc__, mails=400, workers=[1, 2, 4], rounds=2)
    numbers = " ".join(map(str, given.workers))
    command = f"python -m bench.speed.workers --mails {given.mails} --workers {numbers} --rounds {given.rounds}"
    made = section(measure(given.workers, given.mails, given.rounds), given.mails, given.rounds, command)
    report.publish("workers", made, write=given.write)


if __name__ == "__main__":
    main()
