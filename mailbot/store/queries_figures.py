"""Counts for monitoring: what is open, waiting and held, each from an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from mailbot.store.engine import Store
from mailbot.store.tables import INBOUND, OUTBOX, TICKET

OPEN = ("queued", "in_progress", "waiting")
UNSENT = ("pending", "sending", "failed")
HELD = ("received", "quarantined", "held")


@dataclass(frozen=True, slots=True)
class Figures:
    """How many of each state; `oldest_due`: when the longest waiting mail of the outbox was due, None if none waits."""

    open_tickets: dict[str, int]
    outbox: dict[str, int]
    held: dict[str, int]
    oldest_due: datetime | None


def figures(store: Store) -> Figures:
    """The counts of this moment."""
    desk = store.desk_id
    with store.reading() as connection:

        def count(table: object, states: tuple[str, ...], column: str) -> dict[str, int]:
            columns = table.c  # type: ignore[attr-defined]
            query = (
                select(columns[column], func.count())
                .where(columns.desk_id == desk, columns[column].in_(states))
                .group_by(columns[column])
            )
            return dict.fromkeys(states, 0) | {row[0]: row[1] for row in connection.execute(query)}

        due = select(func.min(OUTBOX.c.next_attempt_at)).where(OUTBOX.c.desk_id == desk, OUTBOX.c.state == "pending")
        return Figures(
            open_tickets=count(TICKET, OPEN, "status"),
            outbox=count(OUTBOX, UNSENT, "state"),
            held=count(INBOUND, HELD, "state"),
            oldest_due=connection.execute(due).scalar(),
        )
