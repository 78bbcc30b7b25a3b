"""Memory, and rate, while a long backlog is taken in: 100,000 mails, some of them with a file of 24 MB.

    python -m bench.speed.backlog [--mails 100000] [--large-mails 8] [--scratch FOLDER] [--write]

The mix of corpus.py lies in an inbox of Dovecot, with mails among it that hold a file of 24 MB (33 MB as they are
sent, the most that [inbound] max_size lets in). `mailbot run --once` takes in all of it: stored durably, understood,
acknowledged in text and HTML. Memory is that of all its processes, counted as in machine.py. A hundred thousand
mails need some 8 GB of disk below `--scratch` (the system's temporary folder) until the end, and twenty minutes.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.speed.memory import with_large_ones
from bench.speed.products import MailbotDesk, Servers
from bench.speed.sink import Sink
from bench.support import report
from bench.support.machine import Cost
from tests.support.dovecot import Dovecot

USER = "backlog"
GOAL = 250


@dataclass(frozen=True)
class Found:
    """`size`: bytes of all mails; `database`: of the desk's database."""

    cost: Cost
    mails: int
    large: int
    size: int
    out: int
    database: int


def measure(mails: int, large: int, scratch: Path) -> Found:
    """On a desk of its own; nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch) as folder:
        home = Path(folder)
        home.chmod(0o755)
        (home / "dovecot").mkdir()
        with Dovecot(home / "dovecot") as dovecot, Sink() as sink:
            desk, product = home / "desk", MailbotDesk("", "none")
            size = 0

            def counted() -> Iterator[bytes]:
                nonlocal size
                for raw in with_large_ones(mails, large):
                    size += len(raw)
                    yield raw

            dovecot.fill(USER, counted())
            print(f"{mails + large} mails, {size / 1e9:.2f} GB, lie in the inbox", flush=True)
            cost = product.take_in(desk, Servers(dovecot, sink.port), USER)
            words = (desk / "log").read_text()[-2000:]
            assert cost.code == 0, words
            left = dovecot.count(USER)
            assert left == 0, f"{left} mails lie in the inbox still: {words}"
            database = desk / "data" / "mailbot.db"
            _check(database, mails + large)
            return Found(cost, mails, large, size, sink.count().total(), database.stat().st_size)


def _check(database: Path, mails: int) -> None:
    """Each mail was taken in and handled, and nothing waits to be sent."""
    with closing(sqlite3.connect(database)) as connection:
        states = dict(connection.execute("SELECT state, count(*) FROM inbound GROUP BY state"))
        outbox = dict(connection.execute("SELECT state, count(*) FROM outbox GROUP BY state"))
    assert sum(states.values()) == mails, f"{states} of {mails} mails"
    assert "received" not in states, f"not handled: {states}"
    assert set(outbox) == {"sent"}, f"outbox: {outbox}"


def section(found: Found, command: str) -> str:
    """The table and the plot."""
    cost = found.cost
    quarter = len(cost.history) // 4
    held = [memory for _, memory in cost.history]
    early, late = statistics.median(held[quarter : 2 * quarter]), statistics.median(held[-quarter:])
    rows = [
        ("mails, of which with a file of 24 MB", f"{found.mails + found.large:,}, {found.large}", "", ""),
        ("bytes of them, of the database afterwards", f"{found.size / 1e9:.2f} GB, {found.database / 1e9:.2f} GB", "",
         ""),
        ("mails out", f"{found.out:,}", "", ""),
        ("time", f"{cost.wall:.0f} s, {(found.mails + found.large) / cost.wall:.0f} mails/s", "", ""),
        ("CPU of a mail", f"{1000 * cost.cpu / (found.mails + found.large):.1f} ms", "", ""),
        ("highest memory of all processes together", f"{cost.memory:.0f} MB", f"{GOAL} MB",
         report.verdict(cost.memory, GOAL, at_least=False)),
        ("of the largest process", f"{cost.largest:.0f} MB", "", ""),
        ("median in the second quarter of the time, in the last", f"{early:.0f} MB, {late:.0f} MB", "", ""),
    ]  # fmt: skip
    plot = report.line("backlog", "Memory of all processes while a backlog is taken in", "s", "MB", cost.history)
    return "\n\n".join((
        report.table(("", "measured", "goal", ""), rows),
        f"![memory while a backlog is taken in](plots/{plot.name})",
        f"{report.measured_by(command)} Memory is counted as above.",
    ))  # fmt: skip


def main() -> None:
    """Measure, and print or write the section."""
    given = report.options(__doc__, mails=100_000, large_mails=8, scratch=Path(tempfile.gettempdir()))
    given.scratch.mkdir(parents=True, exist_ok=True)
    command = f"python -m bench.speed.backlog --mails {given.mails} --large-mails {given.large_mails}"
    text = section(measure(given.mails, given.large_mails, given.scratch.resolve()), command)
    report.publish("backlog", text, write=given.write)


if __name__ == "__main__":
    main()
