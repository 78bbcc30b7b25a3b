"""The watch over a desk with a clock that the test moves: what is told, by which way, in which words, and how often.

Real: desk, database, judgement, record, the SMTP server for alerts, the command. The loops' pulses and the size of the
disk are the test's. Whole daemons are in test_silence.py.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mailbot.mail.classify.rules import classify
from mailbot.mail.message import Kind
from mailbot.mail.mime.parser import parse_message
from mailbot.monitoring import health_file
from mailbot.monitoring.probes import Probes
from mailbot.monitoring.watcher import Watcher
from mailbot.runtime.clock import Clock
from mailbot.runtime.status import Heartbeat
from mailbot.transport.smtp.submission import Deferred
from tests.support.clamd import plays_clamd
from tests.support.people import (
    ACHA,
    ADDRESS,
    Sent,
    TryDesk,
)
from tests.support.scripted import Scripted
from tests.support.smtp_sink import Sink

ADMIN, BOSS = "admin@kota.example", "kepala@kota.example"
REFUSED = "IMAP 127.0.0.1:993: connecting: the connection was refused. Check that the server runs."


class Loop:
    """A loop as the watch sees it; it works until the test says how it fails."""

    name = ""

    def __init__(self, title: str, clock: Clock) -> None:
        self.title = title
        self.heartbeat, self.database = Heartbeat(clock), Heartbeat(clock)
        self.alive_at = float("inf")
        self.fails_with, self.credentials = "", False

    def turn(self) -> None:
        if self.fails_with:
            self.heartbeat.fails(self.fails_with, credentials=self.credentials)
        else:
            self.heartbeat.works()


@dataclass
class Disk:
    """What statvfs says: 4096-byte blocks."""

    f_bavail: int = 10**7
    f_favail: int = 10**6
    f_frsize: int = 4096
    f_files: int = 10**7


@dataclass
class Watched:
    """A desk, its watch, and minutes that go by."""

    folder: Path
    sink: Sink
    tables: dict[str, Any] = field(default_factory=dict)
    disk: Disk = field(default_factory=Disk)

    def __post_init__(self) -> None:
        alerts = {"addresses": [ADMIN], "host": "127.0.0.1", "port": self.sink.port, "security": "none"}
        self.desk = TryDesk(self.folder, alerts=alerts | self.tables.pop("alerts", {}), **self.tables)
        self.inbox, self.outbox = Loop("inbox", self.desk.clock), Loop("outbox", self.desk.clock)
        self.start()

    def start(self) -> None:
        """The daemon starts (again)."""
        desk = self.desk.desk
        self.probes = Probes(desk.store, desk.clock, [self.folder], statvfs=lambda folder: self.disk)
        ids = iter(range(10**6))
        self.watch = Watcher(desk, probes=self.probes, new_id=lambda: f"x{next(ids)}{self.desk.clock.now():%H%M%S}")
        self.watch.observe([self.inbox], self.outbox)

    def goes_on(self, minutes: int, step: int = 1) -> list[str]:
        """So many minutes, a look every `step`; the subjects of what the alert server got meanwhile."""
        before = len(self.sink.envelopes)
        for _ in range(0, minutes, step):
            self.desk.clock.advance(timedelta(minutes=step))
            self.inbox.turn()
            self.outbox.turn()
            self.probes.run()
            self.watch.judge()
            self.watch.notify()
        return [mail["Subject"] for mail in self.mails()[before:]]

    def mails(self) -> list[Sent]:
        return [
            Sent(e.mail_from or "", e.rcpt_tos[0], bytes(e.original_content or b"")) for e in list(self.sink.envelopes)
        ]


@pytest.fixture
def watched(tmp_path: Path, sink: Sink) -> Iterator[Watched]:
    made = Watched(tmp_path, sink)
    yield made
    made.desk.close()


def test_a_dead_inbox_is_told_once_by_the_second_way_over_restarts_and_then_the_all_clear(watched: Watched) -> None:
    watched.desk.opened(deliver=False)
    assert watched.goes_on(5) == []
    watched.inbox.fails_with = REFUSED
    assert watched.goes_on(15) == []
    assert watched.goes_on(3) == ["[Gangguan] Helpdesk BOSP: email masuk tidak terbaca"]
    watched.desk.deliver()
    for _ in range(3):
        watched.start()
        assert watched.goes_on(60, step=5) == []
    watched.inbox.fails_with = ""
    assert watched.goes_on(10) == ["[Pulih] Helpdesk BOSP: email masuk tidak terbaca"]
    assert watched.goes_on(60) == []
    alert = watched.mails()[0]
    assert (alert.recipient, alert.envelope_from) == (ADMIN, ADDRESS)
    assert (alert["Auto-Submitted"], alert["X-Auto-Response-Suppress"], alert.kind) == (
        "auto-generated",
        "All",
        "notice",
    )
    assert alert["Reply-To"] == "" and alert["X-Mailbot-Ticket"] == ""
    assert "sejak Senin, 3 November 2025 pukul 10:06 WIB" in alert.text
    assert REFUSED in alert.text and "Periksa server IMAP" in alert.text
    assert "Email keluar yang menunggu: 3" in alert.text and "mailbot check" in alert.text
    assert not [mail for mail in watched.desk.sent if mail.recipient == ADMIN]  # nothing by the desk's own way


def test_an_alert_that_comes_back_is_a_loop(watched: Watched) -> None:
    watched.inbox.fails_with = REFUSED
    watched.goes_on(20)
    back = b"Received: from x by y; Mon, 3 Nov 2025 10:00:00 +0700\r\n" + watched.mails()[0].raw
    own = watched.desk.desk.helpdesk
    assert classify(parse_message(back.replace(ADDRESS.encode(), b"alarm@kota.example")), own._own).kind is Kind.LOOP
    assert own.ingest(back).ticket is None and watched.desk.numbers() == []


def test_a_refused_token_asks_for_consent_and_a_dead_network_does_not(tmp_path: Path, sink: Sink) -> None:
    imap = {"auth": "xoauth2", "username": "a@b.example", "token_file": str(tmp_path / "token"), "host": "127.0.0.1"}
    watched = Watched(tmp_path, sink, {"imap": imap, "helpdesk": {"language": "en"}})
    watched.inbox.fails_with, watched.inbox.credentials = "IMAP x: the consent has ended.", True
    assert watched.goes_on(20) == ["[Trouble] Helpdesk BOSP: the IMAP server refuses the log-in"]
    text = watched.mails()[0].text
    assert "consent again" in text and "[imap] token_file" in text and "no fault of the network" in text
    # the network goes as well: that is news, and the token is not called mended
    watched.inbox.fails_with, watched.inbox.credentials = REFUSED, False
    assert watched.goes_on(20) == ["[Trouble] Helpdesk BOSP: incoming mail is not read"]
    watched.inbox.fails_with = ""
    assert watched.goes_on(10) == ["[Mended] Helpdesk BOSP: incoming mail is not read (+1)"]
    assert "MENDED: the IMAP server refuses the log-in" in watched.mails()[2].text
    watched.desk.close()


def test_an_outbox_that_grows_old(watched: Watched) -> None:
    watched.desk.verdict = lambda mail: Deferred(451, "4.3.0 no room", server_gone=False)
    watched.outbox.turn()
    watched.desk.opened()  # its mail is tried, and stays
    watched.outbox.turn = lambda: None  # type: ignore[method-assign]
    said = []
    for _ in range(12):
        said += watched.goes_on(8)
        watched.desk.deliver()
    assert said == ["[Gangguan] Helpdesk BOSP: email keluar menumpuk"]
    assert "3 email menunggu" in watched.mails()[0].text and "mailbot outbox list" in watched.mails()[0].text


def test_the_disk_at_the_border(watched: Watched) -> None:
    watched.disk.f_bavail = 500_000_000 // 4096 + 1
    assert watched.goes_on(30) == []
    watched.disk.f_bavail = 500_000_000 // 4096
    assert watched.goes_on(30) == ["[Gangguan] Helpdesk BOSP: ruang disk hampir habis"]
    # the worse it gets, the sooner somebody hears of it
    watched.disk.f_bavail = 90_000_000 // 4096
    assert watched.goes_on(2) == ["[Gangguan] Helpdesk BOSP: ruang disk hampir habis"]
    assert "90 MB" in watched.mails()[1].text
    watched.disk.f_bavail, watched.disk.f_favail = 10**7, 999
    assert watched.goes_on(30) == []
    assert [entry["found"] for entry in watched.watch.as_json()] == [
        f"Only 999 inodes (number of files) are left in {watched.folder}."
    ]
    watched.disk.f_files = 0  # a file system that does not count them
    assert watched.goes_on(10) == ["[Pulih] Helpdesk BOSP: ruang disk hampir habis"]


def test_a_loop_that_hangs_is_told_at_once(watched: Watched) -> None:
    watched.goes_on(1)
    watched.outbox.alive_at = -(10**6)
    assert watched.goes_on(1) == ["[Gangguan] Helpdesk BOSP: mailbot tidak bergerak"]
    assert "outbox" in watched.mails()[0].text


def test_a_database_that_is_gone_is_still_told(watched: Watched) -> None:
    watched.goes_on(1)
    path = watched.desk.desk.store.path
    assert path is not None
    watched.desk.desk.store.close()
    path.rename(path.with_suffix(".gone"))
    assert watched.goes_on(20) == ["[Gangguan] Helpdesk BOSP: basis data tidak dapat dipakai"]
    assert "tidak dapat dihitung" in watched.mails()[0].text
    path.with_suffix(".gone").rename(path)
    watched.goes_on(10)
    assert watched.watch.judgement.conditions == ()


def test_much_quarantine(tmp_path: Path, sink: Sink) -> None:
    watched = Watched(tmp_path, sink, {"alerts": {"quarantine": 2}})
    watched.desk.write(ACHA, "Satu", "")
    with watched.desk.desk.store.writing() as connection:
        connection.exec_driver_sql("UPDATE inbound SET state = 'quarantined'")
    assert watched.goes_on(20) == []
    watched.desk.write(ACHA, "Dua", "")
    with watched.desk.desk.store.writing() as connection:
        connection.exec_driver_sql("UPDATE inbound SET state = 'quarantined'")
    assert watched.goes_on(20) == ["[Gangguan] Helpdesk BOSP: banyak email masuk karantina"]
    # a day later they are old, and whoever wants to looks at them
    assert watched.goes_on(24 * 60, step=20) == ["[Pulih] Helpdesk BOSP: banyak email masuk karantina"]
    watched.desk.close()


def test_an_alert_that_cannot_be_sent_is_tried_again_and_each_address_for_itself(
    tmp_path: Path, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(tmp_path, sink, {"alerts": {"addresses": [ADMIN, BOSS]}})
    sink.replies["rcpt"] = {BOSS: "451 later"}
    watched.inbox.fails_with = REFUSED
    assert len(watched.goes_on(40)) == 1
    refused = [entry.getMessage() for entry in caplog.records if "alert by" in entry.getMessage()]
    assert refused == [f"alert by mail:{BOSS}: 451 later It is tried again."]
    sink.replies["rcpt"] = {}
    assert len(watched.goes_on(30)) == 1
    assert [mail.recipient for mail in watched.mails()] == [ADMIN, BOSS]
    watched.desk.close()


SCRIPT = """
import json, os, sys
out = {name: value for name, value in os.environ.items() if name.startswith(("MAILBOT_", "NOTIFY_", "CRED"))}
with open(sys.argv[1], "a") as file:
    file.write(json.dumps({"env": out, "stdin": sys.stdin.read(), "argv": sys.argv[2:]}) + "\\n")
sys.exit(int(open(sys.argv[1] + ".exit").read()))
"""


def commanded(folder: Path, sink: Sink, arguments: Sequence[str] = ()) -> tuple[Watched, Path]:
    script, out = folder / "page it.py", folder / "calls"
    script.write_text(SCRIPT)
    (folder / "calls.exit").write_text("0")
    command = f"{sys.executable} '{script}' {out} {' '.join(arguments)}"
    return Watched(folder, sink, {"alerts": {"addresses": [], "command": command}}), out


def test_the_command_gets_the_alert_without_a_shell_and_without_secrets(
    tmp_path: Path, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILBOT_IMAP__PASSWORD", "rahasia")
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/x")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials")
    watched, out = commanded(tmp_path, sink, ["'$(touch", f"{tmp_path}/hacked)'", "--team", "it"])
    watched.inbox.fails_with = REFUSED
    assert watched.goes_on(30) == []
    [call] = [json.loads(line) for line in out.read_text().splitlines()]
    assert call["argv"] == [f"$(touch {tmp_path}/hacked)", "--team", "it"] and not (tmp_path / "hacked").exists()
    assert call["env"] == {
        "MAILBOT_ALERT_STATE": "new",
        "MAILBOT_ALERT_SEVERITY": "critical",
        "MAILBOT_ALERT_CONDITIONS": "inbox",
        "MAILBOT_ALERT_SINCE": "2025-11-03T03:01:00+00:00",
        "MAILBOT_ALERT_SUBJECT": "[Gangguan] Helpdesk BOSP: email masuk tidak terbaca",
        "MAILBOT_ALERT_DESK": ADDRESS,
    }
    assert (
        call["stdin"].startswith("[Gangguan] Helpdesk BOSP: email masuk tidak terbaca\n\n") and REFUSED in call["stdin"]
    )
    assert os.environ["MAILBOT_IMAP__PASSWORD"] == "rahasia"
    watched.inbox.fails_with = ""
    watched.goes_on(30)
    states = [json.loads(line)["env"]["MAILBOT_ALERT_STATE"] for line in out.read_text().splitlines()]
    assert states == ["new", "over"]
    watched.desk.close()


def test_a_command_that_fails_is_run_again(tmp_path: Path, sink: Sink, caplog: pytest.LogCaptureFixture) -> None:
    watched, out = commanded(tmp_path, sink)
    (tmp_path / "calls.exit").write_text("3")
    watched.inbox.fails_with = REFUSED
    watched.goes_on(20)
    assert "alerts.command ended with 3" in caplog.text
    (tmp_path / "calls.exit").write_text("0")
    watched.goes_on(40)
    calls = len(out.read_text().splitlines())
    assert calls >= 2
    watched.goes_on(40)
    assert len(out.read_text().splitlines()) == calls
    watched.desk.close()


def test_a_virus_scanner_that_is_gone_is_told_though_no_file_comes(tmp_path: Path, sink: Sink) -> None:
    with Scripted(plays_clamd) as clamd:
        watched = Watched(tmp_path, sink, {"attachments": {"clamd": f"127.0.0.1:{clamd.port}", "clamd_timeout": "5s"}})
    screening = watched.desk.desk.helpdesk.screening
    screening.probe()  # what the watch does every minute; the port is closed
    assert watched.goes_on(20) == ["[Gangguan] Helpdesk BOSP: pemindai virus tidak menjawab"]
    told = watched.mails()[-1].text
    assert f"clamd at 127.0.0.1:{clamd.port}: Connection refused; files are held back meanwhile" in told
    assert [condition.name for condition in watched.watch.judgement.conditions] == ["scanner"]
    with Scripted(plays_clamd) as again:
        watched.desk.desk.helpdesk.screening._scanner.address = f"127.0.0.1:{again.port}"  # type: ignore[union-attr]
        screening.probe()
    assert watched.goes_on(10) == ["[Pulih] Helpdesk BOSP: pemindai virus tidak menjawab"]
    watched.desk.close()


def test_very_much_automatic_mail_is_told_and_named(tmp_path: Path, sink: Sink) -> None:
    watched = Watched(tmp_path, sink, {"alerts": {"automatic": 120}})
    for count in range(119):
        watched.desk.opened(f"guru{count}@gmail.com", "Dapodik tidak bisa dibuka")
    assert watched.goes_on(20) == []
    watched.desk.opened("kepala@sd1.sch.id", "Lain")
    watched.goes_on(1)
    [condition] = [c for c in watched.watch.judgement.conditions if c.name == "automatic"]
    assert dict(condition.values) == {"count": 120, "alike": "“Dapodik tidak bisa dibuka” 119/120, @gmail.com 119/120"}
    told = watched.goes_on(17)
    assert told == ["[Gangguan] Helpdesk BOSP: banyak sekali email otomatis"]
    assert "menulis 120 email otomatis" in watched.mails()[-1].text and "guru1@" not in watched.mails()[-1].text
    assert watched.goes_on(60) == ["[Pulih] Helpdesk BOSP: banyak sekali email otomatis"]
    watched.desk.close()


def test_what_mailbot_check_reads(watched: Watched) -> None:
    watched.goes_on(1)
    found = health_file.read(watched.folder)
    assert found is not None and found.running and found.conditions == () and found.pid == os.getpid()
    assert (watched.folder / health_file.FILE).stat().st_mode & 0o777 == 0o600
    watched.inbox.fails_with = REFUSED
    watched.goes_on(1)
    found = health_file.read(watched.folder)
    assert found is not None
    [entry] = found.conditions
    assert (entry["name"], entry["severity"], entry["since"]) == ("inbox", "critical", "2025-11-03T03:02:00+00:00")
    assert watched.watch.status() == "incoming mail is not read since 2025-11-03 10:02"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b'{"at": 3}', b"\xff\xfe", b'{"episodes": 7}'])
def test_a_damaged_record_does_no_harm(watched: Watched, damage: bytes) -> None:
    (watched.folder / health_file.FILE).write_bytes(damage)
    watched.start()
    watched.inbox.fails_with = REFUSED
    assert len(watched.goes_on(20)) == 1


def test_a_record_of_another_version_does_no_harm(watched: Watched) -> None:
    watched.goes_on(1)
    text = (watched.folder / health_file.FILE).read_text()
    (watched.folder / health_file.FILE).write_text(text.replace('"episodes": []', '"episodes": [{"name": "x"}]'))
    watched.start()
    assert watched.goes_on(20) == []


def test_a_record_that_cannot_be_written_costs_no_alert(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.goes_on(1)
    (watched.folder / health_file.FILE).unlink()
    (watched.folder / health_file.FILE).mkdir()
    watched.inbox.fails_with = REFUSED
    assert len(watched.goes_on(60)) == 1
    assert caplog.text.count("can't be written") == 1
