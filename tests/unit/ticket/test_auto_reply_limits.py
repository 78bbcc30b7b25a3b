"""The table of caps, and what it leans on: turns, paces, likeness, whose mail system an address belongs to."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.mail.classify.reply_conflict import conflict
from mailbot.mail.classify.senders import Grade, grade
from mailbot.mail.domains import (
    is_shared,
    mailbox_of,
    organisation_of,
)
from mailbot.mail.message import (
    Address,
    Headers,
    InboundMessage,
)
from mailbot.mail.mime.parser import parse_message
from mailbot.mail.redaction import safe_name, safe_title
from mailbot.ticket.auto_reply_limits import (
    RALLY,
    ROWS,
    Counted,
    Limit,
    Limits,
    is_one_pace,
    is_turn,
    likeness,
    reached,
)
from mailbot.vocabulary.labels import WITHHELD

NOW = datetime(2025, 11, 3, 3, 0, tzinfo=UTC)
OF = Limits()
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("counted", "cap"),
    [
        (Counted(), None),
        (Counted(to_sender=19), None),
        (Counted(to_sender=20), Limit.SENDER),
        (Counted(to_sender=20, known=True), Limit.SENDER),
        (Counted(on_ticket=30), Limit.TICKET),
        (Counted(echo=True, echoes=4), None),
        (Counted(echo=True, echoes=5), Limit.ECHO),
        (Counted(echoes=5), None),
        (Counted(alike_turns=20), Limit.ALIKE),
        (Counted(alike_turns=20, known=True), None),
        (Counted(alike_turns=20, shared=True), None),
        (Counted(domain_turns=25), Limit.DOMAIN),
        (Counted(domain_turns=25, domain_span=300), Limit.DOMAIN),
        (Counted(domain_turns=25, domain_span=301), None),
        (Counted(paces=(SECOND, 4 * SECOND)), Limit.RALLY),
        (Counted(paces=(SECOND, 6 * SECOND)), None),
        (Counted(paces=(SECOND, SECOND), shared=True), None),
        (Counted(alike=9999, shared=True), None),
        (Counted(alike=10_000, shared=True), Limit.SPREAD),
        (Counted(overall=100_000, known=True), Limit.OVERALL),
    ],
)
def test_the_table(counted: Counted, cap: Limit | None) -> None:
    assert reached(counted, OF) is cap


def test_where_nothing_was_counted_nothing_is_held_against_anybody() -> None:
    nothing = Counted()
    assert (nothing.to_sender, nothing.on_ticket, nothing.overall, nothing.alike, nothing.echoes) == (0, 0, 0, 0, 0)
    assert (nothing.domain_turns, nothing.alike_turns, nothing.domain_span, nothing.paces) == (0, 0, 0, None)


def test_the_limits_are_those_that_the_documents_give() -> None:
    hour = timedelta(hours=1)
    counts = {cap: OF.of(cap).count for cap in Limit}
    assert counts == {
        Limit.SENDER: 20, Limit.TICKET: 30, Limit.ECHO: 5, Limit.ALIKE: 20, Limit.DOMAIN: 25, Limit.RALLY: 24,
        Limit.SPREAD: 10_000, Limit.OVERALL: 100_000, Limit.CONFIRM: 5, Limit.NOTIFICATIONS: 30, Limit.REPORTS: 30,
    }  # fmt: skip
    assert {OF.of(cap).per for cap in Limit} == {hour} and OF.domain.looked_at == 30


def test_every_row_has_its_words_and_its_limit() -> None:
    assert {cap.value for cap, _ in ROWS} == set(WITHHELD)
    assert all(OF.of(cap).count > 0 for cap in Limit) and OF.of(Limit.RALLY).count == RALLY


@pytest.mark.parametrize(
    ("after", "turn"),
    [
        (timedelta(milliseconds=49), False), (timedelta(milliseconds=50), True), (timedelta(minutes=15), True),
        (timedelta(minutes=15, seconds=1), False), (-SECOND, False),
    ],
)  # fmt: skip
def test_a_turn_comes_after_ours_in_good_time(after: timedelta, turn: bool) -> None:
    assert is_turn(NOW + after, NOW) is turn
    assert not is_turn(None, NOW) and not is_turn(NOW, None)


def test_one_pace() -> None:
    assert is_one_pace(2 * SECOND, 9 * SECOND) and not is_one_pace(2 * SECOND, 10 * SECOND)


TEXT = "Terima kasih atas surat Anda, pesan nomor 17 kami terima dan segera kami baca bersama tim."


def test_likeness_sees_through_numbers_case_and_order_and_mostly_through_names() -> None:
    first = likeness(TEXT)
    assert first is not None and likeness(TEXT.replace("17", "90210x").upper()) == first
    named = [likeness(f"Halo {name}. {TEXT}") for name in ("Acha", "Budi", "Citra", "Dewi", "Eko", "Fajar")]
    assert sum(1 for other in named if other and (other[0] == first[0] or other[1] == first[1])) >= 4
    other = likeness("Kami tidak bisa menutup BKU bulan Oktober di aplikasi sejak pembaruan kemarin pagi")
    assert other is not None and not set(other) & set(first)
    assert likeness("mohon bantuan") is None and likeness("") is None
    assert all(-(2**63) <= key < 2**63 for key in first)


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("su.rat+7@gmail.com", "surat@gmail.com"), ("surat@googlemail.com", "surat@gmail.com"),
        ("su.rat+7@x.example", "su.rat@x.example"), ("+7@x.example", "+7@x.example"),
    ],
)  # fmt: skip
def test_the_mailbox_behind_an_address(email: str, mailbox: str) -> None:
    assert mailbox_of(email) == mailbox


@pytest.mark.parametrize(
    ("domain", "organisation", "shared"),
    [
        ("mail.sdn1.sch.id", "sdn1.sch.id", True), ("guru.sd.belajar.id", "belajar.id", True),
        ("gmail.com", "gmail.com", True), ("mx.a.dinas.example", "dinas.example", False),
        ("toko.co.id", "toko.co.id", False), ("x.toko.co.id", "toko.co.id", False), ("localhost", "localhost", False),
        ("notgmail.com", "notgmail.com", False), ("", "", False),
    ],
)  # fmt: skip
def test_whose_domain(domain: str, organisation: str, shared: bool) -> None:
    assert (organisation_of(domain), is_shared(domain)) == (organisation, shared)
    assert is_shared("kota.dinas.example", ["dinas.example"]) and not is_shared("xdinas.example", ["dinas.example"])


def conflict_in(header: str, dmarc: str = "") -> str:
    raw = f"{header}\r\nTo: support@helpdesk.example\r\nSubject: x\r\n\r\nhalo\r\n"
    return conflict(
        parse_message(raw.encode()), desk=["support@helpdesk.example"], agents=["sally@helpdesk.example"],
        names=["Helpdesk BOSP", "Sally (BOSP)"], dmarc=dmarc,
    )  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        "From: a@gmail.com\r\nReply-To: b@gmail.com",
        "From: a@sd1.sch.id\r\nReply-To: b@sd2.sch.id",
        "From: a@guru.sd.belajar.id\r\nReply-To: b@guru.sd.belajar.id",
        "From: a@x.example\r\nReply-To: a@y.example",
        "From: a@x.example, b@y.example",
        "From: a@x.example\r\nFrom: b@y.example",
        "From: a@x.example\r\nSender: z@gmail.com",
        "From: support@he1pdesk.example",
        "From: support@helpdesk.exаmple",
        "From: sally@helpdesk.exarnple",
        'From: "support@helpdesk.example" <x@jahat.example>',
        "From: Helpdesk  BOSP <x@jahat.example>",
        "From: HeIpdesk B0SP <x@jahat.example>",
        "From: Helpd\u00e9sk BOSP <x@jahat.example>",
    ],
)
def test_an_answer_could_reach_somebody_else(header: str) -> None:
    assert conflict_in(header)


@pytest.mark.parametrize(
    "header",
    [
        "From: a@gmail.com",
        "From: a.b@gmail.com\r\nReply-To: Lain <AB+x@googlemail.com>",
        "From: a@sdn1.sch.id\r\nReply-To: tu@mail.sdn1.sch.id",
        "From: a@x.example\r\nReply-To: c@y.example, a@x.example",
        "From: a@x.example\r\nSender: b@mail.x.example",
        "From: a@x.example\r\nSender: support@helpdesk.example",
        "From: a@x.example\r\nReply-To: Halo <>",
        "From: a@x.example\r\nReply-To: support@helpdesk.example",
        "From: a@x.example\r\nReply-To: b@x.example",
        "From: a@x.example\r\nSender: Halo <>",
        "From: Sally <sally@gmail.com>",
        "From: Budi <budi@x.example>",
        "From: Sally <sally@helpdesk.example>",
        "From: support@helpdesk.example",
        'From: "a@lain.example" <a@x.example>',
        "From: a@xn--80ak6aa92e.example",
        "From: a@xn--99999999999.example",
    ],
)
def test_an_answer_reaches_who_wrote(header: str) -> None:
    assert conflict_in(header) == ""


def test_several_authors_are_said_to_be_several() -> None:
    one = InboundMessage(from_=(Address("a@x.example"),), defects=("duplicate-from",))
    assert conflict(one) == "names several authors (From)"


def test_of_very_many_addresses_for_replies_the_first_twenty_count() -> None:
    strangers = tuple(Address(f"b{n}@lain{n}.example") for n in range(20))
    own = Address("a@x.example")
    assert conflict(InboundMessage(from_=(own,), reply_to=(*strangers[:19], own))) == ""
    assert conflict(InboundMessage(from_=(own,), reply_to=(*strangers, own)))


@pytest.mark.parametrize("name", ["Layanan VVarga", "Laya\u200bnan Warga", "LAYANAN WARGA"])
def test_a_name_that_looks_like_the_desks_is_a_pretence(name: str) -> None:
    message = InboundMessage(from_=(Address("x@jahat.example", name),))
    assert conflict(message, names=["Layanan Warga"]) and not conflict(message, names=["Layanan Kota"])


@pytest.mark.parametrize(
    ("author", "written", "expected"),
    [
        (None, "MAILER-DAEMON", Grade.DAEMON),
        (None, "Mail Delivery System <>", Grade.DAEMON),
        (None, "Budi <>", Grade.OFFICE),
        (Address("", "Budi"), "", Grade.OFFICE),
        (Address("x@y.example", "Mail Delivery System"), "", Grade.OFFICE),
        (Address("mailer-daemon@y.example"), "", Grade.DAEMON),
        (Address("postmaster@y.example"), "", Grade.OFFICE),
        (Address("noreply@y.example"), "", Grade.UNREAD),
        (Address("guru@y.example", "Guru"), "", Grade.ANYBODY),
    ],
)
def test_how_surely_an_author_is_a_machine(author: Address | None, written: str, expected: Grade) -> None:
    headers = Headers((("From", written),)) if written else Headers()
    assert grade(InboundMessage(from_=(author,) if author else (), headers=headers)) is expected


def test_a_proven_author_may_have_any_sender() -> None:
    assert conflict_in("From: a@x.example\r\nSender: a.b@gmail.com", dmarc="pass") == ""


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        ("Tidak bisa tutup BKU 31.12.2025 (NPSN 20512345)", "Tidak bisa tutup BKU 31.12.2025 (NPSN 20512345)"),
        ("laporan.xlsx rusak di ARKAS 4.0", "laporan.xlsx rusak di ARKAS 4.0"),
        ("Rp 12.500.000,00 belum masuk 03-11-2025 10.45", "Rp 12.500.000,00 belum masuk 03-11-2025 10.45"),
        ("arkas.kemdikbud.go.id tidak terbuka", "arkas.kemdikbud.go.id tidak terbuka"),
        ("klik https://judi.top/x?y=1 ya", "klik [tautan] ya"),
        ("https://a.go.id@judi.top/", "[tautan]"),
        ("judi.top, bit.ly/abc dan t.me/x", "[tautan], [tautan] dan [tautan]"),
        ("surat ke a@judi.example", "surat ke [tautan]"),
        ("WA 0812-3456-7890 / +62 812 3456 7890 / (021) 57903020", "WA [nomor] / [nomor] / [nomor]"),
        ("NIK 3201123456789012", "NIK [nomor]"),
    ],
)
def test_a_title_carries_no_advertisement(subject: str, title: str) -> None:
    assert safe_title(subject) == title


def test_a_name_that_says_more_than_a_name_is_left_out() -> None:
    assert safe_name("Acha Lestari, S.Pd.") == "Acha Lestari, S.Pd." and safe_name("Drs. H. Ahmad") == "Drs. H. Ahmad"
    for name in ("Menang di judi.top", "WA 081234567890", "x" * 65, "https://judi.example", "a@b.example"):
        assert safe_name(name) == ""


@pytest.mark.parametrize("piece", ["a.", "www.", "08", "+1 ", "a@", "( 0", "8 ", "1-", "0812 ", "http://", "62 8"])
def test_hostile_subjects_take_no_longer(piece: str) -> None:
    start = time.process_time()
    safe_title(piece * (1000 // len(piece)))
    assert time.process_time() - start < 0.1


def test_limits_can_be_looked_at_for_turns() -> None:
    assert OF.alike.looked_at == 24 and replace(OF.alike, count=5).looked_at == 6


@pytest.mark.parametrize(
    ("subject", "title"),
    [("tulis ke admin@judi ya", "tulis ke [tautan] ya"), ("buka https://judi ya", "buka [tautan] ya"), ("a b", "a b")],
)
def test_each_sign_of_a_link_is_enough_by_itself(subject: str, title: str) -> None:
    assert safe_title(subject) == title


def test_a_name_may_have_64_characters_and_no_more() -> None:
    assert safe_name("a" * 64) == "a" * 64 and safe_name("a" * 65) == ""
