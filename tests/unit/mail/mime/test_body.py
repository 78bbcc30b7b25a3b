"""The body of a mail: which part is its text, and how its bytes are decoded."""

from __future__ import annotations

import base64
import quopri

import pytest

from mailbot.mail.analysis import analyse, analyse_fully
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.mime.parser import parse_message


def part(content: str | bytes, content_type: str = "text/plain; charset=utf-8", **fields: str) -> bytes:
    """A part with its header; fields are named with `_` for `-`."""
    lines = [f"Content-Type: {content_type}"] if content_type else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\n".join(lines).encode() + b"\n\n" + (content.encode() if isinstance(content, str) else content)


def multi(kind: str, *parts: bytes, boundary: str = "b0", **parameters: str) -> bytes:
    """A multipart of parts."""
    more = "".join(f'; {name}="{value}"' for name, value in parameters.items())
    delimiter = f"\n--{boundary}\n".encode()
    start = f'Content-Type: multipart/{kind}; boundary="{boundary}"{more}\n'.encode()
    return start + b"".join(delimiter + each for each in parts) + f"\n--{boundary}--\n".encode()


# -- one part -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "data", "text"),
    [
        ("utf-8", "é 😀", "é 😀"),
        ("", "é", "é"),
        ("us-ascii", b"\x93kutip\x94", "“kutip”"),
        ("iso-8859-1", b"5 \x80 \xe9", "5 € é"),
        ("iso-8859-1", "déjà".encode(), "déjà"),  # UTF-8 under the name of Latin-1
        ("utf-8", b"\x93kutip\x94 \xe9", "“kutip” é"),  # Windows under the name of UTF-8
        ("utf-8", "campur é ".encode() + b"\x93x\x94", "campur é “x”"),
        ("gb2312", "某幥".encode("gb18030"), "某幥"),
        ("big5", "中文".encode("big5"), "中文"),
        ("ks_c_5601-1987", "한글".encode("cp949"), "한글"),
        ("shift_jis", "①です".encode("cp932"), "①です"),
        ("iso-2022-jp", "こんにちは".encode("iso2022-jp"), "こんにちは"),
        ("", "こんにちは".encode("iso2022-jp"), "こんにちは"),
        ("koi8-r", "Привет".encode("koi8-r"), "Привет"),
        ("koi8-r", "Привет".encode(), "Привет"),  # UTF-8 under another name
        ("x-mac-cyrillic", "Привет".encode("mac-cyrillic"), "Привет"),
        ("utf-16", "halo é".encode("utf-16"), "halo é"),
        ("utf-16", "halo".encode("utf-16-le"), "halo"),  # no mark: seen from the zeros
        ("utf-16", "halo".encode("utf-16-be"), "halo"),
        ("utf-16", "halo", "halo"),  # it only says so
        ("utf-7", "+ADw-script+AD4-", "+ADw-script+AD4-"),
        ("foo-999", "é", "é"),
        ("foo-999", b"\xe9", "é"),
        ("zlib", b"x\x9cabc", "xœabc"),
        ("unicode_escape", "\\u0041", "\\u0041"),
        ('\\"us-ascii\\"', "halo", "halo"),
        ("UTF-8; format=x", "é", "é"),
        ("utf-8", "a\x00b\r\nc\rd\x1b[2Je", "ab\nc\nd[2Je"),
        ("utf-8", b"\xef\xbb\xbfhalo", "halo"),
    ],
)
def test_charsets(label: str, data: str | bytes, text: str) -> None:
    assert parse_message(part(data, f'text/plain; charset="{label}"' if label else "text/plain")).text == text


@pytest.mark.parametrize(
    ("label", "defect"), [("foo-999", "unknown-charset:foo-999"), ("utf-7", "utf-7-refused"), ("koi8-r", "")]
)
def test_a_lying_charset_is_told(label: str, defect: str) -> None:
    assert parse_message(part(b"\xe9", f"text/plain; charset={label}")).defects == ((defect,) if defect else ())


@pytest.mark.parametrize(
    ("encoding", "data", "text"),
    [
        ("base64", base64.b64encode(b"halo dunia"), "halo dunia"),
        ("BASE64 ", base64.b64encode(b"halo dunia"), "halo dunia"),
        ("base64", b"aGFsbyBkdW5pYQ", "halo dunia"),  # padding lost
        ("base64", b"aGFsbyBkdW5pYQ=\n=", "halo dunia"),
        ("base64", b"aGFsbw==\nIGR1bmlh\n", "halo dunia"),  # padded in the middle
        ("base64", b"aGFs\r\nbyBk \t dW5pYQ==", "halo dunia"),
        ("base64", b"aGFsbyBkdW5pYQ==\n-- \nmilis: daftar@x.id\n", "halo dunia"),  # a footer hung on it
        ("base64", b"halo dunia, ini bukan base64", "halo dunia, ini bukan base64"),
        ("quoted-printable", b"caf=C3=A9 =3D", "café ="),
        ("quoted-printable", b"caf=c3=a9", "café"),
        ("quoted-printable", b"satu =\ndua=  \ntiga", "satu duatiga"),
        ("quoted-printable", b"100=% dan =ZZ =", "100=% dan =ZZ"),
        ("quoted-printable", "raw é".encode(), "raw é"),
        ('"quoted-printable"; x', b"=C3=A9", "é"),
        ("8bit", "é".encode(), "é"),
        ("entah", "é".encode(), "é"),
        ("x-uuencode", b"begin 644 x\n$:&%L;P``\n`\nend\n", "halo"),
    ],
)
def test_transfer_encodings(encoding: str, data: bytes, text: str) -> None:
    assert parse_message(part(data, Content_Transfer_Encoding=encoding)).text == text


def test_damaged_base64_line_spoils_only_itself() -> None:
    words = b"".join(b"baris nomor %03d dari surat ini sekarang ada\n" % n for n in range(20))
    lines = base64.encodebytes(words).split(b"\n")
    lines[3] = b"!!" + lines[3][:-3]
    text = parse_message(part(b"\n".join(lines), Content_Transfer_Encoding="base64")).text
    assert "baris nomor 019 dari surat ini" in text
    assert "baris nomor 000 dari surat ini" in text


def test_flowed_lines_are_joined_and_quotes_kept() -> None:
    body = "satu \ndua\n\n> kutip \n> an\n>> dalam\n From awal\n-- \nBudi "
    read = parse_message(part(body, "text/plain; charset=utf-8; format=flowed")).text
    assert read == "satu dua\n\n> kutip an\n>> dalam\nFrom awal\n-- \nBudi"


def test_delsp_drops_the_space_of_a_soft_break() -> None:
    assert parse_message(part("你 \n好", "text/plain; charset=utf-8; format=flowed; delsp=yes")).text == "你好"


def test_uuencoded_file_in_a_text_is_a_file() -> None:
    message = parse_message(part("Lihat:\n\nbegin 644 data.txt\n$:&%L;P``\n`\nend\n\nsekian\n"))
    assert [(each.name, each.content) for each in message.attachments] == [("data.txt", b"halo")]
    assert message.text.split() == ["Lihat:", "sekian"]


def test_words_that_look_like_uuencode_stay() -> None:
    body = "kami mulai:\nbegin 644 langkah pertama\nbuka aplikasi, masuk, lalu tunggu sampai selesai ya pak\nend\n"
    message = parse_message(part(body))
    assert message.attachments == ()
    assert "buka aplikasi" in message.text


# -- HTML -------------------------------------------------------------------------------------------------------------


def test_html_only_gives_its_words_as_text() -> None:
    message = parse_message(part("<p>Halo <b>Bapak</b></p><p>Mohon bantuan</p>", "text/html; charset=utf-8"))
    assert message.text == "Halo Bapak\n\nMohon bantuan"
    assert message.text_from_html
    assert message.html.startswith("<p>Halo")


def test_html_charset_from_its_meta() -> None:
    html = b'<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">' + "Привет".encode("koi8-r")
    assert parse_message(part(html, "text/html")).text == "Привет"


def test_html_under_the_name_of_text_is_read_as_html() -> None:
    message = parse_message(part("<!DOCTYPE html><html><body><p>Halo</p></body></html>"))
    assert (message.text, message.text_from_html) == ("Halo", True)


# -- multiparts -------------------------------------------------------------------------------------------------------

PLAIN = part("teks biasa")
HTML = part("<p>teks kaya</p>", "text/html")
PICTURE = part(base64.b64encode(b"\x89PNG\r\n\x1a\nx"), 'image/png; name="a.png"', Content_Transfer_Encoding="base64")


def test_alternative_keeps_plain_and_html() -> None:
    message = parse_message(multi("alternative", PLAIN, HTML))
    assert (message.text, message.html, message.text_from_html) == ("teks biasa", "<p>teks kaya</p>", False)


def test_alternative_with_an_empty_plain_part() -> None:
    message = parse_message(multi("alternative", part(" \n\n"), HTML))
    assert (message.text, message.text_from_html) == ("teks kaya", True)


def test_alternative_of_plain_and_related() -> None:
    message = parse_message(multi("alternative", PLAIN, multi("related", HTML, PICTURE, boundary="b1")))
    assert (message.text, message.html) == ("teks biasa", "<p>teks kaya</p>")
    assert [each.name for each in message.attachments] == ["a.png"]


def test_texts_around_pictures_are_one_text_in_their_order() -> None:
    message = parse_message(multi("mixed", part("Ini fotonya:\n"), PICTURE, part("\n\nTerima kasih\n")))
    assert message.text == "Ini fotonya:\n\nTerima kasih"
    assert [each.name for each in message.attachments] == ["a.png"]


def test_apples_html_around_files_inside_an_alternative() -> None:
    inner = multi("mixed", part("<p>satu</p>", "text/html"), PICTURE, part("<p>dua</p>", "text/html"), boundary="b1")
    message = parse_message(multi("alternative", part("satu\n\ndua"), inner))
    assert message.text == "satu\n\ndua"
    assert message.html == "<p>satu</p>\n<p>dua</p>"


def test_html_and_a_plain_footer_are_both_shown() -> None:
    message = parse_message(multi("mixed", part("<p>isi</p>", "text/html"), part("kaki: 1 < 2")))
    assert message.text == "isi\n\nkaki: 1 < 2"
    assert message.html == "<p>isi</p>\n<pre>kaki: 1 &lt; 2</pre>"


def test_plain_and_html_of_one_text_sent_as_two_parts() -> None:
    both = (part("Mohon bantuan untuk akun kami"), part("<p>Mohon bantuan untuk akun kami</p>", "text/html"))
    message = parse_message(multi("mixed", *both))
    assert message.text == "Mohon bantuan untuk akun kami"
    assert message.html == "<p>Mohon bantuan untuk akun kami</p>"


def test_plain_text_that_is_an_attachment_is_no_body() -> None:
    log = part("catatan", 'text/plain; name="log.txt"', Content_Disposition='attachment; filename="log.txt"')
    message = parse_message(multi("mixed", PLAIN, log))
    assert message.text == "teks biasa"
    assert [(each.name, each.content) for each in message.attachments] == [("log.txt", b"catatan")]


def test_a_named_text_after_the_first_is_a_file_even_inline() -> None:
    listing = part("a;b", 'text/plain; name="daftar.txt"', Content_Disposition="inline")
    message = parse_message(multi("mixed", PLAIN, listing))
    assert message.text == "teks biasa"
    assert [each.name for each in message.attachments] == ["daftar.txt"]


def test_a_single_named_text_is_the_body() -> None:
    assert parse_message(part("halo", 'text/plain; name="pesan.txt"')).text == "halo"


def test_text_that_a_phone_names_is_the_body_where_there_is_no_other() -> None:
    message = parse_message(multi("mixed", PICTURE, part("dari HP", 'text/plain; name="text_0.txt"')))
    assert message.text == "dari HP"
    assert [each.name for each in message.attachments] == ["a.png", "text_0.txt"]


def test_renderings_for_other_programs_are_no_files() -> None:
    message = parse_message(multi("alternative", PLAIN, part("<html amp4email>", "text/x-amp-html"), HTML))
    assert (message.text, message.attachments) == ("teks biasa", ())


def test_enriched_text_where_there_is_no_other() -> None:
    message = parse_message(multi("alternative", part("<bold>Halo</bold> Pak", "text/enriched")))
    assert message.text == "Halo Pak"


def test_related_root_by_start() -> None:
    raw = multi("related", PICTURE, part("<p>akar</p>", "text/html", Content_ID="<r@x>"), start="<r@x>")
    message = parse_message(raw)
    assert message.text == "akar"
    assert [each.name for each in message.attachments] == ["a.png"]


# -- broken structure -------------------------------------------------------------------------------------------------


def test_no_closing_boundary() -> None:
    message = parse_message(multi("mixed", PLAIN, PICTURE).replace(b"--b0--", b""))
    assert (message.text, len(message.attachments)) == ("teks biasa", 1)
    assert "no-closing-boundary" in message.defects


def test_boundary_that_the_header_forgot() -> None:
    message = parse_message(multi("mixed", PLAIN, PICTURE).replace(b'; boundary="b0"', b""))
    assert (message.text, len(message.attachments)) == ("teks biasa", 1)
    assert "no-boundary" in message.defects


def test_multipart_that_is_a_mere_text() -> None:
    message = parse_message(b"Content-Type: multipart/mixed; boundary=zz\n\nhanya teks\n")
    assert message.text == "hanya teks"
    assert "no-parts" in message.defects


def test_text_that_is_a_multipart() -> None:
    raw = multi("mixed", PLAIN, PICTURE).replace(b"multipart/mixed", b"text/html", 1).replace(b'"\n\n', b'"\n\n', 1)
    message = parse_message(raw)
    assert (message.text, len(message.attachments)) == ("teks biasa", 1)


def test_parts_after_the_close_are_not_lost() -> None:
    raw = multi("mixed", PLAIN) + b"--b0\n" + part("susulan") + b"\n--b0--\nepilog\n"
    assert parse_message(raw).text == "teks biasa\n\nsusulan"


def test_boundaries_that_begin_alike() -> None:
    inner = multi("alternative", PLAIN, HTML, boundary="b01")
    assert parse_message(multi("mixed", inner, PICTURE)).text == "teks biasa"


@pytest.mark.parametrize("boundary", ["--x--", "=_?a=b", "a'b()+,-./:=?", "=?utf-8?Q?a?=", "a" * 70])
def test_odd_boundaries(boundary: str) -> None:
    assert parse_message(multi("mixed", PLAIN, PICTURE, boundary=boundary)).text == "teks biasa"


def test_line_ends_of_every_kind() -> None:
    raw = multi("alternative", PLAIN, HTML)
    assert parse_message(raw.replace(b"\n", b"\r\n")).text == "teks biasa"
    assert parse_message(raw.replace(b"b0\n", b"b0  \n")).text == "teks biasa"


def test_parts_without_header_and_empty_parts() -> None:
    assert parse_message(multi("mixed", b"\nlangsung teks", b"", part(""))).text == "langsung teks"


def test_multipart_encoded_as_a_whole() -> None:
    raw = multi("mixed", PLAIN, PICTURE)
    head, body = raw.split(b"\n", 1)
    encoded = head + b"\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(body)
    assert parse_message(encoded).text == "teks biasa"


def test_quoted_printable_round_trip_of_indonesian() -> None:
    words = "Mohon bantuannya – akun “operator” terkunci… Rp 5.000.000 😀\n"
    raw = part(quopri.encodestring(words.encode()), Content_Transfer_Encoding="quoted-printable")
    assert parse_message(raw).text == words.strip()


MARKUP = "<html><body><p>Halo <b>guru</b></p></body></html>"


@pytest.mark.parametrize("more", ["", f"--b\r\nContent-Type: text/html\r\n\r\n{MARKUP}\r\n"])
def test_html_under_the_name_of_plain_text_beside_a_real_one_is_the_html(more: str) -> None:
    parts = "".join(f"--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n" for text in ("Halo guru", MARKUP))
    head = "From: a@x.id\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    message = parse_message(f"{head}{parts}{more}--b--\r\n".encode())
    assert (message.text, message.html.strip(), message.attachments) == ("Halo guru", MARKUP, ())


def test_a_worker_that_has_nothing_else_to_do_tells_the_new_words_too() -> None:
    raw = b"From: a@x.id\r\nSubject: Re: x\r\n\r\nSudah bisa.\r\n\r\n> Mohon dicek.\r\n"
    understood = analyse_fully(raw, OwnIdentity())
    assert understood.words is not None and understood.words.text == "Sudah bisa."
    assert analyse(raw, OwnIdentity()).words is None
