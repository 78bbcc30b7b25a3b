"""The differences between models and database: for the test that there are none, and for drafting a migration."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from mailbot.store.tables import METADATA


def leave_out_search(name: str | None, type_: str, _: object) -> bool:
    """Hide the FTS5 tables (SQLite) and the GIN index (PostgreSQL) from Alembic: models can't express them."""
    return name is None or not name.startswith({"table": "ticket_search", "index": "ix_ticket_words"}.get(type_, " "))


def differences(connection: Connection) -> list[Any]:  # Alembic's own tuples
    """Return what Alembic would change to make the database match the models; [] where it does."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    options = {"compare_type": True, "include_name": leave_out_search}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))
