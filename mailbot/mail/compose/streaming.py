"""A composed mail with large files, encoded while it is sent.

In: finished pieces of text, and the contents of files. Out: the mail's size, and its bytes in pieces. A file of 24 MB
is 33 MB in base64 and, as lines of Python, three times as much; here it is in memory once, as it is (or not at all:
anything that returns slices of it will do), and half a megabyte of it encoded.

Standards: RFC 2045 §6.8 (base64, lines of 76 characters).
Never: changes a byte of what `compose` made.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

# Bytes of a file per line (RFC 2045 §6.8: 76 characters), and lines that are encoded at a time.
_LINE, _LINES = 57, 8192


class Content(Protocol):
    """The bytes of a file: bytes, or an object that reads them from elsewhere."""

    def __len__(self) -> int:
        """Return how many they are."""

    def __getitem__(self, part: slice, /) -> bytes:
        """Return a slice of them."""


@dataclass(frozen=True, slots=True)
class InBase64:
    """A file's content as a body in base64: lines with CRLF between them, none after the last."""

    content: Content = field(repr=False)

    def __len__(self) -> int:
        letters = (len(self.content) + 2) // 3 * 4
        return letters + 2 * ((letters - 1) // 76) if letters else 0

    def pieces(self) -> Iterator[bytes]:
        """Yield the body in pieces."""
        for start in range(0, len(self.content), _LINE * _LINES):
            lines = base64_lines(self.content[start : start + _LINE * _LINES])
            yield b"\r\n" + lines if start else lines


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail in parts, the first of which begins with its header. `bytes()` of it is the whole."""

    parts: tuple[bytes | InBase64, ...]

    @property
    def size(self) -> int:
        """The size of the whole in bytes."""
        return sum(map(len, self.parts))

    @property
    def header(self) -> bytes:
        """The header, without the empty line."""
        first = self.parts[0]
        return first[: first.find(b"\r\n\r\n") + 1] if isinstance(first, bytes) else b""

    def isascii(self) -> bool:
        """Return whether all of it is ASCII."""
        return all(part.isascii() for part in self.parts if isinstance(part, bytes))

    def pieces(self) -> Iterator[bytes]:
        """Yield the mail in pieces, none of them empty."""
        for part in self.parts:
            if not isinstance(part, bytes):
                yield from part.pieces()
            elif part:
                yield part

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces())


def base64_lines(content: bytes) -> bytes:
    """Encode as base64 in lines of 76 characters (RFC 2045 §6.8)."""
    encoded = binascii.b2a_base64(content, newline=False)
    return b"\r\n".join(encoded[at : at + 76] for at in range(0, len(encoded), 76))
