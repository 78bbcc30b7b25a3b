"""Recognition of our own text in a reply, by comparison with the mails that we sent to its author.

In: the plain texts of mails sent on a ticket. Out: for a line of an incoming body, whether it is ours. Programs wrap
and decorate what they quote, so words are compared, not lines: runs of four words ("shingles", Broder 1997), and all
words of a short line.
Never: decides what is hidden; a few words in common are no quotation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+")
_SHINGLE = 4
_SHARE = 0.8  # of a line's shingles that must be ours
_LAST_LINES = 4
_MAX_LINE = 4000  # characters of a line
_MAX_CHARACTERS = 200_000  # of one mail of ours


class SentTexts:
    """The mails that we sent, indexed for comparison."""

    def __init__(self, sent: Sequence[str]) -> None:
        self._sent = [text[:_MAX_CHARACTERS] for text in sent]
        self._texts = [f" {' '.join(words)} " for words in map(_words, self._sent) if words]
        self._shingles: set[tuple[str, ...]] | None = None

    def __bool__(self) -> bool:
        return bool(self._texts)

    def may_contain(self, line: str) -> bool:
        """Return whether the line may be ours, also by a few words in order, which prove nothing alone."""
        words = _words(line[:_MAX_LINE])
        return self._has_run(words) or self._has_shingles(words)

    def contains(self, line: str) -> bool:
        """Return whether the line is ours beyond chance: at least four of our words in a row, and little else."""
        words = _words(line[:_MAX_LINE])
        return len(words) >= _SHINGLE and (self._has_run(words) or self._has_shingles(words))

    def ends_with(self, line: str) -> bool:
        """Return whether this is one of the last lines of a mail of ours, so that none of its text follows."""
        wanted = _words(line[:_MAX_LINE])
        last = (each for text in self._sent for each in [e for e in text.splitlines() if e.strip()][-_LAST_LINES:])
        return any(_words(each) == wanted for each in last)

    def _has_run(self, words: list[str]) -> bool:
        run = f" {' '.join(words)} "
        return bool(words) and any(run in text for text in self._texts)

    def _has_shingles(self, words: list[str]) -> bool:
        if len(words) < _SHINGLE:
            return False
        if self._shingles is None:
            self._shingles = {shingle for text in self._texts for shingle in _shingles(text.split())}
        shingles = _shingles(words)
        return sum(1 for shingle in shingles if shingle in self._shingles) >= _SHARE * len(shingles)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _shingles(words: list[str]) -> list[tuple[str, ...]]:
    return list(zip(*(words[n:] for n in range(_SHINGLE)), strict=False))
