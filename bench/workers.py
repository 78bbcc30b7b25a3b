"""How much more do several workers do? Throughput of one desk with 1, 2 and 4 `mailbot run` on one machine.

    python bench/workers.py [--mails 1000] [--workers 1 2 4] [--agents 0]

A PostgreSQL that waits for its disk (fsync on), a Dovecot with the backlog in it, an SMTP server that keeps what it
gets; all on loopback, all of this machine. Full work: each mail stored, understood, made a ticket, acknowledged in text
and HTML, the acknowledgement accepted, the mail moved. Measured from the first acknowledgement to the last; CPU is that
of the workers alone, and beside it how busy the whole machine was: where that is 100 %, the machine is the limit.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from email.message import EmailMessage
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import create_engine, text

from tests.contract import postgres as pg
from tests.contract.dovecot import Dovecot
from tests.contract.smtp_sink import Sink
from tests.integration.people import ADDRESS, WIRE
from tests.integration.running_desk import RunningDesk

WORDS = ("mohon", "bantuan", "sekolah", "kami", "tidak", "bisa", "masuk", "aplikasi", "data", "siswa", "gagal")
TICKS = os.sysconf("SC_CLK_TCK")


def report(nth: int, chance: random.Random) -> bytes:
    """A report in text and HTML, some 6 KB; every tenth with a picture of 200 KB."""
    mail = EmailMessage()
    mail["From"], mail["To"] = f"Guru {nth} <guru{nth}@sekolah{nth}.example>", ADDRESS
    mail["Subject"], mail["Message-ID"] = f"Lapor {nth}", f"<{nth}.bench@sekolah.example>"
    words = "\n\n".join(" ".join(chance.choices(WORDS, k=40)) + "." for _ in range(8))
    mail.set_content(words)
    mail.add_alternative("".join(f"<p>{part}</p>" for part in words.split("\n\n")), subtype="html")
    if nth % 10 == 0:
        mail.add_attachment(chance.randbytes(150_000), maintype="image", subtype="jpeg", filename="layar.jpg")
    return mail.as_bytes(policy=WIRE)


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def busy() -> tuple[float, float]:
    """Seconds of CPU that this machine has spent, and has had, since it started."""
    parts = [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(parts) - parts[3] - parts[4]) / TICKS, sum(parts) / TICKS


def measure(server: pg.Postgres, count: int, mails: list[bytes], folder: Path) -> dict[str, float]:
    """One run with `count` workers on a database and a mailbox of their own."""
    url = server.create()
    home = folder / f"dovecot{count}"
    home.mkdir(mode=0o755)
    with Dovecot(home) as dovecot, Sink() as sink:
        dovecot.append("support", *mails)
        workers = []
        for nth in range(count):
            place = folder / f"{count}-{nth}"
            (place / "data").mkdir(parents=True)
            (place / "data" / "secret.key").write_text("a secret that all workers of a desk share\n")
            (place / "data" / "secret.key").chmod(0o600)
            more = '[agent_mail]\nnotify = "none"'
            workers.append(RunningDesk(place, dovecot, sink, database_url=url, more=more))
        for worker in workers:
            worker.start()
        try:
            while not sink.envelopes:
                time.sleep(0.005)
            begun, (used, had) = time.monotonic(), busy()
            pids = [worker.process.pid for worker in workers if worker.process]
            spent = sum(cpu_of(pid) for pid in pids)
            already = len(sink.envelopes)
            while len(sink.envelopes) < len(mails):
                time.sleep(0.005)
            lasted, (used_now, had_now) = time.monotonic() - begun, busy()
            spent = sum(cpu_of(pid) for pid in pids) - spent
        finally:
            for worker in workers:
                worker.stop(signal.SIGTERM)
    sent = [re.search(rb"(?im)^Message-ID:\s*(\S+)", bytes(e.original_content or b"")) for e in sink.envelopes]
    assert len({found[1] for found in sent if found}) == len(mails), "a mail went out twice, or not at all"
    done = len(mails) - already
    with create_engine(url).connect() as connection:
        size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        raw = connection.execute(text("SELECT pg_total_relation_size('raw_mail')")).scalar_one()
    return {
        "rate": done / lasted, "cpu_ms": 1000 * spent / done, "machine": 100 * (used_now - used) / (had_now - had),
        "bytes": (size - 10_000_000) / len(mails), "raw": raw / len(mails),
    }  # fmt: skip


def main() -> None:
    """Print one line for each number of workers."""
    options = argparse.ArgumentParser()
    options.add_argument("--mails", type=int, default=1000)
    options.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    given = options.parse_args()
    chance = random.Random(7)
    mails = [report(nth, chance) for nth in range(given.mails)]
    print(f"{given.mails} mails of {sum(map(len, mails)) / len(mails) / 1000:.1f} KB; {os.cpu_count()} cores")
    pg._SETTINGS |= {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "128MB"}
    folder = Path(tempfile.mkdtemp(prefix="mailbot-bench-"))
    folder.chmod(0o755)
    server = pg.Postgres(Path(tempfile.mkdtemp(prefix="mailbot-pg-")))
    server.start()
    try:
        for count in given.workers:
            found = measure(server, count, mails, folder)
            print(
                f"{count} workers: {found['rate']:6.1f} mails/s, {found['cpu_ms']:5.1f} ms CPU of workers a mail, "
                f"machine {found['machine']:3.0f} % busy, database {found['bytes'] / 1000:.1f} KB a mail "
                f"(raw mail {found['raw'] / 1000:.1f})",
                flush=True,
            )
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
