"""What Alembic runs for every command: it gets an open transaction from `store.schema` and never makes one itself.

To draft the next step: `python -m mailbot.store.migrations "what it does"` (it compares the models with a new database;
read what it wrote, both databases have to understand it, then set `store.version.HEAD`).
"""

from __future__ import annotations

from alembic import context

from mailbot.store.migrations.drift import leave_out_search
from mailbot.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite can roll DDL back like any other statement; Alembic would otherwise assume that it can't.
    transactional_ddl=True,
    # SQLite alters a table by making it anew. That loses its triggers: make them again in the same step.
    render_as_batch=True,
    compare_type=True,
    include_name=leave_out_search,
)
with context.begin_transaction():
    context.run_migrations()
