"""What `mailbot replay` writes to its disposable desk, and no desk in production ever does.

A module of its own so that `outbox` offers nothing that loses mail. In: the connection of a transaction.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from mailbot.store.tables import OUTBOX


def mark_sent(connection: Connection, desk_id: int, now: datetime) -> bool:
    """Mark queued mail as sent, except mail that starts timers; tell whether any of that is queued."""
    pending = (OUTBOX.c.desk_id == desk_id, OUTBOX.c.state == "pending")
    sent = update(OUTBOX).where(*pending, OUTBOX.c.cycle == 0)
    connection.execute(sent.values(state="sent", sent_at=now, attempts=1, raw=b""))
    return connection.execute(select(OUTBOX.c.id).where(*pending).limit(1)).first() is not None


def adopt_message_id(connection: Connection, ticket_id: int, inbound_id: int, message_id: str) -> None:
    """Give people's copies of a recorded answer the Message-ID that they had in the archive."""
    copies = (OUTBOX.c.ticket_id == ticket_id, OUTBOX.c.inbound_id == inbound_id, OUTBOX.c.role == "person")
    connection.execute(update(OUTBOX).where(*copies).values(message_id=message_id))
