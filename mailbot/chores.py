"""What the clock brings: timers that fall due, and work that nobody waits for.

    timers     twice a second: where a deadline is past, the inbox is read first, then it fires
    tidy       every 20 seconds: the search index catches up, agents hear of what was folded (`intake.summary`)
    quarantine once a day, within half a minute of the desk's opening: the leads get the list of what is held
    keep_raw   once a day: raw mail of tickets closed long ago goes, where [storage] keep_raw says so

APScheduler rings; a chore runs in one instance at a time, and one that meets a fault is tried again at its next bell.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from mailbot.bootstrap import Desk
from mailbot.clock import SystemClock
from mailbot.errors import TemporaryError
from mailbot.store import search
from mailbot.store.retention import drop_raw_mail

log = logging.getLogger(__name__)

RING_SECONDS = 0.5
# A deadline that can't fire, since the inbox of its ticket can't be read, is looked at again after so many seconds.
WAIT_FOR_INBOX = 2.0


class Chores:
    """One desk's chores. `read_inbox(seconds)`: read all afresh; those that were, by id, and from when on.

    `outgoing`: called where mail waits to be sent.
    """

    def __init__(
        self,
        desk: Desk,
        read_inbox: Callable[[float], dict[int, datetime]],
        outgoing: Callable[[], None],
        stopping: threading.Event,
    ) -> None:
        self._desk = desk
        self._read_inbox = read_inbox
        self._outgoing = outgoing
        self._stopping = stopping
        self._scheduler: Any = None
        self._patience = 0.0

    def start(self) -> None:
        """Set the bells; returns at once."""
        from apscheduler.schedulers.background import BackgroundScheduler

        # misfire_grace_time None: the default drops a bell that is a second late (libraries.md, APScheduler)
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        )
        self._scheduler.add_job(self._ring, "interval", seconds=RING_SECONDS, id="timers")
        self._scheduler.add_job(self._tidy, "interval", seconds=20, id="tidy")
        self._scheduler.add_job(self._tell_of_quarantine, "interval", seconds=30, id="quarantine")
        if self._desk.settings.storage.keep_raw is not None:
            self._scheduler.add_job(self._drop_old_raw_mail, "interval", hours=24, id="keep_raw", next_run_time=_soon())
        self._scheduler.start()

    def stop(self) -> None:
        """No bell rings any more; a chore in hand ends by itself."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)

    def _ring(self) -> None:
        try:
            due = self._desk.helpdesk.next_due()
            if due is None or due > self._desk.clock.now() or self._stopping.is_set():
                return
            if time.monotonic() < self._patience:
                return
            # no ticket is reminded of or closed while the inbox that its replies come to can't be read
            read = self._read_inbox(20.0)
            fired = self._desk.helpdesk.fire_due_timers(read)
            self._patience = 0.0 if fired else time.monotonic() + WAIT_FOR_INBOX
            if fired:
                self._outgoing()
        except TemporaryError as error:
            log.warning("timers: %s", error)
        except Exception:
            log.exception("timers: an unexpected fault; tried again at the next bell")

    def _tidy(self) -> None:
        try:
            search.catch_up(self._desk.store, at_most=1000)
            if self._desk.helpdesk.summarise():
                self._outgoing()
        except TemporaryError as error:
            log.warning("tidying: %s", error)
        except Exception:
            log.exception("tidying: an unexpected fault; tried again at the next bell")

    def _tell_of_quarantine(self) -> None:
        try:
            if self._desk.helpdesk.tell_of_quarantine():
                self._outgoing()
        except TemporaryError as error:
            log.warning("quarantine: %s", error)
        except Exception:
            log.exception("quarantine: the leads could not be told; tried again at the next bell")

    def _drop_old_raw_mail(self) -> None:
        keep = self._desk.settings.storage.keep_raw
        if keep is None:
            return
        try:
            dropped = drop_raw_mail(self._desk.store, self._desk.clock.now() - keep)
            if dropped:
                log.info("raw mail of %d messages on tickets closed before keep_raw was dropped", dropped)
        except TemporaryError as error:
            log.warning("keep_raw: %s", error)
        except Exception:
            log.exception("keep_raw: an unexpected fault; tried again tomorrow")


def _soon() -> datetime:
    """A minute from now by the machine's clock, which APScheduler runs by."""
    return SystemClock().now() + timedelta(minutes=1)
