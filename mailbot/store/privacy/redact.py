"""Redaction of mentions of a person in others' mail: their address, their names, quotations of what they wrote.

In: the person to be erased, and the texts and raw mails of tickets on which they took part. Out: the same with the
letters of every mention replaced by "x", at the same length, so that MIME boundaries and others' attachments stay where
they are. Quotations are found however mail programs wrap and mark them, also in quoted-printable and base64.
Standards: RFC 2045 §6.7 and §6.8.
Never: deletes a row or a mail; decides what belongs to whom (`privacy.traces`).
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
# Between two words of a quotation that was wrapped and marked, and between two letters in quoted-printable.
_BETWEEN_WORDS = r"(?:=20|[\s>=]){1,12}"
_BREAK = r"(?:=\r?\n)?"


class Mentions:
    """The ways to mention one person: their address, names, and the texts that they wrote."""

    def __init__(self, email: str, names: Iterable[str], texts: Iterable[str]) -> None:
        wanted = {email, *(name for name in names if len(name) >= _SHORTEST_NAME)}
        lines = (line.strip() for text in texts for line in text.splitlines())
        wanted |= set([line for line in lines if len(line) >= _SHORTEST_LINE][:_MOST_LINES])
        ordered = sorted(wanted - {""}, key=lambda each: (-len(each), each))
        self._in_text = [_pattern(each) for each in ordered]
        self._in_bytes = [_pattern(form) for each in ordered for form in _forms(each)]

    def masked_in(self, text: str) -> str:
        """Mask the mentions in a text."""
        for pattern in self._in_text:
            text = pattern.sub(_written_over, text)
        return text

    def masked_in_mail(self, raw: bytes) -> bytes:
        """Mask the mentions in a raw mail, whatever the encoding of its parts."""
        return in_base64_blocks(self._masked(raw), self._masked)

    def _masked(self, content: bytes) -> bytes:
        text = content.decode("latin-1")
        for pattern in self._in_bytes:
            text = pattern.sub(_written_over, text)
        return text.encode("latin-1")


def _forms(words: str) -> set[str]:
    """Return the forms of a mention in bytes read as Latin-1: UTF-8, and quoted-printable (RFC 2045 §6.7, RFC 2047)."""
    plain = words.encode("utf-8", "replace").decode("latin-1")
    if plain.isascii():
        return {plain}
    quoted = "".join(
        c if c.isascii() else "".join(f"={byte:02X}" for byte in c.encode("utf-8", "replace")) for c in words
    )
    return {plain, quoted, quoted.replace(" ", "_")}


def _pattern(words: str) -> re.Pattern[str]:
    """Match these words, in any case, however they are wrapped; deterministic at each position, so it is linear."""
    pieces = [_BREAK.join(re.escape(letter) for letter in word) for word in _WORD.findall(words[:2000])]
    return re.compile(_BETWEEN_WORDS.join(pieces) or r"(?!)", re.I)


def _written_over(found: re.Match[str]) -> str:
    # "=C3=A9" becomes "=xx=xx", which is not an encoding of anything.
    return _LETTER.sub("x", found[0])
