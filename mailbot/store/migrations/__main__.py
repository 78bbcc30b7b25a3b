"""For developers: draft the next migration from the models, `python -m mailbot.store.migrations "add a flag"`.

In: the models, a new database with the newest schema. Out: a file in `versions/`, to be reviewed, corrected (it has to
run on both databases) and completed by setting `store.schema_version.HEAD`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from mailbot.runtime.clock import SystemClock
from mailbot.store import schema, schema_version
from mailbot.store.engine import Store


def draft(words: str, folder: Path = schema.MIGRATIONS) -> Path:
    """Write the draft; return its path."""
    with tempfile.TemporaryDirectory() as scratch, Store(clock=SystemClock(), data_dir=Path(scratch)) as store:
        schema.upgrade(store)
        with store.writing() as connection:
            config = schema.alembic_config(connection, folder)
            made = command.revision(config, words, autogenerate=True, rev_id=f"{int(schema_version.HEAD) + 1:04}")
    assert made is not None and not isinstance(made, list)
    return Path(made.path)


if __name__ == "__main__":
    sys.stdout.write(f"{draft(' '.join(sys.argv[1:]) or 'next step')}\n")
