"""Which condition lasts since when, and who was told of it: pure, and small enough to be written down at every change.

In: judgements, one after the other, and what was told. Out: for each way of telling (a "route", by its name) what is
due to be told now. A condition is told when it has lasted `after`, again every `repeat` and when it gets worse, and an
all-clear follows when it has been gone for `calm`: one that comes and goes is one story, not twenty. What can't be
judged at the moment stays as it was. After a restart the same memory says that all of it was told already.
Never: I/O, a clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from mailbot.monitoring.conditions import Condition, Judgement, Severity

# Conditions that come one after the other have one cause more often than not: who has lasted for this part of `after`
# is told along with the first.
ALONG = 2
LONGEST_CALM = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When something is told: after how long, how often again, and after how much calm it counts as over."""

    after: timedelta = timedelta(minutes=15)
    repeat: timedelta = timedelta(hours=24)

    @property
    def calm(self) -> timedelta:
        """How long a condition has to be gone before the all-clear."""
        return min(self.after, LONGEST_CALM)


@dataclass(frozen=True, slots=True)
class Told:
    """That a route carried an alert: when last, and of which severity."""

    at: datetime
    severity: int


@dataclass(frozen=True, slots=True)
class Episode:
    """One condition from its begin to its end. `gone_at`: it does not hold at the moment, since then.

    `since` is when the trouble itself began, `seen_at` when it was noticed. `told`: by route.
    """

    condition: Condition
    since: datetime
    seen_at: datetime
    gone_at: datetime | None = None
    told: Mapping[str, Told] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class News:
    """What one route has to tell: what is new (or worse), what still lasts, what is over, what lasts besides."""

    new: tuple[Episode, ...] = ()
    still: tuple[Episode, ...] = ()
    over: tuple[Episode, ...] = ()
    besides: tuple[Episode, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.still or self.over)


class Memory:
    """The episodes of one desk. One thread uses it."""

    def __init__(self, episodes: Iterable[Episode] = ()) -> None:
        self._episodes = {episode.condition.name: episode for episode in episodes}

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """All that are not forgotten, the oldest first."""
        return tuple(sorted(self._episodes.values(), key=lambda episode: (episode.since, episode.condition.name)))

    def since(self, condition: Condition) -> datetime:
        """When the trouble behind a condition began, as far as anybody saw."""
        episode = self._episodes.get(condition.name)
        return min(episode.since, condition.since) if episode else condition.since

    def note(self, judgement: Judgement, now: datetime, rhythm: Rhythm, routes: Sequence[str]) -> None:
        """Take up what holds now, mark what is gone, forget what is over and told."""
        holding = {condition.name: condition for condition in judgement.conditions}
        for name, condition in holding.items():
            self._episodes[name] = _going_on(self._episodes.get(name), condition, now)
        for name, episode in list(self._episodes.items()):
            episode = _not_in_the_future(episode, now)
            told = {route: told for route, told in episode.told.items() if route in routes}
            episode = replace(episode, told=told)
            if name not in holding and name not in judgement.unknown:
                episode = replace(episode, gone_at=episode.gone_at or now)
            self._episodes[name] = episode
            if episode.gone_at is not None and now - episode.gone_at >= rhythm.calm and not told:
                del self._episodes[name]

    def due(self, route: str, now: datetime, rhythm: Rhythm, others: Collection[str] = ()) -> News:
        """What this route has to tell now. `others`: conditions that another worker tells, but for the end of what was

        told here.
        """
        lasting = [e for e in self.episodes if e.gone_at is None and e.condition.name not in others]
        fresh = [episode for episode in lasting if _is_worse(episode, route)]
        new: list[Episode] = []
        if any(_has_lasted(episode, now, rhythm.after) for episode in fresh):
            new = [episode for episode in fresh if _has_lasted(episode, now, rhythm.after / ALONG)]
        still = [
            episode
            for episode in lasting
            if episode not in fresh and route in episode.told and now - episode.told[route].at >= rhythm.repeat
        ]
        over = [
            episode
            for episode in self.episodes
            if episode.gone_at is not None and route in episode.told and now - episode.gone_at >= rhythm.calm
        ]
        besides = [e for e in lasting if route in e.told and e not in new and e not in still]
        return News(tuple(new), tuple(still), tuple(over), tuple(besides))

    def told(self, route: str, news: News, now: datetime) -> None:
        """This route has told it."""
        for episode in (*news.new, *news.still, *news.besides):
            known = self._episodes.get(episode.condition.name)
            if known is not None:
                told = Told(now, episode.condition.severity)
                self._episodes[episode.condition.name] = replace(known, told={**known.told, route: told})
        for episode in news.over:
            known = self._episodes.get(episode.condition.name)
            if known is not None:
                left = {name: told for name, told in known.told.items() if name != route}
                self._episodes[episode.condition.name] = replace(known, told=left)

    def as_json(self) -> list[dict[str, Any]]:
        """For the record."""
        return [_to_json(episode) for episode in self.episodes]

    @classmethod
    def of_json(cls, found: Iterable[Mapping[str, Any]]) -> Memory:
        """From the record. Raises LookupError, TypeError or ValueError where it is none."""
        return cls([_from_json(entry) for entry in found])


def _going_on(known: Episode | None, condition: Condition, now: datetime) -> Episode:
    if known is None:
        return Episode(condition, min(condition.since, now), now)
    return replace(known, condition=condition, since=min(known.since, condition.since), gone_at=None)


def _not_in_the_future(episode: Episode, now: datetime) -> Episode:
    """The clock was set back: what seems to happen later has happened by now, else nothing would be told for long."""
    told = {route: replace(told, at=min(told.at, now)) for route, told in episode.told.items()}
    gone_at = None if episode.gone_at is None else min(episode.gone_at, now)
    return replace(
        episode, since=min(episode.since, now), seen_at=min(episode.seen_at, now), gone_at=gone_at, told=told
    )


def _is_worse(episode: Episode, route: str) -> bool:
    """Is there something in it that this route has not told?"""
    told = episode.told.get(route)
    return told is None or told.severity < episode.condition.severity


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
        "told": {route: {"at": told.at.isoformat(), "severity": told.severity} for route, told in episode.told.items()},
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
    told = {
        route: Told(datetime.fromisoformat(told["at"]), int(told["severity"]))
        for route, told in entry["told"].items()
    }  # fmt: skip
    gone_at = datetime.fromisoformat(entry["gone_at"]) if entry["gone_at"] else None
    return Episode(condition, since, datetime.fromisoformat(entry["seen_at"]), gone_at, told)
