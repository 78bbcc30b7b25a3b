"""The lock between processes."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

from mailbot.runtime.filelock import FileLock


def test_one_holds_it_and_says_who(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert second.holder() is None
    assert first.acquire(wait_seconds=0)
    assert first.acquire(wait_seconds=0)
    assert not second.acquire(wait_seconds=0)
    assert second.holder() == os.getpid()
    first.release()
    first.release()
    assert second.holder() is None
    assert second.acquire(wait_seconds=0)
    second.release()
    assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600


def test_waiting_ends_when_it_is_free_or_time_is_up(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire(wait_seconds=None)
    started = time.monotonic()
    assert not second.acquire(wait_seconds=0.1)
    assert time.monotonic() - started >= 0.1
    for wait in (5.0, None):
        threading.Timer(0.05, first.release).start()
        assert second.acquire(wait_seconds=wait)
        second.release()
        assert first.acquire(wait_seconds=0)
    first.release()
