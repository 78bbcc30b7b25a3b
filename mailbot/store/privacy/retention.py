"""Retention ([storage] keep_raw): drops the raw mail of tickets closed long ago; their messages stay.

In: a time. Out: how many mails were dropped. A mail that any ticket still needs (open, or closed later) is kept, and so
is mail without a ticket: the admin empties the quarantine. One run reads all raw mail, oldest first, in short
transactions; what was dropped costs nothing in later runs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, exists, func, select, update

from mailbot.store.engine import Store
from mailbot.store.tables import (
    INBOUND,
    MESSAGE,
    RAW_MAIL,
    TICKET,
)

CHUNK = 1000


def drop_raw_mail(store: Store, closed_before: datetime) -> int:
    """Drop the raw mail of tickets closed before this time; return how many mails it was."""
    query = _old(store.desk_id, closed_before)
    dropped = 0
    with store.reading() as connection:
        first = connection.scalar(select(func.min(RAW_MAIL.c.id))) or 0
        last = connection.scalar(select(func.max(RAW_MAIL.c.id))) or 0
    for start in range(first, last + 1, CHUNK):
        window = {"start": start, "end": start + CHUNK}
        with store.reading() as connection:
            found = connection.execute(query, window).first()
        if found is not None:
            with store.writing() as connection:
                ids = list(connection.scalars(query, window))
                # SQLite reuses the id of a deleted last row: no reference to it may remain.
                connection.execute(update(INBOUND).where(INBOUND.c.raw_id.in_(ids)).values(raw_id=None))
                connection.execute(delete(RAW_MAIL).where(RAW_MAIL.c.id.in_(ids)))
            dropped += len(ids)
    return dropped


def _old(desk_id: int, closed_before: datetime) -> Select[Any]:
    """Select the raw mail with ids from `start` to before `end` that has a ticket of the desk and is not needed."""
    closed_at = TICKET.c.closed_at
    # `+ 0` keeps SQLite from starting with every ticket of the desk.
    of_the_desk = (TICKET.c.desk_id + 0 == desk_id) & (closed_at < closed_before)
    return (
        select(RAW_MAIL.c.id)
        .where(
            RAW_MAIL.c.id >= bindparam("start"),
            RAW_MAIL.c.id < bindparam("end"),
            _is_of_a_ticket(of_the_desk),
            ~_is_of_a_ticket(closed_at.is_(None) | (closed_at >= closed_before)),
        )
        .order_by(RAW_MAIL.c.id)
    )


def _is_of_a_ticket(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that the raw mail has a message on a ticket that meets `condition`."""
    return exists().where(
        INBOUND.c.raw_id == RAW_MAIL.c.id,
        MESSAGE.c.inbound_id == INBOUND.c.id,
        TICKET.c.id == MESSAGE.c.ticket_id,
        condition,
    )
