"""Time comes from here, passed in by constructor: nothing else in mailbot asks the machine for the date.

`now()` is always an aware datetime in UTC. `ScaledClock` is the demo's: it runs at a settable multiple of real time.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol


class Clock(Protocol):
    """Anything that knows the time."""

    def now(self) -> datetime:
        """The current moment, aware, in UTC."""

    def real_seconds(self, span: timedelta) -> float:
        """How many seconds of real waiting `span` takes on this clock."""

    def simulated(self, seconds: float) -> timedelta:
        """How much time passes on this clock in so many real seconds."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()

    def simulated(self, seconds: float) -> timedelta:
        return timedelta(seconds=seconds)


class ManualClock:
    """A clock that stands still until it is told to move (tests, replay)."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def real_seconds(self, span: timedelta) -> float:
        return 0.0

    def simulated(self, seconds: float) -> timedelta:
        return timedelta(seconds=seconds)

    def advance(self, span: timedelta) -> None:
        """Move forward (or, with a negative span, back)."""
        self._now += span

    def set(self, moment: datetime) -> None:
        """Jump to a moment."""
        self._now = moment.astimezone(UTC)


class ScaledClock:
    """A clock that runs `speed` times as fast as the machine's; the speed may change while it runs."""

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._base = start or datetime.now(UTC)
        self._mark = time.monotonic()
        self._speed = speed

    @property
    def speed(self) -> float:
        """Simulated seconds for each real second."""
        return self._speed

    def now(self) -> datetime:
        with self._lock:
            return self._base + timedelta(seconds=(time.monotonic() - self._mark) * self._speed)

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds() / self._speed

    def simulated(self, seconds: float) -> timedelta:
        return timedelta(seconds=seconds * self._speed)

    def set_speed(self, speed: float) -> None:
        """Go on from the present simulated moment at another speed (> 0)."""
        if speed <= 0:
            raise ValueError("a clock's speed must be greater than 0")
        now = self.now()
        with self._lock:
            self._base, self._mark, self._speed = now, time.monotonic(), speed

    def advance(self, span: timedelta) -> None:
        """Jump forward by a span, at once."""
        with self._lock:
            self._base += span


def rfc3339(moment: datetime, zone: tzinfo) -> str:
    """`2025-11-03T10:45:13.000+07:00`"""
    return moment.astimezone(zone).isoformat(timespec="milliseconds")


def rfc3339_or_null(moment: datetime | None, zone: tzinfo) -> str | None:
    """The same, or None (JSON's null) where there is no moment."""
    return None if moment is None else rfc3339(moment, zone)
