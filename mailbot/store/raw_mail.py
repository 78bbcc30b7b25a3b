"""Mails as they came, byte for byte: kept once for each SHA-256, compressed with zstd (RFC 8878), in the database.

In: the bytes. Out: the digest, by which they are found again. Every reading checks size and digest, so damage is seen
here and never handed on as a mail.

Level 3 was chosen by measuring (docs/storage.md): a 28 KB text mail 0.06 ms to 17 %, a 270 KB mail with an image in
base64 0.4 ms to 76 %; levels above 4 take two to twenty times as long for less than one hundredth.
"""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, select

from mailbot.errors import PermanentError
from mailbot.store.prepared import Prepared
from mailbot.store.tables import RAW_MAIL, insert_unless_there

if TYPE_CHECKING:
    from zstandard import ZstdCompressor, ZstdDecompressor

LEVEL = 3

_INSERT = {
    dialect: Prepared(insert_unless_there(RAW_MAIL, dialect), ("sha256", "size", "stored_at", "body"))
    for dialect in ("sqlite", "postgresql")
}
_BY_DIGEST = select(RAW_MAIL.c.size, RAW_MAIL.c.body).where(RAW_MAIL.c.sha256 == bindparam("wanted"))

_local = threading.local()  # zstandard's objects serve one thread at a time


class RawMailDamaged(PermanentError):
    """A stored mail is not what was stored."""


def put(connection: Connection, raw: bytes, now: datetime) -> str:
    """Store a mail unless it is there already; its SHA-256 in hex."""
    sha256 = hashlib.sha256(raw).hexdigest()
    row = {"sha256": sha256, "size": len(raw), "stored_at": now, "body": _codec()[0].compress(raw)}
    _INSERT[connection.dialect.name].run(connection, row)
    return sha256


def get(connection: Connection, sha256: str) -> bytes | None:
    """The mail with this digest; None if there is none; `RawMailDamaged` if it is not what was stored."""
    row = connection.execute(_BY_DIGEST, {"wanted": sha256}).one_or_none()
    return None if row is None else unpack(sha256, row.size, row.body)


def unpack(sha256: str, size: int, body: bytes) -> bytes:
    """The mail in a `raw_mail` row, checked."""
    import zstandard

    try:
        # The frame says itself how much room it wants: a damaged one must not get it.
        if zstandard.frame_content_size(body) != size:
            raise zstandard.ZstdError("the frame names another size")
        raw = _codec()[1].decompress(body)
    except zstandard.ZstdError as error:
        raise RawMailDamaged(f"raw mail {sha256} can't be unpacked ({error}): restore it from a backup") from error
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise RawMailDamaged(f"raw mail {sha256} is not what was stored (its digest differs): restore it from a backup")
    return raw


def _codec() -> tuple[ZstdCompressor, ZstdDecompressor]:
    """This thread's compressor and decompressor."""
    made = getattr(_local, "codec", None)
    if made is None:
        from zstandard import ZstdCompressor, ZstdDecompressor

        made = _local.codec = (ZstdCompressor(level=LEVEL), ZstdDecompressor())
    codec: tuple[ZstdCompressor, ZstdDecompressor] = made
    return codec
