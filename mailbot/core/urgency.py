"""What comes first where much mail waits: a person's word on a ticket that there is already.

In: a mail's head. Out: what it says it belongs to, nothing where a machine wrote it. Whoever knows the tickets looks
whether that exists (`mailbot.urgent`), and handles such mail before new reports: the one is somebody who waits in a
conversation, the other would have waited anyway. Each of the two goes in the order in which it came, and mail on one
ticket is in the first of them or is its beginning: what refers to a report that waits still, waits behind it.

A wrong guess costs nothing but the place in the queue, so the marks of a machine are the plain ones (RFC 3834 §5,
RFC 2919); mail that is more cunning comes early, and is classified like any other then.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailbot.core.order import head_of, order_keys

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
    head = head_of(raw)
    if head is None or _MACHINE.search(head):
        return _NOWHERE
    keys = order_keys(head)
    numbers = [int(key[2:]) for key in keys if key.startswith("t:")]
    message_ids = [key[2:] for key in keys if key.startswith("m:")]
    return Belongs(frozenset(numbers[:_MOST]), frozenset(message_ids[-_MOST:]))
