"""Counts for monitoring: what is open, waiting and held, each from an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from mailbot.core.held import Why, why_held
from mailbot.store.engine import Store
from mailbot.store.tables import INBOUND, OUTBOX, TICKET

OPEN = ("queued", "in_progress", "waiting")
UNSENT = ("pending", "sending", "failed")
HELD = ("received", "quarantined", "held")


@dataclass(frozen=True, slots=True)
class Figures:
    """How many of each state; `quarantine`: what is held, by the codes of `core.held.Why`; `oldest_due`: when the

    longest waiting mail of the outbox was due, None if none waits.
    """

    open_tickets: dict[str, int]
    outbox: dict[str, int]
    held: dict[str, int]
    quarantine: dict[str, int]
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
            quarantine=_quarantine(connection, desk),
            oldest_due=connection.execute(due).scalar(),
        )


def _quarantine(connection: Connection, desk: int) -> dict[str, int]:
    """How many mails are held for each reason."""
    has_sender = (INBOUND.c.sender != "").label("has_sender")
    on_ticket = INBOUND.c.ticket_id.is_not(None).label("on_ticket")
    sorts = (INBOUND.c.state, INBOUND.c.rule, INBOUND.c.kind, INBOUND.c.partial, has_sender, on_ticket)
    query = (
        select(*sorts, func.count().label("mails"))
        .where(INBOUND.c.desk_id == desk, INBOUND.c.state.in_(("quarantined", "held")))
        .group_by(*sorts)
    )
    found = dict.fromkeys((why.value for why in Why), 0)
    for row in connection.execute(query):
        why = why_held(
            state=row.state, rule=row.rule, kind=row.kind, partial=row.partial, has_sender=bool(row.has_sender),
            on_ticket=bool(row.on_ticket),
        )  # fmt: skip
        found[why] += row.mails
    return found
