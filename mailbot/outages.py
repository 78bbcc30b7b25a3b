"""An outage that several threads meet at once: the database, which the loops and the chores all need.

In: from each thread, that it failed (and why) or that it works. Out: one line when the first of them fails, one when
all of them work again (`logs.Outage`). A restarting server changes its words with each try ("shutting down", "no such
file", "starting up"): only another mend makes another line, at most one such line at once, and then one a minute.
Never: "works again" while a neighbour still fails, which would make a line of each try where reading works and writing
does not (a full disk).
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from mailbot.clock import Clock
from mailbot.logs import Outage

# How many wordings of one outage are said at once: the first, and what it turns out to be. More follow so far apart.
_WORDINGS, _APART = 2, timedelta(minutes=1)


class SharedOutage:
    """One thing that several threads use. `what` begins each line. Thread-safe."""

    def __init__(self, log: logging.Logger, what: str, clock: Clock) -> None:
        self._outage = Outage(log, what, clock)
        self._lock = threading.Lock()
        self._clock = clock
        self._failing: set[str] = set()
        self._said: dict[str, datetime] = {}
        self.reason = ""
        """What the newest failure said; "" while all is well."""

    @property
    def since(self) -> datetime | None:
        """When it began, None while all is well."""
        return self._outage.since

    def failed(self, who: str, reason: str) -> None:
        """`who` (a name of the caller's choice) could not use it."""
        with self._lock:
            self._failing.add(who)
            self.reason = reason
            sort = reason.rpartition(" [")[0] or reason  # what stands in brackets are the database's own words
            now = self._clock.now()
            if sort not in self._said and not self._may_say(now):
                sort = next(iter(self._said))  # counted as one more try, and not said
            self._said.setdefault(sort, now)
            self._outage.failed(reason, level=logging.ERROR, compared=sort)

    def works(self, who: str) -> None:
        """`who` could use it. Costs next to nothing where all was well."""
        if who not in self._failing:
            return
        with self._lock:
            self._failing.discard(who)
            if not self._failing:
                self.reason = ""
                self._said.clear()
                self._outage.recovered()

    def _may_say(self, now: datetime) -> bool:
        """Is there room for one more wording? A clock that was set back keeps nothing quiet for long."""
        return len(self._said) < _WORDINGS or abs(now - max(self._said.values())) >= _APART
