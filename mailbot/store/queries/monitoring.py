"""Counts for monitoring, each from an index: open tickets, the outbox, the quarantine, automatic mail.

In: a `Store`. Out: frozen values.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, Table, func, select

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


# Automatic mail is described by what its mails have in common from this number on …
WORTH_NAMING = 100
# … as found in this many of the newest mails, with subjects cut to this length.
_LOOKED_AT = 600
_LONGEST = 80
_KINDS = frozenset({"acknowledgement", "status", "notice"})


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of tickets and mails."""

    open_tickets: dict[str, int]  #: by status
    outbox: dict[str, int]  #: by state
    held: dict[str, int]  #: received mail that is not processed, by state
    quarantine: dict[str, int]  #: by `QuarantineReason`
    oldest_due: datetime | None  #: when the pending mail that waits longest was due


def counts(store: Store) -> Counts:
    """Return the present counts."""
    desk = store.desk_id
    with store.reading() as connection:

        def count(table: Table, states: tuple[str, ...], column: str) -> dict[str, int]:
            key = table.c[column]
            query = select(key, func.count()).where(table.c.desk_id == desk, key.in_(states)).group_by(key)
            return dict.fromkeys(states, 0) | {row[0]: row[1] for row in connection.execute(query)}

        due = select(func.min(OUTBOX.c.next_attempt_at)).where(OUTBOX.c.desk_id == desk, OUTBOX.c.state == "pending")
        return Counts(
            open_tickets=count(TICKET, OPEN, "status"),
            outbox=count(OUTBOX, UNSENT, "state"),
            held=count(INBOUND, HELD, "state"),
            quarantine=_quarantine(connection, desk),
            oldest_due=connection.execute(due).scalar(),
        )


def _quarantine(connection: Connection, desk: int) -> dict[str, int]:
    """Return how many mails are in quarantine for each reason."""
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


def automatic_since(store: Store, since: datetime) -> tuple[int, str]:
    """Return how many automatic mails were written to people since then, and what most of the newest share."""
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
    """Return a mail's subject without the ticket number."""
    return clean_subject(subject.partition(" - ")[2] or subject)[:_LONGEST]


def queue_status(store: Store, quarantined_after: datetime) -> QueueStatus:
    """Return the state of outbox and quarantine; of the latter also what was quarantined after a moment."""
    desk = store.desk_id
    with store.reading() as connection:
        unsent = select(func.count(), func.min(OUTBOX.c.created_at), func.min(OUTBOX.c.next_attempt_at)).where(
            OUTBOX.c.desk_id == desk, OUTBOX.c.state.in_(("pending", "sending"))
        )
        count, oldest, oldest_due = connection.execute(unsent).one()
        failed = select(func.count()).where(OUTBOX.c.desk_id == desk, OUTBOX.c.state == "failed")
        quarantine = (INBOUND.c.desk_id == desk, INBOUND.c.state == "quarantined")
        lately = select(func.count(), func.min(INBOUND.c.received_at)).where(
            *quarantine, INBOUND.c.received_at > quarantined_after
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
