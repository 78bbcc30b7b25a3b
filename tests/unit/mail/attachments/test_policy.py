"""Which files are withheld: by content, name, and contents of archives."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import time
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.mail.attachments.archives import inspect_archive
from mailbot.mail.attachments.policy import Refusals, screen
from mailbot.mail.message import Attachment
from mailbot.mail.mime.filetype import file_type
from mailbot.mail.mime.parser import parse_message
from mailbot.vocabulary.labels import WITHHELD_FILE
from mailbot.vocabulary.refused_files import (
    DEFAULT,
    INFECTED,
    KINDS,
    UNSCANNED,
)
from tests.support.archive_files import (
    SEVEN_ZIP,
    SEVEN_ZIP_ENCRYPTED,
    SEVEN_ZIP_HIDDEN,
    deflated_zip,
    locked,
    lying_zip,
    make_tar,
    make_zip,
    rar4,
    rar5,
)

MZ = b"MZ" + bytes(58) + b"\x40\x00\x00\x00" + b"PE\x00\x00" + bytes(100)
EXE = {"surat/undangan.exe": MZ}
PAGE = {"surat/foto.jpg": b"\xff\xd8\xff\xe0 jpeg"}


def attached(name: str, content: bytes, declared: str = "application/octet-stream") -> Attachment:
    return Attachment(name, file_type(content, name, declared), content)


def verdict(name: str, content: bytes = b"words", **more: object) -> str:
    """kind, or kind:path in the archive; "" where the file may go on."""
    held = Refusals(**more).judge(attached(name, content))  # type: ignore[arg-type]
    return "" if held is None else f"{held.kind}:{held.inside}" if held.inside else held.kind


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        # what a name says
        ("undangan.apk", b"x", "programs"),
        ("UNDANGAN.APK", b"x", "programs"),
        ("foto.jpg.exe", b"x", "programs"),
        ("foto.jpg     .exe", b"x", "programs"),
        ("setup.msi", b"x", "programs"),
        ("tagihan.pdf.js", b"x", "scripts"),
        ("laporan.vbs", b"x", "scripts"),
        ("jalankan.ps1", b"x", "scripts"),
        ("surat.hta", b"x", "scripts"),
        ("folder.lnk", b"x", "shortcuts"),
        ("surat.txt.{3050f4d8-98B5-11CF-BB82-00AA00BDCE0B}", b"x", "shortcuts"),
        ("koneksi.rdp", b"x", "shortcuts"),
        ("cd.iso", b"x", "disk_images"),
        ("lama.ace", b"x", "unreadable"),
        # what the content proves, under any name
        ("foto.jpg", MZ, "programs"),
        ("foto", b"\x7fELF\x02\x01\x01" + bytes(60), "programs"),
        ("foto.png", b"L\x00\x00\x00\x01\x14\x02\x00" + bytes(80), "shortcuts"),
        ("laporan.pdf", bytes(0x8001) + b"CD001" + bytes(2048), "disk_images"),
        ("halaman.html", b"<html><HTA:APPLICATION id=a><script>x</script></html>", "scripts"),
        ("surat.txt", b"Windows Registry Editor Version 5.00\r\n", "scripts"),
        # what schools send
        ("laporan.pdf", b"%PDF-1.7 ...", ""),
        ("foto.jpg", b"\xff\xd8\xff\xe0", ""),
        ("BKU.xlsm", b"PK\x03\x04" + bytes(30), ""),
        ("BKU.xlsx", make_zip({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}), ""),
        ("halaman.html", b"<html><script>alert(1)</script></html>", ""),
        ("gambar.svg", b"<svg onload='x'>", ""),
        ("catatan.txt", b"js exe bat", ""),
        ("tanpa-ekstensi", b"words", ""),
        ("v2.0", b"words", ""),
        ("kosong.zip", b"", ""),
    ],
)  # fmt: skip
def test_a_file_is_judged_by_content_then_by_name(name: str, content: bytes, kind: str) -> None:
    assert verdict(name, content) == kind


def zipped(*names: str) -> bytes:
    return make_zip(dict.fromkeys(names, b"x"))


ARCHIVES = {
    "zip": (make_zip(EXE), "programs:surat/undangan.exe"),
    "compressed zip": (deflated_zip(EXE | PAGE), "programs:surat/undangan.exe"),
    "name with a blank at its end": (zipped("a.exe "), "programs:a.exe"),
    "name with a dot at its end": (zipped("a.exe."), "programs:a.exe."),
    "zip in a zip": (make_zip({"b.zip": make_zip(EXE)}), "programs:b.zip/surat/undangan.exe"),
    "compressed zip in a zip": (deflated_zip({"b.zip": deflated_zip(EXE)}), "programs:b.zip/surat/undangan.exe"),
    "tar in a zip": (deflated_zip({"b.tar": make_tar(EXE)}), "programs:b.tar/surat/undangan.exe"),
    "behind a program's begin": (b"PK\x03\x04junk" + make_zip(EXE), "programs:surat/undangan.exe"),
    "only good files": (make_zip(PAGE), ""),
    "a good zip in a zip": (deflated_zip({"b.zip": make_zip(PAGE)}), ""),
    "with a password": (locked(make_zip(PAGE)), ""),
    "with a password, a bad name": (locked(make_zip(EXE)), "programs:surat/undangan.exe"),
    "an archive behind a password": (locked(make_zip({"b.zip": make_zip(PAGE)})), "unreadable"),
    "cut off": (make_zip(PAGE)[:-30], "unreadable"),
    "six levels": (
        make_zip({"e.zip": deflated_zip({"d.zip": deflated_zip({"c.zip": deflated_zip({"b.zip": deflated_zip(
            {"a.zip": deflated_zip(PAGE)})})})})}), "unreadable",
    ),
    "tar": (make_tar(EXE), "programs:surat/undangan.exe"),
    "tar, long name": (make_tar({"a" * 180 + "/undangan.exe": b"x"}), f"programs:{'a' * 180}/undangan.exe"),
    "tar.gz": (gzip.compress(make_tar(EXE)), "programs:arsip.tar/surat/undangan.exe"),
    "tar.bz2": (bz2.compress(make_tar(EXE)), "programs:arsip.tar/surat/undangan.exe"),
    "tar.xz": (lzma.compress(make_tar(EXE)), "programs:arsip.tar/surat/undangan.exe"),
    "two gzip streams": (gzip.compress(b"") + gzip.compress(make_tar(EXE)), "programs:arsip.tar/surat/undangan.exe"),
    "good tar.gz": (gzip.compress(make_tar(PAGE)), ""),
    "rar 4": (rar4(EXE), "programs:surat/undangan.exe"),
    "rar 5": (rar5(EXE), "programs:surat/undangan.exe"),
    "good rar 4": (rar4(PAGE), ""),
    "good rar 5": (rar5(PAGE), ""),
    "rar 4, hidden names": (rar4({}, hidden=True), "unreadable"),
    "rar 5, hidden names": (rar5({}, hidden=True), "unreadable"),
    "zip in a rar": (rar5({"b.zip": make_zip(PAGE)}), "unreadable"),
    "7z": (SEVEN_ZIP, "programs:undangan.exe"),
    "7z with a password": (SEVEN_ZIP_ENCRYPTED, "programs:undangan.exe"),
    "7z, hidden names": (SEVEN_ZIP_HIDDEN, "unreadable"),
    "7z cut off": (SEVEN_ZIP[:-40], "unreadable"),
    "a lying ratio": (lying_zip(1, 100, 4_000_000_000), "bombs"),
    "files over each other": (lying_zip(2000, 5000, 5_000_000), "bombs"),
    "too many files": (make_zip({f"{n}.txt": b"" for n in range(10_050)}), "unreadable"),
}  # fmt: skip


@pytest.mark.parametrize("case", ARCHIVES)
@pytest.mark.parametrize("name", ["arsip.tar.gz", "foto.jpg"])
def test_archives_are_looked_into_whatever_they_are_called(case: str, name: str) -> None:
    content, kind = ARCHIVES[case]
    found = verdict(name, content)
    assert found == (kind if name == "arsip.tar.gz" else kind.replace("arsip.tar/", "foto/"))


def test_what_is_only_called_an_archive_is_held() -> None:
    assert verdict("arsip.zip", b"no archive at all") == "unreadable"
    assert verdict("arsip.rar", bytes(100)) == "unreadable"


def test_a_name_that_stands_only_in_front_of_its_file_is_found_too() -> None:
    hidden = make_zip({"baik.txt": b"x"}).replace(b"baik.txt", b"jahat.js", 1)
    assert verdict("arsip.zip", hidden) == "scripts:jahat.js"


def test_zeros_that_fill_a_disk_are_a_bomb_and_cost_little() -> None:
    bomb = gzip.compress(bytes(60_000_000), 1)
    started = time.process_time()
    assert verdict("nol.gz", bomb) == "bombs"
    assert time.process_time() - started < 2
    nested = deflated_zip({"isi.zip": bytes(60_000_000)})
    assert verdict("nol.zip", nested) == "bombs"


def test_a_document_is_not_judged_by_its_parts_but_a_zip_that_looks_like_one_is() -> None:
    parts = {"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>", "word/skrip.js": b"x"}
    assert verdict("surat.docx", make_zip(parts)) == ""
    assert verdict("surat.zip", make_zip(parts)) == "scripts:word/skrip.js"


def test_the_admin_decides_on_macros_pages_passwords_and_single_extensions() -> None:
    kinds = frozenset((*DEFAULT, "macros", "pages", "encrypted"))
    macros = make_zip({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>", "xl/vbaProject.bin": b"x"})
    assert verdict("bku.xlsx", macros, kinds=kinds) == "macros"
    assert verdict("bku.xlsm", b"x", kinds=kinds) == "macros"
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "_VBA_PROJECT".encode("utf-16-le")
    assert verdict("bku.xls", old, kinds=kinds) == "macros"
    assert verdict("bku.xls", old) == ""
    assert verdict("x.jpg", b"<!doctype html><script>", kinds=kinds) == "pages"
    assert verdict("x.zip", locked(make_zip(PAGE)), kinds=kinds) == "encrypted"
    assert verdict("undangan.apk", b"x", allowed=frozenset({"apk"})) == ""
    assert verdict("a.zip", make_zip({"b.apk": b"x"}), allowed=frozenset({"apk"})) == ""
    assert verdict("data.sql", b"x", extensions=frozenset({"sql"})) == "programs"
    assert verdict("undangan.apk", b"x", kinds=frozenset()) == ""


def test_every_kind_has_words_and_every_extension_one_kind() -> None:
    for words in WITHHELD_FILE.values():
        assert set(words) == {*KINDS, INFECTED, UNSCANNED}
    everything = [extension for extensions in KINDS.values() for extension in extensions]
    assert len(everything) == len(set(everything))
    assert all(extension == extension.lower() and "." not in extension for extension in everything)


def test_a_path_in_an_archive_is_safe_to_show() -> None:
    held = Refusals().judge(attached("a.zip", make_zip({"x\r\nBcc: a@b.id\u202egpj/\x1b[2J.exe": b"x"})))
    assert held is not None
    assert held.inside.isprintable()
    assert "\u202e" not in held.to_blame


def test_a_mail_with_a_program_in_an_attached_mail_loses_both() -> None:
    inner = (
        b"From: a@b.id\r\nSubject: dalam\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
        b"--i\r\nContent-Type: text/plain\r\n\r\nkata\r\n--i\r\nContent-Type: application/octet-stream; name=x.exe\r\n"
        b"Content-Disposition: attachment; filename=x.exe\r\n\r\nMZ\r\n--i--\r\n"
    )
    raw = (
        b"From: a@b.id\r\nSubject: luar\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
        b"--o\r\nContent-Type: text/plain\r\n\r\nsurat\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n" + inner +
        b"\r\n--o\r\nContent-Type: image/png; name=ok.png\r\n\r\n\x89PNG\r\n\x1a\n\r\n--o--\r\n"
    )  # fmt: skip
    message = parse_message(raw)
    screened, held = screen(message, Refusals())
    assert [each.name for each in screened.attachments] == ["ok.png"]
    assert [(each.kind, each.inside) for each in held] == [("programs", "x.exe")]
    assert [each.name for nested in screened.nested for each in nested.attachments] == ["x.exe"]
    assert screened.text.strip() == "surat"


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00",
                     b"7z\xbc\xaf\x27\x1c\x00\x04", b"\x1f\x8b\x08\x00", b"BZh9", b"\xfd7zXZ\x00"]),
    st.binary(max_size=300),
)  # fmt: skip
def test_any_bytes_have_an_answer(magic: bytes, rest: bytes) -> None:
    found = inspect_archive(magic + rest, "arsip.bin")
    assert found.failure in ("", "bomb", "unreadable")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_archive_has_an_answer(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([content for content, _ in ARCHIVES.values() if len(content) < 3000])))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert inspect_archive(bytes(whole), "arsip.zip").failure in ("", "bomb", "unreadable")


@pytest.mark.parametrize(
    "hostile",
    [
        b"PK\x03\x04" * 500_000,
        b"PK\x03\x04" + b"PK\x01\x02" * 500_000 + b"PK\x05\x06" + bytes(18),
        b"Rar!\x1a\x07\x00" + b"\x00\x00\x74\x00\x00\x07\x00" * 300_000,
        b"Rar!\x1a\x07\x01\x00" + b"\x00\x00\x00\x00\x01\x03" * 300_000,
        b"\x1f\x8b\x08" + bytes(2_000_000),
        gzip.compress(b"") * 60_000,
        b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(12) + (1_900_000).to_bytes(8, "little") + bytes(4)
        + b"\x01" + b"a\x00.\x00\x00\x00" * 400_000,
    ],
    ids=["locals", "directory", "rar4", "rar5", "gzip", "empty streams", "7z"],
)  # fmt: skip
def test_hostile_archives_cost_little(hostile: bytes) -> None:
    started = time.process_time()
    inspect_archive(hostile, "arsip")
    assert time.process_time() - started < 2


def test_the_time_for_a_large_honest_archive_is_small() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for number in range(300):
            archive.writestr(f"foto-{number}.jpg", bytes(100_000))
    started = time.process_time()
    assert verdict("foto.zip", out.getvalue()) == ""
    assert time.process_time() - started < 0.5
