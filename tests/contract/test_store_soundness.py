"""The database looked through, and copied while it is in use."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update

from mailbot.errors import NotPossible
from mailbot.runtime.clock import ManualClock
from mailbot.store import backup, integrity, queries, schema
from mailbot.store.engine import Store, StoreOptions
from mailbot.store.integrity import InUse
from mailbot.store.tables import (
    AUDIT,
    DESK,
    INBOUND,
    RAW_MAIL,
    TICKET,
)
from tests.support.postgres import Postgres
from tests.support.sample_desk import Sample, fill


@pytest.fixture
def sample(store: Store) -> Sample:
    return fill(store)


def test_a_sound_desk_has_no_problems(store: Store, sample: Sample) -> None:
    assert integrity.check(store) == []


def test_a_database_without_tables_is_named(store_url: str, clock: ManualClock) -> None:
    with Store(store_url, clock=clock) as empty:
        assert integrity.check(empty) == ["there are no tables yet: mailbot db upgrade"]


def test_an_old_schema_is_named(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    [problem] = integrity.check(store)
    assert "the schema is 0000" in problem


def test_a_lost_trigger_is_named(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text("DROP TRIGGER message_to_index" + ("" if store.is_sqlite else " ON message")))
    [problem] = integrity.check(store)
    assert "message_to_index" in problem


def test_what_refers_to_nothing_is_named(store: Store, sample: Sample) -> None:
    with store.writing() as connection:
        connection.execute(update(INBOUND).where(INBOUND.c.uid == 1).values(ticket_id=4711))
        connection.execute(update(TICKET).where(TICKET.c.number == sample.budi).values(follow_up_of=4712))
        connection.execute(update(TICKET).where(TICKET.c.number == sample.other).values(merged_into=4713))
        connection.execute(update(DESK).values(next_number=sample.other))
        held = select(INBOUND.c.raw_sha256).where(INBOUND.c.id == sample.held)
        connection.execute(delete(RAW_MAIL).where(RAW_MAIL.c.sha256.in_(held)))
        row = {"id": 4714, "sha256": "0" * 64, "size": 3, "stored_at": store.clock.now(), "body": b"no zstd"}
        connection.execute(insert(RAW_MAIL), row)
    problems = "\n".join(integrity.check(store))
    assert problems.count("\n") == 6, problems
    for words in (
        "1 mails of no ticket", "1 follow-ups of no ticket", "1 tickets merged into none", "1 tickets with a number",
        "1 mails that wait", "1 raw mails that nothing refers to", f"raw mail {'0' * 64} can't be unpacked",
    ):  # fmt: skip
        assert words in problems


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"body": b"(\xb5/\xfd garbage"}, "can't be unpacked"),
        ({"size": 1}, "names another size"),
        ({"sha256": "f" * 64}, "differs"),
    ],
)
def test_a_damaged_raw_mail_is_named(store: Store, sample: Sample, values: dict[str, object], words: str) -> None:
    with store.writing() as connection:
        [first, *_] = connection.scalars(select(RAW_MAIL.c.sha256))
        connection.execute(update(RAW_MAIL).where(RAW_MAIL.c.sha256 == first).values(**values))
    assert any(words in problem for problem in integrity.check(store))


def test_a_damaged_page_is_named(tmp_path: Path, clock: ManualClock) -> None:
    with Store(clock=clock, data_dir=tmp_path) as store:
        schema.upgrade(store)
        fill(store)
        pages = sqlite3.connect(tmp_path / "mailbot.db")
        pages.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [root] = pages.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_ticket_status'").fetchone()
        pages.close()
    with (tmp_path / "mailbot.db").open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\x00" * 4096)
    with Store(clock=clock, data_dir=tmp_path) as store:
        problems = integrity.check(store)
        assert any("damaged" in problem for problem in problems), problems


def test_a_file_that_others_can_read_is_named(tmp_path: Path, clock: ManualClock) -> None:
    with Store(clock=clock, data_dir=tmp_path) as store:
        schema.upgrade(store)
        (tmp_path / "mailbot.db").chmod(0o640)
        assert [
            problem for problem in integrity.check(store) if "mailbot.db can be read by others (mode 640)" in problem
        ]


def test_a_lock_is_no_damage(tmp_path: Path, clock: ManualClock) -> None:
    """Another process writes: the index of words can't be looked at, and all else is, and is named."""
    with Store(clock=clock, data_dir=tmp_path, options=StoreOptions(lock_wait=0.05)) as store:
        schema.upgrade(store)
        fill(store)
        with contextlib.closing(sqlite3.connect(tmp_path / "mailbot.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(InUse, match="is locked by another process"):
                integrity.check(store)
            (tmp_path / "mailbot.db").chmod(0o640)
            [problem] = integrity.check(store)
            assert "can be read by others" in problem


def test_a_backup_is_a_desk_of_one_moment(tmp_path: Path, clock: ManualClock) -> None:
    with Store(clock=clock, data_dir=tmp_path / "desk") as store:
        schema.upgrade(store)
        made = fill(store)
        with store.writing() as connection:
            row = {"desk_id": store.desk_id, "at": clock.now(), "actor": "", "action": "not committed"}
            connection.execute(insert(AUDIT), row | {"detail": ""})
            backup.backup(store, tmp_path / "copy.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "desk"]
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    with Store(f"sqlite:///{tmp_path / 'copy.db'}", clock=clock) as copy:
        schema.upgrade(copy)
        assert integrity.check(copy) == []
        assert [ticket.number for ticket in queries.list_tickets(copy, queries.TicketFilter(search="bku"))] == [
            made.follow_up,
            made.acha,
        ]
        with copy.reading() as connection:
            assert "not committed" not in connection.scalars(select(AUDIT.c.action)).all()


def test_a_backup_overwrites_nothing_and_leaves_nothing_half(store: Store, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("precious")
    with pytest.raises(NotPossible, match="exists already"):
        backup.backup(store, there)
    assert there.read_text() == "precious"
    with pytest.raises(NotPossible, match="can't be written"):
        backup.backup(store, tmp_path / "no folder" / "copy")
    if store.is_sqlite:
        with store.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        with pytest.raises(NotPossible, match="not sound"):
            backup.backup(store, tmp_path / "copy")
    assert {path.name for path in tmp_path.iterdir()} <= {"there", "desk"}


@pytest.mark.postgresql
def test_a_dump_of_postgresql(
    postgres: Postgres, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(postgres.create(), clock=clock) as store:
        schema.upgrade(store)
        backup.backup(store, tmp_path / "desk.dump")
        assert (tmp_path / "desk.dump").read_bytes().startswith(b"PGDMP")
        assert stat.S_IMODE((tmp_path / "desk.dump").stat().st_mode) == 0o600
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(NotPossible, match=r"not installed here.*pg_dump --format=custom"):
            backup.backup(store, tmp_path / "other.dump")
    assert [path.name for path in tmp_path.iterdir()] == ["desk.dump"]
