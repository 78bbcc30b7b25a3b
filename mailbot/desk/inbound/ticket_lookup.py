"""TODO."""

from __future__ import annotations

from mailbot.desk.context import (
    Context,
)
from mailbot.store.unit_of_work import StoredTicket
from mailbot.ticket.matching import (
    Clues,
    Known,
)
from mailbot.ticket.ticket import (
    Status,
)

MAX_CHAIN = 100


def look_up(turn: Context, clues: Clues, *, of_agents: bool = False) -> dict[int, StoredTicket]:
    """The tickets that the clues name, by number (references too; those between desk and agents only `of_agents`)."""
    numbers = set(clues.numbers)
    by_reference = turn.work.numbers_by_message_id(clues.references, of_agents=of_agents)
    known = turn.work.tickets(numbers | set(by_reference.values()))
    return _Lookup(known, by_reference)


class _Lookup(dict[int, StoredTicket]):
    """Tickets by number, and which Message-ID led to which."""

    def __init__(self, tickets: dict[int, StoredTicket], by_reference: dict[str, int]) -> None:
        super().__init__(tickets)
        self.by_reference = by_reference


def as_known(known: dict[int, StoredTicket]) -> Known:
    """What `core.route` may know."""
    by_reference = known.by_reference if isinstance(known, _Lookup) else {}
    return Known({number: loaded.ticket for number, loaded in known.items()}, by_reference)


def resolve_merged(turn: Context, loaded: StoredTicket) -> StoredTicket:
    """The ticket that this one went into, at the end of the chain."""
    for _ in range(MAX_CHAIN):
        into = loaded.ticket.merged_into
        following = turn.work.ticket(into) if into is not None else None
        if following is None:
            return loaded
        loaded = following
    return loaded


def _newest_of_chain(turn: Context, loaded: StoredTicket) -> StoredTicket:
    for _ in range(MAX_CHAIN):
        children = turn.work.follow_ups_of(loaded.ticket.number)
        if not children:
            break
        # an open one before a closed one: never a third ticket while one is open
        still_open = [c for c in children if resolve_merged(turn, c).ticket.status is not Status.CLOSED]
        loaded = resolve_merged(turn, (still_open or children)[0])
        if loaded.ticket.status is not Status.CLOSED:
            break
    return loaded
