"""From the `[hours]` settings to `ServiceHours`, with the holidays of the package `holidays`.

In: checked settings (mailbot.config) and the desk's zone. Out: `ServiceHours`. The package's default category has no
cuti bersama: `public` and `government` are both asked for, where the country knows them. Islamic dates of years to
come are estimates until the decree, so `extra_holidays` and `extra_workdays` mend what the package can't know yet.
The package takes a tenth of a second to import: this happens at the first question about a day, not before.
Never: a download, the machine's own zone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, time
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from mailbot.errors import ConfigError
from mailbot.ticket.service_hours import ServiceHours

_DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CATEGORIES = ("public", "government")


class HoursSettings(Protocol):
    """The `[hours]` table (contract.md), checked: days "mon" to "sun", `holidays` two letters of a country or ""."""

    @property
    def days(self) -> Collection[str]: ...
    @property
    def open(self) -> time: ...
    @property
    def close(self) -> time: ...
    @property
    def holidays(self) -> str: ...
    @property
    def extra_holidays(self) -> Collection[date]: ...
    @property
    def extra_workdays(self) -> Collection[date]: ...


def service_hours(hours_settings: HoursSettings, timezone: str) -> ServiceHours:
    """The desk's service hours. A day that is both an extra holiday and an extra workday is a workday."""
    return ServiceHours(
        zone=ZoneInfo(timezone),
        days=frozenset(_DAY_NAMES.index(day) for day in hours_settings.days),
        open=hours_settings.open,
        close=hours_settings.close,
        is_holiday=_is_holiday(hours_settings.holidays, frozenset(hours_settings.extra_holidays)),
        extra_workdays=frozenset(hours_settings.extra_workdays),
    )


def _is_holiday(country: str, extra: frozenset[date]) -> Callable[[date], bool]:
    """Is this day a holiday of the country, or one of the desk's own?"""
    if not country:
        return extra.__contains__
    return lambda day: day in extra or day in national_holidays(country, day.year)


@lru_cache(maxsize=64)
def national_holidays(country: str, year: int) -> frozenset[date]:
    """The public holidays of a country in a year, with the days that its government adds (cuti bersama).

    Raises ConfigError where the package knows no such country.
    """
    from holidays import country_holidays

    try:
        known = country_holidays(country).supported_categories
    except NotImplementedError:
        raise ConfigError([f'hours.holidays: the package "holidays" knows no country {country!r}']) from None
    categories = tuple(category for category in _CATEGORIES if category in known)
    # Without expand=False the package adds other years to the answer when it is asked about them.
    return frozenset(country_holidays(country, years=year, expand=False, categories=categories))
