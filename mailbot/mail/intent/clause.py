"""Clauses of plain words, the parts of a clause while they are read, and the signals found in them.

`normalise` makes the clauses; `signals`, `word_signals` and `negation` read them. The only rule here concerns the past:
a past problem is recorded as such, and "kemarin sudah bisa" says nothing about today.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from mailbot.vocabulary import intents as words

GOOD_EMOJI, BAD_EMOJI, OPEN_EMOJI = "☺", "☹", "⁇"  # the plain words of emoji


@dataclass(frozen=True, slots=True)
class Token:
    """One word."""

    #: The plain word.
    word: str
    typed: str

    @property
    def capital(self) -> bool:
        """Whether it was typed with a capital, as names are."""
        return self.typed[:1].isupper()


@dataclass(frozen=True, slots=True)
class Clause:
    """The words between two punctuation marks."""

    tokens: tuple[Token, ...]
    #: The plain words of the tokens.
    words: tuple[str, ...]
    #: The sentence is a question.
    question: bool = False
    #: The number of the line in the text, from 0.
    line: int = 0


class Signal(Enum):
    """What a clause says about the outcome of a case."""

    BROKEN = auto()
    WAS_BROKEN = auto()  # "kemarin error": broken unless a later clause says that it is solved
    SOLVED = auto()
    THANKS = auto()
    ACKNOWLEDGED = auto()
    STATUS = auto()
    ASKS = auto()
    NEWS = auto()  # something sent, planned or assumed
    TRIED = auto()  # steps that were taken, without their outcome
    SOFT = auto()  # "kalau ada kendala lagi kami hubungi": courtesy after "sudah bisa", doubt without it
    UNKNOWN = auto()


_KNOWN = frozenset().union(*words.ALL)
_NOTHING = words.NEUTRAL | words.DONE | words.SIGNATURE | words.OBJECTS | {OPEN_EMOJI, GOOD_EMOJI}
_BESIDE_PROBLEM = words.NEUTRAL | words.DONE | words.PROBLEM | {"pesan", "notifikasi"}


def is_known(word: str) -> bool:
    """Return whether the word is in any class of the vocabulary."""
    return word in _KNOWN


def means_nothing(word: str) -> bool:
    """Return whether the word says nothing about the outcome: courtesy, a school, a number, the subject of the case."""
    return word in _NOTHING or word[0].isdigit()


@dataclass
class ClausePart:
    """The words between two conjunctions or punctuation marks, with the state of the reader."""

    words: tuple[str, ...]
    question: bool = False
    #: It only says when or why ("setelah update …").
    subordinate: bool = False
    #: The index of the current word.
    at: int = 0
    found: set[Signal] = field(default_factory=set)
    #: The number of words without a meaning for the outcome.
    unknown: int = 0
    thanked: bool = False
    #: The index of the first word that names a problem.
    problem_at: int | None = None
    all: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.all = set(self.words)

    def add(self, signal: Signal) -> None:
        """Add a signal, unless the words put the problem or the success into the past."""
        if signal is Signal.SOLVED and self.all & words.LONG_PAST and "sekarang" not in self.all:
            signal = Signal.UNKNOWN
        past = self.all & words.PAST and not self.all & words.STILL and Signal.SOLVED not in self.found
        if signal is Signal.BROKEN and (past or self.was_still()):
            signal = Signal.WAS_BROKEN
        self.found.add(signal)

    def was_still(self) -> bool:
        """Return whether only a past state is told: "tadi masih macet", but not "tadi saya coba masih macet"."""
        courtesy = words.NEUTRAL | words.THANKS | words.HONORIFIC | words.NAMES
        first = next((word for word in self.words if word not in courtesy or word in words.LONG_PAST), "")
        return first in words.LONG_PAST and bool(
            self.all & words.STILL and not self.all & (words.TRIES | words.DONE | words.OBJECTS)
        )

    def preceding(self, count: int = 1000) -> tuple[str, ...]:
        """Return at most `count` words before the current one."""
        return self.words[max(0, self.at - count) : self.at]

    def following(self, count: int = 1) -> set[str]:
        """Return at most `count` words after the current one."""
        return set(self.words[self.at + 1 : self.at + 1 + count])

    def next_word(self, start: int) -> tuple[int | None, str]:
        """Return index and word of the next meaningful word from `start`; (None, "") without one."""
        for at in range(start, len(self.words)):
            if self.words[at] not in words.SKIPPED:
                return at, self.words[at]
        return None, ""

    def known(self, start: int, end: int) -> bool:
        """Return whether every word there is understood; an unknown one may be a mistyped "tidak"."""
        return all(w.isdigit() or (len(w) > 1 and (is_known(w) or means_nothing(w))) for w in self.words[start:end])

    def last_done(self, count: int = 1000) -> int | None:
        """Return the index of the last "sudah" among at most `count` words before the current one."""
        start = max(0, self.at - count)
        return max((i for i in range(start, self.at) if self.words[i] in words.DONE), default=None)

    def problem_is_subject(self) -> bool:
        """Return whether a problem is the subject: "errornya tidak muncul", not "kendala tombol tidak muncul"."""
        if self.problem_at is None:
            return False
        return all(word in _BESIDE_PROBLEM for word in self.words[: self.at])
