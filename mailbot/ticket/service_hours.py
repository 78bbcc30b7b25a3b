"""Service hours: when the desk is open, when it opens next, and arithmetic in open time.

In: aware datetimes and the desk's week. Out: aware datetimes in UTC. A day's window runs from `open` to just before
`close` by the wall clock of the desk's zone, so it can be an hour shorter or longer on the day when the clocks change.
Holidays come as a function, so that this module knows no calendar (`config.holidays` does). Never: reads a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# A desk that does not open within three years has a broken calendar, and an endless search would hang the service.
_SEARCH_DAYS = 3 * 366


@dataclass(frozen=True)
class ServiceHours:
    """The desk's week; raises ValueError if `open` is not before `close`."""

    zone: ZoneInfo
    #: Days of the week, 0 is Monday.
    days: frozenset[int] = frozenset(range(5))
    open: time = time(8, 0)
    #: 00:00 is the end of the day.
    close: time = time(17, 0)
    is_holiday: Callable[[date], bool] = lambda day: False
    #: Open even on a holiday or a weekend.
    extra_workdays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if self.close != time(0) and self.open >= self.close:
            raise ValueError(f"the desk opens at {self.open:%H:%M}, not before it closes at {self.close:%H:%M}")

    def is_workday(self, day: date) -> bool:
        """Return whether the desk opens on this day of its own zone."""
        return day in self.extra_workdays or (day.weekday() in self.days and not self.is_holiday(day))

    def is_open(self, at: datetime) -> bool:
        """Return whether the desk is open: at `open` it is, at `close` it is not."""
        return self.opened_at(at) is not None

    def opened_at(self, at: datetime) -> datetime | None:
        """Return when the desk opened on this day, UTC; None if it is closed at this time."""
        window = self._window(at.astimezone(self.zone).date())
        return window[0] if window is not None and window[0] <= at < window[1] else None

    def next_opening(self, at: datetime) -> datetime:
        """Return `at` if the desk is open then, else the next opening, UTC; ValueError if none comes in three years."""
        start, _ = next(self._windows(at))
        return max(start, at.astimezone(UTC))

    def add(self, start: datetime, span: timedelta) -> datetime:
        """Return when `span` (≥ 0) of open time has passed since `start`, UTC.

        Nine hours after an opening at 08:00 is 17:00 of that day. A span of 0 gives `start`, open or closed.
        """
        if span < timedelta(0):
            raise ValueError("service hours can't be counted backwards")
        moment = start.astimezone(UTC)
        if not span:
            return moment
        for opens, closes in self._windows(moment):
            moment = max(opens, moment)
            if span <= closes - moment:
                return moment + span
            span -= closes - moment
        raise AssertionError("_windows never ends without ValueError")

    def _windows(self, after: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the windows that end after this time, in order."""
        moment = after.astimezone(UTC)
        day = after.astimezone(self.zone).date()
        idle = 0
        while idle < _SEARCH_DAYS:
            window = self._window(day)
            if window is not None and window[1] > moment:
                yield window
                idle = 0
            day += timedelta(days=1)
            idle += 1
        raise ValueError(f"by its service hours the desk does not open within three years after {after:%Y-%m-%d}")

    def _window(self, day: date) -> tuple[datetime, datetime] | None:
        """Return when the desk opens and closes on this day of its own zone, UTC; None if it stays closed."""
        if not self.is_workday(day):
            return None
        last = day if self.close != time(0) else day + timedelta(days=1)
        opens = datetime.combine(day, self.open, self.zone).astimezone(UTC)
        closes = datetime.combine(last, self.close, self.zone).astimezone(UTC)
        # Both ends can be in the hour that is skipped when the clocks go forward: then the window is empty.
        return (opens, closes) if opens < closes else None
