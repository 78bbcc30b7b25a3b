"""Replies as mail programs make them, each with the new words that must come of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One body. `text`: the new words (white space aside); `sent`: what we had written; `kind`: "text" or "html"."""

    name: str
    body: str
    text: str
    kind: str = "text"
    subject: str = "Re: #12345 - Tidak bisa tutup BKU"
    sent: tuple[str, ...] = ()
    signature: str = ""
