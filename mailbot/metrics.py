"""Figures for Prometheus, where [metrics] listen is set: read from the desk when they are asked for, none kept.

In: the desk and its daemon. Out: `/metrics` in Prometheus' text form, by prometheus-client (extra `metrics`). Nothing
in it names a person.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mailbot.errors import ConfigError, TemporaryError
from mailbot.store.queries_figures import figures

if TYPE_CHECKING:
    from mailbot.bootstrap import Desk
    from mailbot.daemon import Daemon

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
        except OSError as error:
            where = f"{self._host}:{self._port}"
            log.error("figures can't be served on %s ([metrics] listen): %s. Mail goes on", where, error.strerror)

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def describe(self) -> list[Any]:
        """prometheus-client would otherwise read the database once to learn the names."""
        return []

    def collect(self) -> Iterator[Any]:
        """The figures of this moment; where the database can't be read, only those of the daemon."""
        from prometheus_client.metrics_core import GaugeMetricFamily

        up = GaugeMetricFamily("mailbot_works", "1 where the part works, 0 where it does not", labels=["part"])
        for part, works in self._daemon.health().items():
            up.add_metric([part], float(works))
        yield up
        try:
            found = figures(self._desk.store)
        except TemporaryError as error:
            log.warning("metrics: %s", error)
            return
        tickets = GaugeMetricFamily("mailbot_tickets_open", "Tickets that are not closed", labels=["status"])
        for status, count in found.open_tickets.items():
            tickets.add_metric([status], count)
        yield tickets
        outbox = GaugeMetricFamily("mailbot_outbox_mails", "Mail that has not left", labels=["state"])
        for state, count in found.outbox.items():
            outbox.add_metric([state], count)
        yield outbox
        now = self._desk.clock.now()
        oldest = (now - found.oldest_due).total_seconds() if found.oldest_due and found.oldest_due < now else 0.0
        yield GaugeMetricFamily(
            "mailbot_outbox_overdue_seconds", "How long the oldest due mail has waited", value=oldest
        )
        held = GaugeMetricFamily("mailbot_mails_held", "Mail that waits for a person", labels=["state"])
        for state, count in found.held.items():
            held.add_metric([state], count)
        yield held
