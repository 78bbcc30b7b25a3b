"""A composed mail with large files: put together and encoded while it is sent, never in memory as a whole.

In: pieces of text that are ready, and the contents of files. Out: the mail's size, and its bytes in pieces. A file of
24 MB is 33 MB in base64 and, as lines of Python, three times as much; here it is there once, as it is (or not at all:
whatever gives slices of it will do), and half a megabyte of it as it goes out.
Standards: RFC 2045 §6.8 (base64, lines of 76 characters). Never: changes a byte of what `compose` made.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

# Bytes of a file for one line (RFC 2045 §6.8: 76 letters), and how many lines are made at a time.
_LINE, _LINES = 57, 8192


class Content(Protocol):
    """The bytes of a file: bytes, or what reads them from elsewhere."""

    def __len__(self) -> int:
        """How many they are."""

    def __getitem__(self, part: slice, /) -> bytes:
        """Some of them."""


@dataclass(frozen=True, slots=True)
class InBase64:
    """A file's content as a body in base64: lines with CRLF between them, none behind the last."""

    content: Content = field(repr=False)

    def __len__(self) -> int:
        letters = (len(self.content) + 2) // 3 * 4
        return letters + 2 * ((letters - 1) // 76) if letters else 0

    def pieces(self) -> Iterator[bytes]:
        """The body, piece by piece."""
        for start in range(0, len(self.content), _LINE * _LINES):
            lines = base64_lines(self.content[start : start + _LINE * _LINES])
            yield b"\r\n" + lines if start else lines


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail in parts, the first of which holds its header. `bytes()` of it is the whole."""

    parts: tuple[bytes | InBase64, ...]

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return sum(map(len, self.parts))

    @property
    def header(self) -> bytes:
        """Its header, without the empty line."""
        first = self.parts[0]
        return first[: first.find(b"\r\n\r\n") + 1] if isinstance(first, bytes) else b""

    def isascii(self) -> bool:
        """Is there no byte beyond ASCII in it?"""
        return all(part.isascii() for part in self.parts if isinstance(part, bytes))

    def pieces(self) -> Iterator[bytes]:
        """The mail, piece by piece; none is empty."""
        for part in self.parts:
            if not isinstance(part, bytes):
                yield from part.pieces()
            elif part:
                yield part

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces())


def base64_lines(content: bytes) -> bytes:
    """RFC 2045 §6.8: lines of 76 characters."""
    encoded = binascii.b2a_base64(content, newline=False)
    return b"\r\n".join(encoded[at : at + 76] for at in range(0, len(encoded), 76))
