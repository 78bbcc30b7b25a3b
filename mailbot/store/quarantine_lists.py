"""The lists of the quarantine that leads were sent: which mail had which number in which list.

In: the `UnitOfWork` of a transaction, or its connection. Out: rows of `Inbound`, numbers. One list for each opening of the
desk, whoever's bell rings first (several daemons may share a desk on PostgreSQL).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from mailbot.mail.reply_token import Purpose, token_opening
from mailbot.store.tables import (
    INBOUND,
    OUTBOX,
    QUARANTINE_LIST,
    insert_unless_there,
)
from mailbot.store.unit_of_work import UnitOfWork

HELD = ("quarantined", "held")


def is_due(work: UnitOfWork, opening: datetime) -> bool:
    """Was something held before this opening, and no list sent since?"""
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


def held(work: UnitOfWork, limit: int) -> tuple[list[Any], int]:
    """The newest mails that are held, rows of `Inbound`, and how many there are in all."""
    condition = (INBOUND.c.desk_id == work.desk_id) & INBOUND.c.state.in_(HELD)
    rows = work.connection.execute(select(INBOUND).where(condition).order_by(INBOUND.c.id.desc()).limit(limit)).all()
    count = work.connection.execute(select(func.count()).select_from(INBOUND).where(condition)).scalar_one()
    return list(rows), int(count)


def add(work: UnitOfWork, opening: datetime, mails: Sequence[int]) -> int | None:
    """Remember a list, number 1 first; its id, or None where this opening has one already."""
    row = {"desk_id": work.desk_id, "opening": opening, "mails": list(mails)}
    statement = insert_unless_there(QUARANTINE_LIST, work.connection.dialect.name).returning(QUARANTINE_LIST.c.id)
    found = work.connection.execute(statement, row).scalar()
    return None if found is None else int(found)


def mails_of(work: UnitOfWork, list_id: int) -> tuple[int, ...] | None:
    """The inbound ids of a list in their order; None where there is no such list."""
    query = select(QUARANTINE_LIST.c.mails).where(
        QUARANTINE_LIST.c.id == list_id, QUARANTINE_LIST.c.desk_id == work.desk_id
    )
    found = work.connection.execute(query).scalar()
    return None if found is None else tuple(found)


def letters_about(connection: Connection, desk_id: int, inbound_ids: Iterable[int]) -> list[int]:
    """Rows of the outbox that told a lead of these mails: lists, and what became of orders on them.

    Their Message-IDs carry the list's token. Reads all lists: this is asked where a person's data is erased.
    """
    wanted = set(inbound_ids)
    query = select(QUARANTINE_LIST.c.id, QUARANTINE_LIST.c.mails).where(QUARANTINE_LIST.c.desk_id == desk_id)
    found: list[int] = []
    for row in connection.execute(query).all():
        if wanted & set(row.mails):
            opening = f"<{token_opening(Purpose.QUARANTINE, row.id)}"
            letters = select(OUTBOX.c.id).where(
                OUTBOX.c.desk_id == desk_id, OUTBOX.c.message_id.startswith(opening, autoescape=True)
            )
            found += connection.scalars(letters)
    return found
