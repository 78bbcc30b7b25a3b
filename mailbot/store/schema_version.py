"""Which step of its schema a database is at."""

from __future__ import annotations

from sqlalchemy import Connection, text

HEAD = "0002"
"""The newest migration. A test compares it with the folder."""


def version(connection: Connection) -> str | None:
    """The step that the database is at; None where no mailbot has been."""
    # Not to_regclass(): it may answer from a cache of before the lock was waited for.
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)
