"""The script that Alembic runs for every command, in the open transaction that it gets from `store.schema`.

How to draft a migration: `mailbot.store.migrations.__main__`.
"""

from __future__ import annotations

from alembic import context

from mailbot.store.migrations.drift import leave_out_search
from mailbot.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite can roll back DDL like any other statement; Alembic assumes by default that it can't.
    transactional_ddl=True,
    # SQLite alters a table by rebuilding it, which drops its triggers: create them again in the same migration.
    render_as_batch=True,
    compare_type=True,
    include_name=leave_out_search,
)
with context.begin_transaction():
    context.run_migrations()
