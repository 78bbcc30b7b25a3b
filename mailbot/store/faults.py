"""Which of a database's errors are the machine's fault, and what to tell the admin about each.

In: what SQLAlchemy raised. Out: the words for `StoreUnavailable`, or None where the error is not of that sort (a
violated constraint, a wrong statement) and must be seen as it is.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import exc

# Primary result codes of SQLite (sqlite.org/rescode.html): the low byte of the extended code.
_SQLITE_FAULTS = {
    5: "is locked by another process (SQLITE_BUSY): a backup or another tool holds it; end that, mailbot tries again",
    6: "is locked within this process (SQLITE_LOCKED); mailbot tries again",
    8: "is read-only: let mailbot's user own the file and its folder (chown -R mailbot …), or mend the disk",
    10: "can't be read or written (disk I/O error): look at `dmesg` and the disk's health, then `mailbot db check`",
    11: "is damaged: run `mailbot db check`, then restore the last `mailbot db backup`",
    13: "has no room: the disk is full; free some space (df -h), mailbot goes on by itself",
    14: "can't be opened: let mailbot's user own the folder, or correct [storage] data_dir",
    23: "is not allowed to be opened: correct the rights of the file and its folder",
    26: "is not a SQLite database, or is encrypted: correct [storage] database_url, or restore a backup",
}

# SQLSTATE classes and codes of PostgreSQL (appendix A of its manual); the longer key wins.
_POSTGRESQL_FAULTS = {
    "08": "can't be reached; mailbot tries again",
    "28": "refused the log-in: correct user or password in [storage] database_url",
    "3D": "does not exist: create it (createdb mailbot), or correct [storage] database_url",
    "53": "has run out of something (connections, memory, disk); free some, mailbot goes on by itself",
    "53100": "has no room: the disk is full; free some space, mailbot goes on by itself",
    "57": "is being shut down or ended the work; mailbot tries again",
    "58": "reports a fault of its machine: look at the PostgreSQL log",
    "25006": "is read-only (a standby?): correct [storage] database_url to the primary server",
    "42501": "does not let this user do that: grant it the rights on the database and its tables",
    "40001": "asked for the work to be repeated; mailbot tries again",
    "40P01": "ended a deadlock; mailbot tries again",
    "55P03": "is locked by somebody else; mailbot tries again",
    "XX": "reports damage: look at the PostgreSQL log",
}


def in_words(error: exc.DBAPIError, *, where: str) -> str | None:
    """One sentence of what is wrong with the database `where` and the mend; None: not the machine's fault."""
    original = error.orig
    found = _of_sqlite(original) if isinstance(original, sqlite3.Error) else _of_postgresql(error, original)
    return f"The database {where} {found} [{_first_line(original)}]" if found else None


def _of_sqlite(original: sqlite3.Error) -> str | None:
    code = getattr(original, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE_FAULTS.get(code & 0xFF)
    return "is not usable just now; mailbot tries again" if "closed" in str(original) else None


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
