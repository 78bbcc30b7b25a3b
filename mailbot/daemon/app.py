"""`mailbot run`: the loops and the chores, until a signal ends them.

    loops    the inbox is read, the outbox is sent (loops.py)
    chores   what the clock brings: timers, tidying up (chores.py)
    watch    judges whether the desk is well, and tells who has to know (watch/)
    main     signals (SIGTERM, SIGINT: stop within 10 s; SIGHUP: reload), sd_notify and the watchdog

No rule of the desk and no SQL stands here. A loop that meets a fault it can't name logs it and goes on; the watchdog is
fed only while the inbox and the outbox loop make progress, so that one that hangs gets the process restarted. A server
that can't be reached is no reason for that: the loops go on trying, and the watch says it.
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
from typing import TYPE_CHECKING, Any

from mailbot.config.load import load_settings
from mailbot.config.logging import configure_for
from mailbot.config.model import Settings
from mailbot.daemon.cluster.work_sharing import WorkSharing
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
    from mailbot.transport.imap.mailbox import Mailbox

log = logging.getLogger(__name__)

STOP_SECONDS = 8.0


class Daemon:
    """The loops of one desk, in threads of this process. `start()`, `stop()`; `wake()` makes every loop look again."""

    def __init__(self, desk: Desk, mailboxes: Mapping[str, Mailbox] | None = None) -> None:
        self._desk = desk
        self._stopping = threading.Event()
        self.sharing = None if desk.store.is_sqlite else WorkSharing(desk, self.wake)
        part: dict[str, Any] = {}
        if self.sharing is not None:
            part = {"reads": self.sharing.may_read, "tells_for_all": self.sharing.worker.tells_for_all}
        self.watch = Watcher(desk, new_id=lambda: secrets.token_hex(10), **part)
        self._inbox = Inboxes(
            desk, self._stopping, self._mail_may_wait, self.watch.canary.recognises, self.sharing, mailboxes or {}
        )
        self._outbox = OutboxLoop(desk, self._stopping, self.sharing)
        self._chores = Scheduler(desk, self._read_afresh, self._mail_may_wait, self._stopping)
        self._taking_in: ReceiveQueue | None = None
        self.lmtp: LmtpServer | None = None
        self._open_door()
        self._pages: list[Any] = []
        self._threads: list[threading.Thread] = []

    def start(self, *, again: bool = False) -> None:
        """Start every loop; returns at once. `again`: after a reload, and what the process has in hand is its own."""
        if not again:
            self._desk.delivery.take_back()
        loops = [*self._inbox.threads(), threading.Thread(target=self._outbox.run, name="outbox", daemon=True)]
        if self.sharing is not None:
            loops.append(self.sharing.helper(self._stopping, self._mail_may_wait))
            self.sharing.start(again=again)
        for thread in loops:
            thread.start()
            self._threads.append(thread)
        self._chores.start()
        if self._taking_in is not None and self.lmtp is not None:
            self._taking_in.start()
            self.lmtp.start()
        self.watch.start(self._inbox.loops, self._outbox)
        self._serve_pages()

    def _open_door(self) -> None:
        listen = self._desk.settings.lmtp.listen
        if listen is not None:
            from mailbot.daemon.lmtp.queue import ReceiveQueue
            from mailbot.daemon.lmtp.server import LmtpServer

            self._taking_in = ReceiveQueue(self._desk, self._mail_may_wait, self.sharing)
            self.lmtp = LmtpServer(self._desk, self._taking_in, self.watch.canary.recognises, listen)
            self.watch.door = self.lmtp.pulse

    def _read_afresh(self, timeout: float) -> dict[int, datetime]:
        """Read every inbox, and handle what came by LMTP: a reply may be among it. See `Inboxes.read_afresh`."""
        read = self._inbox.read_afresh(timeout)
        return read if self._taking_in is None or self._taking_in.settled(timeout) else {}

    def _serve_pages(self) -> None:
        web = self._desk.settings.web
        if web.enabled:
            from mailbot.web.server import WebServer

            self._pages.append(WebServer(self._desk, web.listen.host, web.listen.port))
        listen = self._desk.settings.metrics.listen
        if listen is not None:
            from mailbot.monitoring.metrics import MetricsServer

            self._pages.append(MetricsServer(self._desk, self, listen.host, listen.port))
        for page in self._pages:
            page.start()

    def stop(self) -> bool:
        """End every loop after the mail in hand; False where one did not end in time (it dies with the process)."""
        if self.lmtp is not None:
            self.lmtp.stop(3.5)
        self._stopping.set()
        self.wake()
        self._chores.stop()
        for page in self._pages:
            page.stop()
        ends = time.monotonic() + STOP_SECONDS
        self.watch.stop()
        for thread in self._threads:
            thread.join(max(0.1, ends - time.monotonic() - 2))
        behind_door = self._taking_in is None or self._taking_in.stop(max(0.1, ends - time.monotonic() - 1))
        if any(thread.is_alive() for thread in self._threads):
            self._inbox.interrupt()  # one of them waits for a server that does not answer
            self._outbox.interrupt()
            for thread in self._threads:
                thread.join(max(0.1, ends - time.monotonic()))
        if self.sharing is not None:
            self.sharing.stop()
        return behind_door and not any(thread.is_alive() for thread in self._threads)

    def wake(self) -> None:
        """Look at inbox, outbox and timers now (the clock was moved, a page has put something in)."""
        self._inbox.wake()
        self._outbox.wake()

    def is_alive(self) -> bool:
        """Do inbox and outbox make progress?"""
        oldest = min(self._inbox.alive_at, self._outbox.alive_at)
        behind_door = self._taking_in is None or self._taking_in.is_alive()
        running = behind_door and all(thread.is_alive() for thread in self._threads)
        return running and time.monotonic() - oldest < HANG_SECONDS

    def health(self) -> dict[str, bool]:
        """Which parts work."""
        door = {} if self.lmtp is None else {"lmtp": self.lmtp.works}
        return (
            self._inbox.health()
            | door
            | {
                "smtp": self._outbox.state in ("idle", "works"),
                "alive": self.is_alive(),
            }
        )

    def status(self) -> str:
        """One line for people: what works, what does not, and since when."""
        line = f"inbox: {self._inbox.state}; outbox: {self._outbox.state}"
        if self.lmtp is not None:
            line += f"; LMTP: {'listening' if self.lmtp.works else 'not listening'}"
        trouble = self.watch.status()
        return f"{line}; TROUBLE: {trouble}" if trouble else line

    def _mail_may_wait(self) -> None:
        self._outbox.wake()


def run(settings: Settings, config_path: Path | None = None, mailboxes: Mapping[str, Mailbox] | None = None) -> int:
    """The daemon, until SIGTERM or SIGINT; 0. SIGHUP reads the configuration again.

    `mailboxes`: begun to be opened, by place (`inbox_doors`).
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
        ends_well = True
        while True:
            signal_number = signals.wait(notifier.watchdog_every or 5.0)
            if signal_number in (signal.SIGTERM, signal.SIGINT):
                break
            if signal_number == signal.SIGHUP or desk.keys.has_news(desk.clock.now()):
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
        settings_were, delivery_was = desk.settings, desk.delivery
        desk.configure(settings)
    except MailbotError as error:
        log.error("the configuration was not reloaded, the old one stays: %s", error)
        notifier.ready("running with the old configuration: the new one has errors")
        return daemon
    has_ended = daemon.stop()
    if not has_ended:
        log.warning("a server did not answer in time while reloading; its connection was left")
    desk.delivery.take_over(delivery_was, has_ended=has_ended)
    configure_for(settings)
    log.info("configuration reloaded%s", "" if settings != settings_were else " (nothing has changed)")
    fresh = Daemon(desk)
    fresh.start(again=True)
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
