"""`ServiceHours` from the `[hours]` settings, with the holidays of the package `holidays`.

In: checked settings and the desk's time zone. Out: `ServiceHours`. The package's default category lacks cuti bersama:
`public` and `government` are both used where the country has them. Islamic dates of coming years are estimates until
the decree, so `extra_holidays` and `extra_workdays` correct what the package can't know yet. The package takes a tenth
of a second to import, so it is imported at the first question about a day.
Never: a download, the machine's own time zone.
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
    """The `[hours]` table, checked."""

    @property
    def days(self) -> Collection[str]:
        """The working days, "mon" to "sun"."""

    @property
    def open(self) -> time:
        """When service begins."""

    @property
    def close(self) -> time:
        """When service ends."""

    @property
    def holidays(self) -> str:
        """A country's two letters, or ""."""

    @property
    def extra_holidays(self) -> Collection[date]:
        """More days off."""

    @property
    def extra_workdays(self) -> Collection[date]:
        """Working days in spite of a holiday."""


def service_hours(hours_settings: HoursSettings, timezone: str) -> ServiceHours:
    """Return the desk's service hours; a day that is both an extra holiday and an extra workday is a workday."""
    return ServiceHours(
        zone=ZoneInfo(timezone),
        days=frozenset(_DAY_NAMES.index(day) for day in hours_settings.days),
        open=hours_settings.open,
        close=hours_settings.close,
        is_holiday=_is_holiday(hours_settings.holidays, frozenset(hours_settings.extra_holidays)),
        extra_workdays=frozenset(hours_settings.extra_workdays),
    )


def _is_holiday(country: str, extra: frozenset[date]) -> Callable[[date], bool]:
    """Return the test for a holiday of the country or an extra one."""
    if not country:
        return extra.__contains__
    return lambda day: day in extra or day in national_holidays(country, day.year)


@lru_cache(maxsize=64)
def national_holidays(country: str, year: int) -> frozenset[date]:
    """Return a country's public holidays in a year, with the days that its government adds (cuti bersama).

    Raises ConfigError where the package doesn't know the country.
    """
    from holidays import country_holidays

    try:
        known = country_holidays(country).supported_categories
    except NotImplementedError:
        raise ConfigError([f'hours.holidays: the package "holidays" knows no country {country!r}']) from None
    categories = tuple(category for category in _CATEGORIES if category in known)
    # With expand=True the package would add other years when they are queried.
    return frozenset(country_holidays(country, years=year, expand=False, categories=categories))
