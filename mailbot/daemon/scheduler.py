"""What the clock brings: timers that fall due, and work that nobody waits for.

    timers     twice a second: where a deadline is past, the inbox is read first, then it fires
    tidy       every 20 seconds: the search index catches up, agents hear of what was folded (`intake.summary`)
    quarantine once a day, within half a minute of the desk's opening: the leads get the list of what is held
    keep_raw   once a day: raw mail of tickets closed long ago goes, where [storage] keep_raw says so

APScheduler rings; a chore runs in one instance at a time, and one that meets a fault is tried again at its next bell.
A jump of the machine's clock (clockwatch.py) sets the bells anew, for they were set by it; after one forward, reminders
and closing rest for a while: a clock that is wrong for a moment must not close a year's tickets.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from mailbot.config.holidays import national_holidays
from mailbot.daemon.clock_jump import ClockJumpDetector
from mailbot.desk.wiring import Desk
from mailbot.errors import TemporaryError
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import Outage, in_words
from mailbot.runtime.memory import release_memory
from mailbot.store.privacy.retention import drop_raw_mail
from mailbot.store.search import index

log = logging.getLogger(__name__)

RING_SECONDS = 0.5
# How long no timer fires after the clock jumped forward: time for NTP, or a person, to put it right.
REST_AFTER_JUMP = 900.0
# A deadline that can't fire, since the inbox of its ticket can't be read, is looked at again after so many seconds.
WAIT_FOR_INBOX = 2.0


class Scheduler:
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
        self._unexpected = {name: Outage(log, name, SystemClock()) for name in ("timers", "tidying", "quarantine")}
        # a clock that is moved on purpose (the demo's) is not watched
        self._watch = ClockJumpDetector() if isinstance(desk.clock, SystemClock) else None
        self._jump = threading.Lock()
        self._rest_until = 0.0
        self._outbox_waits = False

    def start(self) -> None:
        """Set the bells; returns at once."""
        from apscheduler.schedulers.background import BackgroundScheduler

        # misfire_grace_time None: the default drops a bell that is a second late (libraries.md, APScheduler)
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        )
        self._set_bells()
        self._scheduler.start()
        if self._watch is not None:
            threading.Thread(target=self._watch_clock, name="clock", daemon=True).start()

    def _set_bells(self) -> None:
        """From this moment on; those that were set before are void."""
        from mailbot.daemon.interval_trigger import FixedInterval

        self._scheduler.add_job(self._ring, FixedInterval(RING_SECONDS), id="timers", replace_existing=True)
        self._scheduler.add_job(self._tidy, FixedInterval(20), id="tidy", replace_existing=True)
        self._scheduler.add_job(self._tell_of_quarantine, FixedInterval(30), id="quarantine", replace_existing=True)
        if self._desk.settings.storage.keep_raw is not None:
            self._scheduler.add_job(
                self._drop_old_raw_mail,
                FixedInterval(86400),
                id="keep_raw",
                next_run_time=_soon(),
                replace_existing=True,
            )

    def stop(self) -> None:
        """No bell rings any more; a chore in hand ends by itself."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)

    def _watch_clock(self) -> None:
        """A thread of its own: the scheduler sleeps by the very clock that jumps."""
        while not self._stopping.wait(1.0):
            try:
                self._look_at_clock()
                self._desk.storage_outage.works("clock")
            except TemporaryError as error:
                self._desk.storage_outage.failed("clock", str(error))

    def _look_at_clock(self) -> None:
        """Has the machine's clock jumped? Then bells, timers and outbox are put right."""
        if self._watch is None:
            return
        with self._jump:  # of two threads that look, one sees the jump, and the other waits until it is dealt with
            jump = self._watch.look()
            if jump:
                _tell_of(jump)
                self._rest_until = time.monotonic() + REST_AFTER_JUMP if jump > timedelta(0) else 0.0
                self._outbox_waits = True
                self._set_bells()
            if self._outbox_waits:
                self._desk.delivery.clock_has_jumped()
                self._outbox_waits = False
                self._outgoing()

    def _ring(self) -> None:
        def fire() -> None:
            self._look_at_clock()
            due = self._desk.helpdesk.next_due()
            if due is None or due > self._desk.clock.now() or self._stopping.is_set():
                return
            if time.monotonic() < max(self._patience, self._rest_until):
                return
            # no ticket is reminded of or closed while the inbox that its replies come to can't be read
            read = self._read_inbox(20.0)
            fired = self._desk.helpdesk.fire_due_timers(read)
            self._patience = 0.0 if fired else time.monotonic() + WAIT_FOR_INBOX
            if fired:
                self._outgoing()

        self._do("timers", fire)

    def _tidy(self) -> None:
        def tidy() -> None:
            index.catch_up(self._desk.store, at_most=1000)
            if self._desk.helpdesk.summarise():
                self._outgoing()
            self._desk.store.shrink()
            release_memory()
            country = self._desk.settings.hours.holidays
            if country:  # takes 150 ms at its first time, which the first mail would wait for
                national_holidays(country, self._desk.clock.now().year)

        self._do("tidying", tidy)

    def _tell_of_quarantine(self) -> None:
        def tell() -> None:
            if self._desk.helpdesk.tell_of_quarantine():
                self._outgoing()

        self._do("quarantine", tell)

    def _do(self, name: str, chore: Callable[[], None]) -> None:
        """One bell of a chore; a fault is logged when it begins and when it is over."""
        try:
            chore()
        except TemporaryError as error:
            self._desk.storage_outage.failed(name, str(error))
        except Exception as error:  # noqa: BLE001 - logged with its traceback, once
            words = f"an unexpected fault, tried again at each bell: {type(error).__name__}: {error}"
            self._unexpected[name].failed(words, level=logging.ERROR, traceback=True)
        else:
            self._desk.storage_outage.works(name)
            self._unexpected[name].recovered()

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


def _tell_of(jump: timedelta) -> None:
    """One line for the admin."""
    forward = jump > timedelta(0)
    log.warning(
        "this machine's clock jumped %s by %s. %s If it is wrong now, mend it (timedatectl set-ntp true)",
        "forward" if forward else "back", in_words(timedelta(minutes=round(abs(jump) / timedelta(minutes=1)))),
        f"No ticket is reminded of or closed for {REST_AFTER_JUMP / 60:.0f} minutes." if forward
        else "Mail that waits to be sent is sent now.",
    )  # fmt: skip


def _soon() -> datetime:
    """A minute from now by the machine's clock, which APScheduler runs by."""
    return SystemClock().now() + timedelta(minutes=1)
