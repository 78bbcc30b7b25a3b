"""Backup of a desk into one file, a consistent snapshot, while the desk runs.

SQLite: its online backup (sqlite.org/backup.html) into a temporary file beside the target, which is checked, synced and
then renamed: a file of that name is complete. PostgreSQL: `pg_dump` in its custom format; where it is not installed,
the error says what to run. Only the owner can read the file (0600): it holds mail.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from mailbot.errors import NotPossible
from mailbot.store.engine import Store
from mailbot.store.schema_version import HEAD


def backup(store: Store, file: Path) -> None:
    """Copy the desk into `file`, which must not exist yet; raises `NotPossible` with the reason."""
    file = file.absolute()
    if file.exists():
        raise NotPossible(f"{file} exists already: name a file that doesn't, nothing is overwritten.")
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise NotPossible(f"{file} can't be written: {error.strerror}.") from error
    try:
        (_copy_sqlite if store.is_sqlite else _dump_postgresql)(store, partial)
        _sync(partial)
        partial.rename(file)
        _sync(file.parent)
    except (sqlite3.Error, OSError) as error:
        raise NotPossible(f"The backup to {file} failed ({error}); nothing was left there.") from error
    finally:
        partial.unlink(missing_ok=True)


def _copy_sqlite(store: Store, file: Path) -> None:
    assert store.path is not None
    source = sqlite3.connect(f"file:{store.path}?mode=ro", uri=True, timeout=store.lock_wait)
    copy = sqlite3.connect(file, isolation_level=None)
    try:
        source.backup(copy)  # in one step: with a write-ahead log, writers don't wait meanwhile
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, no log beside it
        faults = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
        found = copy.execute("SELECT version_num FROM alembic_version").fetchone()
        if faults != ["ok"] or found != (HEAD,):
            raise NotPossible(f"The copy is not sound ({'; '.join(faults)}): run `mailbot db check`.")
    finally:
        copy.close()
        source.close()


def _dump_postgresql(store: Store, file: Path) -> None:
    url = store.url.set(drivername="postgresql", password=None).render_as_string()
    program = shutil.which("pg_dump")
    if program is None:
        raise NotPossible(
            "pg_dump is not installed here (Debian: postgresql-client). "
            f"Where it is, run: pg_dump --format=custom --file=FILE '{url}'"
        )
    environment = dict(os.environ)
    if store.url.password is not None:
        environment["PGPASSWORD"] = str(store.url.password)  # not on the command line, which every user can read
    for command in ([program, "--format=custom", f"--file={file}", url], ["pg_restore", "--list", str(file)]):
        done = subprocess.run(  # noqa: S603 - no shell, and nothing in it comes from a mail
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise NotPossible(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


def _sync(path: Path) -> None:
    """Call fsync on a file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
