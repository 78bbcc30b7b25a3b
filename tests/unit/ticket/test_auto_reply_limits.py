"""The table of auto-reply limits, with turns, paces and likeness."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.ticket.auto_reply_limits import (
    RALLY,
    ROWS,
    Counted,
    Limit,
    Limits,
    is_one_pace,
    is_turn,
    likeness,
    reached,
)
from mailbot.vocabulary.labels import WITHHELD_AUTO_REPLY

NOW = datetime(2025, 11, 3, 3, 0, tzinfo=UTC)
LIMITS = Limits()
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("counted", "limit"),
    [
        (Counted(), None),
        (Counted(to_sender=19), None),
        (Counted(to_sender=20), Limit.SENDER),
        (Counted(to_sender=20, known=True), Limit.SENDER),
        (Counted(on_ticket=30), Limit.TICKET),
        (Counted(echo=True, echoes=4), None),
        (Counted(echo=True, echoes=5), Limit.ECHO),
        (Counted(echoes=5), None),
        (Counted(alike_turns=20), Limit.ALIKE),
        (Counted(alike_turns=20, known=True), None),
        (Counted(alike_turns=20, shared=True), None),
        (Counted(domain_turns=25), Limit.DOMAIN),
        (Counted(domain_turns=25, domain_span=300), Limit.DOMAIN),
        (Counted(domain_turns=25, domain_span=301), None),
        (Counted(paces=(SECOND, 4 * SECOND)), Limit.RALLY),
        (Counted(paces=(SECOND, 6 * SECOND)), None),
        (Counted(paces=(SECOND, SECOND), shared=True), None),
        (Counted(alike=9999, shared=True), None),
        (Counted(alike=10_000, shared=True), Limit.SPREAD),
        (Counted(overall=100_000, known=True), Limit.OVERALL),
    ],
)
def test_the_table(counted: Counted, limit: Limit | None) -> None:
    assert reached(counted, LIMITS) is limit


def test_without_counts_no_limit_is_reached() -> None:
    nothing = Counted()
    assert (nothing.to_sender, nothing.on_ticket, nothing.overall, nothing.alike, nothing.echoes) == (0, 0, 0, 0, 0)
    assert (nothing.domain_turns, nothing.alike_turns, nothing.domain_span, nothing.paces) == (0, 0, 0, None)


def test_the_limits_are_those_that_the_documents_give() -> None:
    hour = timedelta(hours=1)
    counts = {limit: LIMITS.of(limit).count for limit in Limit}
    assert counts == {
        Limit.SENDER: 20, Limit.TICKET: 30, Limit.ECHO: 5, Limit.ALIKE: 20, Limit.DOMAIN: 25, Limit.RALLY: 24,
        Limit.SPREAD: 10_000, Limit.OVERALL: 100_000, Limit.CONFIRM: 5, Limit.NOTIFICATIONS: 30, Limit.REPORTS: 30,
    }  # fmt: skip
    assert {LIMITS.of(limit).per for limit in Limit} == {hour} and LIMITS.domain.looked_at == 30


def test_every_row_has_its_words_and_its_limit() -> None:
    assert {limit.value for limit, _ in ROWS} == set(WITHHELD_AUTO_REPLY)
    assert all(LIMITS.of(limit).count > 0 for limit in Limit) and LIMITS.of(Limit.RALLY).count == RALLY


@pytest.mark.parametrize(
    ("after", "turn"),
    [
        (timedelta(milliseconds=49), False), (timedelta(milliseconds=50), True), (timedelta(minutes=15), True),
        (timedelta(minutes=15, seconds=1), False), (-SECOND, False),
    ],
)  # fmt: skip
def test_a_turn_comes_within_a_quarter_of_an_hour(after: timedelta, turn: bool) -> None:
    assert is_turn(NOW + after, NOW) is turn
    assert not is_turn(None, NOW) and not is_turn(NOW, None)


def test_one_pace() -> None:
    assert is_one_pace(2 * SECOND, 9 * SECOND) and not is_one_pace(2 * SECOND, 10 * SECOND)


TEXT = "Terima kasih atas surat Anda, pesan nomor 17 kami terima dan segera kami baca bersama tim."


def test_likeness_sees_through_numbers_case_and_order_and_mostly_through_names() -> None:
    first = likeness(TEXT)
    assert first is not None and likeness(TEXT.replace("17", "90210x").upper()) == first
    named = [likeness(f"Halo {name}. {TEXT}") for name in ("Acha", "Budi", "Citra", "Dewi", "Eko", "Fajar")]
    assert sum(1 for other in named if other and (other[0] == first[0] or other[1] == first[1])) >= 4
    other = likeness("Kami tidak bisa menutup BKU bulan Oktober di aplikasi sejak pembaruan kemarin pagi")
    assert other is not None and not set(other) & set(first)
    assert likeness("mohon bantuan") is None and likeness("") is None
    assert all(-(2**63) <= key < 2**63 for key in first)


def test_five_of_six_mails_must_be_turns() -> None:
    assert LIMITS.alike.looked_at == 24 and replace(LIMITS.alike, count=5).looked_at == 6
