"""Who writes, by the form of the address: a mail system, a mailbox that nobody reads, a list manager, or anybody.

In: addresses and names. Out: booleans and a grade. An address alone proves a machine only for `MAILER-DAEMON` and its
like (RFC 5321 §4.5.5, RFC 2142); all else is a hint that the callers weigh with other signs.
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


class Grade(IntEnum):
    """How surely the author is a machine. The values are the weights of `core.bounce_signs`."""

    ANYBODY = 0
    UNREAD = 1  # "noreply@", "bounces+…@", "alerts@": sends, does not read
    OFFICE = 2  # "postmaster@", "System Administrator": a mail system, or the person who runs it
    DAEMON = 3  # "MAILER-DAEMON@": a mail system


def is_daemon(address: Address) -> bool:
    """Does this address belong to a mail system and to nobody else?"""
    return _squeezed(address.local_part or address.email) in words.DAEMONS


def is_automatic_address(local_part: str) -> bool:
    """Is this the local part of a mailbox that nobody reads ("noreply", "bounces+7", "mailer-daemon", "owner-list")?"""
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
    """Is this the local part from which a list speaks for itself ("python-list-request", "majordomo")?"""
    local = local_part.lower()
    return local.endswith(words.LIST_MANAGERS) or local.startswith(words.LIST_MANAGERS)


def grade(message: InboundMessage) -> Grade:
    """The grade of the author; a mail without an author at all is a mail system's (RFC 5322 §3.6.2 demands one)."""
    author = message.from_address
    return _grade(author if author.email else Address("", message.headers.get("From")[:_MAX_NAME]))


@lru_cache(maxsize=2048)
def _grade(author: Address) -> Grade:
    if is_daemon(author):
        return Grade.DAEMON
    name = _NOT_LETTERS.sub("", author.name[:_MAX_NAME]).lower()
    if not author.email:  # "From: MAILER-DAEMON", "From: Mail Delivery System <>"
        return Grade.DAEMON if name in words.DAEMONS or name in words.DAEMON_NAMES else Grade.OFFICE
    if _squeezed(author.local_part) in words.POSTMASTERS or name in words.DAEMON_NAMES:
        return Grade.OFFICE
    if is_automatic_address(author.local_part) or is_list_manager(author.local_part):
        return Grade.UNREAD
    return Grade.ANYBODY


def _squeezed(text: str) -> str:
    return _SEPARATORS.sub("", text[:_MAX_NAME]).lower()


_WHOLE_STARTS = tuple(w for w in words.AUTOMATIC_STARTS if not w.isalpha())  # "owner-", "prvs="
_SQUEEZED_STARTS = tuple(w for w in words.AUTOMATIC_STARTS if w.isalpha())
