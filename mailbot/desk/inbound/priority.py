"""Which mail is handled first where much waits: what people wrote on tickets that there are already.

In: mails, or their heads. Out: which of them. What a mail names is `core.urgency`'s; whether there is such a ticket, or
mail with such a Message-ID on one, is asked of the database for all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from sqlalchemy import bindparam, select

from mailbot.core.urgency import belongs
from mailbot.store.engine import Store
from mailbot.store.prepared import Prepared, in_steps, named, one_of
from mailbot.store.tables import TICKET
from mailbot.store.work import Work


def urgent(store: Store, mails: Mapping[int, bytes]) -> set[int]:
    """The keys of those mails, or heads, that a person wrote on a ticket that there is. StoreUnavailable."""
    found = {key: belongs(raw) for key, raw in mails.items()}
    numbers: set[int] = set()
    ids: set[str] = set()
    with store.reading() as connection:
        work = Work(connection, store.desk_id, store.clock.now())
        for some in in_steps(number for one in found.values() for number in one.numbers if 0 < number < 2**31):
            rows = _there(len(some)).rows(connection, {"desk": store.desk_id} | named(some))
            numbers.update(row.number for row in rows)
        for message_ids in in_steps(message_id for one in found.values() for message_id in one.message_ids):
            ids.update(work.numbers_by_message_id(message_ids, of_agents=True))
    return {key for key, one in found.items() if one.numbers & numbers or one.message_ids & ids}


@lru_cache(maxsize=16)
def _there(count: int) -> Prepared:
    """Which of so many numbers are tickets'."""
    wanted = select(TICKET.c.number).where(TICKET.c.desk_id == bindparam("desk"), one_of(TICKET.c.number, count))
    return Prepared(wanted)
