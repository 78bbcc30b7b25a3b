"""A stranger's words in mail that the desk writes by itself: only what a person needs to find their report again.

In: a subject (`core.subject.clean_subject` has had it) or a display name. Out: the same without what makes an
advertisement of it: whoever forges a sender has the desk write to a third person, under the desk's good name, and
the subject is the one place where the forger's words would stand. Links, addresses and long numbers are replaced by a
word in brackets; direction marks and controls are gone already. A `#54321` inside stays: our own number stands before
it in every mail, and is read first (`core.subject`).
The title is made safe once, when the ticket is opened: all mail about it has one subject, and stays one thread.
Linear on any input; what is looked at is bounded.
"""

from __future__ import annotations

import re

from mailbot.vocabulary.providers import HOME_SUFFIXES
from mailbot.vocabulary.subjects import ENDINGS, LINK_WORDS, NUMBER_PLACE_WORDS

MAX_NAME = 64
_NAME = r"[A-Za-z0-9\u00a1-\uffff](?:[A-Za-z0-9\u00a1-\uffff-]{0,62})"
_ENDING = "|".join(sorted(ENDINGS, key=len, reverse=True))
_LINK = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,14}://|\bwww\d?\.)\S{1,500}"  # a link as it is written
    rf"|(?<![\w.@])(?:{_NAME}[.]){{1,5}}(?:{_ENDING})(?![\w-]|[.]\w)(?:[/?:]\S{{0,500}})?"
    r"|(?<!\w)[\w.+-]{1,64}@[\w.-]{1,200}",  # an address
    re.IGNORECASE,
)
# +62 812-3456-7890, 0812 3456 7890, (021) 1234567; nine digits and more in one piece. A school's number has eight.
_TELEPHONE = re.compile(
    r"(?<![\w-])(?:\+\d{1,3}[ .()-]{0,2}|\(0\d{2,3}\)[ -]?|0?8\d{1,2}[ .-]?|62[ .-]?8\d{1,2}[ .-]?)"
    r"\d{3,4}(?:[ .-]?\d{2,4}){1,3}(?![\w])"
    r"|(?<!\d)\d{9,40}(?!\d)"
)
# A page of the service itself is no advertisement: nobody but schools and offices gets such a name.
_HOME = re.compile(
    rf"(?:https?://)?[a-z0-9.-]{{1,100}}[.](?:{'|'.join(re.escape(s) for s in sorted(HOME_SUFFIXES))})/?", re.IGNORECASE
)


def safe_title(subject: str, language: str = "id") -> str:
    """A ticket's title out of a stranger's subject, which `clean_subject` has cut to 200 characters."""
    text = subject
    if "." in text or "@" in text or ":" in text:
        word = f"[{LINK_WORDS[language]}]"
        text = _LINK.sub(lambda found: found[0] if _HOME.fullmatch(found[0]) else word, text)
    return _TELEPHONE.sub(f"[{NUMBER_PLACE_WORDS[language]}]", text)


def safe_name(name: str) -> str:
    """A display name to write a mail to; "" where it says more than a name does."""
    if len(name) > MAX_NAME or _LINK.search(name) or _TELEPHONE.search(name) or "//" in name:
        return ""
    return name
