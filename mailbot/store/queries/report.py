"""Report on a period: daily volumes, response and resolution times, by agent and by program, and follow-ups.

In: a `Store` and a period. Out: a `Report`. It reads every ticket that changed in the period, and its messages: a
hundred thousand tickets take seconds, which a report may; no other query of mailbot reads as much.

Definitions:
- first response: from the opening to an agent's first answer that the requester saw, of tickets opened in the period;
- resolution: from the opening to the closing, of tickets closed in the period;
- spam and merged tickets count as opened (and as `spam`, `merged`), but for neither of these times;
- follow-up rate: the share of tickets closed in the period whose requester opened a follow-up.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select

from mailbot.runtime.clock import rfc3339
from mailbot.store.engine import Store
from mailbot.store.tables import MESSAGE, TICKET, AnyRow
from mailbot.ticket.ticket import (
    CloseReason,
    Role,
    Status,
)

# Not: spam, merged, and tickets that were closed because their requester was erased.
_HANDLED = {CloseReason.SOLVED.value, CloseReason.NO_REPLY.value}


class _Ticket(NamedTuple):
    """The columns of a ticket that are counted."""

    id: int
    number: int
    created_at: datetime
    closed_at: datetime | None
    close_reason: str | None
    agent: str
    program: str
    follow_up_of: int | None


class _Message(NamedTuple):
    """The columns of a message that are counted."""

    ticket_id: int
    at: datetime
    author: str
    author_role: str
    kind: str


@dataclass(frozen=True, slots=True)
class Times:
    """Statistics of durations, in seconds; None where there are none."""

    count: int = 0
    median: float | None = None
    p90: float | None = None  #: the 90th percentile

    def as_json(self) -> dict[str, Any]:
        """Return {"count", "median_seconds", "p90_seconds"}."""
        return {"count": self.count, "median_seconds": self.median, "p90_seconds": self.p90}


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one agent or program in the report."""

    name: str  #: an address, a program, or "" (none)
    opened: int
    closed: int
    answers: int
    follow_ups: int
    first_response: Times
    resolution: Times


@dataclass(frozen=True, slots=True)
class Day:
    """One day in the desk's time zone."""

    day: date
    opened: int
    closed: int
    replies: int  #: people's messages on existing tickets
    answers: int  #: agents' messages to people


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report."""

    since: datetime
    until: datetime
    zone: tzinfo
    opened: int
    closed: int
    spam: int
    merged: int
    follow_ups: int
    follow_up_rate: float | None
    open_now: dict[str, int]  #: open tickets by status at `until`, whenever they were opened
    first_response: Times
    resolution: Times
    days: tuple[Day, ...]
    agents: tuple[Share, ...]
    programs: tuple[Share, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the output of `mailbot report --json`."""
        return {
            "since": rfc3339(self.since, self.zone),
            "until": rfc3339(self.until, self.zone),
            "opened": self.opened,
            "closed": self.closed,
            "spam": self.spam,
            "merged": self.merged,
            "follow_ups": self.follow_ups,
            "follow_up_rate": self.follow_up_rate,
            "open_now": self.open_now,
            "first_response": self.first_response.as_json(),
            "resolution": self.resolution.as_json(),
            "days": [
                {
                    "day": day.day.isoformat(),
                    "opened": day.opened,
                    "closed": day.closed,
                    "replies": day.replies,
                    "answers": day.answers,
                }
                for day in self.days
            ],
            "agents": [_share_as_json("agent", share) for share in self.agents],
            "programs": [_share_as_json("program", share) for share in self.programs],
        }


def report(store: Store, since: datetime, now: datetime | None = None, *, zone: tzinfo = UTC) -> Report:
    """Return the report from `since` until `now` (default: the store's clock), with the days of `zone`."""
    tally = _Tally(since, now or store.clock.now(), zone)
    with store.reading() as connection:
        open_now = _open_now(connection, store.desk_id)
        tally.take_tickets(_tickets(connection, store.desk_id, since))
        tally.take_messages(_messages(connection, store.desk_id, since))
    return tally.report(open_now)


@dataclass(slots=True)
class _Tally:
    """Counters that are fed with rows: first the tickets, then their messages."""

    since: datetime
    until: datetime
    zone: tzinfo
    tickets: dict[int, _Ticket] = field(default_factory=dict)
    followed: set[int] = field(default_factory=set)
    first_answer: dict[int, tuple[datetime, str]] = field(default_factory=dict)
    replies: Counter[date] = field(default_factory=Counter)
    answers: Counter[date] = field(default_factory=Counter)
    answers_by_agent: Counter[str] = field(default_factory=Counter)
    answers_by_program: Counter[str] = field(default_factory=Counter)

    def take_tickets(self, rows: Iterable[_Ticket]) -> None:
        for row in rows:
            self.tickets[row.id] = row
            if row.follow_up_of is not None:
                self.followed.add(row.follow_up_of)

    def take_messages(self, rows: Iterable[_Message]) -> None:
        """Count messages, which come in the order of their tickets and, on each, oldest first."""
        for row in rows:
            in_span = self._in_span(row.at)
            if row.author_role == Role.AGENT.value:
                self.first_answer.setdefault(row.ticket_id, (row.at, row.author))
                if in_span:
                    self.answers[self._day(row.at)] += 1
                    self.answers_by_agent[row.author] += 1
                    self.answers_by_program[self.tickets[row.ticket_id].program] += 1
            elif in_span and row.kind == "reply":
                self.replies[self._day(row.at)] += 1

    def report(self, open_now: dict[str, int]) -> Report:
        opened = [row for row in self.tickets.values() if self._in_span(row.created_at)]
        ended = [row for row in self.tickets.values() if row.closed_at is not None and self._in_span(row.closed_at)]
        closed = [row for row in ended if row.close_reason in _HANDLED]
        came_back = sum(1 for row in closed if row.number in self.followed)
        reasons = Counter(row.close_reason for row in ended)
        return Report(
            since=self.since,
            until=self.until,
            zone=self.zone,
            opened=len(opened),
            closed=len(closed),
            spam=reasons[CloseReason.SPAM.value],
            merged=reasons[CloseReason.MERGED.value],
            follow_ups=sum(1 for row in opened if row.follow_up_of is not None),
            follow_up_rate=round(came_back / len(closed), 4) if closed else None,
            open_now=open_now,
            first_response=self._first_response(opened),
            resolution=_resolution(closed),
            days=self._days(opened, closed),
            agents=self._agents(opened, closed),
            programs=self._programs(opened, closed),
        )

    def _days(self, opened: Sequence[_Ticket], closed: Sequence[_Ticket]) -> tuple[Day, ...]:
        """Return every day of the period, including those on which nothing happened."""
        opened_on = Counter(self._day(row.created_at) for row in opened)
        closed_on = Counter(self._day(row.closed_at) for row in closed if row.closed_at is not None)
        first, last = self._day(self.since), self._day(self.until)
        every = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return tuple(Day(day, opened_on[day], closed_on[day], self.replies[day], self.answers[day]) for day in every)

    def _agents(self, opened: Sequence[_Ticket], closed: Sequence[_Ticket]) -> tuple[Share, ...]:
        """Credit a first response to its author; opening and closing to the ticket's agent."""
        answered: dict[str, list[_Ticket]] = defaultdict(list)
        for row in opened:
            if row.id in self.first_answer:
                answered[self.first_answer[row.id][1]].append(row)
        return self._shares(_by(opened, "agent"), _by(closed, "agent"), answered, self.answers_by_agent)

    def _programs(self, opened: Sequence[_Ticket], closed: Sequence[_Ticket]) -> tuple[Share, ...]:
        new = _by(opened, "program")
        return self._shares(new, _by(closed, "program"), new, self.answers_by_program)

    def _shares(
        self,
        opened: Mapping[str, list[_Ticket]],
        closed: Mapping[str, list[_Ticket]],
        answered: Mapping[str, list[_Ticket]],
        answers: Counter[str],
    ) -> tuple[Share, ...]:
        return tuple(
            Share(
                name,
                len(opened.get(name, ())),
                len(closed.get(name, ())),
                answers[name],
                sum(1 for row in closed.get(name, ()) if row.number in self.followed),
                self._first_response(answered.get(name, ())),
                _resolution(closed.get(name, ())),
            )
            for name in sorted({*opened, *closed, *answered, *answers})
        )

    def _first_response(self, opened: Iterable[_Ticket]) -> Times:
        handled = (row for row in opened if row.id in self.first_answer and not self._is_void(row))
        return _times([self.first_answer[row.id][0] - row.created_at for row in handled])

    @staticmethod
    def _is_void(row: _Ticket) -> bool:
        return row.closed_at is not None and row.close_reason not in _HANDLED

    def _in_span(self, moment: datetime) -> bool:
        return self.since <= moment <= self.until

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


def _tickets(connection: Connection, desk_id: int, since: datetime) -> Iterable[_Ticket]:
    """Read tickets that were opened, closed or written to in the period: each of these changes `updated_at`."""
    query = select(*(TICKET.c[name] for name in _Ticket._fields))
    changed = query.where(TICKET.c.desk_id == desk_id, TICKET.c.updated_at >= since)
    return map(_Ticket._make, _streamed(connection, changed))


def _messages(connection: Connection, desk_id: int, since: datetime) -> Iterable[_Message]:
    """Read what people wrote on those tickets, and what agents wrote to them."""
    query = (
        select(*(MESSAGE.c[name] for name in _Message._fields))
        .join(TICKET, TICKET.c.id == MESSAGE.c.ticket_id)
        .where(TICKET.c.desk_id == desk_id, TICKET.c.updated_at >= since)
        .where(MESSAGE.c.direction == "in", MESSAGE.c.public.is_(True), MESSAGE.c.author_role != Role.SYSTEM.value)
        .order_by(MESSAGE.c.ticket_id, MESSAGE.c.id)
    )
    return map(_Message._make, _streamed(connection, query))


def _streamed(connection: Connection, query: Select[Any]) -> Iterable[AnyRow]:
    return connection.execution_options(yield_per=1000).execute(query)


def _open_now(connection: Connection, desk_id: int) -> dict[str, int]:
    """Count the tickets of each status but `closed`; each count reads its part of ix_ticket_status."""
    found = {}
    for status in (Status.QUEUED, Status.IN_PROGRESS, Status.WAITING):
        query = select(func.count()).where(TICKET.c.desk_id == desk_id, TICKET.c.status == status.value)
        found[status.value] = int(connection.execute(query).scalar_one())
    return found


def _resolution(closed: Iterable[_Ticket]) -> Times:
    return _times([row.closed_at - row.created_at for row in closed if row.closed_at is not None])


def _times(spans: Sequence[timedelta]) -> Times:
    if not spans:
        return Times()
    seconds = sorted(span.total_seconds() for span in spans)
    return Times(len(seconds), round(median(seconds), 1), round(seconds[math.ceil(0.9 * len(seconds)) - 1], 1))


def _by(rows: Iterable[_Ticket], name: str) -> dict[str, list[_Ticket]]:
    found: dict[str, list[_Ticket]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found


def _share_as_json(name: str, share: Share) -> dict[str, Any]:
    return {
        name: share.name or None,
        "opened": share.opened,
        "closed": share.closed,
        "answers": share.answers,
        "follow_ups": share.follow_ups,
        "first_response": share.first_response.as_json(),
        "resolution": share.resolution.as_json(),
    }
