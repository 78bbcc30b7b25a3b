"""`mailbot db …`: upgrade the schema, back up a running database, check its integrity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli import output
from mailbot.cli.options import AsJson, ConfigFile, example, group, opened_store, restore_owner, settings_of

app = group("db", "The database: its schema, a backup, its integrity.")


@app.command(epilog=example("mailbot db upgrade"))
def upgrade(context: typer.Context, config: ConfigFile = None) -> None:
    """Create the schema or bring it up to date (every other command does so automatically)."""
    with opened_store(context) as (store, _):
        output.say(f"{store.described()}: the schema is up to date.")


@app.command(epilog=example("mailbot db backup /var/backups/mailbot-2025-11-24.db"))
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that does not exist yet.", show_default=False)],
    config: ConfigFile = None,
) -> None:
    """Copy the database into a file, as one consistent snapshot, while the daemon runs."""
    from mailbot.store import backup

    with opened_store(context) as (store, _):
        backup.backup(store, file)
    output.say(f"{file}: {file.stat().st_size / 1e6:.1f} MB.")


@app.command(epilog=example("mailbot db check"))
def check(context: typer.Context, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Check the database: files, schema, references. Exit 1 if something is wrong."""
    from mailbot.runtime.clock import SystemClock
    from mailbot.store import integrity
    from mailbot.store.engine import Store

    settings = settings_of(context)
    with Store(settings.database_url, clock=SystemClock(), data_dir=settings.storage.data_dir) as store:
        problems = integrity.check(store)
        where = store.described()
    restore_owner(settings.storage.data_dir)
    if as_json:
        output.print_json({"database": where, "ok": not problems, "problems": problems})
    else:
        output.say(f"{where}: {'sound' if not problems else 'not sound'}.")
        for problem in problems:
            output.say(f"  {problem}")
    if problems:
        raise typer.Exit(1)
