"""An outage that several threads meet at once: the database, which the loops and the chores all need.

In: from each thread, that it failed (and why) or that it works. Out: one line when the first of them fails, one when
all of them work again (`logs.Outage`). Never: "works again" while a neighbour still fails, which would make a line of
each try where reading works and writing does not (a full disk).
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from mailbot.clock import Clock
from mailbot.logs import Outage


class SharedOutage:
    """One thing that several threads use. `what` begins each line. Thread-safe."""

    def __init__(self, log: logging.Logger, what: str, clock: Clock) -> None:
        self._outage = Outage(log, what, clock)
        self._lock = threading.Lock()
        self._failing: set[str] = set()
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
            self._outage.failed(reason, level=logging.ERROR)

    def works(self, who: str) -> None:
        """`who` could use it. Costs next to nothing where all was well."""
        if who not in self._failing:
            return
        with self._lock:
            self._failing.discard(who)
            if not self._failing:
                self.reason = ""
                self._outage.recovered()
