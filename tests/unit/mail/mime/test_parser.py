"""The header of a mail: people, subjects, ids, dates and trace, also if malformed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailbot.mail.message import Address, Hop
from mailbot.mail.mime.address import addr_spec
from mailbot.mail.mime.parser import parse_header_only, parse_message


def with_field(name: str, value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return b"X-First: 1\n" + name.encode() + b": " + raw + b"\nX-Last: 2\n\ntext\n"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        # RFC 2047 as it should be
        ("Tidak bisa masuk", "Tidak bisa masuk"),
        ("=?UTF-8?Q?Laporan_=C3=A9?=", "Laporan é"),
        ("=?utf-8?B?TGFwb3JhbiDwn5iA?=", "Laporan 😀"),
        ("=?iso-8859-1?Q?caf=E9?= baru", "café baru"),
        ("=?UTF-8?Q?a?= =?UTF-8?Q?b?=", "ab"),
        ("=?UTF-8?Q?a?=\n =?UTF-8?Q?b?=", "ab"),
        ("=?UTF-8?Q?a?= dan =?UTF-8?Q?b?=", "a dan b"),
        ("=?utf-8*id?Q?halo?=", "halo"),
        # … and as it comes
        ("=?UTF-8?B?w?=\n =?UTF-8?B?6k=?=", "é"),  # base64 cut anywhere
        ("=?UTF-8?Q?=C3?= =?UTF-8?Q?=A9?=", "é"),  # a character split between words
        ("=?utf-8?B?w6k?=", "é"),  # no padding
        ("=?utf-8?Q?dua kata?=", "dua kata"),  # spaces inside
        ("=?utf-8?Q?bisa?=20apa=3F?=", "bisa? apa?"),  # a raw question mark before an escape
        ("Re:=?utf-8?Q?=C3=A9?=nya", "Re:énya"),  # touching other text
        ("=?utf-8?B?TGFwb3Jhbg", "Laporan"),  # cut off
        ("=?utf-8?Q?a=0D=0ABcc:_x=00?=", "a Bcc: x"),  # controls smuggled in
        ("=?us-ascii?Q?=93kutip=94?=", "“kutip”"),  # Windows-1252 under another name
        ("=?latin-9-of-mine?Q?=C3=A9?=", "é"),  # a charset nobody knows
        ("=?utf-7?Q?+ADw-b+AD4-?=", "+ADw-b+AD4-"),  # UTF-7 stays what it looks like
        ("=?gb2312?B?xLO49rXYt72Oxw==?=", "某个地方幥"),  # GBK under the name of its subset
        ("=?iso-2022-jp?B?GyRCLSIbKEI=?=", "②"),  # a vendor's character
        ("=?utf-8?B?gYGBAQIDgYE=?=", "=?utf-8?B?gYGBAQIDgYE=?="),  # no text at all: left as written
        ("50 =? 60 ?= 70", "50 =? 60 ?= 70"),
        # raw 8-bit
        ("Laporan dari Désa".encode(), "Laporan dari Désa"),
        (b"harga 5 \x80", "harga 5 €"),
        ("Désa yang terpoton".encode() + b"\xc3", "Désa yang terpoton"),  # half a character at the end
        # folding and controls
        ("satu\n dua\r\n\ttiga", "satu dua tiga"),
        ("a\x00b\x1bc", "abc"),
        ("balik \u202ekata\u202c", "balik kata"),
        ("", ""),
    ],
)
def test_subject(written: str | bytes, read: str) -> None:
    assert parse_message(with_field("Subject", written)).subject == read


@pytest.mark.parametrize(
    ("written", "mailboxes"),
    [
        ("Budi <budi@SD3.sch.id>", [("budi@sd3.sch.id", "Budi")]),
        ("budi@sd3.sch.id", [("budi@sd3.sch.id", "")]),
        ("budi@sd3.sch.id (Budi Santoso)", [("budi@sd3.sch.id", "Budi Santoso")]),
        ('"Santoso, Budi" <b@x.id>', [("b@x.id", "Santoso, Budi")]),
        ("Sri Wahyuni, S.Pd., M.Pd <sri@x.id>", [("sri@x.id", "Sri Wahyuni, S.Pd., M.Pd")]),
        ('"Pak \\"Budi\\"" <b@x.id>', [("b@x.id", 'Pak "Budi"')]),
        ("=?utf-8?Q?Ibu_D=C3=A9wi?= <dewi@x.id>", [("dewi@x.id", "Ibu Déwi")]),
        ("Désa <d@x.id>", [("d@x.id", "Désa")]),
        ("'Budi' <b@x.id>", [("b@x.id", "Budi")]),
        ("a@x.id, B <b@x.id>", [("a@x.id", ""), ("b@x.id", "B")]),
        ("a@x.id; b@x.id", [("a@x.id", ""), ("b@x.id", "")]),
        ("Guru: a@x.id, B <b@x.id>;, c@x.id", [("a@x.id", ""), ("b@x.id", "B"), ("c@x.id", "")]),
        ("undisclosed-recipients:;", []),
        ('"Tersembunyi" <>', []),
        ("(ayo) a@x.id (b (c))", [("a@x.id", "ayo b (c)")]),
        ("<@relay.id,@other.id:a@x.id>", [("a@x.id", "")]),
        ("a @ x.id", [("a@x.id", "")]),
        ('"budi santoso"@x.id', [('"budi santoso"@x.id', "")]),
        ('"budi"@x.id', [("budi@x.id", "")]),
        ("Budi <budi@sekolahé.id>", [("budi@xn--sekolah-hya.id", "Budi")]),
        ("a@[192.0.2.1]", [("a@[192.0.2.1]", "")]),
        ("budi", []),
        ("@", []),
    ],
)
def test_mailboxes(written: str, mailboxes: list[tuple[str, str]]) -> None:
    message = parse_message(with_field("To", written))
    assert [(each.email, each.name) for each in message.to] == mailboxes


@pytest.mark.parametrize(
    ("written", "address", "defect"),
    [
        # two programs would see two authors: then there is none
        ("alice@example.org)bob@evil.example", "", "ambiguous-address"),
        ("<alice@example.org><bob@evil.example>", "", "ambiguous-address"),
        ("alice@example.org bob@evil.example", "", "ambiguous-address"),
        ("Alice <alice@example.org <bob@evil.example>", "", "ambiguous-address"),
        # one reading is left
        ("Alice <alice@example.org", "alice@example.org", "bad-address"),
        ("alice@example.org>", "alice@example.org", "bad-address"),
        ("Alice alice@example.org", "alice@example.org", "bad-address"),
        ('"Alice" <mailto:alice@example.org>', "alice@example.org", "bad-address"),
        ("=?utf-8?B?QWxpY2UgPGFsaWNlQGV4YW1wbGUub3JnPg==?=", "alice@example.org", "encoded-address"),
        # a name that looks like an address is a name
        ("=?utf-8?Q?=3Cboss=40example=2Eorg=3E?= <bob@evil.example>", "bob@evil.example", ""),
        ('"boss@example.org" <bob@evil.example>', "bob@evil.example", ""),
    ],
)
def test_doubtful_from(written: str, address: str, defect: str) -> None:
    message = parse_message(with_field("From", written))
    assert message.from_addr == address
    assert defect in message.defects if defect else not message.defects


def test_from_that_other_programs_read_otherwise_is_a_defect() -> None:
    assert "from-disagreement" in parse_message(with_field("From", "alice@example.org)bob@evil.example")).defects
    assert "from-disagreement" not in parse_message(with_field("From", "Sri, S.Pd <sri@x.id>")).defects


@pytest.mark.parametrize("written", ["=?utf-8?B?a?= <a@x.id", '"=?utf-7?B?!?= <a@x.id'])
def test_a_from_that_mail_parser_gives_up_on(written: str) -> None:
    message = parse_message(with_field("From", written))
    assert message.from_addr == "a@x.id"
    assert not [code for code in message.defects if code.startswith("parser-fault")]


def test_two_from_fields_are_both_kept_and_told() -> None:
    message = parse_message(b"From: Agen <agen@desk.example>\nFrom: x@evil.example\n\nhalo\n")
    assert message.from_ == (Address("agen@desk.example", "Agen"), Address("x@evil.example"))
    assert "duplicate-from" in message.defects


def test_other_people_and_recipients() -> None:
    message = parse_message(
        b"Sender: s@x.id\nReply-To: R <r@x.id>\nTo: Desk <Support+AB12@desk.example>\nTo: b@x.id\nCc: c@x.id, b@x.id\n"
        b"Delivered-To: support@desk.example\nX-Original-To: support+ab12@desk.example\nReturn-Path: <Bounce@x.id>\n\n"
    )
    assert message.sender == Address("s@x.id")
    assert message.from_address == Address("s@x.id")
    assert message.reply_to == (Address("r@x.id", "R"),)
    assert [each.email for each in message.to] == ["support+ab12@desk.example", "b@x.id"]
    assert message.recipients == ("support+ab12@desk.example", "b@x.id", "c@x.id", "support@desk.example")
    assert message.return_path == "bounce@x.id"
    assert "duplicate-to" in message.defects


@pytest.mark.parametrize(("written", "path"), [("<>", ""), ("", ""), ("<a@x.id>", "a@x.id"), ("a@x.id", "a@x.id")])
def test_return_path(written: str, path: str) -> None:
    assert parse_message(with_field("Return-Path", written)).return_path == path


def test_no_return_path_is_not_the_empty_one() -> None:
    assert parse_message(b"Subject: x\n\n").return_path is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<a.b@x.id>", "<a.b@x.id>"),
        ("<[x]@ms.com>", "<[x]@ms.com>"),
        ("a.b@x.id", "<a.b@x.id>"),
        ("12223", "<12223>"),
        ("\n <a.b\n @x.id>", "<a.b@x.id>"),
        ("(komentar) <a@x.id>", "<a@x.id>"),
        ("<a@x.id> <b@x.id>", "<a@x.id>"),
        ("<>", ""),
        ("dua kata", ""),
        ("", ""),
    ],
)
def test_message_id(written: str, read: str) -> None:
    assert parse_message(with_field("Message-ID", written)).message_id == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<a@x> <b@x>", ("<a@x>", "<b@x>")),
        ("<a@x><b@x>,<a@x>", ("<a@x>", "<b@x>")),
        ("<a@x>\n\t<b@x>", ("<a@x>", "<b@x>")),
        ("Your message of Monday <a@x>", ("<a@x>",)),
        ("a@x b@y", ("<a@x>", "<b@y>")),
        ("<a@x> <b@", ("<a@x>",)),
    ],
)
def test_references(written: str, read: tuple[str, ...]) -> None:
    message = parse_message(with_field("References", written))
    assert message.references == read
    assert parse_message(with_field("In-Reply-To", written)).in_reply_to == read


def test_of_many_references_the_first_and_the_last_are_kept() -> None:
    message = parse_message(with_field("References", " ".join(f"<{n}@x>" for n in range(500))))
    assert len(message.references) == 100
    assert message.references[0] == "<0@x>"
    assert message.references[-1] == "<499@x>"
    assert "too-many-references" in message.defects


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Mon, 3 Nov 2025 10:45:13 +0700", datetime(2025, 11, 3, 3, 45, 13, tzinfo=UTC)),
        ("3 Nov 2025 10:45 +0700 (WIB)", datetime(2025, 11, 3, 3, 45, tzinfo=UTC)),
        ("Mon, 3 Nov 2025 10:45:13 (EST) -0500", datetime(2025, 11, 3, 15, 45, 13, tzinfo=UTC)),
        ("Mon, 03 Nov 2025 10:45:13 GMT", datetime(2025, 11, 3, 10, 45, 13, tzinfo=UTC)),
        ("Mon, 3 Nov 25 10:45:13 -0000", datetime(2025, 11, 3, 10, 45, 13, tzinfo=UTC)),
        ("Wed, 31 Dec 2025 23:59:60 +0000", datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2025-11-03T10:45:13+07:00", datetime(2025, 11, 3, 3, 45, 13, tzinfo=UTC)),
        ("Mon, 3 Nov 2025 10:45:13 +9999", None),
        ("Mon, 3 Nov 99999 10:45:13 +0000", None),
        ("32 Foo 2025 10:45:13", None),
        ("kemarin", None),
    ],
)
def test_date(written: str, read: datetime | None) -> None:
    message = parse_message(with_field("Date", written))
    assert message.date == read
    assert ("bad-date" in message.defects) == (read is None)


def test_trace_topmost_first() -> None:
    message = parse_message(
        b"Received: from mail.gmail.example (mail.gmail.example [192.0.2.7])\n by mx.desk.example (Postfix (3.7))"
        b" with ESMTPS id X\n for <support@desk.example>; Mon, 3 Nov 2025 10:45:13 +0700 (WIB)\n"
        b"Received: by mail.gmail.example with SMTP id Y; Mon, 3 Nov 2025 03:45:10 +0000\n\n"
    )
    assert message.received == (
        Hop("mx.desk.example", "mail.gmail.example", datetime(2025, 11, 3, 3, 45, 13, tzinfo=UTC)),
        Hop("mail.gmail.example", "", datetime(2025, 11, 3, 3, 45, 10, tzinfo=UTC)),
    )


def test_odd_trace_is_read_by_mail_parser() -> None:
    message = parse_message(
        b'Received: from "mail" (helo (deep (deeper))) by mx.desk.example with ESMTP; Mon, 3 Nov 2025 10:45:13 +0700\n'
        b"Received: from broken ((( by nowhere\n\n"
    )
    assert message.received[0].by == "mx.desk.example"
    assert message.received[0].at == datetime(2025, 11, 3, 3, 45, 13, tzinfo=UTC)
    assert message.received[1].at is None
    assert "bad-received" in message.defects


@pytest.mark.parametrize(
    "start",
    [b"\xef\xbb\xbf", b"\n\n", b"     \n", b"From a@x.id Mon Nov  3 10:45:13 2025\n", b">From a@x.id Mon Nov  3\n"],
)
def test_what_stands_before_the_header_is_skipped(start: bytes) -> None:
    message = parse_message(start + b"Subject: halo\nFrom: a@x.id\n\nisi\n")
    assert (message.subject, message.from_addr, message.text) == ("halo", "a@x.id", "isi")


def test_junk_inside_the_header_is_no_end_of_it() -> None:
    message = parse_message(b"Received: from a by b;\nwith lost white space\nSubject: halo\nFrom: a@x.id\n\nisi\n")
    assert (message.subject, message.text) == ("halo", "isi")
    assert "junk-in-header" in message.defects


def test_a_forgotten_empty_line_loses_no_word() -> None:
    message = parse_message(b"Subject: halo\nFrom: a@x.id\nMohon bantuan,\nakun: terkunci\n")
    assert message.text == "Mohon bantuan,\nakun: terkunci"
    assert "no-empty-line-after-header" in message.defects


def test_text_without_any_header() -> None:
    assert parse_message(b"hanya teks\ndua baris").text == "hanya teks\ndua baris"


def test_raw_header_in_the_charset_that_the_mail_names() -> None:
    name = "Привет".encode("koi8-r")
    raw = b"From: " + name + b" <a@x.id>\nSubject: " + name + b"\nContent-Type: text/plain; charset=koi8-r\n\nx"
    message = parse_message(raw)
    assert (message.subject, message.from_address.name) == ("Привет", "Привет")


def test_headers_keep_order_and_case_and_are_found_without_it() -> None:
    message = parse_message(b"X-A: 1\nx-b: =?utf-8?Q?=C3=A9?=\nX-A: 2\n\n")
    assert list(message.headers) == [("X-A", "1"), ("x-b", "é"), ("X-A", "2")]
    assert message.headers.get_all("x-a") == ("1", "2")
    assert message.headers.get("X-B") == "é"


def test_a_huge_field_is_cut_and_the_others_are_kept() -> None:
    raw = b"To: " + b"p@x.id, " * 100_000 + b"\nSubject: " + b"kata " * 100_000 + b"\nFrom: a@x.id\n\nisi\n"
    message = parse_message(raw)
    assert (message.from_addr, message.text) == ("a@x.id", "isi")
    assert message.subject.startswith("kata kata")
    assert len(message.to) == 1000
    assert "header-too-large" in message.defects


def test_header_only() -> None:
    raw = b"Subject: besar\nFrom: a@x.id\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nisi\n--b--\n"
    message = parse_header_only(raw)
    assert (message.subject, message.from_addr, message.text, message.attachments) == ("besar", "a@x.id", "", ())
    assert message.size == len(raw)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("guru@sékolah.example", "guru@xn--skolah-bva.example"),
        ("guru@straße.example", "guru@xn--strae-oqa.example"),
        ("guru@SEKOLAH.Example", "guru@sekolah.example"),
    ],
)
def test_a_domain_is_written_in_a_labels(written: str, read: str) -> None:
    assert addr_spec(written) == read


def test_letters_that_only_look_like_ascii_make_another_domain() -> None:
    assert addr_spec("guru@ｓekolah.example") != "guru@sekolah.example"
