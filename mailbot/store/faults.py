"""Database errors that are failures of the machine, with the remedy for each.

In: what SQLAlchemy raised. Out: the text of a `StoreUnavailable`, or None where the error is a fault of the program (a
violated constraint, a wrong statement).
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import exc

# Primary result codes of SQLite (sqlite.org/rescode.html): the low byte of the extended code.
_SQLITE_FAULTS = {
    5: "is locked by another process (SQLITE_BUSY): a backup or another tool holds it; end that, mailbot tries again",
    6: "is locked within this process (SQLITE_LOCKED); mailbot tries again",
    8: "is read-only: let mailbot's user own the file and its folder (chown -R mailbot …), or repair the disk",
    10: "can't be read or written (disk I/O error): check `dmesg` and the disk's health, then `mailbot db check`",
    11: "is damaged: run `mailbot db check`, then restore the last `mailbot db backup`",
    13: "has no room: the disk is full; free some space (df -h), mailbot resumes by itself",
    14: "can't be opened: let mailbot's user own the folder, or correct [storage] data_dir",
    23: "can't be opened for lack of permission: correct the permissions of the file and its folder",
    26: "is not a SQLite database, or is encrypted: correct [storage] database_url, or restore a backup",
}

# SQLSTATE classes and codes of PostgreSQL (appendix A of its manual); the longer key wins.
_POSTGRESQL_FAULTS = {
    "08": "can't be reached; mailbot tries again",
    "28": "refused the log-in: correct user or password in [storage] database_url",
    "3D": "does not exist: create it (createdb mailbot), or correct [storage] database_url",
    "53": "has run out of something (connections, memory, disk); free some, mailbot resumes by itself",
    "53100": "has no room: the disk is full; free some space, mailbot resumes by itself",
    "57": "is shutting down or cancelled the statement; mailbot tries again",
    "58": "reports a system error: see the PostgreSQL log",
    "25006": "is read-only (a standby?): correct [storage] database_url to the primary server",
    "42501": "denies this user the permission: grant it the rights on the database and its tables",
    "40001": "could not serialise the transaction; mailbot tries again",
    "40P01": "ended a deadlock; mailbot tries again",
    "55P03": "is locked by another session; mailbot tries again",
    "XX": "reports damage: see the PostgreSQL log",
}


def in_words(error: exc.DBAPIError, *, where: str) -> str | None:
    """Return one sentence on the failure of the database `where` and its remedy; None: a fault of the program."""
    original = error.orig
    found = _of_sqlite(original) if isinstance(original, sqlite3.Error) else _of_postgresql(error, original)
    return f"The database {where} {found} [{_first_line(original)}]" if found else None


def _of_sqlite(original: sqlite3.Error) -> str | None:
    code = getattr(original, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE_FAULTS.get(code & 0xFF)
    return "is not usable at the moment; mailbot tries again" if "closed" in str(original) else None


def _of_postgresql(error: exc.DBAPIError, original: BaseException | None) -> str | None:
    state = getattr(original, "sqlstate", None) or ""
    for length in (5, 2):
        if state[:length] in _POSTGRESQL_FAULTS:
            return _POSTGRESQL_FAULTS[state[:length]]
    # A connection that broke, or was never made, has no SQLSTATE.
    if not state and (error.connection_invalidated or isinstance(error, exc.OperationalError | exc.InterfaceError)):
        return _POSTGRESQL_FAULTS["08"]
    return None


def _first_line(original: BaseException | None) -> str:
    return str(original).strip().partition("\n")[0]
