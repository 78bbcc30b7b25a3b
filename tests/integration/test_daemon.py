"""`mailbot run` between a real Dovecot and an SMTP server: its whole life, signals, outages, kills."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import forkserver
from tests.support.dovecot import Dovecot
from tests.support.loopback import until
from tests.support.running_desk import (
    ACHA,
    BUDI,
    SALLY,
    RunningDesk,
)
from tests.support.smtp_sink import Sink

pytestmark = pytest.mark.dovecot


@pytest.fixture
def desk(tmp_path: Path, dovecot: Dovecot, sink: Sink) -> Iterator[RunningDesk]:
    with RunningDesk(tmp_path, dovecot, sink) as running:
        yield running


def test_a_life_with_the_clock_running(tmp_path: Path, dovecot: Dovecot, sink: Sink, store_url: str) -> None:
    with RunningDesk(tmp_path, dovecot, sink, timers=("1s", "2s", "3s"), database_url=store_url) as desk:
        desk.write(ACHA, "Tidak bisa tutup BKU", files=[("bukti.jpg", b"\xff\xd8\xff\xe0 gambar")])
        desk.wait_for(ACHA, "acknowledgement")
        note = desk.wait_for(SALLY, "notification")
        assert note.files == {"bukti.jpg": b"\xff\xd8\xff\xe0 gambar"}
        desk.reply(note, SALLY, "Mohon kirim NPSN.")
        desk.wait_for(ACHA, "answer")
        desk.wait_for(ACHA, "reminder", nth=2)
        closure = desk.wait_for(ACHA, "closure")
        desk.reply(closure, ACHA, "Kendala masih terjadi")
        desk.wait_for(ACHA, "acknowledgement", nth=2)
        assert desk.ticket(12346)["follow_up_of"] == 12345
        assert desk.ticket()["close_reason"] == "no_reply"
        desk.inbox_is_empty()
        assert dovecot.count("support", "Mailbot/Processed") == 3


def test_sigterm_ends_it_well_and_a_second_run_is_refused(desk: RunningDesk) -> None:
    desk.logged("running")
    second = forkserver.shared().run("run", "--config", str(desk.config), timeout=60)
    assert second.returncode == 1 and "already running" in second.stderr
    assert desk.stop() == 0


def test_sighup_takes_up_a_good_configuration_and_refuses_a_bad_one(desk: RunningDesk) -> None:
    desk.logged("running")
    desk.config.write_text(desk.config.read_text().replace("poll_interval", "pol_interval"))
    assert desk.process is not None
    desk.process.send_signal(signal.SIGHUP)
    desk.logged("the old one stays")
    assert "pol_interval" in desk.log()
    desk.write(ACHA, "Masih hidup")
    desk.wait_for(ACHA, "acknowledgement")
    desk.write_config(sally="sari@helpdesk.example")
    desk.process.send_signal(signal.SIGHUP)
    desk.logged("configuration reloaded")
    desk.write("lain@sekolah.example", "Sesudah dimuat ulang")
    desk.wait_for("sari@helpdesk.example", "notification")
    assert desk.stop() == 0


def test_a_restarted_imap_server_is_found_again_and_said_once(desk: RunningDesk, dovecot: Dovecot) -> None:
    desk.write(ACHA, "Sebelum")
    desk.wait_for(ACHA, "acknowledgement")
    dovecot.kill()
    desk.logged("Check that the server runs")
    dovecot.start()
    desk.logged("works again")
    desk.write(ACHA, "Sesudah")
    desk.wait_for(ACHA, "acknowledgement", nth=2, seconds=40)
    complaints = [line for line in desk.log().splitlines() if "connection was refused" in line]
    assert len(complaints) == 1, complaints


def test_without_smtp_nothing_is_lost_and_retry_acts_at_once(tmp_path: Path, dovecot: Dovecot) -> None:
    sink = Sink()
    with RunningDesk(tmp_path, dovecot, sink) as desk:
        desk.write(ACHA, "Server surat keluar mati")
        desk.inbox_is_empty()

        def waiting() -> list[dict[str, object]]:
            return list(json.loads(desk.cli("outbox", "list", "--json")))

        until(lambda: len(waiting()) == 3 and any(row["last_error"] for row in waiting()), 30, "an attempt was made")
        assert "refused" in str([row["last_error"] for row in waiting()])
        with sink:
            desk.cli("outbox", "retry")
            desk.wait_for(ACHA, "acknowledgement", seconds=10)
            desk.wait_for(BUDI, "notification", seconds=10)
            until(lambda: waiting() == [], 10, "the outbox is empty")


def test_kills_lose_and_double_nothing(desk: RunningDesk) -> None:
    for number in range(12):
        desk.write(f"guru{number}@sekolah.example", f"Laporan {number}")
        if number % 3 == 1:
            desk.stop(signal.SIGKILL)
            desk.start()
    for number in range(12):
        desk.wait_for(f"guru{number}@sekolah.example", "acknowledgement", seconds=60)
    desk.inbox_is_empty()
    assert sorted(t["subject"] for t in desk.tickets()) == sorted(f"Laporan {n}" for n in range(12))
    ids: dict[str, bytes] = {}
    for mail in desk.sent():
        assert ids.setdefault(mail["Message-ID"], mail.raw) == mail.raw  # a repeated mail is the same mail


def test_run_once_does_what_waits_and_ends(tmp_path: Path, dovecot: Dovecot, sink: Sink) -> None:
    desk = RunningDesk(tmp_path, dovecot, sink)
    desk.write(ACHA, "Untuk cron")
    desk.cli("run", "--once")
    assert [m.kind for m in desk.to(ACHA)] == ["acknowledgement"] and desk.to(SALLY, "notification")
    assert dovecot.count("support") == 0
    desk.cli("run", "--once")
    assert len(desk.to(ACHA)) == 1


def test_a_reply_that_waited_while_the_desk_was_down_counts_before_any_timer(
    tmp_path: Path, dovecot: Dovecot, sink: Sink
) -> None:
    with RunningDesk(tmp_path, dovecot, sink) as desk:
        desk.write(ACHA, "Laporan")
        desk.reply(desk.wait_for(SALLY, "notification"), SALLY, "Mohon NPSN.")
        answer = desk.wait_for(ACHA, "answer")
        until(lambda: desk.ticket()["next_timer"] is not None, 20, "the timers run")
        desk.stop()
        desk.reply(answer, ACHA, "20512345")
        with contextlib.closing(sqlite3.connect(desk.home / "data" / "mailbot.db")) as database, database:
            database.execute("UPDATE timer SET due_at = '2020-01-01 00:00:00'")  # years have gone by
        desk.start()
        desk.wait_for(SALLY, "notification", nth=2)
        desk.inbox_is_empty()
        assert desk.ticket()["status"] == "in_progress"
        assert not desk.to(ACHA, "reminder") and not desk.to(ACHA, "closure")


def test_commands_beside_a_running_daemon(desk: RunningDesk) -> None:
    desk.write(ACHA, "Lewat terminal")
    desk.wait_for(SALLY, "notification")
    text = desk.home / "jawaban.txt"
    text.write_text("Silakan coba lagi.")
    desk.cli("ticket", "reply", "12345", "--text-file", str(text), "--as", SALLY)
    assert "Silakan coba lagi." in desk.wait_for(ACHA, "answer", seconds=10).text
    desk.cli("ticket", "close", "12345", "--as", SALLY)
    desk.wait_for(ACHA, "closure", seconds=10)
    assert desk.ticket()["close_reason"] == "solved"
