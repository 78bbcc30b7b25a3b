"""Bells and a clock that jumps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mailbot.daemon.clock_jump import ClockJumpDetector
from mailbot.daemon.interval_trigger import FixedInterval

NOW = datetime(2025, 11, 3, 3, 0, tzinfo=UTC)
HALF = timedelta(seconds=0.5)


def test_a_bell_never_counts_what_was_missed() -> None:
    bell = FixedInterval(0.5)
    assert bell.get_next_fire_time(None, NOW) == NOW + HALF
    assert bell.get_next_fire_time(NOW, NOW + HALF / 2) == NOW + HALF
    later = NOW + timedelta(days=365)
    assert bell.get_next_fire_time(NOW, later) == later + HALF
    assert bell.get_next_fire_time(later, NOW) == NOW + HALF, "a clock that went back"


def test_a_jump_is_told_from_time_that_passed() -> None:
    date, steady = [NOW], [100.0]
    detector = ClockJumpDetector(lambda: date[0], lambda: steady[0])
    date[0] += timedelta(hours=3)
    steady[0] += 3 * 3600
    assert not detector.check(), "three hours went by, asleep or not"
    date[0] += timedelta(days=365)
    assert detector.check() == timedelta(days=365)
    assert not detector.check()
    date[0] -= timedelta(hours=1)
    assert detector.check() == timedelta(hours=-1)
    date[0] += timedelta(seconds=30)
    assert not detector.check(), "too little to matter"
