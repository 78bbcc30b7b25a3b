"""The mail inside an opaque S/MIME signature (smime.p7m, signed-data); the signature itself isn't checked.

In: the decoded bytes of the part. Out: the bytes of the MIME entity inside, or None if none can be read.
Total: a length that exceeds the data ends the reading.

Standards: RFC 8551 §3.5.2 (the form), RFC 5652 §5.1 (SignedData), X.690 §8.1 (tags and lengths, definite or not).
"""

from __future__ import annotations

_SEQUENCE, _SET, _INTEGER, _OID = 0x30, 0x31, 0x02, 0x06
_OCTETS, _OCTETS_IN_PIECES, _CONTEXT_0 = 0x04, 0x24, 0xA0
SIGNED_DATA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"  # OID, DER (RFC 5652 §5.1)
_MAX_DEPTH = 20


class _BrokenError(Exception):
    """The data is no DER or BER of the expected form."""


def signed_content(data: bytes) -> bytes | None:
    """Return the signed entity of a CMS SignedData, None if it isn't one or carries no content."""
    try:
        position, _ = _enter(data, 0, _SEQUENCE)
        start, end = _enter(data, position, _OID)
        if data[start:end] != SIGNED_DATA:
            return None
        position, _ = _enter(data, end, _CONTEXT_0)
        position, _ = _enter(data, position, _SEQUENCE)
        position = _skip(data, position, _INTEGER)  # version
        position = _skip(data, position, _SET)  # digest algorithms
        position, _ = _enter(data, position, _SEQUENCE)  # encapsulated content
        position = _skip(data, position, _OID)
        position, _ = _enter(data, position, _CONTEXT_0)
        return _octets(data, position) or None
    except (_BrokenError, IndexError):
        return None


def _head(data: bytes, position: int) -> tuple[int, int, int]:
    """Return (tag, start of the content, its length; -1 for the indefinite form)."""
    tag, length = data[position], data[position + 1]
    start = position + 2
    if length == 0x80:
        return tag, start, -1
    if length > 0x80:
        size = length & 0x7F
        if size > 8:
            raise _BrokenError
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    return tag, start, length


def _enter(data: bytes, position: int, wanted: int) -> tuple[int, int]:
    """Return (start, end) of the content of an element with that tag."""
    tag, start, length = _head(data, position)
    if tag != wanted:
        raise _BrokenError
    return start, len(data) if length < 0 else start + length


def _skip(data: bytes, position: int, wanted: int, depth: int = 0) -> int:
    """Return where the next element begins; `wanted` 0 accepts any tag."""
    tag, start, length = _head(data, position)
    if (wanted and tag != wanted) or depth > _MAX_DEPTH:
        raise _BrokenError
    if length >= 0:
        return start + length
    while data[start : start + 2] != b"\0\0":  # indefinite: until the end-of-contents octets
        start = _skip(data, start, 0, depth + 1)
    return start + 2


def _octets(data: bytes, position: int) -> bytes:
    tag, start, length = _head(data, position)
    if tag == _OCTETS:
        return data[start : start + length]
    if tag != _OCTETS_IN_PIECES:
        raise _BrokenError
    pieces = bytearray()
    end = len(data) if length < 0 else start + length
    while start < min(end, len(data) - 1) and data[start : start + 2] != b"\0\0":
        tag, begin, size = _head(data, start)
        if tag != _OCTETS or size < 0:
            raise _BrokenError
        pieces += data[begin : begin + size]
        start = begin + size
    return bytes(pieces)
