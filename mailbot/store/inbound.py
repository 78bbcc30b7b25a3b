"""The write side of incoming mail: what was stored, in which state it is, which folder it was moved to.

Part of `store.unit_of_work.UnitOfWork`; the same rules hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from mailbot.mail.fetched import Folder, Misfiled
from mailbot.store import raw_mail
from mailbot.store.rows import FolderRow, InboundRow, columns_of
from mailbot.store.statements import CompiledStatement, Transaction, add_row, in_steps, named, one_of, set_row
from mailbot.store.tables import ASTRAY, INBOUND, insert_unless_there


class InboundWork(Transaction):
    """Rows of `models.Inbound`, and the raw mail that they name."""

    def raw_mail(self, sha256: str) -> bytes | None:
        """Return the raw mail with this digest; None if it was dropped or erased. Raises RawMailDamaged."""
        return raw_mail.get(self.connection, sha256)

    def put_raw_mail(self, raw: bytes, packed: tuple[str, bytes] | None = None) -> str:
        """Store a raw mail unless it is stored already; return its SHA-256. `packed`: as `raw_mail.put` takes it."""
        return raw_mail.put(self.connection, raw, self.now, packed)

    def seen(self, message_id: str, digest: str) -> int | None:
        """Return the inbound row of the same mail, if it was stored before."""
        parameters = {"desk": self.desk_id, "wanted_id": message_id, "wanted_digest": digest}
        found: int | None = _SEEN.scalar(self.connection, parameters)
        return found

    def message_id_came_before(self, inbound_id: int) -> bool:
        """Return whether an earlier mail, of whatever text, had this one's Message-ID; True where this one has none."""
        own = self.connection.execute(select(INBOUND.c.message_id).where(INBOUND.c.id == inbound_id)).scalar()
        query = select(INBOUND.c.id).where(
            INBOUND.c.desk_id == self.desk_id, INBOUND.c.message_id == own, INBOUND.c.id < inbound_id
        )
        return not own or self.connection.execute(query.limit(1)).first() is not None

    def same_text_on_ticket(self, inbound_id: int, ticket_id: int) -> int | None:
        """Return an earlier mail of that ticket by the same author, with the same To, subject, date and body."""
        own = select(INBOUND.c.digest).where(INBOUND.c.id == inbound_id).scalar_subquery()
        query = select(INBOUND.c.id).where(
            INBOUND.c.ticket_id == ticket_id, INBOUND.c.digest == own, INBOUND.c.state == "processed",
            INBOUND.c.id < inbound_id,
        )  # fmt: skip
        found: int | None = self.connection.execute(query.limit(1)).scalar()
        return found

    def add_inbound(self, values: Mapping[str, Any]) -> int:
        """Record a mail that was stored; return its row id. `values` are columns of `models.Inbound`."""
        row = {
            "desk_id": self.desk_id, "received_at": self.now, "partial": False, "state": "received", "kind": "",
            "rule": "", "reason": "", "sender": "", "subject": "", "ticket_id": None, "duplicate_of": None,
            "traceback": "", "explanation": {}, "attempts": 0, "place": "", "filed": False, "processed_at": None,
            "raw_id": raw_mail.row_of(self.connection, values["raw_sha256"]),
        } | dict(values)  # fmt: skip
        return add_row(self.connection, INBOUND, row)

    def inbound(self, ids: Iterable[int]) -> list[InboundRow]:
        """Return rows by id, in that order; on PostgreSQL locked, without those that others have locked."""
        return self._inbound(list(ids), self._for_update)

    def inbound_unlocked(self, ids: Iterable[int]) -> list[InboundRow]:
        """Return the same rows without locking them."""
        return self._inbound(list(ids), False)

    def _inbound(self, ids: Sequence[int], locking: bool) -> list[InboundRow]:
        if not ids:
            return []
        rows = _inbound_by_id(len(ids), locking).rows(self.connection, named(ids))
        return [InboundRow.from_row(row) for row in rows]

    def inbound_in_state(self, state: str, limit: int) -> list[int]:
        """Return ids of mail in a state, oldest first."""
        values = {"desk": self.desk_id, "wanted": state, "most": limit}
        return [row.id for row in _IN_STATE.rows(self.connection, values)]

    def others_handled_since(self, at: datetime, inbound_id: int) -> bool:
        """Return whether other mail was handled after that moment, going by the newest hundred."""
        query = (
            select(INBOUND.c.processed_at)
            .where(INBOUND.c.desk_id == self.desk_id, INBOUND.c.state == "processed", INBOUND.c.id != inbound_id)
            .order_by(INBOUND.c.id.desc())
            .limit(100)
        )
        return any(row.processed_at is not None and row.processed_at > at for row in self.connection.execute(query))

    def seen_uids(self, mailbox_id: int, uidvalidity: int, uids: Collection[int]) -> list[FolderRow]:
        """Return those mails of this folder that were stored, of the UIDs asked for."""
        found: list[FolderRow] = []
        for some in in_steps(uids, 512):
            values = {"box": mailbox_id, "validity": uidvalidity} | named(some)
            found += map(FolderRow.from_row, _of_folder(len(some)).rows(self.connection, values))
        return found

    def set_filed(self, ids: Sequence[int]) -> None:
        """Record that these mails were moved to their folder."""
        if ids:
            _FILED.run_many(self.connection, [{"row_id": one} for one in ids])

    def note_folder(self, row: InboundRow, folder: Folder) -> None:
        """Record a released mail as misfiled: its original is in the quarantine folder, and has to be moved again."""
        if row.place == Folder.QUARANTINE and folder is Folder.PROCESSED and row.source == "imap":
            statement = insert_unless_there(ASTRAY, self.connection.dialect.name)
            self.connection.execute(statement, {"inbound_id": row.id, "mailbox_id": row.mailbox_id})

    def misfiled(self, mailbox_id: int, limit: int) -> list[Misfiled]:
        """Return mail of this mailbox that is in the quarantine folder and does not belong there, oldest first."""
        found = _ASTRAY.rows(self.connection, {"box": mailbox_id, "most": limit})
        return [Misfiled(**row._asdict()) for row in found]

    def set_refiled(self, ids: Sequence[int]) -> None:
        """Record that misfiled mails were moved to their folder, or are gone."""
        if ids:
            self.connection.execute(delete(ASTRAY).where(ASTRAY.c.inbound_id.in_(list(ids))))
            self.set_filed(ids)

    def set_inbound(self, inbound_id: int, **values: Any) -> None:
        """Change an inbound row."""
        set_row(self.connection, INBOUND, inbound_id, values)


_COLUMNS = columns_of(INBOUND, InboundRow)
_ASTRAY = CompiledStatement(
    select(
        ASTRAY.c.inbound_id, INBOUND.c.uidvalidity, INBOUND.c.uid, INBOUND.c.size, INBOUND.c.message_id,
        INBOUND.c.digest, INBOUND.c.partial,
    )
    .join_from(ASTRAY, INBOUND, INBOUND.c.id == ASTRAY.c.inbound_id)
    .where(ASTRAY.c.mailbox_id == bindparam("box"))
    .order_by(ASTRAY.c.inbound_id)
    .limit(bindparam("most"))
)  # fmt: skip

_SEEN = CompiledStatement(
    select(INBOUND.c.id)
    .where(
        INBOUND.c.desk_id == bindparam("desk"),
        INBOUND.c.message_id == bindparam("wanted_id"),
        INBOUND.c.digest == bindparam("wanted_digest"),
    )
    .order_by(INBOUND.c.id)
    .limit(1)
)


_IN_STATE = CompiledStatement(
    select(INBOUND.c.id)
    .where(INBOUND.c.desk_id == bindparam("desk"), INBOUND.c.state == bindparam("wanted"))
    .order_by(INBOUND.c.id)
    .limit(bindparam("most"))
)
_FILED = CompiledStatement(update(INBOUND).where(INBOUND.c.id == bindparam("row_id")).values(filed=True))


@lru_cache(maxsize=10)
def _of_folder(count: int) -> CompiledStatement:
    return CompiledStatement(
        select(*columns_of(INBOUND, FolderRow)).where(
            INBOUND.c.mailbox_id == bindparam("box"), INBOUND.c.uidvalidity == bindparam("validity"),
            one_of(INBOUND.c.uid, count),
        )
    )  # fmt: skip


@lru_cache(maxsize=128)
def _inbound_by_id(count: int, locking: bool) -> CompiledStatement:
    query = select(*_COLUMNS).where(one_of(INBOUND.c.id, count)).order_by(INBOUND.c.id)
    return CompiledStatement(query.with_for_update(skip_locked=True) if locking else query)
