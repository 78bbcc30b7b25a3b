"""How much automatic mail is enough: the table by which the desk falls silent.

In: what was counted of the automatic mail of the last hour (`store.restraint`) and the limits. Out: the cap that is
reached, or None. Nothing here needs a header of the other side or an address that stays the same. Past a cap there is
silence; the mail that came is taken in whole, agents' answers go out, and the leads hear of it once in a window.
docs/loops-and-abuse.md has the figures and the reasons.

Two ideas carry the table.

A turn: a loop waits for our mail before it writes again; schools that all meet the same fault do not. A mail is a turn
of its domain (or of its wording) where it came after our last automatic mail there had been written, not sooner than
a mail can travel, not later than a quarter of an hour. Where nearly all of the last mails were turns, two machines
talk; in a flood most mails were under way before we had written, or came from elsewhere.

A mail to a person who was written to before this window, or under a domain that strangers share, is never withheld for
the sake of others: caps by domain, wording and turns are for newcomers from domains of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zlib import crc32

QUICKEST = timedelta(milliseconds=50)
SLOWEST = timedelta(minutes=15)
SHARE = 10  # a domain that makes less than one in so many of the desk's mails is part of a flood, not a loop
RALLY = 24  # turns in a row, all of one pace, of newcomers from everywhere
HOUR = timedelta(hours=1)


class Limit(StrEnum):
    """Which limit silenced an automatic mail. The values stand in the outbox, in notices and in docs."""

    SENDER = "sender"
    TICKET = "ticket"
    ECHO = "echo"
    ALIKE = "alike"
    DOMAIN = "domain"
    RALLY = "rally"
    SPREAD = "spread"
    OVERALL = "overall"
    CONFIRM = "confirm"
    NOTIFICATIONS = "notifications"  # to agents, of replies on one ticket
    REPORTS = "reports"  # to agents, of reports whose senders were met with silence


@dataclass(frozen=True, slots=True)
class Quota:
    """So many in so long."""

    count: int
    per: timedelta = HOUR

    @property
    def looked_at(self) -> int:
        """Of how many of the last mails `count` must be turns: five of six."""
        return self.count + self.count // 5


@dataclass(frozen=True, slots=True)
class Limits:
    """[inbound] max_auto_replies…; those without a key of their own are reasoned in docs/loops-and-abuse.md."""

    sender: Quota = Quota(20)
    ticket: Quota = Quota(30)
    domain: Quota = Quota(25)
    alike: Quota = Quota(20)
    overall: Quota = Quota(100_000)
    notifications: Quota = Quota(30)
    echo: Quota = Quota(5)
    spread: Quota = Quota(10_000)
    confirm: Quota = Quota(5)

    def of(self, cap: Limit) -> Quota:
        """The limit behind a cap."""
        if cap is Limit.RALLY:
            return Quota(RALLY)
        return getattr(self, "notifications" if cap is Limit.REPORTS else cap.value)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Counted:
    """What went out, within each limit's time, and what is known of who would get the next one.

    `known`: written to before the window. `shared`: the domain is nobody's own. `echo`: the mail answers or quotes one
    of ours that went to somebody else. `domain_turns` and `alike_turns`: turns among the last `Limit.looked_at` mails;
    `domain_span`: how many mails the desk wrote in all while it wrote those of the domain;
    `paces`: least and greatest time between our mail and the next newcomer's, of the last `RALLY` turns, if there are
    as many in a row.
    """

    to_sender: int = 0
    on_ticket: int = 0
    overall: int = 0
    alike: int = 0
    echoes: int = 0
    known: bool = False
    shared: bool = False
    echo: bool = False
    domain_turns: int = 0
    alike_turns: int = 0
    domain_span: int = 0
    paces: tuple[timedelta, timedelta] | None = None

    @property
    def newcomer(self) -> bool:
        """A sender whom we have never written to before this window, under a domain of somebody's own."""
        return not self.known and not self.shared


def is_turn(received_at: datetime | None, written_at: datetime | None) -> bool:
    """Could a mail that was received then be the answer to one of ours that was written then?"""
    if received_at is None or written_at is None:
        return False
    return QUICKEST <= received_at - written_at <= SLOWEST


def is_one_pace(least: timedelta, greatest: timedelta) -> bool:
    """Are these the pauses of one machine? People who know nothing of each other come at all distances."""
    return greatest <= 4 * least + timedelta(seconds=1)


Test = Callable[[Counted, Limits], bool]

ROWS: tuple[tuple[Limit, Test], ...] = (
    # One mailbox, however its address is spelled.
    (Limit.SENDER, lambda c, of: c.to_sender >= of.sender.count),
    # One ticket and what follows out of it, whoever asks: status requests, follow-ups of follow-ups.
    (Limit.TICKET, lambda c, of: c.on_ticket >= of.ticket.count),
    # Somebody whom we never wrote to has our mail in hand: a few may be colleagues to whom it was passed on.
    (Limit.ECHO, lambda c, of: c.echo and not c.known and c.echoes >= of.echo.count),
    # The same words from ever new addresses, each time after we answered.
    (Limit.ALIKE, lambda c, of: c.newcomer and c.alike_turns >= of.alike.count),
    # Ever new addresses of one organisation, each time after we answered, in whatever words.
    (
        Limit.DOMAIN,
        lambda c, of: (
            c.newcomer
            and c.domain_turns >= of.domain.count
            and c.domain_span <= SHARE * of.domain.looked_at  # no loop has so many others between its turns
        ),
    ),
    # Ever new addresses of ever new organisations, in ever new words, but in turn and in time.
    (Limit.RALLY, lambda c, of: c.newcomer and c.paces is not None and is_one_pace(*c.paces)),
    # The same words from thousands of addresses: we are being used to write to people who never wrote.
    (Limit.SPREAD, lambda c, of: not c.known and c.alike >= of.spread.count),
    # The last resort, far above what all schools together write in their worst hour.
    (Limit.OVERALL, lambda c, of: c.overall >= of.overall.count),
)


def reached(counted: Counted, limits: Limits) -> Limit | None:
    """The first cap of the table that is reached."""
    return next((cap for cap, test in ROWS if test(counted, limits)), None)


MAX_CHARACTERS = 2000


MAX_WORDS = 80


LEAST_WORDS = 5  # different ones: "mohon bantuan" says nothing about who wrote it


_TAKEN = 3


_WORD = re.compile(r"\w{3,40}")


Likeness = tuple[int, int]


def likeness(text: str) -> Likeness | None:
    """The keys of a text, each from -2⁶³ to 2⁶³-1."""
    words = dict.fromkeys(w for w in _WORD.findall(text[:MAX_CHARACTERS].lower()) if w.isalpha())
    if len(words) < LEAST_WORDS:
        return None
    hashes = sorted(crc32(word.encode()) for word in list(words)[:MAX_WORDS])
    return _key(hashes[:_TAKEN]), _key(hashes[-_TAKEN:])


def _key(hashes: list[int]) -> int:
    key = 0
    for h in hashes:
        key = (key * 0x100000001B3 ^ h) & 0xFFFFFFFFFFFFFFFF
    return key - (1 << 63)
