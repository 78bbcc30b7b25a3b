"""Archives inspected case by case: names and failures for every format and kind of damage."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct

import pytest

from mailbot.mail.attachments.archive_formats import MAX_NAMES
from mailbot.mail.attachments.archives import (
    MAX_DEPTH,
    MAX_STREAMS,
    MAX_UNPACKED,
    ArchiveContents,
    inspect_archive,
    is_archive,
)
from tests.support.archive_files import SEVEN_ZIP, deflated_zip, locked, lying_zip, make_tar, make_zip, rar4, rar5

ONE = {"a.exe": b"MZ"}
UNREADABLE = "unreadable"


def wide(archive: bytes, *, count: int = 1, cut: int = 0, sizes: bool = False) -> bytes:
    """The same ZIP with the wide end of APPNOTE §4.3.14, and with `sizes` the wide figures of §4.5.3."""
    end = archive.rindex(b"PK\x05\x06")
    size, offset = struct.unpack_from("<II", archive, end + 12)
    directory = bytearray(archive[offset : offset + size])
    if sizes:
        packed, unpacked, name = struct.unpack_from("<IIH", directory, 20)
        struct.pack_into("<IIHH", directory, 20, 0xFFFFFFFF, 0xFFFFFFFF, name, 20)
        directory += struct.pack("<HHQQ", 1, 16, unpacked, packed)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), offset)
    narrow = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return archive[:offset] + bytes(directory) + record[: len(record) - cut] + narrow


@pytest.mark.parametrize(
    "archive",
    [make_zip(ONE), make_zip({}), make_tar(ONE), rar4(ONE), rar5(ONE), SEVEN_ZIP, gzip.compress(b"x", mtime=0),
     bz2.compress(b"x"), lzma.compress(b"x")],
)  # fmt: skip
def test_archives_are_known_by_their_first_bytes(archive: bytes) -> None:
    assert is_archive(archive)
    assert not is_archive(b"%PDF" + archive)


@pytest.mark.parametrize("pack", [make_zip, deflated_zip, make_tar])
@pytest.mark.parametrize("inner", [make_zip(ONE), make_tar(ONE), rar4(ONE), rar5(ONE)])
def test_an_archive_in_an_archive_is_looked_into(pack: object, inner: bytes) -> None:
    outer = pack({"dalam.zip": inner, "b.txt": b""})  # type: ignore[operator]
    assert inspect_archive(outer, "luar").names[:2] == ("dalam.zip", "dalam.zip/a.exe")
    assert "b.txt" in inspect_archive(outer, "luar").names


def test_an_archive_in_one_that_is_not_unpacked_here_is_unreadable() -> None:
    assert inspect_archive(rar4({"a.txt": b"", "b.zip": make_zip(ONE)}), "x.rar") == ArchiveContents(
        ("a.txt", "b.zip"), False, UNREADABLE
    )
    assert inspect_archive(rar5({"a.txt": b""}), "x.rar") == ArchiveContents(("a.txt",))


def test_a_list_that_is_hidden_or_torn_is_unreadable() -> None:
    assert inspect_archive(rar5(ONE, hidden=True), "x.rar") == ArchiveContents((), True, UNREADABLE)
    assert inspect_archive(SEVEN_ZIP, "x.7z").names[1:] == ("undangan.exe",)
    assert inspect_archive(SEVEN_ZIP[:-1], "x.7z") == ArchiveContents((), False, UNREADABLE)
    assert inspect_archive(make_tar(ONE)[:1024] + b"x" * 512, "x.tar") == ArchiveContents(("a.exe",), False, UNREADABLE)


def test_files_that_lie_over_each_other_or_unpack_to_a_disk_full_are_a_bomb() -> None:
    assert inspect_archive(lying_zip(3, 100, 100), "x.zip") == ArchiveContents((), False, "bomb")
    assert inspect_archive(lying_zip(1, 10, 600_000_000), "x.zip") == ArchiveContents((), False, "bomb")
    assert inspect_archive(lying_zip(1, 10, 400_000_000), "x.zip").failure == ""


def test_an_empty_archive_by_name_is_no_trouble() -> None:
    assert inspect_archive(make_tar({"kosong.zip": b""}), "x.tar") == ArchiveContents(("kosong.zip",))
    assert inspect_archive(make_zip({"kosong.zip": b""}), "x.zip") == ArchiveContents(("kosong.zip",))


def test_depth_has_an_end() -> None:
    archive = deflated_zip(ONE)
    for _ in range(MAX_DEPTH - 1):
        archive = deflated_zip({"z.zip": archive})
    assert inspect_archive(archive, "z.zip") == ArchiveContents(
        ("z.zip", "z.zip/z.zip", "z.zip/z.zip/z.zip", "z.zip/z.zip/z.zip/a.exe")
    )
    assert inspect_archive(deflated_zip({"z.zip": archive}), "z.zip").failure == UNREADABLE


# -- compressed streams -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_tar_under_both_kinds_of_names(compress: object) -> None:
    packed = compress(make_tar(ONE))  # type: ignore[operator]
    assert inspect_archive(packed, "surat.tgz").names == ("surat.tar", "surat.tar/a.exe")
    assert inspect_archive(packed, "surat.tar.gz").names == ("surat.tar", "surat.tar/a.exe")
    assert inspect_archive(packed, "surat").names == ("surat", "surat/a.exe")


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_streams_behind_each_other_are_one_file(compress: object) -> None:
    archive = make_tar(ONE)
    packed = compress(archive[:700]) + compress(archive[700:])  # type: ignore[operator]
    assert inspect_archive(packed, "a.tgz").names == ("a.tar", "a.tar/a.exe")
    # what follows and is no stream is left alone
    assert inspect_archive(compress(b"halo") + b"ekor", "a.txt.gz") == ArchiveContents(("a.txt",))  # type: ignore[operator]


def test_a_stream_that_only_says_an_archive_is_unreadable() -> None:
    assert inspect_archive(gzip.compress(b"bukan"), "a.zip.gz") == ArchiveContents(("a.zip",), False, UNREADABLE)
    assert inspect_archive(b"bukan", "a.zip") == ArchiveContents((), False, UNREADABLE)


@pytest.mark.parametrize(
    "damaged",
    [b"\x1f\x8b\x08" + b"\xff" * 40, b"BZh9" + b"\xff" * 40, b"\xfd7zXZ\x00" + b"\xff" * 40,
     gzip.compress(b"") * (MAX_STREAMS + 1)],
)  # fmt: skip
def test_a_damaged_stream_is_unreadable(damaged: bytes) -> None:
    assert inspect_archive(damaged, "a.gz") == ArchiveContents(("a",), False, UNREADABLE)


def test_more_than_the_room_is_unreadable_and_out_of_nearly_nothing_a_bomb() -> None:
    zeros = bytes(MAX_UNPACKED + 1)
    assert inspect_archive(gzip.compress(zeros, 1), "a.gz").failure == "bomb"
    # stored: as large as what it holds
    stored = gzip.compress(zeros, 0)
    assert inspect_archive(stored, "a.gz").failure == UNREADABLE
    # a bomb stays one, whatever comes after
    assert inspect_archive(make_tar({"a.gz": gzip.compress(zeros, 1), "b.zip": b"bukan"}), "x.tar").failure == "bomb"


# -- ZIP --------------------------------------------------------------------------------------------------------------


def test_a_locked_archive_in_an_archive_cannot_be_looked_into() -> None:
    assert inspect_archive(locked(make_zip({"b.zip": make_zip({})})), "x.zip") == ArchiveContents(
        ("b.zip",), True, UNREADABLE
    )


def test_aes_is_a_password_too_and_other_methods_are_not_unpacked() -> None:
    archive = bytearray(make_zip({"b.zip": make_zip({})}))
    at = archive.index(b"PK\x01\x02")
    struct.pack_into("<H", archive, at + 10, 99)
    assert inspect_archive(bytes(archive), "x.zip") == ArchiveContents(("b.zip",), True, UNREADABLE)
    struct.pack_into("<H", archive, at + 10, 14)  # LZMA
    assert inspect_archive(bytes(archive), "x.zip") == ArchiveContents(("b.zip",), False, UNREADABLE)
    struct.pack_into("<H", archive, at + 10, 8)  # says deflated, and is not
    assert inspect_archive(bytes(archive), "x.zip") == ArchiveContents(("b.zip",), False, UNREADABLE)


def test_a_directory_that_points_beside_the_file_is_not_followed() -> None:
    archive = bytearray(make_zip({"b.zip": make_zip(ONE)}))
    struct.pack_into("<I", archive, archive.rindex(b"PK\x01\x02") + 42, 3)
    assert inspect_archive(bytes(archive), "x.zip").failure == UNREADABLE


def test_a_program_in_front_of_a_zip_moves_its_places() -> None:
    archive = make_zip({"b.zip": make_zip({"a.exe": b"MZ"})})
    moved = b"PK\x03\x04" + bytes(60) + archive
    assert "b.zip/a.exe" in inspect_archive(moved, "x.zip").names


def test_wide_figures_are_read() -> None:
    inner = make_zip(ONE)
    archive = make_zip({"b.zip": inner})
    assert inspect_archive(wide(archive), "x.zip") == ArchiveContents(("b.zip", "b.zip/a.exe", "a.exe"))
    assert inspect_archive(wide(archive, sizes=True), "x.zip") == ArchiveContents(("b.zip", "b.zip/a.exe", "a.exe"))
    assert inspect_archive(wide(archive, count=2), "x.zip").failure == UNREADABLE


@pytest.mark.parametrize("narrow", [20, 24])
def test_only_the_figure_that_is_full_is_wide(narrow: int) -> None:
    archive = make_zip({"b.zip": make_zip(ONE)})
    at = archive.rindex(b"PK\x01\x02", 0, archive.rindex(b"PK\x05\x06"))
    size = struct.unpack_from("<I", archive, at + narrow)[0]
    changed = bytearray(wide(archive, sizes=True))
    at = changed.rindex(b"PK\x01\x02")
    struct.pack_into("<I", changed, at + narrow, size)
    extra = changed.index(struct.pack("<HH", 1, 16), at)
    changed[extra + 4 : extra + 20] = struct.pack("<QQ", size, 1 << 40)  # the second is nobody's
    assert inspect_archive(bytes(changed), "x.zip") == ArchiveContents(("b.zip", "b.zip/a.exe", "a.exe"))
    # without any figure the full one is believed: more than there is
    struct.pack_into("<H", changed, extra, 2)
    assert inspect_archive(bytes(changed), "x.zip").failure == "bomb"


def test_a_wide_end_that_is_missing_or_leads_out_is_unreadable() -> None:
    archive = make_zip(ONE)
    without = bytearray(archive)
    struct.pack_into("<H", without, without.rindex(b"PK\x05\x06") + 10, 0xFFFF)
    assert inspect_archive(bytes(without), "x.zip") == ArchiveContents(
        ("a.exe",), False, UNREADABLE
    )  # known by the local header
    assert inspect_archive(wide(archive, cut=40), "x.zip").failure == UNREADABLE
    beyond = bytearray(archive)
    struct.pack_into("<I", beyond, beyond.rindex(b"PK\x05\x06") + 12, 1_000_000)
    assert inspect_archive(bytes(beyond), "x.zip").failure == UNREADABLE


def test_a_zip_without_its_end_shows_what_its_front_says() -> None:
    archive = make_zip({"a.exe": b"MZ", "b.txt": b""})
    assert inspect_archive(archive[: archive.index(b"PK\x01\x02")], "x.zip") == ArchiveContents(
        ("a.exe", "b.txt"), False, UNREADABLE
    )
    assert inspect_archive(archive[: archive.index(b"PK\x01\x02")] + b"PK\x03\x04", "x.zip").names == ("a.exe", "b.txt")
    assert inspect_archive(archive[:-1], "x.zip").failure == UNREADABLE


@pytest.mark.parametrize(
    "archive",
    [
        make_tar({f"{n}.txt": b"" for n in range(2)}) ,
        make_zip({f"{n}.txt": b"" for n in range(2)}),
        rar5({f"{n}.txt": b"" for n in range(2)}),
    ],
    ids=["tar", "zip", "rar"],
)  # fmt: skip
def test_all_archives_together_have_no_more_names_than_the_bound(archive: bytes) -> None:
    inner = make_zip({f"{n}": b"" for n in range(MAX_NAMES - 2)})
    found = inspect_archive(make_tar({"d.zip": inner, "e.zip": archive, "f.txt": b""}), "x.tar")
    assert (len(found.names), found.failure) == (MAX_NAMES, UNREADABLE)


def test_more_entries_than_the_bound_in_one_zip() -> None:
    name = b"a"
    entry = (
        struct.pack("<4s4B4HIIIHHHHHII", b"PK\x01\x02", 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + name
    )
    directory = entry * (MAX_NAMES + 1)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, MAX_NAMES + 1, MAX_NAMES + 1, len(directory), 4, 0)
    found = inspect_archive(b"PK\x03\x04" + directory + end, "x.zip")
    assert (len(found.names), found.failure) == (MAX_NAMES, UNREADABLE)
    # names in front of the files, more than are looked at
    front = b"".join(struct.pack("<4s22xHH", b"PK\x03\x04", 5, 0) + b"%05d" % n for n in range(MAX_NAMES + 5))
    assert len(inspect_archive(front, "x.zip").names) == MAX_NAMES
