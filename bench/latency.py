"""How long from a delivered mail to its acknowledgement? On a real Dovecot, all in one run. Run it on a quiet machine.

    python -m bench.latency [--count 40] [--write docs/performance.md]

What is measured, in milliseconds from the LMTP server's 250 to the SMTP server's 250 for the acknowledgement:

    bare          a client that does nothing but IDLE: until EXISTS
    single        mailbot by IMAP, a mail now and then
    5/s           mailbot by IMAP at five mails a second, with and without NOOP while traffic is on; and its own part:
                  from the line that told of the mail (seen by a relay between the two) to the acknowledgement
    lmtp          mailbot's own door, single and at five a second

People who write right after each acknowledgement, at one pace, look like a machine to the desk: that one limit is off.
`cost`: commands that reached Dovecot, and CPU of mailbot and of Dovecot's processes for that user.
"""

from __future__ import annotations

import argparse
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

from tests.contract.dovecot import PASSWORD, Dovecot
from tests.contract.loopback import free_port, until
from tests.contract.smtp_sink import Sink
from tests.integration.running_desk import RunningDesk

ROOT = Path(__file__).parents[1]
MARK, END = "<!-- latency -->", "<!-- /latency -->"
TICK = os.sysconf("SC_CLK_TCK")
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
    """A client that idles, told of mail: seconds after each delivery."""
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


def imap_processes(home: Path) -> list[int]:
    """Dovecot's imap processes of this server."""
    out = subprocess.run(["pgrep", "-f", "dovecot/imap"], capture_output=True, text=True, check=False).stdout
    master = int((home / "run" / "master.pid").read_text())
    return [int(p) for p in out.split() if Path(f"/proc/{p}/stat").read_text().split()[3] == str(master)]


@dataclass
class Line:
    """One line of the table."""

    name: str
    seconds: list[float]
    own: list[float] = field(default_factory=list)
    cost: str = ""

    def cells(self) -> str:
        def three(values: list[float]) -> str:
            if not values:
                return "| | "
            ranked = sorted(values)
            p99 = ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))]
            return f"{statistics.median(ranked) * 1000:.1f} | {p99 * 1000:.1f} | {ranked[-1] * 1000:.1f}"

        own = f"{three(self.own)}" if self.own else " | | "
        return f"| {self.name} | {len(self.seconds)} | {three(self.seconds)} | {own} | {self.cost} |"


class Bench:
    """One Dovecot, one sink, one mailbot at a time."""

    def __init__(self, home: Path, dovecot: Dovecot, sink: TimedSink) -> None:
        self.home, self.dovecot, self.sink = home, dovecot, sink
        self.relay = Relay(dovecot.port)
        self.relay.start()
        self.lmtp = free_port()

    def desk(self, *, brisk: bool) -> RunningDesk:
        folder = self.home / f"desk-{brisk}"
        folder.mkdir()
        desk = RunningDesk(folder, self.dovecot, self.sink, more=LIMITS.format(port=self.lmtp))
        desk.write_config(imap_port=self.relay.port)
        desk.config.write_text(
            desk.config.read_text().replace('poll_interval = "2s"', 'poll_interval = "30s"')
            + '[agent_mail]\nnotify = "none"\n'
        )
        change = "import mailbot.core.restraint as r; r.is_one_pace = lambda *_: False; "
        change += "" if brisk else "import mailbot.loops; mailbot.loops.BRISK_SECONDS = 0.0; "
        command = [sys.executable, "-c", f"{change}from mailbot.cli import main; main()", "run", "--config"]
        with desk.log_file.open("ab") as out:
            desk.process = subprocess.Popen([*command, str(desk.config)], stdout=out, stderr=out, cwd=ROOT)
        desk.logged("LMTP: listening")
        until(lambda: self.relay.commands > 5, 20, "mailbot reads")
        time.sleep(1.5)
        return desk

    def acknowledged(self, sender: str) -> None:
        until(lambda: sender in self.sink.at, 30, f"an acknowledgement for {sender}")

    def measure(self, name: str, port: int, count: int, every: float, *, single: bool, desk: RunningDesk) -> Line:
        assert desk.process is not None
        pids = [desk.process.pid, *imap_processes(self.dovecot.home)]
        before, commands, begun = [cpu(pid) for pid in pids], self.relay.commands, time.monotonic()
        key = "".join(c for c in name if c.isalnum()).lower()
        at = deliver(port, "support@helpdesk.example", count, every, key, self.acknowledged if single else None)
        for sender in at:
            self.acknowledged(sender)
        lasted = time.monotonic() - begun
        used = [cpu(pid) - was for pid, was in zip(pids, before, strict=True)]
        cost = (
            f"{(self.relay.commands - commands) / lasted:.1f}/s, mailbot {used[0] / lasted * 100:.1f} %, "
            f"Dovecot {sum(used[1:]) / lasted * 100:.1f} %"
        )
        seconds = [self.sink.at[sender] - sent for sender, sent in at.items()]
        own = [] if port == self.lmtp else [self._own(self.sink.at[s], sent) for s, sent in at.items()]
        return Line(name, seconds, own, cost)

    def _own(self, done: float, sent: float) -> float:
        """From the first EXISTS after the delivery; from the delivery where none was needed."""
        told = next((at for at in self.relay.exists if sent <= at <= done), sent)
        return done - told


def run(count: int) -> list[Line]:
    home = Path(tempfile.mkdtemp(prefix="mailbot-latency-"))
    home.chmod(0o755)
    sink = TimedSink()
    sink.at = {}
    (home / "dovecot").mkdir(mode=0o755)
    try:
        with sink, Dovecot(home / "dovecot") as dovecot:
            bench = Bench(home, dovecot, sink)
            lines = [Line("bare client, IDLE until EXISTS", bare_idle(dovecot, count))]
            for brisk in (False, True):
                how = "NOOP while traffic is on" if brisk else "IDLE only"
                desk = bench.desk(brisk=brisk)
                lmtp = dovecot.lmtp_port
                lines.append(
                    bench.measure(
                        f"IMAP, single, {how}",
                        lmtp,
                        count,
                        0.2,
                        single=True,
                        desk=desk,
                    )
                )
                lines.append(bench.measure(f"IMAP, 5/s, {how}", lmtp, count * 3, 0.2, single=False, desk=desk))
                if brisk:
                    lines.append(bench.measure("LMTP, single", bench.lmtp, count, 0.1, single=True, desk=desk))
                    lines.append(bench.measure("LMTP, 5/s", bench.lmtp, count * 3, 0.2, single=False, desk=desk))
                desk.stop()
        return lines
    finally:
        shutil.rmtree(home, ignore_errors=True)


def table(lines: list[Line]) -> str:
    head = (
        "| | n | median ms | p99 | worst | own part: median | p99 | worst | IMAP commands, CPU |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(line.cells() for line in lines) + "\n"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=40)
    options.add_argument("--write", type=Path)
    chosen = options.parse_args()
    load = os.getloadavg()[0]
    found = table(run(chosen.count))
    print(f"load before: {load:.1f}\n{found}")
    if chosen.write:
        text = chosen.write.read_text(encoding="utf-8")
        before, _, rest = text.partition(MARK)
        _, _, after = rest.partition(END)
        note = f"\nMeasured by `python -m bench.latency` (load of the machine before: {load:.1f}).\n\n"
        chosen.write.write_text(f"{before}{MARK}{note}{found}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
