"""Mail that was stored and not handled yet, shared out among workers so that mail of one ticket keeps its order.

In: a connection of `Store.writing()` and the worker's name. A worker asks for the oldest mail that nobody has in hand.
The rule: a mail is given out only when no older one that is still unhandled, or in somebody else's hand, shares a key
with it (`core.order`); what a worker gets at once it handles in its order. Asking takes turns (an advisory lock on
PostgreSQL, the one writer on SQLite), so the rule sees all that was given out before.

A reference names a ticket only by what the database knows, and tickets are merged and followed up: that is looked up
here, at the moment of giving out, when everything older is handled or still in the list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, text, update

from mailbot.mail.ordering_keys import ANYTHING, order_keys
from mailbot.store import raw_mail
from mailbot.store.tables import (
    CLAIM,
    INBOUND,
    TICKET,
)
from mailbot.store.unit_of_work import UnitOfWork

# How far behind the oldest unhandled mail is looked for one that may be given out.
WINDOW = 6
_LOCK_SPACE = 1835102307  # "mbwc"
_MOST_GENERATIONS = 5


@dataclass(frozen=True, slots=True)
class Given:
    """Mail that is in this worker's hand now, oldest first. `tried`: somebody had all of it in hand before."""

    ids: tuple[int, ...] = ()
    tried: bool = False


def note(connection: Connection, desk_id: int, keys: Mapping[int, Sequence[str]]) -> None:
    """Mail was stored: these are its keys, by the inbound row's id."""
    new = select(INBOUND.c.id).where(INBOUND.c.id.in_(list(keys)), INBOUND.c.state == "received")  # no duplicates
    rows = [
        {"inbound_id": row.id, "desk_id": desk_id, "worker": "", "tried": False, "order_keys": list(keys[row.id])}
        for row in connection.execute(new)
    ]
    if rows:
        connection.execute(insert(CLAIM), rows)


def give_out(work: UnitOfWork, worker: str, limit: int, *, still_mine: Collection[int] = ()) -> Given:
    """Up to `limit` of the oldest mails that may be handled now. `still_mine`: what other threads of `worker` have."""
    connection = work.connection
    if connection.dialect.name == "postgresql":
        connection.execute(_TURN, {"space": _LOCK_SPACE, "desk": work.desk_id})
    rows = _waiting(work, limit * WINDOW)
    keys = _complete(work, {row.id: row.order_keys for row in rows})
    known = _taken_in_twice(work, [row.id for row in rows if not row.tried and not row.worker])
    blocked: set[str] = set()
    chosen: list[Any] = []
    for row in rows:
        if row.id in known:
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
        return Given()
    connection.execute(update(CLAIM).where(CLAIM.c.inbound_id.in_(ids)).values(worker=worker, tried=True))
    return Given(ids, chosen[0].tried)


def done(connection: Connection, ids: Iterable[int], worker: str) -> None:
    """These are out of this worker's hand: what was handled is off the list, the rest is anybody's."""
    mine = CLAIM.c.inbound_id.in_(list(ids)) & (CLAIM.c.worker == worker)
    handled = select(INBOUND.c.id).where(INBOUND.c.id == CLAIM.c.inbound_id, INBOUND.c.state != "received").exists()
    connection.execute(delete(CLAIM).where(mine, handled))
    connection.execute(update(CLAIM).where(mine).values(worker=""))


def in_hand(connection: Connection, ids: Collection[int], worker: str) -> set[int]:
    """Which of these are still this worker's, locked until the transaction ends; the others were taken away."""
    query = select(CLAIM.c.inbound_id).where(CLAIM.c.inbound_id.in_(list(ids)), CLAIM.c.worker == worker)
    if connection.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return {row.inbound_id for row in connection.execute(query)}


def is_settled(connection: Connection, desk_id: int, mailbox_id: int) -> bool:
    """Was all mail of this mailbox handled that was stored?"""
    waiting = select(INBOUND.c.mailbox_id).where(INBOUND.c.desk_id == desk_id, INBOUND.c.state == "received")
    return connection.execute(waiting.where(INBOUND.c.mailbox_id == mailbox_id).limit(1)).first() is None


def _waiting(work: UnitOfWork, limit: int) -> list[Any]:
    """Unhandled mail, oldest first, with its claim; one that has none yet (released, fed in by hand) gets one."""
    query: Any = (
        select(INBOUND.c.id, INBOUND.c.raw_sha256, CLAIM.c.worker, CLAIM.c.tried, CLAIM.c.order_keys)
        .select_from(INBOUND.outerjoin(CLAIM, CLAIM.c.inbound_id == INBOUND.c.id))
        .where(INBOUND.c.desk_id == work.desk_id, INBOUND.c.state == "received")
        .order_by(INBOUND.c.id)
        .limit(limit)
    )
    rows = work.connection.execute(query).all()
    without = [row for row in rows if row.order_keys is None]
    if not without:
        return list(rows)
    for row in without:
        raw = raw_mail.get(work.connection, row.raw_sha256) or b""
        values = {"inbound_id": row.id, "desk_id": work.desk_id, "worker": "", "tried": True}
        work.connection.execute(insert(CLAIM), values | {"order_keys": list(order_keys(raw))})
    return list(work.connection.execute(query).all())


def _taken_in_twice(work: UnitOfWork, ids: Sequence[int]) -> set[int]:
    """Mail that came to two mailboxes at once, so that neither reader saw the other's: only the first is handled."""
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
    """The keys with the tickets that references lead to, and those that a ticket was merged into or comes out of."""
    keys = {inbound_id: set(own) for inbound_id, own in written.items()}
    references = {key[2:] for own in keys.values() for key in own if key.startswith("m:")}
    numbers = work.numbers_by_message_id(sorted(references), of_agents=True)
    for own in keys.values():
        own |= {f"t:{numbers[key[2:]]}" for key in tuple(own) if key.startswith("m:") and key[2:] in numbers}
    kin = _kin(work, {int(key[2:]) for own in keys.values() for key in own if key.startswith("t:")})
    for own in keys.values():
        todo = [int(key[2:]) for key in own if key.startswith("t:")]
        while todo:
            for other in kin.get(todo.pop(), ()):
                if f"t:{other}" not in own:
                    own.add(f"t:{other}")
                    todo.append(other)
    return keys


def _kin(work: UnitOfWork, numbers: set[int]) -> dict[int, set[int]]:
    """For each ticket the ones that its mail may go to: where it was merged into, what it follows up."""
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


_TURN = text("SELECT pg_advisory_xact_lock(:space, :desk)")
