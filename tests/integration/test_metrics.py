"""The figures for Prometheus, asked for over HTTP."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from mailbot.config.values import Listen
from mailbot.daemon.app import Daemon
from mailbot.monitoring.metrics import Health, MetricsServer
from tests.support.loopback import free_port
from tests.support.people import (
    ACHA,
    SALLY,
    TryDesk,
)


def test_figures_of_a_desk(tmp_path: Path) -> None:
    desk = TryDesk(tmp_path)
    port = free_port()
    daemon = Daemon(desk.desk)
    health = Health(daemon.watcher, daemon.is_alive, daemon.health)
    server = MetricsServer(desk.desk, health, Listen("127.0.0.1", port))
    server.start()
    try:
        desk.opened()
        desk.write(ACHA, "Satu lagi", deliver=False)
        desk.write(SALLY, "#12345", "#selesai", deliver=False)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    finally:
        server.stop()
        desk.close()
    assert 'mailbot_tickets_open{status="queued"} 2.0' in text
    assert 'mailbot_outbox_mails{state="pending"} 4.0' in text
    assert 'mailbot_mails_held{state="held"} 1.0' in text
    assert 'mailbot_quarantine{reason="unconfirmed"} 1.0' in text and 'mailbot_quarantine{reason="poison"} 0.0' in text
    assert 'mailbot_works{part="imap"} 0.0' in text and ACHA not in text
