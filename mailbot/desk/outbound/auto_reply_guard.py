"""Where the desk holds its tongue: what is counted of a mail before the desk answers by itself, and what then happens.

In: the turn, the ticket, the person who would be written to, the mail that would be answered. Out: the cap that is
reached, or None, and then the mail is counted as written. `core.restraint` has the table and its reasons,
`store.restraint` the counters. The words of notices stand in the templates.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mailbot.mail.domains import (
    is_shared,
    mailbox_of,
    organisation_of,
)
from mailbot.mail.message import MessageKind
from mailbot.store.auto_reply_counts import AutoReplyCounts, Keys
from mailbot.ticket.auto_reply_limits import (
    Limit,
    likeness,
    reached,
)
from mailbot.vocabulary.quoting import MARKER_LINES

if TYPE_CHECKING:
    from mailbot.desk.context import Context, IncomingMail
    from mailbot.store.unit_of_work import StoredTicket

# They follow a deadline or an agent's order, a few for each ticket, and a ticket that is closed in silence would be
# worse than one mail too many: they count, but are not withheld.
NEVER_WITHHELD = (MessageKind.REMINDER, MessageKind.CLOSURE)
# What shows a machine, not a person who asks too often: its further reports need no notification each.
MACHINES = (Limit.ECHO, Limit.ALIKE, Limit.DOMAIN, Limit.RALLY, Limit.SPREAD, Limit.OVERALL, Limit.SENDER)
SUMMARY_AFTER = timedelta(minutes=10)
_LOOKED_AT = 20_000  # characters, for a line of ours


def exceeded_limit(
    turn: Context, loaded: StoredTicket | None, kind: MessageKind, to: str, mail: IncomingMail | None, words: str
) -> Limit | None:
    """May the desk write this automatic mail to a person? None: yes, and it is counted.

    `mail` is what it would answer, `words` are the new ones in it.
    """
    counters, limits = _counters(turn), turn.profile.limits
    keys = _keys(turn, loaded, to, mail, words)
    tally = counters.tally(keys, limits)
    counted = tally.counted
    if mail is not None and not counted.to_sender and not counted.known:
        counted = replace(counted, echo=_is_echo(counters, loaded, to, mail))
    cap = None if kind in NEVER_WITHHELD else reached(counted, limits)
    if cap is None:
        sort = "echo" if counted.echo else "newcomer" if mail is not None and counted.newcomer else ""
        counters.record(keys, tally, sort, limits)
    return cap


def may_ask(turn: Context, agent: str) -> bool:
    """May the desk ask this agent once more whether a mail in their name is theirs? A forger could ask for ever."""
    counters, limit = _counters(turn), turn.profile.limits.confirm
    keys = Keys(agent, _hash(turn, f"confirm {agent}"))
    if counters.sent_in(keys.mailbox, turn.work.now - limit.per, limit.count) >= limit.count:
        return False
    counters.record(keys, counters.tally(keys, turn.profile.limits), "confirm", turn.profile.limits)
    return True


def withhold(turn: Context, cap: Limit, loaded: StoredTicket | None) -> bool:
    """Write down that a mail was not written. True: it is the first in this cap's window, the leads should hear."""
    first = _counters(turn).withhold(cap, loaded.id if loaded else None, _start(turn, cap))
    if loaded is not None and cap in MACHINES:
        turn.silenced.add(loaded.id)
    return first


def is_digested(turn: Context, loaded: StoredTicket, *, is_new: bool) -> bool:
    """Is one more notification to agents too much? Then it is written down for the summary.

    On one ticket past `max_notifications_per_ticket`; of new tickets, where the reporter was met with silence, past
    the same figure over all such tickets.
    """
    counters, limit = _counters(turn), turn.profile.limits.notifications
    since = turn.work.now - limit.per
    if is_new:
        too_many = loaded.id in turn.silenced and (
            counters.withheld_since(MACHINES, since, limit.count + 1) > limit.count
        )
    else:
        too_many = counters.replies_exceed(loaded.id, since, limit.count)
    if too_many:
        counters.withhold(Limit.REPORTS if is_new else Limit.NOTIFICATIONS, loaded.id, since)
    return too_many


def digested(turn: Context) -> list[tuple[Limit, int]]:
    """What was folded and is due in a summary: REPORTS or NOTIFICATIONS, and the row id of the ticket."""
    return _counters(turn).take_digested(turn.work.now - SUMMARY_AFTER)


def _start(turn: Context, cap: Limit) -> datetime:
    return turn.work.now - turn.profile.limits.of(cap).per


def _counters(turn: Context) -> AutoReplyCounts:
    return AutoReplyCounts(turn.work.connection, turn.work.desk_id, turn.work.now)


def _keys(turn: Context, loaded: StoredTicket | None, to: str, mail: IncomingMail | None, words: str) -> Keys:
    domain = to.rpartition("@")[2]
    shared = is_shared(domain, turn.profile.shared_domains)
    ticket = loaded.ticket if loaded else None
    return Keys(
        recipient=to,
        mailbox=_hash(turn, mailbox_of(to)),
        ticket=(ticket.follow_up_of or ticket.number) if ticket else None,
        domain=None if shared else _hash(turn, organisation_of(domain)),
        alike=likeness(words) if mail is not None else None,
        received_at=mail.received_at if mail is not None else None,
    )


def _hash(turn: Context, text: str) -> int:
    """A number for a key that tells nothing to who has the database but not the desk's secret."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8, key=turn.profile.instance_id.encode())
    return int.from_bytes(digest.digest(), "big", signed=True)


def _is_echo(counters: AutoReplyCounts, loaded: StoredTicket | None, to: str, mail: IncomingMail) -> bool:
    """Has somebody whom we never wrote to our mail in hand? They quote it, or name it in References."""
    if loaded is not None and loaded.ticket.follow_up_of is not None:
        return False  # a participant's reply to a closed ticket: they may well have it
    message = mail.message
    text = message.text[:_LOOKED_AT]
    if any(line in text for line in MARKER_LINES):
        return True
    named = (*message.in_reply_to, *message.references[-10:])
    return bool(named) and counters.went_to_others(named, to)
