"""The team in the database: workers that start together record the same agents."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from mailbot.runtime.clock import ManualClock
from mailbot.store import agents, schema
from mailbot.store.engine import Store
from mailbot.ticket.ticket import Agent
from tests.support.postgres import Postgres

TEAM = (Agent("sally@helpdesk.example", "Sally"), Agent("budi@helpdesk.example", "Budi"))


@pytest.mark.postgresql
def test_two_workers_that_start_together_record_each_agent_once(postgres: Postgres, clock: ManualClock) -> None:
    url = postgres.create()

    def record(store: Store) -> tuple[str, ...]:
        with store.writing() as connection:
            return agents.record_configured(connection, store.desk_id, TEAM, clock.now())

    with Store(url, clock=clock) as one, Store(url, clock=clock) as other, ThreadPoolExecutor(1) as pool:
        schema.upgrade(one)
        assert one.desk_id == other.desk_id
        with one.writing() as connection:
            agents.record_configured(connection, one.desk_id, TEAM, clock.now())
            later = pool.submit(record, other)
            with other.reading() as looking:  # until the other one waits for this transaction
                waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                while not later.done() and not looking.exec_driver_sql(waits).scalar():
                    looking.exec_driver_sql("SELECT pg_sleep(0.01), pg_stat_clear_snapshot()")
        assert later.result(30) == ()
        with one.reading() as connection:
            team = agents.team_of(connection, one.desk_id, TEAM)
        assert [agent.email for agent in team] == [agent.email for agent in TEAM]
