"""One of several workers of a desk: its name, its leases, what it may do at this moment.

In: a desk on PostgreSQL and the mailboxes to be read. Out, for the loops: `is_alive` (may this worker send?),
`may_read(mailbox)`, `count` (of live workers). A thread with a connection of its own renews the leases
(`store.cluster.leases`) every three seconds, takes mailboxes without a reader, up to this worker's fair share of them,
and frees the claims of workers that have vanished.

A worker that was suspended for a while must find out that it has lost everything before it acts again: all answers are
"no" once more time has passed since the beginning of the last renewal than a lease lasts. That time is measured on this
machine, by a clock that runs while the process, or the machine, sleeps (CLOCK_BOOTTIME); timestamps are compared only
by the database's clock.
Never: a rule of the desk; mail.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from mailbot.daemon.loop_guard import LoopGuard
from mailbot.errors import TemporaryError
from mailbot.runtime.clock import SystemClock
from mailbot.runtime.logs import Outage, SharedOutage
from mailbot.store.cluster import leases
from mailbot.store.engine import Store

log = logging.getLogger(__name__)

RENEW_SECONDS = 3.0
# A little less than the lease lasts, for the time between the check and the act.
VALID_SECONDS = leases.TERM.total_seconds() - 1.0


class ClusterMember:
    """This process among the workers of the desk.

    `mailboxes`: ids of all that the desk reads. `changed` is called when a mailbox was taken or lost; `storage` records
    whether the database works.
    """

    def __init__(
        self, store: Store, owner: str, mailboxes: Sequence[int], changed: Callable[[], None], storage: SharedOutage
    ) -> None:
        self._store = store
        self.owner = owner
        self._mailboxes = mailboxes
        self._changed = changed
        self._leases: frozenset[str] = frozenset()  # of mailboxes
        self._notifies = False
        self._valid_until = 0.0
        self._since = math.inf
        self._name_taken = Outage(log, f"worker {owner}", SystemClock())
        self._guard = LoopGuard(log, f"worker {owner}", storage)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self.count = 1

    def start(self) -> None:
        """Start renewing; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Release all leases, so that the others need not wait for them to expire."""
        self._stop.set()
        self._thread.join(5)

    def is_alive(self) -> bool:
        """Return whether this worker may act: not while the database is down, nor after a long suspension."""
        return _clock() < self._valid_until

    def may_read(self, mailbox_id: int) -> bool:
        """Return whether this worker reads that mailbox."""
        return self.is_alive() and leases.lease_of(mailbox_id) in self._leases

    def notifies_for_all(self) -> bool:
        """Return whether this worker reports what all of them see."""
        return self.is_alive() and self._notifies

    def _run(self) -> None:
        """Connect, renew every three seconds; reconnect after a failure."""
        while not self._stop.is_set():
            with self._guard:
                try:
                    self._keep_renewing()
                except NameTaken as error:
                    self._name_taken.failed(str(error))
            self._stop.wait(0.5)
        self._valid_until = 0.0
        self._set_leases(frozenset())

    def _keep_renewing(self) -> None:
        with self._store.connected() as connection:
            self._register(connection)
            while not self._stop.wait(RENEW_SECONDS if self.is_alive() else 0.2):
                self._renew(connection)
            leases.release(connection, self._store.desk_id, self.owner)

    def _register(self, connection: leases.Session) -> None:
        """Claim the name for this session; a previous session's claim may last for a moment."""
        if not leases.register(connection, self.owner):
            raise NameTaken(
                f"another process has the name {self.owner}. If that lasts, a data folder was copied from another "
                "host: delete worker-id in it."
            )
        self._name_taken.recovered()
        self._renew(connection)
        self._guard.works()

    def _renew(self, connection: leases.Session) -> None:
        desk, begun = self._store.desk_id, _clock()
        me = f"worker:{self.owner}"
        held = leases.renew(connection, desk, self.owner)
        if me not in held:
            if not leases.acquire(connection, desk, self.owner, me):
                return
            self._since = begun
        elif begun > self._valid_until:
            self._since = begun  # renewals failed for a while: others may have been away just as long
        holders = leases.holders(connection, desk)
        mine = self._fair_share(connection, held, holders)
        watch = leases.watch_of(desk)
        self._notifies = watch in held or (watch not in holders and leases.acquire(connection, desk, self.owner, watch))
        self._valid_until = begun + VALID_SECONDS
        self._set_leases(frozenset(mine))
        steady = begun - self._since >= leases.TERM.total_seconds()
        if leases.any_expired(connection, desk):
            with self._store.writing() as transaction:
                gone = leases.release_expired(transaction, desk, self.owner, outbox_too=steady)
            for name in gone:
                log.warning("worker %s is gone: its claims are taken over", name)

    def _fair_share(self, connection: leases.Session, held: set[str], holders: Mapping[str, str]) -> set[str]:
        """Return the leases of the mailboxes that this worker reads from now on: no more than its share of all."""
        desk = self._store.desk_id
        self.count = max(1, sum(name.startswith("worker:") for name in holders))
        share = math.ceil(len(self._mailboxes) / self.count)
        wanted = [leases.lease_of(box) for box in self._mailboxes]
        mine = [name for name in wanted if name in held]
        for name in mine[share:]:
            self._set_leases(frozenset(mine[:share]))  # the loop stops reading first
            leases.release(connection, desk, self.owner, name)
        mine = mine[:share]
        for name in wanted:
            is_free = name not in mine and name not in holders
            if len(mine) < share and is_free and leases.acquire(connection, desk, self.owner, name):
                mine.append(name)
        return set(mine)

    def _set_leases(self, mine: frozenset[str]) -> None:
        if mine != self._leases:
            self._leases = mine
            self._changed()


class NameTaken(TemporaryError):
    """Another process has this worker's name."""


def _clock() -> float:
    """Return the seconds of a clock that runs on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
