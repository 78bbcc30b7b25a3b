"""The pieces of the IMAP side that need no server: sets of UIDs, batches, names of folders, dates."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.transport.imap.fetch import HEADER_LIMIT, _internal_date, batches, chunks, uid_set
from mailbot.transport.imap.folders import Naming
from mailbot.transport.imap.move import keeps_keywords
from mailbot.transport.imap.suspects import FIRST_PAUSE, LONGEST_PAUSE, TRIES, Suspects


@pytest.mark.parametrize(
    ("uids", "expected"),
    [([], ""), ([7], "7"), ([1, 2, 3, 7], "1:3,7"), ([9, 1, 2, 2], "1:2,9"), ([1, 3, 5], "1,3,5")],
)
def test_uid_sets(uids: list[int], expected: str) -> None:
    assert uid_set(uids) == expected


@given(st.lists(st.integers(1, 200)))
def test_a_uid_set_names_exactly_its_uids(uids: list[int]) -> None:
    named: list[int] = []
    for part in filter(None, uid_set(uids).split(",")):
        low, _, high = part.partition(":")
        named += range(int(low), int(high or low) + 1)
    assert named == sorted(set(uids))


def test_a_command_line_stays_short_enough_for_any_server() -> None:
    worst = range(4_000_000_000, 4_000_000_000 + 2 * 500, 2)
    assert all(len(uid_set(some)) < 8_000 for some in chunks(worst))


@given(
    st.dictionaries(st.integers(1, 500), st.integers(0, 2_000_000), max_size=60),
    st.integers(1_000, 500_000),
    st.integers(1, 10),
    st.integers(100_000, 1_500_000),
)
def test_batches_hold_every_mail_once_and_keep_the_budget(
    waiting: dict[int, int], most_bytes: int, most_mails: int, too_large: int
) -> None:
    groups = list(batches(waiting, most_bytes, most_mails, too_large))
    assert [uid for group in groups for uid in group] == list(waiting)
    for group in groups:
        assert len(group) <= most_mails
        assert len(group) == 1 or sum(waiting[uid] for uid in group) <= most_bytes
        assert len(group) == 1 or all(waiting[uid] <= too_large for uid in group)
    assert HEADER_LIMIT < 1024 * 1024


@pytest.mark.parametrize(
    ("separator", "prefix", "name", "expected"),
    [
        ("/", "", "Mailbot/Processed", "Mailbot/Processed"),
        (".", "", "Mailbot/Processed", "Mailbot.Processed"),
        (".", "INBOX.", "Mailbot/Processed", "INBOX.Mailbot.Processed"),
        (".", "INBOX.", "INBOX/Mailbot", "INBOX.Mailbot"),
        (".", "INBOX.", "INBOX.Mailbot", "INBOX.Mailbot"),
        (".", "INBOX.", "inbox.Mailbot", "INBOX.Mailbot"),
        (".", "INBOX.", "inbox", "INBOX"),
        (".", "INBOX.", "Inboxes", "INBOX.Inboxes"),
        ("", "", "Mailbot/Processed", "Mailbot-Processed"),
        ("\\", "", "Mailbot/Processed", "Mailbot\\Processed"),
    ],
)
def test_folder_names(separator: str, prefix: str, name: str, expected: str) -> None:
    assert Naming(separator, prefix).translate(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"17-Jul-2026 02:44:25 +0700", datetime(2026, 7, 16, 19, 44, 25, tzinfo=UTC)),
        (b" 7-Jan-2026 23:59:60 -0330", datetime(2026, 1, 8, 3, 29, 59, tzinfo=UTC)),
        (b"31-Feb-2026 00:00:00 +0000", None),
        (b"17-Xxx-2026 02:44:25 +0700", None),
        (b"01-Jan-0001 00:00:00 +1400", None),
        (b"", None),
        (None, None),
    ],
)
def test_internal_dates(text: bytes | None, expected: datetime | None) -> None:
    assert _internal_date(text) == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [((b"\\Deleted", b"\\*"), True), ((b"\\Seen", b"$MAILBOTDONE"), True), ((b"\\Seen",), False), ((), False)],
)
def test_whether_a_folder_keeps_keywords(flags: tuple[bytes, ...], expected: bool) -> None:
    assert keeps_keywords({b"PERMANENTFLAGS": flags}) is expected


def asked(suspects: Suspects, uids: list[int], now: float = 0.0) -> list[list[int]]:
    return [list(group) for group in suspects.order(uids, now)]


def test_mails_that_broke_the_connection_come_last_then_alone_then_rest() -> None:
    suspects, uids = Suspects(), list(range(1, 61))
    assert asked(suspects, uids) == [uids]
    assert suspects.blame(list(range(1, 51)), 0.0) == []
    assert asked(suspects, uids) == [list(range(51, 61)), list(range(1, 26)), list(range(26, 51))]
    suspects.clear(list(range(1, 26)))
    suspects.blame([26, 27, 28], 0.0)
    suspects.blame([27], 0.0)
    assert asked(suspects, [1, 26, 27, 28, 29]) == [[1], [29], [26], [28]]
    assert asked(suspects, [27], FIRST_PAUSE + 1) == [[27]]
    assert suspects.blame([27], FIRST_PAUSE + 1) == []
    assert asked(suspects, [27], 2 * FIRST_PAUSE) == [], "the second rest is longer"
    assert asked(suspects, [27], 3 * FIRST_PAUSE + 2) == [[27]]
    for _ in range(100):
        suspects.blame([27], 0.0)
    assert asked(suspects, [27], LONGEST_PAUSE + 1) == [[27]], "and none is for ever"
    suspects.forget()
    assert asked(suspects, [26, 27]) == [[26, 27]]


def test_the_last_try_is_reported_once() -> None:
    suspects = Suspects()
    assert [suspects.blame([7], 0.0) for _ in range(TRIES + 2)] == [[]] * (TRIES - 1) + [[7], [], []]
