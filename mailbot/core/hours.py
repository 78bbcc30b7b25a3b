"""Service hours: when the desk is open, when it opens next, when a span of open hours is over. (interface only so far)"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class ServiceHours:
    """The desk's week: `days` (0 = Monday), from `open` to `close` in `zone`, except holidays, plus extra workdays."""

    zone: ZoneInfo
    days: frozenset[int] = frozenset(range(5))
    open: time = time(8, 0)
    close: time = time(17, 0)
    is_holiday: Callable[[date], bool] = lambda day: False
    extra_workdays: frozenset[date] = frozenset()

    def is_open(self, at: datetime) -> bool:
        """Is the desk open at this moment?"""
        raise NotImplementedError

    def next_opening(self, at: datetime) -> datetime:
        """`at` itself if the desk is open then, else the next opening, UTC."""
        raise NotImplementedError

    def add(self, start: datetime, span: timedelta) -> datetime:
        """The moment when `span` of open time has passed since `start`, UTC."""
        raise NotImplementedError
