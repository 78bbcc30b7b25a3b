"""The schema: the same as the models say, whoever makes it, and whatever kills them meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from mailbot.clock import ManualClock
from mailbot.store import schema
from mailbot.store.engine import Store
from mailbot.store.migrations.drift import differences


def tables_and_triggers(connection: Connection) -> set[tuple[str, str]]:
    """Everything that the schema has, by kind and name."""
    if connection.dialect.name == "sqlite":
        query = "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    else:
        query = (
            "SELECT 'table', table_name FROM information_schema.tables WHERE table_schema = 'public' "
            "UNION SELECT 'index', indexname FROM pg_indexes WHERE schemaname = 'public' "
            "UNION SELECT 'trigger', trigger_name FROM information_schema.triggers"
        )
    return {(row[0], row[1]) for row in connection.execute(text(query))}


def test_migrations_make_what_the_models_say(store: Store) -> None:
    with store.reading() as connection:
        assert differences(connection) == []
        assert ("trigger", "message_to_index") in tables_and_triggers(connection)


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]
