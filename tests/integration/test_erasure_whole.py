"""After `mailbot requester erase` nothing of a person is left: in no table, in no byte of its folder."""

from __future__ import annotations

import base64
import contextlib
import email
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from mailbot.store.search import index
from tests.support.people import (
    ACHA,
    ADDRESS,
    BUDI,
    SALLY,
    TryDesk,
)
from tests.support.postgres import Postgres

HER = "citra.kirana@sekolah-lama.example"
NAME = "Citra Kirana Wulandari"
# What she wrote, in subjects, words, files, on her own tickets and on one of somebody else.
WORDS = (
    "kelabang", "Zamrudin", "rumput-teki", "selongsong", "bukti-lumbung", "isi-berkas-lumbung", "mentimun-pahit",
    "gelagah-arum", "pelanduk",
)  # fmt: skip
OTHERS = ("Saldo awal", "acha@sekolah.example", "Sudah kami periksa")
DIGEST = hashlib.sha256(HER.encode()).hexdigest()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TryDesk]:
    url = ""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create()
    opened = TryDesk(tmp_path, url)
    yield opened
    opened.close()


def a_life_with_her(desk: TryDesk) -> None:
    """Her own ticket with a follow-up, one of Acha where she takes part, held mail, undelivered mail."""
    her = f"{NAME} <{HER}>"
    own = desk.opened(her, "Ada kelabang", "Tanya Zamrudin.", files=[("bukti-lumbung.txt", b"isi-berkas-lumbung")])
    told = [m for m in desk.to(SALLY, "notification") if f"#{own}" in m["Subject"]][-1]
    desk.reply(told, SALLY, "Mohon jelaskan soal rumput-teki itu.")
    desk.reply(desk.last(HER, "answer"), her, "Ini selongsong.")
    told = [m for m in desk.to(SALLY, "notification") if f"#{own}" in m["Subject"]][-1]
    desk.reply(told, SALLY, "#selesai\nDemikian.")
    desk.reply(desk.last(HER, "closure"), her, "Kendala masih terjadi, pelanduk.")
    shared = desk.opened(ACHA, "Saldo awal", "Saldo awal salah.", cc=her)
    told = [m for m in desk.to(SALLY, "notification") if f"#{shared}" in m["Subject"]][-1]
    desk.reply(told, SALLY, "Sudah kami periksa.")
    answer = [m for m in desk.to(HER, "answer") if f"#{shared}" in m["Subject"]][-1]
    desk.reply(answer, her, "Menurut saya mentimun-pahit, salam Citra.")
    told = [m for m in desk.to(SALLY, "notification") if f"#{shared}" in m["Subject"]][-1]
    desk.reply(told, SALLY, "Sudah kami periksa lagi.")
    answer = [m for m in desk.to(ACHA, "answer") if f"#{shared}" in m["Subject"]][-1]
    desk.reply(answer, ACHA, "Saldo awal sudah benar.")
    desk.write(her, "Pesan tertahan", "gelagah-arum", headers={"Auto-Submitted": "auto-generated"})
    desk.write(her, f"STATUS #{own}")
    index.catch_up(desk.desk.store)


def rows(desk: TryDesk) -> str:
    """Every value of every table, raw mail unpacked, as text."""
    from mailbot.store.tables import METADATA

    found: list[str] = []
    with desk.desk.store.reading() as connection:
        for table in METADATA.tables.values():
            for row in connection.execute(table.select()).all():
                for value in row:
                    if isinstance(value, bytes):
                        with_frame = value.startswith(b"\x28\xb5\x2f\xfd")
                        value = zstandard.ZstdDecompressor().decompress(value) if with_frame else value
                        found += [value.decode("latin-1"), *decoded(value)]
                    else:
                        found.append(str(value))
    return "\n".join(found)


def decoded(mail: bytes) -> Iterator[str]:
    """The texts and files of a mail, out of their transfer encodings."""
    for part in email.message_from_bytes(mail).walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield content.decode("utf-8", "replace")


def forms(word: str) -> Iterator[bytes]:
    """A word as files may hold it: UTF-8 and UTF-16 in either case, base64 at each of three offsets, its hex."""
    for text in {word, word.lower(), word.upper()}:
        yield text.encode()
        yield text.encode("utf-16-le")
        yield text.encode("utf-16-be")
        yield text.encode().hex().encode()
        for shift in range(3):
            encoded = base64.b64encode(bytes(shift) + text.encode())
            yield encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]


def in_files(folder: Path, words: tuple[str, ...]) -> set[tuple[str, str]]:
    """(file, word) for each word that stands somewhere in the folder, also compressed."""
    found = set()
    for file in folder.rglob("*"):
        if not file.is_file():
            continue
        content = file.read_bytes()
        at = content.find(b"\x28\xb5\x2f\xfd")
        unpacked = [content]
        while at >= 0:  # every zstd frame, also in unused pages
            with contextlib.suppress(zstandard.ZstdError):
                unpacked.append(zstandard.ZstdDecompressor().decompressobj().decompress(content[at : at + 1_000_000]))
            at = content.find(b"\x28\xb5\x2f\xfd", at + 4)
        whole = b"\n".join(unpacked)
        found |= {(file.name, word) for word in words for form in forms(word) if len(form) > 5 and form in whole}
    return found


def test_nothing_is_left_anywhere(desk: TryDesk, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    a_life_with_her(desk)
    looked_for = (*WORDS, HER, "Citra Kirana", "Wulandari")
    before = rows(desk).lower()
    assert [word for word in looked_for if word.lower() not in before] == []
    if desk.desk.store.is_sqlite:
        assert {word for _, word in in_files(tmp_path, looked_for)} >= {"kelabang", HER}
    caplog.clear()
    desk.desk.helpdesk.erase_requester(HER.upper())
    after = rows(desk).lower()
    assert [word for word in looked_for if word.lower() in after] == []
    assert all(word.lower() in after for word in OTHERS)
    assert DIGEST[:12] in after  # the audit line
    assert desk.desk.helpdesk.export_requester(HER)["tickets"] == []
    desk.close()
    assert in_files(tmp_path, looked_for) == set()
    assert not [word for word in looked_for if word.lower() in caplog.text.lower()]


def test_the_desk_works_on(desk: TryDesk) -> None:
    a_life_with_her(desk)
    desk.desk.helpdesk.erase_requester(HER)
    before = len(desk.sent)
    desk.pass_time(days=3)
    number = desk.opened(ACHA, "Soal baru", "Baru.")
    assert number in desk.numbers()
    assert HER not in {sent.recipient for sent in desk.sent[before:]}
    assert {sent.recipient for sent in desk.sent[before:]} <= {ACHA, SALLY, BUDI}
    assert ADDRESS in desk.last(ACHA)["From"]
