"""Who does what on a desk that several workers share: leases, by the database's clock.

PostgreSQL only. In: a connection and the name of a worker. A lease is a row of `lease`: `worker:NAME` says that the
worker lives, `mailbox:ID` that it reads that mailbox, `watch:DESK` that it tells admins what all workers see. A worker
renews all of its rows with one statement; a row whose `until` is past is anybody's. Beside that a worker's session
holds an advisory lock of its name as long as the connection lives: a lease that ran out and a lock that is free mean
that the worker is gone; a lock that is still held means that it only stands still (stopped, swapped out), and what it
has in its hands may not be taken out of them yet.
Never: a host's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, text

from mailbot.errors import TemporaryError

# How long a lease holds without being renewed. Contract: another worker's lease expires within 15 s.
TERM = timedelta(seconds=12)
# A worker that stands still for so long doesn't get back what it had in its hands.
GIVEN_UP_AFTER = timedelta(minutes=10)
_LOCK_SPACE = 1835102316  # "mbwl": the first of the two numbers of our advisory locks


class LeaseLost(TemporaryError):
    """Another worker does this now."""


def lease_of(mailbox_id: int) -> str:
    """The name of the lease on a mailbox."""
    return f"mailbox:{mailbox_id}"


def watch_of(desk_id: int) -> str:
    """The name of the lease on telling admins what all workers of a desk see."""
    return f"watch:{desk_id}"


def register(connection: Connection, owner: str) -> bool:
    """Make this session the one of the worker `owner`; False where another session has that name."""
    return bool(connection.execute(_LOCK, {"space": _LOCK_SPACE, "owner": owner}).scalar_one())


def renew(connection: Connection, desk_id: int, owner: str) -> set[str]:
    """Prolong all that this worker holds; the names of it. What is missing was taken away."""
    return {row.name for row in connection.execute(_RENEW, {"desk": desk_id, "owner": owner, "term": TERM})}


def take(connection: Connection, desk_id: int, owner: str, name: str) -> bool:
    """Take a lease that nobody holds any more, or that is ours already."""
    values = {"desk": desk_id, "owner": owner, "name": name, "term": TERM}
    return connection.execute(_TAKE, values).first() is not None


def give_back(connection: Connection, desk_id: int, owner: str, name: str = "") -> None:
    """Give back one lease, or all of this worker's."""
    connection.execute(_GIVE_BACK, {"desk": desk_id, "owner": owner, "name": name})


def must_hold(connection: Connection, name: str, owner: str) -> None:
    """Inside a transaction: `LeaseLost` unless this worker holds the lease now; nobody can take it until the end."""
    if connection.execute(_HELD, {"name": name, "owner": owner}).first() is None:
        raise LeaseLost(f"another worker has taken over {name}")


def holders(connection: Connection, desk_id: int) -> dict[str, str]:
    """Who holds what at this moment: name of the lease → worker."""
    return {row.name: row.owner for row in connection.execute(_HOLDERS, {"desk": desk_id})}


def anybody_late(connection: Connection, desk_id: int) -> bool:
    """Is there a worker whose lease ran out?"""
    return connection.execute(_LATE, {"desk": desk_id}).first() is not None


def free_the_dead(connection: Connection, desk_id: int, owner: str, *, outbox_too: bool) -> list[str]:
    """Give what vanished workers had in hand to whoever comes; the names of those that are gone for good.

    Mail that was being handled is free as soon as the lease ran out: a worker that comes to life again finds at its
    commit that the mail is not its any more. Mail that was being sent (`outbox_too`) only where its worker's session
    has ended as well, or after `GIVEN_UP_AFTER`: nobody can call back what lies in an SMTP connection.
    """
    gone = []
    for row in connection.execute(_EXPIRED, {"desk": desk_id, "owner": owner, "grace": GIVEN_UP_AFTER}).all():
        free_claims(connection, desk_id, row.owner)
        is_gone = row.long_ago or connection.execute(_TRY, {"space": _LOCK_SPACE, "owner": row.owner}).scalar_one()
        if outbox_too and is_gone:
            connection.execute(_FREE_OUTBOX, {"desk": desk_id, "owner": row.owner})
            give_back(connection, desk_id, row.owner)
            gone.append(row.owner)
    return gone


def free_claims(connection: Connection, desk_id: int, owner: str) -> None:
    """Mail that this worker had in hand to handle is anybody's."""
    connection.execute(_FREE_CLAIMS, {"desk": desk_id, "owner": owner})


def note_read(connection: Connection, mailbox_ids: Sequence[int], at: object) -> None:
    """These mailboxes were read, all of what lay in them at that moment of the desk's clock."""
    connection.execute(_NOTE_READ, {"ids": list(mailbox_ids), "at": at})


_LOCK = text("SELECT pg_try_advisory_lock(:space, hashtext(:owner))")
_TRY = text("SELECT pg_try_advisory_xact_lock(:space, hashtext(:owner))")
_RENEW = text(
    "UPDATE lease SET until = clock_timestamp() + :term WHERE desk_id = :desk AND owner = :owner RETURNING name"
)
_TAKE = text(
    "INSERT INTO lease (name, desk_id, owner, until) VALUES (:name, :desk, :owner, clock_timestamp() + :term) "
    "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until "
    "WHERE lease.owner = excluded.owner OR lease.until < clock_timestamp() RETURNING name"
)
_GIVE_BACK = text("DELETE FROM lease WHERE desk_id = :desk AND owner = :owner AND (:name = '' OR name = :name)")
_HELD = text("SELECT 1 FROM lease WHERE name = :name AND owner = :owner AND until > clock_timestamp() FOR SHARE")
_HOLDERS = text("SELECT name, owner FROM lease WHERE desk_id = :desk AND until > clock_timestamp()")
_LATE = text("SELECT 1 FROM lease WHERE desk_id = :desk AND name LIKE 'worker:%' AND until < clock_timestamp()")
_EXPIRED = text(
    "SELECT owner, until < clock_timestamp() - :grace AS long_ago FROM lease "
    "WHERE desk_id = :desk AND name LIKE 'worker:%' AND owner <> :owner AND until < clock_timestamp() "
    "FOR UPDATE SKIP LOCKED"
)
_FREE_CLAIMS = text("UPDATE claim SET worker = '' WHERE desk_id = :desk AND worker = :owner")
_FREE_OUTBOX = text(
    "UPDATE outbox SET state = 'pending', lease_owner = '', lease_until = NULL "
    "WHERE desk_id = :desk AND state = 'sending' AND lease_owner = :owner"
)
_NOTE_READ = text("UPDATE mailbox SET read_at = :at WHERE id = ANY(:ids)")
