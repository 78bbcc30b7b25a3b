"""What a jump of the machine's clock leaves behind in the outbox, put right.

In: a connection that may write, and the moment that it is now. Out: mail that would have waited for a moment far off is
due, and no lease lasts longer than one may. Never: anything about the timers of tickets, which are promises to people.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, update

from mailbot.store.tables import OUTBOX


def bring_forward(connection: Connection, desk_id: int, now: datetime, *, longest: timedelta, lease: timedelta) -> int:
    """Mail that waits for a moment more than `longest` from now is due now, a longer lease is over; how many mails."""
    ours = OUTBOX.c.desk_id == desk_id
    late = and_(ours, OUTBOX.c.state == "pending", OUTBOX.c.next_attempt_at > now + longest)
    held = and_(ours, OUTBOX.c.state == "sending", OUTBOX.c.lease_until > now + lease)
    done = connection.execute(update(OUTBOX).where(late).values(next_attempt_at=now))
    if connection.dialect.name == "sqlite":  # else leases are by the database's clock, which did not jump
        connection.execute(update(OUTBOX).where(held).values(lease_until=now + lease))
    return int(done.rowcount)
