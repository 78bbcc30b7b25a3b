"""The two loops that never end: the inbox is read, the outbox is sent, until the daemon stops.

    inbox    connect, read, wait (IDLE, or the poll interval); reconnect with back-off and jitter
    outbox   send what is due; where the server is gone, wait longer each time

Each runs in a thread of its own and says how it fares: `state` in words, `alive_at` for the watchdog, `pulse` (its
server) and `database` for the watch. A fault is logged when it begins and when it is over, however often it is met
meanwhile; one that has no name comes with its traceback, and the loop goes on.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from mailbot.bootstrap import Desk
from mailbot.clock import SystemClock
from mailbot.config.model import MailboxSettings
from mailbot.errors import LogInRefused, MailboxUnavailable, PermanentError, StoreUnavailable, TemporaryError
from mailbot.imap.login import place as named
from mailbot.inbox import InboxReader
from mailbot.lanes import Lanes
from mailbot.logs import Outage
from mailbot.mailbox import Mailbox, WakeUp
from mailbot.network import CONNECTS_AGAIN
from mailbot.sharing import SharedReader, Sharing
from mailbot.smtp import Submission
from mailbot.watch.pulse import Pulse
from mailbot.watch.watching import HANG_SECONDS

log = logging.getLogger(__name__)

OUTBOX_LOOK_SECONDS = 1.0
STAND_BY_SECONDS = 0.5
# So long after a mail the next one is likely, and the inbox is asked more often than IDLE would tell.
BRISK_SECONDS = 5.0
FIRST_RETRY, LONGEST_RETRY = 0.5, 30.0
# A refused password is tried less and less often: servers lock out who knocks too much. A reload tries at once.
LONGEST_AFTER_REFUSAL = 120.0
# An outbox with nothing to send says nothing about the server: after so many seconds without a word it is asked, sooner
# where it was not well, or was never heard. Else the first to notice would be a requester.
ASK_SECONDS, ASK_SOON_SECONDS = 900.0, 60.0


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
        sharing: Sharing | None = None,
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
        self.pulse, self.database = Pulse(desk.clock), Pulse(desk.clock)
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


class OutboxLoop:
    """Sends the outbox until told to stop."""

    title = "outbox"

    def __init__(self, desk: Desk, stopping: threading.Event, sharing: Sharing | None = None) -> None:
        settings = desk.settings
        self._desk = desk
        self._stopping = stopping
        self._sharing = sharing
        self._submission = Lanes([Submission(settings.smtp) for _ in range(settings.smtp.connections)])
        self._outage = Outage(log, f"SMTP {settings.smtp.host}:{settings.smtp.port}", SystemClock())
        self._unexpected = Outage(log, "outbox", SystemClock())
        self._delivery = desk.delivery
        self._look = threading.Event()
        self._failures = 0
        self._heard = time.monotonic()
        self.pulse, self.database = Pulse(desk.clock), Pulse(desk.clock)
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
        line = self.pulse.line
        is_well = line.worked_at is not None and line.failing_since is None
        if time.monotonic() - self._heard < (ASK_SECONDS if is_well else ASK_SOON_SECONDS):
            return
        try:
            self._submission.check()
        except (TemporaryError, PermanentError) as error:
            self._failed(str(error), isinstance(error, LogInRefused))
        else:
            self._works()


def retry_delay(failures: int, longest: float = LONGEST_RETRY) -> float:
    """Seconds to wait after so many failures in a row: doubling from 0.5 to `longest`, less up to a quarter."""
    delay: float = min(FIRST_RETRY * 2 ** min(failures, 10), longest)
    return delay * random.uniform(0.75, 1.0)  # noqa: S311 - jitter


def _unexpected(error: Exception) -> str:
    """A fault that has no words of its own."""
    return f"an unexpected fault, tried again and again: {type(error).__name__}: {error}"
