"""The form and the status page, as a browser uses them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mailbot.mail.reply_token import Purpose
from mailbot.web.pages import make_app, masked
from tests.support.people import (
    ACHA,
    SALLY,
    TryDesk,
)

FILLED = {"email": ACHA, "program": "BOS Reguler", "perihal": "Tidak bisa tutup BKU", "detail": "BKU Oktober macet."}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TryDesk]:
    desk = TryDesk(tmp_path, helpdesk={"status_page": "https://bantuan.example/status"})
    yield desk
    desk.close()


@pytest.fixture
def browser(desk: TryDesk) -> Iterator[TestClient]:
    with TestClient(make_app(desk.desk), base_url="http://bantuan.example") as client:
        yield client


def test_a_report_of_the_form_is_a_ticket_like_any_other(desk: TryDesk, browser: TestClient) -> None:
    files = [("lampiran", ("bukti.png", b"\x89PNG\r\n\x1a\n gambar", "image/png"))]
    answer = browser.post("/", data=FILLED, files=files)
    assert answer.status_code == 200 and "Laporan diterima" in answer.text
    desk.deliver()
    shown = desk.ticket()
    assert (shown["requester"]["email"], shown["subject"], shown["program"]) == (ACHA, FILLED["perihal"], "BOS Reguler")
    report = shown["messages"][0]
    assert (report["kind"], report["text"]) == ("report", "BKU Oktober macet.")
    assert [a["name"] for a in report["attachments"]] == ["bukti.png"]
    assert "12345" in desk.last(ACHA, "acknowledgement").text and desk.to(SALLY, "notification")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"email": "acha"}, "Alamat email belum benar"),
        ({"email": SALLY}, "Alamat email belum benar"),
        ({"email": "support@helpdesk.example"}, "Alamat email belum benar"),
        ({"perihal": " "}, "Perihal belum diisi"),
        ({"detail": ""}, "Detail Permasalahan belum diisi"),
    ],
)
def test_what_can_not_be_taken_is_said_and_nothing_typed_is_lost(
    desk: TryDesk, browser: TestClient, changed: dict[str, str], words: str
) -> None:
    answer = browser.post("/", data=FILLED | changed)
    assert answer.status_code == 400 and words in answer.text and "BOS Reguler" in answer.text
    assert desk.numbers() == []


def test_script_in_the_form_is_shown_as_text(browser: TestClient) -> None:
    answer = browser.post("/", data=FILLED | {"email": "x", "perihal": '"><script>alert(1)</script>'})
    assert "<script>" not in answer.text


def test_line_breaks_make_no_header(desk: TryDesk, browser: TestClient) -> None:
    browser.post("/", data=FILLED | {"perihal": "Satu\r\nBcc: korban@x.id", "program": "A\nB: c"})
    desk.deliver()
    assert {m.recipient for m in desk.sent} == {ACHA, SALLY, "budi@helpdesk.example"}


def test_another_sites_form_and_a_machine_are_not_taken(desk: TryDesk, browser: TestClient) -> None:
    assert browser.post("/", data=FILLED, headers={"origin": "https://evil.example"}).status_code == 403
    assert browser.post("/", data=FILLED | {"situs": "http://spam.example"}).status_code == 200
    assert desk.numbers() == []


def test_who_only_has_a_number_sees_number_status_and_a_masked_address(desk: TryDesk, browser: TestClient) -> None:
    desk.opened(text="Rahasia sekolah")
    page = browser.get("/status?nomor=%2312345").text
    assert "12345" in page and "Dalam Antrean" in page and "a***@sekolah.example" in page
    assert ACHA not in page and "BKU" not in page and "Rahasia" not in page
    assert browser.get("/status?nomor=99999").status_code == 404
    assert browser.get("/status?nomor=abc").status_code == 404


def test_the_signed_link_shows_all_to_who_takes_part(desk: TryDesk, browser: TestClient) -> None:
    desk.opened()
    text = desk.last(ACHA, "acknowledgement").text
    link = next(word for word in text.split() if word.startswith("https://bantuan.example/status"))
    page = browser.get(link.removeprefix("https://bantuan.example")).text
    assert "Tidak bisa tutup BKU" in page and ACHA in page and "3 November 2025, 10:00:00 WIB" in page
    foreign = desk.desk.helpdesk.profile.signer.sign(Purpose.STATUS, 12345, "orang@asing.example")
    assert "BKU" not in browser.get(f"/status?nomor=12345&kunci={foreign}").text


def test_pages_can_not_be_framed_and_tell_nobody_the_link(browser: TestClient) -> None:
    answer = browser.get("/")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert browser.get("/?bahasa=en").text.count("Send the report") == 1
    assert browser.get("/health").json() == {"ok": True}


def test_masking() -> None:
    assert masked("acha@gmail.com") == "a***@gmail.com"
