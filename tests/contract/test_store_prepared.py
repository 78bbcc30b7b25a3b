"""Statements that run on the driver's own cursor give what SQLAlchemy would give: values, errors, types."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from mailbot.errors import StoreUnavailable
from mailbot.runtime.clock import ManualClock
from mailbot.store import schema
from mailbot.store.engine import Store
from mailbot.store.statements import (
    CompiledStatement,
    Savepoint,
    add_row,
    add_rows,
    set_row,
)
from mailbot.store.tables import AGENT, DESK

AT = datetime(2026, 11, 2, 3, 4, 5, 678901, tzinfo=UTC)
ONE = select(AGENT).where(AGENT.c.email == bindparam("wanted"))


@pytest.fixture
def store(store_url: str, clock: ManualClock) -> Iterator[Store]:
    with Store(store_url, clock=clock) as store:
        schema.upgrade(store)
        yield store


def agent(store: Store, email: str = "sally@helpdesk.example") -> dict[str, object]:
    return {
        "desk_id": store.desk_id, "email": email, "name": "Sálly", "aliases": ["a@b.id", "c'\"@d.id"], "role": "lead",
        "in_file": False, "active": True, "term": 0,
        "added_at": AT,
    }  # fmt: skip


def test_values_come_back_as_they_went_in_and_as_sqlalchemy_reads_them(store: Store) -> None:
    with store.writing() as connection:
        row_id = add_row(connection, AGENT, agent(store))
        [ours] = CompiledStatement(ONE).rows(connection, {"wanted": "sally@helpdesk.example"})
        theirs = connection.execute(ONE, {"wanted": "sally@helpdesk.example"}).one()
    assert tuple(ours) == tuple(theirs)
    assert (ours.id, ours.added_at, ours.aliases) == (row_id, AT, ["a@b.id", "c'\"@d.id"])
    assert ours.added_at.utcoffset() == timedelta(0)


def test_a_changed_row_and_several_rows_at_once(store: Store) -> None:
    with store.writing() as connection:
        row_id = add_row(connection, AGENT, agent(store))
        set_row(connection, AGENT, row_id, {"name": "Budi", "aliases": []})
        [row] = CompiledStatement(ONE).rows(connection, {"wanted": "sally@helpdesk.example"})
        add_rows(connection, AGENT, [agent(store, f"{n}@x.id") for n in range(3)])
        assert CompiledStatement(select(AGENT.c.id)).rows(connection, {})[3:]
    assert (row.name, row.aliases, row.role) == ("Budi", [], "lead")


def test_a_savepoint_undoes_its_own_part_only(store: Store) -> None:
    with store.writing() as connection:
        add_row(connection, AGENT, agent(store, "stays@x.id"))
        savepoint = Savepoint(connection)
        add_row(connection, AGENT, agent(store, "goes@x.id"))
        savepoint.rollback()
        Savepoint(connection).commit()
    with store.reading() as connection:
        kept = CompiledStatement(select(AGENT.c.email)).rows(connection, {})
    assert [row.email for row in kept] == ["stays@x.id"]


def test_a_violated_constraint_is_our_fault_and_leaves_the_transaction_usable_behind_a_savepoint(store: Store) -> None:
    with store.writing() as connection:
        add_row(connection, AGENT, agent(store))
        savepoint = Savepoint(connection)
        with pytest.raises(IntegrityError):
            add_row(connection, AGENT, agent(store))
        savepoint.rollback()
        add_row(connection, AGENT, agent(store, "second@x.id"))
    with store.reading() as connection:
        assert len(CompiledStatement(select(AGENT.c.id)).rows(connection, {})) == 2


def test_a_reader_that_writes_is_told_so_in_words(store: Store) -> None:
    with pytest.raises(StoreUnavailable, match=r"The database .* read-only"), store.reading() as connection:
        set_row(connection, DESK, store.desk_id, {"round_robin": "x"})


def test_nothing_is_formatted_into_sql(store: Store) -> None:
    hostile = "x'); DROP TABLE agent; --"
    with store.writing() as connection:
        connection.exec_driver_sql("SELECT 1")
        add_row(connection, AGENT, agent(store, hostile))
        assert CompiledStatement(ONE).rows(connection, {"wanted": hostile})[0].email == hostile
