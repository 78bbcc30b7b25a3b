"""What is counted of automatic mail, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mailbot.store import schema
from mailbot.store.auto_reply_counts import (
    CLEAR_EVERY,
    AutoReplyCounts,
    Keys,
    Tally,
)
from mailbot.store.engine import Store
from mailbot.store.tables import AUTOMATIC
from mailbot.ticket.auto_reply_limits import (
    Limit,
    Limits,
    Quota,
)
from tests.support.stores import START

LIMITS = Limits()
KEYS = Keys("a@robot.example", mailbox=1, ticket=7, domain=3, alike=(4, 5), received_at=START)


@pytest.fixture
def ready(store: Store) -> Store:
    schema.upgrade(store)
    return store


def write(store: Store, keys: Keys, seconds: float, limits: Limits = LIMITS, sort: str = "newcomer") -> Tally:
    """A mail comes, and is answered a tenth of a second later."""
    at = START + timedelta(seconds=seconds)
    with store.writing() as connection:
        counters = AutoReplyCounts(connection, 1, at + timedelta(milliseconds=100))
        tally = counters.tally(replace(keys, received_at=at), limits)
        counters.record(keys, tally, sort, limits)
    return tally


def test_each_key_has_its_count(ready: Store) -> None:
    for n in range(4):
        write(ready, replace(KEYS, mailbox=n % 2, ticket=n), 10 * n)
    counted = write(ready, replace(KEYS, mailbox=1, ticket=3), 40).counted
    assert (counted.to_sender, counted.on_ticket, counted.overall, counted.alike) == (2, 1, 4, 4)
    assert (counted.domain_turns, counted.alike_turns) == (3, 3) and counted.newcomer and counted.paces is None


def test_words_that_are_only_similar_do_not_count_as_the_same(ready: Store) -> None:
    for n in range(3):
        write(ready, replace(KEYS, mailbox=n, alike=(4, 50 + n)), 10 * n)
    write(ready, replace(KEYS, mailbox=8, alike=(40, 5)), 40)
    assert write(ready, replace(KEYS, mailbox=9), 50).counted.alike == 0
    assert write(ready, replace(KEYS, mailbox=9, alike=None), 60).counted.alike == 0
    assert write(ready, replace(KEYS, mailbox=9), 70).counted.alike == 1


def test_a_window_ends(ready: Store) -> None:
    write(ready, KEYS, 0)
    assert write(ready, KEYS, 3599).counted.to_sender == 1
    assert write(ready, KEYS, 3601).counted.to_sender == 1
    assert write(ready, KEYS, 3 * 3600).counted.overall == 0


def test_what_came_at_once_is_no_turn(ready: Store) -> None:
    for _ in range(5):
        tally = write(ready, KEYS, 0)
    assert tally.counted.domain_turns == 0 and not tally.domain_turn and tally.pace is None


def test_paces_are_those_of_the_last_turns_in_a_row(ready: Store) -> None:
    for n in range(25):
        write(ready, replace(KEYS, mailbox=n, domain=n, alike=(n, n)), 2 * n)
    least, greatest = write(ready, replace(KEYS, mailbox=99), 51).counted.paces or (None, None)
    assert (least, greatest) == (timedelta(seconds=1.9), timedelta(seconds=1.9))


def test_a_shared_domain_has_no_turns(ready: Store) -> None:
    for n in range(4):
        tally = write(ready, replace(KEYS, domain=None), 10 * n, sort="")
    assert tally.counted.shared and not tally.counted.newcomer and tally.counted.alike == 3
    assert tally.counted.domain_turns == tally.counted.alike_turns == 0


def test_counts_stop_at_their_limit(ready: Store) -> None:
    few = replace(LIMITS, sender=Quota(3), spread=Quota(2))
    for n in range(6):
        tally = write(ready, KEYS, 10 * n, few)
    assert tally.counted.to_sender == 3 and tally.counted.alike == 4, "of the last 2 times 2"


def test_what_no_window_needs_is_cleared_away(ready: Store) -> None:
    write(ready, KEYS, 0)
    with ready.writing() as connection:
        late = AutoReplyCounts(connection, 1, START + timedelta(hours=5))
        late.record(KEYS, replace(late.tally(KEYS, LIMITS), number=CLEAR_EVERY), "", LIMITS)
        assert len(connection.execute(AUTOMATIC.select()).all()) == 1


def test_the_first_of_a_cap_in_its_window_is_known_as_such(ready: Store) -> None:
    def first(cap: Limit, seconds: float) -> bool:
        now = START + timedelta(seconds=seconds)
        with ready.writing() as connection:
            return AutoReplyCounts(connection, 1, now).withhold(cap, None, now - timedelta(hours=1))

    assert [first(Limit.ALIKE, 0), first(Limit.ALIKE, 60), first(Limit.DOMAIN, 61)] == [True, False, True]
    assert first(Limit.ALIKE, 3700)  # the last one before was more than an hour ago


def test_folded_notifications_are_named_once(ready: Store) -> None:
    with ready.writing() as connection:
        counters = AutoReplyCounts(connection, 1, START)
        for ticket in (1, 1, 2):
            counters.withhold(Limit.NOTIFICATIONS, ticket, START)
        counters.withhold(Limit.REPORTS, 3, START)
        assert counters.take_digested(START - timedelta(seconds=1)) == []
        found = counters.take_digested(START)
        assert found[0] == (Limit.REPORTS, 3) and sorted(t for c, t in found if c is Limit.NOTIFICATIONS) == [1, 1, 2]
        assert counters.take_digested(START) == []
