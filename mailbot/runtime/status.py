"""TODO."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.runtime.clock import Clock


class Heartbeat:
    """One direction. One thread notes, any may read `status`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.status = ConnectionStatus()

    def works(self, certificate_ends: datetime | None = None) -> None:
        """It worked just now. `certificate_ends`: of the server's certificate, where TLS told it."""
        self.status = ConnectionStatus(self._clock.now(), certificate_ends=certificate_ends or self.status.certificate_ends)

    def fails(self, reason: str, *, credentials: bool = False) -> None:
        """It failed just now. The outage began with the first failure after the last success."""
        since = self.status.failing_since or self._clock.now()
        self.status = replace(self.status, failing_since=since, reason=reason, credentials=credentials)


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """How one direction fares (IMAP, SMTP, the database). All None: nothing was tried yet.

    `worked_at`: the last success; `failing_since`: begin of the outage that lasts, `reason` its last words;
    `credentials`: the server refuses password or token; `certificate_ends`: end of the server's certificate.
    """

    worked_at: datetime | None = None
    failing_since: datetime | None = None
    reason: str = ""
    credentials: bool = False
    certificate_ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """Room in one folder: bytes and inodes (None: this file system does not count them) that are free for us."""

    folder: str
    free: int
    inodes: int | None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """What waits. `oldest`: when the longest waiting mail of the outbox was queued; `oldest_due`: when it was due.

    `quarantined` mails were set aside within a day, the first of them at `quarantined_since`; `held`: all that wait for
    a person. `automatic`: what the desk wrote to people by itself within an hour, `alike` what most of it is about.
    """

    waiting: int = 0
    failed: int = 0
    oldest: datetime | None = None
    oldest_due: datetime | None = None
    quarantined: int = 0
    quarantined_since: datetime | None = None
    held: int = 0
    automatic: int = 0
    alike: str = ""
