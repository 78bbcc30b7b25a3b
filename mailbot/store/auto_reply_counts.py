"""The counters of the auto-reply limits: rows that are committed together with the mail that they count.

In: a transaction, the keys of one mail, the limits. Out: `Counted` (ticket.auto_reply_limits), and rows in
`automatic_mail` and `withheld`. So the counts survive a restart and are shared by all workers on one database (what
another worker has not committed is invisible: each worker may exceed a limit by one mail). Each count reads a bounded
part of one index. Addresses are stored as keyed hashes, for no longer than the longest time window: `record` deletes
older rows from time to time.
Never: decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Select,
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

CLEAR_EVERY = 500  # automatic mails
KEPT = 2  # times the longest window


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys by which a mail is counted."""

    recipient: str
    mailbox: int  #: keyed hash of the address
    ticket: int | None = None
    domain: int | None = None  #: keyed hash, None for a shared domain
    alike: tuple[int, int] | None = None  #: keys of the answered mail's wording
    received_at: datetime | None = None  #: of the answered mail, None where it answers none


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts, and the values of this mail's row if it is written."""

    counted: Counted
    number: int
    domain_turn: bool = False
    alike_turn: bool = False
    pace: int | None = None


class _Usual(NamedTuple):
    """The row of `_USUAL`."""

    to_sender: int
    on_ticket: int
    alike: int
    echoes: int
    newest: int | None
    first: int | None
    known: bool


class _Turns(NamedTuple):
    """A row of `_TURNS`: the turns among the last mails with one key."""

    key: str
    turns: int
    least: int | None
    greatest: int | None
    last: datetime | None


class AutoReplyCounts:
    """The counters inside one transaction."""

    def __init__(self, connection: Connection, desk_id: int, now: datetime) -> None:
        self._connection = connection
        self._desk_id = desk_id
        self._now = now

    def tally(self, keys: Keys, limits: Limits) -> Tally:
        """Count what was written so far. `Counted.echo` is left to the caller (`went_to_others`)."""
        [row] = map(_Usual._make, _USUAL.rows(self._connection, self._usual(keys, limits)))
        overall = row.newest - row.first + 1 if row.newest is not None and row.first is not None else 0
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
            "ticket": keys.ticket if keys.ticket is not None else -1, **_wording(keys),
            "sender_since": self._now - limits.sender.per, "sender_limit": limits.sender.count,
            "ticket_since": self._now - limits.ticket.per, "ticket_limit": limits.ticket.count,
            "alike_since": self._now - limits.spread.per, "alike_looked_at": 2 * limits.spread.count,
            "echo_since": self._now - limits.echo.per, "echo_limit": limits.echo.count,
            "overall_since": self._now - limits.overall.per,
        }  # fmt: skip

    def _with_turns(self, tally: Tally, keys: Keys, limits: Limits) -> Tally:
        parameters = {
            "desk": self._desk_id, "domain": keys.domain, **_wording(keys),
            "domain_since": self._now - limits.domain.per, "domain_limit": limits.domain.looked_at,
            "alike_since": self._now - limits.alike.per, "alike_limit": limits.alike.looked_at,
            "pace_since": self._now - limits.overall.per, "pace_limit": RALLY,
        }  # fmt: skip
        found = {row.key: row for row in map(_Turns._make, _TURNS.rows(self._connection, parameters))}
        domain, pace = found["domain"], found["pace"]
        alike = max((found["alike_a"], found["alike_b"]), key=lambda row: row.turns)
        paces, since_last = None, None
        if pace.turns == RALLY and pace.least is not None and pace.greatest is not None:
            paces = (timedelta(microseconds=pace.least), timedelta(microseconds=pace.greatest))
        if keys.received_at and pace.last and is_turn(keys.received_at, pace.last):
            since_last = (keys.received_at - pace.last) // timedelta(microseconds=1)
        counted = replace(
            tally.counted, domain_turns=domain.turns, alike_turns=alike.turns,
            domain_span=(domain.greatest or 0) - (domain.least or 0) + 1, paces=paces,
        )  # fmt: skip
        return Tally(
            counted,
            tally.number,
            domain_turn=is_turn(keys.received_at, domain.last),
            alike_turn=is_turn(keys.received_at, alike.last),
            pace=since_last,
        )

    def record(self, keys: Keys, tally: Tally, sort: str, limits: Limits) -> None:
        """Record that this mail is written, and delete expired rows from time to time."""
        _RECORD.run(
            self._connection,
            {
                "desk_id": self._desk_id, "at": self._now, "number": tally.number, "mailbox": keys.mailbox,
                "ticket": keys.ticket, "domain": keys.domain, **_wording(keys), "domain_turn": tally.domain_turn,
                "alike_turn": tally.alike_turn, "sort": sort, "pace": tally.pace,
            },
        )  # fmt: skip
        if tally.number % CLEAR_EVERY == 0:
            spans = (limits.of(limit).per for limit in Limit)
            old = AUTOMATIC.c.at < self._now - KEPT * max(spans)
            self._connection.execute(delete(AUTOMATIC).where(AUTOMATIC.c.desk_id == self._desk_id, old))

    def sent_in(self, mailbox: int, since: datetime, limit: int) -> int:
        """Return how many mails were recorded for this key since then, counted up to `limit`."""
        found = {"desk": self._desk_id, "mailbox": mailbox, "sender_since": since, "sender_limit": limit}
        return int(_OF_MAILBOX.scalar(self._connection, found))

    def went_to_others(self, message_ids: Sequence[str], person: str) -> bool:
        """Tell whether these are Message-IDs of mail that we sent to others, and none of mail to this person."""
        query = select(OUTBOX.c.recipient).where(
            OUTBOX.c.desk_id == self._desk_id,
            OUTBOX.c.message_id.in_(list(message_ids)),
            OUTBOX.c.state != "suppressed",
        )
        found = set(self._connection.scalars(query))
        return bool(found) and person not in found

    def withhold(self, limit: Limit, ticket_id: int | None, since: datetime) -> bool:
        """Record that a mail is withheld; tell whether it is the first one under this limit since then."""
        earlier = select(WITHHELD.c.id).where(
            WITHHELD.c.desk_id == self._desk_id, WITHHELD.c.cap == limit.value, WITHHELD.c.at > since
        )
        first = self._connection.execute(earlier.limit(1)).first() is None
        row = {"desk_id": self._desk_id, "at": self._now, "cap": limit.value, "ticket_id": ticket_id, "listed": False}
        self._connection.execute(insert(WITHHELD), row)
        return first

    def withheld_since(self, limits: Sequence[Limit], since: datetime, most: int) -> int:
        """Return how many mails were withheld under these limits, counted up to `most`."""
        some = (
            select(WITHHELD.c.id)
            .where(
                WITHHELD.c.desk_id == self._desk_id,
                WITHHELD.c.cap.in_([c.value for c in limits]),
                WITHHELD.c.at > since,
            )
            .limit(most)
        )
        return int(self._connection.execute(select(func.count()).select_from(some.subquery("bounded"))).scalar_one())

    def replies_exceed(self, ticket_id: int, since: datetime, limit: int) -> bool:
        """Tell whether the ticket has received more than `limit` replies since then."""
        at = _REPLY_BEFORE.scalar(self._connection, {"ticket": ticket_id, "skipped": limit})
        return at is not None and at > since

    def take_digested(self, before: datetime) -> list[tuple[Limit, int]]:
        """Return the notifications for the next digest, if the first is older than this, and mark them as listed.

        Each is REPORTS or NOTIFICATIONS, with the row id of the ticket.
        """
        found: list[tuple[Limit, int]] = []
        for limit in (Limit.REPORTS, Limit.NOTIFICATIONS):
            unlisted = (
                WITHHELD.c.desk_id == self._desk_id, WITHHELD.c.listed.is_(False), WITHHELD.c.cap == limit.value
            )  # fmt: skip
            oldest = self._connection.execute(select(func.min(WITHHELD.c.at)).where(*unlisted)).scalar()
            if oldest is not None and oldest <= before:
                rows = self._connection.execute(select(WITHHELD.c.ticket_id).where(*unlisted).order_by(WITHHELD.c.at))
                found += [(limit, row.ticket_id) for row in rows]
                self._connection.execute(update(WITHHELD).where(*unlisted).values(listed=True))
        return found


def _wording(keys: Keys) -> dict[str, int | None]:
    """Return the columns of the two keys of the wording."""
    first, second = keys.alike or (None, None)
    return {"alike_a": first, "alike_b": second}


# The queries, compiled once. Times and limits are parameters; every inner select is limited.


def _since(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=AUTOMATIC.c.at.type)


def _number(name: str) -> BindParameter[int]:
    return bindparam(name, type_=Integer)


def _key(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger)


def _count(column: ColumnElement[Any], value: ColumnElement[Any], what: str) -> Select[int]:
    """Count the rows with this key, up to the limit."""
    some = (
        select(literal(1).label("one"))
        .where(AUTOMATIC.c.desk_id == _number("desk"), column == value, AUTOMATIC.c.at > _since(f"{what}_since"))
        .limit(_number(f"{what}_limit"))
        .subquery("bounded")
    )
    return select(func.count()).select_from(some)


def _same_words() -> Select[int]:
    """Count those of the last mails with the first key of the wording that have the second one as well.

    Mails with only one of the two are merely similar: when many people report one fault, there are many of those.
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


def _turns(name: str, column: ColumnElement[Any], turn: ColumnElement[bool], what: str) -> Select[*tuple[Any, ...]]:
    """Count the turns among the last mails with this key, and find when the last one was written."""
    last = (
        select(AUTOMATIC.c.at, AUTOMATIC.c.number, turn.label("turn"))
        .where(AUTOMATIC.c.desk_id == _number("desk"), column == _key(name), AUTOMATIC.c.at > _since(f"{what}_since"))
        .order_by(AUTOMATIC.c.at.desc())
        .limit(_number(f"{what}_limit"))
        .subquery("bounded")
    )
    return select(
        literal(name).label("key"), func.count(case((last.c.turn, 1))).label("turns"),
        func.min(last.c.number).label("least"), func.max(last.c.number).label("greatest"),
        func.max(last.c.at).label("last"),
    )  # fmt: skip


def _paces() -> Select[*tuple[Any, ...]]:
    """Return the extremes of the time between our mails to newcomers and their answers."""
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
        literal("pace").label("key"), func.count(last.c.pace).label("turns"), func.min(last.c.pace).label("least"),
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
        # An agent has answered them before: a person, whatever their mail looks like today.
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
