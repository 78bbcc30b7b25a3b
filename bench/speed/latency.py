"""How long from a delivered mail to its acknowledgement? On a real Dovecot, all in one run. Run it on a quiet machine.

    python -m bench.speed.latency [--count 40] [--starts 5] [--write]

What is measured, in milliseconds from the LMTP server's 250 to the SMTP server's 250 for the acknowledgement:

    bare          a client that does nothing but IDLE: until EXISTS
    first         the first mail after a start of mailbot, by IMAP (`--starts` of them)
    single        mailbot by IMAP, a mail now and then (`--count`)
    5/s           mailbot by IMAP at five mails a second (five times `--count`), with and without NOOP while traffic is
                  on, as it is by default; and its own part: from the line that announced the mail (seen by a relay
                  between the two) to the acknowledgement, from the delivery where that line came before it
    LMTP          mailbot's own door, single and at five a second

People who write right after each acknowledgement, at one pace, look like a machine to the desk: that one limit is off.
What it costs: commands that reached Dovecot, CPU of mailbot and of Dovecot's imap processes (not of its LMTP); and
what one NOOP costs Dovecot, from a thousand of a bare client.
"""

from __future__ import annotations

import os
import select
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

from bench.support import report
from tests.support.dovecot import PASSWORD, Dovecot
from tests.support.loopback import free_port, until
from tests.support.running_desk import RunningDesk
from tests.support.smtp_sink import Sink

ROOT = Path(__file__).parents[2]
TICK = os.sysconf("SC_CLK_TCK")
NOOPS = 1000
# What the desk is started with: one limit off, and the frequent NOOP off where IDLE alone is measured. A name that is
# gone is an error and not a setting without effect.
NO_PACE = "import mailbot.ticket.auto_reply_limits as r; r.is_one_pace; r.is_one_pace = lambda *_: False; "
IDLE_ONLY = "import mailbot.daemon.inbox_loop as l; l.BRISK_SECONDS; l.BRISK_SECONDS = 0.0; "
LIMITS = """[inbound]
max_auto_replies_per_sender = "100000/h"
max_auto_replies_per_domain = "100000/h"
max_auto_replies_alike = "100000/h"
[lmtp]
listen = "127.0.0.1:{port}"
[alerts]
quarantine = 1000
"""


class TimedSink(Sink):
    """Notes when each recipient's mail was accepted."""

    at: dict[str, float]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.at.setdefault(envelope.rcpt_tos[0], time.monotonic())
        return "250 2.0.0 OK"


@dataclass
class Relay:
    """Between mailbot and Dovecot: when EXISTS passed, and how many commands."""

    target: int
    port: int = field(default_factory=free_port)
    exists: list[float] = field(default_factory=list)
    commands: int = 0

    def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))

        def accept() -> None:
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                threading.Thread(target=self._pass, args=(near, far), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()

    def _pass(self, near: socket.socket, far: socket.socket) -> None:
        for wire in (near, far):
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            for wire in select.select([near, far], [], [])[0]:
                data = wire.recv(1 << 16)
                if not data:
                    near.close()
                    far.close()
                    return
                if wire is far and b" EXISTS" in data:
                    self.exists.append(time.monotonic())
                self.commands += data.count(b"\r\n") if wire is near else 0
                (near if wire is far else far).sendall(data)


def mail(sender: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "support@helpdesk.example", "Tidak bisa tutup BKU"
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="sekolah.example")
    message.set_content("Selamat pagi. Mohon dibantu, tombol tutup BKU tidak bisa ditekan.\n" * 5)
    return message.as_bytes()


def deliver(port: int, to: str, count: int, every: float, name: str, wait: Any = None) -> dict[str, float]:
    """Deliver so many; sender → when it was accepted. `wait(sender)`: before the next one, where they go singly."""
    at: dict[str, float] = {}
    with smtplib.LMTP("127.0.0.1", port) as client:
        begun = time.monotonic()
        for nth in range(count):
            sender = f"{name}{nth}@sekolah{nth}.example"
            client.sendmail(sender, [to], mail(sender))
            at[sender] = time.monotonic()
            if wait is not None:
                wait(sender)
                time.sleep(every + 0.037 * (nth % 7))  # not in step with any clock of the server
            else:
                time.sleep(max(0.0, begun + (nth + 1) * every - time.monotonic()))
    return at


def bare_idle(dovecot: Dovecot, count: int) -> list[float]:
    """A client that idles until mail is announced: seconds after each delivery."""
    with socket.create_connection(("127.0.0.1", dovecot.port)) as wire, wire.makefile("rb") as lines:

        def command(text: str, until_word: bytes) -> None:
            wire.sendall(f"{text}\r\n".encode())
            while until_word not in (line := lines.readline()) and line:
                pass

        lines.readline()
        command(f"a LOGIN bare {PASSWORD}", b"a OK")
        command("b SELECT INBOX", b"b OK")
        command("c IDLE", b"+ ")
        found: list[float] = []

        def wait(_: str) -> None:
            while b"EXISTS" not in lines.readline():
                pass
            found.append(time.monotonic())

        at = deliver(dovecot.lmtp_port, "bare@helpdesk.example", count, 0.7, "bare", wait)
        return [came - sent for came, sent in zip(found, at.values(), strict=True)]


def cpu(pid: int) -> float:
    """Seconds of CPU of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def fine_cpu(pid: int) -> float:
    """The same of its first thread, to the nanosecond: Dovecot's processes have one, and use little."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def imap_processes(home: Path) -> list[int]:
    """Dovecot's imap processes of this server: children of its master with the title "dovecot-INSTANCE/imap"."""
    master = int((home / "run" / "master.pid").read_text())
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return [
        int(child) for child in children if Path(f"/proc/{child}/cmdline").read_bytes().rstrip(b"\0").endswith(b"/imap")
    ]


def noop_cost(dovecot: Dovecot) -> float:
    """Seconds of CPU that a NOOP costs Dovecot, with a folder selected. Nobody else may be logged in."""
    with dovecot.client("noop", "INBOX") as client:
        [process] = imap_processes(dovecot.home)
        before = fine_cpu(process)
        for _ in range(NOOPS):
            client.noop()
        return (fine_cpu(process) - before) / NOOPS


@dataclass
class Line:
    """One line of the table; seconds. `used`: commands a second, CPU of mailbot and of Dovecot as parts of a core."""

    name: str
    seconds: list[float]
    own: list[float] = field(default_factory=list)
    used: tuple[float, float, float] | None = None

    def cells(self) -> list[object]:
        used = [f"{self.used[0]:.1f}", *(f"{100 * part:.1f} %" for part in self.used[1:])] if self.used else [""] * 3
        return [self.name, len(self.seconds), *_spread(self.seconds), *_spread(self.own), *used]


def median(seconds: list[float]) -> float:
    """In ms."""
    return statistics.median(seconds) * 1000


def ninety_ninth(seconds: list[float]) -> float:
    """The 99th percentile in ms; of fewer than a hundred, the worst."""
    ranked = sorted(seconds)
    return ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))] * 1000


def _spread(seconds: list[float]) -> list[str]:
    if not seconds:
        return ["", "", ""]
    return [f"{median(seconds):.1f}", f"{ninety_ninth(seconds):.1f}", f"{max(seconds) * 1000:.1f}"]


class Bench:
    """One Dovecot, one sink, one mailbot at a time."""

    def __init__(self, home: Path, dovecot: Dovecot, sink: TimedSink) -> None:
        self.home, self.dovecot, self.sink = home, dovecot, sink
        self.relay = Relay(dovecot.port)
        self.relay.start()
        self.lmtp = free_port()
        self.started = 0

    def desk(self, *, brisk: bool) -> RunningDesk:
        """A new one, that waits for mail."""
        self.started += 1
        folder = self.home / f"desk-{self.started}"
        folder.mkdir()
        commands = self.relay.commands
        desk = RunningDesk(folder, self.dovecot, self.sink, more=LIMITS.format(port=self.lmtp))
        desk.write_config(imap_port=self.relay.port)
        desk.config.write_text(
            desk.config.read_text().replace('poll_interval = "2s"', 'poll_interval = "30s"')
            + '[agent_mail]\nnotify = "none"\n'
        )
        change = NO_PACE + ("" if brisk else IDLE_ONLY)
        command = [sys.executable, "-c", f"{change}from mailbot.__main__ import main; main()", "run", "--config"]
        with desk.log_file.open("ab") as out:
            desk.process = subprocess.Popen([*command, str(desk.config)], stdout=out, stderr=out, cwd=ROOT)
        desk.logged("LMTP: listening")
        until(lambda: self.relay.commands > commands + 5, 20, "mailbot reads")
        time.sleep(1.5)
        return desk

    def acknowledged(self, sender: str) -> None:
        until(lambda: sender in self.sink.at, 30, f"an acknowledgement for {sender}")

    def measure(self, name: str, port: int, count: int, every: float, *, single: bool, desk: RunningDesk) -> Line:
        assert desk.process is not None
        imap = imap_processes(self.dovecot.home)
        assert imap, "Dovecot has no imap process"
        mailbot, dovecot = cpu(desk.process.pid), sum(map(fine_cpu, imap))
        commands, begun = self.relay.commands, time.monotonic()
        key = "".join(c for c in name if c.isalnum()).lower() + f"-{self.started}-"
        at = deliver(port, "support@helpdesk.example", count, every, key, self.acknowledged if single else None)
        for sender in at:
            self.acknowledged(sender)
        lasted = time.monotonic() - begun
        used = (
            (self.relay.commands - commands) / lasted,
            (cpu(desk.process.pid) - mailbot) / lasted,
            (sum(map(fine_cpu, imap)) - dovecot) / lasted,
        )
        seconds = [self.sink.at[sender] - sent for sender, sent in at.items()]
        own = [] if port == self.lmtp else [self._own(self.sink.at[s], sent) for s, sent in at.items()]
        return Line(name, seconds, own, used)

    def _own(self, done: float, sent: float) -> float:
        """From the first EXISTS after the delivery; from the delivery where none was needed."""
        told = next((at for at in self.relay.exists if sent <= at <= done), sent)
        return done - told


def run(count: int, starts: int) -> tuple[dict[str, Line], float]:
    """The lines of the table, in its order, and what a NOOP costs (ms of CPU)."""
    home = Path(tempfile.mkdtemp(prefix="mailbot-latency-"))
    home.chmod(0o755)
    sink = TimedSink()
    sink.at = {}
    (home / "dovecot").mkdir(mode=0o755)
    many = 5 * count
    try:
        with sink, Dovecot(home / "dovecot") as dovecot:
            bench, inbox = Bench(home, dovecot, sink), dovecot.lmtp_port
            noop = noop_cost(dovecot)
            first = Line("IMAP, first mail after a start", [])
            bare = Line("bare client, IDLE until EXISTS", bare_idle(dovecot, count))
            lines = {"bare": bare, "first": first}

            def started(*, brisk: bool) -> RunningDesk:
                desk = bench.desk(brisk=brisk)
                one = bench.measure(first.name, inbox, 1, 0.0, single=True, desk=desk)
                first.seconds.extend(one.seconds)
                first.own.extend(one.own)
                return desk

            for _ in range(starts - 2):
                started(brisk=True).stop()
            desk = started(brisk=False)
            lines["idle"] = bench.measure("IMAP, single, IDLE only", inbox, count, 0.2, single=True, desk=desk)
            lines["idle_traffic"] = bench.measure("IMAP, 5/s, IDLE only", inbox, many, 0.2, single=False, desk=desk)
            desk.stop()
            desk = started(brisk=True)
            lines["single"] = bench.measure("IMAP, single", inbox, count, 0.2, single=True, desk=desk)
            lines["traffic"] = bench.measure("IMAP, 5/s", inbox, many, 0.2, single=False, desk=desk)
            lines["lmtp"] = bench.measure("LMTP, single", bench.lmtp, count, 0.1, single=True, desk=desk)
            lines["lmtp_traffic"] = bench.measure("LMTP, 5/s", bench.lmtp, many, 0.2, single=False, desk=desk)
            desk.stop()
        return lines, noop * 1000
    finally:
        shutil.rmtree(home, ignore_errors=True)


HEAD = (
    "", "n", "median ms", "p99", "worst", "own part: median", "p99", "worst", "IMAP commands/s", "CPU mailbot",
    "CPU Dovecot",
)  # fmt: skip


def section(found: dict[str, Line], noop: float, command: str) -> str:
    """The tables and the plot."""
    wake = median(found["bare"].seconds)
    # what, ms measured, ms that are the goal
    goals = (
        ("IMAP, single, IDLE only: median, beside the bare client's", median(found["idle"].seconds), 1.1 * wake),
        ("IMAP, single: median, beside the bare client's", median(found["single"].seconds), 1.1 * wake),
        ("IMAP, 5/s: own part, median", median(found["traffic"].own), 20.0),
        ("IMAP, 5/s: own part, 99th percentile", ninety_ninth(found["traffic"].own), 100.0),
        ("LMTP, single: median", median(found["lmtp"].seconds), 25.0),
        ("LMTP, 5/s: median", median(found["lmtp_traffic"].seconds), 25.0),
    )
    judged = [
        (what, f"{value:.1f} ms" + (f" ({value / wake:.2f} times)" if "bare" in what else ""), f"≤ {goal:.0f} ms",
         report.verdict(value, goal, at_least=False))
        for what, value, goal in goals
    ]  # fmt: skip
    medians = [(line.name, median(line.seconds)) for line in found.values()]
    plot = report.bars(
        "latency", "Delivery to acknowledgement, median", [(name, ms, f"{ms:.0f} ms") for name, ms in medians]
    )
    return "\n\n".join(
        (
            report.table(HEAD, [line.cells() for line in found.values()]),
            report.table(("", "measured", "goal", ""), judged),
            f"![delivery to acknowledgement](plots/{plot.name})",
            "Five mails a second, or one after the other has been acknowledged. “IDLE only” is without the NOOPs that "
            "follow a mail; the other rows are as set by default. Own part: from the line that announced the mail. CPU "
            f"is in parts of a core, Dovecot's that of its imap processes; a NOOP costs it {noop:.3f} ms.",
            report.measured_by(command),
        )
    )


def main() -> None:
    """Measure, and print or write the section."""
    given = report.options(__doc__, count=40, starts=5)  # first mails after a start: two at least
    text = section(*run(given.count, max(2, given.starts)), f"python -m bench.speed.latency --count {given.count}")
    report.publish("latency", text, write=given.write)


if __name__ == "__main__":
    main()
