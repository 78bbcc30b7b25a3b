"""Which stored tickets a mail names, and where they lead: into what they were merged, to their newest follow-up.

In: clues of a mail. Out: tickets as they are now, for `ticket.matching` to choose from. Nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailbot.desk.context import Context
from mailbot.store.tickets import StoredTicket
from mailbot.ticket.matching import Clues, Known
from mailbot.ticket.ticket import Status

MAX_CHAIN = 100


@dataclass(frozen=True)
class FoundTickets:
    """The tickets that a mail's clues name."""

    by_number: dict[int, StoredTicket]
    by_reference: dict[str, int]  #: ticket numbers by Message-ID

    def __getitem__(self, number: int) -> StoredTicket:
        return self.by_number[number]

    @property
    def known(self) -> Known:
        """What `ticket.matching` may know of them."""
        return Known({number: stored.ticket for number, stored in self.by_number.items()}, self.by_reference)


def look_up(context: Context, clues: Clues, *, of_agents: bool = False) -> FoundTickets:
    """Return the tickets that the clues name; Message-IDs of mail between desk and agents count only `of_agents`."""
    by_reference = context.work.numbers_by_message_id(clues.references, of_agents=of_agents)
    return FoundTickets(context.work.tickets({*clues.numbers, *by_reference.values()}), by_reference)


def resolve_merged(context: Context, stored: StoredTicket) -> StoredTicket:
    """Return the ticket that this one was merged into, at the end of the chain."""
    for _ in range(MAX_CHAIN):
        into = stored.ticket.merged_into
        following = context.work.ticket(into) if into is not None else None
        if following is None:
            return stored
        stored = following
    return stored


def newest_of_chain(context: Context, stored: StoredTicket) -> StoredTicket:
    """Return the newest follow-up of follow-ups; an open one before a closed one, so that there is never a third."""
    for _ in range(MAX_CHAIN):
        children = context.work.follow_ups_of(stored.ticket.number)
        if not children:
            break
        still_open = [c for c in children if resolve_merged(context, c).ticket.status is not Status.CLOSED]
        stored = resolve_merged(context, (still_open or children)[0])
        if stored.ticket.status is not Status.CLOSED:
            break
    return stored
