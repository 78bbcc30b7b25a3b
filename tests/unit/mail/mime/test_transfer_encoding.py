"""Transfer encodings: base64 in pieces, and files uuencoded inside a text."""

from __future__ import annotations

import base64
import binascii

import pytest

from mailbot.mail.mime.transfer_encoding import (
    MAX_UU_FILES,
    UuFile,
    cut_uuencoded,
    decode_base64_part,
    decode_transfer,
)


def uu(name: bytes, content: bytes) -> bytes:
    lines = b"".join(binascii.b2a_uu(content[at : at + 45]) for at in range(0, len(content), 45))
    return b"begin 644 " + name + b"\n" + lines + b"`\nend\n"


FILE = b"isi berkas yang cukup panjang untuk dua baris, lebih dari empat puluh lima"


def test_files_are_cut_out_of_their_text() -> None:
    text, files = cut_uuencoded(b"Halo\n" + uu(b"a.doc", FILE) + b"dan\n" + uu(b"b.doc", b"dua") + b"selesai\n")
    assert files == [UuFile(b"a.doc", FILE), UuFile(b"b.doc", b"dua")]
    assert text.split() == [b"Halo", b"dan", b"selesai"]


def test_words_that_begin_alike_and_a_file_without_end_stay_text() -> None:
    for text in (b"begin 644 hari ini\nkami tidak bisa masuk, mohon dibantu\n", uu(b"a.doc", FILE)[:-4], b"begin\n"):
        assert cut_uuencoded(text) == (text, [])
    mixed = b"begin 644 x\nkami tidak bisa masuk, mohon dibantu\n" + uu(b"a.doc", FILE)
    text, files = cut_uuencoded(mixed)
    assert [each.content for each in files] == [FILE]
    assert b"mohon dibantu" in text


def test_a_line_with_a_checksum_behind_it_counts() -> None:
    line = binascii.b2a_uu(b"isi")[:-1]
    _, files = cut_uuencoded(b"begin 644 a\n" + line + b"\x21\x22\n`\nend\n")
    assert [each.content for each in files] == [b"isi"]


def test_an_empty_file_is_none_and_files_have_a_bound() -> None:
    assert cut_uuencoded(b"begin 644 a\n`\nend\n")[1] == []
    assert len(cut_uuencoded(uu(b"a", b"x" * 45) * (MAX_UU_FILES + 3))[1]) == MAX_UU_FILES


LETTERS = base64.encodebytes(bytes(range(256)) * 40)


@pytest.mark.parametrize("size", [1, 3, 4, 5, 76, 1 << 20])
@pytest.mark.parametrize(
    "data",
    [
        LETTERS, LETTERS.replace(b"\n", b"\r\n"), LETTERS.replace(b"\n", b" \t\n"), LETTERS.replace(b"\n", b""), b"",
        b"\r\n", b"QUJD", b"QUI=\r\n", b"QQ==", b"QQ=\n=\n",
    ],
)  # fmt: skip
def test_plain_base64_is_decoded_alike_in_pieces(data: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.mail.mime.transfer_encoding._PIECE", size)
    around = b"--b\r\n\r\n" + data + b"--b--"
    assert (decode_base64_part(around, 7, 7 + len(data)), "") == decode_transfer(data, "base64")


@pytest.mark.parametrize("size", [1, 4, 76, 1 << 20])
@pytest.mark.parametrize("data", [b"QQ==QUJD", b"QUI=\nQUJD", b"QUJ", b"Q", b"QU*JD", b"=QUJ", b"====", b"\xff"])
def test_what_is_no_plain_base64_is_left_to_the_repair(data: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.mail.mime.transfer_encoding._PIECE", size)
    assert decode_base64_part(data, 0, len(data)) is None
