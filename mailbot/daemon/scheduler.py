"""Jobs that the clock triggers: timers that are due, and housekeeping.

    timers     twice a second: if a deadline has passed, the inbox is read first, then the timer fires
    tidy       every 20 seconds: the search index catches up, agents get the digest of what was not sent one by one
    quarantine once a day, within half a minute of the desk's opening: the leads get the list of quarantined mail
    keep_raw   once a day: raw mail of tickets closed long ago is deleted, if [storage] keep_raw is set

APScheduler triggers them; a job runs in one instance at a time, and one that fails is retried at its next run. A jump
of the machine's clock (`clock_jump`) reschedules all jobs, since it is the clock they were scheduled by; after a jump
forward, reminders and closing are suspended: a clock that is wrong for a moment must not close a year's tickets.
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
from mailbot.daemon.loop_guard import LoopGuard
from mailbot.desk.wiring import Desk
from mailbot.errors import TemporaryError
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import in_words
from mailbot.runtime.memory import release_memory
from mailbot.store.privacy.retention import drop_raw_mail
from mailbot.store.search import index

log = logging.getLogger(__name__)

TIMER_SECONDS = 0.5
# How long no timer fires after the clock jumped forward: time for NTP, or a person, to correct it.
SUSPENDED_AFTER_JUMP = 900.0
# A timer that can't fire, since the inbox of its ticket can't be read, is retried after so many seconds.
WAIT_FOR_INBOX = 2.0


class Scheduler:
    """The jobs of one desk.

    `read_inbox(seconds)` reads all inboxes afresh; it returns those that could be read, by id, and as of when.
    `mail_queued` is called when mail has been queued.
    """

    def __init__(
        self,
        desk: Desk,
        read_inbox: Callable[[float], dict[int, datetime]],
        mail_queued: Callable[[], None],
        stopping: threading.Event,
    ) -> None:
        self._desk = desk
        self._read_inbox = read_inbox
        self._mail_queued = mail_queued
        self._stopping = stopping
        self._scheduler: Any = None  # APScheduler has no types
        self._wait_until = 0.0
        self._guards = {
            name: LoopGuard(log, name, desk.storage_outage) for name in ("timers", "tidying", "quarantine", "clock")
        }
        # A clock that is moved on purpose (the demo's) is not watched.
        self._jump_detector = ClockJumpDetector() if isinstance(desk.clock, SystemClock) else None
        self._jump_lock = threading.Lock()
        self._suspended_until = 0.0
        self._outbox_outdated = False

    def start(self) -> None:
        """Schedule the jobs; returns at once."""
        from apscheduler.schedulers.background import BackgroundScheduler

        # misfire_grace_time None: the default, one second, drops a run that is later than that.
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        )
        self._schedule()
        self._scheduler.start()
        if self._jump_detector is not None:
            threading.Thread(target=self._watch_clock, name="clock", daemon=True).start()

    def _schedule(self) -> None:
        """Schedule all jobs from now on, replacing those scheduled before."""
        from mailbot.daemon.interval_trigger import FixedInterval

        def add(name: str, job: Callable[[], None], seconds: float, **options: datetime) -> None:
            self._scheduler.add_job(job, FixedInterval(seconds), id=name, replace_existing=True, **options)

        add("timers", lambda: self._run("timers", self._fire_timers), TIMER_SECONDS)
        add("tidy", lambda: self._run("tidying", self._tidy), 20)
        add("quarantine", lambda: self._run("quarantine", self._send_quarantine_list), 30)
        if self._desk.settings.storage.keep_raw is not None:
            # In a minute, by the machine's clock, which APScheduler uses.
            add("keep_raw", self._drop_old_raw_mail, 86400, next_run_time=SystemClock().now() + timedelta(minutes=1))

    def stop(self) -> None:
        """Start no more jobs; one that runs finishes."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)

    def _run(self, name: str, job: Callable[[], None]) -> None:
        guard = self._guards[name]
        with guard:
            job()
            guard.works()

    def _watch_clock(self) -> None:
        """Check the clock every second, in a thread of its own: the scheduler sleeps by the very clock that jumps."""
        while not self._stopping.wait(1.0):
            self._run("clock", self._check_clock)

    def _check_clock(self) -> None:
        """If the machine's clock has jumped, correct the schedule, the timers and the outbox."""
        if self._jump_detector is None:
            return
        with self._jump_lock:  # of two threads, one detects the jump, and the other waits until it is dealt with
            jump = self._jump_detector.check()
            if jump:
                _warn_of(jump)
                self._suspended_until = time.monotonic() + SUSPENDED_AFTER_JUMP if jump > timedelta(0) else 0.0
                self._outbox_outdated = True
                self._schedule()
            if self._outbox_outdated:
                self._desk.delivery.clock_has_jumped()
                self._outbox_outdated = False
                self._mail_queued()

    def _fire_timers(self) -> None:
        self._check_clock()
        due = self._desk.helpdesk.next_due()
        if due is None or due > self._desk.clock.now() or self._stopping.is_set():
            return
        if time.monotonic() < max(self._wait_until, self._suspended_until):
            return
        # No reminder is sent and no ticket closed while the inbox that its replies come to can't be read.
        read = self._read_inbox(20.0)
        fired = self._desk.helpdesk.fire_due_timers(read)
        self._wait_until = 0.0 if fired else time.monotonic() + WAIT_FOR_INBOX
        if fired:
            self._mail_queued()

    def _tidy(self) -> None:
        index.catch_up(self._desk.store, at_most=1000)
        if self._desk.helpdesk.send_digest():
            self._mail_queued()
        self._desk.store.shrink()
        release_memory()
        country = self._desk.settings.hours.holidays
        if country:  # the first call takes 150 ms, which the first mail would wait for
            national_holidays(country, self._desk.clock.now().year)

    def _send_quarantine_list(self) -> None:
        if self._desk.helpdesk.send_quarantine_list():
            self._mail_queued()

    def _drop_old_raw_mail(self) -> None:
        keep = self._desk.settings.storage.keep_raw
        if keep is None:
            return
        try:
            dropped = drop_raw_mail(self._desk.store, self._desk.clock.now() - keep)
            if dropped:
                log.info("raw mail of %d messages on tickets closed before keep_raw was deleted", dropped)
        except TemporaryError as error:
            log.warning("keep_raw: %s", error)
        except Exception:
            log.exception("keep_raw: unexpected error, retrying tomorrow")


def _warn_of(jump: timedelta) -> None:
    forward = jump > timedelta(0)
    log.warning(
        "this machine's clock jumped %s by %s. %s If it is wrong now, correct it (timedatectl set-ntp true)",
        "forward" if forward else "back", in_words(timedelta(minutes=round(abs(jump) / timedelta(minutes=1)))),
        f"No reminder is sent and no ticket closed for {SUSPENDED_AFTER_JUMP / 60:.0f} minutes." if forward
        else "Queued mail is sent now.",
    )  # fmt: skip
