"""An outage of the database in the log, whatever error each thread meets."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.runtime import logs
from mailbot.runtime.clock import ManualClock
from mailbot.runtime.logs import SharedOutage

GONE = "The database desk can't be reached; mailbot tries again"
LOCKED = "The database desk is locked by another process"
FULL = "The database desk has no room: the disk is full"


class LoggedOutage:
    """A shared outage with a clock that the test moves, and what it wrote."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        logs.configure("info", "text", stream=self.out)
        self.clock = ManualClock(datetime(2025, 11, 24, tzinfo=UTC))
        self.outage = SharedOutage(logging.getLogger("test"), "storage", self.clock)

    def lines(self) -> list[str]:
        return [line.split("storage: ", 1)[1] for line in self.out.getvalue().splitlines()]


@pytest.fixture
def logged() -> Iterator[LoggedOutage]:
    yield LoggedOutage()
    logs.configure()


def test_a_server_that_restarts_is_one_line(logged: LoggedOutage) -> None:
    for words in ("no such file", "connection refused", "the database system is starting up"):
        for who in ("inbox", "outbox", "timers"):
            logged.outage.failed(who, f"{GONE} [{words}]")
    assert logged.lines() == [f"{GONE} [no such file]"]
    for who in ("inbox", "outbox"):
        logged.outage.works(who)
    assert len(logged.lines()) == 1 and logged.outage.since is not None, "the timers have not reported a success"
    logged.clock.advance(timedelta(seconds=7))
    logged.outage.works("timers")
    assert logged.lines()[1:] == ["works again, after 7s and 9 tries"]
    assert logged.outage.reason == "" and logged.outage.since is None


def test_a_second_reason_is_logged_at_once_and_a_third_a_minute_later(logged: LoggedOutage) -> None:
    for reason in (GONE, LOCKED, FULL, GONE, FULL):
        logged.outage.failed("inbox", reason)
    assert logged.lines() == [GONE, LOCKED]
    logged.clock.advance(timedelta(seconds=61))
    for reason in (LOCKED, FULL, FULL):
        logged.outage.failed("inbox", reason)
    assert logged.lines() == [GONE, LOCKED, FULL]
    assert logged.outage.reason == FULL


def test_a_new_outage_begins_with_a_line_of_its_own(logged: LoggedOutage) -> None:
    for _ in range(2):
        logged.outage.failed("inbox", GONE)
        logged.outage.works("inbox")
        logged.outage.works("outbox")
    assert logged.lines() == [GONE, "works again, after 0s and 1 try"] * 2
