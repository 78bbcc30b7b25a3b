"""Untrusted words made safe for the desk's own mail: titles, display names, single lines.

In: a subject, a display name or any text of a sender. Out: the same without links, addresses and telephone numbers,
which would let a stranger advertise through the desk's mail; or on one short line. Linear in the text's length.
"""

from __future__ import annotations

import re
import unicodedata

from mailbot.vocabulary.domains import HOME_SUFFIXES
from mailbot.vocabulary.subjects import ENDINGS, LINK_WORDS, NUMBER_PLACE_WORDS

MAX_NAME = 64
_LONGEST_LINE = 160

_NAME = r"[A-Za-z0-9\u00a1-\uffff](?:[A-Za-z0-9\u00a1-\uffff-]{0,62})"
_ENDING = "|".join(sorted(ENDINGS, key=len, reverse=True))
_LINK = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,14}://|\bwww\d?\.)\S{1,500}"  # a link
    rf"|(?<![\w.@])(?:{_NAME}[.]){{1,5}}(?:{_ENDING})(?![\w-]|[.]\w)(?:[/?:]\S{{0,500}})?"
    r"|(?<!\w)[\w.+-]{1,64}@[\w.-]{1,200}",  # an address
    re.IGNORECASE,
)
# +62 812-3456-7890, 0812 3456 7890, (021) 1234567; nine or more digits in one piece (a school's number has eight).
_TELEPHONE = re.compile(
    r"(?<![\w-])(?:\+\d{1,3}[ .()-]{0,2}|\(0\d{2,3}\)[ -]?|0?8\d{1,2}[ .-]?|62[ .-]?8\d{1,2}[ .-]?)"
    r"\d{3,4}(?:[ .-]?\d{2,4}){1,3}(?![\w])"
    r"|(?<!\d)\d{9,40}(?!\d)"
)
# Links to pages of schools and offices are kept: nobody else gets a name under these suffixes.
_HOME = re.compile(
    rf"(?:https?://)?[a-z0-9.-]{{1,100}}[.](?:{'|'.join(re.escape(s) for s in sorted(HOME_SUFFIXES))})/?", re.IGNORECASE
)


def safe_title(subject: str, language: str = "id") -> str:
    """Return a ticket's title from a sender's subject, which `clean_subject` has cut to 200 characters."""
    text = subject
    if "." in text or "@" in text or ":" in text:
        word = f"[{LINK_WORDS[language]}]"
        text = _LINK.sub(lambda found: found[0] if _HOME.fullmatch(found[0]) else word, text)
    return _TELEPHONE.sub(f"[{NUMBER_PLACE_WORDS[language]}]", text)


def safe_name(name: str) -> str:
    """Return a display name for the To field, "" if it contains a link, an address or a number."""
    if len(name) > MAX_NAME or _LINK.search(name) or _TELEPHONE.search(name) or "//" in name:
        return ""
    return name


def one_line(text: str) -> str:
    """Return text as one short line, without control, format or bidirectional characters and line separators."""
    visible = (c if unicodedata.category(c)[0] != "C" else " " for c in text[: _LONGEST_LINE * 4])
    line = " ".join("".join(visible).split())
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 2] + " …"
