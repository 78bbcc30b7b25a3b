"""Reads one inbox until the daemon stops: connect, read, wait (IDLE or the poll interval); reconnect with back-off.

In: a mailbox of the configuration, its connection, and what all loops share (`LoopContext`). Out: mail in the desk, and
the loop's condition: `state` in words, `alive_at` for the watchdog, the heartbeats of its server and of the database
for the watcher. A failure is logged when it begins and when it is over, however often it occurs meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from mailbot.config.model import MailboxSettings
from mailbot.daemon.cluster.shared_reader import SharedReader
from mailbot.daemon.cluster.work_sharing import WorkSharing
from mailbot.daemon.inbox_reader import InboxReader, Reader, ReaderHooks
from mailbot.daemon.loop_guard import LONGEST_RETRY, LoopGuard, retry_delay
from mailbot.desk.wiring import Desk
from mailbot.errors import MailboxUnavailable, TemporaryError
from mailbot.monitoring.watcher import HANG_SECONDS
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import Outage
from mailbot.runtime.status import Heartbeat
from mailbot.transport.imap.idle import WakeUp
from mailbot.transport.imap.login import server_name
from mailbot.transport.imap.mailbox import Mailbox
from mailbot.transport.tls import CONNECTS_AGAIN

log = logging.getLogger(__name__)

STAND_BY_SECONDS = 0.5
# For this long after a mail another one is likely, and the server is polled more often than IDLE would notify.
BRISK_SECONDS = 5.0
# A refused password is retried less and less often: servers lock out clients that try too often. A reload retries at
# once.
LONGEST_AFTER_REFUSAL = 120.0


@dataclass(frozen=True, slots=True)
class LoopContext:
    """What the inbox loops of one daemon share."""

    desk: Desk
    stopping: threading.Event
    mail_queued: Callable[[], None]  #: Called after each batch: mail may have to be sent.
    is_canary: Callable[[bytes], bool] = lambda raw: False
    sharing: WorkSharing | None = None  #: With other workers, if the desk may have several.


def make_reader(desk: Desk, mailbox: Mailbox, place: str, hooks: ReaderHooks, sharing: WorkSharing | None) -> Reader:
    """Return the reader for a mailbox of a desk with one worker, or with several."""
    if sharing is None:
        return InboxReader(desk.helpdesk, mailbox, place, hooks)
    return SharedReader(desk.helpdesk, mailbox, place, sharing, hooks)


class InboxLoop:
    """Reads one folder until the daemon stops. `name` is that of its [[mailbox]], "" for the one of [imap]."""

    _was_well = False
    _brisk_until = 0.0

    def __init__(self, context: LoopContext, box: MailboxSettings, mailbox: Mailbox) -> None:
        desk = context.desk
        self._desk = desk
        self._context = context
        self._sharing = context.sharing
        self._stopping = context.stopping
        self.name, self.place = box.name, box.folder_id
        self.title = f"inbox {box.name}".rstrip()
        self._poll = box.poll_interval.total_seconds()
        self._mailbox = mailbox
        hooks = ReaderHooks(self._batch_done, self._must_stop, context.is_canary)
        self._reader = make_reader(desk, mailbox, self.place, hooks, context.sharing)
        self.heartbeat, self.database = Heartbeat(desk.clock), Heartbeat(desk.clock)
        self._outage = Outage(log, server_name(box), SystemClock())
        self._unfiled = Outage(log, server_name(box), SystemClock())
        self._guard = LoopGuard(log, self.title, desk.storage_outage)
        self._wake = WakeUp()
        self._completed = 0
        self._requested = 0
        self._changed = threading.Condition()
        self.progress = time.monotonic()
        self.state = "connecting"

    def wake(self) -> None:
        """Read now."""
        self._wake.set()

    @property
    def alive_at(self) -> float:
        """Time of its last sign of life (time.monotonic): a pass of the loop, or bytes of a long transfer."""
        return max(self.progress, self._mailbox.active_at)

    def interrupt(self) -> None:
        """Abort a network call that hangs."""
        self._mailbox.interrupt()

    @property
    def works(self) -> bool:
        """Whether the folder can be read."""
        return self.state.startswith(("reading", "waiting for mail"))

    def request_pass(self) -> int:
        """Request a complete pass that begins now; return the number to pass to `has_read`."""
        with self._changed:
            self._requested += 1
            self._wake.set()
            return self._requested

    def has_read(self, requested: int, timeout: float) -> bool:
        """Wait for the requested pass; return False if it was not possible within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._completed >= requested or self._stopping.is_set(), timeout)

    def may_read(self) -> bool:
        """Return whether this worker, of several that share the desk, reads the folder."""
        return self._sharing is None or self._sharing.may_read(self.place)

    def _must_stop(self) -> bool:
        return self._stopping.is_set() or not self.may_read()

    def _stand_by(self) -> None:
        """Wait while another worker reads the folder, or none can because the database is unavailable."""
        self._mailbox.close()
        while not self._stopping.is_set() and not self.may_read():
            self.progress = time.monotonic()
            if self._sharing is not None and self._sharing.is_alive():
                self.state = "reading is another worker's"
                self.heartbeat.works(None)
                self.database.works()
                self._desk.storage_outage.works(self.title)
            else:
                self.state = "waiting for the database"
            self._wake.clear()
            self._wake.wait(STAND_BY_SECONDS)

    def run(self) -> None:
        """Connect, read, wait; start again after a failure."""
        failures = 0
        while not self._stopping.is_set():
            self.progress = time.monotonic()
            if not self.may_read():
                self._stand_by()
                continue
            longest = LONGEST_RETRY
            with self._guard:
                try:
                    self.state = "connecting"
                    self._mailbox.open()
                    self._work()
                    failures = 0
                except MailboxUnavailable as error:
                    longest = LONGEST_AFTER_REFUSAL if error.credentials else LONGEST_RETRY
                    self._disconnected(error)
            if isinstance(self._guard.error, TemporaryError):
                self.state = "waiting for the database"
                self.database.fails(str(self._guard.error))
            elif self._guard.error is not None:
                self.state = "faulty"
                self.heartbeat.fails(unexpected_reason(self._guard.error))
            failures = 1 if self._was_well else failures + 1
            self._was_well = False
            self._stopping.wait(retry_delay(failures, longest))
        self._mailbox.close()
        self.state = "stopped"

    def _disconnected(self, error: MailboxUnavailable) -> None:
        self.state = "refused: the log-in is not accepted" if error.credentials else "unreachable"
        level = logging.ERROR if error.credentials else logging.WARNING
        # A server that shuts down sends BYE on one connection and resets the next: one failure for the admin.
        same = CONNECTS_AGAIN if str(error).endswith(CONNECTS_AGAIN) else ""
        self._outage.failed(str(error), level=level, compared=same)
        self.heartbeat.fails(str(error), credentials=error.credentials)

    def _batch_done(self) -> None:
        """Record that the folder is being read: under a long backlog, no pass is complete for long."""
        self.heartbeat.works(self._mailbox.certificate_ends)
        self._context.mail_queued()

    def _pass_done(self) -> None:
        """Record a complete pass: whatever was wrong is over."""
        self._outage.recovered()
        self._guard.works()
        self.heartbeat.works(self._mailbox.certificate_ends)
        self.database.works()
        self._was_well = True
        self.state = "reading"
        if self._reader.refusal:
            self.state = "reading, but handled mail can't be moved out"
            self._unfiled.failed(self._reader.refusal)
        else:
            self._unfiled.recovered()

    def _work(self) -> None:
        """Read and wait on one connection until it breaks, the daemon stops, or another worker reads."""
        while not self._must_stop():
            self.progress = time.monotonic()
            self._wake.clear()
            with self._changed:
                begun = self._requested
            if self._reader.read():
                self._brisk_until = time.monotonic() + BRISK_SECONDS
            self._pass_done()
            if not self._must_stop():
                if self._reader.all_handled:  # else a reply may be among the rest, and no timer may fire
                    with self._changed:
                        self._completed = begun
                        self._changed.notify_all()
                longest = min(self._poll, self._reader.look_again, HANG_SECONDS / 4)
                self._mailbox.wait(longest, self._wake, brisk=self._brisk_until - time.monotonic())


def unexpected_reason(error: Exception) -> str:
    """Return the reason that a heartbeat gives for a bug."""
    return f"an unexpected fault, which the log shows ({type(error).__name__})."
