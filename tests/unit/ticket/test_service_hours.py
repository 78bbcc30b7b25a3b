"""Service hours: the desk's week, holidays and cuti bersama, and arithmetic in open time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.config.holidays import national_holidays, service_hours
from mailbot.errors import ConfigError
from mailbot.ticket.service_hours import ServiceHours

JAKARTA = ZoneInfo("Asia/Jakarta")
OFFICE = ServiceHours(JAKARTA)


@dataclass(frozen=True)
class Settings:
    """The `[hours]` table with its defaults."""

    days: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")
    open: time = time(8)
    close: time = time(17)
    holidays: str = "ID"
    extra_holidays: tuple[date, ...] = ()
    extra_workdays: tuple[date, ...] = ()


def wib(text: str) -> datetime:
    """Return a time by the wall clock of Jakarta."""
    return datetime.fromisoformat(text).replace(tzinfo=JAKARTA)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2025-11-24T07:59:59.999999", False),  # Monday, just before
        ("2025-11-24T08:00", True),  # at the opening
        ("2025-11-24T16:59:59.999999", True),
        ("2025-11-24T17:00", False),  # at the close
        ("2025-11-22T10:00", False),  # Saturday
        ("2025-11-23T10:00", False),  # Sunday
    ],
)
def test_the_desk_is_open_from_its_opening_until_just_before_its_close(at: str, is_open: bool) -> None:
    assert OFFICE.is_open(wib(at)) is is_open


def test_the_hour_is_that_of_the_desks_zone_in_whatever_zone_the_time_is_given() -> None:
    moment = datetime(2025, 11, 24, 1, 30, tzinfo=UTC)  # 08:30 WIB
    assert OFFICE.is_open(moment)
    assert OFFICE.is_open(moment.astimezone(ZoneInfo("America/New_York")))
    assert not ServiceHours(ZoneInfo("Europe/London")).is_open(moment)


@pytest.mark.parametrize(
    ("at", "opened"),
    [
        ("2025-11-24T07:59", None),  # Monday
        ("2025-11-24T08:00", "2025-11-24T08:00"),
        ("2025-11-24T16:59", "2025-11-24T08:00"),
        ("2025-11-24T17:00", None),
        ("2025-11-23T10:00", None),
    ],
)
def test_when_the_desk_opened(at: str, opened: str | None) -> None:
    assert OFFICE.opened_at(wib(at)) == (wib(opened) if opened else None)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2025-11-24T10:00", "2025-11-24T10:00"),  # open now
        ("2025-11-24T06:00", "2025-11-24T08:00"),  # the same morning
        ("2025-11-24T17:00", "2025-11-25T08:00"),  # the next morning
        ("2025-11-21T17:12", "2025-11-24T08:00"),  # over a weekend
    ],
)
def test_the_next_opening(at: str, opens: str) -> None:
    found = OFFICE.next_opening(wib(at))
    assert found == wib(opens)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2025-11-24T09:00", 6, "2025-11-24T15:00"),
        ("2025-11-24T08:00", 9, "2025-11-24T17:00"),  # a whole day ends with that day, not with the next morning
        ("2025-11-24T15:00", 6, "2025-11-25T12:00"),
        ("2025-11-21T15:00", 6, "2025-11-24T12:00"),  # Friday afternoon to Monday
        ("2025-11-22T12:00", 6, "2025-11-24T14:00"),  # from a Saturday
        ("2025-11-24T08:00", 48, "2025-12-01T11:00"),  # 5 days of 9 hours, and 3 hours
    ],
)
def test_open_time_is_added(start: str, hours: int, end: str) -> None:
    assert OFFICE.add(wib(start), timedelta(hours=hours)) == wib(end)


def test_nothing_added_is_the_moment_itself_even_on_a_sunday() -> None:
    sunday = wib("2025-11-23T12:00")
    assert OFFICE.add(sunday, timedelta(0)) == sunday


def test_open_time_can_not_be_taken_away() -> None:
    with pytest.raises(ValueError, match="backwards"):
        OFFICE.add(wib("2025-11-24T08:00"), timedelta(seconds=-1))


def test_a_close_at_midnight_is_the_end_of_the_day() -> None:
    always = ServiceHours(JAKARTA, days=frozenset(range(7)), open=time(0), close=time(0))
    start = wib("2025-11-22T23:30")
    assert always.is_open(start)
    assert always.add(start, timedelta(hours=48)) == start + timedelta(hours=48)


@pytest.mark.parametrize(("opens", "closes"), [(time(17), time(8)), (time(8), time(8))])
def test_a_desk_that_closes_before_it_opens_is_refused(opens: time, closes: time) -> None:
    with pytest.raises(ValueError, match="not before it closes"):
        ServiceHours(JAKARTA, open=opens, close=closes)


def test_a_desk_that_never_opens_is_an_error_instead_of_an_endless_search() -> None:
    with pytest.raises(ValueError, match="does not open within three years"):
        ServiceHours(JAKARTA, is_holiday=lambda day: True).next_opening(wib("2025-11-24T08:00"))


def test_the_next_workday_is_searched_three_years_ahead_and_no_further() -> None:
    monday = date(2025, 11, 24)
    start = wib("2025-11-24T07:00")

    def desk(*workdays: int) -> ServiceHours:
        return ServiceHours(
            JAKARTA, frozenset(), extra_workdays=frozenset(monday + timedelta(days=n) for n in workdays)
        )

    assert desk(1097).next_opening(start) == wib("2025-11-24T08:00") + timedelta(days=1097)
    with pytest.raises(ValueError, match="three years"):
        desk(1098).next_opening(start)
    ten_hours = timedelta(hours=10)  # nine on the first of two days
    assert desk(0, 1097).add(start, ten_hours) == wib("2025-11-24T09:00") + timedelta(days=1097)
    with pytest.raises(ValueError, match="three years"):
        desk(0, 1098).add(start, ten_hours)


def test_a_day_whose_only_hour_is_skipped_does_not_open_at_all() -> None:
    night = ServiceHours(ZoneInfo("Europe/Berlin"), days=frozenset({6}), open=time(2), close=time(3))
    before = datetime(2025, 3, 30, 0, 30, tzinfo=UTC)
    assert night.next_opening(before) == datetime(2025, 4, 6, 0, 0, tzinfo=UTC)


def test_an_hour_that_the_clocks_skip_is_no_service_time() -> None:
    # In Berlin on 30 March 2025 it is never 02:30.
    night = ServiceHours(ZoneInfo("Europe/Berlin"), days=frozenset({6}), open=time(2, 15), close=time(3))
    skipped = datetime(2025, 3, 30, 1, 20, tzinfo=UTC)
    assert not night.is_open(skipped)
    assert night.next_opening(skipped) == datetime(2025, 4, 6, 0, 15, tzinfo=UTC)


# Holidays


def test_national_holidays_and_cuti_bersama_both_close_the_desk() -> None:
    hours = service_hours(Settings(), "Asia/Jakarta")
    assert not hours.is_open(wib("2026-05-14T10:00"))  # Ascension Day, a public holiday
    assert not hours.is_open(wib("2026-05-15T10:00"))  # the cuti bersama after it
    assert hours.is_open(wib("2026-05-18T10:00"))
    assert hours.next_opening(wib("2026-05-13T17:00")) == wib("2026-05-18T08:00")


def test_2025_has_the_days_of_the_decree() -> None:
    assert len(national_holidays("ID", 2025)) == 28
    assert date(2025, 8, 18) in national_holidays("ID", 2025)  # added by the government in that August


def test_the_desks_own_days_win_over_the_calendar() -> None:
    hours = service_hours(
        Settings(extra_holidays=(date(2025, 11, 24),), extra_workdays=(date(2025, 12, 25), date(2025, 11, 22))),
        "Asia/Jakarta",
    )
    assert not hours.is_open(wib("2025-11-24T10:00"))
    assert hours.is_open(wib("2025-12-25T10:00"))  # Christmas, worked
    assert hours.is_open(wib("2025-11-22T10:00"))  # a Saturday, worked


def test_a_desk_without_a_country_knows_only_its_own_holidays() -> None:
    hours = service_hours(Settings(holidays="", extra_holidays=(date(2025, 11, 24),)), "Asia/Jakarta")
    assert hours.is_open(wib("2025-12-25T10:00"))
    assert not hours.is_open(wib("2025-11-24T10:00"))


def test_a_country_without_government_days_still_has_its_public_ones() -> None:
    assert date(2025, 7, 14) in national_holidays("FR", 2025)


def test_a_country_that_nobody_knows_is_named() -> None:
    with pytest.raises(ConfigError, match="QQ"):
        national_holidays("QQ", 2025)


def test_the_calendar_is_not_imported_before_it_is_asked() -> None:
    asked = (
        "import sys; from datetime import time; from types import SimpleNamespace as S;"
        "from mailbot.config import holidays;"
        "holidays.service_hours(S(days=('mon',), open=time(8), close=time(9), holidays='ID', extra_holidays=(),"
        " extra_workdays=()), 'Asia/Jakarta'); sys.exit('holidays' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


# Properties that hold for every desk, in zones with and without summer time

zones = st.sampled_from(
    ["Asia/Jakarta", "Asia/Jayapura", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]
).map(ZoneInfo)
moments = st.timedeltas(timedelta(0), timedelta(days=4 * 365)).map(datetime(2024, 1, 1, tzinfo=UTC).__add__)
spans = st.timedeltas(timedelta(0), timedelta(days=5))
quarters = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))


@st.composite
def desks(draw: st.DrawFn) -> ServiceHours:
    opens, closes = sorted([draw(quarters), draw(quarters)])
    if opens == closes:
        closes = time(0)
    holidays = draw(st.frozensets(st.integers(1, 31), max_size=10))
    return ServiceHours(
        draw(zones),
        draw(st.frozensets(st.integers(0, 6), min_size=1)),
        opens,
        closes,
        lambda day: day.day in holidays,
        draw(st.frozensets(st.dates(date(2024, 1, 1), date(2027, 12, 31)), max_size=3)),
    )


@settings(max_examples=150, deadline=None)
@given(desks(), moments)
def test_the_next_opening_is_open_and_nothing_before_it_is(desk: ServiceHours, at: datetime) -> None:
    opens = desk.next_opening(at)
    assert opens >= at
    assert desk.is_open(opens)
    assert (opens == at) is desk.is_open(at)
    if opens > at:
        for step in range(1, 20):
            assert not desk.is_open(at + (opens - at) * step / 20)


@settings(max_examples=150, deadline=None)
@given(desks(), moments, spans, spans)
def test_adding_twice_is_adding_the_sum(desk: ServiceHours, at: datetime, one: timedelta, other: timedelta) -> None:
    assert desk.add(desk.add(at, one), other) == desk.add(at, one + other)


@settings(max_examples=150, deadline=None)
@given(desks(), moments, spans, spans, spans)
def test_later_starts_and_longer_spans_never_end_earlier(
    desk: ServiceHours, at: datetime, delay: timedelta, span: timedelta, more: timedelta
) -> None:
    assert desk.add(at, span) <= desk.add(at + delay, span)
    assert desk.add(at, span) <= desk.add(at, span + more)
    assert desk.add(at, span) >= at + span
