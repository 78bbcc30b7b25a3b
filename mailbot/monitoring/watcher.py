"""The watch of one desk: threads that look, judge, tell and write down. The loops never wait for any of them.

    look     every few seconds: disk, database, queues (probes); may hang with what it looks at
    judge    every second: facts → `health.judge` → memory → health.json
    tell     what is due, by each route; may wait for a mail server or a command
    scanner  where [attachments] clamd is set: every minute, whether it scans
    canary   where [canary] is on

In: the desk, and of each loop its pulses and `alive_at`. Out: `judgement`, `status`, and alerts. A route that fails is
tried again with growing pauses; each fault is logged once.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mailbot.errors import ConfigError
from mailbot.monitoring import alert as alerts
from mailbot.monitoring import health_file
from mailbot.monitoring.alert_channels import (
    Route,
    in_alerts,
    routes_of,
)
from mailbot.monitoring.alert_history import (
    Memory,
    News,
    Rhythm,
)
from mailbot.monitoring.canary import Canary
from mailbot.monitoring.conditions import (
    OF_THE_DESK,
    Condition,
    Facts,
    Judgement,
    Limits,
    in_words,
    judge,
    title,
)
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
LOOK_SECONDS = 5.0
SCAN_SECONDS = 60.0
WRITE_SECONDS = 20.0
# A loop that shows no life for so long hangs: longer than any network deadline of imap/ and smtp.py.
HANG_SECONDS = 300.0
FIRST_RETRY, LONGEST_RETRY = 15.0, 900.0


class Watched(Protocol):
    """What the watch wants of a loop. `title`: its name for people."""

    title: str

    pulse: Heartbeat
    database: Heartbeat

    @property
    def alive_at(self) -> float:
        """When it last showed life (time.monotonic)."""


class WatchedInbox(Watched, Protocol):
    """An inbox's loop. `name`: of its [[mailbox]], "" for the only one."""

    name: str


class Watcher:
    """Watches over one desk, from `start` to `stop`.

    Of several workers: `reads` says whether this one reads a mailbox, `tells_for_all` whether it is the one that tells
    what all of them see (`health.OF_THE_DESK`).
    """

    def __init__(
        self,
        desk: Desk,
        *,
        probes: Probes | None = None,
        new_id: Callable[[], str],
        reads: Callable[[str], bool] = lambda place: True,
        tells_for_all: Callable[[], bool] = lambda: True,
    ) -> None:
        settings = desk.settings
        self._tells_for_all = tells_for_all
        self._desk = desk
        self._clock = desk.clock
        self._language, self._zone = settings.helpdesk.language, settings.helpdesk.zone
        self._folder: Path = settings.storage.data_dir
        self._limits = limits_of(settings, desk.clock.simulated)
        self._rhythm = Rhythm(settings.alerts.after, settings.alerts.repeat)
        self._started_at = self._clock.now()
        known = self._known()
        self._memory = _memory_of(known)
        folders = {self._folder, *([desk.store.path.parent] if desk.store.path else [])}
        self._probes = probes or Probes(desk.store, desk.clock, sorted(folders))
        profile = desk.helpdesk.profile
        self._canary_submission = Submission(settings.smtp)
        places: dict[str, list[str]] = {}
        for box in settings.mailboxes:
            places.setdefault(box.address or settings.helpdesk.address, []).append(box.place)
        addresses = sorted(places)
        self.canary = Canary(
            self._canary_submission, profile, desk.clock, settings.canary.every, addresses, new_id,
            comes_here=lambda address: any(reads(place) for place in places[address]), **_canary_of(known),
        )  # fmt: skip
        self._routes = routes_of(settings, profile, desk.clock, new_id)
        self._troubles = {route.name: Outage(log, f"alert by {route.name}", SystemClock()) for route in self._routes}
        self._failed: dict[str, tuple[datetime, timedelta]] = {}
        self._inboxes: Sequence[WatchedInbox] = ()
        self._outbox: Watched | None = None
        self.door: Heartbeat | None = None
        """That of the LMTP listener, where there is one."""
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._written: tuple[float, dict[str, object]] = (0.0, {})
        self._unwritable = Outage(log, f"{self._folder / health_file.FILE}", SystemClock())
        self.judgement = Judgement((), frozenset())

    def start(self, inboxes: Sequence[WatchedInbox], outbox: Watched) -> None:
        """Begin; returns at once."""
        self.attend(inboxes, outbox)
        self._repeat("watch-look", self._probes.look, LOOK_SECONDS)
        self._repeat("watch-judge", self.judge, JUDGE_SECONDS)
        if self._desk.helpdesk.screening.line is not None:
            self._repeat("watch-scanner", lambda: self._desk.helpdesk.screening.ask(), SCAN_SECONDS)
        if self._routes:
            self._repeat("watch-tell", self.tell, JUDGE_SECONDS)
        if self._desk.settings.canary.every is not None:
            self._run("watch-canary", lambda: self.canary.run(self._stopping))

    def attend(self, inboxes: Sequence[WatchedInbox], outbox: Watched) -> None:
        """These are the loops that are watched over."""
        self._inboxes, self._outbox = inboxes, outbox

    def stop(self) -> None:
        """End; what waits for a server is cut off. Says in the record that nobody watches any more."""
        self._stopping.set()
        self._canary_submission.interrupt()
        for route in self._routes:
            route.interrupt()
        for thread in self._threads:
            thread.join(1.0)  # one that hangs nevertheless dies with the process
        if self._threads:
            with self._lock:
                self._write(running=False)

    def facts(self) -> Facts:
        """What is known at this moment."""
        now, found = self._clock.now(), self._probes.facts()
        silence = [(loop.title, time.monotonic() - loop.alive_at) for loop in self._loops()]
        hanging = tuple(
            (name, now - self._clock.simulated(seconds)) for name, seconds in silence if seconds > HANG_SECONDS
        )
        return Facts(
            now=now,
            started_at=self._started_at,
            inboxes=tuple((loop.name, loop.pulse.status) for loop in self._inboxes),
            outbox=self._outbox.pulse.status if self._outbox else ConnectionStatus(),
            database=self._database(found.database),
            hanging=hanging,
            spaces=found.spaces,
            queue=found.queue,
            canary=self.canary.facts(),
            lmtp=self.door.status if self.door else None,
            scanner=self._desk.helpdesk.screening.line,
        )

    def _loops(self) -> tuple[Watched, ...]:
        return (*self._inboxes, self._outbox) if self._outbox is not None else tuple(self._inboxes)

    def _database(self, probed: ConnectionStatus) -> ConnectionStatus:
        """What reads found, and what the loops' writes found: a full disk lets itself be read."""
        lines = [probed, *(loop.database.status for loop in self._loops())]
        return next((line for line in lines if line.failing_since is not None), probed)

    def judge(self) -> None:
        """Judge now, and write it down."""
        judgement = judge(self.facts(), self._limits)
        with self._lock:
            self._memory.note(judgement, self._clock.now(), self._rhythm, [route.name for route in self._routes])
            self.judgement = judgement
            if not self._stopping.is_set():
                self._write(running=True)

    def status(self) -> str:
        """The conditions on one line, "" where all is well."""
        zone = self._zone
        return "; ".join(
            f"{title(condition.name, 'en')} since {self.since(condition).astimezone(zone):%Y-%m-%d %H:%M}"
            for condition in self.judgement.conditions
        )

    def as_json(self) -> list[dict[str, object]]:
        """The conditions, in English, for /health and the record."""
        return [self._entry(condition) for condition in self.judgement.conditions]

    def _entry(self, condition: Condition) -> dict[str, object]:
        found, mend = in_words(condition, "en", self._zone)
        return {
            "name": condition.name,
            "severity": condition.severity.name.lower(),
            "since": self.since(condition).isoformat(timespec="seconds"),
            "found": found,
            "mend": mend,
        }

    def since(self, condition: Condition) -> datetime:
        """When the trouble behind a condition began."""
        return self._memory.since(condition)

    # Telling

    def tell(self) -> None:
        """Tell, by each route, what is due there."""
        for route in self._routes:
            if self._stopping.is_set():
                return
            now = self._clock.now()
            failed_at, pause = self._failed.get(route.name, (now, timedelta(0)))
            if failed_at <= now < failed_at + pause:
                continue
            with self._lock:
                others = frozenset() if self._tells_for_all() else OF_THE_DESK
                news = self._memory.due(route.name, now, self._rhythm, others)
            if news:
                self._tell_by(route, news, pause)

    def _tell_by(self, route: Route, news: News, pause: timedelta) -> None:
        try:
            queue = self._probes.facts().queue
            alert = alerts.write(news, queue, self._desk.renderer, self._language, self._zone)
            why = in_alerts(self._desk.settings, route.tell(alert))
        except ConfigError as error:  # an admin's own template
            why = str(error)
        if self._stopping.is_set() and why:
            return  # cut off by the end; told after the restart
        trouble = self._troubles[route.name]
        if why:
            first, longest = self._clock.simulated(FIRST_RETRY), self._clock.simulated(LONGEST_RETRY)
            self._failed[route.name] = (self._clock.now(), min(max(pause * 2, first), longest))
            trouble.failed(f"{why} It is tried again.", level=logging.ERROR)
            return
        trouble.recovered()
        self._failed.pop(route.name, None)
        log.info("alert told by %s: %s", route.name, alert.subject)
        with self._lock:
            self._memory.told(route.name, news, self._clock.now())
            self._write(running=not self._stopping.is_set(), now=True)

    # Threads, and what they leave behind

    def _repeat(self, name: str, work: Callable[[], None], seconds: float) -> None:
        def loop() -> None:
            said: set[str] = set()
            while not self._stopping.is_set():
                try:
                    work()
                except Exception as error:
                    if not self._stopping.is_set() and repr(error) not in said:
                        said.add(repr(error))
                        log.exception("%s: an unexpected fault; it goes on, and says this one no more", name)
                self._stopping.wait(seconds)

        self._run(name, loop)

    def _run(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _write(self, *, running: bool, now: bool = False) -> None:
        """Write the record where something has changed, and now and then as a sign of life."""
        back_at, seconds = self.canary.last
        entry = health_file.Record(
            at=SystemClock().now(),  # compared with the machine's time, by another process
            pid=os.getpid(),
            running=running,
            status=self.status(),
            conditions=tuple(self.as_json()),
            episodes=tuple(self._memory.as_json()),
            canary={} if back_at is None else {"back_at": back_at.isoformat(), "seconds": seconds},
        )
        written_at, content = self._written
        if not now and entry.content() == content and time.monotonic() - written_at < WRITE_SECONDS:
            return
        try:
            health_file.write(self._folder, entry)
        except OSError as error:
            self._unwritable.failed(f"can't be written ({error.strerror}): after a restart alerts may come twice")
        else:
            self._unwritable.recovered()
        self._written = (time.monotonic(), entry.content())

    def _known(self) -> health_file.Record | None:
        """What the daemon before this one left."""
        try:
            return health_file.read(self._folder)
        except OSError as error:
            log.warning("%s can't be read (%s): alerts may come twice", self._folder / health_file.FILE, error.strerror)
            return None


def limits_of(settings: Settings, simulated: Callable[[float], timedelta]) -> Limits:
    """From when on something counts. Spans are of real time, also where the clock runs faster."""
    alerts_, canary = settings.alerts, settings.canary

    def span(given: timedelta) -> timedelta:
        return simulated(given.total_seconds())

    sections = (*((box.section, box) for box in settings.mailboxes), ("smtp", settings.smtp))
    slowest = max(box.poll_interval for box in settings.mailboxes)
    return Limits(
        # the safety poll is a turn, so silence is longer than some of them
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


def _memory_of(known: health_file.Record | None) -> Memory:
    try:
        return Memory.of_json(known.episodes) if known else Memory()
    except (LookupError, TypeError, ValueError, AttributeError):
        return Memory()  # written by another version, or by hand


def _canary_of(known: health_file.Record | None) -> dict[str, Any]:
    found = known.canary if known else {}
    try:
        return {"back_at": datetime.fromisoformat(found["back_at"]), "seconds": float(found["seconds"])}
    except (LookupError, TypeError, ValueError):
        return {}
