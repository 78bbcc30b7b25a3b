"""Attribution lines above a quotation: "Pada Sen, 3 Nov 2025 pukul 15.10 Sally <…> menulis:", in some forty languages.

In: one line, or the lines of a wrapped one joined by spaces. Out: an `Attribution` with its confidence, or None.

It counts only with the verb in the right place AND an address or a date; "Pada tanggal 3 bendahara menulis:" has
neither. A weak one (`strong=False`) starts a quotation only where lines with quote marks follow.

Words are looked up in tables instead of one large pattern, which is faster, and linear on any input.
Standards: none; the formats are those of the programs' translations. RFC 5322 §3.4 for addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mailbot.vocabulary import quoting as words

MAX_LENGTH = 700  # characters of an attribution, with a long list of names
DASHES = "-–—_=‐"

ADDRESS = re.compile(r"[\w.+=%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}|\[mailto:|<javascript:|\[EMAIL", re.I)
YEAR = re.compile(r"(?:19|20)\d\d|25[67]\d")  # also in the Thai calendar
TIME = re.compile(
    r"\b\d{1,2}\s?[:.]\s?\d{2}(?!\d|[./]\d{2,4})|\b\d{1,2}\s?(?:[aApP]\.?\s?[mM]\b|[h時时시点點]\s?\d{0,2})"
)
_NUMERIC_DATE = re.compile(
    r"\b\d{1,2}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2,4}\b"  # 03/11/2025, 3. 11. 2025
    r"|\b\d{4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,2}\b"  # 2025-11-03
    r"|\d{4}\s?[年년]\s?\d{1,2}\s?[月월]|\b\d{1,2}\s?[月월]\s?\d{1,2}"
    r"|\b\d{1,2}\.?\s+[^\W\d_]{3,12}\.?,?\s+(?:de\s+|р\.\s+)?(?:19|20)\d\d\b"  # 3 any-month 2025
    r"|\b\d{1,2}\s+[\u0e01-\u0e4e.]{2,12}\s+\d{4}|\b\d{1,2}-[^\W\d_]{3,9}\.?-\d{2,4}\b|tháng\s+\d{1,2}|\b\d{1,2}\s+thg\s",
    re.I,
)
# 3 Nov, 3 de novembro, 3. November, Nov 3; whether the word is a month is looked up.
_DAY_WORD = re.compile(r"\b\d{1,2}(?:st|nd|rd|th|er|\.|º|-?е)?\s+(?:de\s+|d['’])?([^\W\d_]{3,14})", re.I)
_WORD_DAY = re.compile(r"([^\W\d_]{3,14})\.?[\s-]+\d{1,2}(?!\d)")
_MONTHS = tuple({name for group in words.MONTHS for name in group})

_INTRODUCTIONS = tuple(sorted({intro.lower() for intro in words.INTRODUCTIONS}, key=len, reverse=True))
_DAYS = tuple(words.DAYS)
_VERBS = tuple((verb.lower(), lang) for lang, verbs in words.WROTE.items() for verb in verbs)
_LAST_VERBS = tuple(verb for verb, _ in _VERBS)
# In scripts without spaces between words the verb may follow the name directly.
_FIRST_UNSPACED = "\u0e00"

# Programs that write no verb: "3.11.2025, 15:10, "Sally" <…>:", "2025年11月3日(月) 15:10 Sally <…>:".
_DATE_FIRST = re.compile(r"(?:[^\W\d_]{2,14}\.?,?\s+)?\(?\d")
_ADDRESS_LAST = re.compile(r"@[\w.-]{2,120}[>)\]]?\s?[:：]$")
_COMMA_BEHIND_TIME = re.compile(
    r"\d[:.]\d\d(?:[:.]\d\d)?\s?(?:[AaPp]\.?[Mm]\.?|Uhr|[A-Z]{2,4}|(?:GMT)?[+-]\d{1,4}(?::\d\d)?)?,\s"
)
_SENTENCE_END = re.compile(r"[.!?]\s+\S")
_FEW_WORDS = 8  # "Zitat von Sally <sally@…>:"
_TRAILING = " *_:：;\t"
# An attribution after an author's last words, on the same line.
_GLUED = re.compile(r"(?<=[\w.!?)])\s{0,4}(?=(?:Pada|On|Am|Le|El|Il|Em|Op)\s+[^:<>]{0,60}\d)")


class Attribution(NamedTuple):
    """A recognised attribution."""

    #: 3 where it begins as programs begin it, 2 with an author, 1 otherwise.
    confidence: int
    #: For the admin: "attribution:id".
    rule: str
    #: It needs no quote marks below it.
    strong: bool


class _Verb(NamedTuple):
    start: int
    end: int
    language: str


def has_date(text: str) -> bool:
    """Return whether the text contains a day with its month."""
    if _NUMERIC_DATE.search(text):
        return True
    # Hebrew prefixes the name of the month with "in", without a space.
    named = (m[1] for pattern in (_DAY_WORD, _WORD_DAY) for m in pattern.finditer(text))
    return any(name.lower().removeprefix("ב").startswith(_MONTHS) for name in named)


def between_dashes(text: str) -> str | None:
    """Return the text between two drawn lines ("---- On … wrote ----"), or None."""
    if len(text) < 8 or not (text[0] in DASHES and text[1] in DASHES and text[-1] in DASHES and text[-2] in DASHES):
        return None
    return text.strip(f"{DASHES} ").rstrip(":： ") or None


def may_end_attribution(line: str) -> bool:
    """Test cheaply whether this can be the last line of an attribution."""
    if line.rstrip(" *_").endswith((":", "：", ":-")) or between_dashes(line):
        return True
    if line[-2:].strip(DASHES) == "" and next(_verbs_in(line), None) is not None:
        return True
    # The colon is missing.
    if line.lower().endswith(_LAST_VERBS) and ("@" in line or any(c.isdigit() for c in line)):
        return True
    # Yahoo's Android program puts the quotation on the same line: "Pada … <…> menulis:   Halo".
    return "@" in line and next(_verbs_in(line), None) is not None


def attribution(text: str) -> Attribution | None:
    """Recognise an attribution ("On Monday, Sally <…> wrote:"); None if the text is none."""
    inner = between_dashes(text)
    dashed = inner is not None
    text = inner or text
    address, date = ADDRESS.search(text), has_date(text)
    if not (address or date or (dashed and len(text) < 80)):
        return None
    time = TIME.search(text)
    verb = _ending_verb(text, dashed)
    if verb is None:
        return _without_verb(text, bool(address), date, bool(time))
    if not dashed and verb.end == len(text):
        return Attribution(1, f"attribution:{verb.language}", False) if address and date else None
    rule = f"attribution:{verb.language}"
    if date and (_has_introduction(text) or _is_day(text.split(None, 1)[0]) or text[0].isdigit()):
        # Without an address only the formats of programs are strong: a weekday with date and time, or a comma after
        # the time. People write "Pada tanggal 3 November 2025 pukul 10.00 bendahara menulis:".
        dated = bool(time or YEAR.search(text))
        weekday = any(_is_day(word) for word in text[:40].split())
        full = bool(time and YEAR.search(text)) and (weekday or _COMMA_BEHIND_TIME.search(text) is not None)
        return Attribution(3, rule, bool(address and dated) or full or dashed)
    if dashed or (address and _author_first(text, address)):
        return Attribution(2, rule, True)
    return Attribution(1, rule, False) if len(text) < 160 else None


def _without_verb(text: str, address: bool, date: bool, time: bool) -> Attribution | None:
    framed = _DATE_FIRST.match(text) and _ADDRESS_LAST.search(text)
    if date and time and address and framed and not any(_verbs_in(text)):
        return Attribution(3, "attribution:date", True)
    # The same in an unknown language: a day, a time or an author, and the colon.
    ended = text.rstrip(" *_").endswith((":", "："))
    if ended and ((date and (time or address) and len(text) < 200) or (address and len(text.split()) <= _FEW_WORDS)):
        return Attribution(1, "attribution:any", False)
    return None


def begins_attribution(line: str) -> bool:
    """Return whether a wrapped attribution can begin with this line: a day, a date, "Pada …", or its author."""
    if len(line) > 160 or line.endswith((".", "?", "!", ":")):
        return False
    address = ADDRESS.search(line)
    if address and _author_first(line, address):
        return True
    return _has_introduction(line) and (has_date(line) or len(line.split()) <= _FEW_WORDS)


def _has_introduction(text: str) -> bool:
    head = text[:20].lower()
    if not head.startswith(_INTRODUCTIONS):
        return False
    intro = next(intro for intro in _INTRODUCTIONS if head.startswith(intro))
    return not head[len(intro) : len(intro) + 1].isalpha() or intro[0] >= _FIRST_UNSPACED


def _is_day(word: str) -> bool:
    plain = word.strip("(),.").lower()
    return len(plain) < 14 and plain.startswith(_DAYS)


def _author_first(text: str, address: re.Match[str]) -> bool:
    """Return whether the text begins with 'Sally <sally@…>' or 'sally@…', and not with a sentence with an address."""
    before, after = text[: address.start()], text[address.end() :]
    name = before.rstrip("<([\"'“ ").removesuffix("mailto:").rstrip("<([ ")
    if len(name) > 90 or any(c in name for c in "<>:;!?") or _SENTENCE_END.search(name):
        return False
    return before != name and after[:1] in ">])[" if name else after[:1] in "> ])"


def _verbs_in(text: str) -> Iterator[_Verb]:
    """Yield the verbs of the tables that occur in the text as whole words."""
    lower = text.lower()
    for verb, language in _VERBS:
        at = lower.find(verb)
        while at >= 0:
            end = at + len(verb)
            alone = not (lower[at - 1 : at].isalpha() or lower[end : end + 1].isalpha())
            if alone or verb[0] >= _FIRST_UNSPACED:
                yield _Verb(at, end, language)
            at = lower.find(verb, end)


def _ending_verb(text: str, dashed: bool) -> _Verb | None:
    """Return the verb if only a colon, an author or a date follows it."""
    for verb in _verbs_in(text):
        rest = text[verb.end :].strip(" *_")
        if rest in ("", ":", "：", ": -", ":-"):
            return verb
        tail = rest.rstrip(_TRAILING)
        ended = dashed or ":" in rest[len(tail) :] or "：" in rest[len(tail) :]
        if ended and verb.language in words.VERB_BEFORE_NAME and len(tail) < 240 and _names_somebody(text, verb, tail):
            return verb
        # Yahoo for Android: an address just before the verb, the quotation just after the colon.
        if rest[:1] == ":" and ADDRESS.search(text[max(0, verb.start - 90) : verb.start]):
            return verb
    return None


def _names_somebody(text: str, verb: _Verb, tail: str) -> bool:
    """Return whether an author or a date follows the verb, and no second sentence."""
    return bool(ADDRESS.search(tail)) or has_date(tail) or (has_date(text[: verb.start]) and len(tail.split()) <= 5)


def split_glued(line: str) -> int | None:
    """Return where in a line that begins with its author's words an attribution begins, or None."""
    line = line[:MAX_LENGTH]
    for found in _GLUED.finditer(line):
        rest = line[found.end() :]
        # A sentence about a day ("Pada Sen, …", "Pada 3 Nov …") in the middle of a line has no author and verb.
        if may_end_attribution(rest) and (verdict := attribution(rest)) is not None and verdict.strong:
            return found.end()
    return None


def looks_like_lead(text: str) -> bool:
    """Return whether a line ends in a colon and has an address, or a day and a time, in whatever language.

    Proves nothing without a quotation below it.
    """
    if len(text) > 300 or not text.rstrip(" *_").endswith((":", "：")):
        return False
    return bool(ADDRESS.search(text)) or (has_date(text) and bool(TIME.search(text) or YEAR.search(text)))
