"""Figures for Prometheus, where [metrics] listen is set: read from the desk when they are asked for, none kept.

In: the desk and its daemon. Out: `/metrics` in Prometheus' text form, by prometheus-client (extra `metrics`), and
`/health` as JSON. Nothing in them names a person.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mailbot.errors import ConfigError, TemporaryError
from mailbot.monitoring.conditions import NAMES
from mailbot.store.queries.monitoring import counts

if TYPE_CHECKING:
    from mailbot.daemon.app import Daemon
    from mailbot.desk.wiring import Desk

log = logging.getLogger(__name__)


class MetricsServer:
    """The figures of one desk on one address."""

    def __init__(self, desk: Desk, daemon: Daemon, host: str, port: int) -> None:
        try:
            from prometheus_client import CollectorRegistry
        except ImportError:
            raise ConfigError(
                [
                    "metrics.listen: the package prometheus-client is missing: pip install 'mailbot[metrics]', "
                    'or listen = ""'
                ]
            ) from None
        self._desk, self._daemon = desk, daemon
        self._host, self._port = host, port
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._server: Any = None

    def start(self) -> None:
        """Listen; returns at once."""
        from prometheus_client import start_http_server

        try:
            self._server, _ = start_http_server(self._port, self._host, self._registry)
            self._server.set_app(self._with_health(self._server.get_app()))
        except OSError as error:
            where = f"{self._host}:{self._port}"
            log.error("figures can't be served on %s ([metrics] listen): %s. Mail goes on", where, error.strerror)

    def _with_health(self, figures_app: Any) -> Callable[[dict[str, Any], Any], Any]:
        """`/health` beside the figures (WSGI, PEP 3333).

        503 only where the process itself hangs, since who watches this (an orchestrator, say) restarts what answers so,
        and a restart mends no mail server. What is wrong otherwise stands in the answer.
        """

        def app(environ: dict[str, Any], start_response: Any) -> Any:
            if environ.get("PATH_INFO") != "/health":
                return figures_app(environ, start_response)
            alive = self._daemon.is_alive()
            conditions = self._daemon.watch.as_json()
            body = json.dumps({"alive": alive, "well": alive and not conditions, "conditions": conditions}).encode()
            header = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
            start_response("200 OK" if alive else "503 Service Unavailable", header)
            return [body]

        return app

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def describe(self) -> list[Any]:
        """prometheus-client would otherwise read the database once to learn the names."""
        return []

    def _health(self) -> Iterator[Any]:
        """The judgement, condition by condition, and what it rests on."""
        from prometheus_client.metrics_core import GaugeMetricFamily

        watch = self._daemon.watch
        facts, since = watch.facts(), {entry.name: watch.since(entry) for entry in watch.judgement.conditions}
        holds = GaugeMetricFamily("mailbot_health", "1 while this trouble lasts", labels=["condition"])
        lasts = GaugeMetricFamily("mailbot_health_seconds", "How long this trouble lasts", labels=["condition"])
        for name in sorted({*NAMES, *since}):
            holds.add_metric([name], float(name in since))
            lasts.add_metric([name], (facts.now - since[name]).total_seconds() if name in since else 0.0)
        yield from (holds, lasts)
        age = GaugeMetricFamily("mailbot_success_age_seconds", "Since this part last worked", labels=["part"])
        inboxes = [(f"imap:{name}" if name else "imap", line) for name, line in facts.inboxes]
        for part, line in (*inboxes, ("smtp", facts.outbox), ("database", facts.database)):
            if line.worked_at is not None:
                age.add_metric([part], (facts.now - line.worked_at).total_seconds())
        yield age
        free = GaugeMetricFamily("mailbot_disk_free_bytes", "Room for the desk's folder", labels=["folder"])
        for space in facts.spaces:
            free.add_metric([space.folder], space.free)
        yield free
        back_at, seconds = watch.canary.last
        if back_at is not None and seconds is not None:
            yield GaugeMetricFamily("mailbot_canary_seconds", "How long the last canary took", value=seconds)
            age_seconds = (facts.now - back_at).total_seconds()
            yield GaugeMetricFamily("mailbot_canary_age_seconds", "Since a canary came back", value=age_seconds)

    def collect(self) -> Iterator[Any]:
        """The figures of this moment; where the database can't be read, only those of the daemon."""
        from prometheus_client.metrics_core import GaugeMetricFamily

        up = GaugeMetricFamily("mailbot_works", "1 where the part works, 0 where it does not", labels=["part"])
        for part, works in self._daemon.health().items():
            up.add_metric([part], float(works))
        yield up
        yield from self._health()
        try:
            found = counts(self._desk.store)
        except TemporaryError as error:
            log.warning("metrics: %s", error)
            return
        yield _by_label("mailbot_tickets_open", "Tickets that are not closed", "status", found.open_tickets)
        yield _by_label("mailbot_outbox_mails", "Mail that has not left", "state", found.outbox)
        now = self._desk.clock.now()
        oldest = (now - found.oldest_due).total_seconds() if found.oldest_due and found.oldest_due < now else 0.0
        yield GaugeMetricFamily(
            "mailbot_outbox_overdue_seconds", "How long the oldest due mail has waited", value=oldest
        )
        yield _by_label("mailbot_quarantine", "Mail in quarantine, by the reason", "reason", found.quarantine)
        yield _by_label("mailbot_mails_held", "Mail that waits for a person", "state", found.held)


def _by_label(name: str, meaning: str, label: str, counts: Mapping[str, int]) -> Any:
    """A gauge with a row for each value of `label`."""
    from prometheus_client.core import GaugeMetricFamily

    gauge = GaugeMetricFamily(name, meaning, labels=[label])
    for value, count in counts.items():
        gauge.add_metric([value], count)
    return gauge
