"""The database: where it is, how it is opened, one transaction at a time, and its faults in words.

In: a URL (SQLite file or PostgreSQL) and the desk's name. Out: `Store`, which gives SQLAlchemy Core connections, each
inside one transaction: `writing()` and `reading()`. The schema is not made here but by `store.schema.upgrade`.

SQLite (sqlite.org/wal.html, lang_transaction.html): write-ahead log, foreign keys on, deleted content overwritten.
A commit waits for the disk (synchronous=FULL: it survives a power cut) or does not (`wait_for_disk=False`: NORMAL: it survives the death
of the process). Writers say BEGIN IMMEDIATE: a deferred one that reads first and then writes fails with "database
is locked" whatever the time-out is. One connection writes, so the threads of one process queue in memory rather than
poll a lock; readers have connections of their own and see a snapshot.
PostgreSQL by psycopg 3: READ COMMITTED for writers, a read-only REPEATABLE READ snapshot for readers.

What the machine does wrong (locked, full, read-only, gone) comes out as `StoreUnavailable`, with the mend; it never
counts against the mail in hand. Faults of ours (a violated constraint, bad SQL) pass through as they are.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Self, cast

from sqlalchemy import Connection, Engine, create_engine, event, exc, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from mailbot.errors import (
    ConfigError,
    DeskInUse,
    StoreUnavailable,
)
from mailbot.runtime.clock import Clock
from mailbot.runtime.filelock import FileLock
from mailbot.store import statements
from mailbot.store.faults import in_words
from mailbot.store.sent_journal import SentJournal
from mailbot.store.tables import (
    DESK,
    MAILBOX,
    insert_unless_there,
)

LOCK_WAIT_SECONDS = 30.0
SQLITE_NAME = "mailbot.db"

_WRITER_PRAGMAS = (
    "foreign_keys=ON",
    "secure_delete=ON",  # an erased requester's words are overwritten with zeros
    "cache_size=-10000",  # 16 MB gain nothing; with 6 MB a million tickets cost a tenth more
)
_SYNCHRONOUS = {word: f"PRAGMA synchronous={word}" for word in ("FULL", "NORMAL", "OFF")}
_THROWN_AWAY_PRAGMAS = ("foreign_keys=ON", "cache_size=-16000")
# A process that was stopped in a transaction must not keep its locks, and a host that vanished must be noticed, before
# the lease of its worker ends (store/leases.py).
_POSTGRESQL_SESSION = (
    "SET idle_in_transaction_session_timeout = '10s'; SET tcp_keepalives_idle = 5; "
    "SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3"
)
# The system keeps the file in its own cache: what each of the readers keeps beside that is memory twice.
_READER_PRAGMAS = ("query_only=ON", "cache_size=-2000")


class Store:
    """One desk's database. Usable from several threads; `close()` it, or use it in a `with`.

    `url` is "" (SQLite, `data_dir/mailbot.db`), a path's `sqlite:///…` or `postgresql+psycopg://…`. Opening makes
    the folder (0700) and the file (0600) if there are none, and nothing more: no table is touched. `lock_wait` is how
    many seconds a transaction waits for its turn before it is `StoreUnavailable`. `durable` False: a SQLite desk that
    is thrown away (replay); it doesn't wait for the disk, and a power cut ruins it.
    """

    def __init__(
        self,
        url: str = "",
        *,
        desk: str = "main",
        clock: Clock,
        data_dir: Path | None = None,
        first_ticket_number: int = 10001,
        lock_wait: float = LOCK_WAIT_SECONDS,
        durable: bool = True,
    ) -> None:
        self.url = database_url(url, data_dir)
        self.desk = desk
        self.clock = clock
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.path = Path(self.url.database or "").absolute() if self.is_sqlite else None
        self.lock_wait = lock_wait
        self._first_ticket_number = first_ticket_number
        self._durable = durable
        self._mailboxes: dict[str, int] = {}
        self._local = threading.local()
        self._desk_lock = FileLock(self.lock_path("lock")) if self.path else None
        if self.path:
            _make_private_file(self.path)
            self._identity = _identity(self.path)
            self._writer, self._reader = _sqlite_engines(self.url, lock_wait, durable, self._how_to_write)
        else:
            self._writer, self._reader = _postgresql_engines(self.url, lock_wait)
        where = {statements.WHERE: self.described()}
        self._writer, self._reader = (engine.execution_options(**where) for engine in (self._writer, self._reader))
        for dialect in {self._writer.dialect, self._reader.dialect}:
            event.listen(dialect, "handle_error", self._translate, retval=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def writing(self, *, wait_for_disk: bool = True) -> Iterator[Connection]:
        """One transaction that may write: committed at the end, rolled back by any exception.

        Keep it short (no IMAP, no SMTP inside), and never open a second one within it: that could only wait for itself.
        `wait_for_disk=False`: on SQLite the commit does not wait for the disk. The death of this process takes
        nothing of it back; a power cut may, unless a later commit waited: use it for what is done once more then
        without harm. PostgreSQL waits in any case.
        """
        self._check_file_is_the_same()
        with (
            self._the_only_one_of_this_thread(wait_for_disk=wait_for_disk),
            self._fresh_connections_after_a_fault(),
            self._writer.begin() as connection,
        ):
            yield connection

    def _how_to_write(self) -> str:
        """SQLite's `synchronous` for the transaction that this thread begins (in a WAL, NORMAL commits don't wait)."""
        if not self._durable:
            return "OFF"
        return "FULL" if getattr(self._local, "wait_for_disk", True) else "NORMAL"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that only reads: everything in it comes from the same moment."""
        self._check_file_is_the_same()
        with self._fresh_connections_after_a_fault(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A session of one's own on PostgreSQL, each statement for itself, for what a session holds; it ends here."""
        engine = self._writer.execution_options(isolation_level="AUTOCOMMIT")
        with self._fresh_connections_after_a_fault(), engine.connect() as connection:
            connection.detach()  # it never goes back to the pool, with a lock that nobody knows of
            yield connection

    @cached_property
    def desk_id(self) -> int:
        """The row of this desk; made (with its first ticket number) if there is none."""
        with self.reading() as connection:
            found = connection.scalar(select(DESK.c.id).where(DESK.c.name == self.desk))
        if found is not None:
            return int(found)
        with self.writing() as connection:
            row = {"name": self.desk, "next_number": self._first_ticket_number, "round_robin": ""}
            connection.execute(insert_unless_there(DESK, connection.dialect.name), row)
            return int(connection.execute(select(DESK.c.id).where(DESK.c.name == self.desk)).scalar_one())

    def mailbox_id(self, name: str) -> int:
        """The row of a mailbox or another way in ("ingest", "web"), made on demand. Not inside `writing()`."""
        known = self._mailboxes.get(name)
        if known is not None:
            return known
        query = select(MAILBOX.c.id).where(MAILBOX.c.desk_id == self.desk_id, MAILBOX.c.name == name)
        with self.reading() as connection:
            found = connection.scalar(query)
        if found is None:
            with self.writing() as connection:
                row = {"desk_id": self.desk_id, "name": name}
                connection.execute(insert_unless_there(MAILBOX, connection.dialect.name), row)
                found = connection.execute(query).scalar_one()
        return self._mailboxes.setdefault(name, int(found))

    def lock_exclusively(self) -> None:
        """Claim a SQLite desk for this process until it ends, however it ends; `DeskInUse` names who holds it.

        On PostgreSQL several daemons may share a desk: nothing is claimed.
        """
        if self._desk_lock and not self._desk_lock.acquire(wait_seconds=0):
            holder = self._desk_lock.holder()
            who = f"process {holder}" if holder else "another process"
            raise DeskInUse(
                f"{who} is already running the desk in {self.path}. Stop it first (systemctl stop mailbot), "
                "or set [storage] data_dir to a folder of its own for a second desk."
            )

    def sent_journal(self) -> SentJournal | None:
        """Where mail that was accepted is noted at once; None on PostgreSQL: its writers don't wait."""
        return SentJournal(self.lock_path("sent"), durable=self._durable) if self.path else None

    def lock_path(self, suffix: str) -> Path:
        """A file beside the SQLite database: `mailbot.db` → `mailbot.lock`."""
        if self.path is None:
            raise RuntimeError("only a SQLite database has a file to lock")
        return self.path.resolve().with_suffix(f".{suffix}")

    def close(self) -> None:
        """Give back connections and the desk's lock. The store can't be used afterwards."""
        self._forget_connections()
        if self._desk_lock:
            self._desk_lock.release()

    def shrink(self) -> None:
        """SQLite's writer lets go of its pages, 16 MB after some hundred mails: the system has the file in its cache.

        Nothing on PostgreSQL, which is another process.
        """
        if self.is_sqlite:
            with self.outside_transactions() as bare:
                bare.cursor().execute("PRAGMA shrink_memory")

    @contextmanager
    def outside_transactions(self) -> Iterator[DBAPIConnection]:
        """The writer's bare connection, each statement for itself: for what no transaction can do (VACUUM, PRAGMA).

        On SQLite it is always the same one, so nobody of this process writes meanwhile.
        """
        self._check_file_is_the_same()
        with self._the_only_one_of_this_thread(), self._fresh_connections_after_a_fault():
            pooled = self._writer.raw_connection()
            bare = pooled.dbapi_connection
            assert bare is not None
            if self.is_sqlite:
                _write_as(pooled, self._how_to_write())
            try:
                if not self.is_sqlite:
                    bare.autocommit = True
                yield bare
            except sqlite3.Error as error:
                words = in_words(exc.DBAPIError(None, None, error), where=self.described())
                if words is None:
                    raise
                raise StoreUnavailable(words) from error
            finally:
                if not self.is_sqlite:
                    bare.autocommit = False
                pooled.close()

    @contextmanager
    def _the_only_one_of_this_thread(self, *, wait_for_disk: bool = True) -> Iterator[None]:
        """A second transaction of a thread that has one open could only wait for itself."""
        if getattr(self._local, "writing", False):
            raise RuntimeError("store.writing() inside store.writing(): pass the connection on instead")
        self._local.writing, self._local.wait_for_disk = True, wait_for_disk
        try:
            yield
        finally:
            self._local.writing = False

    def _check_file_is_the_same(self) -> None:
        """An open SQLite file that was deleted or replaced would be written into nowhere, without an error."""
        if self.path and _identity(self.path) != self._identity:
            self._forget_connections()
            raise StoreUnavailable(
                f"The database {self.path} was removed or replaced while it was open. Put it back, "
                "then restart mailbot (systemctl restart mailbot)."
            )

    def _translate(self, context: ExceptionContext) -> Exception | None:
        """Make `StoreUnavailable` of the machine's faults where they happen: inside a transaction, one that handles a

        mail must be able to tell them from a fault of that mail.
        """
        if context.is_pre_ping:
            return None  # the pool is looking whether a connection is still alive, and replaces it
        error = context.sqlalchemy_exception
        words = in_words(error, where=self.described()) if isinstance(error, exc.DBAPIError) else None
        return None if words is None else StoreUnavailable(words)

    @contextmanager
    def _fresh_connections_after_a_fault(self) -> Iterator[None]:
        try:
            yield
        except exc.TimeoutError as error:  # from the pool
            raise StoreUnavailable(
                f"The database {self.described()} is busy: no connection became free in {self.lock_wait:.0f} s; "
                "mailbot tries again."
            ) from error
        except StoreUnavailable:
            self._forget_connections()
            raise

    def _forget_connections(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    def described(self) -> str:
        """Where the database is, without the password: for messages."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)


def database_url(url: str, data_dir: Path | None) -> URL:
    """The full URL that `[storage] database_url` means; `ConfigError` where it can't be one of ours."""
    if not url:
        if data_dir is None:
            raise ConfigError(["[storage] neither database_url nor data_dir is set: give one of them"])
        return URL.create("sqlite", database=str(data_dir / SQLITE_NAME))
    try:
        made = make_url(url)
    except exc.ArgumentError as error:
        raise ConfigError(
            [f"[storage] database_url: not a URL ({error}); e.g. postgresql://user@host/mailbot"]
        ) from error
    backend = made.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return made.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ConfigError([f"[storage] database_url: {backend!r} is not supported; allowed: sqlite, postgresql"])
    if made.database in {None, "", ":memory:"}:
        raise ConfigError(["[storage] database_url: SQLite needs a file, as in sqlite:////var/lib/mailbot/mailbot.db"])
    return made


def _sqlite_engines(
    url: URL, lock_wait: float, durable: bool, how_to_write: Callable[[], str]
) -> tuple[Engine, Engine]:
    """The one writer, and readers."""
    connect_args = {"timeout": lock_wait, "check_same_thread": False, "cached_statements": 256}

    def made(begin: str, pragmas: tuple[str, ...], size: int, overflow: int) -> Engine:
        engine = create_engine(
            url,
            connect_args=connect_args,
            poolclass=QueuePool,
            pool_size=size,
            max_overflow=overflow,
            pool_timeout=lock_wait,
        )

        @event.listens_for(engine, "connect")
        def _configure(dbapi: DBAPIConnection, _: ConnectionPoolEntry) -> None:
            dbapi.isolation_level = None  # sqlite3 would otherwise begin transactions by itself, deferred ones
            cursor = dbapi.cursor()
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        def do_begin(pooled: PoolProxiedConnection) -> None:
            if pragmas is not _READER_PRAGMAS:
                _write_as(pooled, how_to_write())
            cast(sqlite3.Connection, pooled.dbapi_connection).execute(begin)

        # In place of a "begin" event with exec_driver_sql(), which takes longer than the rest of an empty transaction.
        engine.dialect.do_begin = do_begin  # type: ignore[method-assign,assignment]
        return engine

    writer = _WRITER_PRAGMAS if durable else _THROWN_AWAY_PRAGMAS
    return made("BEGIN IMMEDIATE", writer, 1, 0), made("BEGIN", _READER_PRAGMAS, 4, 12)


def _write_as(pooled: PoolProxiedConnection, synchronous: str) -> None:
    """Set what the next commits of a connection wait for; not inside of a transaction."""
    if pooled.info.get("synchronous") != synchronous:
        cast(sqlite3.Connection, pooled.dbapi_connection).execute(_SYNCHRONOUS[synchronous])
        pooled.info["synchronous"] = synchronous


def _postgresql_engines(url: URL, lock_wait: float) -> tuple[Engine, Engine]:
    engine = create_engine(
        url,
        pool_size=5,
        max_overflow=10,
        pool_timeout=lock_wait,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        # a database that vanished without a word is noticed within a quarter of a minute
        connect_args={"connect_timeout": 10, "application_name": "mailbot", "tcp_user_timeout": 15_000},
    )

    @event.listens_for(engine, "connect")
    def _configure(dbapi: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = dbapi.cursor()
        cursor.execute(_POSTGRESQL_SESSION)
        cursor.close()
        dbapi.commit()

    return engine, engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _make_private_file(path: Path) -> None:
    """The database and what SQLite puts beside it (which takes over its mode) are for mailbot's user alone."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreUnavailable(
            f"The database {path} can't be opened: {error.strerror}. Let mailbot's user own the folder "
            f"(chown mailbot {path.parent}), or set [storage] data_dir to one that it may write."
        ) from error


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of a file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
