"""`mailbot run`: three loops and a bell, until a signal ends them.

    inbox    connect, read, wait (IDLE, or the poll interval); reconnect with back-off and jitter
    outbox   send what is due; where the server is gone, wait longer each time
    timers   APScheduler rings twice a second: if a deadline is past, the inbox is read first, then it fires
    main     signals (SIGTERM, SIGINT: stop within 10 s; SIGHUP: reload), sd_notify and the watchdog

No rule of the desk and no SQL stands here. A loop that meets a fault it can't name logs it and goes on; the watchdog is
fed only while the inbox and the outbox loop make progress, so that one that hangs gets the process restarted.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mailbot.bootstrap import Desk, open_desk
from mailbot.clock import SystemClock
from mailbot.config import Settings, load_settings
from mailbot.errors import ConfigError, MailbotError, MailboxUnavailable, TemporaryError
from mailbot.inbox import InboxReader
from mailbot.logs import Outage, configure_for
from mailbot.mailbox import Mailbox, WakeUp
from mailbot.sdnotify import Notifier
from mailbot.smtp import Submission
from mailbot.store import search
from mailbot.store.retention import drop_raw_mail

log = logging.getLogger(__name__)

RING_SECONDS = 0.5
OUTBOX_LOOK_SECONDS = 1.0
FIRST_RETRY, LONGEST_RETRY = 0.5, 30.0
STOP_SECONDS = 8.0
# A loop that shows no life for so long hangs: longer than any network deadline of imap/ and smtp.py.
HANG_SECONDS = 300.0


class Daemon:
    """The loops of one desk, in threads of this process. `start()`, `stop()`; `wake()` makes every loop look again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._stopping = threading.Event()
        self._inbox = InboxLoop(desk, self._stopping, self._mail_may_wait)
        self._outbox = OutboxLoop(desk, self._stopping)
        self._scheduler: Any = None
        self._pages: list[Any] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start every loop; returns at once."""
        from apscheduler.schedulers.background import BackgroundScheduler

        self._desk.delivery.take_back()
        for loop, name in ((self._inbox.run, "inbox"), (self._outbox.run, "outbox")):
            thread = threading.Thread(target=loop, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)
        # misfire_grace_time None: the default drops a bell that is a second late (libraries.md, APScheduler)
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        )
        self._scheduler.add_job(self._ring, "interval", seconds=RING_SECONDS, id="timers")
        self._scheduler.add_job(self._tidy, "interval", seconds=20, id="tidy")
        if self._desk.settings.storage.keep_raw is not None:
            self._scheduler.add_job(self._drop_old_raw_mail, "interval", hours=24, id="keep_raw", next_run_time=_soon())
        self._scheduler.start()
        self._serve_pages()

    def _serve_pages(self) -> None:
        web = self._desk.settings.web
        if web.enabled:
            from mailbot.web import WebServer

            self._pages.append(WebServer(self._desk, web.listen.host, web.listen.port))
        listen = self._desk.settings.metrics.listen
        if listen is not None:
            from mailbot.metrics import MetricsServer

            self._pages.append(MetricsServer(self._desk, self, listen.host, listen.port))
        for page in self._pages:
            page.start()

    def stop(self) -> bool:
        """End every loop after the mail in hand; False where one did not end in time (it dies with the process)."""
        self._stopping.set()
        self.wake()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
        for page in self._pages:
            page.stop()
        ends = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.1, ends - time.monotonic() - 2))
        if any(thread.is_alive() for thread in self._threads):
            self._inbox.interrupt()  # one of them waits for a server that does not answer
            self._outbox.interrupt()
            for thread in self._threads:
                thread.join(max(0.1, ends - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def wake(self) -> None:
        """Look at inbox, outbox and timers now (the clock was moved, a page has put something in)."""
        self._inbox.wake()
        self._outbox.wake()

    def is_alive(self) -> bool:
        """Do inbox and outbox make progress?"""
        oldest = min(self._inbox.alive_at, self._outbox.alive_at)
        return time.monotonic() - oldest < HANG_SECONDS and all(thread.is_alive() for thread in self._threads)

    def health(self) -> dict[str, bool]:
        """Which parts work."""
        return {
            "imap": self._inbox.state in ("reading", "waiting"),
            "smtp": self._outbox.state in ("idle", "works"),
            "alive": self.is_alive(),
        }

    def status(self) -> str:
        """One line for people: what works, what does not."""
        return f"inbox: {self._inbox.state}; outbox: {self._outbox.state}"

    def _mail_may_wait(self) -> None:
        self._outbox.wake()

    def _ring(self) -> None:
        try:
            due = self._desk.helpdesk.next_due()
            if due is None or due > self._desk.clock.now() or self._stopping.is_set():
                return
            if not self._inbox.read_afresh(timeout=20.0):
                return  # nothing is reminded of or closed while the inbox can't be read
            if self._desk.helpdesk.fire_due_timers():
                self._outbox.wake()
        except TemporaryError as error:
            log.warning("timers: %s", error)
        except Exception:
            log.exception("timers: an unexpected fault; tried again at the next bell")

    def _tidy(self) -> None:
        try:
            search.catch_up(self._desk.store, at_most=1000)
        except TemporaryError as error:
            log.warning("search index: %s", error)
        except Exception:
            log.exception("search index: an unexpected fault; tried again at the next bell")

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


class InboxLoop:
    """Reads one folder until told to stop."""

    def __init__(self, desk: Desk, stopping: threading.Event, handled: Callable[[], None]) -> None:
        settings = desk.settings
        self._desk = desk
        self._stopping = stopping
        self._poll = settings.imap.poll_interval.total_seconds()
        self._mailbox = Mailbox(settings.imap, max_size=settings.inbound.max_size)
        name = f"{settings.imap.username}@{settings.imap.host}/{settings.imap.folder}"
        self._reader = InboxReader(desk.helpdesk, self._mailbox, name, handled=handled, stopping=stopping.is_set)
        self._outage = Outage(log, f"IMAP {settings.imap.host}:{settings.imap.port}", SystemClock())
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

    def read_afresh(self, timeout: float) -> bool:
        """Read the inbox, all of it, beginning now; False where that was not possible within `timeout` seconds."""
        with self._changed:
            self._asked += 1
            wanted = self._asked
            self._wake.set()
            return self._changed.wait_for(lambda: self._reads >= wanted or self._stopping.is_set(), timeout)

    def run(self) -> None:
        """Connect, read, wait; start again after a fault."""
        failures = 0
        while not self._stopping.is_set():
            self.progress = time.monotonic()
            try:
                self.state = "connecting"
                self._mailbox.open()
                self._work(self._connected)
                failures = 0
            except MailboxUnavailable as error:
                self.state = "unreachable"
                self._outage.failed(str(error))
            except TemporaryError as error:
                self.state = "waiting for the database"
                self._outage.failed(str(error))
            except Exception:
                self.state = "faulty"
                log.exception("inbox: an unexpected fault; the connection is made anew")
            failures = 1 if self._was_well else failures + 1
            self._was_well = False
            self._stopping.wait(retry_delay(failures))
        self._mailbox.close()
        self.state = "stopped"

    _was_well = False

    def _connected(self) -> None:
        self._outage.recovered()
        self._was_well = True
        self.state = "reading"

    def _work(self, after_read: Callable[[], None]) -> None:
        """Read and wait on one connection until it breaks or the daemon ends."""
        while not self._stopping.is_set():
            self.progress = time.monotonic()
            self._wake.clear()
            with self._changed:
                begun = self._asked
            self._reader.read()
            after_read()
            if not self._stopping.is_set():
                with self._changed:
                    self._reads = begun
                    self._changed.notify_all()
                self._mailbox.wait(min(self._poll, HANG_SECONDS / 4), self._wake)


class OutboxLoop:
    """Sends the outbox until told to stop."""

    def __init__(self, desk: Desk, stopping: threading.Event) -> None:
        settings = desk.settings
        self._desk = desk
        self._stopping = stopping
        self._submission = Submission(settings.smtp)
        self._outage = Outage(log, f"SMTP {settings.smtp.host}:{settings.smtp.port}", SystemClock())
        self._look = threading.Event()
        self._failures = 0
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
            try:
                more = self._round()
            except TemporaryError as error:
                self._outage.failed(str(error))
                self._stopping.wait(1.0)
            except Exception:
                log.exception("outbox: an unexpected fault; tried again")
                self._stopping.wait(1.0)
            if not more:
                self._look.wait(OUTBOX_LOOK_SECONDS)
        self._submission.close()
        self.state = "stopped"

    def _round(self) -> bool:
        """One pass; True if there may be more to send at once."""
        done = self._desk.delivery.deliver_due(self._submission, self._stopping.is_set)
        if done.trouble:
            self._failures += 1
            self.state = "unreachable"
            self._outage.failed(done.trouble)
            # all that is due waits, so that each mail does not find out for itself that the server is gone
            self._desk.delivery.postpone(retry_delay(self._failures + 1))
            return False
        if done.sent or done.failed:
            self._failures = 0
            self.state = "works"
            self._outage.recovered()
        return done.tried > 0


def _soon() -> datetime:
    """A minute from now by the machine's clock, which APScheduler runs by."""
    return SystemClock().now() + timedelta(minutes=1)


def retry_delay(failures: int) -> float:
    """Seconds to wait after so many failures in a row: doubling from half a second to 30 s, less up to a quarter."""
    delay: float = min(FIRST_RETRY * 2 ** min(failures, 10), LONGEST_RETRY)
    return delay * random.uniform(0.75, 1.0)  # noqa: S311 - jitter


def run_once(settings: Settings) -> int:
    """Take in what waits, fire what is due, send what is queued; 0, or 1 where a server could not be used."""
    with open_desk(settings, exclusive=True) as desk:
        desk.delivery.take_back()
        mailbox = Mailbox(settings.imap, max_size=settings.inbound.max_size)
        code = 0
        try:
            mailbox.open()
            name = f"{settings.imap.username}@{settings.imap.host}/{settings.imap.folder}"
            InboxReader(desk.helpdesk, mailbox, name).read()
            desk.helpdesk.fire_due_timers()
        except MailboxUnavailable as error:
            log.error("the inbox was not read, so no timer fired: %s", error)
            code = 1
        finally:
            mailbox.close()
        submission = Submission(settings.smtp)
        try:
            while (done := desk.delivery.deliver_due(submission)).tried:
                if done.trouble:
                    log.error("the outbox was not sent: %s", done.trouble)
                    code = 1
                    break
        finally:
            submission.close()
        return code


def run(settings: Settings, config_path: Path | None = None) -> int:
    """The daemon, until SIGTERM or SIGINT; 0. SIGHUP reads the configuration again."""
    notifier = Notifier()
    signals = _Signals()
    with open_desk(settings, exclusive=True) as desk:
        daemon = Daemon(desk)
        daemon.start()
        notifier.ready("running")
        log.info("running: inbox %s on %s, outbox to %s", settings.imap.folder, settings.imap.host, settings.smtp.host)
        ends_well = True
        while True:
            signal_number = signals.wait(notifier.watchdog_every or 5.0)
            if signal_number in (signal.SIGTERM, signal.SIGINT):
                break
            if signal_number == signal.SIGHUP:
                daemon = _reload(desk, daemon, config_path, notifier)
            if daemon.is_alive():
                notifier.watchdog()
            notifier.status(daemon.status())
        notifier.stopping()
        log.info("stopping after the mail in hand")
        ends_well = daemon.stop()
    if not ends_well:
        log.warning("a server did not answer in time: its connection was left; nothing is lost")
        logging.shutdown()
        os._exit(0)  # a thread that hangs in a network call must not keep the process
    return 0


def _reload(desk: Desk, daemon: Daemon, config_path: Path | None, notifier: Notifier) -> Daemon:
    """Take up a changed configuration; a bad one is refused, and everything goes on as it was."""
    notifier.reloading()
    try:
        settings = load_settings(config_path)
        if settings.database_url != desk.settings.database_url:
            raise ConfigError(["storage: the database can't change while mailbot runs; restart it (systemctl restart)"])
        daemon_was = desk.settings
        desk.configure(settings)
    except MailbotError as error:
        log.error("the configuration was not reloaded, the old one stays: %s", error)
        notifier.ready("running with the old configuration: the new one has errors")
        return daemon
    if not daemon.stop():
        log.warning("a server did not answer in time while reloading; its connection was left")
    configure_for(settings)
    log.info("configuration reloaded%s", "" if settings != daemon_was else " (nothing has changed)")
    fresh = Daemon(desk)
    fresh.start()
    notifier.ready("running")
    return fresh


class _Signals:
    """Signals as something to wait for. A second Ctrl-C ends the process at once."""

    def __init__(self) -> None:
        self._arrived = threading.Event()
        self._queue: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: Any) -> None:
        if number == signal.SIGINT and signal.SIGINT in self._queue:
            os._exit(130)
        self._queue.append(number)
        self._arrived.set()

    def wait(self, seconds: float) -> int | None:
        """The next signal, or None after `seconds`."""
        self._arrived.wait(seconds)
        self._arrived.clear()
        return self._queue.pop(0) if self._queue and self._queue[0] == signal.SIGHUP else next(iter(self._queue), None)
