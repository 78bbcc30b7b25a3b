"""Mails as they are kept: packed with zstd (RFC 8878), named by their SHA-256, checked whenever they are unpacked.

Level 3 was chosen by measuring (docs/storage.md): a 28 KB text mail 0.06 ms to 17 %, a 270 KB mail with an image in
base64 0.4 ms to 76 %; levels above 4 take two to twenty times as long for less than one hundredth.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING

from mailbot.errors import PermanentError

if TYPE_CHECKING:
    from zstandard import ZstdCompressor, ZstdDecompressor

LEVEL = 3

_local = threading.local()  # zstandard's objects serve one thread at a time


class RawMailDamaged(PermanentError):
    """A stored mail is not what was stored."""


def pack(raw: bytes) -> tuple[str, bytes]:
    """(SHA-256 of the mail in hex, its zstd frame)."""
    return hashlib.sha256(raw).hexdigest(), _codec()[0].compress(raw)


def unpack(sha256: str, size: int, body: bytes) -> bytes:
    """The mail in a zstd frame, checked; `RawMailDamaged` if it is not what was packed."""
    return unpack_pieces(sha256, size, iter((body,)))


def unpack_pieces(sha256: str, size: int, pieces: Iterator[bytes]) -> bytes:
    """The same for a frame that is read piece by piece, so that it is never in memory whole beside the mail."""
    import zstandard

    try:
        first = next(pieces, b"")
        # The frame says itself how much room it wants: a damaged one must not get it.
        if zstandard.frame_content_size(first) != size:
            raise zstandard.ZstdError("the frame names another size")
        rest = next(pieces, b"")
        raw = _joined(chain((first, rest), pieces)) if rest else _codec()[1].decompress(first)
    except zstandard.ZstdError as error:
        raise RawMailDamaged(f"raw mail {sha256} can't be unpacked ({error}): restore it from a backup") from error
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise RawMailDamaged(f"raw mail {sha256} is not what was stored (its digest differs): restore it from a backup")
    return raw


def _joined(pieces: Iterable[bytes]) -> bytes:
    """The content of a frame in pieces. `getvalue` hands out the buffer itself, so the mail is there once."""
    stream = _codec()[1].decompressobj()
    raw = BytesIO()
    for piece in pieces:
        raw.write(stream.decompress(piece))
    return raw.getvalue()


def _codec() -> tuple[ZstdCompressor, ZstdDecompressor]:
    """This thread's compressor and decompressor."""
    made = getattr(_local, "codec", None)
    if made is None:
        from zstandard import ZstdCompressor, ZstdDecompressor

        made = _local.codec = (ZstdCompressor(level=LEVEL), ZstdDecompressor())
    codec: tuple[ZstdCompressor, ZstdDecompressor] = made
    return codec
