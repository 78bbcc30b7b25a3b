"""`mailbot run`: the loops and the scheduler, until a signal stops them.

    loops       the inboxes are read, the outbox is sent (`inbox_loop`, `outbox_loop`)
    scheduler   timers and housekeeping
    watcher     judges whether the desk is healthy, and notifies (`monitoring.watcher`)
    main        signals (SIGTERM, SIGINT: stop within 10 s; SIGHUP: reload), sd_notify and the watchdog

The watchdog is fed only while the inbox and the outbox loop make progress, so that systemd restarts a process that
hangs. A server that can't be reached is no reason for that: the loops retry, and the watcher reports it.
Never: a rule of the desk, SQL.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from mailbot.config.load import load_settings
from mailbot.config.logging import configure_for
from mailbot.config.model import Settings
from mailbot.daemon.cluster.work_sharing import WorkSharing
from mailbot.daemon.inbox_loop import LoopContext
from mailbot.daemon.inboxes import Inboxes
from mailbot.daemon.outbox_loop import OutboxLoop
from mailbot.daemon.scheduler import Scheduler
from mailbot.desk.wiring import Desk, open_desk
from mailbot.errors import ConfigError, MailbotError
from mailbot.monitoring.watcher import HANG_SECONDS, Watcher
from mailbot.runtime.memory import tune_memory
from mailbot.runtime.systemd import Notifier

if TYPE_CHECKING:
    from mailbot.daemon.lmtp.queue import ReceiveQueue
    from mailbot.daemon.lmtp.server import LmtpServer
    from mailbot.monitoring.metrics import MetricsServer
    from mailbot.transport.imap.mailbox import Mailbox
    from mailbot.web.server import WebServer

log = logging.getLogger(__name__)

STOP_SECONDS = 8.0


class Daemon:
    """The loops of one desk, in threads of this process, from `start` to `stop`."""

    def __init__(self, desk: Desk, mailboxes: Mapping[str, Mailbox] | None = None) -> None:
        self._desk = desk
        self._stopping = threading.Event()
        sharing = self._sharing = None if desk.store.is_sqlite else WorkSharing(desk, self.wake)
        if sharing is None:
            self.watcher = Watcher(desk, new_id=_new_id)
        else:
            for_all = sharing.member.notifies_for_all
            self.watcher = Watcher(desk, new_id=_new_id, reads=sharing.may_read, notifies_for_all=for_all)
        self._outbox = OutboxLoop(desk, self._stopping, sharing)
        is_canary = self.watcher.canary.recognises
        self._inboxes = Inboxes(
            LoopContext(desk, self._stopping, self._outbox.wake, is_canary, sharing), mailboxes or {}
        )
        self._scheduler = Scheduler(desk, self._read_afresh, self._outbox.wake, self._stopping)
        self._receive_queue: ReceiveQueue | None = None
        self._lmtp: LmtpServer | None = None
        listen = desk.settings.lmtp.listen
        if listen is not None:
            from mailbot.daemon.lmtp.queue import ReceiveQueue
            from mailbot.daemon.lmtp.server import LmtpServer

            self._receive_queue = ReceiveQueue(desk, self._outbox.wake, sharing)
            self._lmtp = LmtpServer(desk, self._receive_queue, is_canary, listen)
            self.watcher.lmtp = self._lmtp.heartbeat
        self._pages: list[WebServer | MetricsServer] = []
        self._threads: list[threading.Thread] = []

    def start(self, *, again: bool = False) -> None:
        """Start every loop; returns at once. `again`: after a reload, so this process's claims are still its own."""
        if not again:
            self._desk.delivery.take_back()
        loops = [*self._inboxes.threads(), threading.Thread(target=self._outbox.run, name="outbox", daemon=True)]
        if self._sharing is not None:
            loops.append(self._sharing.helper(self._stopping, self._outbox.wake))
            self._sharing.start(again=again)
        for thread in loops:
            thread.start()
            self._threads.append(thread)
        self._scheduler.start()
        if self._receive_queue is not None and self._lmtp is not None:
            self._receive_queue.start()
            self._lmtp.start()
        self.watcher.start(self._inboxes.loops, self._outbox)
        self._serve_pages()

    def _read_afresh(self, timeout: float) -> dict[int, datetime]:
        """Read every inbox, and handle what came by LMTP: a reply may be among it. See `Inboxes.read_afresh`."""
        read = self._inboxes.read_afresh(timeout)
        return read if self._receive_queue is None or self._receive_queue.settled(timeout) else {}

    def _serve_pages(self) -> None:
        web = self._desk.settings.web
        if web.enabled:
            from mailbot.web.server import WebServer

            self._pages.append(WebServer(self._desk, web.listen.host, web.listen.port))
        listen = self._desk.settings.metrics.listen
        if listen is not None:
            from mailbot.monitoring.metrics import Health, MetricsServer

            self._pages.append(MetricsServer(self._desk, Health(self.watcher, self.is_alive, self.health), listen))
        for page in self._pages:
            page.start()

    def stop(self) -> bool:
        """Stop every loop after its current mail; return False if one did not stop in time."""
        if self._lmtp is not None:
            self._lmtp.stop(3.5)
        self._stopping.set()
        self.wake()
        self._scheduler.stop()
        for page in self._pages:
            page.stop()
        ends = time.monotonic() + STOP_SECONDS
        self.watcher.stop()
        for thread in self._threads:
            thread.join(max(0.1, ends - time.monotonic() - 2))
        queue = self._receive_queue
        queue_stopped = queue is None or queue.stop(max(0.1, ends - time.monotonic() - 1))
        if any(thread.is_alive() for thread in self._threads):
            self._inboxes.interrupt()  # one of them waits for a server that does not answer
            self._outbox.interrupt()
            for thread in self._threads:
                thread.join(max(0.1, ends - time.monotonic()))
        if self._sharing is not None:
            self._sharing.stop()
        return queue_stopped and not any(thread.is_alive() for thread in self._threads)

    def wake(self) -> None:
        """Check inboxes, outbox and timers now (the clock was moved, or a web page has queued something)."""
        self._inboxes.wake()
        self._outbox.wake()

    def is_alive(self) -> bool:
        """Return whether inboxes and outbox make progress."""
        oldest = min(self._inboxes.alive_at, self._outbox.alive_at)
        queue_runs = self._receive_queue is None or self._receive_queue.is_alive()
        running = queue_runs and all(thread.is_alive() for thread in self._threads)
        return running and time.monotonic() - oldest < HANG_SECONDS

    def health(self) -> dict[str, bool]:
        """Return which parts work."""
        lmtp = {} if self._lmtp is None else {"lmtp": self._lmtp.works}
        return (
            self._inboxes.health() | lmtp | {"smtp": self._outbox.state in ("idle", "works"), "alive": self.is_alive()}
        )

    def status(self) -> str:
        """Return one line for people: what works, what does not, and since when."""
        line = f"inbox: {self._inboxes.state}; outbox: {self._outbox.state}"
        if self._lmtp is not None:
            line += f"; LMTP: {'listening' if self._lmtp.works else 'not listening'}"
        conditions = self.watcher.status()
        return f"{line}; TROUBLE: {conditions}" if conditions else line


def _new_id() -> str:
    return secrets.token_hex(10)


def run(settings: Settings, config_path: Path | None = None, mailboxes: Mapping[str, Mailbox] | None = None) -> int:
    """Run the daemon until SIGTERM or SIGINT; return 0. SIGHUP reloads the configuration.

    `mailboxes`: connections that are already being opened (`mailbox.open_ahead`).
    """
    tune_memory()
    notifier = Notifier()
    signals = _Signals()
    with open_desk(settings, exclusive=True) as desk:
        daemon = Daemon(desk, mailboxes)
        daemon.start()
        notifier.ready("running")
        read = ", ".join(f"{box.folder} on {box.host}" for box in settings.mailboxes)
        log.info("running: inbox %s, outbox to %s", read, settings.smtp.host)
        while True:
            signal_number = signals.wait(notifier.watchdog_every or 5.0)
            if signal_number in (signal.SIGTERM, signal.SIGINT):
                break
            if signal_number == signal.SIGHUP or desk.keys.has_changed(desk.clock.now()):
                daemon = _reload(desk, daemon, config_path, notifier)
            if daemon.is_alive():
                notifier.watchdog()
            notifier.status(daemon.status())
        notifier.stopping()
        log.info("stopping after the current mail")
        stopped = daemon.stop()
    if not stopped:
        log.warning("a server did not answer in time: its connection was abandoned; nothing is lost")
        logging.shutdown()
        os._exit(0)  # a thread that hangs in a network call must not keep the process alive
    return 0


def _reload(desk: Desk, daemon: Daemon, config_path: Path | None, notifier: Notifier) -> Daemon:
    """Apply a changed configuration; an invalid one is rejected, and the old one stays in use."""
    notifier.reloading()
    try:
        settings = load_settings(config_path)
        if settings.database_url != desk.settings.database_url:
            raise ConfigError(["storage: the database can't change while mailbot runs; restart it (systemctl restart)"])
        settings_were, delivery_was = desk.settings, desk.delivery
        desk.configure(settings)
    except MailbotError as error:
        log.error("the configuration was not reloaded, the old one stays: %s", error)
        notifier.ready("running with the old configuration: the new one has errors")
        return daemon
    has_ended = daemon.stop()
    if not has_ended:
        log.warning("a server did not answer in time while reloading; its connection was abandoned")
    desk.delivery.take_over(delivery_was, has_ended=has_ended)
    configure_for(settings)
    log.info("configuration reloaded%s", "" if settings != settings_were else " (nothing has changed)")
    fresh = Daemon(desk)
    fresh.start(again=True)
    notifier.ready("running")
    return fresh


class _Signals:
    """A queue of signals to wait for. A second Ctrl-C ends the process at once."""

    def __init__(self) -> None:
        self._received = threading.Event()
        self._queue: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and signal.SIGINT in self._queue:
            os._exit(130)
        self._queue.append(number)
        self._received.set()

    def wait(self, seconds: float) -> int | None:
        """Return the next signal, or None after `seconds`."""
        self._received.wait(seconds)
        self._received.clear()
        return self._queue.pop(0) if self._queue and self._queue[0] == signal.SIGHUP else next(iter(self._queue), None)
