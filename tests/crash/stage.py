"""A desk in the middle of its work, to be killed again and again at another step, each time from the same state.

A desk that is left in peace (reference.py) lives for a while; each scene begins with a copy of its folder and mail in
the inbox, and has to end with what the desk in peace has made of the same.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.crash.conftest import MakeDesk
from tests.crash.desk import CrashDesk
from tests.crash.ledger import Holdings
from tests.crash.load import Action
from tests.crash.reference import Reference
from tests.crash.smtp_record import Transaction
from tests.support.loopback import until

# What happened before: five reports, the last of which has been answered and waits.
BEFORE = [[Action("report", story, story) for story in range(1, 6)], [Action("answer", 5, 6)]]
NAME = "adegan"
# What waits in the inbox when the daemon starts: something of everything.
WAITING = [
    Action(kind, story, 20 + at)
    for at, (kind, story) in enumerate(
        [
            ("report", 7),
            ("reply", 1),
            ("take", 2),
            ("close", 3),
            ("bounce", 4),
            ("again", 1),
            ("status", 5),
            ("stray", -9),
        ]
    )
]


@dataclass(frozen=True)
class Scene:
    """`name`; the letters that wait; whether a reminder is due; what must be there in the end."""

    name: str
    letters: tuple[bytes, ...]
    reminder_due: bool
    expected: Holdings
    fresh: bool = False


class Stage:
    """What all scenes have in common: the folder of a desk that has lived, and what it has sent."""

    def __init__(self, home: Path, make: MakeDesk) -> None:
        self._make = make
        self._folder = home / "before"
        self._sent: list[Transaction] = []
        self._taken = 0
        self.scenes = {scene.name: scene for scene in self._set_up(home)}

    def _set_up(self, home: Path) -> Iterator[Scene]:
        with Reference(home / "reference", NAME) as peace:
            for burst in BEFORE:
                peace.play(burst)
            self._taken = len(peace.world.written)
            # Without the shared memory of the write-ahead log, which the next to open it makes anew.
            shutil.copytree(peace.folder, self._folder, ignore=shutil.ignore_patterns("*-shm", "*.lock"))
            self._sent = [
                Transaction(-1 - at, -1, mail.envelope_from, mail.recipient, mail["Message-ID"], mail.raw)
                for at, mail in enumerate(peace.sent)
            ]
            expected = peace.play(WAITING)
            yield Scene("mail waits", tuple(peace.world.written[self._taken :]), False, expected)
        with Reference(home / "reference-timer", NAME) as peace:
            for burst in BEFORE:
                peace.play(burst)
            yield Scene("a reminder is due", (), True, peace.after(hours=7))
        with Reference(home / "reference-first", NAME) as peace:
            expected = peace.play([Action("report", 1, 1), Action("report", 2, 2)])
            yield Scene("first start", tuple(peace.world.written), False, expected, fresh=True)

    @contextmanager
    def desk(self, scene: Scene) -> Iterator[CrashDesk]:
        """A desk on which the scene is about to begin."""
        with self._make() as desk:
            if not scene.fresh:
                shutil.copytree(self._folder, desk.home / "data")
                desk.record.accepted += self._sent
            if scene.reminder_due:
                with closing(sqlite3.connect(desk.home / "data" / "mailbot.db")) as database, database:
                    database.execute(
                        "UPDATE timer SET due_at = '2020-01-01 00:00:00' WHERE kind = 'reminder' AND step = 1"
                    )
            if scene.letters:
                desk.dovecot.append(desk.user, *scene.letters)
            yield desk

    def taken(self, scene: Scene) -> int:
        """How many mails a desk has taken in when the scene is over."""
        return len(scene.letters) + (0 if scene.fresh else self._taken)


def under_the_tracer(desk: CrashDesk, kill: dict[str, Any] | None, *command: str) -> subprocess.Popen[bytes]:
    """Start a mailbot command that dies at a step. Its steps are in `trace(desk)`."""
    orders = desk.home / "orders.json"
    ports = {desk.dovecot.port: "IMAP", desk.record.port: "SMTP"}
    orders.write_text(json.dumps({"folder": str(desk.home / "data"), "ports": ports, "kill": kill}), encoding="utf-8")
    (desk.home / "trace.jsonl").unlink(missing_ok=True)
    mailbot = [sys.executable, "-m", "mailbot", *command, "--config", str(desk.config)]
    tracer = [sys.executable, "-m", "tests.crash.tracer", str(orders), str(desk.home / "trace.jsonl"), *mailbot]
    with desk.log_file.open("ab") as out:
        return subprocess.Popen(tracer, stdout=out, stderr=out, cwd=Path(__file__).parents[2])


def trace(desk: CrashDesk) -> list[dict[str, Any]]:
    """The steps so far."""
    file = desk.home / "trace.jsonl"
    lines = file.read_text(encoding="utf-8").split("\n")[:-1] if file.exists() else []
    return [json.loads(line) for line in lines]


def end(desk: CrashDesk, tracer: subprocess.Popen[bytes], how: int = signal.SIGTERM) -> None:
    """Let the traced command end."""
    os.kill(trace(desk)[0]["pid"], how)
    tracer.wait(120)


def wait_until_killed(desk: CrashDesk, tracer: subprocess.Popen[bytes], done: Any, seconds: float = 240) -> str:
    """The step at which it died; "" where the desk came to rest without it (it is killed then all the same)."""
    until(lambda: tracer.poll() is not None or done(), seconds, "the daemon is killed, or done")
    if tracer.poll() is None:
        end(desk, tracer, signal.SIGKILL)
    return next((line["killed"] for line in trace(desk) if "killed" in line), "")
