"""mailbot.desk.inbound.attempts: which attempts count, and when there were too many."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mailbot.desk.inbound.attempts import MAX_ATTEMPTS, MAX_LOST, Attempts, without_attempts

AT = datetime(2025, 11, 3, 3, 0, 12, 345678, tzinfo=UTC)
ISO = "2025-11-03T03:00:12.345678+00:00"


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"fault_at": ISO, "fault_of_database": False},
        {"fault_at": ISO, "fault_of_database": True, "faults": 2, "alone_with": "in-hand"},
        {"alone_with": ""},  # a marker that could not be kept
    ],
)
def test_the_stored_flags_stay_as_they_are(flags: dict[str, Any]) -> None:
    assert Attempts.from_flags(2, flags).to_flags() == flags
    assert without_attempts(flags | {"released": True}) == {"released": True}


@pytest.mark.parametrize(
    ("marked_by", "died", "count"),
    [
        ("in-hand", False, 2),  # its marker is gone: it ended without a death
        ("in-hand", True, 3),
        ("in-hand-other", False, 3),  # another worker's: unknown
        ("", False, 3),
        (None, False, 3),
    ],
)
def test_an_attempt_counts_unless_it_is_known_to_have_survived(marked_by: str | None, died: bool, count: int) -> None:
    before = Attempts(3, marked_by=marked_by)
    assert before.without_survived("in-hand", died=died) == Attempts(count)


def test_a_worker_without_a_marker_takes_nothing_back() -> None:
    assert Attempts(3, marked_by="").without_survived("", died=False) == Attempts(3)


@pytest.mark.parametrize(
    ("count", "suspected", "certain"), [(2, False, False), (3, True, False), (9, True, False), (10, True, True)]
)
def test_three_deaths_are_suspicious_and_ten_are_enough(count: int, suspected: bool, certain: bool) -> None:
    attempts = Attempts(count)
    assert (attempts.may_be_deadly, attempts.are_too_many) == (suspected, certain)


def test_beginning_counts_only_where_a_death_would_mean_something() -> None:
    assert Attempts(1).begun("in-hand") == Attempts(2, marked_by="in-hand")
    assert Attempts(1).begun(None) == Attempts(1)
    assert Attempts(0).begun("in-hand").count == 2  # the first attempt was `receive`'s


def test_a_fault_of_the_machine_takes_its_attempt_back() -> None:
    begun = Attempts(1).begun("in-hand")
    interrupted = begun.interrupted(AT, of_database=True, was_counted=True)
    assert interrupted == Attempts(1, fault_at=AT, of_database=True)
    again = interrupted.begun("in-hand").interrupted(None, of_database=False, was_counted=True)
    assert again == interrupted  # a full disk says nothing, and what is known already stays
    assert Attempts(1).interrupted(AT, of_database=False, was_counted=False).count == 1


@pytest.mark.parametrize(("of_database", "most"), [(False, MAX_ATTEMPTS), (True, MAX_LOST)])
def test_faults_that_count_add_up_to_too_many(of_database: bool, most: int) -> None:
    attempts = Attempts(1, fault_at=AT, of_database=of_database)
    for nth in range(1, most):
        assert not attempts.faults_are_too_many, nth
        attempts = attempts.with_counted_fault()
    assert attempts.faults_are_too_many
    assert (attempts.faults, attempts.count) == (most - 1, most)
