"""What is changed inside base64 and what stays; domains in letters beyond ASCII; long and preformatted HTML."""

from __future__ import annotations

import base64

import pytest

from mailbot.mail.mime.address import addr_spec
from mailbot.mail.mime.html_to_text import html_to_text
from mailbot.mail.mime.transfer_encoding import decode_base64_part, decode_transfer
from mailbot.mail.redaction import in_base64_blocks


def upper(content: bytes) -> bytes:
    return content.upper()


def test_only_what_is_inside_base64_is_changed_and_its_lines_stay() -> None:
    block = base64.encodebytes(b"kata rahasia " * 12).replace(b"\n", b"\r\n")
    changed = in_base64_blocks(b"From: a\r\n\r\n" + block + b"--b\r\n", upper)
    assert changed.startswith(b"From: a\r\n\r\n")
    assert base64.b64decode(changed[11:-5]) == b"KATA RAHASIA " * 12
    assert [len(line) for line in changed.split(b"\r\n")[2:]] == [len(line) for line in block.split(b"\r\n")[:-1]] + [
        3,
        0,
    ]


@pytest.mark.parametrize("raw", [b"QUJDREVGR0hJSktMTU5PU\r\n", base64.b64encode(b"ABCDEFGHIJKLMNOP") + b"\r\n"])
def test_what_is_no_base64_or_does_not_change_stays(raw: bytes) -> None:
    assert in_base64_blocks(raw, upper) == raw


def test_a_change_of_the_length_is_not_made() -> None:
    raw = base64.b64encode(b"kata rahasia di sini") + b"\r\n"
    assert in_base64_blocks(raw, lambda content: content + b"x") == raw


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


def test_long_and_preformatted_words_of_html_are_all_there() -> None:
    words = "kata panjang " * 40_000
    assert html_to_text(f"<p>{words}</p>").split() == words.split()
    kept = "a  b\r\nc\n\n  d"
    assert html_to_text(f"<pre>{kept}</pre>") == "a  b\nc\n\n  d"
    assert html_to_text("") == ""


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
def test_what_is_no_plain_base64_is_left_to_the_mender(data: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.mail.mime.transfer_encoding._PIECE", size)
    assert decode_base64_part(data, 0, len(data)) is None
