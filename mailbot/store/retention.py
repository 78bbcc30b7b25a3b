"""[storage] keep_raw: the raw mail of tickets that were closed long ago is dropped; what was understood of it stays.

In: a moment. Out: how many mails were dropped. A mail that any ticket still needs (not closed, or closed later) is
kept, and so is mail that belongs to no ticket: the quarantine is the admin's to empty.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, select

from mailbot.store.engine import Store
from mailbot.store.tables import MESSAGE, RAW_MAIL, TICKET

CHUNK = 200


def drop_raw_mail(store: Store, closed_before: datetime) -> int:
    """Drop the raw mail of tickets closed before this moment, in short transactions."""
    later = TICKET.alias("later")
    mentioned = MESSAGE.alias("mentioned")
    still_needed = exists().where(
        mentioned.c.raw_sha256 == RAW_MAIL.c.sha256,
        later.c.id == mentioned.c.ticket_id,
        (later.c.closed_at.is_(None)) | (later.c.closed_at >= closed_before),
    )
    old = (
        select(RAW_MAIL.c.sha256)
        .join(MESSAGE, MESSAGE.c.raw_sha256 == RAW_MAIL.c.sha256)
        .join(TICKET, TICKET.c.id == MESSAGE.c.ticket_id)
        .where(
            TICKET.c.desk_id == store.desk_id,
            TICKET.c.status == "closed",
            TICKET.c.closed_at < closed_before,
            ~still_needed,
        )
        .distinct()
        .limit(CHUNK)
    )
    dropped = 0
    while True:
        with store.writing() as connection:
            found = [row.sha256 for row in connection.execute(old)]
            if found:
                connection.execute(delete(RAW_MAIL).where(RAW_MAIL.c.sha256.in_(found)))
        dropped += len(found)
        if len(found) < CHUNK:
            return dropped
