"""What a long history costs: the same look-ups and work on a desk with few tickets and on one with many.

    python -m bench.speed.growth --small 1000 --large 1000000 [--desks FOLDER] [--write]

Both desks are made by history.py, one after the other, and kept in FOLDER as they were made. What is measured is
a copy of each, thrown away afterwards: a desk that was measured before has more mail of the last hours, and longer
tickets, than the other one. Both copies are read through once, so that the system has their pages in memory (as far as
it has memory for them), and nothing of the copying is left to be written. Each thing is done in turns on the one and on
the other, with the same mails; the table has medians in milliseconds, of the time that went by and of the processor's.
Goal: the time that went by within 10 %, or within 2 ms.
"""

from __future__ import annotations

import gc
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.speed import corpus, history
from bench.speed.products import MailbotDesk as Product
from bench.speed.products import Servers, here
from bench.support import report
from mailbot.config.load import load_settings
from mailbot.desk.wiring import Desk, open_desk
from mailbot.mail.fetched import FetchedMail
from mailbot.store import queries
from mailbot.store.unit_of_work import UnitOfWork
from tests.support.dovecot import Dovecot

MAILS = 200


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds: that went by, and of the processor."""

    wall: float
    cpu: float

    @classmethod
    def so_far(cls) -> Spent:
        """Of this process and of those that it waited for."""
        times = os.times()
        cpu = time.process_time() + times.children_user + times.children_system
        return cls(1000 * time.perf_counter(), 1000 * cpu)


@dataclass(frozen=True, slots=True)
class Line:
    """Medians on both desks."""

    name: str
    small: Spent
    large: Spent

    @property
    def holds(self) -> bool:
        return self.large.wall <= max(1.1 * self.small.wall, self.small.wall + 2.0)


def made(count: int, desks: Path) -> Path:
    """A desk as history.py makes it, from an earlier run or now."""
    folder = desks / f"{count}"
    if not (folder / "made").exists():
        history.make(count, folder / "data", tell=count > 50_000)
        (folder / "made").touch()
    return folder


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """A copy of a desk beside it, in memory as far as there is any; gone afterwards."""
    size = sum(file.stat().st_size for file in (folder / "data").iterdir())
    free = shutil.disk_usage(folder).free
    if free < 1.2 * size:
        raise SystemExit(f"{folder}: a copy takes {size / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free there")
    copy = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    try:
        shutil.copytree(folder / "data", copy / "data")
        yield copy
    finally:
        shutil.rmtree(copy)


def read_through(folder: Path) -> None:
    """Have the system keep the database's pages in memory."""
    with (folder / "data" / "mailbot.db").open("rb", buffering=0) as file:
        while file.read(1 << 24):
            pass


class Aged:
    """One desk in `folder` and what is done with it."""

    def __init__(self, count: int, folder: Path) -> None:
        self.count = count
        nowhere = Servers(Dovecot(Path(tempfile.mkdtemp())), 1)
        self.command = Product("", "none").command(folder, nowhere, "bench", "")[:-1]
        self.desk: Desk = open_desk(load_settings(folder / "mailbot.toml"))
        self.number = count // 2
        self.turn = 0
        shown = queries.show_ticket(self.desk.store, self.number)
        assert shown is not None
        self.person = shown.summary.requester.email
        with self.desk.store.reading() as connection:
            self.uid = int(connection.exec_driver_sql("SELECT max(uid) FROM inbound").scalar() or 0)

    def write_mails(self) -> None:
        """Make the mails for `take_in`: the same ones in the same turn, but for the numbers of their tickets."""
        self.waiting = []
        self.turn += 1
        with self.desk.store.reading() as connection:
            number = int(connection.exec_driver_sql("SELECT next_number FROM desk").scalar_one())
        for mail in corpus.mails(MAILS, seed=self.turn, first_number=number):
            self.uid += 1
            self.waiting.append(FetchedMail(1, self.uid, mail.raw, len(mail.raw), None, False))

    def take_in(self) -> None:
        """200 mails of the mix, stored and handled in batches of 50."""
        for start in range(0, MAILS, 50):
            arrivals = self.waiting[start : start + 50]
            ids = self.desk.helpdesk.receive(history.MAILBOX, arrivals)
            self.desk.helpdesk.process(ids, {one: arrival.raw for one, arrival in zip(ids, arrivals, strict=True)})

    def make_due(self) -> None:
        """100 tickets wait, and their reminder is due."""
        due = history._stamp(self.desk.clock.now() - timedelta(minutes=5))
        first, last = self.count - history.OPEN - history.DUE, self.count - history.OPEN
        with self.desk.store.writing() as connection:
            connection.exec_driver_sql(
                "UPDATE ticket SET status = 'waiting', wait_cycle = wait_cycle + 1, waiting_since = ? "
                "WHERE id > ? AND id <= ?", (due, first, last),
            )  # fmt: skip
            connection.exec_driver_sql("DELETE FROM timer WHERE ticket_id > ? AND ticket_id <= ?", (first, last))
            connection.exec_driver_sql(
                "INSERT INTO timer (ticket_id, kind, step, desk_id, due_at) SELECT id, 'reminder', 1, 1, ? FROM ticket "
                "WHERE id > ? AND id <= ?", (due, first, last),
            )  # fmt: skip

    def sweep(self) -> None:
        """Fire 100 timers."""
        fired = self.desk.helpdesk.fire_due_timers()
        assert fired == history.DUE, fired

    def in_work(self, what: Callable[[UnitOfWork], object]) -> None:
        """A query of the daemon."""
        with self.desk.store.writing() as connection:
            what(UnitOfWork(connection, self.desk.store.desk_id, self.desk.clock.now()))

    def start(self, *arguments: str) -> None:
        """A command as a process of its own."""
        subprocess.run([*map(str, self.command), *arguments], check=True, capture_output=True, env=here())


LOOKS: dict[str, Callable[[Aged], object]] = {
    "status of a ticket by its number": lambda aged: aged.in_work(lambda work: work.ticket(aged.number)),
    "ticket show": lambda aged: queries.show_ticket(aged.desk.store, aged.number),
    "ticket list (50)": lambda aged: queries.list_tickets(aged.desk.store),
    "ticket list --status in_progress": lambda aged: queries.list_tickets(
        aged.desk.store, queries.TicketFilter(status="in_progress")
    ),
    "ticket list --requester": lambda aged: queries.list_tickets(
        aged.desk.store, queries.TicketFilter(requester=aged.person)
    ),
    "search words of one requester": lambda aged: queries.list_tickets(
        aged.desk.store, queries.TicketFilter(requester=aged.person, search="saldo rekening")
    ),
    "search words (50 newest)": lambda aged: queries.list_tickets(
        aged.desk.store, queries.TicketFilter(search="saldo rekening")
    ),
    "when is the next timer due": lambda aged: aged.in_work(lambda work: work.next_due()),
    "what is to be sent (nothing new)": lambda aged: aged.in_work(lambda work: work.next_attempt()),
}


def measure(small: int, large: int, desks: Path, times: int) -> list[Line]:
    """Everything, in turns."""
    with copied(made(small, desks)) as few, copied(made(large, desks)) as many:
        os.sync()
        for folder in (many, few):
            read_through(folder)
        both = [Aged(small, few), Aged(large, many)]
        lines = [
            _line(f"{MAILS} mails taken in", both, Aged.take_in, times, Aged.write_mails),
            _line("timer sweep, 100 due", both, Aged.sweep, times, Aged.make_due),
            # Looked up last, in search indexes that both desks have added to by now: what was written in one go is
            # one piece in the index of the small desk, and a dozen in that of the large one.
            *(_line(name, both, look, times) for name, look in LOOKS.items()),
            _line("start of a command (ticket list --limit 1)", both, _started, max(3, times // 4)),
        ]
        for aged in both:
            aged.desk.close()
    return lines


def _started(aged: Aged) -> None:
    aged.start("ticket", "list", "--limit", "1")


def _line(
    name: str, both: Sequence[Aged], what: Callable[[Aged], object], times: int,
    before: Callable[[Aged], object] | None = None,
) -> Line:  # fmt: skip
    spent: list[list[Spent]] = [[], []]
    for turn in range(times + 1):
        for aged, took in list(zip(both, spent, strict=True))[:: 1 if turn % 2 else -1]:
            if before is not None:
                before(aged)
                gc.collect()
            begun = Spent.so_far()
            what(aged)
            ended = Spent.so_far()
            if turn:  # the first warms the caches
                took.append(Spent(ended.wall - begun.wall, ended.cpu - begun.cpu))
    found = Line(name, *(_medians(took) for took in spent))
    print(f"{name}: {found.small.wall:.2f} → {found.large.wall:.2f} ms", flush=True)
    return found


def _medians(took: Sequence[Spent]) -> Spent:
    return Spent(statistics.median(one.wall for one in took), statistics.median(one.cpu for one in took))


def section(lines: Sequence[Line], small: int, large: int, command: str) -> str:
    """The table."""
    rows = [
        (
            line.name,
            *(cell for small, large in _pairs(line) for cell in (f"{small:.2f}", f"{large:.2f}", _more(small, large))),
            "met" if line.holds else "**missed**",
        )
        for line in lines
    ]
    head = ("ms", f"{small:,} tickets", f"{large:,} tickets", "", "processor", "processor", "", "within 10 % or 2 ms")
    return f"{report.table(head, rows)}\n\nMedians, both desks in turns. {report.measured_by(command)}"


def _pairs(line: Line) -> tuple[tuple[float, float], ...]:
    return (line.small.wall, line.large.wall), (line.small.cpu, line.large.cpu)


def _more(small: float, large: float) -> str:
    return f"{100 * (large / small - 1):+.0f} %"


def main() -> None:
    """Measure, and print or write the section."""
    desks = Path(tempfile.gettempdir()) / "mailbot-bench" / "desks"
    given = report.options(__doc__, small=1000, large=1_000_000, times=20, desks=desks)
    lines = measure(given.small, given.large, given.desks, given.times)
    text = section(lines, given.small, given.large, f"python -m bench.speed.growth --large {given.large}")
    report.publish("growth", text, write=given.write)


if __name__ == "__main__":
    main()
