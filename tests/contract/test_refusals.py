"""What the watch learns at the servers' doors: a log-in refused, the end of a certificate, that nobody answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.daemon import outbox_loop
from mailbot.daemon.outbox_loop import OutboxLoop
from mailbot.errors import LogInRefused, TemporaryError
from mailbot.runtime.status import ConnectionStatus
from mailbot.transport.imap.mailbox import Mailbox
from mailbot.transport.smtp.pool import SubmissionPool
from mailbot.transport.smtp.submission import (
    Accepted,
    Deferred,
    Submission,
)
from tests.support.certificate import Certificate
from tests.support.dovecot import Dovecot
from tests.support.loopback import free_port, until
from tests.support.people import TryDesk
from tests.support.scripted_smtp import ScriptedSmtp, reply
from tests.support.settings import imap_settings, smtp_settings
from tests.support.smtp_sink import Sink

MAIL = b"From: support@helpdesk.example\r\nTo: a@sekolah.example\r\nSubject: x\r\n\r\nHalo.\r\n"


@pytest.mark.parametrize(("code", "refused"), [(535, True), (534, True), (454, False), (421, False)])
def test_a_refused_log_in_is_told_from_a_server_with_a_headache(code: int, refused: bool) -> None:
    with ScriptedSmtp((b"AUTH PLAIN",), AUTH=reply(code, "no")) as server:
        settings = smtp_settings(server.port, username="desk", password="rahasia")
        outcome = Submission(settings).send("support@helpdesk.example", "a@sekolah.example", MAIL)
        assert isinstance(outcome, Deferred) and outcome.server_gone and outcome.credentials is refused
        with pytest.raises(LogInRefused if refused else TemporaryError):
            Submission(settings).check()


def test_a_server_that_is_not_there_refuses_no_log_in() -> None:
    outcome = Submission(smtp_settings(free_port())).send("support@helpdesk.example", "a@sekolah.example", MAIL)
    assert isinstance(outcome, Deferred) and not outcome.credentials


@pytest.mark.dovecot
def test_the_end_of_a_certificate_is_seen(server_home: Callable[[], Path], certificate: Certificate) -> None:
    ca = str(certificate.certificate)
    ends = datetime.now(UTC) + timedelta(days=10)
    with Dovecot(server_home(), certificate=certificate) as dovecot, Sink(certificate) as sink:
        mailbox = Mailbox(imap_settings(dovecot.tls_port, security="tls", host="localhost", ca_file=ca), max_size=10**6)
        assert mailbox.certificate_ends is None
        mailbox.open()
        assert mailbox.certificate_ends is not None and abs(mailbox.certificate_ends - ends) < timedelta(days=1)
        mailbox.interrupt()
        assert mailbox.certificate_ends is None or mailbox.certificate_ends > datetime.now(UTC)
        mailbox.close()
        assert mailbox.certificate_ends is None
        pool = SubmissionPool([Submission(smtp_settings(sink.port, security="starttls", host="localhost", ca_file=ca))])
        assert pool.certificate_ends is None
        [result] = pool.send_all([("support@helpdesk.example", "a@sekolah.example", MAIL)])  # type: ignore[list-item]
        assert isinstance(result, Accepted)
        assert pool.certificate_ends is not None and abs(pool.certificate_ends - ends) < timedelta(days=1)
        pool.close()


def test_an_outbox_with_nothing_to_send_asks_whether_the_server_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_loop, "CHECK_SECONDS", 0.2)
    monkeypatch.setattr(outbox_loop, "CHECK_SOON_SECONDS", 0.1)
    monkeypatch.setattr(outbox_loop, "OUTBOX_LOOK_SECONDS", 0.05)
    sink, stopping = Sink(), threading.Event()
    desk = TryDesk(tmp_path, smtp={"host": "127.0.0.1", "port": sink.port, "security": "none"})
    loop = OutboxLoop(desk.desk, stopping)
    assert loop.heartbeat.status == ConnectionStatus()
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        until(lambda: loop.heartbeat.status.failing_since is not None, 30, "the dead server is noticed")
        assert "refused" in loop.heartbeat.status.reason and loop.state == "unreachable"
        with sink:
            until(lambda: loop.heartbeat.status.failing_since is None, 30, "the living server is noticed")
            assert loop.state == "works" and sink.envelopes == []
        until(lambda: loop.heartbeat.status.failing_since is not None, 30, "and that it is gone again")
    finally:
        stopping.set()
        loop.wake()
        thread.join(10)
        desk.close()
    assert loop.database.status.worked_at is not None
