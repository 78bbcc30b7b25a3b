"""Which mail is handled first where much waits: what people wrote on tickets that there are already.

In: mails, or their heads. Out: which of them. What a mail names is `core.urgency`'s; whether there is such a ticket, or
mail with such a Message-ID on one, is asked of the database for all of them at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import bindparam, select

from mailbot.mail.ordering_keys import header_of, order_keys
from mailbot.store.engine import Store
from mailbot.store.statements import (
    CompiledStatement,
    in_steps,
    named,
    one_of,
)
from mailbot.store.tables import TICKET
from mailbot.store.unit_of_work import UnitOfWork


def with_priority(store: Store, mails: Mapping[int, bytes]) -> set[int]:
    """The keys of those mails, or heads, that a person wrote on a ticket that there is. StoreUnavailable."""
    found = {key: belongs(raw) for key, raw in mails.items()}
    numbers: set[int] = set()
    ids: set[str] = set()
    with store.reading() as connection:
        work = UnitOfWork(connection, store.desk_id, store.clock.now())
        for some in in_steps(number for one in found.values() for number in one.numbers if 0 < number < 2**31):
            rows = _there(len(some)).rows(connection, {"desk": store.desk_id} | named(some))
            numbers.update(row.number for row in rows)
        for message_ids in in_steps(message_id for one in found.values() for message_id in one.message_ids):
            ids.update(work.numbers_by_message_id(message_ids, of_agents=True))
    return {key for key, one in found.items() if one.numbers & numbers or one.message_ids & ids}


@lru_cache(maxsize=16)
def _there(count: int) -> CompiledStatement:
    """Which of so many numbers are tickets'."""
    wanted = select(TICKET.c.number).where(TICKET.c.desk_id == bindparam("desk"), one_of(TICKET.c.number, count))
    return CompiledStatement(wanted)


# The fields that this module looks at.
FIELDS = (
    "FROM", "TO", "CC", "SUBJECT", "MESSAGE-ID", "IN-REPLY-TO", "REFERENCES", "AUTO-SUBMITTED", "PRECEDENCE", "LIST-ID",
)  # fmt: skip


_MACHINE = re.compile(
    rb"(?im)^(?:auto-submitted[ \t]*:(?![ \t]*no\b)|list-id[ \t]*:"
    rb"|precedence[ \t]*:[ \t]*(?:bulk|junk|list|auto_reply)\b)"
)


_MOST = 50


class Belongs(NamedTuple):
    """Tickets and Message-IDs that a mail names; nobody has verified them."""

    numbers: frozenset[int]
    message_ids: frozenset[str]


_NOWHERE = Belongs(frozenset(), frozenset())


def belongs(raw: bytes) -> Belongs:
    """What a mail names, of which `raw` is all, or its head."""
    head = header_of(raw)
    if head is None or _MACHINE.search(head):
        return _NOWHERE
    keys = order_keys(head)
    numbers = [int(key[2:]) for key in keys if key.startswith("t:")]
    message_ids = [key[2:] for key in keys if key.startswith("m:")]
    return Belongs(frozenset(numbers[:_MOST]), frozenset(message_ids[-_MOST:]))
