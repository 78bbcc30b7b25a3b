"""A desk that several workers share, as one of them sees it: who reads, who handles, who may send.

In: a desk on PostgreSQL, opened by each `mailbot run`. Each mailbox is read by one worker (a lease, see `worker`),
which stores its mail and files it. Any worker that is free handles mail: the reader itself between two batches, and in
every worker a helper thread that takes what is unclaimed (`store.cluster.claims` keeps the order within each ticket).
All may send, by `FOR UPDATE SKIP LOCKED`. Any of them may be killed or suspended at any moment.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from mailbot.daemon.cluster.worker import ClusterMember
from mailbot.daemon.inbox_reader import LONGEST_SECONDS
from mailbot.daemon.loop_guard import LoopGuard
from mailbot.desk.context import ProcessingResult
from mailbot.desk.inbound.processor import BATCH
from mailbot.errors import TemporaryError
from mailbot.runtime.watchdog import no_longer_than
from mailbot.store.cluster import claims, leases
from mailbot.store.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from mailbot.desk.wiring import Desk

log = logging.getLogger(__name__)

HELP_SECONDS = 0.5


class WorkSharing:
    """One worker's share of the desk. `changed` is called when a mailbox was taken over or lost."""

    def __init__(self, desk: Desk, changed: Callable[[], None]) -> None:
        self._desk = desk
        self.owner = desk.owner
        self._ids = {box.folder_id: desk.store.mailbox_id(box.folder_id) for box in desk.settings.mailboxes}
        self.member = ClusterMember(desk.store, desk.owner, list(self._ids.values()), changed, desk.storage_outage)
        desk.delivery.sharers = lambda: self.member.count
        self._guard = LoopGuard(log, "helper", desk.storage_outage)
        self._lock = threading.Lock()
        self._claimed: set[int] = set()

    def start(self, *, again: bool = False) -> None:
        """Join; free the claims of a previous process of the same name, unless it was this one (`again`)."""
        if not again:
            with self._desk.store.writing() as connection:
                leases.release_claims(connection, self._desk.store.desk_id, self.owner)
        self.member.start()

    def join(self, seconds: float = 20.0) -> bool:
        """Start, and wait until this worker is a member; return False if that failed."""
        self.start()
        ends = time.monotonic() + seconds
        while not self.is_alive() and time.monotonic() < ends:
            time.sleep(0.02)
        return self.is_alive()

    def stop(self) -> None:
        """Release all leases."""
        self.member.stop()

    def is_alive(self) -> bool:
        """Return whether this worker may act."""
        return self.member.is_alive()

    def mailbox_id(self, place: str) -> int:
        """Return the id of a mailbox of this desk."""
        return self._ids[place]

    def may_read(self, place: str) -> bool:
        """Return whether this worker reads that mailbox."""
        return self.member.may_read(self._ids[place])

    def read_by_all(self, mine: Mapping[int, datetime]) -> dict[int, datetime]:
        """Record what was read here; return what all workers have read: each mailbox, and as of which moment."""
        with self._desk.store.writing() as connection:
            for mailbox_id, at in mine.items():
                leases.record_read(connection, mailbox_id, at)
            return leases.read_times(connection, list(self._ids.values()))

    def is_settled(self, mailbox_id: int) -> bool:
        """Return whether all stored mail of that mailbox is handled."""
        with self._desk.store.reading() as connection:
            return claims.is_settled(connection, self._desk.store.desk_id, mailbox_id)

    def work_off(self, raws: Mapping[int, bytes] | None = None) -> list[ProcessingResult]:
        """Handle some of the oldest unclaimed mail; return [] if there is none. `raws`: see `Helpdesk.process`."""
        if not self.is_alive():
            return []
        given = self._claim()
        if not given.ids:
            return []
        helpdesk = self._desk.helpdesk
        try:
            with no_longer_than(LONGEST_SECONDS):
                if given.tried:
                    return helpdesk.process_unprocessed(given.ids, worker=self.owner)
                return helpdesk.process(given.ids, raws, worker=self.owner)
        finally:
            self._release(given.ids)

    def _claim(self) -> claims.Claimed:
        store = self._desk.store
        with self._lock:
            with store.writing() as connection:
                work = UnitOfWork(connection, store.desk_id, self._desk.clock.now())
                given = claims.claim(work, self.owner, BATCH, still_mine=self._claimed)
            self._claimed |= set(given.ids)
        return given

    def _release(self, ids: Sequence[int]) -> None:
        """Release claims. If the database fails now, the next `_claim` finds that they are no longer held here."""
        try:
            with self._desk.store.writing() as connection:
                claims.release(connection, ids, self.owner)
            self._desk.storage_outage.works("claims")
        except TemporaryError as error:
            self._desk.storage_outage.failed("claims", str(error))
        finally:
            with self._lock:
                self._claimed -= set(ids)

    def helper(self, stopping: threading.Event, handled: Callable[[], None]) -> threading.Thread:
        """Return the thread that handles what readers, including other workers', have stored."""
        return threading.Thread(target=self._help, args=(stopping, handled), name="helper", daemon=True)

    def _help(self, stopping: threading.Event, handled: Callable[[], None]) -> None:
        while not stopping.is_set():
            results: list[ProcessingResult] = []
            with self._guard:
                results = self.work_off()
                if self.is_alive():  # else the database was not used
                    self._guard.works()
            if any(result.state != "received" for result in results):
                handled()
            else:
                stopping.wait(HELP_SECONDS)
