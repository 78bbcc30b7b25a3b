"""Return date of somebody who is away, from the text of an out-of-office reply.

In: the text of the reply and the day on which it was written. Out: the day as ISO 8601 (`2025-05-06`) where day, month
and year are certain, else the text as written ("Senin", "5/6/2025", "minggu depan"), else "". The day of return
("kembali bekerja tanggal …", "back on …") is preferred to the last day of the absence ("sampai …", "until …"). A
missing year is the one in which the day follows the day of writing. `5/6/2025` is left as written, because half of the
world reads it as June and the other half as May.

For people to read only: no timer depends on it.
"""

from __future__ import annotations

import re
from datetime import date

from mailbot.vocabulary import out_of_office as words
from mailbot.vocabulary.dates import DAYS, MONTHS

MAX_TEXT = 3000
MAX_DATE = 40  # characters


def _any(choices: tuple[str, ...] | list[str]) -> str:
    return "|".join(re.escape(w) for w in sorted(choices, key=len, reverse=True))


_MONTH_NUMBERS = {
    **{name.lower(): i for names in MONTHS.values() for i, name in enumerate(names, 1)},
    **words.SHORT_MONTHS,
    **words.SPELT_MONTHS,
}
_DAY = f"(?:{_any([*(d.lower() for names in DAYS.values() for d in names), *words.SPELT_DAYS])})"
_MONTH = rf"(?P<month>{_any(list(_MONTH_NUMBERS))})\.?(?![a-z])"
_YEAR = r"(?P<year>20\d\d)"
# The formats of a date, the least ambiguous first.
_DATES = (
    rf"{_YEAR}-(?P<month_number>\d\d)-(?P<day>\d\d)(?!\d)",  # 2025-05-06
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)?[ .-]{{1,2}}{_MONTH}(?:[ ,.-]{{1,2}}{_YEAR})?",  # 6 Mei 2025
    rf"{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,? {_YEAR})?",  # May 6, 2025
    rf"(?P<day>\d{{1,2}})[/.-](?P<month_number>\d{{1,2}})[/.-]{_YEAR}",  # 06/05/2025
)
_DATE_PATTERNS = tuple(re.compile(rf"(?:{_DAY},? )?(?:{pattern})") for pattern in _DATES)
_DAY_ONLY = re.compile(rf"{_DAY}(?: depan)?|(?:next|this) {_DAY}|{_any(words.NEAR_DAYS)}")
_FILLER = re.compile(rf"(?:[ ]{{0,2}}(?:{_any(words.DATE_FILLERS)})(?![a-z]))*[ ]{{0,2}}")
_BACK = re.compile(rf"(?<![a-z])(?:{_any(words.BACK_ON)})(?![a-z])")
_UNTIL = re.compile(rf"(?<![a-z])(?:{_any(words.AWAY_UNTIL)})(?![a-z])")
_MAX_PLACES = 30


def returns_on(text: str, written_on: date | None = None) -> str:
    """Return the day that an out-of-office reply names: ISO 8601 if it is certain, else as written, else ""."""
    original = " ".join(text[:MAX_TEXT].split())
    low = original.lower()
    if len(low) != len(original):  # a letter has a longer lower case: show the text in lower case
        original = low
    for lead in (_BACK, _UNTIL):
        for count, found_lead in enumerate(lead.finditer(low)):
            if count >= _MAX_PLACES:
                break
            filler = _FILLER.match(low, found_lead.end())
            found = _date_at(low, original, filler.end() if filler else found_lead.end(), written_on)
            if found:
                return found
    return ""


def _date_at(low: str, original: str, position: int, written_on: date | None) -> str:
    for pattern in _DATE_PATTERNS:
        if match := pattern.match(low, position):
            return _iso(match, written_on) or original[match.start() : match.end()][:MAX_DATE].strip()
    day = _DAY_ONLY.match(low, position)
    return original[day.start() : day.end()] if day else ""


def _iso(match: re.Match[str], written_on: date | None) -> str:
    parts = match.groupdict()
    day = int(parts["day"])
    if parts.get("month"):
        month = _MONTH_NUMBERS[parts["month"]]
    else:
        month = int(parts["month_number"])
        if "/" in match.group() and day != month and day <= 12 and month <= 12:
            return ""
        if month > 12 and "/" in match.group():
            day, month = month, day  # 5/26/2025
    try:
        if parts.get("year"):
            return date(int(parts["year"]), month, day).isoformat()
        if written_on is None:
            return ""
        this_year = date(written_on.year, month, day)
        return (this_year if this_year >= written_on else date(written_on.year + 1, month, day)).isoformat()
    except ValueError:
        return ""
