"""A desk that several workers share, as one of them sees it: who reads, who handles, who may send.

In: a desk on PostgreSQL, each `mailbot run` with its own. One worker reads a mailbox (the lease of workers.py): it
stores mail and files it. Handling goes to whoever is free: the reader itself between two batches, and in every worker a
helper that takes what nobody has in hand (`store.claims` keeps the order of each ticket). Sending is free for all by
`FOR UPDATE SKIP LOCKED`. Any of them may be killed or stand still at any moment.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from mailbot.daemon.cluster.worker import ClusterMember
from mailbot.daemon.inbox_reader import LONGEST_SECONDS
from mailbot.desk.context import ProcessingResult
from mailbot.desk.inbound.processor import BATCH
from mailbot.errors import TemporaryError
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import Outage
from mailbot.runtime.watchdog import no_longer_than
from mailbot.store.cluster import claims, leases
from mailbot.store.tables import MAILBOX
from mailbot.store.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from mailbot.desk.wiring import Desk

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5


class WorkSharing:
    """One worker's part of the desk. `changed`: a mailbox was taken over or lost."""

    def __init__(self, desk: Desk, changed: Callable[[], None]) -> None:
        self._desk = desk
        self.owner = desk.owner
        self._ids = {box.place: desk.store.mailbox_id(box.place) for box in desk.settings.mailboxes}
        names = {self._ids[box.place]: box.name or box.place for box in desk.settings.mailboxes}
        self.worker = ClusterMember(desk.store, desk.owner, names, changed, desk.storage_outage)
        desk.delivery.sharers = lambda: self.worker.count
        self._unexpected = Outage(log, "helper", SystemClock())
        self._lock = threading.Lock()
        self._in_hand: set[int] = set()

    def start(self, *, again: bool = False) -> None:
        """Begin: what a predecessor of the same name had in hand is anybody's. `again`: it was this process."""
        if not again:
            with self._desk.store.writing() as connection:
                leases.free_claims(connection, self._desk.store.desk_id, self.owner)
        self.worker.start()

    def join(self, seconds: float = 20.0) -> bool:
        """Begin, and wait until this worker is one of them; False where that failed."""
        self.start()
        ends = time.monotonic() + seconds
        while not self.is_alive() and time.monotonic() < ends:
            time.sleep(0.02)
        return self.is_alive()

    def stop(self) -> None:
        """Give everything back."""
        self.worker.stop()

    def is_alive(self) -> bool:
        """May this worker act?"""
        return self.worker.is_alive()

    def may_read(self, place: str) -> bool:
        """Does this worker read that mailbox?"""
        return self.worker.may_read(self._ids[place])

    def read_by_all(self, mine: Mapping[int, datetime]) -> dict[int, datetime]:
        """Tell the others what was read here, and hear from them: each mailbox and from which moment it was read."""
        with self._desk.store.writing() as connection:
            for mailbox_id, at in mine.items():
                leases.note_read(connection, [mailbox_id], at)
            query = select(MAILBOX.c.id, MAILBOX.c.read_at).where(MAILBOX.c.id.in_(list(self._ids.values())))
            return {row.id: row.read_at for row in connection.execute(query) if row.read_at is not None}

    def is_settled(self, mailbox_id: int) -> bool:
        """Was all stored mail of that mailbox handled?"""
        with self._desk.store.reading() as connection:
            return claims.is_settled(connection, self._desk.store.desk_id, mailbox_id)

    def work_off(self, raws: Mapping[int, bytes] | None = None) -> list[ProcessingResult]:
        """Handle some of the oldest mail that nobody has in hand; [] where there is none. `raws`: see `process`."""
        if not self.is_alive():
            return []
        given = self._ask()
        if not given.ids:
            return []
        helpdesk = self._desk.helpdesk
        try:
            with no_longer_than(LONGEST_SECONDS):
                if given.tried:
                    return helpdesk.process_unprocessed(given.ids, worker=self.owner)
                return helpdesk.process(given.ids, raws, worker=self.owner)
        finally:
            self._give_back(given.ids)

    def _ask(self) -> claims.Given:
        store = self._desk.store
        with self._lock:
            with store.writing() as connection:
                work = UnitOfWork(connection, store.desk_id, self._desk.clock.now())
                given = claims.give_out(work, self.owner, BATCH, still_mine=self._in_hand)
            self._in_hand |= set(given.ids)
        return given

    def _give_back(self, ids: Sequence[int]) -> None:
        """Out of hand. Where the database fails just now, the next asking finds that they are in nobody's hand."""
        try:
            with self._desk.store.writing() as connection:
                claims.done(connection, ids, self.owner)
            self._desk.storage_outage.works("claims")
        except TemporaryError as error:
            self._desk.storage_outage.failed("claims", str(error))
        finally:
            with self._lock:
                self._in_hand -= set(ids)

    def helper(self, stopping: threading.Event, handled: Callable[[], None]) -> threading.Thread:
        """The thread that handles what readers, also other workers', have stored."""
        return threading.Thread(target=self._help, args=(stopping, handled), name="helper", daemon=True)

    def _help(self, stopping: threading.Event, handled: Callable[[], None]) -> None:
        while not stopping.is_set():
            done: list[ProcessingResult] = []
            try:
                done = self.work_off()
                if self.is_alive():  # else the database was not asked
                    self._desk.storage_outage.works("helper")
                    self._unexpected.recovered()
            except TemporaryError as error:
                self._desk.storage_outage.failed("helper", str(error))
            except Exception as error:  # noqa: BLE001 - logged with its traceback, once
                words = f"an unexpected fault, tried again and again: {type(error).__name__}: {error}"
                self._unexpected.failed(words, level=logging.ERROR, traceback=True)
            if any(mail.state != "received" for mail in done):
                handled()
            else:
                stopping.wait(LOOK_SECONDS)
