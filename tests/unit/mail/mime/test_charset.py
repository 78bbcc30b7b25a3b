"""Decoding text under wrong or missing labels: wide charsets without a mark, shifting ones, torn characters."""

from __future__ import annotations

import pytest

from mailbot.mail.mime.charset import clean, decode, guess_text


@pytest.mark.parametrize(
    ("data", "label", "text", "defect"),
    [
        # a label that no byte agrees with
        ("кот".encode("koi8-r"), "koi8-r", "кот", ""),
        (b"\x81\x39", "big5", "\ufffd9", "charset-mismatch:big5"),
        ("empat ürütan é à".encode(), "koi8-r", "empat ürütan é à", "charset-mismatch:koi8-r"),
        (b"\x93kutip\x94 \xb1", "iso-8859-2", "“kutip” ą", "charset-mismatch:iso-8859-2"),
        # wide ones: by their mark, by where the zeros are, else big-endian (RFC 2781 §4.3)
        ("hai".encode("utf-32-le"), "utf-32le", "hai", ""),
        (b"\xff\xfeh\0i\0", "", "hi", ""),
        (b"\xfe\xff\0h\0i", "us-ascii", "hi", ""),
        ("hai".encode("utf-16-le"), "utf-16", "hai", ""),
        ("hai".encode("utf-16-be"), "utf-16le", "hai", ""),
        (b"hanya ascii", "utf-16", "hanya ascii", "charset-mismatch:utf-16"),
        ("日本".encode("utf-16-be"), "utf-16", "日本", ""),
        # shifting ones, which look like ASCII
        ("日本語".encode("iso2022-jp"), "", "日本語", ""),
        (b"\x1b$B-!\x1b(B satu", "iso-2022-jp", "① satu", ""),  # a vendor's character
        (b"\x1b$B-!\x1b(I1\x1b(B.", "iso-2022-jp", "①ｱ.", ""),  # and half-width letters after it
        (b"~{!", "hz-gb-2312", "\ufffd", "charset-mismatch:hz-gb-2312"),
        # refused
        (b"+ADw-b+AD4-", "utf-7", "+ADw-b+AD4-", "utf-7-refused"),
    ],
)  # fmt: skip
def test_text_and_defect(data: bytes, label: str, text: str, defect: str) -> None:
    assert decode(data, label) == (text, defect)


@pytest.mark.parametrize(
    ("data", "hint", "text"),
    [
        ("é".encode(), "koi8-r", "é"),
        ("кот".encode("koi8-r"), "koi8-r", "кот"),
        (b"caf\xe9", "utf-8", "café"),
        (b"caf\xe9", "utf-7", "café"),
        ("é".encode() + b" \x93x\x94", "", "é “x”"),
    ],
)
def test_a_raw_field_is_guessed(data: bytes, hint: str, text: str) -> None:
    assert guess_text(data, hint) == text


def test_what_no_page_can_hold_is_gone() -> None:
    assert clean("a\r\nb\rc\x0bd\u2028e\x00f\ud800g\x85h\ti") == "a\nb\nc\nd\nef\ufffdg\nh\ti"
