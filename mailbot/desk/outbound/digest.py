"""One mail for what agents were not notified of one by one: a flood of replies on a ticket, reports of a machine.

In: a context. Out: notices in the outbox, one for each ticket with digested replies, one for all digested reports.
Whatever was digested is named once. `ticket.auto_reply_limits` says when notifications are digested; nothing else is
lost or withheld by it.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from mailbot.desk.context import Context
from mailbot.desk.outbound.auto_reply_guard import digested
from mailbot.desk.outbound.notifications import Notifications
from mailbot.mail.message import MessageKind
from mailbot.ticket.auto_reply_limits import Limit
from mailbot.ticket.events import Topic
from mailbot.ticket.ticket import concerned

SHOWN = 50  # replies of a ticket
CHARACTERS = 300  # of each


def send_digest(context: Context, notifications: Notifications) -> int:
    """Notify agents of what was digested, if it is time; return how many notifications that stands for."""
    rows = digested(context)
    reports = [ticket_id for limit, ticket_id in rows if limit is Limit.REPORTS]
    replies = Counter(ticket_id for limit, ticket_id in rows if limit is Limit.NOTIFICATIONS)
    for ticket_id, count in replies.items():
        _send_replies(context, notifications, ticket_id, count)
    if reports:
        _send_reports(context, notifications, reports)
    return len(rows)


def _send_replies(context: Context, notifications: Notifications, ticket_id: int, count: int) -> None:
    stored = context.work.ticket_by_id(ticket_id)
    if stored is None:
        return
    replies = [m for m in context.work.messages(ticket_id) if m.kind == MessageKind.REPLY.value][-count:]
    lines = [f"{_time(context, m.at)} {m.author_name or m.author}: {_short(m.text)}" for m in replies[-SHOWN:]]
    facts = {"count": str(count), "words": "\n".join(lines)}
    notifications.notify(context, stored, concerned(stored.ticket, context.policy), Topic.DIGESTED, facts)


def _send_reports(context: Context, notifications: Notifications, ticket_ids: list[int]) -> None:
    ends = sorted(
        (stored.ticket for stored in context.work.tickets_by_id({min(ticket_ids), max(ticket_ids)}).values()),
        key=lambda ticket: ticket.number,
    )
    if not ends:
        return
    numbers = " … ".join(f"#{ticket.number}" for ticket in ends)
    to = concerned(ends[-1], context.policy) or context.policy.leads
    notifications.notify(context, None, to, Topic.DIGESTED, {"count": str(len(ticket_ids)), "numbers": numbers})


def _time(context: Context, at: datetime) -> str:
    return f"{at.astimezone(context.profile.zone):%H:%M}"


def _short(text: str) -> str:
    plain = " ".join(text[: 4 * CHARACTERS].split())
    return plain if len(plain) <= CHARACTERS else plain[: CHARACTERS - 1] + "…"
