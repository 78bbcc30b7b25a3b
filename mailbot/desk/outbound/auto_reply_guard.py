"""Applies the limits on automatic mail: what is counted of a mail before the desk answers by itself.

In: a case, the person who would be written to. Out: the limit that was exceeded, or None, and then the mail is counted
as sent. `ticket.auto_reply_limits` has the table and its reasons, `store.auto_reply_counts` the counters. The words of
notices are in the templates.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

from mailbot.desk.context import Case, Context, IncomingMail
from mailbot.mail.domains import is_shared, mailbox_of, organisation_of
from mailbot.mail.message import MessageKind
from mailbot.store.auto_reply_counts import AutoReplyCounts, Keys
from mailbot.ticket.auto_reply_limits import Limit, likeness, reached
from mailbot.vocabulary.quoting import MARKER_LINES

# They follow a deadline or an agent's command, a few for each ticket, and a ticket that is closed without a word would
# be worse than one mail too many: they count, but are not withheld.
NEVER_WITHHELD = (MessageKind.REMINDER, MessageKind.CLOSURE)
# What shows a machine, not a person who asks too often: its further reports need no notification each.
MACHINES = (Limit.ECHO, Limit.ALIKE, Limit.DOMAIN, Limit.RALLY, Limit.SPREAD, Limit.OVERALL, Limit.SENDER)
DIGEST_AFTER = timedelta(minutes=10)
_SEARCHED = 20_000  # characters, for a line of ours


def exceeded_limit(case: Case, kind: MessageKind, to: str) -> Limit | None:
    """Return the limit that forbids this automatic mail to a person, which answers the mail of the case if any.

    None: the mail may be sent, and is counted.
    """
    counters, limits, mail = _counters(case.context), case.context.profile.limits, case.mail
    keys = _keys(case, to)
    tally = counters.tally(keys, limits)
    counted = tally.counted
    if mail is not None and not counted.to_sender and not counted.known:
        counted = replace(counted, echo=_is_echo(counters, case, to, mail))
    limit = None if kind in NEVER_WITHHELD else reached(counted, limits)
    if limit is None:
        sort = "echo" if counted.echo else "newcomer" if mail is not None and counted.newcomer else ""
        counters.record(keys, tally, sort, limits)
    return limit


def may_ask(context: Context, agent: str) -> bool:
    """Return whether the desk may ask this agent once more to confirm a mail: a forger could make it ask for ever."""
    counters, limits = _counters(context), context.profile.limits
    quota = limits.confirm
    keys = Keys(agent, _hash(context, f"confirm {agent}"))
    if counters.sent_in(keys.mailbox, context.work.now - quota.per, quota.count) >= quota.count:
        return False
    counters.record(keys, counters.tally(keys, limits), "confirm", limits)
    return True


def is_first_withheld(case: Case, limit: Limit) -> bool:
    """Record that a mail was withheld; return whether it is the first in this limit's window, so leads are notified."""
    context, ticket = case.context, case.ticket
    since = context.work.now - context.profile.limits.of(limit).per
    first = _counters(context).withhold(limit, ticket.id if ticket else None, since)
    if ticket is not None and limit in MACHINES:
        context.muted.add(ticket.id)
    return first


def is_digested(case: Case, *, is_new: bool) -> bool:
    """Return whether one more notification to agents is too much, and then record it for the digest.

    On one ticket past `max_notifications_per_ticket`; of new tickets, where the reporter got no automatic mail, past
    the same figure over all such tickets.
    """
    context, ticket_id = case.context, case.stored.id
    counters, quota = _counters(context), context.profile.limits.notifications
    since = context.work.now - quota.per
    if is_new:
        too_many = ticket_id in context.muted and (
            counters.withheld_since(MACHINES, since, quota.count + 1) > quota.count
        )
    else:
        too_many = counters.replies_exceed(ticket_id, since, quota.count)
    if too_many:
        counters.withhold(Limit.REPORTS if is_new else Limit.NOTIFICATIONS, ticket_id, since)
    return too_many


def digested(context: Context) -> list[tuple[Limit, int]]:
    """Return what is due in a digest: REPORTS or NOTIFICATIONS, and the row id of the ticket."""
    return _counters(context).take_digested(context.work.now - DIGEST_AFTER)


def _counters(context: Context) -> AutoReplyCounts:
    return AutoReplyCounts(context.work.connection, context.work.desk_id, context.work.now)


def _keys(case: Case, to: str) -> Keys:
    context, mail, stored = case.context, case.mail, case.ticket
    domain = to.rpartition("@")[2]
    shared = is_shared(domain, context.profile.shared_domains)
    return Keys(
        recipient=to,
        mailbox=_hash(context, mailbox_of(to)),
        ticket=(stored.ticket.follow_up_of or stored.ticket.number) if stored else None,
        domain=None if shared else _hash(context, organisation_of(domain)),
        alike=likeness(_new_words(case) or mail.message.subject) if mail is not None else None,
        received_at=mail.received_at if mail is not None else None,
    )


def _new_words(case: Case) -> str:
    return case.words.text if case.words else case.mail.message.text if case.mail else ""


def _hash(context: Context, text: str) -> int:
    """Return a number for a key that says nothing to anybody who has the database but not the desk's secret."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8, key=context.profile.instance_id.encode())
    return int.from_bytes(digest.digest(), "big", signed=True)


def _is_echo(counters: AutoReplyCounts, case: Case, to: str, mail: IncomingMail) -> bool:
    """Return whether a person whom we never wrote to has mail of ours: they quote it, or name it in References."""
    if case.ticket is not None and case.ticket.ticket.follow_up_of is not None:
        return False  # a participant's reply to a closed ticket: they may well have it
    message = mail.message
    text = message.text[:_SEARCHED]
    if any(line in text for line in MARKER_LINES):
        return True
    named = (*message.in_reply_to, *message.references[-10:])
    return bool(named) and counters.went_to_others(named, to)
