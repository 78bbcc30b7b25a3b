"""Who is told what and when: once, again rarely, all-clear once, nothing twice after a restart."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from mailbot.monitoring.alert_history import AlertHistory, News, Rhythm
from mailbot.monitoring.conditions import Condition, Judgement, Severity

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
RHYTHM = Rhythm(timedelta(minutes=15), timedelta(hours=24))
CHANNELS = ("mail:a@x.example", "command")


def condition(name: str = "inbox", severity: Severity = Severity.CRITICAL, *, at_once: bool = False) -> Condition:
    return Condition(name, severity, START, name, (("reason", "refused"), ("ends", START)), at_once)


class Story:
    """A clock, a history, and what each channel has told, as "minute: new(…) still(…) over(…)"."""

    def __init__(self, channels: tuple[str, ...] = CHANNELS[:1]) -> None:
        self.history, self.channels, self.minute = AlertHistory(), channels, 0.0
        self.broken: set[str] = set()

    def goes_on(self, minutes: float, *names: str | Condition, unknown: Iterable[str] = ()) -> list[str]:
        """So many minutes, a look at each; what was told meanwhile."""
        holding = tuple(condition(name) if isinstance(name, str) else name for name in names)
        said = []
        for _ in range(round(minutes)):
            self.minute += 1
            now = START + timedelta(minutes=self.minute)
            self.history.note(Judgement(holding, frozenset(unknown)), now, RHYTHM, self.channels)
            for channel in self.channels:
                news = self.history.due(channel, now, RHYTHM)
                if news and channel not in self.broken:
                    self.history.notified(channel, news, now)
                    said.append(f"{self.minute:.0f} {channel.partition(':')[0]}: {told(news)}")
        return said

    def restarts(self) -> None:
        self.history = AlertHistory.of_json(json.loads(json.dumps(self.history.as_json())))


def told(news: News) -> str:
    parts = (("new", news.new), ("still", news.still), ("over", news.over), ("besides", news.besides))
    return " ".join(f"{word}({','.join(e.condition.name for e in what)})" for word, what in parts if what)


def test_told_once_then_daily_then_the_all_clear() -> None:
    story = Story()
    assert story.goes_on(15, "inbox") == []
    assert story.goes_on(1, "inbox") == ["16 mail: new(inbox)"]
    assert story.goes_on(1439, "inbox") == []
    assert story.goes_on(2, "inbox") == ["1456 mail: still(inbox)"]
    assert story.goes_on(5) == []
    assert story.goes_on(60) == ["1463 mail: over(inbox)"]
    assert story.history.episodes == ()


def test_a_short_trouble_is_nobodys_news() -> None:
    story = Story()
    assert story.goes_on(14, "inbox") + story.goes_on(60) == []
    assert story.history.episodes == ()


def test_what_comes_and_goes_is_one_story() -> None:
    story = Story()
    said = story.goes_on(20, "inbox")
    for _ in range(30):
        said += story.goes_on(3) + story.goes_on(4, "inbox")
    assert said == ["16 mail: new(inbox)"]
    assert story.goes_on(10) == ["236 mail: over(inbox)"]


def test_short_troubles_close_together_are_one_that_lasts() -> None:
    story = Story()
    said = []
    for _ in range(5):
        said += story.goes_on(3, "inbox") + story.goes_on(2)
    assert said == ["16 mail: new(inbox)"]


def test_a_restart_tells_nothing_again_and_forgets_nothing() -> None:
    story = Story()
    assert story.goes_on(16, "inbox") == ["16 mail: new(inbox)"]
    for _ in range(5):
        story.restarts()
        # just started, nothing is known yet: neither mended nor news
        assert story.goes_on(20, unknown=["inbox"]) == []
        assert story.goes_on(5, "inbox") == []
    story.restarts()
    assert story.goes_on(6) == ["147 mail: over(inbox)"]


def test_the_memory_survives_its_own_writing() -> None:
    story = Story()
    story.goes_on(20, "inbox", condition("disk", Severity.WARNING))
    before = story.history.episodes
    story.restarts()
    assert [(e.condition.values, e.since, e.notified) for e in story.history.episodes] == [
        (e.condition.values, e.since, e.notified) for e in before
    ]


def test_troubles_of_one_cause_come_in_one_alert() -> None:
    story = Story()
    assert story.goes_on(3, "inbox") + story.goes_on(13, "inbox", "outbox") == ["16 mail: new(inbox,outbox)"]
    assert story.goes_on(60, "outbox") == ["22 mail: over(inbox) besides(outbox)"]


def test_what_gets_worse_is_told_again() -> None:
    story = Story()
    assert story.goes_on(20, condition("disk", Severity.WARNING)) == ["16 mail: new(disk)"]
    assert story.goes_on(20, condition("disk", Severity.CRITICAL)) == ["21 mail: new(disk)"]
    assert story.goes_on(20, condition("disk", Severity.WARNING)) == []


def test_some_things_are_told_at_once() -> None:
    assert Story().goes_on(1, condition("hanging", at_once=True)) == ["1 mail: new(hanging)"]


def test_each_route_is_told_for_itself() -> None:
    story = Story(CHANNELS)
    story.broken = {"command"}
    assert story.goes_on(30, "inbox") == ["16 mail: new(inbox)"]
    story.broken = set()
    assert story.goes_on(1, "inbox") == ["31 command: new(inbox)"]
    # mended while one of them is broken: that one hears of it later, the other once
    story.broken = {"command"}
    assert story.goes_on(20) == ["37 mail: over(inbox)"]
    story.broken = set()
    assert story.goes_on(5) == ["52 command: over(inbox)"]


def test_a_route_that_is_taken_away_holds_nothing_up_and_a_new_one_is_told() -> None:
    story = Story(CHANNELS[:1])
    story.goes_on(20, "inbox")
    story.channels = CHANNELS[1:]
    assert story.goes_on(1, "inbox") == ["21 command: new(inbox)"]


def test_what_another_worker_tells_is_ended_by_whoever_told_it() -> None:
    story = Story()
    now = START
    for minute in range(40):
        now = START + timedelta(minutes=minute)
        story.history.note(
            Judgement((condition("quarantine"), condition("disk")), frozenset()), now, RHYTHM, CHANNELS[:1]
        )
    others = frozenset({"quarantine"})
    news = story.history.due(CHANNELS[0], now, RHYTHM, others)
    assert told(news) == "new(disk)"
    story.history.notified(CHANNELS[0], news, now)
    assert told(story.history.due(CHANNELS[0], now, RHYTHM)) == "new(quarantine) besides(disk)"  # that worker died
    story.history.notified(CHANNELS[0], story.history.due(CHANNELS[0], now, RHYTHM), now)
    for minute in range(40, 60):
        now = START + timedelta(minutes=minute)
        story.history.note(Judgement((), frozenset()), now, RHYTHM, CHANNELS[:1])
    assert told(story.history.due(CHANNELS[0], now, RHYTHM, others)) == "over(disk,quarantine)"


def test_a_clock_that_is_set_back_delays_nothing_for_long() -> None:
    story = Story()
    story.goes_on(10, "inbox")
    story.minute -= 365 * 24 * 60
    first = story.minute
    assert story.goes_on(30, "inbox") == [f"{first + 16:.0f} mail: new(inbox)"]
    story.minute -= 60
    again = story.goes_on(1441, "inbox")
    assert len(again) == 1 and "still" in again[0]
    # forward, it may tell a little early, and once
    story.minute += 365 * 24 * 60
    assert len(story.goes_on(30, "inbox")) == 1
