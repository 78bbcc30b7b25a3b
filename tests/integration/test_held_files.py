"""Files that go no further, over the whole path: what people see, with a virus scanner and without."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailbot.desk.inbound.attachment_screening import AttachmentScreening
from mailbot.mail.attachments.policy import Refusals
from mailbot.ticket.command_parser import Fault
from mailbot.transport.clamd import (
    Clean,
    Infected,
    Unscanned,
    Verdict,
)
from tests.support import forkserver
from tests.support.archive_files import deflated_zip
from tests.support.clamd import (
    EICAR,
    SIGNATURE,
    RealClamd,
)
from tests.support.outgoing import inspect
from tests.support.people import (
    ACHA,
    ADDRESS,
    BUDI,
    SALLY,
    TryDesk,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
APK = ("undangan.apk", b"PK\x03\x04" + bytes(40))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TryDesk]:
    opened = TryDesk(tmp_path)
    yield opened
    opened.close()


def test_a_program_is_held_its_words_count_and_everybody_is_told(desk: TryDesk) -> None:
    desk.opened(text="Ini undangannya.", files=[APK, ("layar.png", PNG), ("arsip.zip", deflated_zip({"a/x.js": b"x"}))])
    told = desk.last(SALLY, "notification")
    inspect(told)
    assert list(told.files) == ["layar.png"]
    assert "Ini undangannya." in told.text
    assert "- undangan.apk: program atau aplikasi" in told.text
    assert "- arsip.zip (a/x.js): skrip yang dapat dijalankan" in told.text
    assert "mailbot ticket files 12345" in told.text
    acknowledgement = desk.last(ACHA, "acknowledgement")
    assert "tidak kami teruskan ke petugas" in acknowledgement.text
    assert "undangan" not in acknowledgement.text  # no strangers' text in automatic mail
    listed = desk.ticket()["messages"][0]["attachments"]
    assert [(f["name"], f.get("held")) for f in listed] == [
        ("layar.png", None), ("undangan.apk", "programs"), ("arsip.zip", "scripts"),
    ]  # fmt: skip


def test_an_acknowledgement_without_held_files_says_nothing_of_them(desk: TryDesk) -> None:
    desk.opened(files=[("layar.png", PNG)])
    assert "tidak kami teruskan" not in desk.last(ACHA, "acknowledgement").text
    assert "Ditahan" not in desk.last(SALLY, "notification").text


def test_an_agents_program_stops_the_whole_mail(desk: TryDesk) -> None:
    desk.opened()
    desk.reply(desk.last(SALLY, "notification"), SALLY, "#selesai\nSilakan pasang ini.", files=[APK])
    assert not desk.to(ACHA, "answer")
    assert not desk.to(ACHA, "closure")
    assert desk.ticket()["status"] == "queued"
    refusal = desk.last(SALLY, "notice")
    assert "undangan.apk" in refusal.text
    assert "tidak diteruskan oleh helpdesk" in refusal.text
    desk.reply(
        desk.last(SALLY, "notification"), SALLY, "#selesai\nSilakan unduh di situs resmi.", files=[("p.png", PNG)]
    )
    assert list(desk.last(ACHA, "closure").files) == ["p.png"]


def test_a_forwarded_report_with_a_program_opens_its_ticket_without_it(tmp_path: Path) -> None:
    desk = TryDesk(tmp_path, agent_mail={"trust": "dmarc"}, inbound={"trusted_authserv_ids": ["mx.helpdesk.example"]})
    head = f"Dari: Acha <{ACHA}>\nDate: Sen, 3 Nov 2025\nSubject: Tolong\nTo: x"
    body = f"---------- Forwarded message ---------\n{head}\n\nIsi."
    proof = {"Authentication-Results": "mx.helpdesk.example; dmarc=pass header.from=helpdesk.example"}
    done = desk.write(SALLY, "Fwd: Tolong", body, files=[APK], headers=proof)
    assert done.ticket is not None
    assert desk.ticket(done.ticket)["requester"]["email"] == ACHA
    assert not desk.last(BUDI, "notification").files
    assert "undangan.apk" in desk.last(BUDI, "notification").text
    desk.close()


def test_the_admin_decides_what_is_refused(tmp_path: Path) -> None:
    desk = TryDesk(tmp_path, attachments={"refuse": ["programs", ".sql"], "allow": [".apk"]})
    desk.opened(files=[APK, ("data.sql", b"x"), ("surat.js", b"y"), ("a.exe", b"z")])
    assert list(desk.last(SALLY, "notification").files) == ["undangan.apk", "surat.js"]
    desk.close()


def test_an_admin_takes_files_out(desk: TryDesk, tmp_path: Path) -> None:
    desk.opened(files=[APK, ("layar.png", PNG), ("layar.png", PNG + b"2")])
    config = tmp_path / "mailbot.toml"
    config.write_text(f'[storage]\ndata_dir = "{tmp_path}"\n[helpdesk]\naddress = "{ADDRESS}"\n', encoding="utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return forkserver.shared().run("--config", str(config), "ticket", "files", *arguments)

    listed = run("12345")
    assert listed.returncode == 0, listed.stderr
    assert "undangan.apk" in listed.stdout
    assert "programs" in listed.stdout
    out = tmp_path / "berkas"
    written = run("12345", "--to", str(out))
    assert written.returncode == 0, written.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        "undangan.apk.held": APK[1], "layar.png": PNG, "2-layar.png": PNG + b"2",
    }  # fmt: skip
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in out.iterdir())
    assert run("999").returncode == 1


# A virus scanner


class Scanner:
    """Plays clamd: says what it is told to, and remembers what it was asked."""

    address = "scripted"

    def __init__(self) -> None:
        self.says: Verdict = Clean()
        self.asked: list[bytes] = []

    def scan(self, content: bytes) -> Verdict:
        self.asked.append(content)
        return self.says

    def version(self) -> str | Unscanned:
        return "ClamAV 1"


def with_scanner(desk: TryDesk, down: Any = "hold") -> Scanner:
    scanner = Scanner()
    desk.desk.helpdesk._screening = AttachmentScreening(Refusals(), desk.clock, scanner, down)
    return scanner


def test_a_virus_quarantines_the_mail_with_its_name(desk: TryDesk) -> None:
    scanner = with_scanner(desk)
    desk.opened()
    assert scanner.asked == []  # words alone are not scanned
    desk.answered()
    scanner.says = Infected("Win.Test.Evil-1")
    done = desk.reply(desk.last(ACHA), ACHA, "Ini berkasnya.", files=[("a.doc", b"x")])
    assert done.outcome == "quarantined"
    assert "Win.Test.Evil-1" in done.reason
    assert desk.ticket()["status"] == "in_progress"  # its sender is evidence enough: the timers stop
    [held] = desk.quarantine()
    assert "Win.Test.Evil-1" in str(held.as_json())
    # an admin lets the words in: the file stays out
    desk.desk.helpdesk.release([held.id])
    desk.deliver()
    told = desk.last(SALLY, "notification")
    assert "Ini berkasnya." in told.text
    assert not told.files
    assert "- a.doc: virus ditemukan" in told.text


def test_while_the_scanner_is_gone_files_are_held_and_words_go_on(
    desk: TryDesk, caplog: pytest.LogCaptureFixture
) -> None:
    scanner = with_scanner(desk)
    scanner.says = Unscanned("no answer within 30 s")
    desk.opened(text="Lihat gambar.", files=[("layar.png", PNG)])
    told = desk.last(SALLY, "notification")
    assert "Lihat gambar." in told.text
    assert not told.files
    assert "- layar.png: belum dipindai" in told.text
    assert (
        "clamd does not answer since 2025-11-03 03:00 UTC: files are held back" in desk.desk.helpdesk.screening.failure
    )
    desk.reply(told, SALLY, "Ini panduannya.", files=[("p.png", PNG)])
    assert not desk.to(ACHA, "answer")
    assert "pemindai virus" in desk.last(SALLY, "notice").text
    assert [r.message for r in caplog.records if "clamd" in r.message] == [
        "clamd at scripted: no answer within 30 s; files are held back meanwhile"
    ]
    scanner.says = Clean()
    desk.reply(told, SALLY, "Ini panduannya.", files=[("p.png", PNG)])
    assert list(desk.last(ACHA, "answer").files) == ["p.png"]
    assert desk.desk.helpdesk.screening.failure == ""


def test_the_admin_may_let_files_pass_while_the_scanner_is_gone(desk: TryDesk) -> None:
    with_scanner(desk, "pass").says = Unscanned("gone")
    desk.opened(files=[("layar.png", PNG), APK])
    told = desk.last(SALLY, "notification")
    assert list(told.files) == ["layar.png"]
    assert "undangan.apk" in told.text


def test_too_large_to_scan_is_held_without_an_outage(desk: TryDesk) -> None:
    with_scanner(desk).says = Unscanned("larger than clamd's StreamMaxLength", down=False)
    desk.opened(files=[("video.mp4", b"x" * 50)])
    assert not desk.last(SALLY, "notification").files
    assert desk.desk.helpdesk.screening.failure == ""


def test_a_mail_that_waited_for_confirmation_is_not_passed_on_unscanned(desk: TryDesk) -> None:
    scanner = with_scanner(desk)
    desk.opened()
    scanner.says = Unscanned("gone")
    desk.write(SALLY, "Re: #12345 - Tidak bisa tutup BKU", "Jawaban.", files=[("p.png", PNG)])
    asked = desk.last(SALLY, "notice")
    scanner.says = Clean()
    desk.reply(asked, SALLY, "ya")
    assert not any(sent.files for sent in desk.sent)


@pytest.mark.clamav
def test_the_whole_path_with_a_real_scanner(tmp_path: Path, server_home: Callable[[], Path]) -> None:
    clamd = RealClamd(server_home())
    with clamd:
        desk = TryDesk(tmp_path, attachments={"clamd": clamd.unix, "clamd_timeout": "20s"})
        desk.opened(files=[("layar.png", PNG)])
        assert list(desk.last(SALLY, "notification").files) == ["layar.png"]
        done = desk.write(ACHA, "Virus", "Ini.", files=[("surat.zip", deflated_zip({"surat.txt": EICAR}))])
        assert done.outcome == "quarantined"
        assert SIGNATURE in done.reason
        clamd.stop()
        desk.write(ACHA, "Lagi", "Ini lagi.", files=[("layar.png", PNG)])
        assert "belum dipindai" in desk.last(SALLY, "notification").text
        assert desk.desk.helpdesk.screening.failure
        clamd.start()
        desk.write(ACHA, "Sekali lagi", "Ini lagi.", files=[("layar.png", PNG)])
        assert list(desk.last(SALLY, "notification").files) == ["layar.png"]
        assert desk.desk.helpdesk.screening.failure == ""
        desk.close()


def test_every_fault_of_a_file_has_words() -> None:
    from mailbot.vocabulary.labels import COMMAND_ERRORS

    assert {Fault.REFUSED_FILE, Fault.INFECTED_FILE, Fault.UNSCANNED_FILE, Fault.OWN_MAIL} <= set(COMMAND_ERRORS)


def test_the_same_content_under_a_harmless_name_is_held_too(desk: TryDesk) -> None:
    desk.opened(files=[("foto.txt", b"sama"), ("foto.js", b"sama")])
    assert not desk.last(SALLY, "notification").files
