"""Transactions, their faults in words, and the desk's lock."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from mailbot.errors import (
    ConfigError,
    DeskInUse,
    StoreUnavailable,
)
from mailbot.runtime.clock import ManualClock
from mailbot.store import schema
from mailbot.store.engine import Store, StoreOptions, database_url
from mailbot.store.tables import (
    AUDIT,
    DESK,
    MAILBOX,
)
from tests.support.postgres import Postgres

ROOT = Path(__file__).parents[2]


def number(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(DESK.c.next_number).where(DESK.c.id == store.desk_id)).scalar_one())


def audit(store: Store) -> dict[str, object]:
    return {"desk_id": store.desk_id, "at": store.clock.now(), "actor": "a", "action": "b", "detail": "c"}


@pytest.fixture
def on_sqlite(tmp_path: Path, clock: ManualClock) -> Callable[..., Store]:
    """Opens stores of one SQLite desk; they don't wait long for one another."""

    def opened(**more: float) -> Store:
        options = StoreOptions(lock_wait=more.get("lock_wait", 0.1))
        store = Store(clock=clock, data_dir=tmp_path / "desk", options=options)
        schema.upgrade(store)
        return store

    return opened


def test_a_desk_is_made_once_with_its_first_number(store_url: str, clock: ManualClock) -> None:
    with Store(store_url, clock=clock, options=StoreOptions(first_ticket_number=12345)) as first:
        schema.upgrade(first)
        assert number(first) == 12345
        known = first.desk_id
    with Store(store_url, clock=clock, options=StoreOptions(first_ticket_number=777)) as again:
        assert (again.desk_id, number(again)) == (known, 12345)
    with Store(store_url, clock=clock, options=StoreOptions(desk="other")) as other:
        schema.upgrade(other)
        with other.writing():
            assert other.desk_id != known
        assert number(other) == 10001


def test_a_mailbox_is_made_on_demand_and_once(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(store.mailbox_id, ["INBOX"] * 16))
    assert len(ids) == 1
    assert store.mailbox_id("web") not in ids
    with store.reading() as connection:
        assert sorted(connection.scalars(select(MAILBOX.c.name))) == ["INBOX", "web"]


def test_what_raises_is_undone(store: Store) -> None:
    before = number(store)
    with pytest.raises(LookupError), store.writing() as connection:
        connection.execute(update(DESK).values(next_number=1))
        raise LookupError
    assert number(store) == before


def test_readers_see_one_moment(store: Store) -> None:
    before = number(store)
    with store.reading() as reader:
        assert reader.execute(select(DESK.c.next_number)).scalar_one() == before
        with store.writing() as writer:
            writer.execute(update(DESK).values(next_number=99))
        assert reader.execute(select(DESK.c.next_number)).scalar_one() == before
    assert number(store) == 99


def test_readers_can_not_write(store: Store) -> None:
    with pytest.raises(StoreUnavailable, match="read-only"), store.reading() as connection:
        connection.execute(insert(AUDIT), audit(store))


def test_read_then_write_from_many_threads_and_stores_loses_nothing(store: Store) -> None:
    start = number(store)
    others = [Store(store.url.render_as_string(hide_password=False), clock=store.clock) for _ in range(2)]

    def count(which: Store) -> None:
        for _ in range(20):
            with which.writing() as connection:
                query = select(DESK.c.next_number).where(DESK.c.id == store.desk_id)
                now = connection.execute(query if which.is_sqlite else query.with_for_update()).scalar_one()
                connection.execute(update(DESK).where(DESK.c.id == store.desk_id).values(next_number=now + 1))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(count, [store, *others] * 2))
    for other in others:
        other.close()
    assert number(store) == start + 6 * 20


def test_a_transaction_within_a_transaction_is_refused(store: Store) -> None:
    with store.writing(), pytest.raises(RuntimeError, match="pass the connection on"), store.writing():
        pass
    with store.writing():  # and the guard opens again
        pass


def test_faults_of_ours_are_not_called_the_machines(store: Store) -> None:
    row = {"name": store.desk, "next_number": 1, "round_robin": ""}
    assert store.desk_id
    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.execute(insert(DESK), row)


def test_the_file_is_private_and_set_up_for_safety(on_sqlite: Callable[..., Store]) -> None:
    with on_sqlite() as store, store.writing() as connection:
        assert store.path is not None
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.path.parent.iterdir()}
        assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
        assert set(modes.values()) == {0o600}
        assert {"mailbot.db", "mailbot.db-wal"} <= set(modes)
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 100}
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
        assert found == wanted


def test_only_a_commit_that_says_so_does_not_wait_for_the_disk(on_sqlite: Callable[..., Store]) -> None:
    with on_sqlite() as store:
        found = []
        for wait_for_disk in (True, False, False, True):
            with store.writing(wait_for_disk=wait_for_disk) as connection:
                found.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())
        assert found == [2, 1, 1, 2]
        with store.writing(wait_for_disk=False), pytest.raises(RuntimeError), store.writing():
            pass
        with store.outside_transactions() as bare:
            cursor = bare.cursor()
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone() == (2,)


def test_a_locked_database_is_unavailable_and_then_available(on_sqlite: Callable[..., Store]) -> None:
    with on_sqlite() as store:
        assert store.desk_id and store.path
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked by another process"), store.writing():
            pass
        other.execute("ROLLBACK")
        other.close()
        with store.writing() as connection:
            connection.execute(insert(AUDIT), audit(store))


def test_the_threads_of_one_process_wait_for_each_other(on_sqlite: Callable[..., Store]) -> None:
    with on_sqlite() as store:
        holding, release = threading.Event(), threading.Event()

        def hold() -> None:
            with store.writing():
                holding.set()
                release.wait(10)

        thread = threading.Thread(target=hold)
        thread.start()
        holding.wait(10)
        with pytest.raises(StoreUnavailable, match="no connection became free"), store.writing():
            pass
        release.set()
        thread.join()


def test_a_full_disk_is_seen_by_the_statement_that_meets_it(on_sqlite: Callable[..., Store]) -> None:
    with on_sqlite() as store:
        with store.writing() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
        with pytest.raises(StoreUnavailable, match="disk is full"), store.writing() as connection:
            # Where a mail is handled, the exception has to be the right one at once, not only at the end.
            with pytest.raises(StoreUnavailable, match="disk is full"):
                connection.execute(insert(AUDIT), audit(store) | {"detail": "x" * 100_000})
            raise StoreUnavailable("the disk is full")
        with store.writing() as connection:  # a new connection has no such limit: the disk has room again
            connection.execute(insert(AUDIT), audit(store) | {"detail": "x" * 100_000})


def test_a_file_that_is_gone_is_not_written_into_nowhere(on_sqlite: Callable[..., Store]) -> None:
    with on_sqlite() as store:
        assert store.desk_id and store.path
        kept = store.path.with_suffix(".kept")
        store.path.rename(kept)
        with pytest.raises(StoreUnavailable, match="removed or replaced"), store.writing():
            pass
        with pytest.raises(StoreUnavailable, match="removed or replaced"), store.reading():
            pass
        kept.rename(store.path)
        with store.writing() as connection:
            connection.execute(insert(AUDIT), audit(store))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"SQLite format 3\0" + b"\xff" * 5000, "damaged|not a SQLite"), (b"x" * 5000, "not a SQLite")],
)
def test_a_damaged_file_is_named(tmp_path: Path, clock: ManualClock, content: bytes, words: str) -> None:
    (tmp_path / "mailbot.db").write_bytes(content)
    with Store(clock=clock, data_dir=tmp_path) as store, pytest.raises(StoreUnavailable, match=words):
        schema.upgrade(store)


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match=r"file/desk/mailbot\.db can't be opened"):
        Store(clock=clock, data_dir=tmp_path / "file" / "desk")


@pytest.mark.postgresql
def test_a_connection_that_was_cut_is_unavailable_and_then_made_anew(postgres: Postgres, clock: ManualClock) -> None:
    with Store(postgres.create(), clock=clock) as store:
        schema.upgrade(store)
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()"
        with pytest.raises(StoreUnavailable, match="tries again"), store.writing() as connection:
            postgres.sql(cut.format(store.url.database))
            connection.execute(text("SELECT 1"))
        assert number(store) == 10001
        postgres.sql(cut.format(store.url.database))  # between two transactions: not even noticed
        assert number(store) == 10001


@pytest.mark.postgresql
def test_a_server_that_is_not_there_is_named_without_the_password(postgres: Postgres, clock: ManualClock) -> None:
    for url, words in (
        ("postgresql://mailbot:geheim@/desk?host=/nonexistent", "can't be reached"),
        (postgres.url("nobody_made_this").replace("mailbot@", "mailbot:geheim@"), "does not exist|can't be reached"),
    ):
        with Store(url, clock=clock) as store, pytest.raises(StoreUnavailable, match=words) as caught:
            schema.upgrade(store)
        assert "geheim" not in str(caught.value)


def test_one_process_runs_a_sqlite_desk(on_sqlite: Callable[..., Store]) -> None:
    program = (
        "import sys, time; from pathlib import Path; from mailbot.runtime.clock import SystemClock; "
        "from mailbot.store.engine import Store; store = Store(clock=SystemClock(), data_dir=Path(sys.argv[1])); "
        "store.lock_exclusively(); print('locked', flush=True); sys.stdin.read()"
    )
    with on_sqlite() as store:
        assert store.path
        command = [sys.executable, "-c", program, str(store.path.parent)]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout and other.stdout.readline() == "locked\n"
            with pytest.raises(DeskInUse, match=f"process {other.pid} is already running"):
                store.lock_exclusively()
            assert store.desk_id  # commands may go on using it
            other.send_signal(signal.SIGKILL)
        store.lock_exclusively()
        store.lock_exclusively()  # it is ours already


@pytest.mark.postgresql
def test_several_processes_may_run_a_postgresql_desk(postgres: Postgres, clock: ManualClock) -> None:
    url = postgres.create()
    with Store(url, clock=clock) as one, Store(url, clock=clock) as two:
        one.lock_exclusively()
        two.lock_exclusively()


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("", "sqlite:////srv/desk/mailbot.db"),
        ("sqlite:////elsewhere/m.db", "sqlite:////elsewhere/m.db"),
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg2://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
)
def test_urls(given: str, made: str) -> None:
    assert database_url(given, Path("/srv/desk")).render_as_string(hide_password=False) == made


@pytest.mark.parametrize("given", ["mysql://h/d", "sqlite://", "sqlite:///:memory:", "no url", os.devnull])
def test_urls_that_can_not_be(given: str) -> None:
    with pytest.raises(ConfigError, match="database_url"):
        database_url(given, Path("/srv/desk"))
