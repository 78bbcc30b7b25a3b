"""Files, mails inside mails, reports, signatures and winmail.dat."""

from __future__ import annotations

import base64
import hashlib
import struct

import pytest

from mailbot.mail.message import Attachment, InboundMessage
from mailbot.mail.mime.attachments import drop_contents
from mailbot.mail.mime.filetype import MAX_BYTES, file_type, safe_name
from mailbot.mail.mime.parser import parse_message
from tests.unit.mail.mime.test_body import HTML, PLAIN, multi, part

PNG = b"\x89PNG\r\n\x1a\n0000"


def attached(name_fields: str, content: bytes = PNG, content_type: str = "image/png") -> Attachment:
    """The attachment of a mail whose Content-Disposition has these parameters."""
    coded = part(
        base64.b64encode(content),
        content_type,
        Content_Disposition=f"attachment{name_fields}",
        Content_Transfer_Encoding="base64",
    )
    (found,) = parse_message(multi("mixed", PLAIN, coded)).attachments
    return found


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ("; filename=bukti.png", "bukti.png"),
        ('; filename="bukti foto.png"', "bukti foto.png"),
        ("; filename=bukti foto.png", "bukti foto.png"),
        ('; filename="kutip \\"x\\".png"', 'kutip "x".png'),
        # RFC 2231
        ("; filename*=utf-8''b%C3%A9.png", "bé.png"),
        ("; filename*=iso-8859-1'id'b%E9.png", "bé.png"),
        ("; filename*0*=utf-8''b%C3; filename*1*=%A9; filename*2=nar.png", "bénar.png"),
        ("; filename*2=c.png; filename*0=a; filename*1=b", "abc.png"),
        ("; filename=\"tua.png\"; filename*=utf-8''b%C3%A9.png", "bé.png"),
        ("; filename*=utf-8'salah.png", "utf-8'salah.png"),
        ("; filename*=foo-9''b%C3%A9.png", "bé.png"),
        # RFC 2047 where it is forbidden
        ('; filename="=?UTF-8?Q?b=C3=A9?= =?UTF-8?Q?nar.png?="', "bénar.png"),
        ('; filename="=?UTF-8?B?YsOpLnBuZw==?="', "bé.png"),
        ("; filename=bé.png", "bé.png"),
        # paths, controls, tricks
        ('; filename="../../etc/passwd"', "passwd"),
        ('; filename="C:\\Dokumen\\rkas.xlsx"', "rkas.xlsx"),
        ('; filename="/"', "lampiran-1.png"),
        ('; filename=".."', "lampiran-1.png"),
        ('; filename=".htaccess"', "htaccess"),
        ('; filename="foto\u202egnp.exe"', "fotognp.exe"),
        ('; filename="a\x00b\x1b.png"', "ab.png"),
        ('; filename="NUL.png"', "_NUL.png"),
        ('; filename="com1"', "_com1"),
        ('; filename="akhir. . "', "akhir"),
        ('; filename=""', "lampiran-1.png"),
        ("", "lampiran-1.png"),
    ],
)
def test_names(parameters: str, name: str) -> None:
    assert attached(parameters).name == name


def test_the_better_of_two_names() -> None:
    name = "=?utf-8?Q?laporan_=E2=82=AC.pdf?="
    coded = part(b"x", f'application/pdf; name="{name}"', Content_Disposition="attachment; filename=laporan_?.pdf")
    (found,) = parse_message(multi("mixed", PLAIN, coded)).attachments
    assert found.name == "laporan €.pdf"


@pytest.mark.parametrize("stem", ["a" * 400, "é" * 200, "😀" * 100, "." * 300 + "x", " " * 300 + "x"])
def test_long_names_keep_their_extension(stem: str) -> None:
    name = safe_name(stem + ".jpeg", "image/jpeg", 1)
    assert len(name.encode()) <= MAX_BYTES
    assert name.endswith(".jpeg")


def test_names_that_real_mail_has_are_not_shortened() -> None:
    name = "Laporan Pertanggungjawaban " + "x" * 150 + ".pdf"
    assert attached(f'; filename="{name}"').name == name


@pytest.mark.parametrize(
    ("content", "name", "declared", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "a.png", "image/png", "image/jpeg"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "IMG_0001.HEIC", "application/octet-stream", "image/heic"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a.mp4", "video/mp4", "video/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", "a.mov", "application/octet-stream", "video/quicktime"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "stiker.webp", "image/jpeg", "image/webp"),
        (b"%PDF-1.7", "rkas", "application/octet-stream", "application/pdf"),
        (b"<html><script>x()</script>", "foto.jpg", "image/jpeg", "text/html"),
        (b"<!-- x --><!DOCTYPE html><p>", "a.txt", "text/plain", "text/html"),
        (b"<svg onload=x()>", "a.png", "image/png", "image/svg+xml"),
        (b"MZ" + b"\0" * 58 + b"\x40\0\0\0PE\0\0", "foto.jpg", "image/jpeg", "application/x-msdownload"),
        (b"MZ adalah nama sekolah kami", "a.txt", "text/plain", "text/plain"),
        (b"#!/bin/sh\nrm", "foto.jpg", "image/jpeg", "image/jpeg"),
        (b"\x7fELF\2\1\1", "a.png", "image/png", "application/x-executable"),
        (b"PK\x03\x04" + b"\0" * 26 + b"word/document.xml", "a.bin", "application/octet-stream",
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "rkas.xlsx", "application/octet-stream",
         "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (b"PK\x03\x04" + b"\0" * 26 + b"foto.jpg", "a.zip", "application/x-zip-compressed", "application/zip"),
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.text", "a", "x/y",
         "application/vnd.oasis.opendocument.text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "bku.xls", "application/octet-stream", "application/vnd.ms-excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "bku", "application/octet-stream", "application/x-ole-storage"),
        (b"BEGIN:VCALENDAR\n", "rapat", "text/plain", "text/calendar"),
        (b"no;nama\n", "daftar.csv", "application/octet-stream", "text/csv"),
        (b"hanya teks", "foto.jpg", "image/jpeg", "text/plain"),
        (b"\1\2\3", "foto.jpg", "image/jpeg", "image/jpeg"),
        (b"\1\2\3", "entah", "", "application/octet-stream"),
        (b"", "kosong.pdf", "application/pdf", "application/pdf"),
    ],
)  # fmt: skip
def test_types_by_content(content: bytes, name: str, declared: str, kind: str) -> None:
    assert file_type(content, name, declared) == kind


def test_picture_of_the_text_is_inline() -> None:
    html = part('<p>lihat <img src="cid:gambar%40x"></p>', "text/html")
    shown = part(PNG, "image/png", Content_ID="<gambar@x>", Content_Disposition="inline")
    loose = part(PNG, "image/png", Content_ID="<lain@x>", Content_Disposition="inline")
    message = parse_message(multi("related", html, shown, loose))
    assert [(each.content_id, each.inline) for each in message.attachments] == [("gambar@x", True), ("lain@x", False)]
    assert "cid:gambar%40x" in message.html


def test_calendar_is_an_attachment_of_its_type() -> None:
    invitation = part("BEGIN:VCALENDAR\nEND:VCALENDAR", "text/calendar; method=REQUEST")
    message = parse_message(multi("alternative", PLAIN, HTML, invitation))
    assert [(each.name, each.content_type) for each in message.attachments] == [("lampiran-1.ics", "text/calendar")]
    assert message.text == "teks biasa"


def test_broken_content_type_is_mended_by_the_name() -> None:
    raw = part(PNG, "", Content_Type='; name="foto.png"', Content_Disposition='attachment; filename="foto.png"')
    (found,) = parse_message(multi("mixed", PLAIN, raw)).attachments
    assert (found.name, found.content_type) == ("foto.png", "image/png")


def test_an_unknown_file_without_a_name_is_no_database() -> None:
    (found,) = parse_message(multi("mixed", PLAIN, part(b"\1\2\3", "application/octet-stream"))).attachments
    assert (found.name, found.content_type) == ("lampiran-1.bin", "application/octet-stream")


def test_two_files_of_one_name_are_two_files() -> None:
    one = part(b"1", "application/pdf; name=a.pdf")
    two = part(b"22", "application/pdf; name=a.pdf")
    found = parse_message(multi("mixed", PLAIN, one, two)).attachments
    assert [(each.name, each.size) for each in found] == [("a.pdf", 1), ("a.pdf", 2)]


# -- mails inside mails -----------------------------------------------------------------------------------------------

INNER = b"From: Guru <guru@x.id>\nSubject: Tanya/jawab\nMessage-ID: <in@x>\n\nisi dalam\n"


def test_nested_mail_is_kept_apart() -> None:
    message = parse_message(b"Subject: luar\n" + multi("mixed", PLAIN, part(INNER, "message/rfc822")))
    assert message.text == "teks biasa"
    (inner,) = message.nested
    assert (inner.from_addr, inner.subject, inner.text) == ("guru@x.id", "Tanya/jawab", "isi dalam")
    (file,) = message.attachments
    assert (file.name, file.content_type) == ("Tanya-jawab.eml", "message/rfc822")
    assert file.content == INNER
    assert message.report is None


def test_nested_mail_in_base64() -> None:
    coded = part(base64.encodebytes(INNER), "message/rfc822; name=asli.eml", Content_Transfer_Encoding="base64")
    message = parse_message(multi("mixed", PLAIN, coded))
    assert [each.name for each in message.attachments] == ["asli.eml"]
    assert message.nested[0].text == "isi dalam"


def test_nested_mail_that_was_attached_as_bytes() -> None:
    raw = part(INNER, "application/octet-stream; name=terusan.eml")
    message = parse_message(multi("mixed", PLAIN, raw))
    assert [(each.name, each.content_type) for each in message.attachments] == [("terusan.eml", "message/rfc822")]
    assert message.nested[0].text == "isi dalam"


def test_mail_that_is_only_a_mail() -> None:
    message = parse_message(part(INNER, "message/rfc822"))
    assert (message.text, message.nested[0].subject) == ("", "Tanya/jawab")


def test_digest_of_mails() -> None:
    message = parse_message(multi("digest", b"\n" + INNER, b"\n" + INNER))
    assert [each.subject for each in message.nested] == ["Tanya/jawab", "Tanya/jawab"]


def test_mails_in_mails_end_somewhere() -> None:
    raw = INNER
    for _ in range(10):
        raw = part(raw, "message/rfc822")
    message = parse_message(raw)
    depth = 0
    while message.nested:
        message, depth = message.nested[0], depth + 1
    assert depth == 4
    assert "too-many-nested" in message.defects


# -- reports ----------------------------------------------------------------------------------------------------------

STATUS = part(
    "Reporting-MTA: dns; mx.x.id\n\nFinal-Recipient: rfc822; a@x.id\nAction: failed\nStatus: 5.1.1\n",
    "message/delivery-status",
)


@pytest.mark.parametrize(
    ("kind", "parameters"), [("report", {"report-type": "delivery-status"}), ("report", {}), ("mixed", {})]
)
def test_delivery_report(kind: str, parameters: dict[str, str]) -> None:
    message = parse_message(multi(kind, PLAIN, STATUS, part(INNER, "message/rfc822"), **parameters))
    assert message.report is not None
    assert message.report.report_type == "delivery-status"
    assert "Status: 5.1.1" in message.report.status
    assert "Message-ID: <in@x>" in message.report.original_headers
    assert message.text == "teks biasa"
    assert message.nested[0].message_id == "<in@x>"


def test_report_with_headers_only_and_one_without_its_part() -> None:
    returned = part("Message-ID: <in@x>\nSubject: x\n", "text/rfc822-headers")
    message = parse_message(multi("report", PLAIN, STATUS, returned))
    assert message.report is not None
    assert message.report.original_headers.startswith("Message-ID: <in@x>")
    alone = parse_message(multi("report", PLAIN, **{"report-type": "delivery-status"})).report
    assert alone is not None
    assert alone.status == ""


def test_read_receipt() -> None:
    receipt = part("Disposition: manual-action/MDN-sent-manually; displayed\n", "message/disposition-notification")
    report = parse_message(multi("report", PLAIN, receipt)).report
    assert report is not None
    assert report.report_type == "disposition-notification"
    assert "displayed" in report.status


# -- signatures and ciphers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "name", "security"),
    [
        ("application/pkcs7-signature", "smime.p7s", "smime-signed"),
        ("application/pgp-signature", "signature.asc", "pgp-signed"),
    ],
)
def test_signed_mail(protocol: str, name: str, security: str) -> None:
    signature = part(b"xx", f"{protocol}; name={name}")
    body = multi("alternative", PLAIN, HTML, boundary="b1")
    message = parse_message(multi("signed", body, signature, protocol=protocol))
    assert message.security == (security,)
    assert message.text == "teks biasa"
    assert [(each.name, each.signature) for each in message.attachments] == [(name, True)]


def test_encrypted_mail() -> None:
    control = part("Version: 1", "application/pgp-encrypted")
    cipher = part("-----BEGIN PGP MESSAGE-----", "application/octet-stream; name=encrypted.asc")
    message = parse_message(multi("encrypted", control, cipher, protocol="application/pgp-encrypted"))
    assert message.security == ("pgp-encrypted",)
    assert message.text == ""
    assert [each.signature for each in message.attachments] == [True, False]


@pytest.mark.parametrize(
    ("parameters", "content", "security", "defects"),
    [
        ("; smime-type=enveloped-data; name=smime.p7m", b"0\x80", "smime-encrypted", ()),
        ("; smime-type=signed-data; name=smime.p7m", b"0\x80", "smime-signed", ("opaque-signed",)),
        ("; name=smime.p7m", b"0\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", "smime-signed", ("opaque-signed",)),
    ],
)
def test_opaque_smime(parameters: str, content: bytes, security: str, defects: tuple[str, ...]) -> None:
    message = parse_message(part(content, "application/pkcs7-mime" + parameters))
    assert (message.security, message.defects) == ((security,), defects)
    assert message.attachments[0].name == "smime.p7m"


def der(tag: int, *content: bytes) -> bytes:
    inner = b"".join(content)
    size = len(inner)
    return bytes((tag, size) if size < 128 else (tag, 0x82, size >> 8, size & 255)) + inner


def signed_data(octets: bytes) -> bytes:
    """A CMS SignedData around an element that holds the content (RFC 5652 §5.1), without signers."""
    encapsulated = der(0x30, der(0x06, bytes.fromhex("2a864886f70d010701")), der(0xA0, octets))
    inner = der(0x30, der(0x02, b"\x01"), der(0x31), encapsulated, der(0x31))
    return der(0x30, der(0x06, bytes.fromhex("2a864886f70d010702")), der(0xA0, inner))


SIGNED_MAIL = multi("mixed", PLAIN, part(b"x", "application/pdf; name=surat.pdf"), boundary="b1")


@pytest.mark.parametrize(
    "octets",
    [
        der(0x04, SIGNED_MAIL),
        der(0x24, der(0x04, SIGNED_MAIL[:50]), der(0x04, SIGNED_MAIL[50:])),
        b"\x24\x80" + der(0x04, SIGNED_MAIL) + b"\0\0",  # the indefinite form of BER
    ],
)
def test_mail_inside_an_opaque_signature_is_read(octets: bytes) -> None:
    raw = part(
        base64.encodebytes(signed_data(octets)),
        "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
        Content_Transfer_Encoding="base64",
    )
    message = parse_message(raw)
    assert (message.text, message.security, message.defects) == ("teks biasa", ("smime-signed",), ())
    assert [(each.name, each.signature) for each in message.attachments] == [("smime.p7m", True), ("surat.pdf", False)]


@pytest.mark.parametrize("length", [0, 1, 5, 20, 40])
def test_a_torn_signature_stays_a_file(length: int) -> None:
    torn = signed_data(der(0x04, SIGNED_MAIL))[:length]
    raw = part(
        base64.encodebytes(torn), "application/pkcs7-mime; smime-type=signed-data", Content_Transfer_Encoding="base64"
    )
    message = parse_message(raw)
    assert message.text == ""
    assert "opaque-signed" in message.defects


@pytest.mark.parametrize(
    ("start", "security"),
    [("-----BEGIN PGP SIGNED MESSAGE-----", "pgp-signed"), ("-----BEGIN PGP MESSAGE-----", "pgp-encrypted")],
)
def test_inline_pgp(start: str, security: str) -> None:
    assert parse_message(part(f"Halo\n\n{start}\nxx\n")).security == (security,)


# -- winmail.dat ------------------------------------------------------------------------------------------------------


def attribute(level: int, name: int, kind: int, value: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, kind, len(value)) + value + b"\0\0"


def prop(name: int, kind: int, value: bytes) -> bytes:
    return struct.pack("<HHII", kind, name, 1, len(value)) + value + b"\0" * (-len(value) % 4)


def tnef(*attributes: bytes) -> bytes:
    return b"\x78\x9f\x3e\x22\x01\x00" + b"".join(attributes)


def file_in_tnef(content: bytes, title: bytes, long_name: str) -> bytes:
    properties = struct.pack("<I", 1) + prop(0x3707, 0x1F, (long_name + "\0").encode("utf-16-le"))
    return (
        attribute(2, 0x9002, 6, b"\0" * 14)
        + attribute(2, 0x8010, 1, title + b"\0")
        + attribute(2, 0x800F, 6, content)
        + attribute(2, 0x9005, 6, properties)
    )


def winmail(*attributes: bytes) -> bytes:
    content = base64.encodebytes(tnef(*attributes))
    return part(content, "application/ms-tnef; name=winmail.dat", Content_Transfer_Encoding="base64")


def test_winmail_is_opened() -> None:
    raw = winmail(file_in_tnef(PNG, b"FOTO~1.PNG", "foto sekolah é.png"), file_in_tnef(b"x", b"a.txt", "a.txt"))
    message = parse_message(multi("mixed", PLAIN, raw))
    assert [(each.name, each.content_type, each.size) for each in message.attachments] == [
        ("foto sekolah é.png", "image/png", len(PNG)),
        ("a.txt", "text/plain", 1),
    ]
    assert message.text == "teks biasa"


def test_body_of_winmail_counts_where_there_is_no_other() -> None:
    html = struct.pack("<I", 1) + prop(0x1013, 0x102, b"<p>dari Outlook</p>")
    raw = winmail(attribute(1, 0x9003, 6, html))
    assert parse_message(raw).text == "dari Outlook"
    assert parse_message(multi("mixed", PLAIN, raw)).text == "teks biasa"


def test_rtf_of_winmail() -> None:
    rtf = b"{\\rtf1\\ansi\\ansicpg1252 {\\fonttbl{\\f0 Arial;}}Halo \\'e9 \\u8364?\\par dua}"
    packed = struct.pack("<II4sI", len(rtf) + 12, len(rtf), b"MELA", 0) + rtf
    raw = winmail(attribute(1, 0x9003, 6, struct.pack("<I", 1) + prop(0x1009, 0x102, packed)))
    assert parse_message(raw).text == "Halo é €\ndua"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x78\x9f\x3e\x22",
        PNG,
        tnef(attribute(2, 0x800F, 6, b"x")),
        tnef(b"\x02\x02\x90\0\0\xff\xff\xff\xff"),
        tnef(attribute(1, 0x9003, 6, b"\xff\xff\xff\xff" + b"\x1f\x10" * 50)),
    ],
)
def test_broken_winmail_stays_a_file(content: bytes) -> None:
    raw = part(base64.encodebytes(content), "application/ms-tnef; name=winmail.dat", Content_Transfer_Encoding="base64")
    message = parse_message(multi("mixed", PLAIN, raw))
    assert message.text == "teks biasa"
    assert [each.name for each in message.attachments] == ["winmail.dat"]
    assert "unreadable-tnef" in message.defects


def test_an_attachment_without_its_content_has_its_size_and_digest() -> None:
    file = Attachment("a.jpg", "image/jpeg", b"isi")
    inner = InboundMessage(attachments=(file,))
    bare = drop_contents(InboundMessage(attachments=(file,), nested=(inner,)))
    for kept in (*bare.attachments, *bare.nested[0].attachments):
        assert kept.content == b""
        assert (kept.size, kept.sha256) == (3, hashlib.sha256(b"isi").hexdigest())
        assert kept.drop_content() is kept
        assert (kept.name, kept.content_type) == (file.name, file.content_type)
