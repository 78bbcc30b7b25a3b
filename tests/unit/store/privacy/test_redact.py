"""Writing over what others' mail says of a person, without moving the rest."""

from __future__ import annotations

import base64
import quopri
import time

import pytest

from mailbot.store.privacy.redact import Mentions

HER = Mentions(
    "citra@sekolah.example", ["Citra Kirana", "Ci"], ["Menurut saya saldonya tetap salah.\nya", "Rapat é besok pagi"]
)


@pytest.mark.parametrize("encode", [lambda b: b, quopri.encodestring, base64.encodebytes], ids=["8bit", "qp", "base64"])
@pytest.mark.parametrize(
    "said",
    [
        "Cc: Citra Kirana <CITRA@Sekolah.example>, lain@x.example",
        "> Menurut saya\n> saldonya tetap\n> salah.",
        "> > Menurut saya saldonya\r\n> > tetap salah.",
        "Rapat é besok pagi",
        "Menurut   saya saldonya tetap salah. " * 9,
    ],
)
def test_a_mention_is_written_over_at_equal_length(encode: object, said: str) -> None:
    content = f"Sebelumnya ada kata lain di sini.\r\n{said}\r\nSesudahnya juga ada kata lain.\r\n".encode()
    raw = b"Subject: x\r\n\r\n" + encode(content)  # type: ignore[operator]
    masked = HER.masked_in_mail(raw)
    assert len(masked) == len(raw)
    assert masked.count(b"\n") == raw.count(b"\n")
    body = masked.split(b"\r\n\r\n", 1)[1]
    decoded = (base64.b64decode(body) if encode is base64.encodebytes else quopri.decodestring(body)).decode(
        "utf-8", "replace"
    )
    for word in ("citra", "kirana", "saldonya", "besok"):
        assert word not in decoded.lower()
    assert "Sebelumnya ada kata lain" in decoded
    assert "Sesudahnya juga" in decoded


def test_short_words_and_other_people_stay() -> None:
    text = "ya, Ci, citrasari@sekolah.example dan saldo"
    assert HER.masked_in(text) == text
    assert HER.masked_in("Halo Citra  Kirana!") == "Halo xxxxx  xxxxxx!"


@pytest.mark.parametrize("hostile", ["menurut saya " * 40_000, "c=\r\n" * 60_000, "m" * 300_000, "> = > " * 50_000])
def test_hostile_text_costs_little(hostile: str) -> None:
    started = time.process_time()
    HER.masked_in(hostile)
    HER.masked_in_mail(hostile.encode())
    assert time.process_time() - started < 3
