"""Detects jumps of the machine's clock, by comparing the date with a clock that is never set.

In: both clocks. Out: by how much the date has jumped since the last call. A machine that was suspended has not jumped:
the steady clock counts its sleep (CLOCK_BOOTTIME, if the system has it). NTP's slow corrections are not detected.
A module of its own, so that it can be tested without a scheduler.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from mailbot.runtime.clock import SystemClock

# Smaller jumps do not matter: deadlines are hours.
SMALLEST = timedelta(minutes=1)


def steady_seconds() -> float:
    """Return the seconds of a clock that nobody sets and that runs on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class ClockJumpDetector:
    """Compares two clocks from call to call. Not thread-safe."""

    def __init__(
        self, date: Callable[[], datetime] | None = None, steady: Callable[[], float] = steady_seconds
    ) -> None:
        self._date = date or SystemClock().now
        self._steady = steady
        self._last = (self._date(), steady())

    def check(self) -> timedelta:
        """Return how far the date has jumped since the last call; zero if it has not."""
        date, steady = self._date(), self._steady()
        jump = (date - self._last[0]) - timedelta(seconds=steady - self._last[1])
        self._last = (date, steady)
        return jump if abs(jump) >= SMALLEST else timedelta(0)
