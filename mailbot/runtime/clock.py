"""The time: clocks that are passed to constructors, and the form of times in JSON.

Nothing else in mailbot asks the machine for the date. `now()` is always an aware datetime in UTC. Tests and replays use
a `ManualClock`, the demo a `ScaledClock`.

Standards: RFC 3339.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol


class Clock(Protocol):
    """A source of the time, which passes as on the machine unless a subclass says otherwise."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""

    def real_seconds(self, span: timedelta) -> float:
        """Return how many seconds to wait for `span` to pass on this clock."""
        return span.total_seconds()

    def simulated(self, seconds: float) -> timedelta:
        """Return how much time passes on this clock in real `seconds`."""
        return timedelta(seconds=seconds)


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time."""
        return datetime.now(UTC)


class ManualClock(Clock):
    """A clock that moves only when it is set (tests, replay)."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the time that was set last."""
        return self._now

    def real_seconds(self, span: timedelta) -> float:
        """Return 0: there is no point in waiting."""
        return 0.0

    def advance(self, span: timedelta) -> None:
        """Move forward, or with a negative span back."""
        self._now += span

    def set(self, moment: datetime) -> None:
        """Set the time."""
        self._now = moment.astimezone(UTC)


class ScaledClock(Clock):
    """A clock that runs `speed` times as fast as the machine's, which may change while it runs. Thread-safe."""

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
        """Return the simulated time."""
        with self._lock:
            return self._base + timedelta(seconds=(time.monotonic() - self._mark) * self._speed)

    def real_seconds(self, span: timedelta) -> float:
        """Return how many seconds to wait for `span` to pass."""
        return span.total_seconds() / self._speed

    def simulated(self, seconds: float) -> timedelta:
        """Return how much simulated time passes in real `seconds`."""
        return timedelta(seconds=seconds * self._speed)

    def set_speed(self, speed: float) -> None:
        """Continue from the current simulated time at another speed (> 0)."""
        if speed <= 0:
            raise ValueError("a clock's speed must be greater than 0")
        now = self.now()
        with self._lock:
            self._base, self._mark, self._speed = now, time.monotonic(), speed

    def advance(self, span: timedelta) -> None:
        """Move forward by a span at once."""
        with self._lock:
            self._base += span


def rfc3339(moment: datetime, zone: tzinfo) -> str:
    """Return a time as `2025-11-03T10:45:13.000+07:00`."""
    return moment.astimezone(zone).isoformat(timespec="milliseconds")


def rfc3339_or_null(moment: datetime | None, zone: tzinfo) -> str | None:
    """Return a time as `rfc3339` does, or None for JSON's null."""
    return None if moment is None else rfc3339(moment, zone)
