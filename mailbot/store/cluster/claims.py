"""Claims: how workers share unprocessed mail so that mail of one ticket is processed in order.

In: a connection of `Store.writing()` and the worker's name. A worker claims the oldest mail that no worker has claimed.
The rule: a mail may be claimed only if no older one that is unprocessed, or claimed by another worker, shares a key
with it (`mail.ordering_keys`); a worker processes in order what it claims at once. Claiming is serialised (by an
advisory lock on PostgreSQL, by the one writer on SQLite), so the rule sees every earlier claim.

Which ticket a reference leads to is known only to the database, and tickets are merged and followed up: that is looked
up here, when the mail is claimed and everything older is processed or still in the list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, text, update

from mailbot.mail.ordering_keys import ANYTHING, order_keys
from mailbot.store import raw_mail
from mailbot.store.tables import (
    CLAIM,
    INBOUND,
    TICKET,
)
from mailbot.store.unit_of_work import UnitOfWork

# How many times the wanted number of mails is searched for ones that may be claimed.
WINDOW = 6
_LOCK_SPACE = 1835102307  # "mbwc"
_MOST_GENERATIONS = 5


@dataclass(frozen=True, slots=True)
class Claimed:
    """Mail that this worker has claimed."""

    ids: tuple[int, ...] = ()  #: oldest first
    tried: bool = False  #: a worker has begun to process all of it before


class _Waiting(NamedTuple):
    """An unprocessed mail with its claim, whose columns are None where there is none yet."""

    id: int
    raw_sha256: str
    worker: str | None
    tried: bool | None
    order_keys: list[str] | None


def add(connection: Connection, desk_id: int, keys: Mapping[int, Sequence[str]]) -> None:
    """Add stored mail with its ordering keys, by the inbound row's id."""
    new = select(INBOUND.c.id).where(INBOUND.c.id.in_(list(keys)), INBOUND.c.state == "received")  # no duplicates
    rows = [
        {"inbound_id": row.id, "desk_id": desk_id, "worker": "", "tried": False, "order_keys": list(keys[row.id])}
        for row in connection.execute(new)
    ]
    if rows:
        connection.execute(insert(CLAIM), rows)


def claim(work: UnitOfWork, worker: str, limit: int, *, still_mine: Collection[int] = ()) -> Claimed:
    """Claim up to `limit` of the oldest mails that may be processed; other threads of `worker` have `still_mine`."""
    connection = work.connection
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"space": _LOCK_SPACE, "desk": work.desk_id})
    rows = _waiting(work, limit * WINDOW)
    keys = _complete(work, {row.id: row.order_keys or () for row in rows})
    duplicates = _mark_duplicates(work, [row.id for row in rows if not row.tried and not row.worker])
    blocked: set[str] = set()
    chosen: list[_Waiting] = []
    for row in rows:
        if row.id in duplicates:
            continue
        own = keys[row.id]
        busy = bool(row.worker) and (row.worker != worker or row.id in still_mine)
        everything = ANYTHING in own and bool(blocked)
        if busy or everything or ANYTHING in blocked or not blocked.isdisjoint(own):
            blocked |= own
            continue
        if len(chosen) == limit or (chosen and chosen[0].tried != row.tried):
            break
        chosen.append(row)
    ids = tuple(row.id for row in chosen)
    if not ids:
        return Claimed()
    connection.execute(update(CLAIM).where(CLAIM.c.inbound_id.in_(ids)).values(worker=worker, tried=True))
    return Claimed(ids, bool(chosen[0].tried))


def release(connection: Connection, ids: Iterable[int], worker: str) -> None:
    """Release this worker's claims: what was processed leaves the list, the rest may be claimed again."""
    mine = CLAIM.c.inbound_id.in_(list(ids)) & (CLAIM.c.worker == worker)
    handled = select(INBOUND.c.id).where(INBOUND.c.id == CLAIM.c.inbound_id, INBOUND.c.state != "received").exists()
    connection.execute(delete(CLAIM).where(mine, handled))
    connection.execute(update(CLAIM).where(mine).values(worker=""))


def still_claimed(connection: Connection, ids: Collection[int], worker: str) -> set[int]:
    """Return those that this worker still claims, locked until the transaction ends; it has lost the others."""
    query = select(CLAIM.c.inbound_id).where(CLAIM.c.inbound_id.in_(list(ids)), CLAIM.c.worker == worker)
    if connection.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return {row.inbound_id for row in connection.execute(query)}


def is_settled(connection: Connection, desk_id: int, mailbox_id: int) -> bool:
    """Tell whether all stored mail of this mailbox has been processed."""
    waiting = select(INBOUND.c.mailbox_id).where(INBOUND.c.desk_id == desk_id, INBOUND.c.state == "received")
    return connection.execute(waiting.where(INBOUND.c.mailbox_id == mailbox_id).limit(1)).first() is None


def _waiting(work: UnitOfWork, limit: int) -> list[_Waiting]:
    """Return unprocessed mail, oldest first; one without a claim (released, ingested by hand) gets one."""
    query = (
        select(INBOUND.c.id, INBOUND.c.raw_sha256, CLAIM.c.worker, CLAIM.c.tried, CLAIM.c.order_keys)
        .select_from(INBOUND.outerjoin(CLAIM, CLAIM.c.inbound_id == INBOUND.c.id))
        .where(INBOUND.c.desk_id == work.desk_id, INBOUND.c.state == "received")
        .order_by(INBOUND.c.id)
        .limit(limit)
    )
    rows = [_Waiting._make(row) for row in work.connection.execute(query)]
    without = [row for row in rows if row.order_keys is None]
    if not without:
        return rows
    for row in without:
        raw = raw_mail.get(work.connection, row.raw_sha256) or b""
        values = {"inbound_id": row.id, "desk_id": work.desk_id, "worker": "", "tried": True}
        work.connection.execute(insert(CLAIM), values | {"order_keys": list(order_keys(raw))})
    return [_Waiting._make(row) for row in work.connection.execute(query)]


def _mark_duplicates(work: UnitOfWork, ids: Sequence[int]) -> set[int]:
    """Mark mail that two mailboxes received at once, where neither reader saw the other's: the first one counts."""
    if not ids:
        return set()
    first = INBOUND.alias()
    same = and_(*(first.c[key] == INBOUND.c[key] for key in ("desk_id", "message_id", "digest")))
    query = (
        select(INBOUND.c.id, func.min(first.c.id).label("earlier"))
        .join_from(INBOUND, first, and_(same, first.c.id < INBOUND.c.id))
        .where(INBOUND.c.id.in_(list(ids)))
        .group_by(INBOUND.c.id)
    )
    found = {row.id: row.earlier for row in work.connection.execute(query)}
    for inbound_id, earlier in found.items():
        work.set_inbound(
            inbound_id, state="duplicate", duplicate_of=earlier, place="processed", reason=f"same as {earlier}"
        )
    if found:
        work.connection.execute(delete(CLAIM).where(CLAIM.c.inbound_id.in_(list(found))))
    return set(found)


def _complete(work: UnitOfWork, written: Mapping[int, Sequence[str]]) -> dict[int, set[str]]:
    """Add to the keys the tickets that references lead to, and those merged with or followed up by them."""
    keys = {inbound_id: set(own) for inbound_id, own in written.items()}
    references = {key[2:] for own in keys.values() for key in own if key.startswith("m:")}
    numbers = work.numbers_by_message_id(sorted(references), of_agents=True)
    for own in keys.values():
        own |= {f"t:{numbers[key[2:]]}" for key in tuple(own) if key.startswith("m:") and key[2:] in numbers}
    related = _related(work, {int(key[2:]) for own in keys.values() for key in own if key.startswith("t:")})
    for own in keys.values():
        todo = [int(key[2:]) for key in own if key.startswith("t:")]
        while todo:
            for other in related.get(todo.pop(), ()):
                if f"t:{other}" not in own:
                    own.add(f"t:{other}")
                    todo.append(other)
    return keys


def _related(work: UnitOfWork, numbers: set[int]) -> dict[int, set[int]]:
    """Return for each ticket those that its mail may belong to: merged into, or followed up by it."""
    found: dict[int, set[int]] = {}
    for _ in range(_MOST_GENERATIONS):
        new = [number for number in numbers if number not in found and 0 < number < 2**31]
        if not new:
            break
        found |= {number: set() for number in new}
        query = select(TICKET.c.number, TICKET.c.merged_into, TICKET.c.follow_up_of).where(
            TICKET.c.desk_id == work.desk_id, TICKET.c.number.in_(new),
            or_(TICKET.c.merged_into.is_not(None), TICKET.c.follow_up_of.is_not(None)),
        )  # fmt: skip
        for row in work.connection.execute(query):
            found[row.number] = {n for n in (row.merged_into, row.follow_up_of) if n is not None}
        numbers = {other for some in found.values() for other in some}
    return found


_LOCK = text("SELECT pg_advisory_xact_lock(:space, :desk)")
