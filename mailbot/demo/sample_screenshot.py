"""The screenshot that the demo's requester attaches, drawn here so that no picture has to be shipped.

Out: the bytes of a PNG (RFC 2083), some 2 KB, of a window with a table and an error message.
"""

from __future__ import annotations

import struct
import zlib
from functools import cache

WIDTH, HEIGHT = 480, 300
Colour = tuple[int, int, int]
Box = tuple[int, int, int, int, Colour]  # left, top, width, height, colour

_INK, _LINE, _PALE, _PAPER = (71, 85, 105), (203, 213, 225), (241, 245, 249), (255, 255, 255)
_BLUE, _RED, _ROSE = (30, 64, 120), (190, 30, 45), (254, 226, 226)


def _boxes() -> list[Box]:
    boxes: list[Box] = [
        (0, 0, WIDTH, HEIGHT, _PAPER),
        (0, 0, WIDTH, 34, _BLUE),
        *((12 + 16 * n, 12, 10, 10, _PALE) for n in range(3)),
        (76, 13, 150, 8, (148, 180, 220)),
        (16, 50, 180, 12, _INK),
    ]
    for row in range(6):  # the table behind the message
        top = 78 + row * 34
        boxes += [
            (16, top, WIDTH - 32, 26, _PALE if row % 2 else (226, 232, 240)),
            *((28 + 108 * column, top + 10, 52 + (row * 17 + column * 29) % 34, 7, _LINE) for column in range(4)),
        ]
    boxes += [  # the message: a bar, an icon, two lines and a button
        (90, 108, 300, 112, _LINE),
        (92, 110, 296, 108, _PAPER),
        (92, 110, 296, 8, _RED),
        (108, 134, 34, 34, _ROSE),
        (122, 140, 6, 14, _RED),
        (122, 158, 6, 5, _RED),
        (156, 138, 200, 8, _INK),
        (156, 154, 150, 8, _LINE),
        (296, 186, 76, 20, _BLUE),
        (314, 193, 40, 6, _PALE),
    ]
    return boxes


@cache
def screenshot() -> bytes:
    """Return the picture as PNG."""
    rows = [bytearray(WIDTH * 3) for _ in range(HEIGHT)]
    for left, top, width, height, colour in _boxes():
        for row in rows[top : top + height]:
            row[left * 3 : (left + width) * 3] = bytes(colour) * width
    pixels = b"".join(b"\0" + row for row in rows)  # filter type 0 before each line
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)  # 8 bits a channel, RGB
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
