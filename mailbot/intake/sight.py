"""What a person may see of a ticket: after a forced merge (`#gabung N paksa`) neither side learns of the other.

In: the turn, a ticket, the reader. Out: the same ticket, for a reader who came along with a forced merge under their
own address and the title of their own report (service.md 5). Agents see everything and don't come through here.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.core.message import Address
from mailbot.core.ticket import Ticket
from mailbot.intake.turn import Turn

MAX_CHAIN = 100


def as_seen_by(turn: Turn, ticket: Ticket, reader: Address) -> Ticket:
    """The ticket as this person may see it."""
    if not ticket.is_hidden(reader.email):
        return ticket
    own = _own_report(turn, ticket, reader.email)
    if own is None:
        return replace(ticket, requester=reader, subject=turn.profile.name)
    return replace(ticket, requester=own.requester, subject=own.subject)


def _own_report(turn: Turn, ticket: Ticket, email: str) -> Ticket | None:
    """The merged ticket that this person came with, also through other merges and the tickets that this one follows."""
    ahead = [ticket]
    for _ in range(MAX_CHAIN):
        if not ahead:
            return None
        current = ahead.pop(0)
        if current.takes_part(email) and not current.is_hidden(email):
            return current
        ahead += [merged.ticket for merged in turn.work.merged_into(current.number)]
        before = turn.work.ticket(current.follow_up_of) if current.follow_up_of is not None else None
        ahead += [before.ticket] if before else []
    return None
