"""Status values of connections, disk and queues, as the monitoring judges them.

In: successes and failures that the loops report to a `Heartbeat`; figures from probes and queries. Out: frozen values
that any thread may read.
Never: judges them (monitoring.conditions does) or logs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """The state of one connection (IMAP, SMTP, the database). All None: not yet tried."""

    worked_at: datetime | None = None  #: The last success.
    failing_since: datetime | None = None  #: The start of the current outage.
    reason: str = ""  #: Of the last failure in it.
    credentials: bool = False  #: The server rejects the password or token.
    certificate_ends: datetime | None = None  #: Expiry of the server's certificate.


class Heartbeat:
    """The current status of one connection. One thread reports, any may read `status`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.status = ConnectionStatus()

    def works(self, certificate_ends: datetime | None = None) -> None:
        """Report a success. `certificate_ends`: of the server's certificate, if known from TLS."""
        ends = certificate_ends or self.status.certificate_ends
        self.status = ConnectionStatus(self._clock.now(), certificate_ends=ends)

    def fails(self, reason: str, *, credentials: bool = False) -> None:
        """Report a failure. An outage starts with the first failure after the last success."""
        since = self.status.failing_since or self._clock.now()
        self.status = replace(self.status, failing_since=since, reason=reason, credentials=credentials)


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """Free space in one folder."""

    folder: str
    free: int  #: Bytes that an ordinary user may write.
    inodes: int | None  #: None: the file system does not count them.


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """Mail that waits, in the outbox and in the quarantine."""

    waiting: int = 0
    failed: int = 0
    oldest: datetime | None = None  #: When the mail that has waited longest in the outbox was queued.
    oldest_due: datetime | None = None  #: When it was due.
    quarantined: int = 0  #: Mails quarantined within a day.
    quarantined_since: datetime | None = None  #: When the first of them was.
    held: int = 0  #: All quarantined mails that await a decision.
    automatic: int = 0  #: Automatic mails to people within an hour.
    alike: str = ""  #: What most of them are about.
