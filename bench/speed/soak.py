"""A simulated year of a desk: does its memory stay what it was?

    python -m bench.speed.soak [--mails 3000] [--seconds 660] [--large-mails 12] [--write]

The whole daemon (soak_desk.py: inbox, outbox, chores, watch) with a clock that runs so fast that a year takes
`--seconds`, on SQLite, between Dovecot and an SMTP server. People write reports (one in seven with an image), agents
answer what they are told, close some tickets by #selesai, half of the askers reply, the others are reminded until their
ticket is closed; now and then an answering machine writes; once a month somebody sends a file of 24 MB, which goes on
to the agent. All that the desk holds resident is looked at every half second (machine.py says how) and told for
each simulated week: the median, and the highest. The slope is that of a straight line through the medians of weeks 27
to 52.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from pathlib import Path

from bench.speed import corpus
from bench.speed.listening import Listening
from bench.speed.memory import large_mail
from bench.speed.products import AGENT, MailbotDesk, Servers, here
from bench.support import machine, report
from tests.support.dovecot import Dovecot
from tests.support.people import WIRE, Sent

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
WEEKS = 52
YEAR = timedelta(weeks=WEEKS)
MONTHS_IN_A_WEEK = 12 / (365.25 / 7)
LOOK_SECONDS = 0.5
STEP_SECONDS = 0.25
USER = "soak"
_ROBOT = "balasan.otomatis@sekolah.example"


@dataclass(frozen=True, slots=True)
class Week:
    """MB (10^6) of all processes in one simulated week."""

    median: float
    highest: float


@dataclass(frozen=True, slots=True)
class Soaked:
    """What was found."""

    weeks: Sequence[Week]
    mails: int
    tickets: int
    closed: int
    sent: int
    waiting: int

    @property
    def slope(self) -> float:
        """MB for each simulated month, over the second half."""
        half = len(self.weeks) // 2
        medians = [week.median for week in self.weeks[half:]]
        return statistics.linear_regression(range(len(medians)), medians).slope / MONTHS_IN_A_WEEK


@dataclass
class People:
    """Those around the desk. `write` says what is put into the inbox next, `hear` what the desk sent."""

    dice: random.Random
    reports: Iterator[corpus.Mail]
    told: deque[Sent] = field(default_factory=lambda: deque(maxlen=500))
    asked: deque[Sent] = field(default_factory=lambda: deque(maxlen=500))
    count: int = 0
    heard: int = 0

    def hear(self, listening: Listening) -> None:
        """Take what came out of the desk."""
        while listening.heard:
            mail = listening.heard.popleft()
            self.heard += 1
            if mail.recipient == AGENT and mail["Reply-To"]:
                self.told.append(mail)
            elif mail.kind in ("answer", "reminder") and self.dice.random() < 0.5:
                self.asked.append(mail)

    def write(self, now: datetime) -> bytes:
        """One more mail."""
        self.count += 1
        kind = self.dice.random()
        if kind < 0.25 and self.told:
            closing = "\n\n#selesai" if self.dice.random() < 0.3 else ""
            return self._reply(self.told.popleft(), now, corpus.reply_words(self.dice) + closing)
        if kind < 0.45 and self.asked:
            return self._reply(self.asked.popleft(), now, corpus.reply_words(self.dice))
        if kind < 0.48:
            return self._mail(
                _ROBOT, corpus.DESK, "Balasan otomatis: Nomor", now, "Saya sedang cuti.", auto="auto-replied"
            )
        return next(self.reports).raw

    def _reply(self, to: Sent, now: datetime, words: str) -> bytes:
        quoted = "\n".join("> " + line for line in to.text.splitlines()[:40])
        text = f"{words}\n\nPada tanggal 3 Nov 2025 Helpdesk <{corpus.DESK}> menulis:\n\n{quoted}\n"
        address = getaddresses([to["Reply-To"]])[0][1] or corpus.DESK
        return self._mail(to.recipient, address, f"Re: {to['Subject']}", now, text, about=to["Message-ID"])

    def _mail(
        self, sender: str, to: str, subject: str, now: datetime, text: str, *, about: str = "", auto: str = ""
    ) -> bytes:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        mail["Message-ID"] = f"<{self.count}.soak@{sender.rpartition('@')[2]}>"
        mail["Date"] = format_datetime(now)
        if about:
            mail["In-Reply-To"] = mail["References"] = about
        if auto:
            mail["Auto-Submitted"] = auto
        mail.set_content(text)
        return mail.as_bytes(policy=WIRE)


def soak(mails: int, seconds: float, large: int) -> Soaked:
    """A year."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        (home / "dovecot").mkdir()
        with Dovecot(home / "dovecot") as dovecot, Listening() as listening:
            desk = home / "desk"
            command = MailbotDesk("soak", "all").command(desk, Servers(dovecot, listening.port), USER, "doctor")
            config = Path(command[command.index("--config") + 1])
            with (desk / "log").open("wb") as log:
                speed = str(YEAR.total_seconds() / seconds)
                process = subprocess.Popen(
                    [sys.executable, "-m", "bench.speed.soak_desk", str(config), START.isoformat(), speed],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=here(),
                )  # fmt: skip
                assert process.stdout is not None
                assert process.stdout.readline() == b"running\n", (desk / "log").read_text()[-2000:]
                people = People(random.Random(7), _reports(mails))
                try:
                    weeks = _live(process.pid, people, dovecot, listening, mails, seconds, large)
                    waiting = _settled(dovecot, listening, people)
                finally:
                    assert process.stdin is not None
                    process.stdin.close()
                    process.wait(30)
            return Soaked(weeks, people.count, *_counted(desk / "data" / "mailbot.db"), people.heard, waiting)


def _reports(count: int) -> Iterator[corpus.Mail]:
    return (mail for mail in corpus.mails(3 * count, seed=11) if mail.kind != "reply")


def _live(
    pid: int, people: People, dovecot: Dovecot, listening: Listening, mails: int, seconds: float, large: int
) -> list[Week]:
    """A year of writing and hearing; the weeks."""
    looks: list[list[float]] = [[] for _ in range(WEEKS)]
    begun = looked = time.monotonic()
    large_sent = 0
    while (part := (time.monotonic() - begun) / seconds) < 1:
        now = START + YEAR * part
        people.hear(listening)
        batch = [people.write(now) for _ in range(int(part * mails) - people.count)]
        if int(part * large + 0.5) > large_sent:
            large_sent += 1
            batch.append(large_mail(large_sent))
        if batch:
            dovecot.append(USER, *batch)
        if time.monotonic() - looked >= LOOK_SECONDS:
            looked = time.monotonic()
            held = machine.together([machine.pages(one) for one in machine.family(pid)]) / 1e6
            looks[min(WEEKS - 1, int(part * WEEKS))].append(held)
        time.sleep(STEP_SECONDS)
    return [Week(statistics.median(week), max(week)) for week in looks if week]


def _settled(dovecot: Dovecot, listening: Listening, people: People) -> int:
    """What the desk has not taken in after the year's last mail, a minute later at most."""
    ends = time.monotonic() + 60
    while (left := dovecot.count(USER)) > 0 and time.monotonic() < ends:
        people.hear(listening)
        time.sleep(1)
    return left


def _counted(database: Path) -> tuple[int, int]:
    """Tickets, and how many of them are closed."""
    connection = sqlite3.connect(database)
    try:
        [tickets, closed] = connection.execute("SELECT count(*), sum(status = 'closed') FROM ticket").fetchone()
        return int(tickets), int(closed or 0)
    finally:
        connection.close()


_WHY = """\
A year of the daemon's clock; a week takes some thirteen seconds. Weeks that stand out are those in which a file of
24 MB came and went on to the agent. A desk that has worked keeps some 40 MB more at rest than one that was just
started: what is imported with the first mail and for the making of a new database, templates, pages of SQLite, heap
between two tidyings."""


def section(found: Soaked, command: str) -> str:
    """The table and the plot."""
    plot = report.line(
        "soak", "Memory of a desk over a simulated year (median of each week)", "weeks", "MB",
        [(number, week.median) for number, week in enumerate(found.weeks, 1)],
    )  # fmt: skip
    early, late = found.weeks[len(found.weeks) // 2 - 1], found.weeks[-1]
    highest = max(week.highest for week in found.weeks)
    rows = [
        ("mails in, mails out", f"{found.mails:,}, {found.sent:,}", "", ""),
        ("tickets, of which closed at the end", f"{found.tickets:,}, {found.closed:,}", "", ""),
        ("memory after half a year, after a year", f"{early.median:.0f} MB, {late.median:.0f} MB", "", ""),
        ("highest in between (files of 24 MB come and go)", f"{highest:.0f} MB", "250 MB",
         report.verdict(highest, 250, at_least=False)),
        ("slope over the second half", f"{found.slope:+.2f} MB a simulated month", "1 MB",
         report.verdict(found.slope, 1, at_least=False)),
    ]  # fmt: skip
    table = report.table(("", "measured", "goal", ""), rows)
    return f"{table}\n\n![memory over a year](plots/{plot.name})\n\n{report.measured_by(command)}\n\n{_WHY}"


def main() -> None:
    """Measure, and print or write the section."""
    given = report.options(__doc__, mails=3_000, seconds=660.0, large_mails=12)
    found = soak(given.mails, given.seconds, given.large_mails)
    text = section(found, f"python -m bench.speed.soak --mails {given.mails} --seconds {given.seconds:g}")
    report.publish("soak", text, write=given.write)
    print(f"left in the inbox: {found.waiting}")


if __name__ == "__main__":
    main()
