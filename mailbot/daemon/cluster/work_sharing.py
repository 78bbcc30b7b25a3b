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
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from mailbot.clock import SystemClock
from mailbot.core.arrival import Arrival
from mailbot.deadline import no_longer_than
from mailbot.errors import TemporaryError
from mailbot.footprint import one_large
from mailbot.inbox import LONGEST_SECONDS, InboxReader
from mailbot.intake.turn import Processed
from mailbot.logs import Outage
from mailbot.processing import BATCH
from mailbot.store import claims, leases
from mailbot.store.tables import MAILBOX
from mailbot.store.work import Work
from mailbot.workers import Worker

if TYPE_CHECKING:
    from mailbot.bootstrap import Desk

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
# While mail of a folder is in other workers' hands, the folder is looked at so often, to move out what they handled.
FILE_SECONDS = 1.0


class Sharing:
    """One worker's part of the desk. `changed`: a mailbox was taken over or lost."""

    def __init__(self, desk: Desk, changed: Callable[[], None]) -> None:
        self._desk = desk
        self.owner = desk.owner
        self._ids = {box.place: desk.store.mailbox_id(box.place) for box in desk.settings.mailboxes}
        names = {self._ids[box.place]: box.name or box.place for box in desk.settings.mailboxes}
        self.worker = Worker(desk.store, desk.owner, names, changed, desk.storage_outage)
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

    def work_off(self, raws: Mapping[int, bytes] | None = None) -> list[Processed]:
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
                    return helpdesk.process_left(given.ids, worker=self.owner)
                return helpdesk.process(given.ids, raws, worker=self.owner)
        finally:
            self._give_back(given.ids)

    def _ask(self) -> claims.Given:
        store = self._desk.store
        with self._lock:
            with store.writing() as connection:
                work = Work(connection, store.desk_id, self._desk.clock.now())
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
            done: list[Processed] = []
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


class SharedReader(InboxReader):
    """One folder's way into a desk that several workers share: stored here, handled anywhere, filed here."""

    def __init__(self, *arguments: Any, sharing: Sharing, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._sharing = sharing
        self._mailbox_id = sharing._ids[self._name]
        self._open: set[int] = set()
        self._filed_at = 0.0
        self._settled = False

    @property
    def all_handled(self) -> bool:
        """Was all mail handled that the last `read` found in the folder?"""
        return self._settled

    @property
    def look_again(self) -> float:  # type: ignore[override]
        """Soon, while others have mail of this folder in hand."""
        return FILE_SECONDS if self._open or not self._settled else float("inf")

    def read(self) -> int:
        """Take in all that waits; how many mails were new. A network or storage fault passes through."""
        self.refusal = ""
        uidvalidity, uids = self._mailbox.uids()
        seen = self._helpdesk.seen(self._name, uidvalidity, uids)
        self._file(uidvalidity, {uid: known for uid, known in seen.items() if known.place is not None})
        self._open = {uid for uid, known in seen.items() if known.place is None}
        taken = 0
        new = [uid for uid in uids if uid not in seen]
        for batch in self._fetched(uidvalidity, uids, new):
            mail = self._without_canaries(uidvalidity, batch)
            if mail:
                self._store_and_help(uidvalidity, mail)
            taken += len(mail)
            if self._stopping():
                break
        while not self._stopping() and self._work_off({}):
            self._file_open(uidvalidity)
        self._file_open(uidvalidity, now=True)
        self._retrieve(uidvalidity, uids)
        self._settled = self._sharing.is_settled(self._mailbox_id)
        return taken

    def _store_and_help(self, uidvalidity: int, batch: Sequence[Arrival]) -> None:
        """Stored; then as much is handled as was stored, unless others are there who do it meanwhile."""
        with one_large(max(len(arrival.raw) for arrival in batch)):
            ids = self._helpdesk.receive(self._name, batch, reader=self._sharing.owner)
        self._open |= {arrival.uid for arrival in batch}
        raws = {inbound_id: arrival.raw for inbound_id, arrival in zip(ids, batch, strict=True)}
        self._work_off(raws)
        if self._sharing.worker.count == 1:
            while not self._stopping() and self._work_off(raws):
                pass
        self._file_open(uidvalidity)

    def _work_off(self, raws: Mapping[int, bytes]) -> bool:
        done = self._sharing.work_off(raws)
        if done:
            self._handled()
        return any(mail.state != "received" for mail in done)

    def _file_open(self, uidvalidity: int, *, now: bool = False) -> None:
        """Move out what was handled by now, by anybody."""
        if self._open and (now or time.monotonic() - self._filed_at > FILE_SECONDS) and not self._stopping():
            seen = self._helpdesk.seen(self._name, uidvalidity, self._open)
            decided = {uid: known for uid, known in seen.items() if known.place is not None}
            self._file(uidvalidity, decided)
            self._open -= decided.keys()
            self._filed_at = time.monotonic()
