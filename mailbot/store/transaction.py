"""What every part of the write side has: the connection of one transaction, the desk, the moment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection


class Transaction:
    """One transaction on one desk. Not shared between threads. `locking` False: for one that only reads."""

    def __init__(self, connection: Connection, desk_id: int, now: datetime, *, locking: bool = True) -> None:
        self.connection = connection
        self.desk_id = desk_id
        self.now = now
        self._for_update = (
            locking and connection.dialect.name == "postgresql"
        )  # SQLite has the whole database for itself
