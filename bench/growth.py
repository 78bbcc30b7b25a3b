"""What a long history costs: the same look-ups and work on a desk with few tickets and on one with many.

    python -m bench.growth --small 1000 --large 1000000 [--desks FOLDER] [--write]

Both desks are made by bench/history.py (kept in FOLDER, so that the large one is made only once). Each thing is done in
turns on the one and on the other; the table has medians in milliseconds. Goal: within 10 %, or within 2 ms.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench import corpus, history, report
from bench.products import MailbotDesk as Product
from bench.products import Servers, here
from mailbot.bootstrap import Desk, open_desk
from mailbot.config import load_settings
from mailbot.core.arrival import Arrival
from mailbot.store import queries
from mailbot.store.work import Work
from tests.contract.dovecot import Dovecot

MAILS = 200


@dataclass(frozen=True, slots=True)
class Line:
    """Medians in ms on both desks."""

    name: str
    small: float
    large: float

    @property
    def holds(self) -> bool:
        return self.large <= max(1.1 * self.small, self.small + 2.0)


class Aged:
    """One desk and what is done with it."""

    def __init__(self, count: int, desks: Path) -> None:
        self.count = count
        folder = desks / f"{count}"
        if not (folder / "made").exists():
            history.make(count, folder / "data", tell=count > 50_000)
            (folder / "made").touch()
        nowhere = Servers(Dovecot(Path(tempfile.mkdtemp())), 1)
        self.command = Product("", "none").command(folder, nowhere, "bench", "")[:-1]
        self.desk: Desk = open_desk(load_settings(folder / "mailbot.toml"))
        self.number = count // 2
        shown = queries.show_ticket(self.desk.store, self.number)
        assert shown is not None
        self.person = shown.summary.requester.email
        with self.desk.store.reading() as connection:
            self.uid = int(connection.exec_driver_sql("SELECT max(uid) FROM inbound").scalar() or 0)

    def write_mails(self) -> None:
        """Make the mails for `take_in`."""
        self.waiting = []
        for mail in corpus.mails(MAILS, seed=self.uid, first_number=self.count):
            self.uid += 1
            self.waiting.append(Arrival(1, self.uid, mail.raw, len(mail.raw), None, False))

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

    def in_work(self, what: Callable[[Work], object]) -> None:
        """A query of the daemon."""
        with self.desk.store.writing() as connection:
            what(Work(connection, self.desk.store.desk_id, self.desk.clock.now()))

    def start(self, *arguments: str) -> None:
        """A command as a process of its own."""
        subprocess.run([*map(str, self.command), *arguments], check=True, capture_output=True, env=here())


LOOKS: dict[str, Callable[[Aged], object]] = {
    "status of a ticket by its number": lambda aged: aged.in_work(lambda work: work.ticket(aged.number)),
    "ticket show": lambda aged: queries.show_ticket(aged.desk.store, aged.number),
    "ticket list (50)": lambda aged: queries.list_tickets(aged.desk.store),
    "ticket list --status in_progress": lambda aged: queries.list_tickets(aged.desk.store, status="in_progress"),
    "ticket list --requester": lambda aged: queries.list_tickets(aged.desk.store, requester=aged.person),
    "search words of one requester": lambda aged: queries.list_tickets(
        aged.desk.store, requester=aged.person, search="saldo rekening"
    ),
    "search words (50 newest)": lambda aged: queries.list_tickets(aged.desk.store, search="saldo rekening"),
    "when is the next timer due": lambda aged: aged.in_work(lambda work: work.next_due()),
    "what is to be sent (nothing new)": lambda aged: aged.in_work(lambda work: work.next_attempt()),
}


def measure(small: int, large: int, desks: Path, times: int) -> list[Line]:
    """Everything, in turns."""
    both = [Aged(small, desks), Aged(large, desks)]
    lines = [_line(name, both, look, times) for name, look in LOOKS.items()]
    lines.append(_line("start of a command (ticket list --limit 1)", both, _started, max(3, times // 4)))
    lines.append(_line(f"{MAILS} mails taken in", both, Aged.take_in, max(3, times // 2), Aged.write_mails))
    lines.append(_line("timer sweep, 100 due", both, Aged.sweep, max(3, times // 4), Aged.make_due))
    for aged in both:
        aged.desk.close()
    return lines


def _started(aged: Aged) -> None:
    aged.start("ticket", "list", "--limit", "1")


def _line(
    name: str, both: Sequence[Aged], what: Callable[[Aged], object], times: int,
    before: Callable[[Aged], object] = lambda _: None,
) -> Line:  # fmt: skip
    spent: list[list[float]] = [[], []]
    for turn in range(times + 1):
        for aged, took in list(zip(both, spent, strict=True))[:: 1 if turn % 2 else -1]:
            before(aged)
            begun = time.perf_counter()
            what(aged)
            if turn:  # the first warms the caches
                took.append(1000 * (time.perf_counter() - begun))
    found = Line(name, *(statistics.median(took) for took in spent))
    print(f"{name}: {found.small:.2f} → {found.large:.2f} ms", flush=True)
    return found


def section(lines: Sequence[Line], small: int, large: int, command: str) -> str:
    """The table."""
    rows = [
        (line.name, f"{line.small:.2f}", f"{line.large:.2f}", f"{100 * (line.large / line.small - 1):+.0f} %",
         "met" if line.holds else "**missed**")
        for line in lines
    ]  # fmt: skip
    head = ("ms", f"{small:,} tickets", f"{large:,} tickets", "", "within 10 % or 2 ms")
    return f"{report.table(head, rows)}\n\nMedians, both desks in turns. {report.measured_by(command)}"


def main() -> None:
    """Measure, and print or write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=1000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--desks", type=Path, default=Path(tempfile.gettempdir()) / "mailbot-bench" / "desks")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    given = parser.parse_args()
    lines = measure(given.small, given.large, given.desks, given.times)
    text = section(lines, given.small, given.large, f"python -m bench.growth --large {given.large}")
    print(text)
    if given.write:
        report.put("growth", text)


if __name__ == "__main__":
    main()
