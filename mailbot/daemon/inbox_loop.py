"""The two loops that never end: the inbox is read, the outbox is sent, until the daemon stops.

    inbox    connect, read, wait (IDLE, or the poll interval); reconnect with back-off and jitter
    outbox   send what is due; where the server is gone, wait longer each time

Each runs in a thread of its own and says how it fares: `state` in words, `alive_at` for the watchdog, `pulse` (its
server) and `database` for the watch. A fault is logged when it begins and when it is over, however often it is met
meanwhile; one that has no name comes with its traceback, and the loop goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from mailbot.config.model import MailboxSettings
from mailbot.daemon.cluster.shared_reader import SharedReader
from mailbot.daemon.cluster.work_sharing import WorkSharing
from mailbot.daemon.inbox_reader import InboxReader
from mailbot.daemon.loop_guard import LONGEST_RETRY, _unexpected, retry_delay
from mailbot.desk.wiring import Desk
from mailbot.errors import MailboxUnavailable, TemporaryError
from mailbot.monitoring.watcher import HANG_SECONDS
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import Outage
from mailbot.runtime.status import Heartbeat
from mailbot.transport.imap.idle import WakeUp
from mailbot.transport.imap.login import place as named
from mailbot.transport.imap.mailbox import Mailbox
from mailbot.transport.tls import CONNECTS_AGAIN

log = logging.getLogger(__name__)


STAND_BY_SECONDS = 0.5
# So long after a mail the next one is likely, and the inbox is asked more often than IDLE would tell.
BRISK_SECONDS = 5.0

# A refused password is tried less and less often: servers lock out who knocks too much. A reload tries at once.
LONGEST_AFTER_REFUSAL = 120.0


class InboxLoop:
    """Reads one folder until told to stop. `name` is that of its [[mailbox]], "" for the one of [imap].

    `handled`: mail may have to go out; `canary`: is this mail one?
    """

    def __init__(
        self,
        desk: Desk,
        box: MailboxSettings,
        mailbox: Mailbox,
        stopping: threading.Event,
        handled: Callable[[], None],
        canary: Callable[[bytes], bool],
        sharing: WorkSharing | None = None,
    ) -> None:
        self._desk = desk
        self._sharing = sharing
        self._stopping = stopping
        self.name, self.place = box.name, box.place
        self.title = f"inbox {box.name}".rstrip()
        self._poll = box.poll_interval.total_seconds()
        self._mailbox = mailbox
        self._handled = handled
        options: dict[str, Any] = {"handled": self._batch_done, "stopping": self._must_stop, "canary": canary}
        if sharing is None:
            self._reader = InboxReader(desk.helpdesk, self._mailbox, self.place, **options)
        else:
            self._reader = SharedReader(desk.helpdesk, self._mailbox, self.place, sharing=sharing, **options)
        self.pulse, self.database = Heartbeat(desk.clock), Heartbeat(desk.clock)
        self._outage = Outage(log, named(box), SystemClock())
        self._unfiled = Outage(log, named(box), SystemClock())
        self._unexpected = Outage(log, self.title, SystemClock())
        self._wake = WakeUp()
        self._reads = 0
        self._asked = 0
        self._changed = threading.Condition()
        self.progress = time.monotonic()
        self.state = "connecting"

    def wake(self) -> None:
        """Read now."""
        self._wake.set()

    @property
    def alive_at(self) -> float:
        """When it last showed life, by `time.monotonic`: a turn of the loop, or bytes of a long transfer."""
        return max(self.progress, self._mailbox.active_at)

    def interrupt(self) -> None:
        """End a network call that hangs."""
        self._mailbox.interrupt()

    @property
    def works(self) -> bool:
        """Can the folder be read?"""
        return self.state.startswith(("reading", "waiting for mail"))

    def ask(self) -> int:
        """Read the inbox, all of it, beginning now; what `has_read` has to be asked for."""
        with self._changed:
            self._asked += 1
            self._wake.set()
            return self._asked

    def has_read(self, wanted: int, timeout: float) -> bool:
        """Was it read since that was asked? Waits for it; False where it was not possible within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._reads >= wanted or self._stopping.is_set(), timeout)

    def may_read(self) -> bool:
        """Is it this worker that reads the folder, of several that share the desk?"""
        return self._sharing is None or self._sharing.may_read(self.place)

    def _must_stop(self) -> bool:
        return self._stopping.is_set() or not self.may_read()

    def _stand_by(self) -> None:
        """Another worker reads the folder, or nobody can as long as the database is away."""
        self._mailbox.close()
        while not self._stopping.is_set() and not self.may_read():
            self.progress = time.monotonic()
            if self._sharing is not None and self._sharing.is_alive():
                self.state = "reading is another worker's"
                self.pulse.works(None)
                self.database.works()
                self._desk.storage_outage.works(self.title)
            else:
                self.state = "waiting for the database"
            self._wake.clear()
            self._wake.wait(STAND_BY_SECONDS)

    def run(self) -> None:
        """Connect, read, wait; start again after a fault."""
        failures = 0
        while not self._stopping.is_set():
            self.progress = time.monotonic()
            if not self.may_read():
                self._stand_by()
                continue
            longest = LONGEST_RETRY
            try:
                self.state = "connecting"
                self._mailbox.open()
                self._work()
                failures = 0
            except MailboxUnavailable as error:
                self.state = "refused: the log-in is not accepted" if error.credentials else "unreachable"
                longest = LONGEST_AFTER_REFUSAL if error.credentials else LONGEST_RETRY
                level = logging.ERROR if error.credentials else logging.WARNING
                # a server that ends says goodbye to one connection and resets the next: the same fault to the admin
                same = CONNECTS_AGAIN if str(error).endswith(CONNECTS_AGAIN) else ""
                self._outage.failed(str(error), level=level, compared=same)
                self.pulse.fails(str(error), credentials=error.credentials)
            except TemporaryError as error:
                self.state = "waiting for the database"
                self._desk.storage_outage.failed(self.title, str(error))
                self.database.fails(str(error))
            except Exception as error:  # noqa: BLE001 - logged with its traceback, once
                self.state = "faulty"
                self.pulse.fails(f"an unexpected fault, which the log shows ({type(error).__name__}).")
                self._unexpected.failed(_unexpected(error), level=logging.ERROR, traceback=True)
            failures = 1 if self._was_well else failures + 1
            self._was_well = False
            self._stopping.wait(retry_delay(failures, longest))
        self._mailbox.close()
        self.state = "stopped"

    _was_well = False
    _brisk_until = 0.0

    def _batch_done(self) -> None:
        """A long backlog has no whole turn for long, and yet it is read."""
        self.pulse.works(self._mailbox.certificate_ends)
        self._handled()

    def _has_read(self) -> None:
        """A turn was done: whatever was wrong is over."""
        for outage in (self._outage, self._unexpected):
            outage.recovered()
        self._desk.storage_outage.works(self.title)
        self.pulse.works(self._mailbox.certificate_ends)
        self.database.works()
        self._was_well = True
        self.state = "reading"
        if self._reader.refusal:
            self.state = "reading, but handled mail can't be moved out"
            self._unfiled.failed(self._reader.refusal)
        else:
            self._unfiled.recovered()

    def _work(self) -> None:
        """Read and wait on one connection until it breaks, the daemon ends, or another worker reads."""
        while not self._must_stop():
            self.progress = time.monotonic()
            self._wake.clear()
            with self._changed:
                begun = self._asked
            if self._reader.read():
                self._brisk_until = time.monotonic() + BRISK_SECONDS
            self._has_read()
            if not self._must_stop():
                if self._reader.all_handled:  # else a reply may be among them, and no timer may fire
                    with self._changed:
                        self._reads = begun
                        self._changed.notify_all()
                longest = min(self._poll, self._reader.look_again, HANG_SECONDS / 4)
                self._mailbox.wait(longest, self._wake, brisk=self._brisk_until - time.monotonic())
