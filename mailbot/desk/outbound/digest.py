"""What agents were not told one by one, in one mail: replies on a ticket that came too often, reports of a machine.

In: a turn. Out: notices in the outbox, one for each ticket with folded replies, one for all folded reports. Whatever
was folded is named once. `core.restraint` says when notifications are folded; nothing else is lost or held by it.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from mailbot.desk.context import Context
from mailbot.desk.outbound.auto_reply_guard import digested
from mailbot.mail.message import MessageKind
from mailbot.ticket.auto_reply_limits import Limit
from mailbot.ticket.events import Topic
from mailbot.ticket.ticket import concerned

SHOWN = 50  # replies of a ticket
CHARACTERS = 300  # of each


def summarise(turn: Context) -> int:
    """Tell agents what was folded, if it is time; how many notifications that were."""
    rows = digested(turn)
    reports = [ticket_id for cap, ticket_id in rows if cap is Limit.REPORTS]
    replies = Counter(ticket_id for cap, ticket_id in rows if cap is Limit.NOTIFICATIONS)
    for ticket_id, many in replies.items():
        _tell_replies(turn, ticket_id, many)
    if reports:
        _tell_reports(turn, reports)
    return len(rows)


def _tell_replies(turn: Context, ticket_id: int, many: int) -> None:
    loaded = turn.work.tickets_by_id([ticket_id]).get(ticket_id)
    if loaded is None:
        return
    came = [m for m in turn.work.messages(ticket_id) if m.kind == MessageKind.REPLY.value][-many:]
    lines = [f"{_clock(turn, m.at)} {m.author_name or m.author}: {_short(m.text)}" for m in came[-SHOWN:]]
    facts = {"count": str(many), "words": "\n".join(lines)}
    turn.post.tell(turn, loaded, concerned(loaded.ticket, turn.policy), Topic.DIGESTED, facts)


def _tell_reports(turn: Context, ticket_ids: list[int]) -> None:
    ends = sorted(
        (loaded.ticket for loaded in turn.work.tickets_by_id({min(ticket_ids), max(ticket_ids)}).values()),
        key=lambda ticket: ticket.number,
    )
    if not ends:
        return
    numbers = " … ".join(f"#{ticket.number}" for ticket in ends)
    to = concerned(ends[-1], turn.policy) or turn.policy.leads
    turn.post.tell(turn, None, to, Topic.DIGESTED, {"count": str(len(ticket_ids)), "numbers": numbers})


def _clock(turn: Context, at: datetime) -> str:
    return f"{at.astimezone(turn.profile.zone):%H:%M}"


def _short(text: str) -> str:
    plain = " ".join(text[: 4 * CHARACTERS].split())
    return plain if len(plain) <= CHARACTERS else plain[: CHARACTERS - 1] + "…"
