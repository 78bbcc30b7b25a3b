"""What `core.restraint` counts, from rows that are written in the same commit as the mail that they stand for.

In: a transaction, the keys of one mail, the limits. Out: `Counted`, and rows in `automatic_mail` and `withheld`. So the
counts survive a restart and hold for all workers on one database (what another worker has not committed yet is not
seen: several may each go past a cap by one mail). Each count is a bounded look into one index. Addresses are kept as
keyed hashes, and no longer than the longest window: `record` clears away what is older as it goes.
Never: decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)

from mailbot.store.statements import CompiledStatement
from mailbot.store.tables import (
    AUTOMATIC,
    MESSAGE,
    OUTBOX,
    WITHHELD,
)
from mailbot.ticket.auto_reply_limits import (
    RALLY,
    Counted,
    Limit,
    Limits,
    is_turn,
)

CLEAR_EVERY = 500  # mails
KEPT = 2  # longest windows


@dataclass(frozen=True, slots=True)
class Keys:
    """By what a mail is counted; the numbers are keyed hashes, of a shared domain None. `received_at`: of the mail

    that it would answer, None where it answers none.
    """

    recipient: str
    mailbox: int
    ticket: int | None = None
    domain: int | None = None
    alike: tuple[int, int] | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts, and what the row of this mail will hold if it is written."""

    counted: Counted
    number: int
    domain_turn: bool = False
    alike_turn: bool = False
    pace: int | None = None


class AutoReplyCounts:
    """The counters inside one transaction."""

    def __init__(self, connection: Connection, desk_id: int, now: datetime) -> None:
        self._connection = connection
        self._desk_id = desk_id
        self._now = now

    def tally(self, keys: Keys, limits: Limits) -> Tally:
        """What was written so far. `Counted.echo` and `echoes` are the caller's to find out (`went_to_others`)."""
        [row] = _USUAL.rows(self._connection, self._usual(keys, limits))
        overall = row.newest - row.first + 1 if row.first is not None else 0
        counted = Counted(
            to_sender=row.to_sender,
            on_ticket=row.on_ticket,
            overall=overall,
            alike=row.alike,
            echoes=row.echoes,
            known=bool(row.known),
            shared=keys.domain is None,
        )
        tally = Tally(counted, (row.newest or 0) + 1)
        return self._with_turns(tally, keys, limits) if counted.newcomer and keys.received_at else tally

    def _usual(self, keys: Keys, limits: Limits) -> dict[str, Any]:
        return {
            "desk": self._desk_id, "recipient": keys.recipient, "mailbox": keys.mailbox,
            "ticket": keys.ticket if keys.ticket is not None else -1,
            "alike_a": keys.alike[0] if keys.alike else None, "alike_b": keys.alike[1] if keys.alike else None,
            "sender_since": self._now - limits.sender.per, "sender_limit": limits.sender.count,
            "ticket_since": self._now - limits.ticket.per, "ticket_limit": limits.ticket.count,
            "alike_since": self._now - limits.spread.per, "alike_looked_at": 2 * limits.spread.count,
            "echo_since": self._now - limits.echo.per, "echo_limit": limits.echo.count,
            "overall_since": self._now - limits.overall.per,
        }  # fmt: skip

    def _with_turns(self, tally: Tally, keys: Keys, limits: Limits) -> Tally:
        found = {
            row.what: row
            for row in _TURNS.rows(
                self._connection,
                {
                    "desk": self._desk_id, "domain": keys.domain,
                    "alike_a": keys.alike[0] if keys.alike else None, "alike_b": keys.alike[1] if keys.alike else None,
                    "domain_since": self._now - limits.domain.per, "domain_limit": limits.domain.looked_at,
                    "alike_since": self._now - limits.alike.per, "alike_limit": limits.alike.looked_at,
                    "pace_since": self._now - limits.overall.per, "pace_limit": RALLY,
                },
            )
        }  # fmt: skip
        domain, pace = found["domain"], found["pace"]
        alike = max((found["alike_a"], found["alike_b"]), key=lambda row: int(row.turns))
        paces = None
        if pace.turns == RALLY:
            paces = (timedelta(microseconds=pace.least), timedelta(microseconds=pace.greatest))
        in_turn = is_turn(keys.received_at, pace.last)
        counted = _replaced(tally.counted, domain, alike.turns, paces)
        return Tally(
            counted,
            tally.number,
            domain_turn=is_turn(keys.received_at, domain.last),
            alike_turn=is_turn(keys.received_at, alike.last),
            pace=(keys.received_at - pace.last) // timedelta(microseconds=1) if in_turn and keys.received_at else None,
        )

    def record(self, keys: Keys, tally: Tally, sort: str, limits: Limits) -> None:
        """This mail is written."""
        _RECORD.run(
            self._connection,
            {
                "desk_id": self._desk_id, "at": self._now, "number": tally.number, "mailbox": keys.mailbox,
                "ticket": keys.ticket, "domain": keys.domain, "alike_a": keys.alike[0] if keys.alike else None,
                "alike_b": keys.alike[1] if keys.alike else None, "domain_turn": tally.domain_turn,
                "alike_turn": tally.alike_turn, "sort": sort, "pace": tally.pace,
            },
        )  # fmt: skip
        if tally.number % CLEAR_EVERY == 0:
            spans = (limits.of(cap).per for cap in Limit)
            old = AUTOMATIC.c.at < self._now - KEPT * max(spans)
            self._connection.execute(delete(AUTOMATIC).where(AUTOMATIC.c.desk_id == self._desk_id, old))

    def sent_in(self, mailbox: int, since: datetime, limit: int) -> int:
        """How many mails were recorded for this key since then, counted up to `limit`."""
        found = {"desk": self._desk_id, "mailbox": mailbox, "sender_since": since, "sender_limit": limit}
        return int(_OF_MAILBOX.scalar(self._connection, found))

    def went_to_others(self, message_ids: Sequence[str], person: str) -> bool:
        """Is one of these the Message-ID of a mail that we sent to somebody else, and none of one to this person?"""
        query = select(OUTBOX.c.recipient).where(
            OUTBOX.c.desk_id == self._desk_id,
            OUTBOX.c.message_id.in_(list(message_ids)),
            OUTBOX.c.state != "suppressed",
        )
        found = set(self._connection.scalars(query))
        return bool(found) and person not in found

    def withhold(self, cap: Limit, ticket_id: int | None, since: datetime) -> bool:
        """This mail is not written; is it the first of its cap since then?"""
        earlier = select(WITHHELD.c.id).where(
            WITHHELD.c.desk_id == self._desk_id, WITHHELD.c.cap == cap.value, WITHHELD.c.at > since
        )
        first = self._connection.execute(earlier.limit(1)).first() is None
        row = {"desk_id": self._desk_id, "at": self._now, "cap": cap.value, "ticket_id": ticket_id, "listed": False}
        self._connection.execute(insert(WITHHELD), row)
        return first

    def withheld_since(self, caps: Sequence[Limit], since: datetime, limit: int) -> int:
        """How many mails were not written under these caps, counted up to `limit`."""
        some = (
            select(WITHHELD.c.id)
            .where(
                WITHHELD.c.desk_id == self._desk_id, WITHHELD.c.cap.in_([c.value for c in caps]), WITHHELD.c.at > since
            )
            .limit(limit)
        )
        return int(self._connection.execute(select(func.count()).select_from(some.subquery("bounded"))).scalar_one())

    def replies_exceed(self, ticket_id: int, since: datetime, limit: int) -> bool:
        """Did more than `limit` replies come on this ticket since then?"""
        at = _REPLY_BEFORE.scalar(self._connection, {"ticket": ticket_id, "skipped": limit})
        return at is not None and at > since

    def folded(self, before: datetime) -> list[tuple[Limit, int]]:
        """Folded notifications that no summary has named, if their first is older than this; now they are named."""
        found: list[tuple[Limit, int]] = []
        for cap in (Limit.REPORTS, Limit.NOTIFICATIONS):
            unnamed = (
                WITHHELD.c.desk_id == self._desk_id, WITHHELD.c.listed.is_(False), WITHHELD.c.cap == cap.value
            )  # fmt: skip
            oldest = self._connection.execute(select(func.min(WITHHELD.c.at)).where(*unnamed)).scalar()
            if oldest is not None and oldest <= before:
                rows = self._connection.execute(select(WITHHELD.c.ticket_id).where(*unnamed).order_by(WITHHELD.c.at))
                found += [(cap, row.ticket_id) for row in rows]
                self._connection.execute(update(WITHHELD).where(*unnamed).values(listed=True))
        return found


def _replaced(counted: Counted, domain: Any, alike: int, paces: tuple[timedelta, timedelta] | None) -> Counted:
    return Counted(
        counted.to_sender, counted.on_ticket, counted.overall, counted.alike, counted.echoes, counted.known,
        counted.shared, counted.echo, domain.turns, alike, (domain.greatest or 0) - (domain.least or 0) + 1, paces,
    )  # fmt: skip


# The queries, compiled once. Times and limits are parameters; every inner select ends at its limit.


def _since(name: str) -> Any:
    return bindparam(name, type_=AUTOMATIC.c.at.type)


def _number(name: str) -> Any:
    return bindparam(name, type_=Integer)


def _key(name: str) -> Any:
    return bindparam(name, type_=BigInteger)


def _count(column: Any, value: Any, what: str) -> Any:
    """How many rows have this key, up to the limit."""
    some = (
        select(literal(1).label("one"))
        .where(AUTOMATIC.c.desk_id == _number("desk"), column == value, AUTOMATIC.c.at > _since(f"{what}_since"))
        .limit(_number(f"{what}_limit"))
        .subquery("bounded")
    )
    return select(func.count()).select_from(some)


def _same_words() -> Any:
    """How many of the last mails with the first key of `core.likeness` have the second, too: those with one of them

    are no more than similar, and in a flood, where all write of one fault, there are many.
    """
    last = (
        select(AUTOMATIC.c.alike_b)
        .where(
            AUTOMATIC.c.desk_id == _number("desk"), AUTOMATIC.c.alike_a == _key("alike_a"),
            AUTOMATIC.c.at > _since("alike_since"),
        )
        .order_by(AUTOMATIC.c.at.desc())
        .limit(_number("alike_looked_at"))
        .subquery("bounded")
    )  # fmt: skip
    return select(func.count(case((last.c.alike_b == _key("alike_b"), 1))))


def _turns(name: str, column: Any, turn: Any, what: str) -> Any:
    """Of the last mails with this key: how many were turns, and when the last one was written."""
    last = (
        select(AUTOMATIC.c.at, AUTOMATIC.c.number, turn.label("turn"))
        .where(AUTOMATIC.c.desk_id == _number("desk"), column == _key(name), AUTOMATIC.c.at > _since(f"{what}_since"))
        .order_by(AUTOMATIC.c.at.desc())
        .limit(_number(f"{what}_limit"))
        .subquery("bounded")
    )
    return select(
        literal(name).label("what"), func.count(case((last.c.turn, 1))).label("turns"),
        func.min(last.c.number).label("least"), func.max(last.c.number).label("greatest"),
        func.max(last.c.at).label("last"),
    )  # fmt: skip


def _paces() -> Any:
    last = (
        select(AUTOMATIC.c.at, AUTOMATIC.c.pace)
        .where(
            AUTOMATIC.c.desk_id == _number("desk"),
            AUTOMATIC.c.sort == "newcomer",
            AUTOMATIC.c.at > _since("pace_since"),
        )
        .order_by(AUTOMATIC.c.at.desc())
        .limit(_number("pace_limit"))
        .subquery("bounded")
    )
    return select(
        literal("pace").label("what"), func.count(last.c.pace).label("turns"), func.min(last.c.pace).label("least"),
        func.max(last.c.pace).label("greatest"), func.max(last.c.at).label("last"),
    )  # fmt: skip


_REPLY_BEFORE = CompiledStatement(
    select(MESSAGE.c.at)
    .where(MESSAGE.c.ticket_id == bindparam("ticket"), MESSAGE.c.kind == "reply")
    .order_by(MESSAGE.c.id.desc())
    .limit(1)
    .offset(_number("skipped"))
)
_IN_ORDER = select(AUTOMATIC.c.number).where(AUTOMATIC.c.desk_id == _number("desk"))
_COUNT_OF_MAILBOX = _count(AUTOMATIC.c.mailbox, _key("mailbox"), "sender")
_OF_MAILBOX = CompiledStatement(_COUNT_OF_MAILBOX)
_USUAL = CompiledStatement(
    select(
        _COUNT_OF_MAILBOX.scalar_subquery().label("to_sender"),
        _count(AUTOMATIC.c.ticket, _key("ticket"), "ticket").scalar_subquery().label("on_ticket"),
        _same_words().scalar_subquery().label("alike"),
        _count(AUTOMATIC.c.sort, literal("echo"), "echo").scalar_subquery().label("echoes"),
        _IN_ORDER.order_by(AUTOMATIC.c.at.desc(), AUTOMATIC.c.number.desc()).limit(1).scalar_subquery().label("newest"),
        _IN_ORDER.where(AUTOMATIC.c.at > _since("overall_since"))
        .order_by(AUTOMATIC.c.at, AUTOMATIC.c.number)
        .limit(1)
        .scalar_subquery()
        .label("first"),
        # an agent has answered them once: a person, whatever their mail looks like today
        exists()
        .where(
            OUTBOX.c.desk_id == _number("desk"), OUTBOX.c.recipient == bindparam("recipient"), OUTBOX.c.kind == "answer"
        )
        .label("known"),
    )
)
_TURNS = CompiledStatement(
    select(
        union_all(
            _turns("domain", AUTOMATIC.c.domain, AUTOMATIC.c.domain_turn, "domain"),
            _turns("alike_a", AUTOMATIC.c.alike_a, AUTOMATIC.c.alike_turn, "alike"),
            _turns("alike_b", AUTOMATIC.c.alike_b, AUTOMATIC.c.alike_turn, "alike"),
            _paces(),
        ).subquery("bounded")
    )
)
_RECORD = CompiledStatement(insert(AUTOMATIC), [column.name for column in AUTOMATIC.c if column.name != "id"])
