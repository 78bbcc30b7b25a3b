"""Mails as they came, byte for byte: kept once for each SHA-256, compressed with zstd (RFC 8878), in the database.

In: the bytes. Out: the digest, by which they are found again. Every reading checks size and digest, so damage is seen
here and never handed on as a mail.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from mailbot.packing import RawMailDamaged, pack, unpack
from mailbot.store.prepared import Prepared
from mailbot.store.tables import RAW_MAIL, insert_unless_there

_INSERT = {
    dialect: Prepared(insert_unless_there(RAW_MAIL, dialect), ("sha256", "size", "stored_at", "body"))
    for dialect in ("sqlite", "postgresql")
}
__all__ = ["RawMailDamaged", "get", "put", "unpack"]

_BY_DIGEST = select(RAW_MAIL.c.size, RAW_MAIL.c.body).where(RAW_MAIL.c.sha256 == bindparam("wanted"))


def put(connection: Connection, raw: bytes, now: datetime, packed: tuple[str, bytes] | None = None) -> str:
    """Store a mail unless it is there already; its SHA-256 in hex. `packed`: what `pack` made of it already."""
    sha256, body = packed or pack(raw)
    row = {"sha256": sha256, "size": len(raw), "stored_at": now, "body": body}
    _INSERT[connection.dialect.name].run(connection, row)
    return sha256


def get(connection: Connection, sha256: str) -> bytes | None:
    """The mail with this digest; None if there is none; `RawMailDamaged` if it is not what was stored."""
    row = connection.execute(_BY_DIGEST, {"wanted": sha256}).one_or_none()
    return None if row is None else unpack(sha256, row.size, row.body)
