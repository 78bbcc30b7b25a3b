"""What waits, for the judgement of the desk's health: asked every few seconds, so each count comes from an index."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from mailbot.health import Queue
from mailbot.store.engine import Store
from mailbot.store.tables import INBOUND, OUTBOX


def waiting(store: Store, quarantined_after: datetime) -> Queue:
    """The outbox and the quarantine of this moment; of the latter, how much came after a moment."""
    desk = store.desk_id
    with store.reading() as connection:
        unsent = select(func.count(), func.min(OUTBOX.c.created_at), func.min(OUTBOX.c.next_attempt_at)).where(
            OUTBOX.c.desk_id == desk, OUTBOX.c.state.in_(("pending", "sending"))
        )
        count, oldest, oldest_due = connection.execute(unsent).one()
        failed = select(func.count()).where(OUTBOX.c.desk_id == desk, OUTBOX.c.state == "failed")
        aside = (INBOUND.c.desk_id == desk, INBOUND.c.state == "quarantined")
        lately = select(func.count(), func.min(INBOUND.c.received_at)).where(
            *aside, INBOUND.c.received_at > quarantined_after
        )
        quarantined, since = connection.execute(lately).one()
        held = select(func.count()).where(INBOUND.c.desk_id == desk, INBOUND.c.state.in_(("quarantined", "held")))
        return Queue(
            waiting=count,
            failed=connection.execute(failed).scalar_one(),
            oldest=oldest,
            oldest_due=oldest_due,
            quarantined=quarantined,
            quarantined_since=since,
            held=connection.execute(held).scalar_one(),
        )
