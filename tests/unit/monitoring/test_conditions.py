"""The judgement table: each row by itself, what explains what, and what can't be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailbot.monitoring.conditions import (
    NAMES,
    CanaryFacts,
    Condition,
    Facts,
    Severity,
    Thresholds,
    in_words,
    judge,
    title,
)
from mailbot.runtime.status import ConnectionStatus, DiskSpace, QueueStatus
from mailbot.vocabulary.conditions import WORDS

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
JAKARTA = ZoneInfo("Asia/Jakarta")
THRESHOLDS = Thresholds()
GOOD = ConnectionStatus(NOW - timedelta(seconds=20), certificate_ends=NOW + timedelta(days=60))
WELL = Facts(
    now=NOW,
    started_at=NOW - timedelta(days=2),
    inboxes=(("", GOOD),),
    outbox=GOOD,
    database=GOOD,
    spaces=(DiskSpace("/var/lib/mailbot", 10**10, 10**6),),
    queue=QueueStatus(),
)


def minutes(count: float) -> datetime:
    return NOW - timedelta(minutes=count)


def failing(since: datetime, reason: str = "refused.", *, credentials: bool = False) -> ConnectionStatus:
    return ConnectionStatus(since - timedelta(minutes=1), failing_since=since, reason=reason, credentials=credentials)


def given(**facts: Any) -> Facts:
    """A desk that is well but for these; `inbox`: the only one there is."""
    if "inbox" in facts:
        facts["inboxes"] = (("", facts.pop("inbox")),)
    return replace(WELL, **facts)


def judged(**facts: Any) -> list[tuple[str, str, datetime]]:
    found = judge(given(**facts), THRESHOLDS)
    return [(condition.name, condition.words, condition.since) for condition in found.conditions]


def test_all_is_well() -> None:
    found = judge(WELL, THRESHOLDS)
    assert (found.conditions, found.unknown, found.worst) == ((), frozenset(), None)


def test_at_the_start_nothing_is_known_and_nothing_is_wrong() -> None:
    found = judge(Facts(now=NOW, started_at=NOW), THRESHOLDS)
    assert found.conditions == ()
    assert found.unknown == set(NAMES) - {"hanging", "canary", "lmtp", "scanner"}


def almost(span: timedelta) -> datetime:
    return NOW - span + timedelta(seconds=1)


OLD = THRESHOLDS.outbox_age
DUE = THRESHOLDS.outbox_age / 4
ROWS: list[tuple[dict[str, Any], list[tuple[str, str, datetime]]]] = [
    ({"hanging": (("inbox", minutes(6)),)}, [("hanging", "hanging", minutes(6))]),
    ({"database": failing(minutes(3))}, [("database", "database", minutes(3))]),
    # the border of the disk, in bytes and inodes
    ({"spaces": (DiskSpace("/d", 500_000_000, 10**6),)}, []),
    ({"spaces": (DiskSpace("/d", 499_999_999, 10**6),)}, [("disk", "disk", NOW)]),
    ({"spaces": (DiskSpace("/d", 10**10, 1000),)}, []),
    ({"spaces": (DiskSpace("/d", 10**10, 999),)}, [("disk", "disk.inodes", NOW)]),
    ({"spaces": (DiskSpace("/d", 10**10, None),)}, []),
    ({"spaces": (DiskSpace("/d", 10**10, 10**6), DiskSpace("/e", 1, 10**6))}, [("disk", "disk", NOW)]),
    # incoming
    ({"lmtp": failing(minutes(2))}, [("lmtp", "lmtp", minutes(2))]),
    ({"queue": QueueStatus(automatic=1999)}, []),
    ({"queue": QueueStatus(automatic=2000, alike="“BKU” 9/9, @x 9/9")}, [("automatic", "automatic", NOW)]),
    ({"scanner": failing(minutes(2))}, [("scanner", "scanner", minutes(2))]),
    ({"inbox": failing(minutes(2))}, [("inbox", "inbox", minutes(2))]),
    ({"inbox": failing(minutes(2), credentials=True)}, [("inbox_login", "login.password", minutes(2))]),
    ({"inbox": ConnectionStatus(almost(THRESHOLDS.inbox_silent))}, []),
    ({"inbox": ConnectionStatus(minutes(11))}, [("inbox", "inbox.silent", minutes(11))]),
    # just started after two days off: the silence counts from the start
    ({"inbox": ConnectionStatus(), "started_at": minutes(9)}, []),
    ({"inbox": ConnectionStatus(), "started_at": minutes(11)}, [("inbox", "inbox.silent", minutes(11))]),
    # outgoing
    ({"outbox": failing(minutes(2))}, [("outbox", "outbox", minutes(2))]),
    ({"outbox": failing(minutes(2), credentials=True)}, [("outbox_login", "login.password", minutes(2))]),
    # nobody sends what is due
    ({"queue": QueueStatus(3, oldest=minutes(20), oldest_due=almost(DUE))}, []),
    (
        {"queue": QueueStatus(3, oldest=minutes(20), oldest_due=minutes(16))},
        [("outbox_old", "outbox_old.due", minutes(16))],
    ),
    # nothing leaves; but one greylisted mail among others that leave is its own matter
    (
        {"queue": QueueStatus(1, oldest=minutes(61)), "outbox": ConnectionStatus(minutes(70))},
        [("outbox_old", "outbox_old", minutes(61))],
    ),
    ({"queue": QueueStatus(1, oldest=minutes(61)), "outbox": ConnectionStatus(minutes(50))}, []),
    ({"queue": QueueStatus(1, oldest=almost(OLD)), "outbox": ConnectionStatus(minutes(70))}, []),
    # what waited while the daemon was off is not old
    ({"queue": QueueStatus(9, oldest=minutes(900), oldest_due=minutes(900)), "started_at": minutes(5)}, []),
    # the canary
    ({"canary": CanaryFacts(minutes(1), 2.0)}, []),
    ({"canary": CanaryFacts(minutes(10), 2.0, almost(THRESHOLDS.canary_within))}, []),
    ({"canary": CanaryFacts(minutes(10), 2.0, minutes(6))}, [("canary", "canary", minutes(6))]),
    ({"canary": CanaryFacts(None, None, minutes(6), "550 no")}, [("canary", "canary.unsent", minutes(6))]),
    # quarantine and certificate
    ({"queue": QueueStatus(quarantined=9)}, []),
    (
        {"queue": QueueStatus(quarantined=10, quarantined_since=minutes(90))},
        [("quarantine", "quarantine", minutes(90))],
    ),
    ({"outbox": replace(GOOD, certificate_ends=NOW + timedelta(days=7, seconds=1))}, []),
    (
        {"outbox": replace(GOOD, certificate_ends=NOW + timedelta(days=6))},
        [("certificate", "certificate", NOW - timedelta(days=1))],
    ),
    # causes are said, not their consequences
    (
        {
            "inbox": failing(minutes(9)), "outbox": failing(minutes(8)), "canary": CanaryFacts(None, None, minutes(9)),
            "queue": QueueStatus(9, oldest=minutes(99), oldest_due=minutes(99)),
        },
        [("inbox", "inbox", minutes(9)), ("outbox", "outbox", minutes(8))],
    ),
    (
        {"database": failing(minutes(30)), "inbox": ConnectionStatus(minutes(30)), "queue": None},
        [("database", "database", minutes(30))],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "conditions"), ROWS)
def test_every_row(facts: dict[str, Any], conditions: list[tuple[str, str, datetime]]) -> None:
    assert judged(**dict(facts)) == conditions


def test_every_row_of_the_table_was_tried() -> None:
    assert {condition[0] for _, found in ROWS for condition in found} == set(NAMES)


def test_little_room_is_worse_than_less_room() -> None:
    for free, severity in ((499_999_999, Severity.WARNING), (99_999_999, Severity.CRITICAL)):
        found = judge(replace(WELL, spaces=(DiskSpace("/d", free, 10**6),)), THRESHOLDS)
        assert found.worst is severity


def test_a_refused_token_is_told_from_a_network_that_is_down() -> None:
    thresholds = replace(THRESHOLDS, oauth=frozenset({"imap"}))
    refused = given(inbox=failing(minutes(2), "the consent has ended.", credentials=True))
    [condition] = judge(refused, thresholds).conditions
    found, remedy = in_words(condition, "en", JAKARTA)
    assert "refuses the token" in found and "the consent has ended." in found
    assert "consent again" in remedy and "[imap] token_file" in remedy
    # now the network is down as well: whether the token is good is not known, so nobody calls it mended
    down = judge(given(inbox=failing(minutes(2), "no route.")), thresholds)
    assert [entry.name for entry in down.conditions] == ["inbox"] and "inbox_login" in down.unknown
    # and a password that is refused asks for no consent
    [smtp] = judge(given(outbox=failing(minutes(2), credentials=True)), thresholds).conditions
    assert "[smtp] username and password" in in_words(smtp, "en", JAKARTA)[1]


def test_each_inbox_is_judged_for_itself() -> None:
    bos, dapodik, arkas = failing(minutes(5), credentials=True), failing(minutes(4)), GOOD
    found = judge(given(inboxes=(("bos", bos), ("dapodik", dapodik), ("arkas", arkas))), THRESHOLDS)
    assert [condition.name for condition in found.conditions] == ["inbox_login:bos", "inbox:dapodik"]
    assert {"inbox:bos", "inbox_login:dapodik"} <= found.unknown and "inbox:arkas" not in found.unknown
    assert "[mailbox.bos] username" in in_words(found.conditions[0], "id", JAKARTA)[1]
    assert title("inbox:dapodik", "id") == "email masuk tidak terbaca (dapodik)"


def test_what_is_explained_is_not_called_mended() -> None:
    found = judge(given(outbox=failing(minutes(8)), canary=CanaryFacts(minutes(1), 1.0)), THRESHOLDS)
    assert {"outbox_old", "canary", "outbox_login"} <= found.unknown


@pytest.mark.parametrize("language", ["id", "en"])
def test_there_are_words_for_everything(language: str) -> None:
    values: dict[str, str | int | datetime] = {
        "names": "inbox", "reason": "alasan", "folder": "/d", "free": 123_000_000, "inodes": 7, "server": "IMAP",
        "section": "imap", "count": 3, "held": 4, "ends": NOW, "alike": "“BKU” 9/9",
    }  # fmt: skip
    for key in WORDS[language]:
        if key.startswith("title."):
            continue
        name = key.partition(".")[0]
        found, remedy = in_words(Condition(name, Severity.WARNING, NOW, key, tuple(values.items())), language, JAKARTA)
        assert found and remedy and "{" not in found + remedy
    assert all(title(name, language) for name in NAMES)
    assert WORDS["id"].keys() == WORDS["en"].keys()
    disk = Condition("disk", Severity.WARNING, NOW, "disk", (("folder", "/d"), ("free", 1_400_000)))
    assert ("1,4 MB" if language == "id" else "1.4 MB") in in_words(disk, language, JAKARTA)[0]


def test_a_scanner_that_is_gone_is_trouble_only_where_one_is_asked_for() -> None:
    assert "scanner" not in judge(Facts(now=NOW, started_at=NOW), THRESHOLDS).unknown
    assert "scanner" in judge(Facts(now=NOW, started_at=NOW, scanner=ConnectionStatus()), THRESHOLDS).unknown
    gone = ConnectionStatus(failing_since=NOW - timedelta(minutes=1), reason="clamd at unix:/c: Connection refused")
    [condition] = judge(Facts(now=NOW, started_at=NOW, scanner=gone), THRESHOLDS).conditions
    assert (condition.name, condition.severity) == ("scanner", Severity.WARNING)
    for language in ("id", "en"):
        words, remedy = in_words(condition, language, ZoneInfo("Asia/Jakarta"))
        assert "Connection refused" in words and "[attachments] clamd" in remedy
    assert judge(Facts(now=NOW, started_at=NOW, scanner=ConnectionStatus(worked_at=NOW)), THRESHOLDS).conditions == ()


def test_a_door_that_cannot_be_opened_is_trouble_only_where_there_is_one() -> None:
    shut = judge(Facts(now=NOW, started_at=NOW), THRESHOLDS)
    assert "lmtp" not in shut.unknown
    failing = ConnectionStatus(failing_since=NOW - timedelta(minutes=1), reason="Address already in use")
    [condition] = judge(Facts(now=NOW, started_at=NOW, lmtp=failing), THRESHOLDS).conditions
    assert condition.name == "lmtp" and condition.severity is Severity.CRITICAL
    for language in ("id", "en"):
        words, remedy = in_words(condition, language, ZoneInfo("Asia/Jakarta"))
        assert "Address already in use" in words and "[lmtp] listen" in remedy
    assert judge(Facts(now=NOW, started_at=NOW, lmtp=ConnectionStatus(worked_at=NOW)), THRESHOLDS).conditions == ()
