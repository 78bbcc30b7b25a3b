"""The deadlines of tickets: which are due, and what fires then.

In: a context, and how far the inbox was read. Out: `TimerFired` applied to each ticket with a due deadline; the ticket
decides whether that is a reminder or its closing. Nothing fires that mail which was not read yet could still stop.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mailbot.desk.apply_event import apply_event
from mailbot.desk.context import Case, Context
from mailbot.ticket.events import TimerFired

BATCH = 50


def fire_due(context: Context, read: Mapping[int, datetime] | None) -> int:
    """Fire the deadlines of at most `BATCH` tickets, the most overdue first; return of how many.

    `read`: the mailboxes that were read, by their row's id, and the moment from which; tickets of the desk's other
    mailboxes wait. None: all that is due fires.
    """
    work = context.work
    due = work.due_tickets(work.now, BATCH, _read_through(context, read))
    for stored in work.tickets_by_id(due).values():
        timers = tuple(t for t in stored.ticket.timers if t.due_at <= work.now)
        if timers:  # else another worker was faster, while we waited for its lock
            apply_event(Case(context, stored), TimerFired(work.now, timers))
    work.drop_stray_timers(due)
    return len(due)


def _read_through(context: Context, read: Mapping[int, datetime] | None) -> dict[int, datetime | None] | None:
    """Return for each mailbox when its reading began, None for never; key 0 is for tickets of no mailbox."""
    if read is None:
        return None
    mailboxes = context.profile.mailboxes
    through: dict[int, datetime | None] = {box: read.get(box) for box in mailboxes}
    return through | {0: through[mailboxes[0]] if mailboxes else context.work.now}
