"""An alert in words: subject, text and HTML of what one channel has to send, in the desk's language.

In: `alert_history.News`, the queues, the renderer. Out: `Alert`. Template: templates/admin/alert.
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
    """One notification, ready to be sent."""

    state: State  #: "new" (or worse), "still" (as before), "over" (all of it is resolved) or "trial".
    severity: Severity
    names: tuple[str, ...]  #: The conditions.
    since: datetime  #: When the first of them began.
    subject: str
    text: str
    html: str


def write(news: News, queue: QueueStatus | None, renderer: Renderer, language: str, zone: ZoneInfo) -> Alert:
    """Render these news, which must not be empty. Raises ConfigError where the template can't be rendered."""
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
    """Return an alert about nothing, to test the channels with."""
    context = {
        "state": "trial", "new": (), "still": (), "over": (), "besides": (), "waiting": None,
        "machine": socket.gethostname(),
    }  # fmt: skip
    rendered = renderer.render(TEMPLATE, language, context)
    return Alert("trial", Severity.WARNING, (), now, rendered.subject, rendered.text, rendered.html)


def _view(episode: Episode, language: str, zone: ZoneInfo) -> ConditionView:
    found, remedy = in_words(episode.condition, language, zone)
    return ConditionView(title(episode.condition.name, language), found, remedy, episode.since, episode.gone_at)
