"""An outage of the database as the log tells it, whatever each thread meets."""

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


class Told:
    """A shared outage with a clock that the test moves, and what it wrote."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        logs.configure("info", "text", stream=self.out)
        self.clock = ManualClock(datetime(2025, 11, 24, tzinfo=UTC))
        self.outage = SharedOutage(logging.getLogger("test"), "storage", self.clock)

    def lines(self) -> list[str]:
        return [line.split("storage: ", 1)[1] for line in self.out.getvalue().splitlines()]


@pytest.fixture
def told() -> Iterator[Told]:
    yield Told()
    logs.configure()


def test_a_server_that_restarts_is_one_line(told: Told) -> None:
    for words in ("no such file", "connection refused", "the database system is starting up"):
        for who in ("inbox", "outbox", "timers"):
            told.outage.failed(who, f"{GONE} [{words}]")
    assert told.lines() == [f"{GONE} [no such file]"]
    for who in ("inbox", "outbox"):
        told.outage.works(who)
    assert len(told.lines()) == 1 and told.outage.since is not None, "the timers have not seen it work"
    told.clock.advance(timedelta(seconds=7))
    told.outage.works("timers")
    assert told.lines()[1:] == ["works again, after 7s and 9 tries"]
    assert told.outage.reason == "" and told.outage.since is None


def test_a_second_mend_is_said_at_once_and_a_third_a_minute_later(told: Told) -> None:
    for reason in (GONE, LOCKED, FULL, GONE, FULL):
        told.outage.failed("inbox", reason)
    assert told.lines() == [GONE, LOCKED]
    told.clock.advance(timedelta(seconds=61))
    for reason in (LOCKED, FULL, FULL):
        told.outage.failed("inbox", reason)
    assert told.lines() == [GONE, LOCKED, FULL]
    assert told.outage.reason == FULL


def test_a_new_outage_begins_with_a_line_of_its_own(told: Told) -> None:
    for _ in range(2):
        told.outage.failed("inbox", GONE)
        told.outage.works("inbox")
        told.outage.works("outbox")
    assert told.lines() == [GONE, "works again, after 0s and 1 try"] * 2
