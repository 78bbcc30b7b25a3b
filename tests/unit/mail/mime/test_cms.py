"""The mail inside an opaque signature: lengths of both forms, and malformed data."""

from __future__ import annotations

import pytest

from mailbot.mail.mime.cms import signed_content

SIGNED = bytes.fromhex("2a864886f70d010702")
DATA = bytes.fromhex("2a864886f70d010701")
ENVELOPED = bytes.fromhex("2a864886f70d010703")
MAIL = b"Content-Type: text/plain\r\n\r\nhalo " + b"x" * 300


def der(tag: int, *content: bytes) -> bytes:
    inner = b"".join(content)
    size = len(inner)
    return bytes((tag, size) if size < 128 else (tag, 0x82, size >> 8, size & 255)) + inner


def ber(tag: int, *content: bytes) -> bytes:
    """The same with an indefinite length (X.690 §8.1.3.6)."""
    return bytes((tag, 0x80)) + b"".join(content) + b"\0\0"


def signed(octets: bytes, *, oid: bytes = SIGNED, digests: bytes = der(0x31), form: object = der) -> bytes:
    wrap = ber if form is ber else der
    encapsulated = wrap(0x30, der(0x06, DATA), wrap(0xA0, octets))
    return wrap(0x30, der(0x06, oid), wrap(0xA0, wrap(0x30, der(0x02, b"\1"), digests, encapsulated, der(0x31))))


PIECES = der(0x04, MAIL[:100]), der(0x04, MAIL[100:])


@pytest.mark.parametrize(
    "octets", [der(0x04, MAIL), der(0x24, *PIECES), ber(0x24, *PIECES)], ids=["whole", "pieces", "indefinite"]
)
@pytest.mark.parametrize("form", [der, ber])
def test_the_content_is_found_in_every_form(octets: bytes, form: object) -> None:
    assert signed_content(signed(octets, form=form)) == MAIL


def test_what_stands_before_the_content_is_stepped_over_in_both_forms() -> None:
    algorithm = ber(0x30, der(0x06, b"\x60\x86\x48"), ber(0x30))
    assert signed_content(signed(der(0x04, MAIL), digests=ber(0x31, algorithm, der(0x05)))) == MAIL


def test_a_content_that_is_cut_off_gives_its_begin() -> None:
    whole = signed(der(0x04, MAIL))
    assert signed_content(whole[:-50]) == MAIL[: len(MAIL) - 48]  # the empty set of signers stood behind it
    pieces = signed(ber(0x24, *PIECES))
    assert signed_content(pieces[:-60]) == MAIL[: len(MAIL) - 56]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x31" + signed(der(0x04, MAIL))[1:],
        signed(der(0x04, MAIL), oid=ENVELOPED),
        signed(der(0x04)),  # detached: nothing inside
        signed(der(0x13, MAIL)),  # another kind of string
        signed(der(0x24, der(0x13, MAIL))),
        signed(der(0x24, b"\x04\x80" + MAIL)),  # a primitive without a length
        signed(b"\x04\x89" + bytes(9) + MAIL),  # a length of nine bytes
        signed(der(0x04, MAIL), digests=der(0x30)),  # no set where one must be
        signed(der(0x04, MAIL), digests=b"\x31\x80" * 40),  # sets in sets
        signed(der(0x04, MAIL), digests=b"\x31\x80\x05\x7f"),  # leads out of the data
    ],
)
def test_anything_else_has_no_content(data: bytes) -> None:
    assert signed_content(data) is None


def test_every_beginning_has_an_answer() -> None:
    whole = signed(ber(0x24, *PIECES), form=ber)
    for length in range(len(whole)):
        found = signed_content(whole[:length])
        assert found is None or MAIL.startswith(found)
