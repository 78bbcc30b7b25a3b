"""Metrics for Prometheus, if [metrics] listen is set: read from the desk at each scrape, none stored.

In: the desk, its watcher, and callables for the state of the daemon's loops. Out: `/metrics` in Prometheus' text
format, by prometheus-client (extra `metrics`), and `/health` as JSON. Never: anything that names a person.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailbot.errors import ConfigError, TemporaryError
from mailbot.monitoring.conditions import NAMES
from mailbot.store.queries.monitoring import counts

if TYPE_CHECKING:
    from mailbot.config.values import Listen
    from mailbot.desk.wiring import Desk
    from mailbot.monitoring.watcher import Watcher

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """How a running daemon is: what MetricsServer reports besides the database."""

    watcher: Watcher
    is_alive: Callable[[], bool]  #: Whether its loops make progress.
    works: Callable[[], dict[str, bool]]  #: Which of its parts work, by name.


class MetricsServer:
    """The metrics of one desk on one address."""

    def __init__(self, desk: Desk, health: Health, listen: Listen) -> None:
        try:
            from prometheus_client import CollectorRegistry
        except ImportError:
            raise ConfigError(
                [
                    "metrics.listen: the package prometheus-client is missing: pip install 'mailbot[metrics]', "
                    'or listen = ""'
                ]
            ) from None
        self._desk, self._health = desk, health
        self._listen = listen
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._server: Any = None

    def start(self) -> None:
        """Listen; returns at once."""
        from prometheus_client import start_http_server

        try:
            self._server, _ = start_http_server(self._listen.port, self._listen.host, self._registry)
            self._server.set_app(self._with_health(self._server.get_app()))
        except OSError as error:
            where = f"{self._listen.host}:{self._listen.port}"
            log.error("can't serve metrics on %s ([metrics] listen): %s. Mail is handled", where, error.strerror)

    def _with_health(self, metrics_app: Any) -> Callable[[dict[str, Any], Any], Any]:
        """Add `/health` to the metrics (WSGI, PEP 3333; prometheus-client types neither side).

        It answers 503 only if the process itself hangs: an orchestrator restarts what answers so, and a restart fixes
        no mail server. The body says what else is wrong.
        """

        def app(environ: dict[str, Any], start_response: Any) -> Any:
            if environ.get("PATH_INFO") != "/health":
                return metrics_app(environ, start_response)
            alive = self._health.is_alive()
            conditions = self._health.watcher.as_json()
            body = json.dumps({"alive": alive, "well": alive and not conditions, "conditions": conditions}).encode()
            header = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
            start_response("200 OK" if alive else "503 Service Unavailable", header)
            return [body]

        return app

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def describe(self) -> list[Any]:
        """Return no names; without this method prometheus-client would read the database once to learn them."""
        return []

    def _conditions(self) -> Iterator[Any]:
        """Yield the judgement, condition by condition, and the facts behind it."""
        from prometheus_client.metrics_core import GaugeMetricFamily

        watcher = self._health.watcher
        facts, since = watcher.facts(), {entry.name: watcher.since(entry) for entry in watcher.judgement.conditions}
        holds = GaugeMetricFamily("mailbot_health", "1 while this condition holds", labels=["condition"])
        lasts = GaugeMetricFamily("mailbot_health_seconds", "How long this condition has held", labels=["condition"])
        for name in sorted({*NAMES, *since}):
            holds.add_metric([name], float(name in since))
            lasts.add_metric([name], (facts.now - since[name]).total_seconds() if name in since else 0.0)
        yield from (holds, lasts)
        age = GaugeMetricFamily("mailbot_success_age_seconds", "Since this part last worked", labels=["part"])
        inboxes = [(f"imap:{name}" if name else "imap", status) for name, status in facts.inboxes]
        for part, status in (*inboxes, ("smtp", facts.outbox), ("database", facts.database)):
            if status.worked_at is not None:
                age.add_metric([part], (facts.now - status.worked_at).total_seconds())
        yield age
        free = GaugeMetricFamily("mailbot_disk_free_bytes", "Free space for the desk's folder", labels=["folder"])
        for space in facts.spaces:
            free.add_metric([space.folder], space.free)
        yield free
        back_at, seconds = watcher.canary.last
        if back_at is not None and seconds is not None:
            yield GaugeMetricFamily("mailbot_canary_seconds", "How long the last canary took", value=seconds)
            age_seconds = (facts.now - back_at).total_seconds()
            yield GaugeMetricFamily("mailbot_canary_age_seconds", "Since a canary came back", value=age_seconds)

    def collect(self) -> Iterator[Any]:
        """Yield the current metrics; if the database can't be read, only those of the daemon."""
        from prometheus_client.metrics_core import GaugeMetricFamily

        up = GaugeMetricFamily("mailbot_works", "1 if the part works, 0 if it does not", labels=["part"])
        for part, works in self._health.works().items():
            up.add_metric([part], float(works))
        yield up
        yield from self._conditions()
        try:
            found = counts(self._desk.store)
        except TemporaryError as error:
            log.warning("metrics: %s", error)
            return
        yield _by_label("mailbot_tickets_open", "Tickets that are not closed", "status", found.open_tickets)
        yield _by_label("mailbot_outbox_mails", "Mail that was not sent yet", "state", found.outbox)
        now = self._desk.clock.now()
        oldest = (now - found.oldest_due).total_seconds() if found.oldest_due and found.oldest_due < now else 0.0
        yield GaugeMetricFamily(
            "mailbot_outbox_overdue_seconds", "How long the oldest due mail has waited", value=oldest
        )
        yield _by_label("mailbot_quarantine", "Mail in quarantine, by the reason", "reason", found.quarantine)
        yield _by_label("mailbot_mails_held", "Mail that waits for a person", "state", found.held)


def _by_label(name: str, meaning: str, label: str, counts: Mapping[str, int]) -> Any:
    """Return a gauge with a sample for each value of `label`."""
    from prometheus_client.core import GaugeMetricFamily

    gauge = GaugeMetricFamily(name, meaning, labels=[label])
    for value, count in counts.items():
        gauge.add_metric([value], count)
    return gauge
