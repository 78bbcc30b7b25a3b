"""Moments, spans and hours as people read them, in Indonesian and English.

In: aware datetimes, timedeltas, service hours, a language ("id" or "en"). Out: text, in the forms that
docs/developer/rules.md fixes: `3 November 2025, 10:45:13 WIB` (id), `03 November 2025, 10:45:13 WIB` (en).
Never: the machine's locale.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from mailbot.ticket.service_hours import ServiceHours
from mailbot.vocabulary.dates import AND, AT_HOUR, DAYS, EXCEPT_HOLIDAYS, MONTHS, OF_SERVICE, SPANS, THROUGH, ZONES


def zone_name(local: datetime) -> str:
    """WIB, WITA or WIT for Indonesia's zones, the zone's own abbreviation for others. `local` is in that zone."""
    key = getattr(local.tzinfo, "key", "")
    return ZONES.get(key) or local.tzname() or ""


def format_stamp(at: datetime, language: str, zone: ZoneInfo) -> str:
    """To the second: `3 November 2025, 10:45:13 WIB` (id), `03 November 2025, 10:45:13 WIB` (en)."""
    local = at.astimezone(zone)
    day = f"{local.day:02d}" if language == "en" else str(local.day)
    month = MONTHS[language][local.month - 1]
    return f"{day} {month} {local.year}, {local.hour:02d}:{local.minute:02d}:{local.second:02d} {zone_name(local)}"


def format_moment(at: datetime, language: str, zone: ZoneInfo) -> str:
    """To the minute, with the day of the week: `Senin, 24 November 2025 pukul 08:00 WIB`."""
    local = at.astimezone(zone)
    day, month = DAYS[language][local.weekday()], MONTHS[language][local.month - 1]
    date = f"{day}, {local.day} {month} {local.year}"
    return f"{date} {AT_HOUR[language]} {local.hour:02d}:{local.minute:02d} {zone_name(local)}"


def format_span(span: timedelta, language: str, *, of_service: bool = False) -> str:
    """`2x24 jam`, `6 jam`, `90 menit`, `4 detik`: the largest unit that fits without a rest."""
    seconds = int(span.total_seconds())
    words = SPANS[language]
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds and seconds % length == 0:
            return words[unit].format(n=seconds // length) + (OF_SERVICE[language] if of_service else "")
    return words["seconds"].format(n=seconds) + (OF_SERVICE[language] if of_service else "")


def format_hours(hours: ServiceHours, language: str, *, except_holidays: bool = True) -> str:
    """`Senin sampai Jumat, 08:00-17:00 WIB, kecuali hari libur dan cuti bersama`."""
    days = sorted(hours.days)
    names = [DAYS[language][day] for day in days]
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        week = f"{names[0]} {THROUGH[language]} {names[-1]}"
    else:
        week = f" {AND[language]} ".join(filter(None, (", ".join(names[:-1]), "".join(names[-1:]))))
    # A zone with summer time has two abbreviations: neither would be right all year.
    winter, summer = (zone_name(datetime(2025, month, 1, tzinfo=hours.zone)) for month in (1, 7))
    zone = f" {winter}" if winter == summer else ""
    close = "24:00" if hours.close == time(0) else f"{hours.close:%H:%M}"
    return f"{week}, {hours.open:%H:%M}-{close}{zone}{EXCEPT_HOLIDAYS[language] if except_holidays else ''}"


# A display name is the sender's to choose, and a forged From makes the desk write to a stranger: what could be an
# advertisement (an address, a link, a long text) is not repeated. Titles after a comma ("Budi, S.Pd.") are left out.
_PLAIN_NAME = re.compile(r"[^\W_][\w .'’()/-]{0,47}")
_LINK = re.compile(r"\.\w{2,}|//|\d{5,}|\bwww\b", re.IGNORECASE)


def greeting_name(name: str) -> str:
    """Return the name by which a mail may greet its reader; "" where the display name is not plainly a name."""
    plain = " ".join(name.split(",", 1)[0].split())
    return plain if _PLAIN_NAME.fullmatch(plain) and not _LINK.search(plain) else ""


def format_size(size: int, language: str) -> str:
    """`812 B`, `20 KB`, `1.4 MB` (1,4 MB in Indonesian), in units of 1000, as phones show sizes."""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{size / 1000:.0f} KB"
    number = f"{size / 1_000_000:.1f}".removesuffix(".0")
    return f"{number.replace('.', ',') if language == 'id' else number} MB"
