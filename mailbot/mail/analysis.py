"""Everything that a mail says by itself: parsed, classified, its new words separated from quotations.

In: the raw bytes and our own identity. Out: `Analysis`. Pure, so it may run in another process than the database.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.classify.rules import classify
from mailbot.mail.message import (
    Classification,
    InboundMessage,
    Reply,
)
from mailbot.mail.mime.parser import parse_header_only, parse_message
from mailbot.mail.reply.reply_text import new_words


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a mail says."""

    message: InboundMessage
    verdict: Classification
    words: Reply | None = None  #: New words, found without knowing what we sent; None: not searched for.


def analyse(raw: bytes, own: OwnIdentity, *, partial_size: int | None = None) -> Analysis:
    """Parse and classify a mail; with `partial_size` `raw` is only the header of a mail of that size."""
    message = parse_message(raw) if partial_size is None else replace(parse_header_only(raw), size=partial_size)
    return Analysis(message, classify(message, own))


def analyse_fully(raw: bytes, own: OwnIdentity) -> Analysis:
    """Analyse a mail including its new words, which takes twice as long: for a process of its own."""
    found = analyse(raw, own)
    return replace(found, words=new_words(found.message))
