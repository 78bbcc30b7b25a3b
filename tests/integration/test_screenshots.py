"""The pictures of the README can be made anew: of the right size, small, and with something to see."""

from __future__ import annotations

import struct
import zlib
from array import array
from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from tools.screenshots import DESKTOP, PHONE, main, with_palette

MAX_BYTES = 150_000


def read(picture: bytes) -> tuple[tuple[int, int], Counter[int]]:
    """Width and height, and how many pixels there are of each colour."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    size = struct.unpack(">II", picture[16:24])
    at, data = 8, b""
    while at < len(picture):
        length, kind = struct.unpack(">I4s", picture[at : at + 8])
        if kind == b"IDAT":
            data += picture[at + 8 : at + 8 + length]
        at += 12 + length
    rows, line = zlib.decompress(data), size[0] + 1
    assert len(rows) == line * size[1]
    assert set(rows[::line]) == {0}  # no row is filtered: a byte is a colour
    return size, sum((Counter(rows[at + 1 : at + line]) for at in range(0, len(rows), line)), Counter())


def is_blank(colours: Counter[int]) -> bool:
    """Whether nearly all of the picture has one colour."""
    return len(colours) < 50 or colours.most_common(1)[0][1] > 0.9 * colours.total()


@pytest.mark.chromium
def test_the_pictures_of_the_readme_are_made(tmp_path: Path) -> None:
    main(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"demo.png", "phone.png"}
    for name, expected in (("demo.png", DESKTOP), ("phone.png", PHONE)):
        picture = (tmp_path / name).read_bytes()
        size, colours = read(picture)
        assert size == expected
        assert not is_blank(colours), (name, colours.most_common(3))
        assert len(picture) <= MAX_BYTES


def test_a_palette_keeps_the_most_common_colours_and_merges_those_that_look_alike() -> None:
    many = [red << 5 | green << 13 | blue << 21 for red, green, blue in product(range(8), repeat=3)]
    alike = [many[0] + 1] * 8
    size, colours = read(with_palette(array("I", many[:256] * 2 + many[256:] + alike), 8))
    assert size == (8, 97)
    assert (len(colours), colours.total()) == (256, 776)
    assert colours[0] >= 10  # the eight that look like `many[0]`, which is there twice
    assert is_blank(read(with_palette(array("I", [0xFFFFFFFF] * 64), 8))[1])
