"""How alike two texts are, as numbers that can be counted in an index: a machine's wording under changing names.

In: the new words of a mail. Out: two 64-bit keys, or None where there are too few words to tell anything. Texts that
share nearly all of their words share a key: each key is made of the three least hashes of the words (min-wise hashing,
Broder 1997), so that two texts with the share J of common words agree in one with probability J³. What changes from
copy to copy of a machine's mail counts for nothing: digits and every word that has one, case, order, repetition.
"""

from __future__ import annotations

import re
from heapq import nsmallest
from zlib import crc32

MAX_CHARACTERS = 3000
MAX_WORDS = 120
LEAST_WORDS = 5  # different ones: "mohon bantuan" says nothing about who wrote it
_TAKEN = 3
_WORD = re.compile(r"\w{3,40}")
_MASK = (1 << 32) - 1

Likeness = tuple[int, int]


def likeness(text: str) -> Likeness | None:
    """The keys of a text, each from -2⁶³ to 2⁶³-1."""
    words = dict.fromkeys(w for w in _WORD.findall(text[:MAX_CHARACTERS].lower()) if w.isalpha())
    if len(words) < LEAST_WORDS:
        return None
    first = [crc32(word.encode()) for word in list(words)[:MAX_WORDS]]
    second = [(h * 0x9E3779B1 + 0x7F4A7C15) & _MASK for h in first]  # another order of the same words
    second = [h ^ (h >> 15) for h in second]
    return _key(first), _key(second)


def _key(hashes: list[int]) -> int:
    key = 0
    for h in nsmallest(_TAKEN, hashes):
        key = (key * 0x100000001B3 ^ h) & 0xFFFFFFFFFFFFFFFF
    return key - (1 << 63)
