"""The quarantine lists that leads were sent: which mail had which number in which list.

In: a `UnitOfWork`, or its connection. Out: rows of the quarantine, numbers. There is one list for each opening of the
desk, whichever worker is the first to make it (several daemons may share a desk on PostgreSQL).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from mailbot.mail.reply_token import Purpose, token_opening
from mailbot.store.rows import QuarantinedRow, columns_of
from mailbot.store.tables import INBOUND, OUTBOX, QUARANTINE_LIST, insert_unless_there
from mailbot.store.unit_of_work import UnitOfWork

HELD = ("quarantined", "held")


def is_due(work: UnitOfWork, opening: datetime) -> bool:
    """Return whether a mail was quarantined before this opening and no list was sent since."""
    sent = select(QUARANTINE_LIST.c.id).where(
        QUARANTINE_LIST.c.desk_id == work.desk_id, QUARANTINE_LIST.c.opening == opening
    )
    if work.connection.execute(sent).first() is not None:
        return False
    oldest = (
        select(INBOUND.c.received_at)
        .where(INBOUND.c.desk_id == work.desk_id, INBOUND.c.state == state)
        .order_by(INBOUND.c.id)
        .limit(1)
        for state in HELD
    )
    return any(row.received_at < opening for query in oldest for row in work.connection.execute(query))


def quarantined(work: UnitOfWork, limit: int) -> tuple[list[QuarantinedRow], int]:
    """Return the newest mails in quarantine, and how many there are in all."""
    condition = (INBOUND.c.desk_id == work.desk_id) & INBOUND.c.state.in_(HELD)
    newest = select(*columns_of(INBOUND, QuarantinedRow)).where(condition).order_by(INBOUND.c.id.desc()).limit(limit)
    count = work.connection.execute(select(func.count()).select_from(INBOUND).where(condition)).scalar_one()
    return [QuarantinedRow.from_row(row) for row in work.connection.execute(newest)], int(count)


def add(work: UnitOfWork, opening: datetime, mails: Sequence[int]) -> int | None:
    """Record a list, number 1 first; return its id, or None where this opening has one already."""
    row = {"desk_id": work.desk_id, "opening": opening, "mails": list(mails)}
    statement = insert_unless_there(QUARANTINE_LIST, work.connection.dialect.name).returning(QUARANTINE_LIST.c.id)
    found = work.connection.execute(statement, row).scalar()
    return None if found is None else int(found)


def mails_of(work: UnitOfWork, list_id: int) -> tuple[int, ...] | None:
    """Return the inbound ids of a list in order; None where there is no such list."""
    query = select(QUARANTINE_LIST.c.mails).where(
        QUARANTINE_LIST.c.id == list_id, QUARANTINE_LIST.c.desk_id == work.desk_id
    )
    found = work.connection.execute(query).scalar()
    return None if found is None else tuple(found)


def mails_about(connection: Connection, desk_id: int, inbound_ids: Iterable[int]) -> list[int]:
    """Return outbox rows that named these mails to a lead: lists, and outcomes of commands on them.

    Their Message-IDs carry the list's token. Reads all lists: it is called only when a person's data is erased.
    """
    wanted = set(inbound_ids)
    query = select(QUARANTINE_LIST.c.id, QUARANTINE_LIST.c.mails).where(QUARANTINE_LIST.c.desk_id == desk_id)
    found: list[int] = []
    for row in connection.execute(query).all():
        if wanted & set(row.mails):
            opening = f"<{token_opening(Purpose.QUARANTINE, row.id)}"
            mails = select(OUTBOX.c.id).where(
                OUTBOX.c.desk_id == desk_id, OUTBOX.c.message_id.startswith(opening, autoescape=True)
            )
            found += connection.scalars(mails)
    return found
