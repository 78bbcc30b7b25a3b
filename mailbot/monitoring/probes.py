"""What can only be found by looking: room on the disk, whether the database answers, what waits in it.

In: folders and the store. Out: `Found`, replaced whole at each look. A look may hang (a dead network file system, a
database server that accepts and says nothing), so it has a thread of its own, and `facts` says for how long nothing was
heard: that is a finding too.
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
from mailbot.store.queries.monitoring import automatic_since, waiting

# A look that has not come back after so many seconds: longer than the database's own wait for a lock.
LOOK_WITHIN = 60.0


class StatVfs(Protocol):
    """The part of os.statvfs_result that counts (POSIX statvfs): free for us, in blocks of f_frsize; free inodes."""

    @property
    def f_frsize(self) -> int:
        """Bytes in a block."""

    @property
    def f_bavail(self) -> int:
        """Blocks that we may use."""

    @property
    def f_files(self) -> int:
        """All inodes; 0 where they are not counted."""

    @property
    def f_favail(self) -> int:
        """Inodes that we may use."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the last looks found."""

    database: ConnectionStatus = field(default_factory=ConnectionStatus)
    spaces: tuple[DiskSpace, ...] = ()
    queue: QueueStatus | None = None


class Probes:
    """Looks at the things of one desk. One thread calls `look`, any may call `facts`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        folders: Sequence[Path],
        *,
        statvfs: Callable[[Path], StatVfs] = os.statvfs,
    ) -> None:
        self._store = store
        self._clock = clock
        self._folders = folders
        self._statvfs = statvfs
        self._found = Found()
        self._looking_since: datetime | None = None

    def look(self) -> None:
        """One look at everything."""
        self._looking_since = self._clock.now()
        spaces = tuple(space for folder in self._folders if (space := self._space(folder)) is not None)
        self._found = replace(self._found, spaces=spaces)
        try:
            queue = waiting(self._store, self._clock.now() - timedelta(days=1))
            automatic, alike = automatic_since(self._store, self._clock.now() - timedelta(hours=1))
        except TemporaryError as error:
            since = self._found.database.failing_since or self._clock.now()
            line = ConnectionStatus(self._found.database.worked_at, failing_since=since, reason=str(error))
            self._found = replace(self._found, database=line, queue=None)
        else:
            queue = replace(queue, automatic=automatic, alike=alike)
            self._found = replace(self._found, database=ConnectionStatus(self._clock.now()), queue=queue)
        self._looking_since = None

    def facts(self) -> Found:
        """The last findings; a look that does not end counts against the database."""
        found, since = self._found, self._looking_since
        if since is None or self._clock.real_seconds(self._clock.now() - since) < LOOK_WITHIN:
            return found
        line = replace(found.database, failing_since=found.database.failing_since or since, reason="it does not answer")
        return replace(found, database=line, queue=None)

    def _space(self, folder: Path) -> DiskSpace | None:
        try:
            found = self._statvfs(folder)
        except OSError:
            return None  # the folder is gone or unreadable: the database says so, with the mend
        # Some file systems (btrfs) make inodes as they need them, and say 0.
        inodes = found.f_favail if found.f_files else None
        return DiskSpace(str(folder), found.f_bavail * found.f_frsize, inodes)
