"""One of several workers of a desk: its name, its pulse, what it may do at this moment.

In: a desk on PostgreSQL and the mailboxes that somebody has to read. Out, for the loops: `is_alive` (may I send?),
`may_read(mailbox)`, `count` (how many are we?). A thread of its own with a connection of its own renews the leases
(store.cluster.leases) every three seconds, takes mailboxes that nobody reads, at most this worker's fair share of them,
and gives what vanished workers had in hand to whoever comes.

A worker that was stopped for a while must know that it has lost everything before it acts again: whoever asks is told
"no" once more time has passed since the last renewal was begun than a lease holds. That time is this machine's own, and
it runs while the process, or the machine, sleeps (CLOCK_BOOTTIME); of clocks only the database's are ever compared.
Never: a rule of the desk; mail.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping

from mailbot.errors import TemporaryError
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import Outage, SharedOutage
from mailbot.store.cluster import leases
from mailbot.store.engine import Store

log = logging.getLogger(__name__)

BEAT_SECONDS = 3.0
# A little less than the lease holds, for the time between this look and the act.
HOLDS_SECONDS = leases.TERM.total_seconds() - 1.0


class ClusterMember:
    """This process among the workers of the desk. `mailboxes`: row id → name in words, of all that the desk reads.

    `changed` is called when a mailbox was taken or lost; `storage` hears whether the database works.
    """

    def __init__(
        self,
        store: Store,
        owner: str,
        mailboxes: Mapping[int, str],
        changed: Callable[[], None],
        storage: SharedOutage,
    ) -> None:
        self._store = store
        self.owner = owner
        self._mailboxes = dict(mailboxes)
        self._changed = changed
        self._held: frozenset[str] = frozenset()
        self._tells = False
        self._good_until = 0.0
        self._since = math.inf
        self._storage = storage
        self._taken = Outage(log, f"worker {owner}", SystemClock())
        self._unexpected = Outage(log, f"worker {owner}", SystemClock())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)
        self.count = 1
        self.readers: Mapping[int, str] = {}
        """Who reads which mailbox, by its row's id, as of the last beat."""

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Give everything back, so that the others need not wait for the leases to end."""
        self._stop.set()
        self._thread.join(5)

    def is_alive(self) -> bool:
        """May this worker act? Not while the database is away, nor after it stood still for long."""
        return _clock() < self._good_until

    def may_read(self, mailbox_id: int) -> bool:
        """Does this worker read that mailbox?"""
        return self.is_alive() and leases.lease_of(mailbox_id) in self._held

    def tells_for_all(self) -> bool:
        """Is it this worker that tells what all of them see?"""
        return self.is_alive() and self._tells

    def _beat(self) -> None:
        """Connect, renew every three seconds; a fault means a new connection."""
        while not self._stop.is_set():
            try:
                with self._store.connected() as connection:
                    self._come(connection)
                    while not self._stop.wait(BEAT_SECONDS if self.is_alive() else 0.2):
                        self._renew(connection)
                    leases.release(connection, self._store.desk_id, self.owner)
            except NameTaken as error:
                self._taken.failed(str(error))
            except TemporaryError as error:
                self._storage.failed("workers", str(error))
            except Exception as error:  # noqa: BLE001 - logged with its traceback, once
                words = f"an unexpected fault; its connection is made anew: {type(error).__name__}: {error}"
                self._unexpected.failed(words, level=logging.ERROR, traceback=True)
            self._stop.wait(0.5)
        self._lose_all()

    def _come(self, connection: leases.Session) -> None:
        """Claim the name for this session; a predecessor's may last for a moment."""
        if not leases.register(connection, self.owner):
            raise NameTaken(
                f"another process has the name {self.owner}. Where that lasts, a data folder was copied from another "
                "host: delete worker-id in it."
            )
        self._taken.recovered()
        self._renew(connection)
        self._storage.works("workers")
        self._unexpected.recovered()

    def _renew(self, connection: leases.Session) -> None:
        desk, begun = self._store.desk_id, _clock()
        me = f"worker:{self.owner}"
        held = leases.renew(connection, desk, self.owner)
        if me not in held:
            if not leases.acquire(connection, desk, self.owner, me):
                return
            self._since = begun
        elif begun > self._good_until:
            self._since = begun  # the pulse failed for a while: others may have been away just as long
        holders = leases.holders(connection, desk)
        mine = self._fair_share(connection, held, holders)
        watch = leases.watch_of(desk)
        self._tells = watch in held or (watch not in holders and leases.acquire(connection, desk, self.owner, watch))
        self.readers = {box: holders[name] for box in self._mailboxes if (name := leases.lease_of(box)) in holders}
        self._good_until = begun + HOLDS_SECONDS
        self._hold(frozenset(mine))
        steady = begun - self._since >= leases.TERM.total_seconds()
        if leases.any_expired(connection, desk):
            with self._store.writing() as transaction:
                gone = leases.release_expired(transaction, desk, self.owner, outbox_too=steady)
            for name in gone:
                log.warning("worker %s is gone: what it had in hand is taken over", name)

    def _fair_share(self, connection: leases.Session, held: set[str], holders: Mapping[str, str]) -> set[str]:
        """The mailboxes that this worker reads from now on: no more than its part of all."""
        desk = self._store.desk_id
        self.count = max(1, sum(name.startswith("worker:") for name in holders))
        share = math.ceil(len(self._mailboxes) / self.count)
        wanted = [leases.lease_of(box) for box in self._mailboxes]
        mine = [name for name in wanted if name in held]
        for name in mine[share:]:
            self._hold(frozenset(mine[:share]))  # the loop stops reading first
            leases.release(connection, desk, self.owner, name)
        mine = mine[:share]
        for name in wanted:
            is_free = name not in mine and name not in holders
            if len(mine) < share and is_free and leases.acquire(connection, desk, self.owner, name):
                mine.append(name)
        return set(mine)

    def _hold(self, mine: frozenset[str]) -> None:
        if mine != self._held:
            self._held = mine
            self._changed()

    def _lose_all(self) -> None:
        self._good_until = 0.0
        self._hold(frozenset())


class NameTaken(TemporaryError):
    """Another process has this worker's name."""


def _clock() -> float:
    """Seconds that run on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
