"""Mail received by LMTP: stored on one thread, handled on another.

In: a `FetchedMail` and the mailbox that its address belongs to. Out: a future that is done when the mail is on the disk
(`Helpdesk.receive` has committed), or failed with the reason; afterwards it is handled like any other. What arrives
while a commit runs is stored together by the next one. A process that dies leaves rows in state "received": they are
processed at the next start, here and by every inbox loop.

On a desk that several workers share, stored mail is handled by any of them (`WorkSharing`), in the order of each
ticket.
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
from mailbot.daemon.loop_guard import LoopGuard
from mailbot.desk.helpdesk import Receipt
from mailbot.desk.inbound.analysis_pool import BACKLOG
from mailbot.desk.inbound.priority import with_priority
from mailbot.desk.inbound.processor import BATCH
from mailbot.errors import StoreUnavailable, TemporaryError
from mailbot.mail.fetched import FetchedMail
from mailbot.runtime.memory import one_large_mail
from mailbot.runtime.watchdog import no_longer_than

if TYPE_CHECKING:
    from mailbot.daemon.cluster.work_sharing import WorkSharing
    from mailbot.desk.wiring import Desk

log = logging.getLogger(__name__)

SOURCE = "lmtp"
# Limits of one commit, mails and bytes; and the bytes kept in memory until they are handled: the rest is read back.
COMMIT_MAILS, COMMIT_BYTES, MEMORY_BYTES = 50, 8_000_000, 16_000_000
RETRY_SECONDS = 2.0


class _Offer(NamedTuple):
    """A mail to be stored."""

    place: str  #: The mailbox it belongs to.
    mail: FetchedMail
    stored: Future[None]


class _Stored(NamedTuple):
    """A mail to be handled."""

    rank: int  #: 0 goes before 1.
    inbound_id: int
    raw: bytes  #: Empty if it is no longer in memory.


_END = _Stored(-1, 0, b"")


class ReceiveQueue:
    """The threads that store and handle mail from LMTP. `handled` is called when mail may have to be sent."""

    def __init__(self, desk: Desk, handled: Callable[[], None], sharing: WorkSharing | None = None) -> None:
        self._desk = desk
        self._handled = handled
        self._sharing = sharing
        self._stopping = threading.Event()
        self._offered: queue.SimpleQueue[_Offer | None] = queue.SimpleQueue()
        self._stored: queue.PriorityQueue[_Stored] = queue.PriorityQueue()
        self._in_memory = 0
        self._memory_lock = threading.Lock()
        self._progress = threading.Condition()
        self._guard = LoopGuard(log, "mail from LMTP", desk.storage_outage)
        self._may_be_unprocessed = True  # left by a previous process, or failed here
        self._threads = [
            threading.Thread(target=self._store_all, name="lmtp-store", daemon=True),
            threading.Thread(target=self._handle_all, name="lmtp-handle", daemon=True),
        ]

    def start(self) -> None:
        """Start both threads; returns at once."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> bool:
        """Store what was offered, finish the current mail, stop; return False if that took too long."""
        self._stopping.set()
        self._offered.put(None)
        self._stored.put(_END)
        ends = time.monotonic() + timeout
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.1, ends - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def is_alive(self) -> bool:
        """Return whether both threads run."""
        return all(thread.is_alive() for thread in self._threads)

    def offer(self, place: str, mail: FetchedMail) -> Future[None]:
        """Queue a mail; the future is done after the commit. A TemporaryError in it: not stored, retry later."""
        future: Future[None] = Future()
        self._offered.put(_Offer(place, mail, future))
        return future

    def settled(self, timeout: float) -> bool:
        """Wait, at most `timeout` seconds, until all is handled that was stored before; return whether it is."""
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
            batch = [offer for offer in batch if offer.stored.set_running_or_notify_cancel()]
            by_place: dict[str, list[_Offer]] = defaultdict(list)
            for offer in batch:
                by_place[offer.place].append(offer)
            for place, offers in by_place.items():
                self._store(place, offers)

    def _next_offers(self) -> tuple[list[_Offer], bool]:
        """Return what goes into one commit, and whether it is the last."""
        batch: list[_Offer] = []
        size = 0
        while len(batch) < COMMIT_MAILS and size < COMMIT_BYTES:
            try:
                offer = self._offered.get(block=not batch)
            except queue.Empty:
                break
            if offer is None:
                return batch, True
            batch.append(offer)
            size += len(offer.mail.raw)
        return batch, False

    def _store(self, place: str, offers: Sequence[_Offer]) -> None:
        """Store in one commit; if it fails for another reason than the database, each mail by itself."""
        mails = [offer.mail for offer in offers]
        try:
            with one_large_mail(max(len(mail.raw) for mail in mails)):
                ids = self._desk.helpdesk.receive(
                    place, mails, Receipt(SOURCE, reader=self._sharing.owner if self._sharing else "", leased=False)
                )
        except Exception as error:  # noqa: BLE001 - logged in `_refuse`, and reported to the client
            if len(offers) > 1 and not isinstance(error, StoreUnavailable):
                for offer in offers:
                    self._store(place, [offer])
                return
            self._refuse(offers, error)
            return
        self._desk.helpdesk.expect(ids)
        first = self._with_priority(ids, mails)
        for inbound_id, offer in zip(ids, offers, strict=True):
            self._queue(inbound_id, offer.mail, 0 if inbound_id in first else 1)
            offer.stored.set_result(None)
        self._desk.storage_outage.works("LMTP")

    def _refuse(self, offers: Sequence[_Offer], error: Exception) -> None:
        if isinstance(error, TemporaryError):
            self._desk.storage_outage.failed("LMTP", str(error))
        else:
            log.error("LMTP: a mail could not be stored; the sending server keeps it", exc_info=error)
        for offer in offers:
            offer.stored.set_exception(error)

    # Handling

    def _with_priority(self, ids: Sequence[int], mails: Sequence[FetchedMail]) -> set[int]:
        """Under a backlog, return those that people wrote on existing tickets."""
        if self._stored.qsize() < BACKLOG:
            return set()
        try:
            return with_priority(self._desk.store, {one: mail.raw for one, mail in zip(ids, mails, strict=True)})
        except TemporaryError:
            return set()  # they are stored, and will be handled in order of arrival

    def _queue(self, inbound_id: int, mail: FetchedMail, rank: int) -> None:
        with self._memory_lock:
            fits = self._in_memory + len(mail.raw) <= MEMORY_BYTES
            self._in_memory += len(mail.raw) if fits else 0
        self._stored.put(_Stored(rank, inbound_id, mail.raw if fits else b""))

    def _handle_all(self) -> None:
        while not self._stopping.is_set():
            with self._guard:
                if self._may_be_unprocessed:
                    self._may_be_unprocessed = self._process_unprocessed()
                ids, raws = self._next_stored(RETRY_SECONDS if self._may_be_unprocessed else None)
                if ids:
                    self._may_be_unprocessed = self._handle(ids, raws) or self._may_be_unprocessed
                self._guard.works()
            if self._guard.error is not None:
                self._may_be_unprocessed = True
                self._stopping.wait(RETRY_SECONDS)

    def _next_stored(self, timeout: float | None) -> tuple[list[int], dict[int, bytes]]:
        """Return what is handled in one transaction: ids, and the raw mail if it is still in memory."""
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
        with self._memory_lock:
            self._in_memory -= sum(map(len, raws.values()))
        return ids, raws

    def _handle(self, ids: list[int], raws: dict[int, bytes]) -> bool:
        """Handle what was just stored; return whether some of it has to be retried."""
        if self._sharing is not None:
            self._desk.helpdesk.expect(ids, no_more=True)
            while not self._stopping.is_set() and self._sharing.work_off(raws):
                self._notify()
            return False  # the helper threads of all workers look for the rest
        with no_longer_than(LONGEST_SECONDS):
            results = self._desk.helpdesk.process(ids, raws)
        self._notify()
        return any(result.state == "received" for result in results)

    def _process_unprocessed(self) -> bool:
        """Process mail that a previous process died with, or that failed temporarily; return whether some remains."""
        remains = False
        for inbound_id in self._desk.helpdesk.unprocessed() if self._sharing is None else ():
            if self._stopping.is_set():
                break
            with no_longer_than(LONGEST_SECONDS):
                results = self._desk.helpdesk.process_unprocessed([inbound_id])
            remains = remains or any(result.state == "received" for result in results)
            self._notify()
        return remains

    def _notify(self) -> None:
        self._handled()
        with self._progress:
            self._progress.notify_all()
