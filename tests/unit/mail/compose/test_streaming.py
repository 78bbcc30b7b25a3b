"""Mails with large files sent in pieces: valid, of the announced size, with the files as they were."""

from __future__ import annotations

import base64
import random

import pytest

from mailbot.mail.compose.attachments import enclose
from mailbot.mail.compose.composer import compose
from mailbot.mail.compose.streaming import InBase64, Outgoing
from mailbot.mail.message import Attachment
from mailbot.transport.smtp.submission import dot_stuffed, line_ends
from tests.unit.mail.compose.test_composer import DRAFT, parsed

SIZES = [0, 1, 2, 3, 56, 57, 58, 114, 57 * 8192 - 1, 57 * 8192, 57 * 8192 + 1, 1_300_000]


@pytest.mark.parametrize("size", SIZES)
def test_base64_in_pieces_has_the_lines_and_the_length_of_the_whole(size: int) -> None:
    content = random.Random(size).randbytes(size)
    body = b"".join(InBase64(content).pieces())
    assert body == base64.encodebytes(content).replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    assert len(InBase64(content)) == len(body)


def test_a_mail_in_pieces_is_the_mail_and_knows_its_size() -> None:
    files = [
        Attachment("foto.jpg", "image/jpeg", random.Random(1).randbytes(1_000_000)),
        Attachment("kosong.txt", "text/plain", b""),
    ]
    mail = enclose(compose(DRAFT), files)
    whole = bytes(mail)
    attached = [part.get_payload(decode=True) for part in parsed(whole).iter_attachments()]
    assert attached == [file.content for file in files]
    assert mail.size == len(whole)
    assert mail.header == whole[: whole.index(b"\r\n\r\n") + 1]
    assert mail.isascii() and whole.isascii()
    assert line_ends(whole) is whole  # so nothing of it has to be repaired on the way
    assert b"".join(dot_stuffed(mail.pieces())) == b"".join(dot_stuffed([whole]))
    assert all(mail.pieces())


def test_a_byte_beyond_ascii_is_seen() -> None:
    assert not Outgoing((b"Subject: \xc3\xa9\r\n\r\nx\r\n",)).isascii()
