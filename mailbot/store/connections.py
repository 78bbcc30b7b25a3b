"""The SQLAlchemy engines of a store: how connections to SQLite and PostgreSQL are configured.

In: a URL. Out: an engine that writes and one that reads.

SQLite (sqlite.org/wal.html, lang_transaction.html): write-ahead log, foreign keys on, deleted content overwritten.
Writers say BEGIN IMMEDIATE: a deferred transaction that reads first and then writes fails with "database is locked",
whatever the timeout is. One connection writes, so the threads of one process queue in memory rather than poll a lock;
readers have connections of their own and see a snapshot.
PostgreSQL by psycopg 3: READ COMMITTED for writers, a read-only REPEATABLE READ snapshot for readers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import cast

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

_WRITER_PRAGMAS = (
    "foreign_keys=ON",
    "secure_delete=ON",  # an erased requester's words are overwritten with zeros
    "cache_size=-10000",  # 16 MB gain nothing; with 6 MB a million tickets cost a tenth more
)
# The system keeps the file in its own cache: a large cache in each reader would hold the same pages again.
_READER_PRAGMAS = ("query_only=ON", "cache_size=-2000")
_DISPOSABLE_PRAGMAS = ("foreign_keys=ON", "cache_size=-16000")
_SYNCHRONOUS = {mode: f"PRAGMA synchronous={mode}" for mode in ("FULL", "NORMAL", "OFF")}
# A process that was stopped in a transaction must not keep its locks, and a host that vanished must be noticed, before
# the lease of its worker ends (store/cluster/leases.py).
_POSTGRESQL_SESSION = (
    "SET idle_in_transaction_session_timeout = '10s'; SET tcp_keepalives_idle = 5; "
    "SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3"
)


def sqlite_engines(
    url: URL, lock_wait: float, synchronous: Callable[[], str], *, durable: bool
) -> tuple[Engine, Engine]:
    """Return the engine of the one writer and that of the readers.

    `synchronous` gives SQLite's mode for the transaction that begins; `durable` False: the database is disposable.
    """
    connect_args = {"timeout": lock_wait, "check_same_thread": False, "cached_statements": 256}

    def made(begin: str, pragmas: tuple[str, ...], size: int, overflow: int) -> Engine:
        engine = create_engine(
            url, connect_args=connect_args, poolclass=QueuePool, pool_size=size, max_overflow=overflow,
            pool_timeout=lock_wait,
        )  # fmt: skip

        @event.listens_for(engine, "connect")
        def _configure(dbapi: DBAPIConnection, _: ConnectionPoolEntry) -> None:
            dbapi.isolation_level = None  # sqlite3 would otherwise begin transactions by itself, deferred ones
            cursor = dbapi.cursor()
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        def do_begin(pooled: PoolProxiedConnection) -> None:
            if pragmas is not _READER_PRAGMAS:
                set_synchronous(pooled, synchronous())
            cast(sqlite3.Connection, pooled.dbapi_connection).execute(begin)

        # In place of a "begin" event with exec_driver_sql(), which takes longer than the rest of an empty transaction.
        engine.dialect.do_begin = do_begin  # type: ignore[method-assign,assignment]
        return engine

    writer = _WRITER_PRAGMAS if durable else _DISPOSABLE_PRAGMAS
    return made("BEGIN IMMEDIATE", writer, 1, 0), made("BEGIN", _READER_PRAGMAS, 4, 12)


def set_synchronous(pooled: PoolProxiedConnection, mode: str) -> None:
    """Set what the next commits of a connection wait for; not inside a transaction."""
    if pooled.info.get("synchronous") != mode:
        cast(sqlite3.Connection, pooled.dbapi_connection).execute(_SYNCHRONOUS[mode])
        pooled.info["synchronous"] = mode


def postgresql_engines(url: URL, lock_wait: float) -> tuple[Engine, Engine]:
    """Return the engine that writes and the one that reads; they share a pool."""
    engine = create_engine(
        url,
        pool_size=5,
        max_overflow=10,
        pool_timeout=lock_wait,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        # A database that vanished silently is noticed within a quarter of a minute.
        connect_args={"connect_timeout": 10, "application_name": "mailbot", "tcp_user_timeout": 15_000},
    )

    @event.listens_for(engine, "connect")
    def _configure(dbapi: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = dbapi.cursor()
        cursor.execute(_POSTGRESQL_SESSION)
        cursor.close()
        dbapi.commit()

    return engine, engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
