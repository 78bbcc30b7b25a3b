"""The write side of outgoing mail: queued, claimed, sent or failed.

Part of `store.unit_of_work.UnitOfWork`; the same rules hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Interval, and_, bindparam, func, select, update

from mailbot.store.rows import OutboxRow, columns_of
from mailbot.store.statements import CompiledStatement, Transaction, add_row, named, one_of, set_row
from mailbot.store.tables import OUTBOX

# On a desk that several share, the database's clock says when a lease ends.
_DATABASE_CLOCK = func.clock_timestamp()


class OutboxWork(Transaction):
    """Rows of `models.OutboxRow`."""

    def enqueue(self, values: Mapping[str, Any]) -> int:
        """Put one mail to one person into the outbox; return its row id. `values`: columns of `models.OutboxRow`."""
        row = {
            "desk_id": self.desk_id, "ticket_id": None, "message_row_id": None, "inbound_id": None, "subject": "",
            "text": "", "attachments": [], "automatic": False, "cycle": 0, "step": 0, "state": "pending",
            "turn": 0, "attempts": 0, "created_at": self.now, "next_attempt_at": self.now, "sent_at": None,
            "last_error": "", "lease_owner": "", "lease_until": None,
        } | dict(values)  # fmt: skip
        return add_row(self.connection, OUTBOX, row)

    def claim_outbox(self, now: datetime, limit: int, owner: str, lease: timedelta) -> list[OutboxRow]:
        """Claim up to `limit` due mails for `owner`, the most urgent first."""
        values = {"desk": self.desk_id, "now": now, "most": limit}
        expired, due = _claimable(self._for_update)
        ids = [row.id for row in expired.rows(self.connection, values)]
        if len(ids) < limit:
            ids += [row.id for row in due.rows(self.connection, values | {"most": limit - len(ids)})]
        if not ids:
            return []
        values = {"owner": owner, "now": now, "lease": lease, "until": now + lease}
        _claim(len(ids), self._for_update).run(self.connection, values | named(ids))
        rows = _outbox_by_id(len(ids)).rows(self.connection, named(ids))
        found = {row.id: row for row in map(OutboxRow.from_row, rows)}
        return [found[one] for one in ids]

    def free_leases(self, owner: str | None) -> None:
        """Make claimed mail pending again: that of `owner`, or all of it (None, where only one process runs)."""
        condition = and_(OUTBOX.c.desk_id == self.desk_id, OUTBOX.c.state == "sending")
        if owner is not None:
            condition = and_(condition, OUTBOX.c.lease_owner == owner)
        self.connection.execute(
            update(OUTBOX).where(condition).values(state="pending", lease_owner="", lease_until=None)
        )

    def set_outbox(self, outbox_id: int, **values: Any) -> None:
        """Change an outbox row."""
        set_row(self.connection, OUTBOX, outbox_id, values)

    def outbox_row(self, outbox_id: int) -> OutboxRow | None:
        """Return one mail of the outbox."""
        return self._outbox_where(OUTBOX.c.id == outbox_id)

    def outbox_by_message_id(self, message_id: str) -> OutboxRow | None:
        """Return the mail of ours with this Message-ID."""
        return self._outbox_where(OUTBOX.c.message_id == message_id)

    def _outbox_where(self, condition: ColumnElement[bool]) -> OutboxRow | None:
        found = self.connection.execute(select(*_COLUMNS).where(OUTBOX.c.desk_id == self.desk_id, condition)).first()
        return OutboxRow.from_row(found) if found is not None else None

    def retry_outbox(self, ids: Sequence[int] | None, expires_at: datetime) -> int:
        """Make pending and failed mail due now, all of it or these rows; return how many."""
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
        """Put off everything that is due before `until` to that moment."""
        due = and_(OUTBOX.c.desk_id == self.desk_id, OUTBOX.c.state == "pending", OUTBOX.c.next_attempt_at <= until)
        self.connection.execute(update(OUTBOX).where(due).values(next_attempt_at=until))

    def cancel_outbox(self, ids: Sequence[int]) -> int:
        """Take undelivered mail out of the queue; return how many."""
        condition = and_(OUTBOX.c.desk_id == self.desk_id, OUTBOX.c.id.in_(list(ids)))
        done = self.connection.execute(
            update(OUTBOX).where(condition, OUTBOX.c.state.in_(("pending", "failed"))).values(state="cancelled")
        )
        return done.rowcount

    def next_attempt(self) -> datetime | None:
        """Return when the next mail is due."""
        query = select(func.min(OUTBOX.c.next_attempt_at)).where(
            OUTBOX.c.desk_id == self.desk_id, OUTBOX.c.state == "pending"
        )
        return self.connection.execute(query).scalar()

    def bring_forward(self, *, longest: timedelta, lease: timedelta) -> None:
        """Make due what waits for more than `longest` from now, and end leases that are longer than `lease`."""
        ours = OUTBOX.c.desk_id == self.desk_id
        late = and_(ours, OUTBOX.c.state == "pending", OUTBOX.c.next_attempt_at > self.now + longest)
        self.connection.execute(update(OUTBOX).where(late).values(next_attempt_at=self.now))
        if self.connection.dialect.name == "sqlite":  # else leases are by the database's clock, which did not jump
            claimed = and_(ours, OUTBOX.c.state == "sending", OUTBOX.c.lease_until > self.now + lease)
            self.connection.execute(update(OUTBOX).where(claimed).values(lease_until=self.now + lease))


_COLUMNS = columns_of(OUTBOX, OutboxRow)


@lru_cache(maxsize=2)
def _claimable(shared: bool) -> tuple[CompiledStatement, CompiledStatement]:
    """Return the queries for ids of mail whose lease has expired, and of mail that is due, the most urgent first.

    Ids alone, out of ix_outbox_turn: with ten thousand waiting, sorting whole rows took 100 ms for a handful.
    """
    moment: ColumnElement[datetime] = _DATABASE_CLOCK if shared else bindparam("now")
    ours = select(OUTBOX.c.id).where(OUTBOX.c.desk_id == bindparam("desk")).limit(bindparam("most"))
    expired = ours.where(OUTBOX.c.state == "sending", OUTBOX.c.lease_until < moment).order_by(OUTBOX.c.id)
    due = ours.where(OUTBOX.c.state == "pending", OUTBOX.c.next_attempt_at <= bindparam("now"))
    due = due.order_by(OUTBOX.c.turn, OUTBOX.c.id)
    if shared:
        expired, due = expired.with_for_update(skip_locked=True), due.with_for_update(skip_locked=True)
    return CompiledStatement(expired), CompiledStatement(due)


@lru_cache(maxsize=128)
def _claim(count: int, shared: bool) -> CompiledStatement:
    leased = _DATABASE_CLOCK + bindparam("lease", type_=Interval())
    until: ColumnElement[datetime] = leased if shared else bindparam("until")
    values = {"state": "sending", "lease_owner": bindparam("owner"), "lease_until": until}
    return CompiledStatement(update(OUTBOX).where(one_of(OUTBOX.c.id, count)).values(values))


@lru_cache(maxsize=64)
def _outbox_by_id(count: int) -> CompiledStatement:
    return CompiledStatement(select(*_COLUMNS).where(one_of(OUTBOX.c.id, count)))
