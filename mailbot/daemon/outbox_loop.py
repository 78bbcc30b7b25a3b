"""TODO."""

from __future__ import annotations

import logging
import threading
import time

from mailbot.daemon.cluster.work_sharing import WorkSharing
from mailbot.daemon.inbox_loop import log
from mailbot.daemon.loop_guard import _unexpected, retry_delay
from mailbot.desk.wiring import Desk
from mailbot.errors import (
    LogInRefused,
    PermanentError,
    StoreUnavailable,
    TemporaryError,
)
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import Outage
from mailbot.runtime.status import Heartbeat
from mailbot.transport.smtp.pool import SubmissionPool
from mailbot.transport.smtp.submission import Submission

OUTBOX_LOOK_SECONDS = 1.0


# An outbox with nothing to send says nothing about the server: after so many seconds without a word it is asked, sooner
# where it was not well, or was never heard. Else the first to notice would be a requester.
ASK_SECONDS, ASK_SOON_SECONDS = 900.0, 60.0


class OutboxLoop:
    """Sends the outbox until told to stop."""

    title = "outbox"

    def __init__(self, desk: Desk, stopping: threading.Event, sharing: WorkSharing | None = None) -> None:
        settings = desk.settings
        self._desk = desk
        self._stopping = stopping
        self._sharing = sharing
        self._submission = SubmissionPool([Submission(settings.smtp) for _ in range(settings.smtp.connections)])
        self._outage = Outage(log, f"SMTP {settings.smtp.host}:{settings.smtp.port}", SystemClock())
        self._unexpected = Outage(log, "outbox", SystemClock())
        self._delivery = desk.delivery
        self._look = threading.Event()
        self._failures = 0
        self._heard = time.monotonic()
        self.pulse, self.database = Heartbeat(desk.clock), Heartbeat(desk.clock)
        self.progress = time.monotonic()
        self.state = "idle"

    @property
    def alive_at(self) -> float:
        """When it last showed life, by `time.monotonic`: a turn of the loop, or bytes of a long transfer."""
        return max(self.progress, self._submission.active_at)

    def interrupt(self) -> None:
        """End a network call that hangs."""
        self._submission.interrupt()

    def wake(self) -> None:
        """Look now."""
        self._look.set()

    def run(self) -> None:
        """Send, wait for more, send."""
        while not self._stopping.is_set():
            self.progress = time.monotonic()
            self._look.clear()
            more = False
            if self._must_stop():  # nothing is sent, so nothing is learned of the database
                self._look.wait(OUTBOX_LOOK_SECONDS)
                continue
            try:
                more = self._round()
                self.database.works()
                self._unexpected.recovered()
                self._desk.storage_outage.works("outbox")
            except TemporaryError as error:
                self._desk.storage_outage.failed("outbox", str(error))
                if isinstance(error, StoreUnavailable):
                    self.database.fails(str(error))
                self._stopping.wait(1.0)
            except Exception as error:  # noqa: BLE001 - logged with its traceback, once
                self.pulse.fails(f"an unexpected fault, which the log shows ({type(error).__name__}).")
                self._unexpected.failed(_unexpected(error), level=logging.ERROR, traceback=True)
                self._stopping.wait(1.0)
            if not more:
                self._look.wait(OUTBOX_LOOK_SECONDS)
        self._submission.close()
        self._settle()
        self.state = "stopped"

    def _settle(self) -> None:
        """The last chance to write down what became of a mail that was sent while the database was away."""
        try:
            self._delivery.settle()
        except TemporaryError as error:
            self._desk.storage_outage.failed("outbox", str(error))

    def _round(self) -> bool:
        """One pass; True if there may be more to send at once."""
        done = self._delivery.deliver_due(self._submission, self._must_stop)
        if done.trouble:
            self._failures += 1
            self._failed(done.trouble, done.credentials)
            # all that is due waits, so that each mail does not find out for itself that the server is gone
            self._delivery.postpone(retry_delay(self._failures + 1))
            return False
        if done.tried:
            self._works()
        else:
            self._ask()
        return done.tried > 0

    def _must_stop(self) -> bool:
        """The daemon ends, or this worker may have lost what it had in hand to another one."""
        return self._stopping.is_set() or (self._sharing is not None and not self._sharing.is_alive())

    def _works(self) -> None:
        self._failures = 0
        self._heard = time.monotonic()
        self.state = "works"
        self._outage.recovered()
        self.pulse.works(self._submission.certificate_ends)

    def _failed(self, why: str, credentials: bool) -> None:
        self._heard = time.monotonic()
        self.state = "unreachable"
        self._outage.failed(why)
        self.pulse.fails(why, credentials=credentials)

    def _ask(self) -> None:
        """Nothing is to be sent, and nothing was for a while: does the server still take us?"""
        line = self.pulse.status
        is_well = line.worked_at is not None and line.failing_since is None
        if time.monotonic() - self._heard < (ASK_SECONDS if is_well else ASK_SOON_SECONDS):
            return
        try:
            self._submission.check()
        except (TemporaryError, PermanentError) as error:
            self._failed(str(error), isinstance(error, LogInRefused))
        else:
            self._works()
