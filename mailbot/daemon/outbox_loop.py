"""Sends what is due in the outbox until the daemon stops; waits longer after each failure of the server.

In: the desk's outbox, woken when something is queued. Out: mail on its way, and the loop's condition: `state` in words,
`alive_at` for the watchdog, the heartbeats of the server and of the database for the watcher. A failure is logged when
it begins and when it is over, however often it occurs meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time

from mailbot.daemon.cluster.work_sharing import WorkSharing
from mailbot.daemon.inbox_loop import unexpected_reason
from mailbot.daemon.loop_guard import LoopGuard, retry_delay
from mailbot.desk.wiring import Desk
from mailbot.errors import LogInRefused, PermanentError, StoreUnavailable, TemporaryError
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import Outage
from mailbot.runtime.status import Heartbeat
from mailbot.transport.smtp.pool import SubmissionPool
from mailbot.transport.smtp.submission import Submission

log = logging.getLogger(__name__)

OUTBOX_LOOK_SECONDS = 1.0
# An idle outbox says nothing about the server: it is checked after so many seconds without contact, sooner if it was
# failing or never reached. Otherwise a requester would be the first to notice.
CHECK_SECONDS, CHECK_SOON_SECONDS = 900.0, 60.0


class OutboxLoop:
    """Sends the outbox until the daemon stops."""

    title = "outbox"

    def __init__(self, desk: Desk, stopping: threading.Event, sharing: WorkSharing | None = None) -> None:
        settings = desk.settings
        self._stopping = stopping
        self._sharing = sharing
        self._pool = SubmissionPool([Submission(settings.smtp) for _ in range(settings.smtp.connections)])
        self._outage = Outage(log, f"SMTP {settings.smtp.host}:{settings.smtp.port}", SystemClock())
        self._guard = LoopGuard(log, self.title, desk.storage_outage)
        self._delivery = desk.delivery
        self._wake = threading.Event()
        self._failures = 0
        self._heard_at = time.monotonic()
        self.heartbeat, self.database = Heartbeat(desk.clock), Heartbeat(desk.clock)
        self.progress = time.monotonic()
        self.state = "idle"

    @property
    def alive_at(self) -> float:
        """Time of its last sign of life (time.monotonic): a pass of the loop, or bytes of a long transfer."""
        return max(self.progress, self._pool.active_at)

    def interrupt(self) -> None:
        """Abort a network call that hangs."""
        self._pool.interrupt()

    def wake(self) -> None:
        """Check the outbox now."""
        self._wake.set()

    def run(self) -> None:
        """Send, wait for more, send."""
        while not self._stopping.is_set():
            self.progress = time.monotonic()
            self._wake.clear()
            more = False
            if self._must_stop():  # nothing is sent, so nothing is learnt about the database
                self._wake.wait(OUTBOX_LOOK_SECONDS)
                continue
            with self._guard:
                more = self._round()
                self.database.works()
                self._guard.works()
            if self._guard.error is not None:
                self._note_failure(self._guard.error)
                self._stopping.wait(1.0)
            if not more:
                self._wake.wait(OUTBOX_LOOK_SECONDS)
        self._pool.close()
        with self._guard:  # the last chance to record what became of mail that was sent while the database was down
            self._delivery.settle()
        self.state = "stopped"

    def _note_failure(self, error: Exception) -> None:
        if isinstance(error, StoreUnavailable):
            self.database.fails(str(error))
        elif not isinstance(error, TemporaryError):
            self.heartbeat.fails(unexpected_reason(error))

    def _round(self) -> bool:
        """Send what is due; return whether there may be more to send at once."""
        done = self._delivery.deliver_due(self._pool, self._must_stop)
        if done.failure:
            self._failures += 1
            self._failed(done.failure, done.credentials)
            # Postpone all that is due, so that not every mail has to find out that the server is down.
            self._delivery.postpone(retry_delay(self._failures + 1))
            return False
        if done.tried:
            self._works()
        else:
            self._check_server()
        return done.tried > 0

    def _must_stop(self) -> bool:
        """Return whether the daemon stops, or this worker may have lost its claims to another one."""
        return self._stopping.is_set() or (self._sharing is not None and not self._sharing.is_alive())

    def _works(self) -> None:
        self._failures = 0
        self._heard_at = time.monotonic()
        self.state = "works"
        self._outage.recovered()
        self.heartbeat.works(self._pool.certificate_ends)

    def _failed(self, why: str, credentials: bool) -> None:
        self._heard_at = time.monotonic()
        self.state = "unreachable"
        self._outage.failed(why)
        self.heartbeat.fails(why, credentials=credentials)

    def _check_server(self) -> None:
        """If nothing has been sent for a while, check whether the server still accepts connections."""
        status = self.heartbeat.status
        is_well = status.worked_at is not None and status.failing_since is None
        if time.monotonic() - self._heard_at < (CHECK_SECONDS if is_well else CHECK_SOON_SECONDS):
            return
        try:
            self._pool.check()
        except (TemporaryError, PermanentError) as error:
            self._failed(str(error), isinstance(error, LogInRefused))
        else:
            self._works()
