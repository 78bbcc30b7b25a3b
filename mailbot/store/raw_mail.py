"""Raw mail, byte for byte as received: stored once per SHA-256, compressed with zstd (RFC 8878), in the database.

In: the bytes. Out: the digest, by which they are found again. Every read verifies size and digest, so damage is
detected here and never returned as a mail.

On SQLite a large mail is written and read in pieces (sqlite3_blob_open): as a parameter it would be in memory three
times (ours, the statement's copy, the record that SQLite assembles), and as a column of a result twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime

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
# The zeros of the body, which is the last column, are not allocated in memory (sqlite3_bind_zeroblob).
_INSERT_EMPTY = CompiledStatement(
    insert_unless_there(RAW_MAIL, "sqlite").values(
        sha256=bindparam("of"), size=bindparam("mail_size"), stored_at=bindparam("at"),
        body=func.zeroblob(bindparam("packed_size")),
    )
)  # fmt: skip
_PIECE = 1 << 20

_BY_DIGEST = select(RAW_MAIL.c.size, RAW_MAIL.c.body).where(RAW_MAIL.c.sha256 == bindparam("wanted"))
_ROW = CompiledStatement(select(RAW_MAIL.c.id).where(RAW_MAIL.c.sha256 == bindparam("wanted")))
_ROW_AND_SIZE = "SELECT id, size FROM raw_mail WHERE sha256 = ?"


def put(connection: Connection, raw: bytes, now: datetime, packed: tuple[str, bytes] | None = None) -> str:
    """Store a mail unless it is stored already; return its SHA-256 in hex. `packed`: the result of `pack`, if known."""
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
    """Return the mail with this digest, None if there is none; raises `RawMailDamaged` where it doesn't match."""
    if connection.dialect.name == "sqlite":
        with faults_of(connection, _ROW_AND_SIZE):
            found = bare(connection).execute(_ROW_AND_SIZE, (sha256,)).fetchone()
        if found is None:
            return None
        row_id, size = found
        if size > LARGE:
            return unpack_pieces(sha256, size, _read_pieces(connection, row_id))
    row = connection.execute(_BY_DIGEST, {"wanted": sha256}).one_or_none()
    return None if row is None else unpack(sha256, row.size, row.body)


def row_of(connection: Connection, sha256: str) -> int | None:
    """Return the row id of a stored mail."""
    found: int | None = _ROW.scalar(connection, {"wanted": sha256})
    return found


def _write_pieces(connection: Connection, sha256: str, body: bytes) -> None:
    """Write the body over the zeros of a row that was just inserted, in the same transaction."""
    view = memoryview(body)
    with faults_of(connection, "sqlite3_blob_write"):
        [row_id] = bare(connection).execute("SELECT id FROM raw_mail WHERE sha256 = ?", (sha256,)).fetchone()
        with _blob(connection, row_id, readonly=False) as blob:
            for start in range(0, len(view), _PIECE):
                blob.write(view[start : start + _PIECE])


def _read_pieces(connection: Connection, row_id: int) -> Iterator[bytes]:
    with faults_of(connection, "sqlite3_blob_read"), _blob(connection, row_id, readonly=True) as blob:
        while piece := blob.read(_PIECE):
            yield piece


def _blob(connection: Connection, row_id: int, *, readonly: bool) -> sqlite3.Blob:
    blob: sqlite3.Blob = bare(connection).blobopen("raw_mail", "body", row_id, readonly=readonly)
    return blob
