"""The schema: the same as the models say, whoever makes it, and whatever kills them meanwhile."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, String, insert, select, text

from mailbot.runtime.clock import ManualClock
from mailbot.store import schema, schema_version
from mailbot.store.engine import Store
from mailbot.store.migrations.__main__ import draft
from mailbot.store.migrations.drift import differences
from mailbot.store.tables import OUTBOX
from tests.support.stores import START, make_with_schema, parts

ROOT = Path(__file__).parents[2]
FIRST_SCHEMA = "e0bd2ce3c845fa925a173d0c18f1396f0bad971fb69142d0c1f1926b54815ece"


def test_migrations_make_what_the_models_say(store: Store) -> None:
    with store.reading() as connection:
        assert differences(connection) == []
        assert ("trigger", "message_to_index") in parts(connection)


def test_a_difference_would_be_seen(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text("ALTER TABLE lease ADD COLUMN colour TEXT"))
        connection.execute(text("DROP INDEX ix_timer_due"))
    with store.reading() as connection:
        assert {entry[0] for entry in differences(connection)} == {"remove_column", "add_index"}


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema_version.HEAD]


def test_the_first_migration_is_frozen() -> None:
    """Databases made by it exist: if it changed, new ones would differ from those, and no migration would fix that."""
    found = (schema.MIGRATIONS / "versions" / "0001_first_tables.py").read_bytes()
    assert hashlib.sha256(found).hexdigest() == FIRST_SCHEMA


def test_a_database_of_the_first_schema_is_upgraded_with_its_rows(store_url: str, clock: ManualClock) -> None:
    row = {
        "desk_id": 1, "mailbox_id": 1, "ticket_id": None, "message_row_id": None, "inbound_id": None, "kind": "answer",
        "recipient": "a@sekolah.example", "role": "person", "message_id": "<1@desk.example>", "subject": "Ré: BKU",
        "text": "Siap", "raw": b"\x00\xff\r\n", "attachments": [{"raw": "ab", "index": 1}], "automatic": True,
        "cycle": 2, "step": 1, "state": "pending", "turn": 7, "attempts": 3, "created_at": START,
        "next_attempt_at": START, "expires_at": START, "sent_at": None, "last_error": "450",
        "lease_owner": "", "lease_until": None,
    }  # fmt: skip
    older = OUTBOX.to_metadata(MetaData())
    older.append_column(Column("envelope_from", String, nullable=False))
    with Store(store_url, clock=clock) as store:
        make_with_schema(store, "0001")
        with store.writing() as connection:
            connection.execute(insert(older), row | {"envelope_from": "support@desk.example"})
        assert schema.upgrade(store) is True
        with store.reading() as connection:
            assert differences(connection) == []
            assert ("trigger", "message_to_index") in parts(connection)
            assert dict(connection.execute(select(OUTBOX)).one()._mapping) == row | {"id": 1}


def test_a_migration_can_be_drafted(tmp_path: Path) -> None:
    shutil.copytree(schema.MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    made = draft("Add a flag", tmp_path / "migrations")
    assert made.name == "0003_add_a_flag.py"
    assert 'down_revision = "0002"' in made.read_text().replace("'", '"')
    assert "    pass" in made.read_text()  # the models say nothing new


def test_a_second_upgrade_has_nothing_to_do(store: Store) -> None:
    assert schema.upgrade(store) is False


def test_an_up_to_date_database_is_opened_without_alembic(store_url: str, clock: ManualClock) -> None:
    with Store(store_url, clock=clock) as store:
        assert schema.upgrade(store) is True
    program = (
        "import sys; from mailbot.runtime.clock import SystemClock; from mailbot.store import engine, schema; "
        "store = engine.Store(sys.argv[1], clock=SystemClock()); schema.upgrade(store); store.desk_id; store.close(); "
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, store_url], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_many_at_once_make_it_once(store_url: str, clock: ManualClock) -> None:
    stores = [Store(store_url, clock=clock) for _ in range(6)]
    with ThreadPoolExecutor(len(stores)) as pool:
        assert sorted(pool.map(schema.upgrade, stores)).count(True) >= 1
        assert len(set(pool.map(lambda store: store.desk_id, stores))) == 1
    for store in stores:
        store.close()


@pytest.mark.slow
@pytest.mark.parametrize("revision", ["", "0001"])
def test_a_kill_at_any_moment_leaves_what_the_next_start_completes(store_url: str, revision: str) -> None:
    times = 20 if store_url.startswith("sqlite") else 8  # emptying a PostgreSQL database takes a second
    program = [sys.executable, "-m", "tests.support.killed_upgrades", store_url, str(times), revision]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == times, done.stderr
    assert sum(one["killed"] for one in found) >= times // 4
    assert {one["differences"] for one in found} == {0}
    assert len({json.dumps(one["parts"]) for one in found}) == 1


def test_a_newer_schema_is_refused(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(schema.SchemaUnknown, match=r"9999.*newer version"):
        schema.upgrade(store)


def test_another_programs_database_is_left_alone(store_url: str, clock: ManualClock) -> None:
    with Store(store_url, clock=clock) as store:
        with store.writing() as connection:
            connection.execute(text("CREATE TABLE ticket (number INTEGER)"))
        with pytest.raises(schema.SchemaUnknown, match="did not make"):
            schema.upgrade(store)
        with store.reading() as connection:
            assert {name for kind, name in parts(connection) if kind == "table"} == {"ticket"}
