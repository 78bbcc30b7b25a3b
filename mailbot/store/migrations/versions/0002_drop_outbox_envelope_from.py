"""Drop the column outbox.envelope_from, which nothing read.

Delivery signs the envelope sender (RFC 5321 §3.3) for the row's id at the moment of sending, with the newest key.

Both databases drop a column in place (SQLite since 3.35, which RETURNING needs as well): indexes and triggers stay.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("outbox", "envelope_from")
