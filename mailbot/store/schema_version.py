"""The schema version of a database, readable without importing Alembic (a quarter of a second)."""

from __future__ import annotations

from sqlalchemy import Connection, text

HEAD = "0002"
"""The newest migration. A test compares it with the folder."""


def version(connection: Connection) -> str | None:
    """Return the revision that a database is at; None where mailbot has created no schema."""
    # Not to_regclass(): it may answer from a catalogue cache that is older than the wait for the lock.
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)
