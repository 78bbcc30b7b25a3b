"""winmail.dat: every kind of attribute and property, code pages, nested messages, truncated data."""

from __future__ import annotations

import struct

import pytest

from mailbot.mail.mime.tnef import MAX_FILES, SIGNATURE, Tnef, read_tnef

LONG, SHORT, DISPLAY, MIME, CONTENT_ID, DATA = 0x3707, 0x3704, 0x3001, 0x370E, 0x3712, 0x3701
BODY, RTF, HTML, INTERNET_CODEPAGE = 0x1000, 0x1009, 0x1013, 0x3FDE
NUMBER, OBJECT, STRING8, UNICODE, BINARY = 0x0003, 0x000D, 0x001E, 0x001F, 0x0102
MESSAGE_OBJECT = bytes.fromhex("0703020000000000c000000000000046")


def attribute(name: int, value: bytes) -> bytes:
    return struct.pack("<BHHI", 1, name, 6, len(value)) + value + b"\0\0"


def prop(name: int, kind: int, value: bytes) -> bytes:
    if kind == NUMBER:
        return struct.pack("<HH", kind, name) + value
    return struct.pack("<HHII", kind, name, 1, len(value)) + value + b"\0" * (-len(value) % 4)


def props(*properties: bytes, count: int | None = None) -> bytes:
    return struct.pack("<I", len(properties) if count is None else count) + b"".join(properties)


def tnef(*attributes: bytes) -> bytes:
    return SIGNATURE + b"\x01\x00" + b"".join(attributes)


def opened(*attributes: bytes) -> Tnef:
    found = read_tnef(tnef(*attributes))
    assert found is not None
    return found


def file(*properties: bytes) -> bytes:
    return attribute(0x9002, bytes(14)) + attribute(0x9005, props(*properties))


def names(found: Tnef) -> list[tuple[str, bytes]]:
    return [(each.name, each.content) for each in found.files]


def test_a_file_is_described_by_its_properties() -> None:
    found = opened(
        file(
            prop(0x0E20, NUMBER, bytes(4)),  # its size, which nobody needs
            prop(DISPLAY, STRING8, b"tampil.png\0"),
            prop(SHORT, STRING8, b"PENDEK~1.PNG\0"),
            prop(LONG, UNICODE, "panjang é.png\0".encode("utf-16-le")),
            prop(MIME, STRING8, b"Image/PNG\0"),
            prop(CONTENT_ID, STRING8, b"<gambar@1>\0"),
            prop(DATA, BINARY, b"isi"),
        )
    )
    (only,) = found.files
    assert (only.name, only.content_type, only.content_id, only.content) == (
        "panjang é.png", "image/png", "gambar@1", b"isi",
    )  # fmt: skip


def test_the_first_of_the_short_names_counts_and_an_empty_long_name_does_not() -> None:
    found = opened(
        file(
            prop(SHORT, STRING8, b"A.TXT"),
            prop(DISPLAY, STRING8, b"b.txt"),
            prop(LONG, STRING8, b""),
            prop(DATA, 0x102, b"1"),
        )
    )
    assert names(found) == [("A.TXT", b"1")]


def test_attributes_before_the_first_file_belong_to_none_and_unknown_ones_change_nothing() -> None:
    stray = attribute(0x8010, b"tak bertuan\0") + attribute(0x800F, b"x")
    found = opened(stray, attribute(0x9002, b""), attribute(0x8010, b"a.txt\0"), attribute(0x8020, b"y"))
    assert names(found) == [("a.txt", b"")]


def test_a_file_without_name_and_content_is_left_out() -> None:
    assert opened(attribute(0x9002, b""), attribute(0x9002, b""), attribute(0x800F, b"isi")).files[0].content == b"isi"
    assert opened(attribute(0x9002, b"")).files == []


def test_no_more_files_than_the_bound() -> None:
    one = attribute(0x9002, b"") + attribute(0x800F, b"x")
    found = opened(one * (MAX_FILES + 5), attribute(0x800C, b"sesudahnya"))
    assert len(found.files) == MAX_FILES
    assert found.text == ""  # nothing is read behind the bound


@pytest.mark.parametrize(
    ("number", "raw", "text"),
    [
        (65001, "é€".encode(), "é€"),
        (28591, b"\xe9", "é"),
        (28605, b"\xa4\xe9", "€é"),  # ISO-8859-15
        (20866, "Привет".encode("koi8-r"), "Привет"),
        (1251, "Привет".encode("cp1251"), "Привет"),
        (0, b"halo", "halo"),
    ],
)
def test_the_code_page_tells_how_the_text_is_written(number: int, raw: bytes, text: str) -> None:
    assert opened(attribute(0x9007, struct.pack("<II", number, 0)), attribute(0x800C, raw + b"\0")).text == text
    # a file's title is written in it too
    titled = opened(
        attribute(0x9007, struct.pack("<I", number)), attribute(0x9002, b""), attribute(0x8010, raw + b"\0")
    )
    assert titled.files[0].name == text


def test_a_code_page_that_is_cut_off_is_none() -> None:
    assert opened(attribute(0x9007, b"\xe3"), attribute(0x800C, b"halo")).text == "halo"


def test_the_internet_code_page_goes_before_the_machine_s() -> None:
    machine = attribute(0x9007, struct.pack("<I", 1252))
    russian = "Привет"
    found = opened(
        machine,
        attribute(
            0x9003,
            props(
                prop(INTERNET_CODEPAGE, NUMBER, struct.pack("<I", 1251)),
                prop(BODY, STRING8, russian.encode("cp1251") + b"\0"),
                prop(HTML, BINARY, f"<p>{russian}".encode("cp1251")),
            ),
        ),
    )
    assert (found.text, found.html) == (russian, f"<p>{russian}")


def test_without_it_the_machine_s_counts_and_unicode_needs_none() -> None:
    machine = attribute(0x9007, struct.pack("<I", 1251))
    found = opened(machine, attribute(0x9003, props(prop(HTML, BINARY, "Да".encode("cp1251")))))
    assert (found.text, found.html) == ("", "Да")
    unicode = opened(
        machine,
        attribute(
            0x9003,
            props(
                prop(BODY, UNICODE, "Да\0".encode("utf-16-le")),
                prop(INTERNET_CODEPAGE, NUMBER, struct.pack("<I", 1252)),
            ),
        ),
    )
    assert unicode.text == "Да"


def test_the_first_text_counts_and_rtf_only_where_there_is_no_other() -> None:
    rtf = b"{\\rtf1 dari RTF}"
    packed = struct.pack("<II4sI", len(rtf) + 12, len(rtf), b"MELA", 0) + rtf
    in_rtf = attribute(0x9003, props(prop(RTF, BINARY, packed)))
    assert opened(attribute(0x800C, b"satu\0"), attribute(0x800C, b"dua\0"), in_rtf).text == "satu"
    assert opened(in_rtf).text == "dari RTF"


def test_a_message_inside_gives_its_words_and_its_files() -> None:
    inner = tnef(attribute(0x800C, b"pesan dalam\0"), attribute(0x9002, b""), attribute(0x800F, b"isi"),
                 attribute(0x8010, b"dalam.txt\0"))  # fmt: skip
    found = opened(file(prop(DISPLAY, STRING8, b"Surat"), prop(DATA, OBJECT, MESSAGE_OBJECT + inner)))
    assert names(found) == [("dalam.txt", b"isi"), ("Surat.txt", b"pesan dalam")]
    html = tnef(attribute(0x9003, props(prop(HTML, BINARY, b"<p>hai"))))
    assert names(opened(file(prop(DATA, OBJECT, MESSAGE_OBJECT + html)))) == [("message.html", b"<p>hai")]


def test_an_object_that_is_no_tnef_is_a_file_without_its_interface_id() -> None:
    assert names(opened(file(prop(DATA, OBJECT, MESSAGE_OBJECT + b"lain")))) == [("", b"lain")]


def test_messages_in_messages_end_somewhere() -> None:
    data = tnef(attribute(0x800C, b"paling dalam\0"))
    for _ in range(6):
        data = tnef(file(prop(DATA, OBJECT, MESSAGE_OBJECT + data)))
    found = read_tnef(data)
    assert found is not None
    # the innermost ones stay closed, as bytes
    assert any(each.content.startswith(SIGNATURE) for each in found.files)
    assert not any(each.content == b"paling dalam" for each in found.files)


def test_named_properties_and_numbers_are_stepped_over() -> None:
    by_number = struct.pack("<HH16sII", NUMBER, 0x8001, bytes(16), 0, 5) + bytes(4)
    label = "nama".encode("utf-16-le") + b"\0\0"
    by_name = struct.pack("<HH16sII", 0x0040, 0x8002, bytes(16), 1, len(label)) + label + bytes(2) + bytes(8)
    several = struct.pack("<HHI", 0x1003, 0x6001, 3) + bytes(12)  # three numbers
    strings = (
        struct.pack("<HHI", 0x101E, 0x6002, 2) + struct.pack("<I", 3) + b"ab\0\0" + struct.pack("<I", 1) + b"c\0\0\0"
    )
    found = opened(attribute(0x9003, props(by_number, by_name, several, strings, prop(BODY, STRING8, b"sampai\0"))))
    assert found.text == "sampai"


@pytest.mark.parametrize(
    "broken",
    [
        struct.pack("<HH", 0x7777, 0x6000),  # a type nobody knows
        struct.pack("<HH", 0x0040, 0x6000) + bytes(3),  # a time that is cut off
        struct.pack("<HH16s", NUMBER, 0x8001, bytes(16)),  # a named one that is cut off
        struct.pack("<HHII", BINARY, 0x6000, 2, 1) + b"x\0\0\0",  # two values said, one there
    ],
)
def test_what_stood_before_a_broken_property_counts(broken: bytes) -> None:
    assert opened(attribute(0x9003, props(prop(BODY, STRING8, b"utuh\0"), broken, count=9))).text == "utuh"


def test_the_begin_of_a_file_that_is_cut_off_is_kept() -> None:
    cut = struct.pack("<HHII", BINARY, DATA, 1, 1000) + b"awal"
    assert names(opened(attribute(0x9002, b""), attribute(0x9005, props(cut, count=3)))) == [("", b"awal")]


def test_too_little_for_a_list_of_properties_is_none() -> None:
    found = opened(attribute(0x9003, b"\1\0"), attribute(0x800C, b"lanjut"))
    assert found == Tnef(text="lanjut")


def test_other_bytes_are_no_tnef() -> None:
    assert read_tnef(b"") is None
    assert read_tnef(b"PK\x03\x04" + bytes(40)) is None
