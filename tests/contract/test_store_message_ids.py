"""Which ticket a Message-ID belongs to, and who wrote a message: found by partial indexes, and by way of other tables.

What these ways find is compared with what reading every message finds.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from mailbot.mail.message import Address
from mailbot.store.engine import Store
from mailbot.store.privacy.erasure import erase_requester
from mailbot.store.privacy.traces import find_traces
from mailbot.store.tables import INBOUND, MESSAGE
from mailbot.store.tickets import StoredTicket
from mailbot.store.unit_of_work import UnitOfWork
from tests.support.plans import recorded
from tests.support.sample_desk import (
    ACHA,
    BUDI,
    CITRA,
    SALLY,
    Writer,
    fill,
)
from tests.support.stores import START

DINI = Address("dini@sd.example", "Dini")


class Threads:
    """A few messages, and who is asked for them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        mailbox_id = store.mailbox_id("INBOX")
        with store.writing() as connection:
            self.desk = Writer(store, UnitOfWork(connection, store.desk_id, START), mailbox_id, uidvalidity=9)

    def ticket(self, requester: Address) -> StoredTicket:
        with self.store.writing() as connection:
            self.desk.work = UnitOfWork(connection, self.store.desk_id, START)
            return self.desk.ticket(requester, "Aktivasi akun")

    def came(self, ticket: StoredTicket, author: Address, role: str, written: str, read: str) -> int:
        """A mail whose header said `written`, of which `read` was understood; its row in `inbound`."""
        with self.store.writing() as connection:
            self.desk.work = work = UnitOfWork(connection, self.store.desk_id, START)
            inbound_id = self.desk.mail(author, "Surat", ticket, message_id=written)
            work.add_message(
                ticket.id, direction="in", kind="reply", author=author.email, author_role=role, message_id=read,
                inbound_id=inbound_id,
            )  # fmt: skip
        return inbound_id

    def found(self, *message_ids: str, of_agents: bool = False) -> dict[str, int]:
        with self.store.writing() as connection:
            work = UnitOfWork(connection, self.store.desk_id, START)
            return work.numbers_by_message_id(message_ids, of_agents=of_agents)


@pytest.fixture
def threads(store: Store) -> Threads:
    return Threads(store)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<a@x.example>", "<a@x.example>"),
        ("<a@x.example> (comment)", "<a@x.example>"),
        ("a <a@x.example> <b@x.example>", "<a@x.example>"),
        ("", "<a@x.example>"),  # the two parsers may differ on a broken header
    ],
)
def test_a_message_id_leads_to_its_ticket_however_its_header_was_written(
    threads: Threads, written: str, read: str
) -> None:
    ticket = threads.ticket(ACHA)
    threads.came(ticket, ACHA, "requester", written, read)
    assert threads.found("<other@x.example>", read) == {read: ticket.ticket.number}
    if written != read and written:
        assert threads.found(written) == {}


def test_a_message_id_of_no_ticket_leads_nowhere(threads: Threads) -> None:
    with threads.store.writing() as connection:
        threads.desk.work = UnitOfWork(connection, threads.store.desk_id, START)
        threads.desk.mail(ACHA, "Tertahan", None, message_id="<held@x.example>", state="quarantined")
    assert threads.found("<held@x.example>") == {}


def test_of_one_message_id_on_several_tickets_the_last_counts(threads: Threads) -> None:
    first, second, third = (threads.ticket(who) for who in (ACHA, BUDI, CITRA))
    threads.came(second, BUDI, "requester", "<same@x.example>", "<same@x.example>")
    threads.came(third, CITRA, "requester", "<same@x.example> (odd)", "<same@x.example>")
    threads.came(first, ACHA, "requester", "<same@x.example>", "<same@x.example>")
    assert threads.found("<same@x.example>") == {"<same@x.example>": first.ticket.number}


def test_what_agents_wrote_counts_only_for_agents(threads: Threads) -> None:
    ticket = threads.ticket(ACHA)
    threads.came(ticket, Address(SALLY), "agent", "<as@x.example>", "<as@x.example>")
    threads.came(ticket, Address(SALLY), "agent", "<odd@x.example>;", "<odd@x.example>")
    ids = ("<as@x.example>", "<odd@x.example>")
    assert threads.found(*ids) == {}
    assert threads.found(*ids, of_agents=True) == dict.fromkeys(ids, ticket.ticket.number)


def test_what_somebody_passed_on_leads_to_its_ticket_after_they_were_erased(threads: Threads) -> None:
    ticket = threads.ticket(ACHA)
    with threads.store.writing() as connection:
        threads.desk.work = work = UnitOfWork(connection, threads.store.desk_id, START)
        inbound_id = threads.desk.mail(DINI, "Fw: tolong", ticket, message_id="<fw@x.example>")
        work.add_message(
            ticket.id, direction="in", kind="report", author=ACHA.email, author_role="requester",
            message_id="<fw@x.example>", inbound_id=inbound_id,
        )  # fmt: skip
    erase_requester(threads.store, DINI.email, now=START, actor="admin")
    with threads.store.reading() as connection:
        assert connection.scalar(select(INBOUND.c.message_id).where(INBOUND.c.id == inbound_id)) == ""
    assert threads.found("<fw@x.example>") == {"<fw@x.example>": ticket.ticket.number}
    erase_requester(threads.store, ACHA.email, now=START, actor="admin")
    assert threads.found("<fw@x.example>") == {}


def test_who_was_the_requester_once_is_found_as_an_author(threads: Threads) -> None:
    ticket = threads.ticket(ACHA)
    threads.came(ticket, ACHA, "requester", "<1@x.example>", "<1@x.example>")
    with threads.store.writing() as connection:
        work = UnitOfWork(connection, threads.store.desk_id, START)
        [loaded] = work.tickets_by_id([ticket.id]).values()
        work.save(loaded, replace(loaded.ticket, requester=BUDI))
    threads.came(ticket, BUDI, "requester", "<2@x.example>", "<2@x.example>")
    threads.came(ticket, ACHA, "participant", "<3@x.example>", "<3@x.example>")
    with threads.store.reading() as connection:
        traces = find_traces(connection, threads.store.desk_id, ACHA.email)
    assert (traces.own, traces.shared) == ((), (ticket.id,))
    assert len(traces.messages) == 2


@pytest.mark.parametrize("who", [ACHA.email, BUDI.email, CITRA.email, SALLY, DINI.email, "support@helpdesk.example"])
def test_traces_are_what_reading_every_message_finds(store: Store, threads: Threads, who: str) -> None:
    fill(store)
    shared = threads.ticket(BUDI)
    threads.came(shared, DINI, "participant", "<4@x.example>", "<4@x.example>")
    threads.came(shared, Address(SALLY), "participant", "<5@x.example>", "<5@x.example>")
    with store.reading() as connection:
        traces = find_traces(connection, store.desk_id, who)
        rows = connection.execute(select(MESSAGE)).all()
    people = [row for row in rows if row.author == who and row.author_role in ("requester", "participant")]
    assert set(traces.shared) | set(traces.own) >= {row.ticket_id for row in people}
    assert set(traces.messages) == {row.id for row in rows if row in people or row.ticket_id in traces.own}
    as_agent = {row.inbound_id for row in rows if row.author == who and row not in people}
    assert not set(traces.inbound) & as_agent - {row.inbound_id for row in rows if row.ticket_id in traces.own}


def test_what_is_found_by_way_of_other_tables_costs_an_index_no_row(store: Store) -> None:
    fill(store)
    if not store.is_sqlite:
        pytest.skip("the size of a partial index is asked of SQLite")
    with store.reading() as connection:
        rows = connection.execute(select(MESSAGE)).all()
        assert not any(row.id_here for row in rows)
        assert {row.author_role for row in rows if row.by_other} == {"participant", "agent"}
        assert not any(row.by_other for row in rows if row.direction == "out" or row.author_role == "requester")


def test_the_partial_indexes_are_used(store: Store, threads: Threads) -> None:
    if not store.is_sqlite:
        pytest.skip("PostgreSQL's plans are read in test_store_plans.py")
    with recorded(store) as statements:
        threads.found("<1@x.example>", "<2@x.example>", "<3@x.example>")
        with store.reading() as connection:
            find_traces(connection, store.desk_id, ACHA.email)
    with store.reading() as connection:
        steps = [row[3] for said in statements for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}")]
    for index in ("ix_message_message_id (desk_id=?", "ix_message_author (desk_id=?", "ix_inbound_identity (desk_id=?"):
        assert any(index in step for step in steps), (index, steps)
