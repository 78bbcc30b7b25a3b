"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel  # for the types in a draft: write them as in 0001, and drop this
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
