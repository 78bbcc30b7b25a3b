"""What others' mail says about a person, made unreadable: their address, their name, and quotations of what they wrote.

In: who is to be forgotten, and texts, mails and rows of tickets on which they took part. Out: the same with the letters
of every mention written over by "x", at the same length, so that nothing else of a mail moves: neither its boundaries
nor the files of others in it. Quotations are found however programs wrap and mark them, also in quoted-printable and
base64. Standards: RFC 2045 §6.7 and §6.8.
Never: removes a row or a mail; decides whose is what (`store.traces`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mailbot.mail.redaction import in_base64_blocks

_SHORTEST_NAME = 6
_SHORTEST_LINE = 12
_MOST_LINES = 2000
_LETTER = re.compile(r"[^\W_]")
_WORD = re.compile(r"[^\s>=]+")
# What stands between two words of a quotation that was wrapped and marked, or between two letters in quoted-printable.
_BETWEEN_WORDS = r"(?:=20|[\s>=]){1,12}"
_BREAK = r"(?:=\r?\n)?"


class Mentions:
    """One person: address, names, the texts that they wrote."""

    def __init__(self, email: str, names: Iterable[str], texts: Iterable[str]) -> None:
        wanted = {email, *(name for name in names if len(name) >= _SHORTEST_NAME)}
        lines = (line.strip() for text in texts for line in text.splitlines())
        wanted |= set([line for line in lines if len(line) >= _SHORTEST_LINE][:_MOST_LINES])
        ordered = sorted(wanted - {""}, key=lambda each: (-len(each), each))
        self._in_text = [_pattern(each) for each in ordered]
        self._in_bytes = [_pattern(form) for each in ordered for form in _forms(each)]

    def out_of(self, text: str) -> str:
        """The text without them."""
        for pattern in self._in_text:
            text = pattern.sub(_written_over, text)
        return text

    def out_of_mail(self, raw: bytes) -> bytes:
        """A mail without them, in whatever encoding its parts are."""
        return in_base64_blocks(self._masked(raw), self._masked)

    def _masked(self, content: bytes) -> bytes:
        text = content.decode("latin-1")
        for pattern in self._in_bytes:
            text = pattern.sub(_written_over, text)
        return text.encode("latin-1")


def _forms(words: str) -> set[str]:
    """As bytes read as Latin-1: UTF-8, and quoted-printable with its capital and small hex."""
    plain = words.encode("utf-8", "replace").decode("latin-1")
    if plain.isascii():
        return {plain}
    quoted = "".join(
        c if c.isascii() else "".join(f"={byte:02X}" for byte in c.encode("utf-8", "replace")) for c in words
    )
    return {plain, quoted, quoted.replace(" ", "_")}


def _pattern(words: str) -> re.Pattern[str]:
    """These words, in any case, wrapped anyhow. Each place has one way to go on: linear."""
    pieces = [_BREAK.join(re.escape(letter) for letter in word) for word in _WORD.findall(words[:2000])]
    return re.compile(_BETWEEN_WORDS.join(pieces) or r"(?!)", re.I)


def _written_over(found: re.Match[str]) -> str:
    # "=C3=A9" becomes "=xx=xx", which decodes to itself and says nothing
    return _LETTER.sub("x", found[0])
