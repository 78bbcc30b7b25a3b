"""Every query that a mail, a timer or a person waits for has its index, on both databases: their plans are read.

The queries are not copied here: all statements that the read side and the write side run are recorded on the way. What
the service runs as a whole is `tests/integration/test_plans_whole.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from mailbot.runtime.clock import ManualClock
from mailbot.store import (
    queries,
    raw_mail,
    schema,
)
from mailbot.store.auto_reply_counts import AutoReplyCounts, Keys
from mailbot.store.engine import Store
from mailbot.store.privacy.retention import drop_raw_mail
from mailbot.store.search import index
from mailbot.store.unit_of_work import UnitOfWork
from mailbot.ticket.auto_reply_limits import Limit, Limits
from tests.support.plans import (
    recorded,
    scans,
    watching,
)
from tests.support.sample_desk import (
    ACHA,
    SALLY,
    Sample,
    fill,
)
from tests.support.stores import START

READS: dict[str, Callable[[Store, Sample], object]] = {
    "list": lambda store, _: queries.list_tickets(store),
    "list by status": lambda store, _: queries.list_tickets(store, queries.TicketFilter(status="queued")),
    "list by requester": lambda store, _: queries.list_tickets(store, queries.TicketFilter(requester=ACHA.email)),
    "list by agent": lambda store, _: queries.list_tickets(store, queries.TicketFilter(agent=SALLY)),
    "list by all": lambda store, _: queries.list_tickets(
        store, queries.TicketFilter(agent=SALLY, requester=ACHA.email, status="closed")
    ),
    "search": lambda store, _: queries.list_tickets(store, queries.TicketFilter(search="bku tutup")),
    "search among few": lambda store, _: queries.list_tickets(
        store, queries.TicketFilter(search="bku", status="queued")
    ),
    "search by requester": lambda store, _: queries.list_tickets(
        store, queries.TicketFilter(search="bku", requester=ACHA.email)
    ),
    "show": lambda store, sample: queries.show_ticket(store, sample.acha),
    "quarantine": lambda store, _: queries.list_quarantine(store),
    "quarantine show": lambda store, sample: queries.show_quarantine(store, sample.held),
    "outbox": lambda store, _: queries.list_outbox(store),
    "raw mail to drop": lambda store, _: drop_raw_mail(store, START + timedelta(999)),
}

WRITES: dict[str, Callable[[UnitOfWork, Sample], object]] = {
    "dedupe": lambda work, _: work.seen("<m1@x>", "digest1"),
    "known uids": lambda work, _: work.seen_uids(1, 1, [1, 2, 3]),
    "to process": lambda work, _: work.inbound_in_state("received", 100),
    "inbound": lambda work, _: work.inbound([1, 2]),
    "thread by message id": lambda work, _: work.numbers_by_message_id(["<m1@x>", "<m2@x>"]),
    "ticket by number": lambda work, sample: work.tickets([sample.acha, sample.budi]),
    "follow-ups": lambda work, sample: work.follow_ups_of(sample.acha),
    "messages": lambda work, _: work.messages(1),
    "thread": lambda work, _: work.thread(1, ACHA.email, alone=False, unseen=["b@x.id"]),
    "what we sent": lambda work, _: (work.sent_texts(["<m1@x>"]), work.sent_to(1, ACHA.email)),
    "bounced mail": lambda work, _: (work.outbox_row(1), work.outbox_by_message_id("<m1@x>")),
    "automatic mail": lambda work, sample: restraint_queries(work, sample),
    "timers due": lambda work, _: (work.due_tickets(START + timedelta(9), 50), work.next_due()),
    "outbox due": lambda work, _: work.claim_outbox(START + timedelta(1), 50, "me", timedelta(minutes=1)),
    "next attempt": lambda work, _: work.next_attempt(),
    "leases": lambda work, _: work.free_leases("me"),
    "raw mail": lambda work, _: raw_mail.get(work.connection, "0" * 64),
    "indexing": lambda work, _: index.index_some(work.connection, 200),
}


def restraint_queries(work: UnitOfWork, sample: Sample) -> None:
    counters = AutoReplyCounts(work.connection, work.desk_id, work.now)
    keys = Keys(ACHA.email, 1, sample.acha, 2, (3, 4), START)
    tally = counters.tally(keys, Limits())
    counters.record(keys, replace(tally, number=500), "newcomer", Limits())
    counters.went_to_others(["<m1@x>"], ACHA.email)
    counters.withhold(Limit.NOTIFICATIONS, 1, START - timedelta(hours=1))
    counters.withheld_since([Limit.SENDER, Limit.ECHO], START, 20)
    counters.replies_exceed(1, START, 30)
    assert counters.take_digested(START) == [(Limit.NOTIFICATIONS, 1)]


@pytest.fixture
def desk(store_url: str, clock: ManualClock) -> Iterator[tuple[Store, Sample]]:
    url = store_url if store_url.startswith("sqlite") else watching(store_url)
    with Store(url, clock=clock) as store:
        schema.upgrade(store)
        yield store, fill(store)


@pytest.mark.parametrize("name", READS)
def test_reading_scans_nothing(desk: tuple[Store, Sample], name: str) -> None:
    store, sample = desk
    with recorded(store) as statements:
        READS[name](store, sample)
    assert statements
    assert scans(store, statements) == []


@pytest.mark.parametrize("name", WRITES)
def test_writing_scans_nothing(desk: tuple[Store, Sample], name: str) -> None:
    store, sample = desk
    with recorded(store) as statements, store.writing() as connection:
        WRITES[name](UnitOfWork(connection, store.desk_id, START), sample)
    assert statements
    assert scans(store, statements) == []


def test_a_scan_would_be_seen(desk: tuple[Store, Sample]) -> None:
    store, _ = desk
    with recorded(store) as statements, store.reading() as connection:
        connection.exec_driver_sql("SELECT id FROM ticket t WHERE subject = 'x'")
        connection.exec_driver_sql("SELECT t.id FROM outbox t JOIN message m ON m.subject = t.subject")
        connection.exec_driver_sql("SELECT id FROM event ORDER BY id")
    assert len(scans(store, statements)) >= 3


def test_many_tickets_by_id_are_not_looked_for_among_all_of_the_desk(desk: tuple[Store, Sample]) -> None:
    """With a few dozen ids SQLite would rather go through an index that begins with the desk."""
    store, _ = desk
    if not store.is_sqlite:
        pytest.skip("PostgreSQL knows how many rows there are")
    with recorded(store) as statements, store.writing() as connection:
        UnitOfWork(connection, store.desk_id, START).tickets_by_id(range(1, 61))
    with store.reading() as connection:
        plans = [row[3] for said in statements for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}")]
    assert any("ticket USING INTEGER PRIMARY KEY" in step for step in plans)
    assert not any(step.endswith("(desk_id=?)") for step in plans), plans
