"""Resident size and start-up of mailbot.

    python -m bench.speed.memory [--mails 1000] [--large-mails 4] [--write]

Idle: `mailbot run` with an empty inbox, half a minute after it has said that it is running. Backlog: `mailbot run
--once` on the mix of corpus.py with mails among it that hold an attachment of 24 MB (33 MB as they are sent);
once more with a notification of each to an agent, which carries the attachment on. Memory is counted as in
machine.py.
Start-up: from the start of `mailbot run` to the first IMAP command after the log-in (in Dovecot's log), and `mailbot
--help`.
"""

from __future__ import annotations

import base64
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.speed import corpus
from bench.speed.products import MailbotDesk, Servers, here
from bench.speed.sink import Sink
from bench.support import machine, report
from tests.support.dovecot import Dovecot
from tests.support.loopback import until

IDLE_SECONDS = 30
LARGE = 24_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """MB (10^6) and seconds."""

    idle: float
    backlog: float
    told: float
    mails: int
    large: int
    to_imap: float
    help: float


def measure(mails: int, large: int) -> Found:
    """All of it, on a desk of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        (home / "dovecot").mkdir()
        with Dovecot(home / "dovecot") as dovecot, Sink() as sink:
            servers = Servers(dovecot, sink.port)
            product = MailbotDesk("mailbot", "none")
            product.take_in(home / "desk", servers, "empty")  # makes the database
            idle, to_imap = _idle(product, home / "desk", servers)
            help_seconds = statistics.median(_help() for _ in range(5))
            dovecot.append_all("backlog", with_large_ones(mails, large))
            cost = product.take_in(home / "desk", servers, "backlog")
            assert cost.code == 0, (home / "desk" / "log").read_text()[-2000:]
            telling = MailbotDesk("telling", "all")
            dovecot.append_all("told", with_large_ones(mails, large))
            told = telling.take_in(home / "telling", servers, "told")
            assert told.code == 0, (home / "telling" / "log").read_text()[-2000:]
            return Found(idle, cost.memory, told.memory, mails, large, to_imap, help_seconds)


def _idle(product: MailbotDesk, folder: Path, servers: Servers) -> tuple[float, float]:
    """Resident size of an idle daemon, and how long it took to log in."""
    log, dovecot_log = folder / "run.log", servers.dovecot.home / "dovecot.log"
    before = dovecot_log.read_text(errors="replace").count("Login: user=<empty>")
    command = product.command(folder, servers, "empty", "run")
    with log.open("wb") as out:
        begun = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], env=here(), stdout=out, stderr=out)
    try:
        until(
            lambda: dovecot_log.read_text(errors="replace").count("Login: user=<empty>") > before, 60, "mailbot logs in"
        )
        to_imap = time.perf_counter() - begun
        time.sleep(IDLE_SECONDS)
        return machine.together([machine.pages(pid) for pid in machine.family(process.pid)]) / 1e6, to_imap
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _help() -> float:
    cost = machine.run([sys.executable, "-m", "mailbot", "--help"], environment=here())
    assert cost.code == 0
    return cost.wall


def with_large_ones(mails: int, large: int) -> Iterator[bytes]:
    """The mix, with the large ones spread over it."""
    every = max(1, mails // max(1, large))
    for nth, mail in enumerate(corpus.mails(mails)):
        yield mail.raw
        if large and nth % every == every - 1 and nth // every < large:
            yield large_mail(nth)


def large_mail(nth: int) -> bytes:
    """A mail with a file of 24 MB, 33 MB as it is sent."""
    data = base64.encodebytes(random.Random(nth).randbytes(LARGE)).replace(b"\n", b"\r\n")
    head = (
        f"From: Acha <acha{nth}@sekolah.example>\r\nTo: {corpus.DESK}\r\nSubject: Berkas {nth}\r\n"
        f"Message-ID: <large.{nth}@sekolah.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nTerlampir.\r\n'
        "--b\r\nContent-Type: image/jpeg\r\nContent-Disposition: attachment; filename=foto.jpg\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + data + b"--b--\r\n"


_WHY = """\
Counted are the pages that each process has to itself, and those that they share (the interpreter, libraries) once,
looked at every 50 ms. What a large mail costs while it is taken in is the mail (33 MB) and one more form of it at a
time: packed (25), or its file (24). It is stored and read back in pieces (SQLite's blob interface), its files are
decoded in pieces and let go once they were looked at. A mail that carries a large file on is encoded while it is sent,
and the file lies on disk meanwhile (`desk/outbound/attachments.py`), however long a server takes. One large mail at a
time is taken apart in a process, none is unpacked to be sent while one is taken in (`runtime/memory.py`), and large
blocks go back to the system at once (mallopt). The process that understands mail, where there is more than one core,
has some 30 MB to itself. On PostgreSQL a large mail is in memory once or twice more, in the driver's
buffers; an archive is unpacked up to 48 MB to look into it."""


def section(found: Found, command: str) -> str:
    """The table."""
    backlog = f"in all processes, a backlog of {found.mails} mails and {found.large} of 33 MB"
    rows = [
        ("`mailbot run`, idle", f"{found.idle:.0f} MB", "100 MB", report.verdict(found.idle, 100, at_least=False)),
        (backlog, f"{found.backlog:.0f} MB", "250 MB", report.verdict(found.backlog, 250, at_least=False)),
        ("the same, each mail passed on to an agent", f"{found.told:.0f} MB", "250 MB",
         report.verdict(found.told, 250, at_least=False)),
        ("start of `mailbot run` to its IMAP log-in", f"{found.to_imap:.2f} s", "1 s",
         report.verdict(found.to_imap, 1, at_least=False)),
        ("`mailbot --help`", f"{found.help:.2f} s", "0.2 s", report.verdict(found.help, 0.2, at_least=False)),
    ]  # fmt: skip
    return f"{report.table(('', 'measured', 'goal', ''), rows)}\n\n{report.measured_by(command)}\n\n{_WHY}"


def main() -> None:
    """Measure, and print or write the section."""
    given = report.options(__doc__, mails=1000, large_mails=4)
    command = f"python -m bench.speed.memory --mails {given.mails} --large-mails {given.large_mails}"
    report.publish("memory", section(measure(given.mails, given.large_mails), command), write=given.write)


if __name__ == "__main__":
    main()
