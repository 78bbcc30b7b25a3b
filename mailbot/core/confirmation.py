"""What an agent's reply to "is this mail yours?" says: yes, no, or nothing, since a machine wrote it.

In: the reply, how it was classified, the words that are new in it. Out: an `Answer`. Any reply of a person is a yes
unless it says no; an automatic reply, also one that no header shows and that only talks of leave, confirms nothing.
"""

from __future__ import annotations

import re
from enum import StrEnum

from mailbot.core.auto_signs import hints_in_words
from mailbot.core.message import Classification, InboundMessage, Kind
from mailbot.vocabulary.confirmations import NO, YES

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_READ = 2000  # characters: whoever denies does so at once


class Answer(StrEnum):
    """What a reply to the request for confirmation means."""

    YES = "yes"
    NO = "no"
    NONE = "none"  # of a machine


def answer_of(message: InboundMessage, verdict: Classification, words: str) -> Answer:
    """The answer. `words` are the reply's new words ("" where it only quotes)."""
    if verdict.kind is not Kind.HUMAN or hints_in_words(message, suspected=True):
        return Answer.NONE
    lines = [line for line in words[:_READ].lower().replace("’", "'").splitlines() if line.strip()]
    first = _WORD.findall(lines[0]) if lines else []
    if first and first[0] in YES:
        return Answer.YES
    return Answer.NO if not NO.isdisjoint(first) else Answer.YES
