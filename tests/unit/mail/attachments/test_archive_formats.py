"""File lists of TAR, RAR and 7-Zip: long names, large files, damage, encrypted lists."""

from __future__ import annotations

import lzma
import struct

import pytest

from mailbot.mail.attachments.archive_formats import MAX_NAMES, Listing, is_tar, rar_names, seven_zip_names, tar_names
from tests.support.archive_files import SEVEN_ZIP, SEVEN_ZIP_ENCRYPTED, SEVEN_ZIP_HIDDEN, make_tar, rar4, rar5

RAR4, RAR5 = b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"


# -- TAR --------------------------------------------------------------------------------------------------------------


def tar_head(name: bytes, size: int, kind: bytes = b"0", *, prefix: bytes = b"", digits: bytes | None = None) -> bytes:
    head = bytearray(512)
    head[: len(name)] = name
    head[124:136] = f"{size:011o}\0".encode() if digits is None else digits
    head[156:157] = kind
    head[257:265] = b"ustar\x0000"
    head[345 : 345 + len(prefix)] = prefix
    return bytes(head)


def filled(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def test_the_files_of_a_tar_with_their_places() -> None:
    long = "x" * 150 + ".exe"
    archive = make_tar({"a.txt": b"satu", long: b"MZ"})
    found = tar_names(archive)
    assert (found.names, found.complete, found.encrypted) == (["a.txt", long], True, False)
    start, size = found.positions[long]
    assert archive[start : start + size] == b"MZ"
    assert is_tar(archive)
    assert not is_tar(b"")


def test_a_pax_name_and_a_ustar_prefix_make_the_whole_name() -> None:
    pax = filled(b"18 mtime=123.456\n24 path=dalam/undangan.exe\n")
    archive = (
        tar_head(b"pax", len(pax), b"x") + pax + tar_head(b"undangan.ex", 0)
        + tar_head(b"b.txt", 0, prefix=b"map") + bytes(1024)
    )  # fmt: skip
    assert tar_names(archive).names == ["dalam/undangan.exe", "map/b.txt"]
    without = filled(b"18 mtime=123.456\n")
    assert tar_names(tar_head(b"pax", len(without), b"g") + without + tar_head(b"c.txt", 0)).names == ["c.txt"]


def test_folders_and_links_are_no_files() -> None:
    found = tar_names(tar_head(b"map/", 0, b"5") + tar_head(b"lama.txt", 0, b"\0") + tar_head(b"pintas", 0, b"2"))
    assert (found.names, found.complete) == (["lama.txt"], True)


def test_a_size_of_base_256_and_none() -> None:
    big = b"\x80" + (3).to_bytes(11, "big")
    assert tar_names(tar_head(b"a", 0, digits=big) + filled(b"isi") + tar_head(b"b", 0)).names == ["a", "b"]
    assert tar_names(tar_head(b"a", 0, digits=bytes(12)) + tar_head(b"b", 0)).names == ["a", "b"]


@pytest.mark.parametrize("tail", [tar_head(b"b", 0, digits=b"bukan angka\0"), b"x" * 512, tar_head(b"b", 9)[:300]])
def test_a_tar_that_goes_on_as_something_else_is_not_whole(tail: bytes) -> None:
    found = tar_names(tar_head(b"a", 0) + tail)
    assert (found.names, found.complete) == (["a"], False)


def test_a_file_that_leads_out_of_the_tar_ends_it() -> None:
    assert tar_names(tar_head(b"a", 10_000)) == Listing(["a"], positions={"a": (512, 10_000)})
    assert not tar_names(b"").complete


def test_more_names_than_the_bound_are_not_read() -> None:
    found = tar_names(tar_head(b"a", 0) * (MAX_NAMES + 1))
    assert (len(found.names), found.complete) == (MAX_NAMES, False)


# -- RAR --------------------------------------------------------------------------------------------------------------


def block4(kind: int, flags: int, rest: bytes) -> bytes:
    return struct.pack("<HBHH", 0, kind, flags, 7 + len(rest)) + rest


def file4(name: bytes, flags: int = 0, more: bytes = b"", packed: int = 0) -> bytes:
    return block4(0x74, flags, struct.pack("<IIBIIBBHI", packed, 0, 3, 0, 0, 29, 0x30, len(name), 0) + more + name)


def test_both_forms_of_rar_and_neither() -> None:
    files = {"a.txt": b"isi", "b/c.exe": b"MZ"}
    assert rar_names(rar4(files)) == rar_names(rar5(files)) == Listing(["a.txt", "b/c.exe"])
    assert rar_names(b"Rar!lain") == Listing(complete=False)


def test_hidden_headers_of_rar() -> None:
    assert (
        rar_names(rar4({}, hidden=True)) == rar_names(rar5({}, hidden=True)) == Listing(encrypted=True, complete=False)
    )


def test_a_locked_and_a_large_file_in_rar_4() -> None:
    assert rar_names(RAR4 + file4(b"rahasia.doc", 4)) == Listing(["rahasia.doc"], encrypted=True)
    # 4 GB and more: the high halves of the sizes stand in front of the name
    large = rar_names(RAR4 + file4(b"besar.iso", 0x8100, struct.pack("<II", 1, 1)))
    assert (large.names, large.complete) == (["besar.iso"], False)


@pytest.mark.parametrize(
    ("plain", "encoded", "name"),
    [
        (b"????.txt", b"\x04\x55\x44\x3e\x42\x3e\x00.exe", "фото.exe"),  # low bytes, then ASCII
        (b"?.txt", b"\x00\xb0\x05\x27\x02", "\u2705.txt"),  # two bytes, then a run of the plain name
        (b"abcd", b"\x04\xc0\x82\xd1", "\u0432\u0433\u0434\u0435"),  # a shifted run: a + 0xd1 is 0x32
        (b"a.txt", b"\x00\x30b\x7f", "b.txt"),  # a run longer than the plain name
        (b"a.txt", b"\x00\x00b.ex", "b.ex"),
        (b"a.txt", b"\x00\x02xyz\x27", "xyz"),  # cut off inside a character
        (b"a.txt", b"\x00", ""),  # nothing decoded: the plain name only
    ],
)
def test_the_unicode_name_of_a_rar_4_file_is_listed_beside_the_plain_one(
    plain: bytes, encoded: bytes, name: str
) -> None:
    found = rar_names(RAR4 + file4(plain + b"\0" + encoded, 0x0200))
    assert found == Listing([name, plain.decode()] if name else [plain.decode()])


@pytest.mark.parametrize(
    "tail",
    [b"\0\0\x7a", block4(0x7A, 0, b"")[:5] + b"\3\0", block4(0x7A, 0, bytes(90))[:50]],
    ids=["end", "size", "cut"],
)
def test_a_damaged_rar_4_gives_what_it_has(tail: bytes) -> None:
    assert rar_names(RAR4 + file4(b"a.txt") + tail) == Listing(["a.txt"], complete=False)


def test_rar_4_without_an_end_block_and_with_too_many_files() -> None:
    assert rar_names(RAR4 + block4(0x7A, 0, b"komentar") + file4(b"a.txt")) == Listing(["a.txt"])
    many = rar_names(RAR4 + file4(b"a") * (MAX_NAMES + 1))
    assert (len(many.names), many.complete) == (MAX_NAMES, False)
    assert not rar_names(RAR4 + block4(0x7A, 0, b"") * 20_001).complete


def block5(*fields: int, rest: bytes = b"") -> bytes:
    body = bytes(fields) + rest
    return bytes(4) + bytes((len(body),)) + body


def file5(name: bytes, *, flags: int = 0, extra: bytes = b"", more: int = 0) -> bytes:
    """`flags` of the file (2 a time, 4 a checksum) and the records behind its name; `more` flags of its header."""
    head = bytes((2, more | (1 if extra else 0))) + (bytes((len(extra),)) if extra else b"")
    if more & 2:
        head += b"\0"
    own = bytes((flags, 0, 0)) + bytes(4 * bool(flags & 2) + 4 * bool(flags & 4)) + bytes((0, 1, len(name))) + name
    return block5(rest=head + own + extra)


def test_time_and_checksum_stand_in_front_of_a_rar_5_name() -> None:
    archive = RAR5 + file5(b"a.txt", flags=2) + file5(b"b.txt", flags=6, more=2) + block5(5, 0, 0)
    assert rar_names(archive) == Listing(["a.txt", "b.txt"])


@pytest.mark.parametrize(
    ("extra", "encrypted"),
    [(b"\x01\x01", True), (b"\x02\x03\x00\x01\x01", True), (b"\x02\x03\x00", False), (b"\x00\x03", False)],
)
def test_a_record_of_encryption_behind_a_rar_5_name(extra: bytes, encrypted: bool) -> None:
    assert rar_names(RAR5 + file5(b"a.txt", extra=extra)) == Listing(["a.txt"], encrypted=encrypted)


@pytest.mark.parametrize("tail", [b"\0\0\0\0", bytes(4) + b"\x00\1", bytes(4) + b"\x70ab", bytes(4) + b"\xff" * 12])
def test_a_damaged_rar_5_gives_what_it_has(tail: bytes) -> None:
    assert rar_names(RAR5 + file5(b"a.txt") + tail) == Listing(["a.txt"], complete=False)


def test_rar_5_with_too_many_files_or_headers() -> None:
    many = rar_names(RAR5 + file5(b"a") * (MAX_NAMES + 1))
    assert (len(many.names), many.complete) == (MAX_NAMES, False)
    assert not rar_names(RAR5 + block5(1, 0, 0) * 20_001).complete


# -- 7-Zip ------------------------------------------------------------------------------------------------------------


def seven(header: bytes, packed: bytes = b"") -> bytes:
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<IQQI", 0, len(packed), len(header), 0) + packed + header


def encoded(coder: bytes, unpacked: bytes, packed: int, *, sizes: int = 1) -> bytes:
    """An EncodedHeader (7zFormat.txt) over what is packed at the archive's begin."""
    return (
        b"\x17\x06\x00" + bytes((sizes, 0x09)) + bytes((packed,)) * sizes + b"\x00\x07\x0b\x01\x00\x01" + coder
        + b"\x0c" + unpacked + b"\x00\x00"
    )  # fmt: skip


LISTED = b"\x01\x00" + "undangan.exe\0tanpa titik\0".encode("utf-16-le")
LZMA1, LZMA2 = b"\x23\x03\x01\x01\x05\x5d\x00\x10\x00\x00", b"\x21\x21\x01\x08"
SIZE = bytes((len(LISTED),))


def raw_lzma(which: int) -> bytes:
    return lzma.compress(LISTED, lzma.FORMAT_RAW, filters=[{"id": which, "dict_size": 4096}])


def test_real_7_zip_files() -> None:
    # the first name may have characters in front that are none of it
    first, second = seven_zip_names(SEVEN_ZIP).names
    assert (first.endswith("surat é.txt"), second) == (True, "undangan.exe")
    assert seven_zip_names(SEVEN_ZIP_ENCRYPTED) == Listing(["undangan.exe"], encrypted=True)
    assert seven_zip_names(SEVEN_ZIP_HIDDEN) == Listing(encrypted=True, complete=False)


@pytest.mark.parametrize(
    ("coder", "packed"),
    [(b"\x01\x00", LISTED), (LZMA1, raw_lzma(lzma.FILTER_LZMA1)), (LZMA2, raw_lzma(lzma.FILTER_LZMA2))],
    ids=["copied", "LZMA", "LZMA2"],
)
def test_the_list_is_unpacked(coder: bytes, packed: bytes) -> None:
    assert seven_zip_names(seven(encoded(coder, SIZE, len(packed)), packed)).names == ["undangan.exe"]


@pytest.mark.parametrize(
    ("coder", "size"),
    [
        (b"\x23\x03\x03\x01\x05\x5d\x00\x10\x00\x00", SIZE),  # another method
        (b"\x23\x03\x01\x01\x05\xff\x00\x10\x00\x00", SIZE),  # properties that no LZMA has
        (LZMA1, b"\xf0\x00\x00\x00\x10"),  # more than is unpacked here: five bytes of a number
        (LZMA1, b"\xff" + b"\xff" * 8),  # the longest number
        (LZMA2, b""),  # no size
    ],
)
def test_a_list_that_cannot_be_unpacked_is_not_whole(coder: bytes, size: bytes) -> None:
    packed = raw_lzma(lzma.FILTER_LZMA1)
    assert seven_zip_names(seven(encoded(coder, size, len(packed)), packed)) == Listing(complete=False)


def test_a_list_that_is_damaged_is_not_whole() -> None:
    assert seven_zip_names(seven(encoded(LZMA1, SIZE, 40), b"\xff" * 40)) == Listing(complete=False)
    assert seven_zip_names(seven(encoded(LZMA1, SIZE, 0, sizes=0))) == Listing(complete=False)


@pytest.mark.parametrize(
    "header",
    [
        b"\x17",
        b"\x17\x05",
        b"\x17\x06\x00\x01\x09\x01" + bytes(80),  # nothing about folders
        b"\x17\x06\x00\x01\x09\x01\x07\x0b\x01\x00\x02",  # two coders
        b"\x17\x06\x00\x01\x09\x01\x07\x0b\x01\x00\x01\x2f\x00",  # a method longer than all
        b"\x05" + bytes(20),
    ],
)
def test_another_header_is_not_whole(header: bytes) -> None:
    assert seven_zip_names(seven(header)) == Listing(complete=False)


def test_an_empty_one_is_whole_and_one_that_is_cut_off_is_not() -> None:
    assert seven_zip_names(seven(b"")) == Listing()
    assert seven_zip_names(seven(LISTED)[:-1]) == Listing(complete=False)
    assert seven_zip_names(b"7z\xbc\xaf\x27\x1c") == Listing(complete=False)


def test_lists_in_lists_end_somewhere() -> None:
    # a header that says it lies, copied, where it lies itself
    header = encoded(b"\x01\x00", b"\x20", 30)
    looping = encoded(b"\x01\x00", b"\x20", len(header))
    assert seven_zip_names(seven(looping, looping)) == Listing(complete=False)


def test_more_7_zip_names_than_the_bound_are_not_read() -> None:
    found = seven_zip_names(seven(b"\x01\x00" + "a.b\0".encode("utf-16-le") * (MAX_NAMES + 1)))
    assert (len(found.names), found.complete) == (MAX_NAMES, False)
