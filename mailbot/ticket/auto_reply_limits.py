"""Limits of automatic replies, which end mail loops and abuse.

In: counts of the automatic mail of the last hour (`store.auto_reply_counts`) and the limits. Out: the limit that is
exceeded, or None. No limit depends on a header of the other side or on a constant address. Beyond a limit no automatic
mail is sent; incoming mail is still processed, agents' answers go out, and the leads are notified once per window.
docs/operator/auto-reply-limits.md lists the limits, docs/developer/auto-reply-limits.md has the reasons and figures.

Two ideas are behind the table.

Turns: a loop waits for our mail before it writes again; schools with the same problem do not. A mail is a turn of its
domain (or of its wording) if it came after our last automatic mail there, not sooner than mail can travel and not later
than 15 minutes. Where nearly all of the last mails are turns, two machines write to each other; in a flood most mails
were under way before we had written, or came from elsewhere.

Known senders: a mail to somebody who got mail before this window, or in a domain that unrelated people share, is never
withheld because of others. The limits by domain, wording and turns apply to newcomers in domains of their own.
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
SHARE = 10  # a domain with less than one in so many of the desk's mails is part of a flood, not a loop
RALLY = 24  # consecutive turns at one pace, of newcomers from everywhere
HOUR = timedelta(hours=1)


class Limit(StrEnum):
    """The limits of automatic mail. The values appear in the outbox, in notices and in the documentation."""

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
    REPORTS = "reports"  # to agents, of reports whose senders got no automatic reply


@dataclass(frozen=True, slots=True)
class Quota:
    """A number of mails in a window of time."""

    count: int
    per: timedelta = HOUR

    @property
    def looked_at(self) -> int:
        """The number of last mails of which `count` must be turns: five of six."""
        return self.count + self.count // 5


@dataclass(frozen=True, slots=True)
class Limits:
    """The quotas: [inbound] max_auto_replies…, and those without a key (docs/operator/auto-reply-limits.md)."""

    sender: Quota = Quota(20)
    ticket: Quota = Quota(30)
    domain: Quota = Quota(25)
    alike: Quota = Quota(20)
    overall: Quota = Quota(100_000)
    notifications: Quota = Quota(30)
    echo: Quota = Quota(5)
    spread: Quota = Quota(10_000)
    confirm: Quota = Quota(5)

    def of(self, limit: Limit) -> Quota:
        """Return the quota of a limit."""
        if limit is Limit.RALLY:
            return Quota(RALLY)
        return getattr(self, "notifications" if limit is Limit.REPORTS else limit.value)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Counted:
    """The automatic mail sent within each quota's window, and facts about the recipient of the next one."""

    to_sender: int = 0
    on_ticket: int = 0
    overall: int = 0
    #: To mails with the same wording.
    alike: int = 0
    #: To senders who answered mail that went to others.
    echoes: int = 0
    #: The sender got mail before this window.
    known: bool = False
    #: Unrelated people share the sender's domain.
    shared: bool = False
    #: The mail answers or quotes one of ours that went to somebody else.
    echo: bool = False
    #: Turns of the sender's domain among the last `Quota.looked_at` mails.
    domain_turns: int = 0
    #: Turns of this wording among the last `Quota.looked_at` mails.
    alike_turns: int = 0
    #: All mails that the desk sent while it sent those of the domain.
    domain_span: int = 0
    #: Shortest and longest time between our mail and the next newcomer's in the last `RALLY` turns, if consecutive.
    paces: tuple[timedelta, timedelta] | None = None

    @property
    def newcomer(self) -> bool:
        """Whether the sender got no mail before this window and has a domain that is not shared."""
        return not self.known and not self.shared


def is_turn(received_at: datetime | None, written_at: datetime | None) -> bool:
    """Return whether a mail received then can be the answer to one of ours written then."""
    if received_at is None or written_at is None:
        return False
    return QUICKEST <= received_at - written_at <= SLOWEST


def is_one_pace(least: timedelta, greatest: timedelta) -> bool:
    """Return whether these intervals are those of one machine; unrelated people write at all intervals."""
    return greatest <= 4 * least + timedelta(seconds=1)


Test = Callable[[Counted, Limits], bool]

ROWS: tuple[tuple[Limit, Test], ...] = (
    # One mailbox, in whatever spelling of its address.
    (Limit.SENDER, lambda c, of: c.to_sender >= of.sender.count),
    # One ticket and its follow-ups, whoever asks: status requests, follow-ups of follow-ups.
    (Limit.TICKET, lambda c, of: c.on_ticket >= of.ticket.count),
    # Somebody whom we never wrote to has our mail: a few may be colleagues to whom it was forwarded.
    (Limit.ECHO, lambda c, of: c.echo and not c.known and c.echoes >= of.echo.count),
    # The same wording from ever new addresses, each time after we answered.
    (Limit.ALIKE, lambda c, of: c.newcomer and c.alike_turns >= of.alike.count),
    # Ever new addresses of one organisation, each time after we answered, in any wording.
    (
        Limit.DOMAIN,
        lambda c, of: (
            c.newcomer
            and c.domain_turns >= of.domain.count
            and c.domain_span <= SHARE * of.domain.looked_at  # a loop has fewer other mails between its turns
        ),
    ),
    # Ever new addresses of ever new organisations in any wording, but each in turn and at one pace.
    (Limit.RALLY, lambda c, of: c.newcomer and c.paces is not None and is_one_pace(*c.paces)),
    # The same wording from thousands of addresses: we are being used to write to people who never wrote.
    (Limit.SPREAD, lambda c, of: not c.known and c.alike >= of.spread.count),
    # The last resort, far above what all schools together write in the worst hour.
    (Limit.OVERALL, lambda c, of: c.overall >= of.overall.count),
)


def reached(counted: Counted, limits: Limits) -> Limit | None:
    """Return the first limit of the table that is reached."""
    return next((limit for limit, test in ROWS if test(counted, limits)), None)


# Similar wording: keys of a text that survive changed numbers, case and word order.

MAX_CHARACTERS = 2000
MAX_WORDS = 80
LEAST_WORDS = 5  # different ones: "mohon bantuan" does not identify its author
_TAKEN = 3
_WORD = re.compile(r"\w{3,40}")

Likeness = tuple[int, int]


def likeness(text: str) -> Likeness | None:
    """Return the two keys of a text, each from -2⁶³ to 2⁶³-1; texts with one in common are alike."""
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
