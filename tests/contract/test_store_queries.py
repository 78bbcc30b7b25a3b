"""What is read: the same on both databases, as docs/developer/rules.md describes it."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from mailbot.runtime.clock import ManualClock
from mailbot.store import queries
from mailbot.store.engine import Store, StoreOptions
from mailbot.store.search import index, sqlite
from mailbot.store.tables import TO_INDEX
from mailbot.store.unit_of_work import UnitOfWork
from tests.support.sample_desk import (
    ACHA,
    BUDI,
    CITRA,
    HOUR,
    SALLY,
    Sample,
    Writer,
    fill,
)
from tests.support.stores import START

JAKARTA = ZoneInfo("Asia/Jakarta")


@pytest.fixture
def sample(store: Store) -> Sample:
    return fill(store)


def numbers(found: list[queries.TicketSummary]) -> list[int]:
    return [ticket.number for ticket in found]


def test_show_gives_the_document_of_the_contract(store: Store, sample: Sample) -> None:
    detail = queries.show_ticket(store, sample.acha)
    assert detail is not None
    found = json.loads(json.dumps(detail.as_json(JAKARTA)))
    messages, events = found.pop("messages"), found.pop("events")
    assert found == {
        "number": sample.acha,
        "subject": "Tidak bisa tutup BKU",
        "status": "closed",
        "requester": {"email": ACHA.email, "name": ACHA.name},
        "participants": [CITRA.email],
        "agent": SALLY,
        "language": "id",
        "program": "ARKAS",
        "tags": [],
        "priority": "normal",
        "created_at": "2025-11-03T10:45:13.000+07:00",
        "updated_at": "2025-11-03T12:45:13.000+07:00",
        "closed_at": "2025-11-03T12:45:13.000+07:00",
        "close_reason": "solved",
        "follow_up_of": None,
        "follow_ups": [sample.follow_up],
        "merged_into": None,
        "reminders_sent": 0,
        "next_timer": None,
    }
    assert [(m["direction"], m["kind"], m["author_role"], m["public"]) for m in messages] == [
        ("in", "report", "requester", True),
        ("in", "answer", "agent", True),
        ("out", "notification", "system", False),
        ("in", "reply", "participant", True),
    ]
    first = messages[0]
    assert first.pop("id") > 0
    assert first == {
        "at": "2025-11-03T10:45:13.000+07:00",
        "direction": "in",
        "kind": "report",
        "author": ACHA.email,
        "author_role": "requester",
        "public": True,
        "message_id": f"<m1.{ACHA.email}>",
        "subject": "Kolom saldo merah, r",
        "text": "Kolom saldo merah, rekonsiliasi gagal.",
        "attachments": [
            {"name": "bukti-transfer.jpg", "type": "image/jpeg", "size": 20481, "sha256": "ab" * 32},
        ],
    }
    assert events[0] == {
        "at": "2025-11-03T10:45:13.000+07:00", "actor": ACHA.email, "kind": "created", "from": None, "to": "queued"
    }  # fmt: skip


def test_what_is_empty_is_null(store: Store, sample: Sample) -> None:
    detail = queries.show_ticket(store, sample.budi)
    assert detail is not None
    found = detail.as_json()
    empty = ("agent", "closed_at", "close_reason", "follow_up_of", "merged_into", "next_timer")
    assert [found[key] for key in empty] == [None] * len(empty)
    assert found["created_at"].endswith("+00:00")


def test_the_next_timer_is_the_earliest(store: Store, sample: Sample) -> None:
    detail = queries.show_ticket(store, sample.follow_up)
    assert detail is not None
    found = detail.as_json()
    assert (found["follow_up_of"], found["status"]) == (sample.acha, "waiting")
    assert found["next_timer"] == {"kind": "reminder", "at": "2025-11-04T11:45:13.000+00:00"}


def test_what_is_not_there(store: Store, sample: Sample) -> None:
    assert queries.show_ticket(store, 99999) is None
    assert queries.show_ticket(store, 2**70) is None
    assert queries.show_quarantine(store, 99999) is None
    with Store(
        store.url.render_as_string(hide_password=False), clock=store.clock, options=StoreOptions(desk="other")
    ) as other:
        assert other.desk_id != store.desk_id
        assert queries.show_ticket(other, sample.acha) is None
        assert queries.list_tickets(other) == queries.list_tickets(other, queries.TicketFilter(search="bku")) == []
        assert queries.list_quarantine(other) == queries.list_outbox(other) == []


def test_list_filters(store: Store, sample: Sample) -> None:
    every = [sample.other, sample.budi, sample.follow_up, sample.acha]
    assert numbers(queries.list_tickets(store)) == every
    assert numbers(queries.list_tickets(store, limit=2)) == every[:2]
    assert queries.list_tickets(store, limit=0) == []
    assert numbers(queries.list_tickets(store, queries.TicketFilter(status="closed"))) == [sample.other, sample.acha]
    assert numbers(queries.list_tickets(store, queries.TicketFilter(requester=" Acha@SDN1.example "))) == [
        sample.follow_up,
        sample.acha,
    ]
    assert numbers(queries.list_tickets(store, queries.TicketFilter(agent=SALLY, status="waiting"))) == [
        sample.follow_up
    ]
    assert queries.list_tickets(store, queries.TicketFilter(requester="nobody@example.org")) == []


def test_a_list_has_what_show_has(store: Store, sample: Sample) -> None:
    for summary in queries.list_tickets(store):
        detail = queries.show_ticket(store, summary.number)
        assert detail is not None
        assert detail.summary == summary
        assert detail.as_json() | summary.as_json() == detail.as_json()


def test_a_long_list_is_put_together_in_parts(store: Store) -> None:
    mailbox_id = store.mailbox_id("INBOX")
    with store.writing() as connection:
        desk = Writer(store, UnitOfWork(connection, store.desk_id, START), mailbox_id)
        made = [desk.ticket(BUDI, f"Perkara {n}").ticket.number for n in range(1203)]
    assert numbers(queries.list_tickets(store, limit=100_000)) == made[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("bku", ["follow_up", "acha"]),
        ("BKU, tutup!", ["follow_up", "acha"]),
        ("rekon", ["acha"]),  # the beginning of a word
        ("ekonsiliasi", []),  # not its middle
        ("tutup tangkapan enam", ["acha"]),  # words of the subject and of two messages
        ("gerhana", ["budi"]),
        ("smpn2", ["budi"]),
        ("budi@smpn2.example", ["budi"]),
        ("santoso", ["budi"]),
        ("bukti-transfer.jpg", ["acha"]),
        ("salinan", []),  # what mailbot wrote
        ("tutup gerhana", []),  # words of two tickets
        ("???", []),
        ("", []),
        ("'\"; DROP TABLE ticket; --", []),
        ("tutup OR gerhana", []),  # no syntax but words
        ("ti*", []),
    ],
)
def test_search(store: Store, sample: Sample, query: str, found: list[str]) -> None:
    assert numbers(queries.list_tickets(store, queries.TicketFilter(search=query))) == [
        getattr(sample, name) for name in found
    ]


def test_search_by_number_is_exact(store: Store, sample: Sample) -> None:
    assert numbers(queries.list_tickets(store, queries.TicketFilter(search=f"#{sample.acha}"))) == [sample.acha]
    assert queries.list_tickets(store, queries.TicketFilter(search=str(sample.acha)[:4])) == []


def test_search_goes_with_every_filter(store: Store, sample: Sample) -> None:
    assert numbers(queries.list_tickets(store, queries.TicketFilter(search="bku", status="closed"))) == [sample.acha]
    assert numbers(queries.list_tickets(store, queries.TicketFilter(search="bku", status="waiting"))) == [
        sample.follow_up
    ]
    assert numbers(queries.list_tickets(store, queries.TicketFilter(search="bku", requester=ACHA.email))) == [
        sample.follow_up,
        sample.acha,
    ]
    assert numbers(queries.list_tickets(store, queries.TicketFilter(search="bku", agent=SALLY), limit=1)) == [
        sample.follow_up
    ]
    assert queries.list_tickets(store, queries.TicketFilter(search="bku", requester=BUDI.email)) == []


def test_common_words_are_found_the_other_way(store: Store, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_POSTGRESQL_RARE", 1)
    assert numbers(queries.list_tickets(store, queries.TicketFilter(search="bku"))) == [sample.follow_up, sample.acha]
    assert numbers(queries.list_tickets(store, queries.TicketFilter(search="bku", status="closed"), limit=1)) == [
        sample.acha
    ]


@pytest.mark.parametrize(("named", "looked_through"), [(64, 5000), (64, 3), (2, 5000), (2, 10), (0, 200), (0, 1)])
def test_beginnings_of_words_are_found_whichever_way_they_are_looked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch, named: int, looked_through: int
) -> None:
    monkeypatch.setattr(sqlite, "MOST_CONTINUATIONS", named)
    monkeypatch.setattr(sqlite, "MAX_SCANNED", looked_through)
    mailbox_id = store.mailbox_id("INBOX")
    dice = random.Random(5)
    some = [f"{begin}{end}" for begin in ("saldo", "rekon", "rek") for end in ("", "nya", "asi", "é", "zz", "学")]
    texts: dict[int, str] = {}
    with store.writing() as connection:
        desk = Writer(store, UnitOfWork(connection, store.desk_id, START), mailbox_id)
        for _ in range(60):
            ticket = desk.ticket(BUDI, "Uji")
            text = " ".join(dice.sample(some, dice.randint(0, 4)))
            desk.message(ticket, BUDI, "requester", text, "report")
            texts[ticket.ticket.number] = text
    newest = sorted(texts, reverse=True)
    for query in (
        "saldo",
        "sal rek",
        "rekon",
        "rekonasi",
        "rek saldoé",
        "sal",
        "rek sal uji",
        "rekx",
        "sal rekx",
        "rek学",
    ):
        words = index.words_of(query)
        having = [n for n in newest if all(f" {w}" in " " + " ".join(index.words_of("uji", texts[n])) for w in words)]
        for limit in (1, 5, 100):
            assert (
                numbers(queries.list_tickets(store, queries.TicketFilter(search=query), limit=limit)) == having[:limit]
            ), query
        assert numbers(queries.list_tickets(store, queries.TicketFilter(search=query, agent=SALLY))) == []


def test_words_with_accents_and_other_scripts_are_found(store: Store) -> None:
    mailbox_id = store.mailbox_id("INBOX")
    with store.writing() as connection:
        desk = Writer(store, UnitOfWork(connection, store.desk_id, START), mailbox_id)
        ticket = desk.ticket(BUDI, "Café Straße Ünïcode")
        desk.message(ticket, BUDI, "requester", "Привет мир 学校 ﬁnal", "report")
    for query in ("cafe", "CAFÉ", "strasse", "unicode", "привет", "学校", "final"):
        assert numbers(queries.list_tickets(store, queries.TicketFilter(search=query))) == [ticket.ticket.number], query


def test_the_index_catches_up_in_chunks(store: Store, sample: Sample) -> None:
    assert index.catch_up(store) == 7
    assert index.catch_up(store) == 0
    mailbox_id = store.mailbox_id("INBOX")
    with store.writing() as connection:
        desk = Writer(store, UnitOfWork(connection, store.desk_id, START), mailbox_id, uidvalidity=2)
        ticket = desk.ticket(BUDI, "Banyak pesan")
        for n in range(450):
            desk.message(ticket, BUDI, "requester", f"pesan kata{n}")
    assert index.catch_up(store, at_most=1) == 200
    assert numbers(queries.list_tickets(store, queries.TicketFilter(search="kata449"))) == [ticket.ticket.number]
    with store.reading() as connection:
        assert connection.execute(select(TO_INDEX)).all() == []


def test_quarantine(store: Store, sample: Sample) -> None:
    [held] = queries.list_quarantine(store)
    assert (held.id, held.state, held.sender, held.reason, held.mailbox) == (
        sample.held, "quarantined", ACHA.email, "no From", "INBOX"
    )  # fmt: skip
    assert held.as_json()["traceback"] is None
    shown = queries.show_quarantine(store, sample.held)
    assert shown is not None
    assert shown.as_json()["traceback"] == f"boom {ACHA.email}"
    assert shown.as_json()["explanation"] == {"from": ACHA.email}
    assert shown.raw is not None
    assert b"Dokumen yang ditahan" in shown.raw


def test_outbox(store: Store, sample: Sample) -> None:
    listed = queries.list_outbox(store)
    assert [mail.state for mail in listed] == ["pending"] * 6
    with store.writing() as connection:
        work = UnitOfWork(connection, store.desk_id, START)
        work.set_outbox(listed[0].id, state="failed", attempts=3, last_error="550 5.1.1 no such user")
        work.set_outbox(listed[1].id, state="sent")
    failed, *rest = queries.list_outbox(store)
    found = failed.as_json()
    assert (found["state"], found["attempts"], found["last_error"], found["next_attempt_at"], found["ticket"]) == (
        "failed", 3, "550 5.1.1 no such user", None, sample.acha
    )  # fmt: skip
    assert len(rest) == 4
    assert rest[0].as_json()["next_attempt_at"] is not None


def test_report(store: Store, sample: Sample, clock: ManualClock) -> None:
    clock.advance(30 * HOUR)
    found = json.loads(json.dumps(queries.report(store, START - HOUR, zone=JAKARTA).as_json()))
    days, agents, programs = found.pop("days"), found.pop("agents"), found.pop("programs")
    hours = 3600.0
    assert found == {
        "since": "2025-11-03T09:45:13.000+07:00",
        "until": "2025-11-04T16:45:13.000+07:00",
        "opened": 4,
        "closed": 1,
        "spam": 1,
        "merged": 0,
        "follow_ups": 1,
        "follow_up_rate": 1.0,
        "open_now": {"queued": 1, "in_progress": 0, "waiting": 1},
        "first_response": {"count": 1, "median_seconds": hours, "p90_seconds": hours},
        "resolution": {"count": 1, "median_seconds": 2 * hours, "p90_seconds": 2 * hours},
    }
    assert days == [
        {"day": "2025-11-03", "opened": 1, "closed": 1, "replies": 1, "answers": 1},
        {"day": "2025-11-04", "opened": 3, "closed": 0, "replies": 1, "answers": 0},
    ]
    assert {(a["agent"], a["opened"], a["closed"], a["answers"], a["follow_ups"]) for a in agents} == {
        (None, 1, 0, 0, 0), (SALLY, 2, 1, 1, 1), ("rudi@helpdesk.example", 1, 0, 0, 0)
    }  # fmt: skip
    assert {(p["program"], p["opened"], p["first_response"]["count"]) for p in programs} == {
        (None, 1, 0), ("ARKAS", 2, 1), ("SIPLah", 1, 0)
    }  # fmt: skip


def test_report_of_a_span_in_which_nothing_happened(store: Store, sample: Sample, clock: ManualClock) -> None:
    clock.advance(timedelta(days=10))
    found = queries.report(store, clock.now() - HOUR)
    assert (found.opened, found.closed, found.follow_up_rate, found.first_response.median) == (0, 0, None, None)
    assert [day.opened for day in found.days] == [0]
