"""Quotations recognised by what we wrote ourselves: a body compared with the mails that we sent to its author.

In: the plain texts of mails sent on a ticket. Out: for a line of an incoming body, whether it is ours. Programs wrap,
re-flow and decorate what they quote, so words are compared, not lines: runs of four words in a row ("shingles",
Broder 1997), and the few words of a short line.
Never: decides by itself what is hidden; a few words in common are no quotation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+")
_SHINGLE = 4
_LAST_LINES = 4
_MOST_LINE = 4000  # characters of a line
_MOST_CHARACTERS = 200_000  # of one mail of ours


class Originals:
    """The mails we sent, ready for comparing."""

    def __init__(self, sent: Sequence[str]) -> None:
        self._texts: list[str] = []
        self._shingles: set[tuple[str, ...]] = set()
        self._last: set[str] = set()
        for text in sent:
            lines = [line for line in (" ".join(_words(line)) for line in text.splitlines()) if line]
            self._texts.append(f" {' '.join(lines)} ")
            self._last.update(lines[-_LAST_LINES:])
            words = _words(text)
            self._shingles.update(zip(*(words[n:] for n in range(_SHINGLE)), strict=False))

    def __bool__(self) -> bool:
        return bool(self._texts)

    def knows(self, line: str) -> bool:
        """True where the line is ours beyond chance: at least four of our words in a row, and little else."""
        words = _words(line[:_MOST_LINE])
        if len(words) < _SHINGLE:
            return False
        shingles = list(zip(*(words[n:] for n in range(_SHINGLE)), strict=False))
        return sum(1 for shingle in shingles if shingle in self._shingles) >= 0.8 * len(shingles)

    def may_know(self, line: str) -> bool:
        """True also for a few words of ours in their order: alone they prove nothing, beside others they do."""
        words = " ".join(_words(line[:_MOST_LINE]))
        return bool(words) and (any(f" {words} " in text for text in self._texts) or self.knows(line))

    def ends_with(self, line: str) -> bool:
        """Is this one of the last lines of a mail of ours, so that nothing of it follows?"""
        return " ".join(_words(line)) in self._last


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text[:_MOST_CHARACTERS])]
