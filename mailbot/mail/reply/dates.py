"""Dates as mail programs write them above quotations and forwards: "Sen, 3 Nov 2025 pukul 15.10", "11/3/25 3:10 PM".

In: such a text, and the UTC offset to assume where it has none. Out: an aware UTC datetime, or None where the text is
ambiguous. Names of months in the languages of `vocabulary.quoting`.
Never: guesses a day; the order of 3/11 and 11/3 follows the clock (am and pm: month first, as in the United States).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from mailbot.vocabulary import quoting as words

_MAX_LENGTH = 200
_ISO = re.compile(r"\b(\d{4})\s?[-./年년]\s?(\d{1,2})\s?[-./月월]\s?(\d{1,2})")
_NUMBERS = re.compile(r"\b(\d{1,2})\s?[./-]\s?(\d{1,2})\s?[./-]\s?(\d{4}|\d{2})\b")
_DAY_MONTH = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th|er|[.º])?[\s-]+(?:de\s+|d['’])?"
    r"(tháng\s+\d{1,2}|thg\s+\d{1,2}|[^\W\d_][^\s\d,]{1,14})[\s,.-]+(?:de\s+)?(\d{4}|\d{2}\b)",
    re.I,
)
_MONTH_DAY = re.compile(r"([^\W\d_][^\s\d,]{1,14})[\s-]+(\d{1,2})(?:st|nd|rd|th)?,?[\s-]+(\d{4})")
_TIME = re.compile(r"(?<!\d)(\d{1,2})\s?[:.h時时시]\s?(\d{2})(?:\s?[:.分분]\s?(\d{2}))?(?!\d)")
_OFFSET = re.compile(r"(?:GMT|UTC|Z)?\s?([+-])(\d{1,2}):?(\d{2})?\b(?!\s?[/.])")
_ZONES = {
    "WIB": 7, "WITA": 8, "WIT": 9, "GMT": 0, "UTC": 0, "WEST": 1, "CET": 1, "CEST": 2, "EST": -5, "EDT": -4, "PST": -8,
    "PDT": -7, "JST": 9, "ICT": 7, "SGT": 8,
}  # fmt: skip
_ZONE = re.compile(rf"\b({'|'.join(sorted(_ZONES, key=len, reverse=True))})\b(?!\s?[+-]\d)")
_AFTERNOON = re.compile(r"\bp\.?\s?m\b|下午|晚上|오후|午後|μ\.?μ|\bptg\b|\bm\.?p\.?\b|\bم\b|\bCH\b", re.I)
_MORNING = re.compile(r"\ba\.?\s?m\b|上午|오전|午前|π\.?μ|\bpg\b|\bص\b|\bSA\b(?=$|\s*$)", re.I)


def mail_date(text: str, offset: timedelta = timedelta(0)) -> datetime | None:
    """Parse a date into UTC; None if it can't be read. `offset`: from UTC, where the text has none."""
    text = text[:_MAX_LENGTH].replace("\u202f", " ").replace("\u00a0", " ")
    afternoon, morning = bool(_AFTERNOON.search(text)), bool(_MORNING.search(text))
    found = _day_of(text, month_first=afternoon or morning)
    if found is None:
        return None
    year, month, day, span = found
    time = _TIME.search(text[: span[0]] + " " * (span[1] - span[0]) + text[span[1] :])
    hour, minute, second = (int(time[1]), int(time[2]), int(time[3] or 0)) if time else (0, 0, 0)
    if afternoon and hour < 12:
        hour += 12
    elif morning and hour == 12:
        hour = 0
    if year > 2400:  # Thai solar calendar
        year -= 543
    try:
        named = _offset_of(text, time)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset if named is None else named))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        # Month 13 or hour 25: not a date.
        return None


def _day_of(text: str, month_first: bool) -> tuple[int, int, int, tuple[int, int]] | None:
    """Return (year, month, day, span of the match)."""
    if found := _ISO.search(text):
        return int(found[1]), int(found[2]), int(found[3]), found.span()
    for found in _DAY_MONTH.finditer(text):
        if month := month_of(found[2]):
            return _full_year(found[3]), month, int(found[1]), found.span()
    for found in _MONTH_DAY.finditer(text):
        if month := month_of(found[1]):
            return int(found[3]), month, int(found[2]), found.span()
    if found := _NUMBERS.search(text):
        first, second, year = int(found[1]), int(found[2]), _full_year(found[3])
        if second > 12 or (month_first and first <= 12 and "/" in found[0]):
            first, second = second, first
        return year, second, first, found.span()
    return None


def month_of(name: str) -> int:
    """Return 1 to 12 for the name of a month, also abbreviated; 0 for other words."""
    plain = " ".join(name.lower().strip(".,").split()).removeprefix("ב").replace("thg ", "tháng ")
    if plain.startswith("tháng "):
        return int(plain[6:]) if plain[6:].isdigit() and 1 <= int(plain[6:]) <= 12 else 0
    best, length = 0, 0
    for number, names in enumerate(words.MONTHS, 1):
        for begin in names:
            if len(begin) > length and plain.startswith(begin):
                best, length = number, len(begin)
    return best


def _full_year(digits: str) -> int:
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


def _offset_of(text: str, time: re.Match[str] | None) -> timedelta | None:
    """Return the UTC offset of the zone after the time."""
    rest = text[time.end() :] if time else text
    if found := _OFFSET.search(rest):
        hours, minutes = int(found[2]), int(found[3] or 0)
        if hours <= 14 and minutes < 60:
            span = timedelta(hours=hours, minutes=minutes)
            return span if found[1] == "+" else -span
    if found := _ZONE.search(rest):
        return timedelta(hours=_ZONES[found[1]])
    return None
