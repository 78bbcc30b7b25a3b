"""Which condition has held since when, and which channels were notified: pure, and small enough to be saved on change.

In: judgements in sequence, and what was sent. Out: per channel (by name) the alerts that are due. A condition is
reported once it has held for `after`, again every `repeat` and when it gets worse; an all-clear follows when it has
been gone for `calm`, so one that comes and goes is reported once. What can't be judged at the moment stays as it was.
Restored after a restart, the history keeps everything from being reported again.
Never: I/O, a clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from mailbot.monitoring.conditions import Condition, Judgement, Severity

# Conditions that begin one after the other usually have one cause: with the first that is due, those are reported that
# have held for `after` / ALONG.
ALONG = 2
LONGEST_CALM = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When conditions are reported."""

    after: timedelta = timedelta(minutes=15)  #: How long a condition must have held.
    repeat: timedelta = timedelta(hours=24)  #: How often one that lasts is reported again.

    @property
    def calm(self) -> timedelta:
        """How long a condition has to be gone before the all-clear."""
        return min(self.after, LONGEST_CALM)


@dataclass(frozen=True, slots=True)
class Notified:
    """The last alert about a condition that a channel delivered."""

    at: datetime
    severity: int


@dataclass(frozen=True, slots=True)
class Episode:
    """One condition from its beginning to its end."""

    condition: Condition
    since: datetime  #: When the failure itself began.
    seen_at: datetime  #: When it was noticed.
    gone_at: datetime | None = None  #: Since when it has not held; None while it holds.
    notified: Mapping[str, Notified] = field(default_factory=dict)  #: By channel.


@dataclass(frozen=True, slots=True)
class News:
    """What one channel has to send; false if there is nothing."""

    new: tuple[Episode, ...] = ()  #: New, or worse than reported.
    still: tuple[Episode, ...] = ()  #: Due for a repetition.
    over: tuple[Episode, ...] = ()  #: For the all-clear.
    besides: tuple[Episode, ...] = ()  #: Reported before and lasting; mentioned only.

    def __bool__(self) -> bool:
        return bool(self.new or self.still or self.over)


class AlertHistory:
    """The episodes of one desk. One thread uses it."""

    def __init__(self, episodes: Iterable[Episode] = ()) -> None:
        self._episodes = {episode.condition.name: episode for episode in episodes}

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """All episodes, oldest first."""
        return tuple(sorted(self._episodes.values(), key=lambda episode: (episode.since, episode.condition.name)))

    def since(self, condition: Condition) -> datetime:
        """Return when the failure behind a condition began, as far as it was observed."""
        episode = self._episodes.get(condition.name)
        return min(episode.since, condition.since) if episode else condition.since

    def note(self, judgement: Judgement, now: datetime, rhythm: Rhythm, channels: Sequence[str]) -> None:
        """Record what holds now, mark what is gone, drop what is over and reported."""
        holding = {condition.name: condition for condition in judgement.conditions}
        for name, condition in holding.items():
            self._episodes[name] = _going_on(self._episodes.get(name), condition, now)
        for name, episode in list(self._episodes.items()):
            episode = _not_in_the_future(episode, now)
            notified = {channel: last for channel, last in episode.notified.items() if channel in channels}
            episode = replace(episode, notified=notified)
            if name not in holding and name not in judgement.unknown:
                episode = replace(episode, gone_at=episode.gone_at or now)
            self._episodes[name] = episode
            if episode.gone_at is not None and now - episode.gone_at >= rhythm.calm and not notified:
                del self._episodes[name]

    def due(self, channel: str, now: datetime, rhythm: Rhythm, others: Collection[str] = ()) -> News:
        """Return what this channel has to send now.

        `others`: conditions that another worker reports; of these, only the end of what was reported here is included.
        """
        lasting = [e for e in self.episodes if e.gone_at is None and e.condition.name not in others]
        fresh = [episode for episode in lasting if _is_worse(episode, channel)]
        new: list[Episode] = []
        if any(_has_lasted(episode, now, rhythm.after) for episode in fresh):
            new = [episode for episode in fresh if _has_lasted(episode, now, rhythm.after / ALONG)]
        still = [
            episode
            for episode in lasting
            if episode not in fresh
            and channel in episode.notified
            and now - episode.notified[channel].at >= rhythm.repeat
        ]
        over = [
            episode
            for episode in self.episodes
            if episode.gone_at is not None and channel in episode.notified and now - episode.gone_at >= rhythm.calm
        ]
        besides = [e for e in lasting if channel in e.notified and e not in new and e not in still]
        return News(tuple(new), tuple(still), tuple(over), tuple(besides))

    def notified(self, channel: str, news: News, now: datetime) -> None:
        """Record that this channel has delivered `news`."""
        for episode in (*news.new, *news.still, *news.besides):
            known = self._episodes.get(episode.condition.name)
            if known is not None:
                last = Notified(now, episode.condition.severity)
                self._episodes[episode.condition.name] = replace(known, notified={**known.notified, channel: last})
        for episode in news.over:
            known = self._episodes.get(episode.condition.name)
            if known is not None:
                others = {name: last for name, last in known.notified.items() if name != channel}
                self._episodes[episode.condition.name] = replace(known, notified=others)

    def as_json(self) -> list[dict[str, Any]]:
        """Return the history as stored in health.json."""
        return [_to_json(episode) for episode in self.episodes]

    @classmethod
    def of_json(cls, found: Iterable[Mapping[str, Any]]) -> AlertHistory:
        """Restore a history from health.json. Raises LookupError, TypeError or ValueError if it is invalid."""
        return cls([_from_json(entry) for entry in found])


def _going_on(known: Episode | None, condition: Condition, now: datetime) -> Episode:
    if known is None:
        return Episode(condition, min(condition.since, now), now)
    return replace(known, condition=condition, since=min(known.since, condition.since), gone_at=None)


def _not_in_the_future(episode: Episode, now: datetime) -> Episode:
    """Return the episode without times in the future: after the clock was set back, nothing would be due for long."""
    notified = {channel: replace(last, at=min(last.at, now)) for channel, last in episode.notified.items()}
    gone_at = None if episode.gone_at is None else min(episode.gone_at, now)
    return replace(
        episode, since=min(episode.since, now), seen_at=min(episode.seen_at, now), gone_at=gone_at, notified=notified
    )


def _is_worse(episode: Episode, channel: str) -> bool:
    """Return whether this channel has not reported the condition, or only a lower severity of it."""
    last = episode.notified.get(channel)
    return last is None or last.severity < episode.condition.severity


def _has_lasted(episode: Episode, now: datetime, span: timedelta) -> bool:
    return episode.condition.at_once or now - episode.seen_at >= span


def _to_json(episode: Episode) -> dict[str, Any]:
    condition = episode.condition
    values = {
        key: {"at": value.isoformat()} if isinstance(value, datetime) else value for key, value in condition.values
    }
    return {
        "name": condition.name,
        "severity": condition.severity.name.lower(),
        "words": condition.words,
        "values": values,
        "at_once": condition.at_once,
        "since": episode.since.isoformat(),
        "seen_at": episode.seen_at.isoformat(),
        "gone_at": episode.gone_at.isoformat() if episode.gone_at else None,
        "told": {
            channel: {"at": last.at.isoformat(), "severity": last.severity}
            for channel, last in episode.notified.items()
        },
    }


def _from_json(entry: Mapping[str, Any]) -> Episode:
    values = tuple(
        (str(key), datetime.fromisoformat(value["at"]) if isinstance(value, dict) else value)
        for key, value in entry["values"].items()
    )
    since = datetime.fromisoformat(entry["since"])
    condition = Condition(
        entry["name"], Severity[entry["severity"].upper()], since, entry["words"], values, bool(entry["at_once"])
    )
    notified = {
        channel: Notified(datetime.fromisoformat(last["at"]), int(last["severity"]))
        for channel, last in entry["told"].items()
    }
    gone_at = datetime.fromisoformat(entry["gone_at"]) if entry["gone_at"] else None
    return Episode(condition, since, datetime.fromisoformat(entry["seen_at"]), gone_at, notified)
