"""A desk's process among faults: what it logs, what `check`, the figures and systemd say, when it is whole again.

`FaultyDesk` is a `RunningDesk` whose log is read line by line (JSON, as under systemd), which listens on NOTIFY_SOCKET
in systemd's place, and whose command may be run under another one (`wrapper`: faketime, unshare, prlimit).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.utils import getaddresses
from pathlib import Path
from types import TracebackType
from typing import Any

from mailbot.cli.check import run_checks
from mailbot.cli.checks.result import CheckResult
from mailbot.config.load import load_settings
from mailbot.desk.wiring import open_store
from mailbot.runtime.clock import SystemClock
from mailbot.store.engine import Store
from mailbot.store.queries import list_outbox, list_tickets
from tests.support.chaos_results import is_recording, record
from tests.support.loopback import free_port, until
from tests.support.people import Sent
from tests.support.running_desk import ADDRESS, RunningDesk
from tests.support.scripted_smtp import ScriptedSmtp

__all__ = ["ADDRESS", "FaultyDesk", "Watch"]
# `make chaos` measures how soon a desk recovers; `make test` asks only whether it does, and doesn't wait so long.
QUICK = {"mailbot.daemon.loop_guard:FIRST_RETRY": 0.05, "mailbot.transport.imap.suspects:FIRST_PAUSE": 0.5}


@dataclass
class FaultyDesk(RunningDesk):
    """`keys`: of its configuration, see `write_config`. `scripted`: the SMTP server in the sink's place."""

    keys: dict[str, Any] = field(default_factory=dict)
    scripted: ScriptedSmtp | None = None

    def __post_init__(self) -> None:
        self.metrics_port = free_port()
        self.more += f'\n[metrics]\nlisten = "127.0.0.1:{self.metrics_port}"\n'
        self.manager = ServiceManager()
        # systemd's watchdog at one second: the status is told twice as often
        self.environment = self.environment | {"NOTIFY_SOCKET": self.manager.address, "WATCHDOG_USEC": "1000000"}
        if not is_recording() and not self.wrapper and not self.from_nothing:
            self.constants = QUICK | dict(self.constants)
        super().__post_init__()

    def write_config(self, **changed: Any) -> None:
        """`keys` go over the defaults: `imap_host`, `imap_security`, `smtp_…`, `smtp_more` (whole lines)."""
        self.keys |= {name: changed.pop(name) for name in list(changed) if name.startswith(("imap_", "smtp_"))}
        super().write_config(**changed)
        text = self.config.read_text(encoding="utf-8")
        for name, value in self.keys.items():
            section, key = name.split("_", 1)
            head, body = text.split(f"[{section}]\n", 1)
            if key == "more":
                body = f"{value}\n{body}"
            else:
                first, rest = body.split(f"{key} = ", 1)
                body = f"{first}{key} = {json.dumps(value)}{rest[rest.index(chr(10)) :]}"
            text = f"{head}[{section}]\n{body}"
        self.config.write_text(text, encoding="utf-8")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self.manager.close()

    def sent(self) -> list[Sent]:
        if self.scripted is None:
            return super().sent()
        mails = [Sent("", "", raw) for raw in list(self.scripted.contents)]
        return [replace(mail, recipient=getaddresses([mail["To"]])[0][1]) for mail in mails]

    # what the admin sees

    def lines(self, *words: str, since: int = 0) -> list[str]:
        """The log's messages of level warning and above, and those that tell of a recovery; only those with `words`."""
        found = []
        for line in self.log().splitlines()[since:]:
            try:
                entry = json.loads(line)
            except ValueError:
                found.append(line)  # no line of ours: a traceback of the interpreter
                continue
            if entry["level"] != "info" or "works again" in entry["message"] or "not yet" in entry["message"]:
                found.append(f"{entry['level']} {entry['message']}" + ("\n" + entry.get("traceback", "")).rstrip())
        return [line for line in found if all(word in line for word in words)]

    def check(self) -> dict[str, CheckResult]:
        """What `mailbot check` finds, by part: the worst of each."""
        worst: dict[str, CheckResult] = {}
        order = ("ok", "warn", "fail")
        for finding in self._findings():
            known = worst.get(finding.part)
            if known is None or order.index(finding.state) > order.index(known.state):
                worst[finding.part] = finding
        return worst

    def _findings(self) -> list[CheckResult]:
        if not self.wrapper and not self.from_nothing:
            return list(run_checks(load_settings(self.config)))
        command = [*self.wrapper, sys.executable, "-m", "mailbot", "check", "--json", "--config", str(self.config)]
        environment = os.environ | self.environment
        done = subprocess.run(command, capture_output=True, timeout=100, cwd=Path(__file__).parents[2], env=environment)
        return [CheckResult(*finding.values()) for finding in json.loads(done.stdout)["findings"]]

    @contextlib.contextmanager
    def store(self) -> Iterator[Store]:
        """The desk's database, opened beside the daemon."""
        with open_store(load_settings(self.config), SystemClock()) as opened:
            yield opened

    def tickets(self) -> list[dict[str, Any]]:
        with self.store() as store:
            return [ticket.as_json() for ticket in list_tickets(store, limit=1000)]

    def outbox(self) -> list[dict[str, Any]]:
        """Mail that has not left."""
        with self.store() as store:
            return [row.as_json() for row in list_outbox(store)]

    def figures(self) -> dict[str, float]:
        """The figures of /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=40) as answer:
            text = answer.read().decode()
        pairs = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def works(self, part: str) -> bool:
        """What the figures say of "imap" or "smtp"."""
        return self.figures()[f'mailbot_works{{part="{part}"}}'] == 1.0

    def status(self) -> str:
        """The last line that systemd was told."""
        return self.manager.status

    def says(self, *words: str, seconds: float = 60) -> None:
        """Wait until systemd was told a line with these words."""
        until(
            lambda: all(word in self.manager.status for word in words), seconds,
            f"{words} in the status; it is {self.manager.status!r}",
        )  # fmt: skip


class ServiceManager:
    """What systemd is to the daemon: a socket that is told its state."""

    def __init__(self) -> None:
        self._home = tempfile.mkdtemp(prefix="mailbot-sd-")
        self.address = f"{self._home}/notify"
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(self.address)
        self.status = ""
        self.ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while message := self._sock.recv(4096).decode():
            for line in message.splitlines():
                if line.startswith("STATUS="):
                    self.status = line.removeprefix("STATUS=")
                if line == "READY=1":
                    self.ready.set()

    def close(self) -> None:
        """Listen no more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.sendto(b"", self.address)
        self._thread.join(5)
        self._sock.close()
        shutil.rmtree(self._home, ignore_errors=True)


class Watch:
    """What people wrote while something was broken, and what became of it.

    `write()` as often as the test likes; `whole()` waits until each of those mails has its one ticket and its one
    acknowledgement and the inbox is worked off, and writes the outcome down.
    """

    def __init__(self, desk: FaultyDesk) -> None:
        self.desk = desk
        self.people: list[str] = []
        self._mended: float | None = None

    def write(self, count: int = 1, text: str = "Isi.") -> None:
        """So many people write one mail each."""
        for _ in range(count):
            person = f"guru{len(self.people)}@sekolah.example"
            self.desk.write(person, f"Laporan {len(self.people)}", text)
            self.people.append(person)

    def mended(self) -> None:
        """The fault is over: the time until all is whole begins."""
        self._mended = time.monotonic()

    def acknowledged(self) -> Counter[str]:
        """How many different acknowledgements each person got."""
        return Counter(
            recipient
            for recipient, _message_id in {
                (mail.recipient, mail["Message-ID"]) for mail in self.desk.sent() if mail.kind == "acknowledgement"
            }
        )

    def whole(self, fault: str, *, seconds: float = 60, note: str = "", allowed: int = 0, empty: bool = True) -> float:
        """Wait until nothing is missing; seconds since `mended()`. AssertionError where mail is lost or doubled."""
        begun = self._mended or time.monotonic()

        def all_there() -> bool:
            got = self.acknowledged()
            return all(got[person] for person in self.people)

        with contextlib.suppress(AssertionError):
            until(all_there, seconds, "everybody has an acknowledgement")
        took = time.monotonic() - begun
        if empty:
            self.desk.inbox_is_empty()
        until(lambda: not self.desk.outbox(), seconds, f"nothing waits: {self.desk.outbox()}")
        subjects = Counter(ticket["subject"] for ticket in self.desk.tickets())
        expected = {f"Laporan {number}" for number in range(len(self.people))}
        lost = sum(1 for person in self.people if not self.acknowledged()[person])
        lost += len(expected - subjects.keys())
        doubled = sum(count - 1 for subject, count in subjects.items() if subject in expected)
        doubled += sum(count - 1 for count in self.acknowledged().values())
        mails = Counter((mail.recipient, mail["Message-ID"]) for mail in self.desk.sent())
        doubled += sum(count - 1 for count in mails.values())
        record(fault, took, lost, doubled, note, allowed=allowed)
        assert lost == 0, f"{lost} lost: {self.desk.lines()}"
        assert doubled <= allowed, f"{doubled} doubled: {[who for who, count in mails.items() if count > 1]}"
        return took


@contextlib.contextmanager
def stopped(*processes: int) -> Iterator[None]:
    """These processes stand still (SIGSTOP) meanwhile."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def family(process: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [process]
    for one in found:
        found += children.get(one, [])
    return found
