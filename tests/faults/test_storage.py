"""The database and the disk fail under the running daemon: all waits, nothing is quarantined, lost or doubled."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailbot.store.queries import list_quarantine
from tests.faults.faulty_desk import FaultyDesk, Watch
from tests.support.dovecot import Dovecot
from tests.support.loopback import until
from tests.support.postgres import Postgres
from tests.support.smtp_sink import Sink

pytestmark = [pytest.mark.dovecot, pytest.mark.chaos, pytest.mark.timeout(400)]


def nothing_is_held(desk: FaultyDesk) -> None:
    with desk.store() as store:
        assert list(list_quarantine(store)) == []


@pytest.fixture
def cluster() -> Iterator[Postgres]:
    """A cluster of this test's own, that it may restart."""
    server = Postgres(Path(tempfile.mkdtemp(prefix="mailbot-pg-")))
    server.start()
    yield server
    server.stop()


def restart(server: Postgres, how: str) -> None:
    data, log = str(server.folder / "data"), str(server.folder / "log")
    server.run("pg_ctl", "-D", data, "-w", "-m", how, "-l", log, "restart")


@pytest.mark.postgresql
def test_postgresql_restarts_under_load(tmp_path: Path, dovecot: Dovecot, sink: Sink, cluster: Postgres) -> None:
    with FaultyDesk(tmp_path, dovecot, sink, database_url=cluster.create()) as desk:
        desk.logged("running", seconds=90)
        watch = Watch(desk)
        for how in ("fast", "immediate"):
            watch.write(6)
            restart(cluster, how)
            watch.write(2)
        watch.mended()
        watch.whole("postgresql: restarted twice under load", seconds=90)
        nothing_is_held(desk)
        # a line at each beginning and end; the server shuts down first, and then it is gone: two wordings
        assert len(desk.lines()) <= 6, desk.lines()
        assert all("storage: " in line for line in desk.lines()), desk.lines()


@pytest.mark.postgresql
def test_postgresql_is_gone_then_read_only(tmp_path: Path, dovecot: Dovecot, sink: Sink, cluster: Postgres) -> None:
    with FaultyDesk(tmp_path, dovecot, sink, database_url=cluster.create()) as desk:
        desk.logged("running", seconds=90)
        watch = Watch(desk)
        data = str(cluster.folder / "data")
        cluster.run("pg_ctl", "-D", data, "-w", "-m", "fast", "stop")
        watch.write(2)
        desk.says("waiting for the database")
        found = desk.check()["database"]
        assert found.state == "fail" and "can't be reached" in found.found, found
        time.sleep(3)  # several bells and turns, each of which meets it
        assert len(desk.lines("storage: ")) <= 2, desk.lines()
        cluster.run("pg_ctl", "-D", data, "-w", "-l", str(cluster.folder / "log"), "start")
        watch.mended()
        watch.whole("postgresql: stopped and started", seconds=60)
        until(lambda: len(desk.lines("works again")) == 1, 60, f"its end is told: {desk.lines()}")
        assert len(desk.lines()) <= 3, desk.lines()
        cluster.sql("ALTER SYSTEM SET default_transaction_read_only = on")
        cluster.sql("SELECT pg_reload_conf()")
        watch.write(2)
        desk.logged("is read-only (a standby?)", seconds=60)
        writable = ("SET default_transaction_read_only = off", "ALTER SYSTEM RESET default_transaction_read_only")
        options = ("-X", "-h", str(cluster.folder), "-U", "mailbot", "-d", "postgres")
        cluster.run("psql", *options, "-c", writable[0], "-c", writable[1], "-c", "SELECT pg_reload_conf()")
        watch.mended()
        watch.whole("postgresql: read-only for a while", seconds=60)
        nothing_is_held(desk)


@contextlib.contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process has the database for itself."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_sqlite_is_locked_for_a_moment(desk: FaultyDesk, watch: Watch) -> None:
    """A backup of some seconds: the daemon waits, and says nothing."""
    with locked(tmp := desk.home / "data" / "mailbot.db"):
        watch.write(3)
        time.sleep(3)
        assert watch.acknowledged() == {} and tmp.exists()
        found = desk.check()["database"]  # it can be read meanwhile, and all is sound
        assert found.state == "warn" and "is locked by another process" in found.found and "sound" in found.found, found
    watch.mended()
    assert watch.whole("sqlite: locked for 3 s") < 30
    assert desk.lines() == []


def test_sqlite_is_locked_for_long(desk: FaultyDesk, watch: Watch) -> None:
    with locked(desk.home / "data" / "mailbot.db"):
        watch.write(3)
        desk.logged("is locked by another process", seconds=90)
        desk.says("waiting for the database")
        time.sleep(40)  # longer than a second wait for the lock
        told = desk.lines("storage: ")  # the lock, and what it does to the threads that queue behind the one that waits
        assert len(told) <= 2 and len([line for line in told if "is locked" in line]) == 1, told
    watch.mended()
    watch.whole("sqlite: locked for over a minute", seconds=90)
    until(lambda: len(desk.lines("works again")) == 1, 60, "its end is told")
    nothing_is_held(desk)


@pytest.fixture
def small_disk(server_home: Callable[[], Path]) -> Iterator[Path]:
    """A file system of 12 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    folder = server_home()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_the_disk_is_full(small_disk: Path, dovecot: Dovecot, sink: Sink) -> None:
    home = small_disk.parent / f"{small_disk.name}-desk"
    home.mkdir()
    desk = FaultyDesk(home, dovecot, sink)
    desk.config.write_text(desk.config.read_text().replace(str(home / "data"), str(small_disk)))
    with desk:
        desk.logged("running", seconds=90)
        watch = Watch(desk)
        watch.write(1)
        desk.inbox_is_empty()
        ballast = small_disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)
        watch.write(8, "Isi yang panjang sekali.\n" * 3000)
        desk.logged("has no room", seconds=60)
        desk.says("waiting for the database")
        found = desk.check()["data folder"]
        assert found.state == "fail" and "make room" in found.remedy, found
        time.sleep(3)  # several bells and turns
        told = desk.lines("storage: ")
        assert len([line for line in told if "has no room" in line]) == 1 and "df -h" in told[0], told
        ballast.unlink()
        watch.mended()
        watch.whole("disk: full (tmpfs)", seconds=60)
        until(lambda: len(desk.lines("storage: works again")) == 1, 60, f"its end is told: {desk.lines()}")
        nothing_is_held(desk)


def test_the_folder_is_read_only(small_disk: Path, dovecot: Dovecot, sink: Sink, tmp_path: Path) -> None:
    """A kernel refuses to remount a disk with files that are open for writing: so it is read-only at the start."""
    desk = FaultyDesk(tmp_path, dovecot, sink)
    desk.config.write_text(desk.config.read_text().replace(str(tmp_path / "data"), str(small_disk)))
    with desk:
        desk.logged("running", seconds=90)
        watch = Watch(desk)
        watch.write(1)
        desk.inbox_is_empty()
        desk.stop()
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
        watch.write(2)
        desk.start()
        assert desk.process is not None and desk.process.wait(60) == 1
        desk.process = None
        said = desk.log().strip().splitlines()[-1]
        assert "can't be opened" in said and "read-only" in said.lower(), said
        assert desk.check()["data folder"].state == "fail"
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
        watch.mended()
        desk.start()
        watch.whole("disk: read-only at the start, then not", seconds=60)
