"""From the `[hours]` settings to `ServiceHours`, with the holidays of the package `holidays`.

In: the settings and the desk's zone. Out: `ServiceHours`. The package's default category has no cuti bersama: both
`public` and `government` are asked for where the country knows them. Islamic dates of years to come are estimates
until the decree, so `extra_holidays` and `extra_workdays` mend what the package could not know. The package is
imported at the first question about a holiday of a country, not before. Never: a download.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, time
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailbot.core.hours import ServiceHours
from mailbot.errors import ConfigError

_DAY_CODES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CATEGORIES = ("public", "government")


class HoursSettings(Protocol):
    """The `[hours]` table (contract.md). Dates and times may be values or their ISO texts."""

    @property
    def days(self) -> Sequence[str]: ...
    @property
    def open(self) -> time | str: ...
    @property
    def close(self) -> time | str: ...
    @property
    def holidays(self) -> str: ...
    @property
    def extra_holidays(self) -> Sequence[date | str]: ...
    @property
    def extra_workdays(self) -> Sequence[date | str]: ...


def service_hours(hours_settings: HoursSettings, timezone: str) -> ServiceHours:
    """The desk's service hours. Raises ConfigError where a zone, a country, a day or an hour is none."""
    problems: list[str] = []
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError([f"helpdesk.timezone: no time zone is called {timezone!r}; write one like 'Asia/Jakarta'"]) from None
    extra = _dates("hours.extra_holidays", hours_settings.extra_holidays, problems)
    workdays = _dates("hours.extra_workdays", hours_settings.extra_workdays, problems)
    country = hours_settings.holidays
    if country and not _is_known(country):
        problems.append(f"hours.holidays: no holidays are known for {country!r}; write a country's two letters like 'ID', or ''")
    unknown = [day for day in hours_settings.days if day.lower() not in _DAY_CODES]
    problems += [f"hours.days: {day!r} is no day; allowed: {', '.join(_DAY_CODES)}" for day in unknown]
    opens = _time("hours.open", hours_settings.open, problems)
    closes = _time("hours.close", hours_settings.close, problems)
    if problems:
        raise ConfigError(problems)
    try:
        return ServiceHours(
            zone=zone,
            days=frozenset(_DAY_CODES.index(day.lower()) for day in hours_settings.days),
            open=opens,
            close=closes,
            is_holiday=_holidays(country, extra),
            extra_workdays=workdays,
        )
    except ValueError as error:
        raise ConfigError([f"hours.open, hours.close: {error}"]) from None


def _holidays(country: str, extra: frozenset[date]) -> Callable[[date], bool]:
    """Is this day a holiday of the country, or one of the desk's own?"""
    if not country:
        return extra.__contains__
    return lambda day: day in extra or day in national_holidays(country, day.year)


@lru_cache(maxsize=64)
def national_holidays(country: str, year: int) -> frozenset[date]:
    """The public holidays of a country in a year, with those that its government adds (cuti bersama)."""
    from holidays import country_holidays

    known = country_holidays(country).supported_categories
    categories = tuple(category for category in _CATEGORIES if category in known)
    # Asking for one year and switching `expand` off keeps the package from adding years behind our back.
    return frozenset(country_holidays(country, years=year, expand=False, categories=categories))


def _is_known(country: str) -> bool:
    from holidays import country_holidays

    try:
        country_holidays(country)
    except NotImplementedError:
        return False
    return True


def _dates(key: str, values: Sequence[date | str], problems: list[str]) -> frozenset[date]:
    found = set()
    for value in values:
        try:
            found.add(date.fromisoformat(value) if isinstance(value, str) else value)
        except ValueError:
            problems.append(f"{key}: {value!r} is no date; write it like '2026-03-20'")
    return frozenset(found)


def _time(key: str, value: time | str, problems: list[str]) -> time:
    if not isinstance(value, str):
        return value
    try:
        return time.fromisoformat(value)
    except ValueError:
        problems.append(f"{key}: {value!r} is no time of day; write it like '08:00'")
        return time(0)
