"""Commands that are killed: `run --once`, `ingest`, `db upgrade`, `quarantine release`; what a second try makes of it.

As in test_steps.py the command is killed at its steps, before a call and after it. Then it is simply given again.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from mailbot.store import integrity
from tests.crash.conftest import MakeDesk
from tests.crash.desk import CrashDesk
from tests.crash.ledger import Findings, Holdings
from tests.crash.load import Action
from tests.crash.reference import Reference
from tests.crash.stage import (
    Stage,
    trace,
    under_the_tracer,
)
from tests.support.chaos_results import is_recording, record
from tests.support.dovecot import Dovecot
from tests.support.people import prepared

pytestmark = [pytest.mark.dovecot, pytest.mark.usefixtures("tracing"), pytest.mark.timeout(1200)]
# How many kills each command gets, spread over its steps.
KILLS = 8 if is_recording() else 2
NAME = "perintah"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, post_office: Dovecot, make_desk: MakeDesk) -> Stage:
    return Stage(tmp_path_factory.mktemp("stage"), make_desk)


def finish(desk: CrashDesk, *command: str) -> Counter[str]:
    """Run a command to its end, watched; its steps."""
    under_the_tracer(desk, None, *command).wait(240)
    lines = trace(desk)
    assert lines[-1] == {"ended": 0}, (lines[-1], desk.log()[-2000:])
    return Counter(line["step"] for line in lines if "step" in line)


def kills(steps: Counter[str]) -> Iterator[dict[str, object]]:
    """Kills, spread evenly over all steps; every second after the call."""
    every = [(step, nth) for step, times in sorted(steps.items()) for nth in range(1, times + 1)]
    decisive = [(step, nth) for step, nth in every if "written" not in step and "compiled" not in step] or every
    for at in range(KILLS):
        step, nth = decisive[len(decisive) * (2 * at + 1) // (2 * KILLS)]
        yield {"step": step, "nth": nth, "after": at % 2 == 1}


def kill(desk: CrashDesk, order: dict[str, object], *command: str) -> None:
    """Run a command that dies at a step."""
    desk.record.life = desk.kills
    under_the_tracer(desk, order, *command).wait(240)
    desk.kills += 1
    desk.record.life = desk.kills
    desk.started_at = time.monotonic()


def judge(desk: CrashDesk, command: str, order: dict[str, object], expected: Holdings, written: list[bytes]) -> None:
    """Compare, and write it down."""
    seconds = time.monotonic() - desk.started_at
    with desk.store() as store:
        findings = desk.audit(expected, written, store)
    note = str(findings) if findings else ""
    doubled = len(findings.doubled) + len(findings.wrong) + findings.resent
    record(f"mailbot {command}: killed", seconds, len(findings.lost), doubled, note, allowed=findings.resent)
    assert not findings, f"{command}, killed at {order}:\n{findings}"


def test_run_once(stage: Stage) -> None:
    scene = stage.scenes["mail waits"]
    with stage.desk(scene) as desk:
        steps = finish(desk, "run", "--once")
    for order in kills(steps):
        with stage.desk(scene) as desk:
            kill(desk, order, "run", "--once")
            finish(desk, "run", "--once")
            judge(desk, "run --once", order, scene.expected, list(scene.letters))


@pytest.mark.slow
def test_ingest(make_desk: MakeDesk, tmp_path: Path) -> None:
    with Reference(tmp_path / "reference", NAME) as peace:
        expected = peace.play([Action("report", 1, 1), Action("report", 2, 2)])
        letters = list(peace.world.written)
    files = [tmp_path / f"{at}.eml" for at in range(len(letters))]
    for file, raw in zip(files, letters, strict=True):
        file.write_bytes(raw)
    command = ("ingest", *map(str, files))

    @contextmanager
    def fresh() -> Iterator[CrashDesk]:
        with make_desk() as desk:
            shutil.copytree(prepared(), desk.home / "data")
            yield desk

    with fresh() as desk:
        steps = finish(desk, *command)
    for order in kills(steps):
        with fresh() as desk:
            kill(desk, order, *command)
            finish(desk, *command)
            with desk.store() as store, store.reading() as connection:
                states = connection.execute(text("SELECT state FROM inbound")).scalars().all()
            assert list(states) == ["processed"] * len(letters), f"killed at {order}, and given again"
            finish(desk, "run", "--once")
            judge(desk, "ingest", order, expected, [])


def test_db_upgrade(make_desk: MakeDesk) -> None:
    with make_desk() as desk:
        steps = finish(desk, "db", "upgrade")
    for order in kills(steps):
        with make_desk() as desk:
            kill(desk, order, "db", "upgrade")
            finish(desk, "db", "upgrade")
            seconds = time.monotonic() - desk.started_at
            with desk.store() as store:
                findings = Findings(wrong=integrity.check(store))
            record("mailbot db upgrade: killed", seconds, 0, len(findings.wrong), str(findings) if findings else "")
            assert not findings, f"killed at {order}:\n{findings}"


@pytest.mark.slow
def test_quarantine_release(make_desk: MakeDesk, tmp_path: Path) -> None:
    with Reference(tmp_path / "reference", NAME) as peace:
        peace.play([Action("stray", -1, 1)])
        held = shutil.copytree(peace.folder, tmp_path / "held", ignore=shutil.ignore_patterns("*-shm", "*.lock"))
        expected = peace.release(1)

    @contextmanager
    def fresh() -> Iterator[CrashDesk]:
        with make_desk() as desk:
            shutil.copytree(held, desk.home / "data")
            yield desk

    with fresh() as desk:
        steps = finish(desk, "quarantine", "release", "1")
    for order in kills(steps):
        with fresh() as desk:
            kill(desk, order, "quarantine", "release", "1")
            again = under_the_tracer(desk, None, "quarantine", "release", "1")
            assert again.wait(240) == 0  # refused where the first try got far enough, which is an end like others
            assert trace(desk)[-1] in ({"ended": 0}, {"ended": 1}), desk.log()[-2000:]
            finish(desk, "run", "--once")
            judge(desk, "quarantine release", order, expected, [])
