"""What has to be measured: free disk space, whether the database answers, the length of the queues.

In: folders and the store. Out: `ProbeResults`, replaced as a whole by each run. A run may hang (a dead network file
system, a database server that accepts connections and stays silent), so it has a thread of its own, and `facts` reports
a run that takes too long as a failure of the database.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from mailbot.errors import TemporaryError
from mailbot.runtime.clock import Clock
from mailbot.runtime.status import ConnectionStatus, DiskSpace, QueueStatus
from mailbot.store.engine import Store
from mailbot.store.queries.monitoring import automatic_since, queue_status

# A run may take this many seconds: longer than the database's own timeout for a lock.
TIMEOUT_SECONDS = 60.0


class StatVfs(Protocol):
    """The used part of os.statvfs_result (POSIX statvfs)."""

    @property
    def f_frsize(self) -> int:
        """Bytes in a block."""

    @property
    def f_bavail(self) -> int:
        """Blocks available to unprivileged users."""

    @property
    def f_files(self) -> int:
        """All inodes; 0 if the file system does not count them."""

    @property
    def f_favail(self) -> int:
        """Inodes available to unprivileged users."""


@dataclass(frozen=True, slots=True)
class ProbeResults:
    """Results of the last run."""

    database: ConnectionStatus = field(default_factory=ConnectionStatus)
    spaces: tuple[DiskSpace, ...] = ()
    queue: QueueStatus | None = None


class Probes:
    """The probes of one desk. One thread calls `run`, any may call `facts`."""

    def __init__(
        self, store: Store, clock: Clock, folders: Sequence[Path], *, statvfs: Callable[[Path], StatVfs] = os.statvfs
    ) -> None:
        self._store = store
        self._clock = clock
        self._folders = folders
        self._statvfs = statvfs
        self._found = ProbeResults()
        self._running_since: datetime | None = None

    def run(self) -> None:
        """Run all probes once."""
        self._running_since = self._clock.now()
        spaces = tuple(space for folder in self._folders if (space := self._space(folder)) is not None)
        self._found = replace(self._found, spaces=spaces)
        try:
            queue = queue_status(self._store, self._clock.now() - timedelta(days=1))
            automatic, alike = automatic_since(self._store, self._clock.now() - timedelta(hours=1))
        except TemporaryError as error:
            since = self._found.database.failing_since or self._clock.now()
            status = ConnectionStatus(self._found.database.worked_at, failing_since=since, reason=str(error))
            self._found = replace(self._found, database=status, queue=None)
        else:
            queue = replace(queue, automatic=automatic, alike=alike)
            self._found = replace(self._found, database=ConnectionStatus(self._clock.now()), queue=queue)
        self._running_since = None

    def facts(self) -> ProbeResults:
        """Return the last results; a run that hangs counts as a failure of the database."""
        found, since = self._found, self._running_since
        if since is None or self._clock.real_seconds(self._clock.now() - since) < TIMEOUT_SECONDS:
            return found
        begun = found.database.failing_since or since
        database = replace(found.database, failing_since=begun, reason="it does not answer")
        return replace(found, database=database, queue=None)

    def _space(self, folder: Path) -> DiskSpace | None:
        try:
            found = self._statvfs(folder)
        except OSError:
            return None  # the folder is gone or unreadable: the database reports that, with the remedy
        # Some file systems (btrfs) create inodes as needed, and report 0.
        inodes = found.f_favail if found.f_files else None
        return DiskSpace(str(folder), found.f_bavail * found.f_frsize, inodes)
