"""Everything that a mail says by itself, in one step: parsed, judged, its new words told from the rest.

In: the raw bytes and who we are. Out: `Analysis`. Pure, so it may run in another process, beside the one that writes.
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
    """What a mail says. `words`: its new words, told without knowing what we sent; None: they were not looked for."""

    message: InboundMessage
    verdict: Classification
    words: Reply | None = None


def analyse(raw: bytes, own: OwnIdentity, *, partial_size: int | None = None) -> Analysis:
    """Read a mail. `partial_size`: only its header was fetched, and the whole has so many bytes."""
    message = parse_message(raw) if partial_size is None else replace(parse_header_only(raw), size=partial_size)
    return Analysis(message, classify(message, own))


def analyse_fully(raw: bytes, own: OwnIdentity) -> Analysis:
    """The same, with the new words, which cost as much again: for a process that has nothing else to do."""
    found = analyse(raw, own)
    return replace(found, words=new_words(found.message))
