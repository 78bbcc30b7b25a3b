"""Which mail of a backlog is handled first: what people wrote on existing tickets.

In: mails, or their headers. Out: which of them. What a mail names is read from its header and verified by nobody;
whether there is such a ticket, or mail with such a Message-ID on one, is one query for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from mailbot.mail.ordering_keys import header_of, order_keys
from mailbot.store.engine import Store
from mailbot.store.statements import in_steps
from mailbot.store.unit_of_work import UnitOfWorkFactory

# The header fields that are read here.
FIELDS = (
    "FROM", "TO", "CC", "SUBJECT", "MESSAGE-ID", "IN-REPLY-TO", "REFERENCES", "AUTO-SUBMITTED", "PRECEDENCE", "LIST-ID",
)  # fmt: skip
_MACHINE = re.compile(
    rb"(?im)^(?:auto-submitted[ \t]*:(?![ \t]*no\b)|list-id[ \t]*:"
    rb"|precedence[ \t]*:[ \t]*(?:bulk|junk|list|auto_reply)\b)"
)
_MOST = 50


class Named(NamedTuple):
    """What a mail names."""

    numbers: frozenset[int]  #: of tickets
    message_ids: frozenset[str]


_NOTHING = Named(frozenset(), frozenset())


def with_priority(store: Store, mails: Mapping[int, bytes]) -> set[int]:
    """Return the keys of those mails, or headers, that people wrote on existing tickets. Raises StoreUnavailable."""
    found = {key: named_in(raw) for key, raw in mails.items()}
    ids: set[str] = set()
    with UnitOfWorkFactory(store).reading() as work:
        numbers = work.existing_numbers(number for named in found.values() for number in named.numbers)
        for message_ids in in_steps(message_id for named in found.values() for message_id in named.message_ids):
            ids.update(work.numbers_by_message_id(message_ids, of_agents=True))
    return {key for key, named in found.items() if named.numbers & numbers or named.message_ids & ids}


def named_in(raw: bytes) -> Named:
    """Return what a mail names, of which `raw` is all or its header; nothing for a machine's."""
    head = header_of(raw)
    if head is None or _MACHINE.search(head):
        return _NOTHING
    keys = order_keys(head)
    numbers = [int(key[2:]) for key in keys if key.startswith("t:")]
    message_ids = [key[2:] for key in keys if key.startswith("m:")]
    return Named(frozenset(numbers[:_MOST]), frozenset(message_ids[-_MOST:]))
