"""`mailbot run` when it falls silent: servers that are gone, full, or refuse; who hears of it, and what is seen."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailbot.monitoring import health_file
from mailbot.transport.smtp.submission import Accepted, Submission
from tests.support.dovecot import Dovecot
from tests.support.loopback import free_port, until
from tests.support.people import Sent
from tests.support.postfix import Postfix
from tests.support.running_desk import ACHA, RunningDesk
from tests.support.scripted_imap import ScriptedImap
from tests.support.settings import smtp_settings
from tests.support.smtp_sink import Sink
from tests.support.token_endpoint import Endpoint, endpoint

__all__ = ["endpoint"]

ADMIN = "admin@kota.example"
ALERTS = """
[alerts]
addresses = ["{admin}"]
host = "127.0.0.1"
port = {port}
security = "none"
after = "1s"
{more}
"""

# The watcher looks after a moment, not after five seconds.
QUICK = {"mailbot.monitoring.watcher:PROBE_SECONDS": 0.3, "mailbot.monitoring.watcher:JUDGE_SECONDS": 0.3}


def run_desk(home: Path, *arguments: Any, **options: Any) -> RunningDesk:
    return RunningDesk(home, *arguments, constants=QUICK, **options)


@pytest.fixture
def alarm() -> Iterator[Sink]:
    """The second way."""
    with Sink() as server:
        yield server


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[list[str]]:
    """A service manager at `tmp_path`/notify: the lines that it has heard so far."""
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))

        def listen() -> None:
            while (words := sock.recv(65536)) != b"END":
                heard.extend(words.decode().splitlines())

        thread = threading.Thread(target=listen)
        thread.start()
        yield heard
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"END", str(tmp_path / "notify"))
        thread.join()


def alerts(port: int, more: str = "") -> str:
    return ALERTS.format(admin=ADMIN, port=port, more=more)


def told(alarm: Sink) -> list[Sent]:
    return [Sent(e.mail_from or "", e.rcpt_tos[0], bytes(e.original_content or b"")) for e in list(alarm.envelopes)]


def wait_for(alarm: Sink, count: int, seconds: float = 60) -> Sent:
    until(lambda: len(alarm.envelopes) >= count, seconds, f"alert {count}; came: {[m['Subject'] for m in told(alarm)]}")
    assert len(alarm.envelopes) == count, [m["Subject"] for m in told(alarm)]
    return told(alarm)[-1]


def checked(desk: RunningDesk, part: str) -> list[dict[str, Any]]:
    findings = json.loads(desk.cli("check", "--json", check=False))["findings"]
    return [finding for finding in findings if finding["part"] == part]


def judged(desk: RunningDesk) -> tuple[int, list[str]]:
    """What stands in the daemon's record: its process, and the conditions."""
    found = health_file.read(desk.home / "data")
    return (found.pid, [entry["name"] for entry in found.conditions]) if found else (0, [])


@pytest.mark.dovecot
def test_a_dead_imap_server(
    tmp_path: Path, dovecot: Dovecot, sink: Sink, alarm: Sink, systemd: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls"
    command = f"{sys.executable} -c 'import sys; open(sys.argv[1], chr(97)).write(sys.stdin.readline())' {calls}"
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    with run_desk(tmp_path, dovecot, sink, more=alerts(alarm.port)) as desk:
        monkeypatch.undo()  # Dovecot would talk to it as well
        desk.write(ACHA, "Sebelum")
        desk.wait_for(ACHA, "acknowledgement")
        dovecot.kill()
        alert = wait_for(alarm, 1)
        assert alert["Subject"] == "[Gangguan] Helpdesk BOSP: email masuk tidak terbaca" and alert.recipient == ADMIN
        assert "connection was refused" in alert.text or "connection was lost" in alert.text
        until(lambda: any("TROUBLE: incoming mail is not read since" in line for line in systemd), 30, "STATUS=")
        # the server is gone, not we: systemd has no reason to restart anything
        signs = systemd.count("WATCHDOG=1")
        until(lambda: systemd.count("WATCHDOG=1") >= signs + 4, 30, "signs of life")
        [daemon] = checked(desk, "daemon")
        assert daemon["state"] == "fail" and "The inbox can't be read" in daemon["found"] and daemon["mend"]
        # a restart is no news; a new way of telling is, by that way alone
        desk.stop()
        assert checked(desk, "daemon")[0]["state"] == "warn"
        desk.start()
        pid = desk.process.pid if desk.process else 0
        until(lambda: judged(desk) == (pid, ["inbox"]), 60, "the new process judges")
        desk.write_config(more=alerts(alarm.port, f'command = """{command}"""'))
        assert desk.process is not None
        desk.process.send_signal(signal.SIGHUP)
        until(lambda: calls.exists() and bool(calls.read_text()), 60, "the command was run")
        assert calls.read_text() == "[Gangguan] Helpdesk BOSP: email masuk tidak terbaca\n"
        assert len(alarm.envelopes) == 1
        dovecot.start()
        assert wait_for(alarm, 2)["Subject"] == "[Pulih] Helpdesk BOSP: email masuk tidak terbaca"
        until(lambda: calls.read_text().count("\n") == 2, 30, "the command heard the all-clear")
        assert judged(desk)[1] == [] and checked(desk, "daemon")[0]["state"] == "ok"
        assert not desk.to(ADMIN)  # nothing by the desk's own way
        assert desk.stop() == 0


def test_a_consent_that_has_ended(tmp_path: Path, endpoint: Endpoint, sink: Sink, alarm: Sink) -> None:
    endpoint.answers = [(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})]
    token = tmp_path / "token.json"
    token.write_text(json.dumps({"client_id": "d", "refresh_token": "r1", "token_uri": endpoint.address}))
    with ScriptedImap() as imap, run_desk(tmp_path, imap, sink, more=alerts(alarm.port)) as desk:  # type: ignore[arg-type]
        desk.stop()
        text = desk.config.read_text()
        desk.config.write_text(
            text.replace('password = "secret"', f'auth = "xoauth2"\ntoken_file = "{token}"').replace(
                "[helpdesk]", '[helpdesk]\nlanguage = "en"'
            )
        )
        desk.start()
        alert = wait_for(alarm, 1)
        assert alert["Subject"] == "[Trouble] Helpdesk BOSP: the IMAP server refuses the log-in"
        assert "invalid_grant" in alert.text and "consent again" in alert.text and "[imap] token_file" in alert.text
        # the endpoint is down: another story, and the consent is not called given
        endpoint.answers = [(503, b"down")]
        assert wait_for(alarm, 2)["Subject"] == "[Trouble] Helpdesk BOSP: incoming mail is not read"
        assert "r1" not in desk.log()


@pytest.mark.dovecot
def test_an_smtp_server_that_refuses_us_is_noticed(tmp_path: Path, dovecot: Dovecot, alarm: Sink) -> None:
    with Sink() as sink, run_desk(tmp_path, dovecot, sink, smtp_port=free_port(), more=alerts(alarm.port)) as desk:
        desk.write(ACHA, "Server surat keluar mati")
        alert = wait_for(alarm, 1)
        assert alert["Subject"] == "[Gangguan] Helpdesk BOSP: email keluar tidak terkirim"
        assert "refused" in alert.text and "mailbot outbox list" in alert.text
        desk.write_config(smtp_port=sink.port)
        assert desk.process is not None
        desk.process.send_signal(signal.SIGHUP)
        desk.cli("outbox", "retry")
        assert wait_for(alarm, 2)["Subject"] == "[Pulih] Helpdesk BOSP: email keluar tidak terkirim"
        desk.wait_for(ACHA, "acknowledgement")


@pytest.mark.dovecot
def test_a_disk_that_is_nearly_full(tmp_path: Path, dovecot: Dovecot, sink: Sink, alarm: Sink) -> None:
    data = tmp_path / "data"
    data.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(data)]).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        with run_desk(tmp_path, dovecot, sink, more=alerts(alarm.port, 'disk_free = "8MB"')) as desk:
            desk.logged("running")
            (data / "filler").write_bytes(b"x" * 10_000_000)
            alert = wait_for(alarm, 1)
            assert alert["Subject"] == "[Gangguan] Helpdesk BOSP: ruang disk hampir habis" and str(data) in alert.text
            (data / "filler").unlink()
            assert wait_for(alarm, 2)["Subject"].startswith("[Pulih]")
            desk.stop()
    finally:
        subprocess.run(["umount", "-l", str(data)], check=True)


@pytest.mark.dovecot
def test_a_canary_that_is_lost(tmp_path: Path, dovecot: Dovecot, sink: Sink, alarm: Sink) -> None:
    """The sink takes everything and delivers nothing back."""
    canary = '[canary]\nevery = "1s"\nwithin = "2s"'
    with run_desk(tmp_path, dovecot, sink, more=alerts(alarm.port, canary)) as desk:
        alert = wait_for(alarm, 1)
        assert alert["Subject"] == "[Gangguan] Helpdesk BOSP: email percobaan tidak kembali"
        # all of them come after all
        flown = [mail.raw for mail in desk.sent() if mail["X-Mailbot-Canary"]]
        dovecot.append("support", *flown)
        until(lambda: len(alarm.envelopes) == 2 or bool(_bring_back(desk, dovecot, flown)), 60, "the all-clear")
        assert told(alarm)[1]["Subject"] == "[Pulih] Helpdesk BOSP: email percobaan tidak kembali"
        desk.stop(signal.SIGKILL)
        assert "died without reporting why" in checked(desk, "daemon")[0]["found"]
        # while no daemon runs, and with the canary off, those that come are nobody's tickets
        desk.write_config(more=alerts(alarm.port))
        dovecot.append("support", *[mail.raw for mail in desk.sent() if mail["X-Mailbot-Canary"]])
        desk.start()
        desk.inbox_is_empty()
        assert desk.tickets() == [] and not [mail for mail in desk.sent() if mail.kind == "acknowledgement"]
        assert json.loads(desk.cli("quarantine", "list", "--json")) == []


def _bring_back(desk: RunningDesk, dovecot: Dovecot, flown: list[bytes]) -> None:
    """What was sent since the last look."""
    fresh = [mail.raw for mail in desk.sent() if mail["X-Mailbot-Canary"] and mail.raw not in flown]
    flown += fresh
    dovecot.append("support", *fresh)


@pytest.mark.dovecot
@pytest.mark.postfix
def test_a_canary_by_postfix_and_dovecot(
    server_home: Callable[[], Path], tmp_path: Path, dovecot: Dovecot, sink: Sink, alarm: Sink
) -> None:
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Postfix can only be started by root")
    port = free_port()
    more = alerts(alarm.port, f'[canary]\nevery = "2s"\nwithin = "30s"\n[metrics]\nlisten = "127.0.0.1:{port}"')
    with Postfix(server_home(), world_port=sink.port, lmtp_port=dovecot.lmtp_port) as relay:
        submission = Submission(smtp_settings(relay.port))

        def deliver(sender: str, to: str, raw: bytes) -> None:
            assert isinstance(submission.send(sender, to, raw), Accepted)

        with run_desk(tmp_path, dovecot, sink, smtp_port=relay.port, deliver=deliver, more=more) as desk:
            until(lambda: dovecot.count("support", "Mailbot/Processed") >= 2, 60, "two canaries came back")
            desk.write(ACHA, "Di antara burung-burung")
            desk.wait_for(ACHA, "acknowledgement")
            [canary] = checked(desk, "canary")
            assert canary["state"] == "ok" and "the last one came back" in canary["found"]
            figures = fetched(f"http://127.0.0.1:{port}/metrics")
            assert 'mailbot_health{condition="canary"} 0.0' in figures and "mailbot_canary_seconds " in figures
            health = json.loads(fetched(f"http://127.0.0.1:{port}/health"))
            assert health == {"alive": True, "well": True, "conditions": []}
            assert desk.stop() == 0
            desk.start()
            desk.logged("running", times=2)
            before = dovecot.count("support", "Mailbot/Processed")
            until(lambda: dovecot.count("support", "Mailbot/Processed") > before, 60, "it goes on after a restart")
            assert [ticket["subject"] for ticket in desk.tickets()] == ["Di antara burung-burung"]
            assert alarm.envelopes == []
        submission.close()


def fetched(address: str) -> str:
    import urllib.request

    with urllib.request.urlopen(address, timeout=30) as answer:
        return str(answer.read().decode())
