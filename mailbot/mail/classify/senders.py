"""Recognition of automatic senders by their address: mail systems, unattended mailboxes, list managers.

In: addresses and display names. Out: booleans and a `SenderType`. An address alone proves a machine only for
`MAILER-DAEMON` and the like (RFC 5321 §4.5.5, RFC 2142); everything else is a hint that callers weigh with others.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache

from mailbot.mail.message import Address, InboundMessage
from mailbot.vocabulary import senders as words

_NOT_LETTERS = re.compile(r"[\W\d_]+")
_SEPARATORS = re.compile(r"[._\s-]+")
_MAX_NAME = 200


class SenderType(IntEnum):
    """How certainly the author is a machine. The values are the weights in `bounce_evidence`."""

    ANYBODY = 0
    UNATTENDED = 1  # "noreply@", "bounces+…@", "alerts@": sends, but nobody reads it
    POSTMASTER = 2  # "postmaster@", "System Administrator": a mail system, or its administrator
    DAEMON = 3  # "MAILER-DAEMON@": a mail system


def is_daemon(address: Address) -> bool:
    """Return whether only a mail system writes from this address."""
    return _squeezed(address.local_part or address.email) in words.DAEMONS


def is_automatic_address(local_part: str) -> bool:
    """Return whether this is the local part of an unattended mailbox ("noreply", "bounces+7", "owner-list")."""
    local = local_part[:_MAX_NAME].lower()
    squeezed = _squeezed(local)
    return (
        squeezed in words.DAEMONS
        or squeezed in words.AUTOMATIC
        or squeezed.startswith(_SQUEEZED_STARTS)
        or local.startswith(_WHOLE_STARTS)
        or local.endswith(words.AUTOMATIC_ENDS)
    )


def is_list_manager(local_part: str) -> bool:
    """Return whether list software itself writes from this local part ("python-list-request", "majordomo")."""
    local = local_part.lower()
    return local.endswith(words.LIST_MANAGERS) or local.startswith(words.LIST_MANAGERS)


def sender_type(message: InboundMessage) -> SenderType:
    """Classify the author; mail without one comes from a mail system (RFC 5322 §3.6.2 requires an author)."""
    author = message.from_address
    return _type_of(author if author.email else Address("", message.headers.get("From")[:_MAX_NAME]))


@lru_cache(maxsize=2048)
def _type_of(author: Address) -> SenderType:
    if is_daemon(author):
        return SenderType.DAEMON
    name = _NOT_LETTERS.sub("", author.name[:_MAX_NAME]).lower()
    if not author.email:  # "From: MAILER-DAEMON", "From: Mail Delivery System <>"
        known = name in words.DAEMONS or name in words.DAEMON_NAMES
        return SenderType.DAEMON if known else SenderType.POSTMASTER
    if _squeezed(author.local_part) in words.POSTMASTERS or name in words.DAEMON_NAMES:
        return SenderType.POSTMASTER
    if is_automatic_address(author.local_part) or is_list_manager(author.local_part):
        return SenderType.UNATTENDED
    return SenderType.ANYBODY


def _squeezed(text: str) -> str:
    return _SEPARATORS.sub("", text[:_MAX_NAME]).lower()


_WHOLE_STARTS = tuple(w for w in words.AUTOMATIC_STARTS if not w.isalpha())  # "owner-", "prvs="
_SQUEEZED_STARTS = tuple(w for w in words.AUTOMATIC_STARTS if w.isalpha())
