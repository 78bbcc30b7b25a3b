"""An archive through a throw-away desk: threads, the team's answers, timers at simulated times, rubbish."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mailbot.cli.exit_codes import run_to_exit

DESK, ACHA, SALLY = "bantuan@dinas.example", "acha@sekolah.example", "sally@dinas.example"
START = datetime(2024, 3, 4, 3, 0, tzinfo=UTC)  # a Monday, 10:00 WIB
HOUR = timedelta(hours=1)
ROBOT = "Auto-Submitted: auto-replied\r\n"

Replay = Callable[..., dict[str, Any]]


def mail(
    number: int, hours: float, sender: str, subject: str, text: str, *, to: str = DESK, answers: Sequence[int] = (),
    extra: str = "",
) -> bytes:  # fmt: skip
    references = " ".join(f"<m{n}@x.example>" for n in answers)
    thread = f"In-Reply-To: <m{answers[-1]}@x.example>\r\nReferences: {references}\r\n" if answers else ""
    return (
        f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <m{number}@x.example>\r\n{extra}{thread}"
        f"Date: {format_datetime(START + hours * HOUR)}\r\n\r\n{text}\r\n"
    ).encode()


@pytest.fixture
def replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Replay:
    """`mailbot replay` over these mails, in a folder, in this order; the document of --json."""
    for name in [*os.environ]:
        if name.startswith("MAILBOT") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)

    def run(mails: Sequence[bytes], *arguments: str) -> dict[str, Any]:
        folder = tmp_path / "archive"
        folder.mkdir()
        for number, raw in enumerate(mails):
            (folder / f"{number:03}.eml").write_bytes(raw)
        capfd.readouterr()
        code = run_to_exit(["replay", str(folder), "--json", *arguments])
        ended = capfd.readouterr()
        assert code == 0, ended.err
        found: dict[str, Any] = json.loads(ended.out)
        return found

    return run


def outcomes(found: dict[str, Any]) -> list[tuple[str, int | None]]:
    return [(each["outcome"], each["ticket"]) for each in found["mails"]]


def test_replies_find_their_tickets_in_the_order_of_time(replay: Replay) -> None:
    found = replay(
        [
            mail(2, 5, ACHA, "Re: BKU terkunci", "Ini NPSN kami.", answers=[1]),
            mail(1, 0, ACHA, "BKU terkunci", "Tidak bisa tutup BKU."),
            mail(3, 6, "budi@smp.example", "Lupa sandi", "Mohon bantuan."),
        ],
        "--address", DESK,
    )  # fmt: skip
    assert outcomes(found) == [("ticket", 10001), ("reply", 10001), ("ticket", 10002)]
    assert [each["mails"] for each in found["threads"]] == [2, 1]
    assert found["mails"][0]["at"] == "2024-03-04T10:00:00.000+07:00"
    assert {each["kind"]: each["mails"] for each in found["sent"]} == {"acknowledgement": 2, "notification": 3}


@pytest.mark.parametrize("author", [DESK, SALLY])
def test_an_answer_of_the_team_starts_timers_that_come_at_their_own_time(replay: Replay, author: str) -> None:
    found = replay(
        [
            mail(1, 0, ACHA, "BKU terkunci", "Tidak bisa tutup BKU."),
            mail(2, 2, author, "Re: BKU terkunci", "Mohon kirim NPSN.", to=f"{ACHA}, {DESK}", answers=[1]),
            mail(3, 20 * 24, "budi@smp.example", "Lupa sandi", "Mohon bantuan."),
        ],
        "--address", DESK, "--agents", SALLY,
    )  # fmt: skip
    assert outcomes(found) == [("ticket", 10001), ("answer", 10001), ("ticket", 10002)]
    assert [(each["at"][:16], each["what"]) for each in found["timeline"]] == [
        ("2024-03-04T18:00", "reminder"),  # 6, 24 and 48 hours after the answer of 12:00
        ("2024-03-05T12:00", "reminder"),
        ("2024-03-06T12:00", "closed"),
    ]
    assert found["threads"][0]["close_reason"] == "no_reply"
    assert found["clock"] == {"reminders": 2, "closings": 1, "after_the_last_mail": 0}


def test_a_reply_to_what_the_team_had_sent_is_known_by_that_mail_alone(replay: Replay) -> None:
    found = replay(
        [
            mail(1, 0, ACHA, "BKU terkunci", "Tidak bisa tutup BKU."),
            mail(2, 2, DESK, "Re: BKU terkunci", "Mohon kirim NPSN.", to=ACHA, answers=[1]),
            mail(3, 4, ACHA, "NPSN", "20512345", answers=[2]),
        ],
        "--address", DESK,
    )  # fmt: skip
    assert outcomes(found) == [("ticket", 10001), ("answer", 10001), ("reply", 10001)]
    assert found["timeline"] == []
    assert found["tickets"]["open_at_end"] == {"in_progress": 1}


def test_what_is_due_after_the_last_mail_still_happens(replay: Replay) -> None:
    found = replay(
        [
            mail(1, 0, ACHA, "BKU", "Tidak bisa."),
            mail(2, 1, DESK, "Re: BKU", "Mohon kirim NPSN.", to=ACHA, answers=[1]),
        ],
        "--address", DESK,
    )  # fmt: skip
    assert found["clock"] == {"reminders": 2, "closings": 1, "after_the_last_mail": 3}


def test_machines_twins_and_the_desks_own_mail_open_nothing(replay: Replay) -> None:
    twin = mail(1, 0, ACHA, "BKU terkunci", "Tidak bisa tutup BKU.")
    found = replay(
        [
            twin,
            twin,
            mail(2, 1, DESK, "Terima kasih", "Sudah kami terima.", to=ACHA, answers=[1], extra=ROBOT),
            mail(3, 2, ACHA, "Re: BKU terkunci", "Saya sedang cuti.", answers=[1], extra=ROBOT),
            mail(4, 3, "news@toko.example", "Promo", "Beli!", extra=ROBOT),
        ],
        "--address", DESK,
    )  # fmt: skip
    assert [name for name, _ in outcomes(found)] == ["ticket", "duplicate", "loop", "auto_reply", "quarantined"]
    assert found["tickets"]["opened"] == 1
    assert found["quarantine"] == [
        {"reason": "automatic mail that belongs to no ticket", "mails": 1, "places": [found["mails"][4]["place"]]}
    ]


def test_nothing_in_an_archive_stops_it(replay: Replay) -> None:
    rubbish = [b"\x00" * 300, b"no header at all", b"From: \xff\xfe\r\nDate: never\r\n\r\n", bytes(range(256)) * 8]
    found = replay([*rubbish, mail(1, 0, ACHA, "BKU", "Tidak bisa."), b"Date: Mon, 1 Jan 2299 00:00:00 +0000\n\nhi\n"])
    assert found["archive"]["mails"] == 6
    assert sum(found["outcomes"].values()) == 6
    assert found["archive"]["undated"] == 5
    assert found["outcomes"]["ticket"] == 1


def test_the_desks_address_is_guessed_from_the_mails(replay: Replay) -> None:
    mails = [mail(n, n, f"g{n}@sekolah.example", f"Kendala {n}", "Mohon bantuan.") for n in range(5)]
    found = replay(mails)
    assert found["archive"]["desk"] == DESK
    assert found["tickets"]["opened"] == 5


def test_automatic_mail_past_the_limit_is_counted_as_suppressed(replay: Replay) -> None:
    mails = [mail(n, n / 100, ACHA, f"Kendala {n}", f"Nomor {n}") for n in range(25)]
    found = replay(mails, "--address", DESK)
    assert found["suppressed"] == 5
    assert {each["kind"]: each["mails"] for each in found["sent"]}["acknowledgement"] == 20


class Page(HTMLParser):
    """Collects what a page would load, and whether its elements are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]
        self.scripts += tag == "script"
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("rect", "line"), tag

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_loads_nothing_and_escapes_what_mail_says(replay: Replay, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    replay(
        [
            mail(1, 0, ACHA, "<script>alert(1)</script> & <img src=http://evil.example/x>", "Tidak bisa."),
            mail(2, 1, DESK, "Re: x", "Mohon kirim NPSN.", to=ACHA, answers=[1]),
            mail(3, 3, "news@toko.example", "</table><b>", "Beli!", extra=ROBOT),
        ],
        "--address", DESK, "--html", str(target),
    )  # fmt: skip
    text = target.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert (page.loads, page.scripts, page.open) == ([], 0, [])
    assert text.count("<svg") == 6
    assert "&lt;script&gt;alert(1)" in text
    assert "prefers-color-scheme:dark" in text


def test_the_table_is_for_people(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    box = tmp_path / "2024.mbox"
    box.write_bytes(
        b"".join(
            b"From x Mon Mar  4 10:00:00 2024\n" + mail(n, n, f"g{n}@s.example", f"Kendala {n}", "x") + b"\n"
            for n in range(3)
        )
    )
    assert run_to_exit(["replay", str(box), "--config", str(_config(tmp_path))]) == 0
    ended = capfd.readouterr()
    assert "tickets" in ended.out
    assert "3 mails in" in ended.err
    assert not (tmp_path / "data").exists()  # the desk in service is not touched


@pytest.mark.parametrize(
    ("arguments", "words"), [(["-"], "read twice"), (["--address", "x", "."], "no e-mail address")]
)
def test_what_can_not_be_replayed_is_said(
    arguments: list[str], words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.eml").write_bytes(b"Subject: x\n\nx\n")
    monkeypatch.chdir(tmp_path)
    assert run_to_exit(["replay", *arguments]) == 2
    assert words in capfd.readouterr().err


def _config(folder: Path) -> Path:
    path = folder / "config.toml"
    path.write_text(f'[helpdesk]\naddress = "{DESK}"\n[storage]\ndata_dir = "data"\n[imap]\nsecurity = "none"\n')
    return path
