"""How alike two texts are, as numbers that can be counted in an index: a machine's wording under changing names.

In: the new words of a mail. Out: two 64-bit keys, or None where there are too few words to tell anything. Texts that
share nearly all of their words share a key: the keys are made of the three least and the three greatest hashes of
the words (min-wise hashing, Broder 1997); two texts with the share J of common words agree in either with probability
J³. What changes from copy to copy of a machine's mail counts for nothing: every word with a digit, case, order,
repetition.
"""

from __future__ import annotations

import re
from zlib import crc32

MAX_CHARACTERS = 2000
MAX_WORDS = 80
LEAST_WORDS = 5  # different ones: "mohon bantuan" says nothing about who wrote it
_TAKEN = 3
_WORD = re.compile(r"\w{3,40}")

Likeness = tuple[int, int]


def likeness(text: str) -> Likeness | None:
    """The keys of a text, each from -2⁶³ to 2⁶³-1."""
    words = dict.fromkeys(w for w in _WORD.findall(text[:MAX_CHARACTERS].lower()) if w.isalpha())
    if len(words) < LEAST_WORDS:
        return None
    hashes = sorted(crc32(word.encode()) for word in list(words)[:MAX_WORDS])
    return _key(hashes[:_TAKEN]), _key(hashes[-_TAKEN:])


def _key(hashes: list[int]) -> int:
    key = 0
    for h in hashes:
        key = (key * 0x100000001B3 ^ h) & 0xFFFFFFFFFFFFFFFF
    return key - (1 << 63)
