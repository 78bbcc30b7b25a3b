"""An APScheduler trigger that fires one interval from now, whatever the clock did meanwhile.

Its own IntervalTrigger enumerates every missed run: after a clock that jumped forward by a year, those are sixty
million for an interval of half a second, and neither memory nor the scheduler's lock survive it. A module of its own,
imported when jobs are added: APScheduler is a large import.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from apscheduler.triggers.base import BaseTrigger


class FixedInterval(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires every `seconds`; missed runs are dropped."""

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """Return the time after `previous`; counted from `now` if that is past, or more than one interval ahead."""
        following = now + self._interval
        if previous is None:
            return following
        planned = previous + self._interval
        return planned if now < planned < following else following
