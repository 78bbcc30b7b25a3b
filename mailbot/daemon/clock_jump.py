"""Has the machine's clock jumped? The date is compared with a clock that only ever runs on.

In: both clocks. Out: by how much the date jumped since the last look. A machine that was suspended has not jumped: the
steady clock counts its sleep (CLOCK_BOOTTIME, where the system has it). NTP's slow corrections are not seen either.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from mailbot.runtime.clock import SystemClock

# Smaller steps than this change nothing that anybody notices: deadlines are hours.
SMALLEST = timedelta(minutes=1)


def steady_seconds() -> float:
    """Seconds of a clock that nobody sets and that runs on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class ClockJumpDetector:
    """Compares two clocks from look to look. Not thread-safe."""

    def __init__(
        self, date: Callable[[], datetime] | None = None, steady: Callable[[], float] = steady_seconds
    ) -> None:
        self._date = date or SystemClock().now
        self._steady = steady
        self._seen = (self._date(), steady())

    def look(self) -> timedelta:
        """How far the date jumped since the last look; nothing where it ran on as it should."""
        date, steady = self._date(), self._steady()
        jump = (date - self._seen[0]) - timedelta(seconds=steady - self._seen[1])
        self._seen = (date, steady)
        return jump if abs(jump) >= SMALLEST else timedelta(0)
