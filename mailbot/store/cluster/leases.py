"""Leases: which worker of a shared desk does what, by the database's clock.

PostgreSQL only. In: a connection and the name of a worker. A lease is a row of `lease`: `worker:NAME` means that the
worker is alive, `mailbox:ID` that it reads that mailbox, `watch:DESK` that it sends the alerts of all workers. A worker
renews all of its leases with one statement; an expired one may be taken over. A worker's session also holds an advisory
lock of its name as long as the connection lives: an expired lease and a free lock mean that the worker has ended; while
the lock is held, the worker is only suspended (stopped, swapped out), and mail that it was sending must not be sent by
another one yet.
Never: a host's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import Connection, select, text

from mailbot.errors import TemporaryError
from mailbot.store.tables import MAILBOX

#: A worker's own connection (`Store.connected`).
Session: TypeAlias = Connection

# How long a lease is valid without being renewed. Contract: another worker's lease expires within 15 s.
TERM = timedelta(seconds=12)
# A worker that is suspended for longer loses the mail that it was sending.
GIVEN_UP_AFTER = timedelta(minutes=10)
_LOCK_SPACE = 1835102316  # "mbwl": the first of the two numbers of our advisory locks


class LeaseLost(TemporaryError):
    """Another worker holds the lease now."""


def lease_of(mailbox_id: int) -> str:
    """Return the name of the lease on reading a mailbox."""
    return f"mailbox:{mailbox_id}"


def watch_of(desk_id: int) -> str:
    """Return the name of the lease on sending the alerts of all workers of a desk."""
    return f"watch:{desk_id}"


def register(connection: Session, owner: str) -> bool:
    """Register this session under the worker's name; False where another session has that name."""
    return bool(connection.execute(_LOCK, {"space": _LOCK_SPACE, "owner": owner}).scalar_one())


def renew(connection: Session, desk_id: int, owner: str) -> set[str]:
    """Renew the worker's leases and return their names; one that is missing was taken over."""
    return {row.name for row in connection.execute(_RENEW, {"desk": desk_id, "owner": owner, "term": TERM})}


def acquire(connection: Session, desk_id: int, owner: str, name: str) -> bool:
    """Acquire a lease that is free, expired, or held by this worker already."""
    values = {"desk": desk_id, "owner": owner, "name": name, "term": TERM}
    return connection.execute(_ACQUIRE, values).first() is not None


def release(connection: Connection, desk_id: int, owner: str, name: str = "") -> None:
    """Release one lease, or all of this worker's."""
    connection.execute(_RELEASE, {"desk": desk_id, "owner": owner, "name": name})


def must_hold(connection: Connection, name: str, owner: str) -> None:
    """Raise `LeaseLost` unless this worker holds the lease; it can't be taken over until the transaction ends."""
    if connection.execute(_HELD, {"name": name, "owner": owner}).first() is None:
        raise LeaseLost(f"another worker has taken over {name}")


def holders(connection: Session, desk_id: int) -> dict[str, str]:
    """Return the workers that hold leases now, by the name of the lease."""
    return {row.name: row.owner for row in connection.execute(_HOLDERS, {"desk": desk_id})}


def any_expired(connection: Session, desk_id: int) -> bool:
    """Tell whether the lease of any worker has expired."""
    return connection.execute(_ANY_EXPIRED, {"desk": desk_id}).first() is not None


def release_expired(connection: Connection, desk_id: int, owner: str, *, outbox_too: bool) -> list[str]:
    """Release the mail of workers whose lease has expired; return the names of those that have ended.

    Mail that was being processed is released when the lease has expired: a worker that resumes finds at its commit that
    it lost the claim. Mail that was being sent (`outbox_too`) is released only when the worker's session has ended as
    well, or after `GIVEN_UP_AFTER`: a mail in an SMTP connection can't be recalled.
    """
    gone = []
    for row in connection.execute(_EXPIRED, {"desk": desk_id, "owner": owner, "grace": GIVEN_UP_AFTER}).all():
        release_claims(connection, desk_id, row.owner)
        is_gone = row.long_ago or connection.execute(_TRY, {"space": _LOCK_SPACE, "owner": row.owner}).scalar_one()
        if outbox_too and is_gone:
            connection.execute(_RELEASE_OUTBOX, {"desk": desk_id, "owner": row.owner})
            release(connection, desk_id, row.owner)
            gone.append(row.owner)
    return gone


def release_claims(connection: Connection, desk_id: int, owner: str) -> None:
    """Release the mail that this worker was processing."""
    connection.execute(_RELEASE_CLAIMS, {"desk": desk_id, "owner": owner})


def record_read(connection: Connection, mailbox_id: int, at: datetime) -> None:
    """Record that everything which was in the mailbox at that time of the desk's clock has been read."""
    connection.execute(_RECORD_READ, {"id": mailbox_id, "at": at})


def read_times(connection: Connection, mailbox_ids: Sequence[int]) -> dict[int, datetime]:
    """Return the time up to which each mailbox was read by any worker, where it was read."""
    query = select(MAILBOX.c.id, MAILBOX.c.read_at).where(MAILBOX.c.id.in_(mailbox_ids))
    return {row.id: row.read_at for row in connection.execute(query) if row.read_at is not None}


_LOCK = text("SELECT pg_try_advisory_lock(:space, hashtext(:owner))")
_TRY = text("SELECT pg_try_advisory_xact_lock(:space, hashtext(:owner))")
_RENEW = text(
    "UPDATE lease SET until = clock_timestamp() + :term WHERE desk_id = :desk AND owner = :owner RETURNING name"
)
_ACQUIRE = text(
    "INSERT INTO lease (name, desk_id, owner, until) VALUES (:name, :desk, :owner, clock_timestamp() + :term) "
    "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until "
    "WHERE lease.owner = excluded.owner OR lease.until < clock_timestamp() RETURNING name"
)
_RELEASE = text("DELETE FROM lease WHERE desk_id = :desk AND owner = :owner AND (:name = '' OR name = :name)")
_HELD = text("SELECT 1 FROM lease WHERE name = :name AND owner = :owner AND until > clock_timestamp() FOR SHARE")
_HOLDERS = text("SELECT name, owner FROM lease WHERE desk_id = :desk AND until > clock_timestamp()")
_ANY_EXPIRED = text("SELECT 1 FROM lease WHERE desk_id = :desk AND name LIKE 'worker:%' AND until < clock_timestamp()")
_EXPIRED = text(
    "SELECT owner, until < clock_timestamp() - :grace AS long_ago FROM lease "
    "WHERE desk_id = :desk AND name LIKE 'worker:%' AND owner <> :owner AND until < clock_timestamp() "
    "FOR UPDATE SKIP LOCKED"
)
_RELEASE_CLAIMS = text("UPDATE claim SET worker = '' WHERE desk_id = :desk AND worker = :owner")
_RELEASE_OUTBOX = text(
    "UPDATE outbox SET state = 'pending', lease_owner = '', lease_until = NULL "
    "WHERE desk_id = :desk AND state = 'sending' AND lease_owner = :owner"
)
_RECORD_READ = text("UPDATE mailbox SET read_at = :at WHERE id = :id")
