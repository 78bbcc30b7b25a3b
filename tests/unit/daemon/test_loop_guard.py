"""The error handling that all loops share: what is logged, when, and what passes through."""

from __future__ import annotations

import logging

import pytest

from mailbot.daemon.loop_guard import LONGEST_RETRY, LoopGuard, retry_delay
from mailbot.errors import StoreUnavailable
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import SharedOutage

log = logging.getLogger("test")


@pytest.fixture
def storage(caplog: pytest.LogCaptureFixture) -> SharedOutage:
    caplog.set_level(logging.INFO)
    return SharedOutage(log, "storage", SystemClock())


def test_a_step_that_works_leaves_no_trace(storage: SharedOutage, caplog: pytest.LogCaptureFixture) -> None:
    guard = LoopGuard(log, "outbox", storage)
    with guard:
        guard.works()
    assert guard.error is None and caplog.messages == []


def test_the_database_is_reported_by_all_loops_together(
    storage: SharedOutage, caplog: pytest.LogCaptureFixture
) -> None:
    outbox, timers = LoopGuard(log, "outbox", storage), LoopGuard(log, "timers", storage)
    for guard in (outbox, timers, outbox):
        with guard:
            raise StoreUnavailable("the database is locked")
        assert isinstance(guard.error, StoreUnavailable)
    assert caplog.messages == ["storage: the database is locked"]
    with outbox:
        outbox.works()
    assert len(caplog.messages) == 1, "the timers have not recovered yet"
    with timers:
        timers.works()
    assert len(caplog.messages) == 2 and "works again" in caplog.messages[1]


def test_a_bug_is_logged_once_with_its_traceback_and_the_loop_goes_on(
    storage: SharedOutage, caplog: pytest.LogCaptureFixture
) -> None:
    guard = LoopGuard(log, "outbox", storage)
    for _ in range(3):
        with guard:
            raise KeyError("answer")
        assert isinstance(guard.error, KeyError)
    [record] = caplog.records
    assert record.getMessage() == "outbox: unexpected error, retrying: KeyError: 'answer'"
    assert record.levelno == logging.ERROR and record.exc_info is not None and record.exc_info[0] is KeyError
    assert storage.since is None, "a bug is no outage of the database"
    with guard:
        guard.works()
    assert guard.error is None and "works again" in caplog.messages[-1]


def test_a_step_that_ends_without_success_keeps_the_failure_open(
    storage: SharedOutage, caplog: pytest.LogCaptureFixture
) -> None:
    guard = LoopGuard(log, "inbox", storage)
    with guard:
        raise StoreUnavailable("the database is locked")
    with guard:
        pass
    assert guard.error is None and storage.since is not None


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_process_passes_through(storage: SharedOutage, ending: type[BaseException]) -> None:
    guard = LoopGuard(log, "inbox", storage)
    with pytest.raises(ending), guard:
        raise ending
    assert guard.error is None


def test_pauses_double_up_to_the_longest_with_jitter() -> None:
    for failures, full in ((0, 0.5), (1, 1.0), (4, 8.0), (9, LONGEST_RETRY), (10_000, LONGEST_RETRY)):
        assert all(full * 0.75 <= retry_delay(failures) <= full for _ in range(50))
    assert retry_delay(20, 120.0) >= 90.0
