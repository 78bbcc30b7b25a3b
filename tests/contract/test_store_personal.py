"""A person's data: given out whole, and removed so that nothing is left, not even in the files."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from mailbot.errors import StoreUnavailable
from mailbot.mail.message import Address
from mailbot.runtime.clock import ManualClock
from mailbot.store import (
    compression,
    queries,
    raw_mail,
    schema,
)
from mailbot.store.engine import Store, StoreOptions
from mailbot.store.privacy.erasure import Erased, erase_requester
from mailbot.store.privacy.export import export_requester
from mailbot.store.search import index
from mailbot.store.tables import (
    AUDIT,
    INBOUND,
    METADATA,
    OUTBOX,
    RAW_MAIL,
    TICKET,
    TIMER,
)
from mailbot.store.unit_of_work import UnitOfWork
from tests.support.sample_desk import (
    ACHA,
    BUDI,
    CITRA,
    SALLY,
    Sample,
    Writer,
    fill,
)
from tests.support.stores import START

# Words of Acha's tickets, of what she wrote elsewhere, of what was written to her; and her name and address.
HERS = (
    "acha", "rahmawati", "saldo", "merah", "rekonsiliasi", "bku", "tangkapan", "kendala", "macet", "gerhana", "salinan",
    "ditahan", "bukti-transfer", "enam-tujuh", "lestari menulis",
)  # fmt: skip
OTHERS = ("budi", "santoso", "unggahan", "terhenti", "terkunci", "edaran", "sally@helpdesk.example")


@pytest.fixture
def sample(store: Store) -> Sample:
    made = fill(store)
    index.catch_up(store)
    return made


def everything(store: Store) -> str:
    """All that the tables hold, raw mail unpacked, in lower case."""
    found = []
    with store.reading() as connection:
        for table in METADATA.sorted_tables:
            for row in connection.execute(select(table)):
                found.append(repr(tuple(row)))
        for mail in connection.execute(select(RAW_MAIL)):
            found.append(repr(compression.unpack(mail.sha256, mail.size, mail.body)))
    return "\n".join(found).lower()


def test_export_has_all_of_it(store: Store, sample: Sample) -> None:
    found = json.loads(json.dumps(export_requester(store, ACHA.email.upper())))
    assert found["email"] == ACHA.email
    assert [ticket["number"] for ticket in found["tickets"]] == [sample.acha, sample.follow_up]
    assert len(found["tickets"][0]["messages"]) == 4
    assert found["takes_part_in"] == [sample.budi]
    assert [m["text"] for m in found["messages_elsewhere"]] == ["Sekolah kami mengalami gerhana juga."]
    mails = [base64.b64decode(mail["raw_base64"]).decode() for mail in found["mails"]]
    assert len(mails) == 4
    assert all(f"<{ACHA.email}>" in mail for mail in mails)
    assert [mail["text"] for mail in found["sent"]] == [
        "Laporan Ibu Acha kami terima.", "Mohon kirim tangkapan layar, Ibu Acha.", "Salinan untuk Ibu Acha."
    ]  # fmt: skip
    assert "Unggahan" not in json.dumps(found)


def test_export_of_a_stranger_is_empty(store: Store, sample: Sample) -> None:
    found = export_requester(store, "nobody@example.org")
    assert [key for key, value in found.items() if value] == ["email", "exported_at"]


def test_erase_leaves_nothing_of_the_person_and_all_of_others(store: Store, sample: Sample) -> None:
    before = everything(store)
    assert [word for word in (*HERS[:-1], *OTHERS) if word not in before] == []
    erased = erase_requester(store, " Acha@SDN1.example", now=store.clock.now(), actor="admin")
    assert erased == Erased(tickets=2, messages=6, mails=6)
    after = everything(store)
    assert [word for word in HERS if word in after] == []
    assert [word for word in OTHERS if word not in after] == []


def test_erase_keeps_numbers_times_and_agents(store: Store, sample: Sample) -> None:
    reported = queries.report(store, START - timedelta(1), START + timedelta(9))
    erase_requester(store, ACHA.email, now=START + timedelta(days=9), actor="admin")
    detail = queries.show_ticket(store, sample.acha)
    assert detail is not None
    found = detail.as_json()
    assert (found["subject"], found["requester"], found["participants"]) == ("", {"email": "", "name": ""}, [])
    assert (found["agent"], found["close_reason"], found["follow_ups"]) == (SALLY, "solved", [sample.follow_up])
    assert [(m["author"], m["text"], m["attachments"]) for m in found["messages"]] == [
        ("(erased)", "", []), (SALLY, "", []), ("support@helpdesk.example", "", []), ("(erased)", "", []),
    ]  # fmt: skip
    assert [(e["actor"], e["kind"]) for e in found["events"]] == [
        ("(erased)", "created"), ("(erased)", "reply"), (SALLY, "note"),
    ]  # fmt: skip
    again = queries.report(store, START - timedelta(1), START + timedelta(9))
    assert (again.opened, again.first_response, again.resolution) == (
        reported.opened, reported.first_response, reported.resolution,
    )  # fmt: skip


def test_an_erased_ticket_waits_for_nothing(store: Store, sample: Sample) -> None:
    erase_requester(store, ACHA.email, now=START, actor="admin")
    with store.reading() as connection:
        assert connection.execute(select(TIMER)).all() == []
        assert connection.scalars(select(OUTBOX.c.recipient)).all() == [BUDI.email]
        states = connection.execute(select(INBOUND.c.state, INBOUND.c.raw_sha256).where(INBOUND.c.id == sample.held))
        assert states.one() == ("discarded", "")
        statuses = select(TICKET.c.status).where(TICKET.c.number == sample.follow_up)
        assert connection.execute(statuses).scalar_one() == "closed"
    assert queries.list_quarantine(store) == []
    # The mail is still known by its place, so that the same folder read again makes no ticket of it.
    with store.reading() as connection:
        assert len(connection.execute(select(INBOUND.c.uid).where(INBOUND.c.raw_sha256 == "")).all()) == 7


def test_erase_is_in_the_audit_without_the_address(store: Store, sample: Sample) -> None:
    erase_requester(store, ACHA.email, now=START, actor="admin")
    with store.reading() as connection:
        *_, row = connection.execute(select(AUDIT).order_by(AUDIT.c.id))
    assert (row.actor, row.action, row.at) == ("admin", "requester erase", START)
    assert hashlib.sha256(ACHA.email.encode()).hexdigest()[:12] in row.detail
    assert f"#{sample.acha} #{sample.follow_up}" in row.detail


def test_search_forgets_the_person_and_finds_the_others(store: Store, sample: Sample) -> None:
    erase_requester(store, ACHA.email, now=START, actor="admin")
    for query in ("bku", "acha", "gerhana", str(sample.acha)):
        assert queries.list_tickets(store, queries.TicketFilter(search=query)) == [], query
    assert [t.number for t in queries.list_tickets(store, queries.TicketFilter(search="unggahan santoso"))] == [
        sample.budi
    ]


def test_what_two_persons_sent_stays_for_the_other(store: Store, sample: Sample) -> None:
    both = select(INBOUND.c.raw_sha256).where(INBOUND.c.subject == "Surat edaran bersama")
    with store.reading() as connection:
        [sha256, same] = connection.scalars(both)
    assert sha256 == same
    erase_requester(store, ACHA.email, now=START, actor="admin")
    with store.reading() as connection:
        assert connection.scalars(both).all() == [sha256]
        assert raw_mail.get(connection, sha256) is not None


def test_erase_of_a_participant_leaves_the_requesters_words(store: Store, sample: Sample) -> None:
    erased = erase_requester(store, CITRA.email, now=START, actor="admin")
    assert (erased.tickets, erased.messages) == (1, 2)
    detail = queries.show_ticket(store, sample.acha)
    assert detail is not None
    assert [m.text != "" for m in detail.messages] == [True, True, False, False]
    assert detail.summary.participants == ()
    assert "citra" not in everything(store)
    assert [t.number for t in queries.list_tickets(store, queries.TicketFilter(search="rekonsiliasi"))] == [sample.acha]
    assert queries.list_tickets(store, queries.TicketFilter(search="operator")) == []


def test_an_agents_work_is_not_erased(store: Store, sample: Sample) -> None:
    assert erase_requester(store, SALLY, now=START, actor="admin") == Erased(0, 0, 0)
    detail = queries.show_ticket(store, sample.acha)
    assert detail is not None
    assert (detail.messages[1].author, detail.messages[1].text) == (SALLY, "Mohon kirim tangkapan layar.")


def test_erasing_twice_and_strangers(store: Store, sample: Sample) -> None:
    erase_requester(store, ACHA.email, now=START, actor="admin")
    left = everything(store)
    assert erase_requester(store, ACHA.email, now=START, actor="admin") == Erased(0, 0, 0)
    assert everything(store).count("requester erase") == left.count("requester erase") + 1


def test_nothing_is_left_in_the_files(tmp_path: Path, clock: ManualClock) -> None:
    """Many people, each with words of their own; some are erased, one by one; then the files are read as bytes."""
    with Store(clock=clock, data_dir=tmp_path) as store:
        schema.upgrade(store)
        mailbox_id = store.mailbox_id("INBOX")
        people = [f"orang{n:03}x{hashlib.md5(str(n).encode()).hexdigest()}@sekolah.example" for n in range(60)]
        for n, email in enumerate(people):
            with store.writing() as connection:
                desk = Writer(store, UnitOfWork(connection, store.desk_id, START), mailbox_id, uidvalidity=n + 1)
                who = Address(email, f"nama{email[:42]}")
                ticket = desk.ticket(who, f"perihal {email[:42]}")
                for m in range(3):
                    desk.message(ticket, who, "requester", f"isi{m}q{email[:42]} " * (1 + 40 * (n % 3)))
                    desk.sent(ticket, who, f"jawab{m}q{email[:42]} " * 30)
            if n % 20 == 19:
                index.catch_up(store)
        gone = people[::3]
        for email in gone:
            erase_requester(store, email, now=START, actor="admin")
        files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert {"mailbot.db", "mailbot.db-wal"} <= set(files)
        for name, content in files.items():
            found = {match.decode()[:8] for match in re.findall(rb"orang\d{3}x[0-9a-f]{32}", content)}
            assert found <= {email[:8] for email in people if email not in gone}, name
        assert b"orang001x" in files["mailbot.db"]
        assert len(queries.list_tickets(store, queries.TicketFilter(search=people[1]))) == 1
        assert queries.list_tickets(store, queries.TicketFilter(search=people[0])) == []


def test_a_reader_that_never_ends_is_told(tmp_path: Path, clock: ManualClock) -> None:
    with Store(clock=clock, data_dir=tmp_path, options=StoreOptions(lock_wait=0.2)) as store:
        schema.upgrade(store)
        fill(store)
        reader = sqlite3.connect(tmp_path / "mailbot.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM ticket").fetchall()
        with pytest.raises(StoreUnavailable, match="run the command again"):
            erase_requester(store, ACHA.email, now=START, actor="admin")
        reader.execute("COMMIT")
        reader.close()
        erase_requester(store, ACHA.email, now=START, actor="admin")
        assert (tmp_path / "mailbot.db-wal").stat().st_size == 0
