"""The store that a test runs on: the same test once on SQLite, once on PostgreSQL.

`store_url` is a database that nobody has opened yet, `store` one with the schema, closed after the test. PostgreSQL
databases are copies of one that was migrated once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, event, text

from mailbot.runtime.clock import ManualClock
from mailbot.store import schema
from mailbot.store.engine import Store
from tests.support.postgres import Postgres

START = datetime(2025, 11, 3, 3, 45, 13, tzinfo=UTC)

ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(params=ENGINES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'desk' / 'mailbot.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create()


@pytest.fixture
def clock() -> ManualClock:
    """Monday 3 November 2025, 10:45:13 WIB."""
    return ManualClock(START)


@pytest.fixture
def store(store_url: str, clock: ManualClock) -> Iterator[Store]:
    """A database with the newest schema."""
    with Store(store_url, clock=clock) as opened:
        schema.upgrade(opened)
        yield opened


def make_with_schema(store: Store, revision: str) -> None:
    """Give an empty database the schema of an older mailbot."""
    with store.writing() as connection:
        command.upgrade(schema.alembic_config(connection), revision)


def parts(connection: Connection) -> set[tuple[str, str]]:
    """Everything that a database's schema has, by kind and name."""
    if connection.dialect.name == "sqlite":
        query = "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    else:
        query = (
            "SELECT 'table', table_name FROM information_schema.tables WHERE table_schema = 'public' "
            "UNION SELECT 'index', indexname FROM pg_indexes WHERE schemaname = 'public' "
            "UNION SELECT 'trigger', trigger_name FROM information_schema.triggers"
        )
    return {(row[0], row[1]) for row in connection.execute(text(query))}


def make_impatient(store: Store) -> None:
    """Let a SQLite store wait a tenth of a second for a lock, not half a minute."""
    store._forget_connections()
    event.listen(store._writer, "connect", lambda bare, _: bare.execute("PRAGMA busy_timeout=100"))
