"""An alert in words: what one route has to tell, as a mail's subject, text and HTML, in the desk's language.

In: the news of `watch.memory`, what waits, the renderer. Out: `Alert`. Template: templates/admin/alert.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from mailbot.desk.outbound.templates import Renderer
from mailbot.desk.views import ConditionView, WaitingView
from mailbot.monitoring.alert_history import Episode, News
from mailbot.monitoring.conditions import Severity, in_words, title
from mailbot.runtime.status import QueueStatus

TEMPLATE = "admin/alert"
State = Literal["new", "still", "over", "trial"]


@dataclass(frozen=True, slots=True)
class Alert:
    """What is told. `state`: "new" (or worse), "still" (the same as before), "over" (all of it is mended), "trial"."""

    state: State
    severity: Severity
    names: tuple[str, ...]
    since: datetime
    subject: str
    text: str
    html: str


def write(news: News, queue: QueueStatus | None, renderer: Renderer, language: str, zone: ZoneInfo) -> Alert:
    """The words for these news, which must not be empty. Raises ConfigError where the template can't be rendered."""
    subject_of = news.new or news.still or news.over
    state: State = "new" if news.new else "still" if news.still else "over"

    def views(episodes: tuple[Episode, ...]) -> tuple[ConditionView, ...]:
        return tuple(_view(episode, language, zone) for episode in episodes)

    waiting = None if queue is None else WaitingView(queue.waiting, queue.oldest, queue.failed, queue.held)
    context = {
        "state": state, "new": views(news.new), "still": views(news.still), "over": views(news.over),
        "besides": views(news.besides), "waiting": waiting, "machine": socket.gethostname(),
    }  # fmt: skip
    rendered = renderer.render(TEMPLATE, language, context)
    return Alert(
        state,
        max(episode.condition.severity for episode in subject_of),
        tuple(episode.condition.name for episode in subject_of),
        min(episode.since for episode in subject_of),
        rendered.subject,
        rendered.text,
        rendered.html,
    )


def trial(renderer: Renderer, language: str, now: datetime) -> Alert:
    """An alert about nothing, to try the ways by which alerts leave."""
    context = {
        "state": "trial", "new": (), "still": (), "over": (), "besides": (), "waiting": None,
        "machine": socket.gethostname(),
    }  # fmt: skip
    rendered = renderer.render(TEMPLATE, language, context)
    return Alert("trial", Severity.WARNING, (), now, rendered.subject, rendered.text, rendered.html)


def _view(episode: Episode, language: str, zone: ZoneInfo) -> ConditionView:
    found, mend = in_words(episode.condition, language, zone)
    return ConditionView(title(episode.condition.name, language), found, mend, episode.since, episode.gone_at)
