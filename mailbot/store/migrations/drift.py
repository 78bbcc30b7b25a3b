"""Where the models and a database differ: for the test that they don't, and for drafting the next migration."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from mailbot.store.tables import METADATA


def leave_out_search(name: str | None, type_: str, _: Any) -> bool:
    """Not for Alembic's eyes: FTS5's tables on SQLite, the GIN index on PostgreSQL. Models can't say either."""
    return name is None or not name.startswith({"table": "ticket_search", "index": "ix_ticket_words"}.get(type_, " "))


def differences(connection: Connection) -> list[Any]:
    """What Alembic would have to change so that the database has what the models say; [] where they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    options = {"compare_type": True, "include_name": leave_out_search}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))
