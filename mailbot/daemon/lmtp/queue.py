"""Mail that was handed over at the door: stored on one thread, handled on another.

In: an `FetchedMail` and the folder that its address belongs to. Out: a future that is done when the mail lies on the disk
(`Helpdesk.receive`'s commit), or failed with the reason; afterwards it is handled like any other. What comes while a
commit runs goes into the next one together. A process that dies leaves rows in state "received": they are taken up at
the start, here and by every inbox loop.

On a desk that several workers share, what is stored goes where all stored mail goes (`sharing`): whoever is free takes
it, in the order of each ticket.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

from mailbot.daemon.inbox_reader import LONGEST_SECONDS
from mailbot.desk.inbound.analysis_pool import BACKLOG
from mailbot.desk.inbound.priority import with_priority
from mailbot.desk.inbound.processor import BATCH
from mailbot.errors import StoreUnavailable, TemporaryError
from mailbot.mail.fetched import FetchedMail
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import Outage
from mailbot.runtime.memory import one_large_mail
from mailbot.runtime.status import Heartbeat
from mailbot.runtime.watchdog import no_longer_than

if TYPE_CHECKING:
    from mailbot.daemon.cluster.work_sharing import WorkSharing
    from mailbot.desk.wiring import Desk

log = logging.getLogger(__name__)

SOURCE = "lmtp"
# One commit holds at most so many mails and bytes; so many bytes wait in memory to be handled, the rest is read back.
COMMIT_MAILS, COMMIT_BYTES, MEMORY_BYTES = 50, 8_000_000, 16_000_000
RETRY_SECONDS = 2.0
Offer = tuple[str, FetchedMail, "Future[None]"]


class _Stored(NamedTuple):
    """What waits to be handled; those of turn 0 come first. `raw`: where it is in memory still."""

    turn: int
    inbound_id: int
    raw: bytes


_END = _Stored(-1, 0, b"")


class ReceiveQueue:
    """The threads behind the door of one desk. `handled`: mail may have to go out."""

    def __init__(self, desk: Desk, handled: Callable[[], None], sharing: WorkSharing | None = None) -> None:
        self._desk = desk
        self._handled = handled
        self._sharing = sharing
        self._stopping = threading.Event()
        self._offered: queue.SimpleQueue[Offer | None] = queue.SimpleQueue()
        self._stored: queue.PriorityQueue[_Stored] = queue.PriorityQueue()
        self._in_memory = 0
        self._counted = threading.Lock()
        self._progress = threading.Condition()
        self.database = Heartbeat(desk.clock)
        self._unexpected = Outage(log, "mail from LMTP", SystemClock())
        self._threads = [
            threading.Thread(target=self._store_all, name="lmtp-store", daemon=True),
            threading.Thread(target=self._handle_all, name="lmtp-handle", daemon=True),
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> bool:
        """Store what was offered, finish the mail in hand, end; False where that did not happen in time."""
        self._stopping.set()
        self._offered.put(None)
        self._stored.put(_END)
        ends = time.monotonic() + timeout
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.1, ends - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def is_alive(self) -> bool:
        """Do both threads run?"""
        return all(thread.is_alive() for thread in self._threads)

    def offer(self, place: str, arrival: FetchedMail) -> Future[None]:
        """Have a mail stored; the future is done after the commit. TemporaryError in it: not stored, try again."""
        future: Future[None] = Future()
        self._offered.put((place, arrival, future))
        return future

    def settled(self, timeout: float) -> bool:
        """Is all handled that was stored before this call? Waits for it, at most `timeout` seconds."""
        ends = time.monotonic() + timeout
        newest = max(self._desk.helpdesk.unprocessed(), default=0)
        while True:
            waiting = self._desk.helpdesk.unprocessed()
            if not waiting or waiting[0] > newest:
                return True
            left = ends - time.monotonic()
            if left <= 0 or self._stopping.is_set():
                return False
            with self._progress:  # another worker, or an inbox loop, may handle it too
                self._progress.wait(min(left, 0.2))

    # Storing

    def _store_all(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._next_offers()
            # a client that has gone meanwhile keeps its mail
            batch = [offer for offer in batch if offer[2].set_running_or_notify_cancel()]
            if batch:
                self._store(batch)

    def _next_offers(self) -> tuple[list[Offer], bool]:
        """(what goes into one commit, whether it is the last)."""
        batch: list[Offer] = []
        size = 0
        while len(batch) < COMMIT_MAILS and size < COMMIT_BYTES:
            try:
                offer = self._offered.get(block=not batch)
            except queue.Empty:
                break
            if offer is None:
                return batch, True
            batch.append(offer)
            size += len(offer[1].raw)
        return batch, False

    def _store(self, batch: Sequence[Offer]) -> None:
        by_place: dict[str, list[Offer]] = defaultdict(list)
        for offer in batch:
            by_place[offer[0]].append(offer)
        for place, offers in by_place.items():
            self._store_at(place, offers)

    def _store_at(self, place: str, offers: Sequence[Offer]) -> None:
        """One commit; where it fails for another reason than the database, each by itself."""
        arrivals = [arrival for _, arrival, _ in offers]
        try:
            with one_large_mail(max(len(arrival.raw) for arrival in arrivals)):
                ids = self._desk.helpdesk.receive(
                    place, arrivals, SOURCE, reader=self._sharing.owner if self._sharing else "", leased=False
                )
        except Exception as error:  # noqa: BLE001 - logged in `_refuse`, and told to the client
            if len(offers) > 1 and not isinstance(error, StoreUnavailable):
                for offer in offers:
                    self._store_at(place, [offer])
                return
            self._refuse(offers, error)
            return
        self._desk.helpdesk.expect(ids)
        with_priority = self._urgent(ids, arrivals)
        for inbound_id, arrival, offer in zip(ids, arrivals, offers, strict=True):
            self._queue(inbound_id, arrival, 0 if inbound_id in with_priority else 1)
            offer[2].set_result(None)
        self.database.works()
        self._desk.storage_outage.works("LMTP")

    def _refuse(self, offers: Sequence[Offer], error: Exception) -> None:
        if isinstance(error, TemporaryError):
            self._desk.storage_outage.failed("LMTP", str(error))
            self.database.fails(str(error))
        else:
            log.error("LMTP: a mail could not be stored; it stays with the sending server", exc_info=error)
        for _, _, future in offers:
            future.set_exception(error)

    # Handling

    def _urgent(self, ids: Sequence[int], arrivals: Sequence[FetchedMail]) -> set[int]:
        """Where much waits: those that people wrote on tickets that there are already."""
        if self._stored.qsize() < BACKLOG:
            return set()
        try:
            return with_priority(self._desk.store, {one: mail.raw for one, mail in zip(ids, arrivals, strict=True)})
        except TemporaryError:
            return set()  # they are stored, and their turn comes

    def _queue(self, inbound_id: int, arrival: FetchedMail, turn: int) -> None:
        with self._counted:
            fits = self._in_memory + len(arrival.raw) <= MEMORY_BYTES
            self._in_memory += len(arrival.raw) if fits else 0
        self._stored.put(_Stored(turn, inbound_id, arrival.raw if fits else b""))

    def _handle_all(self) -> None:
        left = True  # by a predecessor, perhaps
        while not self._stopping.is_set():
            try:
                if left:
                    left = self._take_up_left()
                ids, raws = self._next_stored(RETRY_SECONDS if left else None)
                if ids:
                    left = self._handle(ids, raws) or left
                self._unexpected.recovered()
                self._desk.storage_outage.works("mail from LMTP")
            except TemporaryError as error:
                left = True
                self._desk.storage_outage.failed("mail from LMTP", str(error))
                self._stopping.wait(RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001 - logged with its traceback, once
                left = True
                words = f"an unexpected fault, tried again: {type(error).__name__}: {error}"
                self._unexpected.failed(words, level=logging.ERROR, traceback=True)
                self._stopping.wait(RETRY_SECONDS)

    def _next_stored(self, timeout: float | None) -> tuple[list[int], dict[int, bytes]]:
        """What is handled in one transaction: ids, and the raw mail where it is in memory still."""
        ids: list[int] = []
        raws: dict[int, bytes] = {}
        while len(ids) < BATCH:
            try:
                stored = self._stored.get(block=not ids, timeout=None if ids else timeout)
            except queue.Empty:
                break
            if stored is _END:
                break
            ids.append(stored.inbound_id)
            if stored.raw:
                raws[stored.inbound_id] = stored.raw
        with self._counted:
            self._in_memory -= sum(map(len, raws.values()))
        return ids, raws

    def _handle(self, ids: list[int], raws: dict[int, bytes]) -> bool:
        """Handle what was just stored; True where some of it has to be tried again."""
        if self._sharing is not None:
            self._desk.helpdesk.expect(ids, no_more=True)
            while not self._stopping.is_set() and self._sharing.work_off(raws):
                self._tell()
            return False  # what is left is anybody's; the helper looks for it
        with no_longer_than(LONGEST_SECONDS):
            done = self._desk.helpdesk.process(ids, raws)
        self._tell()
        return any(mail.state == "received" for mail in done)

    def _take_up_left(self) -> bool:
        """Mail that a predecessor died with, or that met a fault of the machine; True where some waits still."""
        waits = False
        for inbound_id in self._desk.helpdesk.unprocessed() if self._sharing is None else ():
            if self._stopping.is_set():
                break
            with no_longer_than(LONGEST_SECONDS):
                done = self._desk.helpdesk.process_left([inbound_id])
            waits = waits or any(mail.state == "received" for mail in done)
            self._tell()
        return waits

    def _tell(self) -> None:
        self._handled()
        with self._progress:
            self._progress.notify_all()
