"""Counts for monitoring: what is open, waiting and held, each from an index."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, func, select

from mailbot.mail.subject import clean_subject
from mailbot.runtime.status import QueueStatus
from mailbot.store.engine import Store
from mailbot.store.tables import (
    AUTOMATIC,
    INBOUND,
    OUTBOX,
    TICKET,
)
from mailbot.ticket.quarantine import QuarantinedMail, QuarantineReason, quarantine_reason

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
    found = dict.fromkeys((why.value for why in QuarantineReason), 0)
    for row in connection.execute(query):
        mail = QuarantinedMail(
            state=row.state, rule=row.rule, kind=row.kind, partial=row.partial, has_sender=bool(row.has_sender),
            on_ticket=bool(row.on_ticket),
        )  # fmt: skip
        found[quarantine_reason(mail)] += row.mails
    return found


# From so many on, the newest of them are looked at.
WORTH_NAMING = 100


_LOOKED_AT = 600


_KINDS = frozenset({"acknowledgement", "status", "notice"})


_LONGEST = 80


def automatic_since(store: Store, since: datetime) -> tuple[int, str]:
    """How many automatic mails were written to people since then, and what most of the newest have in common."""
    with store.reading() as connection:
        of_desk = select(AUTOMATIC.c.number).where(AUTOMATIC.c.desk_id == store.desk_id, AUTOMATIC.c.at > since)
        first = connection.execute(of_desk.order_by(AUTOMATIC.c.at, AUTOMATIC.c.number).limit(1)).scalar()
        if first is None:
            return 0, ""
        newest = of_desk.order_by(AUTOMATIC.c.at.desc(), AUTOMATIC.c.number.desc()).limit(1)
        count = int(connection.execute(newest).scalar_one()) - int(first) + 1  # the numbers have no gaps
        if count < WORTH_NAMING:
            return count, ""
        rows = connection.execute(_newest_letters(store.desk_id)).all()
    wanted = [row for row in rows if row.kind in _KINDS]
    titles = Counter(_title(row.subject) for row in wanted)
    domains = Counter(row.recipient.rpartition("@")[2] for row in wanted)
    if not wanted:
        return count, ""
    [(title, alike)], [(domain, neighbours)] = titles.most_common(1), domains.most_common(1)
    return count, f"“{title}” {alike}/{len(wanted)}, @{domain} {neighbours}/{len(wanted)}"


def _newest_letters(desk_id: int) -> Select[tuple[str, str, str]]:
    query = select(OUTBOX.c.kind, OUTBOX.c.recipient, OUTBOX.c.subject).where(OUTBOX.c.desk_id == desk_id)
    return query.order_by(OUTBOX.c.id.desc()).limit(_LOOKED_AT)


def _title(subject: str) -> str:
    """A mail's title without our number."""
    return clean_subject(subject.partition(" - ")[2] or subject)[:_LONGEST]


def waiting(store: Store, quarantined_after: datetime) -> QueueStatus:
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
        return QueueStatus(
            waiting=count,
            failed=connection.execute(failed).scalar_one(),
            oldest=oldest,
            oldest_due=oldest_due,
            quarantined=quarantined,
            quarantined_since=since,
            held=connection.execute(held).scalar_one(),
        )
