"""A part of a clause while it is read: its plain words, the place in hand, and the signals found so far.

In: plain words of `core.colloquial`. Used by `core.clause_signals` and `core.negation`, which do the reading. Holds no
rule of its own but one: a trouble in the past is told as such, and "kemarin sudah bisa" says nothing of today.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from mailbot.mail.intent.normalise import GOOD_EMOJI, OPEN_EMOJI
from mailbot.vocabulary import intents as words


class Signal(Enum):
    """What a clause says."""

    BROKEN = auto()
    WAS_BROKEN = auto()  # "kemarin error": broken unless somebody says later that it is solved
    SOLVED = auto()
    THANKS = auto()
    ACKNOWLEDGED = auto()
    STATUS = auto()
    ASKS = auto()
    NEWS = auto()  # something sent, planned, supposed
    TRIED = auto()  # steps that were taken: says nothing without their outcome
    SOFT = auto()  # "kalau ada kendala lagi kami hubungi": courtesy after "sudah bisa", doubt without it
    UNKNOWN = auto()


_KNOWN = frozenset().union(*words.ALL)
_NOTHING = words.NEUTRAL | words.DONE | words.SIGNATURE | words.OBJECTS | {OPEN_EMOJI, GOOD_EMOJI}

_BESIDE_TROUBLE = words.NEUTRAL | words.DONE | words.TROUBLE | {"pesan", "notifikasi"}


def is_known(word: str) -> bool:
    """Is the word in any class of the vocabulary?"""
    return word in _KNOWN


def means_nothing(word: str) -> bool:
    """Does the word say nothing of the outcome: courtesy, an address, a school, a number, what the matter is about?"""
    return word in _NOTHING or word[0].isdigit()


@dataclass
class Part:
    """The words between two stops or conjunctions. `while_`: they only say when or why ("setelah update …")."""

    words: tuple[str, ...]
    question: bool = False
    while_: bool = False
    at: int = 0
    found: set[Signal] = field(default_factory=set)
    unknown: int = 0
    thanked: bool = False
    trouble_at: int | None = None
    all: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.all = set(self.words)

    def add(self, signal: Signal) -> None:
        """Note a signal; a trouble of the past, and a success of long ago, as what they are."""
        if signal is Signal.SOLVED and self.all & words.LONG_PAST and "sekarang" not in self.all:
            signal = Signal.UNKNOWN
        past = self.all & words.PAST and not self.all & words.STILL and Signal.SOLVED not in self.found
        if signal is Signal.BROKEN and (past or self.was_still()):
            signal = Signal.WAS_BROKEN
        self.found.add(signal)

    def was_still(self) -> bool:
        """ "Tadi masih macet": a state of the past, where nothing else in the part speaks of today or of an attempt."""
        courtesy = words.NEUTRAL | words.THANKS | words.HONORIFIC | words.NAMES
        first = next((word for word in self.words if word not in courtesy or word in words.LONG_PAST), "")
        told = first in words.LONG_PAST
        return bool(told and self.all & words.STILL and not self.all & (words.TRIES | words.DONE | words.OBJECTS))

    def held(self, count: int = 1000) -> tuple[str, ...]:
        """At most so many words before the place in hand."""
        return self.words[max(0, self.at - count) : self.at]

    def following(self, count: int = 1) -> set[str]:
        """The next words, at most so many."""
        return set(self.words[self.at + 1 : self.at + 1 + count])

    def next(self, start: int) -> tuple[int | None, str]:
        """The next place from `start` whose word says something, and that word; (None, "") where there is none."""
        for at in range(start, len(self.words)):
            if self.words[at] not in words.SKIPPED:
                return at, self.words[at]
        return None, ""

    def known(self, start: int, end: int) -> bool:
        """Is every word there understood? A mistyped "tidak" may hide in one that is not, or in a single letter."""
        return all(w.isdigit() or (len(w) > 1 and (is_known(w) or means_nothing(w))) for w in self.words[start:end])

    def last_done(self, count: int = 1000) -> int | None:
        """The place of the last "sudah" among so many words before the place in hand."""
        start = max(0, self.at - count)
        return max((i for i in range(start, self.at) if self.words[i] in words.DONE), default=None)

    def trouble_is_subject(self) -> bool:
        """ "Errornya sudah tidak muncul lagi", but not "kendala tombol tidak muncul lagi"."""
        if self.trouble_at is None:
            return False
        return all(word in _BESIDE_TROUBLE for word in self.words[: self.at])
