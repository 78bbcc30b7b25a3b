# ruff: noqa: E501 (bodies as programs write them)
"""Forwards of every main mail program: who wrote first, when, about what, and what was put above."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailbot.mail.message import (
    Address,
    Attachment,
    Forward,
    Headers,
    InboundMessage,
)
from mailbot.mail.reply.dates import mail_date
from mailbot.mail.reply.forward import read_forward

SCHOOL = Address("sdn1@sekolah.example", "SDN 1 Sukamaju")
AT = datetime(2025, 11, 3, 8, 10, tzinfo=UTC)
WORDS = "BKU bulan Oktober tidak bisa ditutup.\n\nTerima kasih"


@dataclass(frozen=True)
class Passed:
    """A forward as a program makes it; the author, date, subject and words are the same in all."""

    name: str
    body: str
    kind: str = "text"
    comment: str = "#prioritas tinggi\nMohon dibantu."
    subject: str = "Fwd: Tidak bisa tutup BKU"
    author: Address = SCHOOL
    at: datetime | None = AT


TOP = "#prioritas tinggi\nMohon dibantu.\n\n"
FORWARDS = (
    Passed(
        "gmail",
        f"{TOP}---------- Forwarded message ---------\nDari: SDN 1 Sukamaju <sdn1@sekolah.example>\nDate: Sen, 3 Nov 2025 pukul 15.10\n"
        f"Subject: Tidak bisa tutup BKU\nTo: <dinas@kab.example>\n\n\n{WORDS}\n",
    ),
    Passed(
        "gmail-bold-name",
        f"{TOP}---------- Forwarded message ---------\nFrom: *SDN 1 Sukamaju* <sdn1@sekolah.example>\nDate: Mon, Nov 3, 2025 at 3:10 PM\n"
        f"Subject: Tidak bisa tutup BKU\nTo: <dinas@kab.example>\nCc: <a@b.example>\n\n{WORDS}\n",
    ),
    Passed(
        "gmail-html",
        '<div dir="ltr">#prioritas tinggi<div>Mohon dibantu.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded message '
        '---------<br>Dari: <strong class="gmail_sendername" dir="auto">SDN 1 Sukamaju</strong> <span dir="auto">&lt;<a href="mailto:sdn1@sekolah.example">sdn1@sekolah.example</a>'
        "&gt;</span><br>Date: Sen, 3 Nov 2025 pukul 15.10<br>Subject: Tidak bisa tutup BKU<br>To: &lt;dinas@kab.example&gt;<br></div><br><br>"
        "<div>BKU bulan Oktober tidak bisa ditutup.</div><div><br></div><div>Terima kasih</div></div></div>",
        "html",
    ),
    Passed(
        "outlook-desktop",
        f"{TOP}Dari: SDN 1 Sukamaju <sdn1@sekolah.example>\nDikirim: Senin, 03 November 2025 15.10\nKepada: dinas@kab.example\n"
        f"Subjek: Tidak bisa tutup BKU\n\n{WORDS}",
        subject="TRS: Tidak bisa tutup BKU",
    ),
    Passed(
        "outlook-mailto",
        f"{TOP}-----Original Message-----\nFrom: SDN 1 Sukamaju [mailto:sdn1@sekolah.example] \nSent: Monday, November 3, 2025 3:10 PM\nTo: dinas@kab.example\n"
        f"Subject: Tidak bisa tutup BKU\n\n{WORDS}",
        subject="FW: Tidak bisa tutup BKU",
    ),
    Passed(
        "outlook-web-html",
        '<div>#prioritas tinggi</div><div>Mohon dibantu.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg" dir="ltr"><b>Dari:</b> SDN 1 Sukamaju '
        "&lt;sdn1@sekolah.example&gt;<br><b>Dikirim:</b> Senin, 03 November 2025 15.10<br><b>Kepada:</b> dinas@kab.example<br><b>Subjek:</b> Tidak bisa tutup BKU"
        "<div>&nbsp;</div></div><div>BKU bulan Oktober tidak bisa ditutup.</div><div><br></div><div>Terima kasih</div>",
        "html",
        subject="Fw: Tidak bisa tutup BKU",
    ),
    Passed(
        "outlook-phone",
        f"{TOP}Dapatkan Outlook untuk Android<https://aka.ms/AAb9ysg>\n________________________________\nDari: SDN 1 Sukamaju <sdn1@sekolah.example>\n"
        f"Terkirim: Monday, November 3, 2025 3:10:00 PM\nKe: dinas@kab.example <dinas@kab.example>\nSubjek: Tidak bisa tutup BKU\n\n{WORDS}",
        subject="Fw: Tidak bisa tutup BKU",
    ),
    Passed(
        "yahoo",
        f"{TOP}   ----- Pesan yang Diteruskan ----- Dari: SDN 1 Sukamaju <sdn1@sekolah.example>\nKepada: dinas@kab.example <dinas@kab.example>\n"
        f"Dikirim: Senin, 3 November 2025 pukul 15.10.00 WIB\nJudul: Tidak bisa tutup BKU\n\n{WORDS}",
    ),
    Passed(
        "yahoo-lines",
        f"{TOP}----- Pesan yang Diteruskan -----\nDari: SDN 1 Sukamaju <sdn1@sekolah.example>\nKepada: dinas@kab.example <dinas@kab.example>\n"
        f"Dikirim: Senin, 3 November 2025 pukul 15.10.00 WIB\nJudul: Tidak bisa tutup BKU\n\n{WORDS}",
    ),
    Passed(
        "apple",
        TOP
        + "Mulai pesan yang diteruskan:\n\n> Dari: SDN 1 Sukamaju <sdn1@sekolah.example>\n> Subjek: Tidak bisa tutup BKU\n> Tanggal: 3 November 2025 15.10.00 WIB\n"
        "> Kepada: dinas@kab.example\n> \n> BKU bulan Oktober tidak bisa ditutup.\n> \n> Terima kasih\n",
    ),
    Passed(
        "apple-html",
        '<div>#prioritas tinggi<br>Mohon dibantu.<br><br><blockquote type="cite"><div>Begin forwarded message:</div><br><div><b>From: </b>SDN 1 Sukamaju &lt;'
        '<a href="mailto:sdn1@sekolah.example">sdn1@sekolah.example</a>&gt;</div><div><b>Subject: </b><b>Tidak bisa tutup BKU</b></div><div><b>Date: </b>3 November 2025 at '
        "15.10.00 WIB</div><div><b>To: </b>dinas@kab.example</div><br><div>BKU bulan Oktober tidak bisa ditutup.</div><br><div>Terima kasih</div></blockquote></div>",
        "html",
    ),
    Passed(
        "samsung",
        f"{TOP}Dikirim dari Galaxy saya\n\n\n-------- Pesan asli --------\nDari: SDN 1 Sukamaju <sdn1@sekolah.example>\nTgl: 03/11/25  15.10  (GMT+07:00)\n"
        f"Ke: dinas@kab.example\nSubjek: Tidak bisa tutup BKU\n\n{WORDS}",
    ),
    Passed(
        "thunderbird",
        f"{TOP}-------- Pesan Terusan --------\nPerihal: \tTidak bisa tutup BKU\nTanggal: \tMon, 3 Nov 2025 15:10:00 +0700\nDari: \tSDN 1 Sukamaju <sdn1@sekolah.example>\n"
        f"Kepada: \tdinas@kab.example\n\n{WORDS}",
    ),
    Passed(
        "thunderbird-html",
        '<p>#prioritas tinggi<br>Mohon dibantu.</p><div class="moz-forward-container"><br><br>-------- Forwarded Message --------<table class="moz-email-headers-table" '
        'cellspacing="0" cellpadding="0" border="0"><tbody><tr><th align="RIGHT" nowrap>Subject: </th><td>Tidak bisa tutup BKU</td></tr><tr><th>Date: </th><td>Mon, 3 Nov 2025 '
        "15:10:00 +0700</td></tr><tr><th>From: </th><td>SDN 1 Sukamaju &lt;sdn1@sekolah.example&gt;</td></tr><tr><th>To: </th><td>dinas@kab.example</td></tr></tbody></table>"
        "<br><br><p>BKU bulan Oktober tidak bisa ditutup.</p><p>Terima kasih</p></div>",
        "html",
    ),
    Passed(
        "zoho",
        f"{TOP}============ Forwarded message ============\nFrom: SDN 1 Sukamaju <sdn1@sekolah.example>\nTo: <dinas@kab.example>\nDate: Mon, 03 Nov 2025 15:10:00 +0700\n"
        f"Subject: Tidak bisa tutup BKU\n============ Forwarded message ============\n\n{WORDS}",
    ),
    Passed(
        "german",
        f"{TOP}-------- Weitergeleitete Nachricht --------\nBetreff: Tidak bisa tutup BKU\nDatum: Mon, 3 Nov 2025 15:10:00 +0700\nVon: SDN 1 Sukamaju <sdn1@sekolah.example>\n"
        f"An: dinas@kab.example\n\n{WORDS}",
        subject="WG: Tidak bisa tutup BKU",
    ),
    Passed(
        "as-a-reply",
        f"{TOP}Pada Sen, 3 Nov 2025 pukul 15.10 SDN 1 Sukamaju <sdn1@sekolah.example> menulis:\n\n> BKU bulan Oktober tidak bisa ditutup.\n>\n> Terima kasih\n",
    ),
    Passed(
        "without-words-above",
        f"---------- Forwarded message ---------\nDari: <sdn1@sekolah.example>\nDate: Sen, 3 Nov 2025 pukul 15.10\nSubject: Tidak bisa tutup BKU\nTo: <a@b.example>\n\n{WORDS}",
        comment="",
        author=Address("sdn1@sekolah.example"),
    ),
    Passed(
        "without-address",
        f"{TOP}Dari: SDN 1 Sukamaju\nDikirim: Senin, 03 November 2025 15.10\nKepada: Dinas Pendidikan\nSubjek: Tidak bisa tutup BKU\n\n{WORDS}",
        author=Address("", "SDN 1 Sukamaju"),
    ),
)


def message_of(case: Passed) -> InboundMessage:
    """The mail of a case, sent from a clock in Jakarta."""
    return InboundMessage(
        headers=Headers((("Date", "Mon, 3 Nov 2025 16:00:00 +0700"),)),
        subject=case.subject,
        text=case.body if case.kind == "text" else "",
        html=case.body if case.kind == "html" else "",
        attachments=(Attachment("bukti.jpg", "image/jpeg", b"x"),),
    )


@pytest.mark.parametrize("case", FORWARDS, ids=lambda case: case.name)
def test_forwards_are_read(case: Passed) -> None:
    forward = read_forward(message_of(case))
    assert forward is not None
    assert forward.author == case.author
    assert forward.subject == "Tidak bisa tutup BKU"
    assert forward.date == case.at
    assert forward.text.split() == WORDS.split()
    assert forward.comment.split() == case.comment.split()
    assert [a.name for a in forward.attachments] == ["bukti.jpg"]


def test_a_program_that_tells_no_zone_writes_by_the_clock_on_the_wall() -> None:
    outlook = next(case for case in FORWARDS if case.name == "outlook-desktop")
    by_exchange = replace(message_of(outlook), headers=Headers((("Date", "Mon, 3 Nov 2025 09:00:00 +0000"),)), date=AT)
    forward = read_forward(by_exchange, ZoneInfo("Asia/Jakarta"))
    assert forward is not None
    assert forward.date == AT


def test_comment_keeps_its_lines() -> None:
    forward = read_forward(message_of(FORWARDS[0]))
    assert forward is not None
    assert forward.comment == "#prioritas tinggi\nMohon dibantu."


def test_a_mail_forwarded_as_attachment_is_read() -> None:
    photo = Attachment("bukti.jpg", "image/jpeg", b"x")
    original = InboundMessage(
        from_=(SCHOOL,), subject="Tidak bisa tutup BKU", date=AT, text=WORDS, attachments=(photo,)
    )
    outer = InboundMessage(
        subject="FW: Tidak bisa tutup BKU",
        text="#tag bku\n\n-- \nSally",
        nested=(original,),
        attachments=(Attachment("Tidak bisa tutup BKU.eml", "message/rfc822", b"From: x"),),
    )
    forward = read_forward(outer)
    assert forward is not None
    assert (forward.author, forward.subject, forward.date, forward.text) == (SCHOOL, "Tidak bisa tutup BKU", AT, WORDS)
    assert forward.comment == "#tag bku"
    assert forward.attachments == (photo,)


def test_replies_and_first_mails_are_no_forwards() -> None:
    reply = replace(message_of(FORWARDS[3]), subject="RE: Tidak bisa tutup BKU")
    assert read_forward(reply) is None
    quoted = "Sudah.\n\nPada Sen, 3 Nov 2025 pukul 15.10 Dinas <d@k.example> menulis:\n> ---------- Forwarded message ---------\n> Dari: a@b.example"
    assert read_forward(InboundMessage(subject="Re: Fwd: BKU", text=quoted)) is None
    assert read_forward(InboundMessage(subject="Fwd: BKU", text="Mohon bantuan, BKU tidak bisa ditutup.")) is None
    assert read_forward(InboundMessage(subject="BKU", text="Dari: sekolah\nKe: dinas\n\nsudah dikirim")) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sen, 3 Nov 2025 pukul 15.10", "2025-11-03T08:10"),
        ("Senin, 3 November 2025 pukul 15.10.00 WIB", "2025-11-03T08:10"),
        ("Senin, 3 November 2025 17:10 WIT", "2025-11-03T08:10"),
        ("Monday, November 3, 2025 3:10 PM", "2025-11-03T08:10"),
        ("11/3/25 3:10 PM", "2025-11-03T08:10"),
        ("03/11/25  15.10  (GMT+07:00)", "2025-11-03T08:10"),
        ("Mon, 03 Nov 2025 15:10:00 +0700", "2025-11-03T08:10"),
        ("2025-11-03 15:10", "2025-11-03T08:10"),
        ("2025年11月3日 15:10", "2025-11-03T08:10"),
        ("2025년 11월 3일 월요일 오후 3:10", "2025-11-03T08:10"),
        ("lundi 3 novembre 2025 15:10", "2025-11-03T08:10"),
        ("lunes, 3 de noviembre de 2025 15:10", "2025-11-03T08:10"),
        ("3. November 2025 15:10", "2025-11-03T08:10"),
        ("Mon, 3 Nov 2025 08:10:00 GMT", "2025-11-03T08:10"),
        ("12:05 AM Nov 3, 2025", "2025-11-02T17:05"),
        ("3 พ.ย. 2568 15:10", "2025-11-03T08:10"),
        ("03 Agu 2025 15.10", "2025-08-03T08:10"),
        ("3 Nopember 2025", "2025-11-02T17:00"),
        ("31/02/2025 10:00", None),
        ("kemarin", None),
        ("", None),
        ("3 bendahara 2025", None),
    ],
)
def test_dates(text: str, expected: str | None) -> None:
    moment = mail_date(text, timedelta(hours=7))
    assert (moment.strftime("%Y-%m-%dT%H:%M") if moment else None) == expected


def passed_on(body: str, **more: object) -> Forward:
    values: dict[str, object] = {"from_": (Address("sally@helpdesk.example"),), "subject": "Fwd: BKU", "text": body}
    found = read_forward(InboundMessage(**(values | more)))  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("written", "author"),
    [
        ("sdn1@sekolah.example (SDN 1 Sukamaju)", SCHOOL),
        ("SDN 1 Sukamaju [mailto:SDN1@sekolah.example]", SCHOOL),
        ("SDN 1 Sukamaju", Address("", "SDN 1 Sukamaju")),
    ],
)
def test_the_author_in_the_forms_that_programs_write(written: str, author: Address) -> None:
    body = (
        f"Mohon dibantu.\n\n-----Original Message-----\nFrom: {written}\nSent: 3 Nov 2025 15:10\nSubject: BKU\n\nHalo"
    )
    assert passed_on(body).author == author


def test_a_separator_with_nothing_to_tell_the_author_by_names_nobody() -> None:
    found = passed_on("Mohon dibantu.\n\n---------- Forwarded message ---------\nBKU tidak bisa ditutup.")
    assert (found.author, found.date, found.text) == (Address(""), None, "BKU tidak bisa ditutup.")
    assert found.comment == "Mohon dibantu."


def test_without_an_offset_in_its_date_field_the_forwarders_own_date_tells_the_clock() -> None:
    body = "-----Original Message-----\nFrom: a@sekolah.example\nSent: 3 Nov 2025 15:10\nSubject: BKU\n\nHalo"
    written = datetime(2025, 11, 3, 16, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
    assert passed_on(body, date=written).date == AT
    assert passed_on(body).date == AT.replace(hour=15)  # no date at all: taken for UTC
