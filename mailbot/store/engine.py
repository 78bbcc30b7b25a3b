"""The database of a desk: opening it, one transaction at a time, its faults as `StoreUnavailable`.

In: a URL (SQLite file or PostgreSQL) and the desk's name. Out: `Store`, which gives SQLAlchemy Core connections, each
inside one transaction: `writing()` and `reading()`. `store.schema.upgrade` creates the schema; `store.connections`
configures the two databases.

A commit on SQLite waits for fsync (synchronous=FULL: it survives a power failure) or does not (`wait_for_disk=False`,
synchronous=NORMAL: it survives the death of the process).

Failures of the machine (locked, full, read-only, gone) are raised as `StoreUnavailable`, which names the remedy; they
never count as failed attempts of the mail being processed. Faults of the program (a violated constraint, bad SQL) pass
through unchanged.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, event, exc, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext

from mailbot.errors import (
    ConfigError,
    DeskInUse,
    StoreUnavailable,
)
from mailbot.runtime.clock import Clock
from mailbot.runtime.filelock import FileLock
from mailbot.store import statements
from mailbot.store.connections import (
    postgresql_engines,
    set_synchronous,
    sqlite_engines,
)
from mailbot.store.faults import in_words
from mailbot.store.sent_journal import SentJournal
from mailbot.store.tables import (
    DESK,
    MAILBOX,
    insert_unless_there,
)

LOCK_WAIT_SECONDS = 30.0
SQLITE_NAME = "mailbot.db"


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How a store is opened."""

    desk: str = "main"  #: name of the desk in this database
    first_ticket_number: int = 10001  #: for a desk that does not exist yet
    lock_wait: float = LOCK_WAIT_SECONDS  #: seconds that a transaction waits for a lock before `StoreUnavailable`
    durable: bool = True  #: False: a disposable SQLite desk (replay), never synced; a power failure ruins it


class Store:
    """One desk's database. Usable from several threads; `close()` it, or use it in a `with` statement.

    `url` is "" (SQLite, `data_dir/mailbot.db`), `sqlite:///PATH` or `postgresql+psycopg://…`. Opening creates the
    folder (0700) and the file (0600) where they are missing, but no table.
    """

    def __init__(
        self, url: str = "", *, clock: Clock, data_dir: Path | None = None, options: StoreOptions = StoreOptions()
    ) -> None:
        self.url = database_url(url, data_dir)
        self.desk = options.desk
        self.clock = clock
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.path = Path(self.url.database or "").absolute() if self.is_sqlite else None
        self.lock_wait = options.lock_wait
        self._options = options
        self._mailboxes: dict[str, int] = {}
        self._local = threading.local()
        self._desk_lock = FileLock(self.lock_path("lock")) if self.path else None
        if self.path:
            _make_private_file(self.path)
            self._identity = _identity(self.path)
            self._writer, self._reader = sqlite_engines(
                self.url, self.lock_wait, self._synchronous, durable=options.durable
            )
        else:
            self._writer, self._reader = postgresql_engines(self.url, self.lock_wait)
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
        """Run one transaction that may write: committed at the end, rolled back by any exception.

        Keep it short (no IMAP, no SMTP inside), and never open a second one within it: that would deadlock.
        `wait_for_disk=False`: on SQLite the commit does not wait for fsync. It survives the death of this process, but
        a power failure may undo it unless a later commit waited: for changes that can safely be repeated then.
        PostgreSQL always waits.
        """
        self._check_file_is_the_same()
        with (
            self._the_only_one_of_this_thread(wait_for_disk=wait_for_disk),
            self._fresh_connections_after_a_fault(),
            self._writer.begin() as connection,
        ):
            yield connection

    def _synchronous(self) -> str:
        """Return SQLite's `synchronous` for this thread's next transaction (with a WAL, NORMAL commits don't wait)."""
        if not self._options.durable:
            return "OFF"
        return "FULL" if getattr(self._local, "wait_for_disk", True) else "NORMAL"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Run one read-only transaction: everything in it comes from the same snapshot."""
        self._check_file_is_the_same()
        with self._fresh_connections_after_a_fault(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Open a PostgreSQL session in autocommit mode, for what a session holds; it ends with the block."""
        engine = self._writer.execution_options(isolation_level="AUTOCOMMIT")
        with self._fresh_connections_after_a_fault(), engine.connect() as connection:
            connection.detach()  # it must not return to the pool while it holds advisory locks
            yield connection

    @cached_property
    def desk_id(self) -> int:
        """The row of this desk; created (with its first ticket number) if there is none."""
        with self.reading() as connection:
            found = connection.scalar(select(DESK.c.id).where(DESK.c.name == self.desk))
        if found is not None:
            return int(found)
        with self.writing() as connection:
            row = {"name": self.desk, "next_number": self._options.first_ticket_number, "round_robin": ""}
            connection.execute(insert_unless_there(DESK, connection.dialect.name), row)
            return int(connection.execute(select(DESK.c.id).where(DESK.c.name == self.desk)).scalar_one())

    def mailbox_id(self, name: str) -> int:
        """Return the row of a mailbox or another source ("ingest", "web"), created on demand. Not in `writing()`."""
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
        """Lock a SQLite desk for this process until it ends; `DeskInUse` names the process that holds the lock.

        On PostgreSQL several daemons may share a desk: nothing is locked.
        """
        if self._desk_lock and not self._desk_lock.acquire(wait_seconds=0):
            holder = self._desk_lock.holder()
            who = f"process {holder}" if holder else "another process"
            raise DeskInUse(
                f"{who} is already running the desk in {self.path}. Stop it first (systemctl stop mailbot), "
                "or set [storage] data_dir to a folder of its own for a second desk."
            )

    def sent_journal(self) -> SentJournal | None:
        """Return the journal that records accepted mail at once; None on PostgreSQL, whose writers don't queue."""
        return SentJournal(self.lock_path("sent"), durable=self._options.durable) if self.path else None

    def lock_path(self, suffix: str) -> Path:
        """Return a path beside the SQLite database: `mailbot.db` → `mailbot.lock`."""
        if self.path is None:
            raise RuntimeError("only a SQLite database has a file to lock")
        return self.path.resolve().with_suffix(f".{suffix}")

    def close(self) -> None:
        """Close all connections and release the desk's lock. The store can't be used afterwards."""
        self._forget_connections()
        if self._desk_lock:
            self._desk_lock.release()

    def shrink(self) -> None:
        """Free the page cache of SQLite's writer, 16 MB after some hundred mails: the system caches the file as well.

        Nothing to do on PostgreSQL, which is another process.
        """
        if self.is_sqlite:
            with self.outside_transactions() as bare:
                bare.cursor().execute("PRAGMA shrink_memory")

    @contextmanager
    def outside_transactions(self) -> Iterator[DBAPIConnection]:
        """Give the writer's driver connection in autocommit mode: for what no transaction can do (VACUUM, PRAGMA).

        On SQLite it is always the same one, so no other thread of this process writes meanwhile.
        """
        self._check_file_is_the_same()
        with self._the_only_one_of_this_thread(), self._fresh_connections_after_a_fault():
            pooled = self._writer.raw_connection()
            bare = pooled.dbapi_connection
            assert bare is not None
            if self.is_sqlite:
                set_synchronous(pooled, self._synchronous())
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
        """Refuse a second transaction of a thread that has one open: it would wait for itself."""
        if getattr(self._local, "writing", False):
            raise RuntimeError("store.writing() inside store.writing(): pass the connection on instead")
        self._local.writing, self._local.wait_for_disk = True, wait_for_disk
        try:
            yield
        finally:
            self._local.writing = False

    def _check_file_is_the_same(self) -> None:
        """Refuse to go on with a SQLite file that was deleted or replaced: writes to it would be lost silently."""
        if self.path and _identity(self.path) != self._identity:
            self._forget_connections()
            raise StoreUnavailable(
                f"The database {self.path} was removed or replaced while it was open. Put it back, "
                "then restart mailbot (systemctl restart mailbot)."
            )

    def _translate(self, context: ExceptionContext) -> Exception | None:
        """Turn failures of the machine into `StoreUnavailable` where they happen.

        That is inside a transaction: the code that processes a mail in it must tell them from a fault of that mail.
        """
        if context.is_pre_ping:
            return None  # the pool is checking whether a connection is still alive, and replaces it
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
        """Return where the database is, without the password: for messages."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)


def database_url(url: str, data_dir: Path | None) -> URL:
    """Return the full URL that `[storage] database_url` stands for; `ConfigError` where it is not supported."""
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


def _make_private_file(path: Path) -> None:
    """Create the database readable by mailbot's user alone; SQLite gives the files beside it the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreUnavailable(
            f"The database {path} can't be opened: {error.strerror}. Let mailbot's user own the folder "
            f"(chown mailbot {path.parent}), or set [storage] data_dir to one that it may write."
        ) from error


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
