"""Mails as they came, byte for byte: kept once for each SHA-256, compressed with zstd (RFC 8878), in the database.

In: the bytes. Out: the digest, by which they are found again. Every reading checks size and digest, so damage is seen
here and never handed on as a mail.

On SQLite a large mail is written and read in pieces (sqlite3_blob_open): as a parameter it would be in memory three
times, in ours, in the statement's copy and in the record that is put together, and as a column of a result twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from mailbot.runtime.memory import LARGE
from mailbot.store.compression import (
    pack,
    unpack,
    unpack_pieces,
)
from mailbot.store.statements import (
    CompiledStatement,
    bare,
    faults_of,
)
from mailbot.store.tables import RAW_MAIL, insert_unless_there

_INSERT = {
    dialect: CompiledStatement(insert_unless_there(RAW_MAIL, dialect), ("sha256", "size", "stored_at", "body"))
    for dialect in ("sqlite", "postgresql")
}
# The zeros of the body, which is the last column, are not put together in memory (sqlite3_bind_zeroblob).
_INSERT_EMPTY = CompiledStatement(
    insert_unless_there(RAW_MAIL, "sqlite").values(
        sha256=bindparam("of"), size=bindparam("mail_size"), stored_at=bindparam("at"),
        body=func.zeroblob(bindparam("packed_size")),
    )
)  # fmt: skip
_PIECE = 1 << 20

_BY_DIGEST = select(RAW_MAIL.c.size, RAW_MAIL.c.body).where(RAW_MAIL.c.sha256 == bindparam("wanted"))
_ROW = CompiledStatement(select(RAW_MAIL.c.id).where(RAW_MAIL.c.sha256 == bindparam("wanted")))
_PLACE = "SELECT id, size FROM raw_mail WHERE sha256 = ?"


def put(connection: Connection, raw: bytes, now: datetime, packed: tuple[str, bytes] | None = None) -> str:
    """Store a mail unless it is there already; its SHA-256 in hex. `packed`: what `pack` made of it already."""
    sha256, body = packed or pack(raw)
    dialect = connection.dialect.name
    if dialect == "sqlite" and len(body) > LARGE:
        row = {"of": sha256, "mail_size": len(raw), "at": now, "packed_size": len(body)}
        if _INSERT_EMPTY.run(connection, row) == 1:
            _write_pieces(connection, sha256, body)
        return sha256
    _INSERT[dialect].run(connection, {"sha256": sha256, "size": len(raw), "stored_at": now, "body": body})
    return sha256


def get(connection: Connection, sha256: str) -> bytes | None:
    """The mail with this digest; None if there is none; `RawMailDamaged` if it is not what was stored."""
    if connection.dialect.name == "sqlite":
        with faults_of(connection, _PLACE):
            place = bare(connection).execute(_PLACE, (sha256,)).fetchone()
        if place is None:
            return None
        if place[1] > LARGE:
            return unpack_pieces(sha256, place[1], _read_pieces(connection, place[0]))
    row = connection.execute(_BY_DIGEST, {"wanted": sha256}).one_or_none()
    return None if row is None else unpack(sha256, row.size, row.body)


def row_of(connection: Connection, sha256: str) -> int | None:
    """The row id of a stored mail."""
    found: int | None = _ROW.scalar(connection, {"wanted": sha256})
    return found


def _write_pieces(connection: Connection, sha256: str, body: bytes) -> None:
    """Over the zeros of a row that was just inserted, in the same transaction."""
    view = memoryview(body)
    with faults_of(connection, "sqlite3_blob_write"):
        [place] = bare(connection).execute("SELECT id FROM raw_mail WHERE sha256 = ?", (sha256,)).fetchone()
        with _blob(connection, place, readonly=False) as blob:
            for start in range(0, len(view), _PIECE):
                blob.write(view[start : start + _PIECE])


def _read_pieces(connection: Connection, place: int) -> Iterator[bytes]:
    with faults_of(connection, "sqlite3_blob_read"), _blob(connection, place, readonly=True) as blob:
        while piece := blob.read(_PIECE):
            yield piece


def _blob(connection: Connection, place: int, *, readonly: bool) -> Any:
    return bare(connection).blobopen("raw_mail", "body", place, readonly=readonly)
