"""The schema of a database: created or upgraded by the first process that opens the desk.

In: a `Store`. Out: a database that has every table of `store.models`, whatever it was before: empty, of an older
mailbot, or left by a process that was killed halfway. All migrations run in one transaction (BEGIN IMMEDIATE on SQLite,
where Alembic would otherwise commit statement by statement), under a lock: a second process waits and finds it done.
Alembic takes a quarter of a second to import, so it is imported only when there is something to do.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from mailbot.errors import MailbotError, StoreUnavailable
from mailbot.runtime.filelock import FileLock
from mailbot.store.engine import Store
from mailbot.store.schema_version import HEAD, version

if TYPE_CHECKING:
    from alembic.config import Config


MIGRATIONS = Path(__file__).parent / "migrations"

_ADVISORY_LOCK = 0x6D61696C626F74  # "mailbot", as the number that PostgreSQL wants

_log = logging.getLogger(__name__)


class SchemaUnknown(MailbotError):
    """A database that this mailbot can't use: of a newer version, or of another program."""


def upgrade(store: Store) -> bool:
    """Upgrade the database to the newest schema and create the desk's row; True if the schema was older."""
    is_old = not _is_current(store)
    if is_old:
        (_upgrade_sqlite if store.is_sqlite else _upgrade_postgresql)(store)
    assert store.desk_id  # creates the row now: it can't be done inside another transaction
    return is_old


def alembic_config(connection: Connection, folder: Path = MIGRATIONS) -> Config:
    """Return Alembic's settings, without a file: the migrations, and the transaction that they run in."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _upgrade_sqlite(store: Store) -> None:
    with _alone(store):
        if _is_current(store):
            return
        _use_write_ahead_log(store)
        with _foreign_keys_off(store), store.writing() as connection:
            _migrate(connection, store)
            _refuse_broken_references(connection)


def _upgrade_postgresql(store: Store) -> None:
    with store.writing() as connection:
        # Importing Alembic on a slow machine may exceed the idle timeout of a session (store/connections.py).
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        # Released when the transaction ends.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        _migrate(connection, store)


def _is_current(store: Store) -> bool:
    with store.reading() as connection:
        if version(connection) != HEAD:
            return False
        return not store.is_sqlite or connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


def _migrate(connection: Connection, store: Store) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    config = alembic_config(connection)
    found = version(connection)
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaUnknown(
            f"The database {store.described()} has schema {found}, this mailbot knows it up to {HEAD}: "
            "a newer version made it. Install that version again, or restore a backup from before."
        )
    if found is None and connection.dialect.has_table(connection, "ticket"):
        raise SchemaUnknown(
            f"The database {store.described()} has a table 'ticket' that mailbot did not make. "
            "Set [storage] database_url to a database of its own."
        )
    started = time.monotonic()
    command.upgrade(config, HEAD)
    seconds = time.monotonic() - started
    _log.info("schema %s → %s in %.1f s: %s", found or "(none)", HEAD, seconds, store.described())


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Hold the file lock of this SQLite schema; wait while another process holds it."""
    lock = FileLock(store.lock_path("schema.lock"))
    if not lock.acquire(wait_seconds=0):
        _log.info("waiting for process %s, which is upgrading %s", lock.holder() or "?", store.described())
        lock.acquire(wait_seconds=None)
    try:
        yield
    finally:
        lock.release()


def _use_write_ahead_log(store: Store) -> None:
    """Set SQLite's journal mode, which is stored in the file. It needs a moment without other readers."""
    end = time.monotonic() + store.lock_wait
    with store.outside_transactions() as bare:
        cursor = bare.cursor()
        while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                cursor.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:  # "database is locked", which ignores the timeout
                if time.monotonic() > end:
                    raise StoreUnavailable(f"The database {store.described()} is in use: {error}.") from error
                time.sleep(0.05)


@contextmanager
def _foreign_keys_off(store: Store) -> Iterator[None]:
    """Suspend foreign keys: tables can be rebuilt only without them (sqlite.org/lang_altertable.html, section 7)."""
    with store.outside_transactions() as bare:
        bare.cursor().execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        with store.outside_transactions() as bare:
            bare.cursor().execute("PRAGMA foreign_keys=ON")


def _refuse_broken_references(connection: Connection) -> None:
    broken = connection.execute(text("PRAGMA foreign_key_check")).fetchall()
    if broken:
        raise SchemaUnknown(
            f"{len(broken)} rows would refer to missing rows after the upgrade (first: {broken[0]}); rolled back"
        )
