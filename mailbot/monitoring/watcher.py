"""The watcher of one desk: threads that probe, judge, notify and record. The loops never wait for any of them.

    watch-look     every few seconds: disk, database, queues (`probes`); may hang with what it probes
    watch-judge    every second: facts → `conditions.judge` → history → health.json
    watch-tell     sends the alerts that are due; may wait for a mail server or a command
    watch-scanner  if [attachments] clamd is set: checks it every minute
    watch-canary   if [canary] is enabled

In: the desk, and each loop's heartbeats and `alive_at`. Out: `judgement`, `status`, and alerts. A channel that fails is
retried with growing pauses; each failure is logged once.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mailbot.errors import ConfigError
from mailbot.monitoring import alert as alerts
from mailbot.monitoring import health_file
from mailbot.monitoring.alert_channels import Channel, channels_of, in_alerts
from mailbot.monitoring.alert_history import AlertHistory, News, Rhythm
from mailbot.monitoring.canary import Canary, CanaryPlan, RoundTrip
from mailbot.monitoring.conditions import OF_THE_DESK, Condition, Facts, Judgement, Thresholds, in_words, judge, title
from mailbot.monitoring.probes import Probes
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import Outage
from mailbot.runtime.status import ConnectionStatus, Heartbeat
from mailbot.transport.smtp.submission import Submission

if TYPE_CHECKING:
    from mailbot.config.model import Settings
    from mailbot.desk.wiring import Desk

log = logging.getLogger(__name__)

JUDGE_SECONDS = 1.0
PROBE_SECONDS = 5.0
SCANNER_SECONDS = 60.0
WRITE_SECONDS = 20.0
# A loop without a sign of life for so long hangs: longer than any network timeout of transport/.
HANG_SECONDS = 300.0
FIRST_RETRY, LONGEST_RETRY = 15.0, 900.0


class Watched(Protocol):
    """A loop, as far as it is watched."""

    title: str  #: Its name for people.
    heartbeat: Heartbeat  #: Of its server.
    database: Heartbeat

    @property
    def alive_at(self) -> float:
        """Time of its last sign of life (time.monotonic)."""


class WatchedInbox(Watched, Protocol):
    """The loop of an inbox."""

    name: str  #: Of its [[mailbox]], "" for the only one.


class Watcher:
    """Monitors one desk, from `start` to `stop`.

    With several workers, `reads` says whether this one reads a mailbox, and `notifies_for_all` whether it is the one
    that reports what all of them see (`conditions.OF_THE_DESK`).
    """

    def __init__(
        self,
        desk: Desk,
        *,
        probes: Probes | None = None,
        new_id: Callable[[], str],
        reads: Callable[[str], bool] = lambda place: True,
        notifies_for_all: Callable[[], bool] = lambda: True,
    ) -> None:
        settings = desk.settings
        self._notifies_for_all = notifies_for_all
        self._desk = desk
        self._clock = desk.clock
        self._language, self._zone = settings.helpdesk.language, settings.helpdesk.zone
        self._folder: Path = settings.storage.data_dir
        self._thresholds = thresholds_of(settings, desk.clock.simulated)
        self._rhythm = Rhythm(settings.alerts.after, settings.alerts.repeat)
        self._started_at = self._clock.now()
        record = self._last_record()
        self._history = _history_of(record)
        folders = {self._folder, *([desk.store.path.parent] if desk.store.path else [])}
        self._probes = probes or Probes(desk.store, desk.clock, sorted(folders))
        profile = desk.helpdesk.profile
        self._canary_submission = Submission(settings.smtp)
        self.canary = Canary(self._canary_submission, profile, desk.clock, _canary_plan(settings, reads), new_id)
        self.canary.last = _round_trip_of(record)
        self._channels = channels_of(settings, profile, desk.clock, new_id)
        self._outages = {
            channel.name: Outage(log, f"alert by {channel.name}", SystemClock()) for channel in self._channels
        }
        self._failed: dict[str, tuple[datetime, timedelta]] = {}
        self._inboxes: Sequence[WatchedInbox] = ()
        self._outbox: Watched | None = None
        self.lmtp: Heartbeat | None = None  #: Of the LMTP listener, if there is one.
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._written: tuple[float, dict[str, object]] = (0.0, {})
        self._unwritable = Outage(log, f"{self._folder / health_file.FILE}", SystemClock())
        self.judgement = Judgement((), frozenset())

    def start(self, inboxes: Sequence[WatchedInbox], outbox: Watched) -> None:
        """Start the threads; returns at once."""
        self.observe(inboxes, outbox)
        self._repeat("watch-look", self._probes.run, PROBE_SECONDS)
        self._repeat("watch-judge", self.judge, JUDGE_SECONDS)
        if self._desk.helpdesk.screening.status is not None:
            self._repeat("watch-scanner", lambda: self._desk.helpdesk.screening.probe(), SCANNER_SECONDS)
        if self._channels:
            self._repeat("watch-tell", self.notify, JUDGE_SECONDS)
        if self._desk.settings.canary.every is not None:
            self._run("watch-canary", self._run_canary)

    def _run_canary(self) -> None:
        self.canary.run(self._stopping)
        self._canary_submission.close()

    def observe(self, inboxes: Sequence[WatchedInbox], outbox: Watched) -> None:
        """Set the loops to watch."""
        self._inboxes, self._outbox = inboxes, outbox

    def stop(self) -> None:
        """Stop, interrupting what waits for a server; record in health.json that the daemon has stopped."""
        self._stopping.set()
        self._canary_submission.interrupt()
        for channel in self._channels:
            channel.interrupt()
        for thread in self._threads:
            thread.join(1.0)  # one that still hangs ends with the process
        if self._threads:
            with self._lock:
                self._write(running=False)

    def facts(self) -> Facts:
        """Return what is known at this moment."""
        now, found = self._clock.now(), self._probes.facts()
        silence = [(loop.title, time.monotonic() - loop.alive_at) for loop in self._loops()]
        hanging = tuple(
            (name, now - self._clock.simulated(seconds)) for name, seconds in silence if seconds > HANG_SECONDS
        )
        return Facts(
            now=now,
            started_at=self._started_at,
            inboxes=tuple((loop.name, loop.heartbeat.status) for loop in self._inboxes),
            outbox=self._outbox.heartbeat.status if self._outbox else ConnectionStatus(),
            database=self._database(found.database),
            hanging=hanging,
            spaces=found.spaces,
            queue=found.queue,
            canary=self.canary.facts(),
            lmtp=self.lmtp.status if self.lmtp else None,
            scanner=self._desk.helpdesk.screening.status,
        )

    def _loops(self) -> tuple[Watched, ...]:
        return (*self._inboxes, self._outbox) if self._outbox is not None else tuple(self._inboxes)

    def _database(self, probed: ConnectionStatus) -> ConnectionStatus:
        """Return the status by the probes' reads and the loops' writes: a full disk can still be read."""
        statuses = [probed, *(loop.database.status for loop in self._loops())]
        return next((status for status in statuses if status.failing_since is not None), probed)

    def judge(self) -> None:
        """Judge now, and record the result."""
        judgement = judge(self.facts(), self._thresholds)
        with self._lock:
            self._history.note(judgement, self._clock.now(), self._rhythm, [channel.name for channel in self._channels])
            self.judgement = judgement
            if not self._stopping.is_set():
                self._write(running=True)

    def status(self) -> str:
        """Return the conditions on one line, "" if all is well."""
        zone = self._zone
        return "; ".join(
            f"{title(condition.name, 'en')} since {self.since(condition).astimezone(zone):%Y-%m-%d %H:%M}"
            for condition in self.judgement.conditions
        )

    def as_json(self) -> list[dict[str, object]]:
        """Return the conditions, in English, for /health and health.json."""
        return [self._entry(condition) for condition in self.judgement.conditions]

    def _entry(self, condition: Condition) -> dict[str, object]:
        found, remedy = in_words(condition, "en", self._zone)
        return {
            "name": condition.name,
            "severity": condition.severity.name.lower(),
            "since": self.since(condition).isoformat(timespec="seconds"),
            "found": found,
            "mend": remedy,
        }

    def since(self, condition: Condition) -> datetime:
        """Return when the failure behind a condition began."""
        return self._history.since(condition)

    # Notifying

    def notify(self) -> None:
        """Send what is due on each channel."""
        for channel in self._channels:
            if self._stopping.is_set():
                return
            now = self._clock.now()
            failed_at, pause = self._failed.get(channel.name, (now, timedelta(0)))
            if failed_at <= now < failed_at + pause:
                continue
            with self._lock:
                others = frozenset() if self._notifies_for_all() else OF_THE_DESK
                news = self._history.due(channel.name, now, self._rhythm, others)
            if news:
                self._notify_by(channel, news, pause)

    def _notify_by(self, channel: Channel, news: News, pause: timedelta) -> None:
        try:
            queue = self._probes.facts().queue
            alert = alerts.write(news, queue, self._desk.renderer, self._language, self._zone)
            why = in_alerts(self._desk.settings, channel.send(alert))
        except ConfigError as error:  # an admin's own template
            why = str(error)
        if self._stopping.is_set() and why:
            return  # interrupted by `stop`; sent after the restart
        outage = self._outages[channel.name]
        if why:
            first, longest = self._clock.simulated(FIRST_RETRY), self._clock.simulated(LONGEST_RETRY)
            self._failed[channel.name] = (self._clock.now(), min(max(pause * 2, first), longest))
            outage.failed(f"{why} It is tried again.", level=logging.ERROR)
            return
        outage.recovered()
        self._failed.pop(channel.name, None)
        log.info("alert sent by %s: %s", channel.name, alert.subject)
        with self._lock:
            self._history.notified(channel.name, news, self._clock.now())
            self._write(running=not self._stopping.is_set(), now=True)

    # Threads and health.json

    def _repeat(self, name: str, work: Callable[[], None], seconds: float) -> None:
        def loop() -> None:
            logged: set[str] = set()
            while not self._stopping.is_set():
                try:
                    work()
                except Exception as error:
                    if not self._stopping.is_set() and repr(error) not in logged:
                        logged.add(repr(error))
                        log.exception("%s: unexpected error, retrying; it is logged once", name)
                self._stopping.wait(seconds)

        self._run(name, loop)

    def _run(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _write(self, *, running: bool, now: bool = False) -> None:
        """Write health.json if something has changed, and at intervals as a sign of life."""
        back_at, seconds = self.canary.last
        record = health_file.Record(
            at=SystemClock().now(),  # another process compares it with the machine's time
            pid=os.getpid(),
            running=running,
            status=self.status(),
            conditions=tuple(self.as_json()),
            episodes=tuple(self._history.as_json()),
            canary={} if back_at is None else {"back_at": back_at.isoformat(), "seconds": seconds},
        )
        written_at, content = self._written
        if not now and record.content() == content and time.monotonic() - written_at < WRITE_SECONDS:
            return
        try:
            health_file.write(self._folder, record)
        except OSError as error:
            self._unwritable.failed(f"can't be written ({error.strerror}): alerts may be repeated after a restart")
        else:
            self._unwritable.recovered()
        self._written = (time.monotonic(), record.content())

    def _last_record(self) -> health_file.Record | None:
        """Return what the previous daemon left."""
        try:
            return health_file.read(self._folder)
        except OSError as error:
            file = self._folder / health_file.FILE
            log.warning("%s can't be read (%s): alerts may be repeated", file, error.strerror)
            return None


def thresholds_of(settings: Settings, simulated: Callable[[float], timedelta]) -> Thresholds:
    """Return the configured thresholds. Durations are of real time, even if the clock runs faster."""
    alerts_, canary = settings.alerts, settings.canary

    def span(given: timedelta) -> timedelta:
        return simulated(given.total_seconds())

    sections = (*((box.section, box) for box in settings.mailboxes), ("smtp", settings.smtp))
    slowest = max(box.poll_interval for box in settings.mailboxes)
    return Thresholds(
        # The safety poll is a pass of the loop, so silence is longer than some of them.
        inbox_silent=span(max(alerts_.inbox_silent, slowest * 4)),
        outbox_age=span(alerts_.outbox_age),
        disk_free=alerts_.disk_free,
        inodes_free=alerts_.inodes_free,
        quarantine=alerts_.quarantine,
        automatic=alerts_.automatic,
        certificate=alerts_.certificate,
        canary_within=span(canary.within),
        oauth=frozenset(name for name, server in sections if server.auth == "xoauth2"),
    )


def _canary_plan(settings: Settings, reads: Callable[[str], bool]) -> CanaryPlan:
    mailboxes: dict[str, list[str]] = {}
    for box in settings.mailboxes:
        mailboxes.setdefault(box.address or settings.helpdesk.address, []).append(box.folder_id)
    return CanaryPlan(settings.canary.every, sorted(mailboxes), lambda address: any(map(reads, mailboxes[address])))


def _history_of(record: health_file.Record | None) -> AlertHistory:
    try:
        return AlertHistory.of_json(record.episodes) if record else AlertHistory()
    except (LookupError, TypeError, ValueError, AttributeError):
        return AlertHistory()  # written by another version, or by hand


def _round_trip_of(record: health_file.Record | None) -> RoundTrip:
    found = record.canary if record else {}
    try:
        return RoundTrip(datetime.fromisoformat(found["back_at"]), float(found["seconds"]))
    except (LookupError, TypeError, ValueError):
        return RoundTrip()
