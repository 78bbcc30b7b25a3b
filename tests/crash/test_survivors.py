"""What outlives a killed daemon: nothing. And beside one that only hangs, nobody else works on its desk."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.crash.conftest import MakeDesk
from tests.crash.desk import CrashDesk
from tests.support import forkserver
from tests.support.chaos_results import record
from tests.support.loopback import until
from tests.support.people import ACHA

pytestmark = [pytest.mark.dovecot, pytest.mark.timeout(600)]


def family(mark: str) -> list[int]:
    """All processes that have inherited this mark in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


@contextlib.contextmanager
def marked(desk: CrashDesk, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Whatever the desk starts bears a mark; the mark."""
    mark = f"CRASH_FAMILY={desk.home}"
    with monkeypatch.context() as patch:
        patch.setenv("CRASH_FAMILY", str(desk.home))
        yield mark


def test_nothing_survives_a_killed_daemon(make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    with make_desk(from_nothing=True) as desk, marked(desk, monkeypatch) as mark:
        desk.start()
        desk.write_to_it("Laporan")
        desk.wait_for(ACHA, "acknowledgement", seconds=120)
        assert desk.process is not None and desk.process.pid in family(mark)
        desk.kill()
        until(lambda: family(mark) == [], 10, f"nobody is left of {family(mark)}")


def test_a_command_for_tokens_ends_with_the_daemon_that_waits_for_it(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make_desk(from_nothing=True) as desk, marked(desk, monkeypatch) as mark:
        began = desk.home / "began"
        program = f"import pathlib, time; pathlib.Path({str(began)!r}).touch(); time.sleep(600)"
        script = desk.home / "token.py"
        script.write_text(program, encoding="utf-8")
        words = desk.config.read_text(encoding="utf-8")
        token = f'auth = "xoauth2"\ntoken_command = "{sys.executable} {script}"\n[smtp]'
        desk.config.write_text(words.replace("[smtp]", token), encoding="utf-8")
        desk.start()
        until(began.exists, 120, "the daemon asks for a token")
        assert len(family(mark)) == 2
        desk.kill()
        started = time.monotonic()
        until(lambda: family(mark) == [], 10, "the command for tokens is gone")
        record("killed while a token command runs", time.monotonic() - started)


def test_beside_a_daemon_that_hangs_nobody_works_on_its_desk(make_desk: MakeDesk) -> None:
    with make_desk() as desk:
        desk.start()
        desk.logged("running", seconds=120)
        assert desk.process is not None
        desk.process.send_signal(signal.SIGSTOP)
        desk.write_to_it("Selagi macet")
        for command in (["run"], ["run", "--once"]):
            second = forkserver.shared().run(*command, "--config", str(desk.config), timeout=240)
            assert second.returncode == 1 and f"process {desk.process.pid}" in second.stderr
        assert desk.dovecot.count(desk.user) == 1 and not desk.record.accepted
        resumed = time.monotonic()
        desk.process.send_signal(signal.SIGCONT)
        with desk.store() as store:
            desk.rest(1, store)
            record("daemon stopped (SIGSTOP), a second one started", time.monotonic() - resumed)
            with store.reading() as connection:
                assert connection.scalar(text("SELECT count(*) FROM ticket")) == 1
        desk.kill()
        desk.start()  # the lock died with its holder: nobody has to remove anything
        desk.write_to_it("Sesudah dibunuh")
        with desk.store() as store:
            desk.rest(2, store)


def test_a_lock_is_not_handed_on_to_a_child(make_desk: MakeDesk) -> None:
    """A child that outlived its daemon (on a system without PR_SET_PDEATHSIG) must not keep the next one out."""
    with make_desk() as desk:
        desk.start()
        desk.logged("running", seconds=120)
        assert desk.process is not None
        held = []
        for file in Path(f"/proc/{desk.process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                flags = (file.parents[1] / "fdinfo" / file.name).read_text()
                held.append((os.readlink(file), int(flags.split("flags:")[1].split()[0], 8)))  # noqa: PTH115
        ours = [(name, flags) for name, flags in held if name.startswith(str(desk.home / "data"))]
        assert any(name.endswith(".lock") for name, _ in ours)
        assert all(flags & os.O_CLOEXEC for _, flags in ours), ours
