"""The schema: made, brought up to date, checked, backed up. (First cut: migrations by Alembic follow.)"""

from __future__ import annotations

from mailbot.store.engine import Store
from mailbot.store.tables import METADATA


def upgrade(store: Store) -> None:
    """Create what is missing."""
    if store.is_sqlite:
        raw = store.engine.raw_connection()
        raw.cursor().execute("PRAGMA journal_mode=WAL")
        raw.close()
    METADATA.create_all(store.engine)
