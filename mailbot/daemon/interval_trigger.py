"""When APScheduler rings next: one interval from now, whatever the clock did meanwhile.

Its own interval trigger names every moment that was missed, one by one: after a clock that jumped forward by a year
those are sixty million for a bell of half a second, and neither memory nor the scheduler's lock survive it.
Imported where the bells are set: APScheduler is a large import.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from apscheduler.triggers.base import BaseTrigger


class FixedInterval(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Rings every `seconds`; what was missed is missed."""

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The moment after `previous`; from `now` on where that is past, or further off than one interval."""
        following = now + self._interval
        if previous is None:
            return following
        planned = previous + self._interval
        return planned if now < planned < following else following
