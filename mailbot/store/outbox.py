"""The write side of mail that goes: queued, claimed, sent or failed.

Part of `store.work.Work`; the same rules hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Interval, and_, bindparam, func, select, update

from mailbot.store.statements import (
    CompiledStatement,
    Transaction,
    add_row,
    named,
    one_of,
    set_row,
)
from mailbot.store.tables import OUTBOX

# On a desk that several share, the database's clock says when a lease ends.
_DATABASE_CLOCK = func.clock_timestamp()


class OutboxWork(Transaction):
    """Rows of `OutboxRow`."""

    def enqueue(self, values: Mapping[str, Any]) -> int:
        """Put one mail to one person into the outbox; its row id. `values` are columns of `OutboxRow`."""
        row = {
            "desk_id": self.desk_id, "ticket_id": None, "message_row_id": None, "inbound_id": None, "subject": "",
            "text": "", "attachments": [], "automatic": False, "cycle": 0, "step": 0, "state": "pending",
            "turn": 0, "attempts": 0, "created_at": self.now, "next_attempt_at": self.now, "sent_at": None,
            "last_error": "", "lease_owner": "", "lease_until": None,
        } | dict(values)  # fmt: skip
        return add_row(self.connection, OUTBOX, row)

    def claim_outbox(self, now: datetime, limit: int, owner: str, lease: timedelta) -> list[Any]:
        """Take up to `limit` mails that are due, the most urgent first, and mark them as being sent by `owner`."""
        values = {"desk": self.desk_id, "now": now, "most": limit}
        expired, due = _claimable(self._for_update)
        ids = [row.id for row in expired.rows(self.connection, values)]
        if len(ids) < limit:
            ids += [row.id for row in due.rows(self.connection, values | {"most": limit - len(ids)})]
        if not ids:
            return []
        values = {"owner": owner, "now": now, "lease": lease, "until": now + lease}
        _claim(len(ids), self._for_update).run(self.connection, values | named(ids))
        found = {row.id: row for row in _outbox_by_id(len(ids)).rows(self.connection, named(ids))}
        return [found[one] for one in ids]

    def free_leases(self, owner: str | None) -> None:
        """Give back what was being sent: by `owner`, or (None, on a desk that only one process runs) by anybody."""
        condition = and_(OUTBOX.c.desk_id == self.desk_id, OUTBOX.c.state == "sending")
        if owner is not None:
            condition = and_(condition, OUTBOX.c.lease_owner == owner)
        self.connection.execute(
            update(OUTBOX).where(condition).values(state="pending", lease_owner="", lease_until=None)
        )

    def set_outbox(self, outbox_id: int, **values: Any) -> None:
        """Change an outbox row."""
        set_row(self.connection, OUTBOX, outbox_id, values)

    def outbox_row(self, outbox_id: int) -> Any | None:
        """One mail of the outbox."""
        query = select(OUTBOX).where(OUTBOX.c.id == outbox_id, OUTBOX.c.desk_id == self.desk_id)
        return self.connection.execute(query).one_or_none()

    def outbox_by_message_id(self, message_id: str) -> Any | None:
        """The mail of ours with this Message-ID."""
        query = select(OUTBOX).where(OUTBOX.c.desk_id == self.desk_id, OUTBOX.c.message_id == message_id)
        return self.connection.execute(query).first()

    def retry_outbox(self, ids: Sequence[int] | None, expires_at: datetime) -> int:
        """Make pending and failed mail due now; of all, or of those named. How many."""
        condition = and_(OUTBOX.c.desk_id == self.desk_id, OUTBOX.c.state.in_(("pending", "failed")))
        if ids is not None:
            condition = and_(condition, OUTBOX.c.id.in_(list(ids)))
        done = self.connection.execute(
            update(OUTBOX)
            .where(condition, OUTBOX.c.raw != b"")
            .values(state="pending", attempts=0, next_attempt_at=self.now, expires_at=expires_at)
        )
        return done.rowcount

    def postpone_outbox(self, until: datetime) -> None:
        """What is due is due at `until`."""
        due = and_(OUTBOX.c.desk_id == self.desk_id, OUTBOX.c.state == "pending", OUTBOX.c.next_attempt_at <= until)
        self.connection.execute(update(OUTBOX).where(due).values(next_attempt_at=until))

    def cancel_outbox(self, ids: Sequence[int]) -> int:
        """Take undelivered mail out of the queue. How many."""
        condition = and_(OUTBOX.c.desk_id == self.desk_id, OUTBOX.c.id.in_(list(ids)))
        done = self.connection.execute(
            update(OUTBOX).where(condition, OUTBOX.c.state.in_(("pending", "failed"))).values(state="cancelled")
        )
        return done.rowcount

    def next_attempt(self) -> datetime | None:
        """When the next mail is due."""
        query = select(func.min(OUTBOX.c.next_attempt_at)).where(
            OUTBOX.c.desk_id == self.desk_id, OUTBOX.c.state == "pending"
        )
        return self.connection.execute(query).scalar()


@lru_cache(maxsize=2)
def _claimable(shared: bool) -> tuple[CompiledStatement, CompiledStatement]:
    """Ids of mail whose lease has run out, and of mail that is due, the most urgent first.

    Ids alone, out of ix_outbox_turn: with ten thousand waiting, sorting whole rows took 100 ms for a handful.
    """
    moment: Any = _DATABASE_CLOCK if shared else bindparam("now")
    ours = select(OUTBOX.c.id).where(OUTBOX.c.desk_id == bindparam("desk")).limit(bindparam("most"))
    expired = ours.where(OUTBOX.c.state == "sending", OUTBOX.c.lease_until < moment).order_by(OUTBOX.c.id)
    due = ours.where(OUTBOX.c.state == "pending", OUTBOX.c.next_attempt_at <= bindparam("now"))
    due = due.order_by(OUTBOX.c.turn, OUTBOX.c.id)
    if shared:
        expired, due = expired.with_for_update(skip_locked=True), due.with_for_update(skip_locked=True)
    return CompiledStatement(expired), CompiledStatement(due)


@lru_cache(maxsize=128)
def _claim(count: int, shared: bool) -> CompiledStatement:
    until: Any = _DATABASE_CLOCK + bindparam("lease", type_=Interval()) if shared else bindparam("until")
    values = {"state": "sending", "lease_owner": bindparam("owner"), "lease_until": until}
    return CompiledStatement(update(OUTBOX).where(one_of(OUTBOX.c.id, count)).values(values))


@lru_cache(maxsize=64)
def _outbox_by_id(count: int) -> CompiledStatement:
    return CompiledStatement(select(OUTBOX).where(one_of(OUTBOX.c.id, count)))


def bring_forward(connection: Connection, desk_id: int, now: datetime, *, longest: timedelta, lease: timedelta) -> int:
    """Mail that waits for a moment more than `longest` from now is due now, a longer lease is over; how many mails."""
    ours = OUTBOX.c.desk_id == desk_id
    late = and_(ours, OUTBOX.c.state == "pending", OUTBOX.c.next_attempt_at > now + longest)
    held = and_(ours, OUTBOX.c.state == "sending", OUTBOX.c.lease_until > now + lease)
    done = connection.execute(update(OUTBOX).where(late).values(next_attempt_at=now))
    if connection.dialect.name == "sqlite":  # else leases are by the database's clock, which did not jump
        connection.execute(update(OUTBOX).where(held).values(lease_until=now + lease))
    return int(done.rowcount)
