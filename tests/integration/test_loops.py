"""Two machines, a robot with ever new names, forged senders: the desk falls silent, takes everything in, tells once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest

from mailbot.store.tables import OUTBOX
from tests.support.people import (
    ACHA,
    ADDRESS,
    BUDI,
    MONDAY,
    SALLY,
    WIRE,
    Sent,
    TryDesk,
)

WORDS = "Terima kasih atas surat Anda, pesan ini kami terima dan segera kami baca bersama tim."


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[Callable[..., TryDesk]]:
    made: list[TryDesk] = []

    def make(**tables: Any) -> TryDesk:
        made.append(TryDesk(tmp_path / f"desk{len(made)}", **tables))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


def suppressed(desk: TryDesk) -> list[tuple[str, str]]:
    with desk.desk.store.reading() as connection:
        rows = connection.execute(OUTBOX.select().where(OUTBOX.c.state == "suppressed").order_by(OUTBOX.c.id))
        return [(row.recipient, row.last_error) for row in rows]


def acknowledged(desk: TryDesk, address: Callable[[int], str], text: Callable[[int], str], upto: int = 60) -> int:
    """A robot writes a second and a half after each acknowledgement, until there comes none."""
    for count in range(upto):
        desk.write(address(count), f"Perihal {count * 7919}", text(count))
        if not desk.to(address(count), "acknowledgement"):
            return count
        desk.clock.advance(timedelta(seconds=1.5))
    return upto


# A robot that changes its address, its subject and its Message-ID every time


def test_a_robot_with_ever_new_addresses_of_one_domain_meets_silence(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    assert acknowledged(desk, lambda n: f"r{n}x@m{n}.robot.example", lambda n: f"{WORDS} {n}") == 21
    assert "same words" in suppressed(desk)[0][1]


def test_and_so_does_one_with_ever_new_domains(make_desk: Callable[..., TryDesk]) -> None:
    assert acknowledged(make_desk(), lambda n: f"r{n}x@d{n}.example", lambda n: f"{WORDS} {n}") == 21


def test_ever_new_words_are_known_by_the_pace(make_desk: Callable[..., TryDesk]) -> None:
    words = WORDS.replace(",", "").split()
    turned = [f"{words[n % 15]}a{chr(97 + n % 26)} xq{chr(97 + n % 7)}z" for n in range(80)]
    assert acknowledged(make_desk(), lambda n: f"r{n}x@d{n}.example", lambda n: turned[n]) <= 26


def test_ever_new_sub_addresses_are_one_mailbox(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    assert acknowledged(desk, lambda n: f"su.rat+{n}@gmail.com", lambda n: f"{n} {n}") == 20


def test_an_irregular_robot_of_one_domain_is_known_by_the_domain(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    for n in range(40):
        desk.write(f"r{n}x@robot.example", f"Perihal {n}", f"Pesan {n}")
        desk.clock.advance(timedelta(seconds=1 if n % 2 else 40))
    assert len(desk.to_domain("robot.example")) == 26
    assert {error for _, error in suppressed(desk)} == {
        "not sent: [inbound] max_auto_replies_per_domain is reached: "
        "new senders of one domain, each right after our mail"
    }


def test_the_mail_is_taken_in_whole_and_the_leads_hear_once(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    for n in range(40):
        desk.write(f"r{n}x@d{n}.example", f"Perihal {n}", f"{WORDS} {n}")
        desk.clock.advance(timedelta(seconds=2))
    assert len(desk.numbers()) == 40
    assert len([m for m in desk.to(BUDI, "notice") if "kata-kata yang sama" in m.text]) == 1
    assert len(desk.to(SALLY, "notification")) == 40
    with desk.desk.store.reading() as connection:
        kept = connection.exec_driver_sql("SELECT count(*) FROM inbound WHERE state = 'processed'").scalar()
    assert kept == 40


def test_after_the_window_the_desk_speaks_again_and_a_person_whom_an_agent_answered_never_meets_silence(
    make_desk: Callable[..., TryDesk],
) -> None:
    desk = make_desk()
    desk.opened(sender=f"kepala@{'robot.example'}", text="Kami belum dapat masuk.")
    desk.reply(desk.last(SALLY, "notification"), SALLY, "Mohon dicoba lagi.")
    acknowledged(desk, lambda n: f"r{n}x@robot.example", lambda n: f"{WORDS} {n}")
    desk.write("kepala@robot.example", "Yang lain", f"{WORDS} 9")
    assert len(desk.to("kepala@robot.example", "acknowledgement")) == 2
    desk.write("baru@robot.example", "Halo", f"{WORDS} 10")
    assert not desk.to("baru@robot.example", "acknowledgement")
    desk.clock.advance(timedelta(hours=1, minutes=1))
    desk.write("lagi@robot.example", "Halo", f"{WORDS} 11")
    assert desk.to("lagi@robot.example", "acknowledgement")


def test_silence_survives_a_restart(make_desk: Callable[..., TryDesk], tmp_path: Path) -> None:
    first = make_desk()
    acknowledged(first, lambda n: f"r{n}x@d{n}.example", lambda n: f"{WORDS} {n}", upto=21)
    later = first.clock.now()
    first.close()
    again = TryDesk(tmp_path / "desk0", start=later + timedelta(seconds=2), helpdesk={"first_ticket_number": 1})
    again.write("lain@lagi.example", "Perihal", f"{WORDS} 99")
    assert not again.to("lain@lagi.example", "acknowledgement")
    again.close()


# Schools


def test_schools_that_write_the_same_at_once_all_get_their_number(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    places = ["gmail.com", "guru.sd.belajar.id", "sdn{}.sch.id", "yahoo.co.id"]
    for n in range(120):
        sender = f"guru{n}@{places[n % 4].format(n)}"
        desk.write(sender, "BKU", "Mohon bantuan, BKU bulan Oktober tidak bisa ditutup. Terima kasih.")
        desk.clock.advance(timedelta(seconds=3))
    assert len([m for m in desk.sent if m.kind == "acknowledgement"]) == 120


def test_many_of_one_domain_who_did_not_wait_for_us_all_get_their_number(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    for n in range(60):
        desk.write(f"guru{n}@yayasan.example", "BKU", f"Mohon bantuan, BKU tidak bisa ditutup ({n}).", deliver=False)
        desk.clock.advance(timedelta(milliseconds=10))
    desk.deliver()
    assert len(desk.to_domain("yayasan.example")) == 60


def test_a_shared_domain_of_the_admins_has_no_cap(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(inbound={"shared_domains": ["dinas.example"]})
    assert acknowledged(desk, lambda n: f"r{n}x@kota.dinas.example", lambda n: f"{WORDS} {n}", upto=50) == 50


# Somebody who was never written to has our mail in hand


def test_who_quotes_our_mail_to_others_is_answered_a_few_times_only(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    desk.opened()
    ours = desk.last(ACHA, "acknowledgement").text
    for n in range(12):
        desk.clock.advance(timedelta(minutes=3))
        desk.write(f"g{n}@gmail.com", f"Perihal {n}", f"Pesan ke-{n}\n\n{ours}")
    assert len(desk.to_domain("gmail.com")) == 5 and len(desk.numbers()) == 13


# Two desks, as they stand and through a gateway that strips what machines know each other by


def exchange(left: TryDesk, right: TryDesk, strip: tuple[str, ...], rounds: int = 200) -> int:
    """Carry mail between two desks until neither writes; how many mails went between them."""
    carried = 0
    for _ in range(rounds):
        moved = 0
        for source, target in ((left, right), (right, left)):
            post = [m for m in source.sent if m.recipient.endswith(target.settings.helpdesk.address.partition("@")[2])]
            source.sent = [m for m in source.sent if m not in post]
            for mail in post:
                for desk in (left, right):
                    desk.clock.advance(timedelta(seconds=1))
                target.feed(stripped(mail, strip))
                moved += 1
        carried += moved
        if not moved:
            return carried
    return carried


def stripped(mail: Sent, names: tuple[str, ...]) -> bytes:
    message = mail.message
    for name in list(message.keys()):
        if name.lower().startswith(names):
            del message[name]
    return message.as_bytes(policy=WIRE)


STRIPPED = ("x-", "auto-submitted", "references", "in-reply-to", "thread-", "list-", "precedence", "return-path")
OTHER = "layanan@dinas.example"


@pytest.mark.parametrize(("strip", "most"), [((), 1), (STRIPPED, 4)], ids=["as they are", "headers stripped"])
def test_two_desks_fall_silent(make_desk: Callable[..., TryDesk], strip: tuple[str, ...], most: int) -> None:
    left = make_desk()
    right = make_desk(
        helpdesk={"address": OTHER, "name": "Layanan Dinas"}, agents=[{"name": "Tono", "email": "tono@lain.example"}]
    )
    left.write(OTHER, "Tidak bisa tutup BKU", "Mohon bantuan.")
    carried = exchange(left, right, strip)
    assert carried <= most, f"{carried} mails went between the desks"
    assert len(left.numbers()) + len(right.numbers()) <= 2


def other_product(desk: TryDesk, start: str, change: bool) -> int:
    """A ticket system that acknowledges everything, without a header that says so; how many mails it got."""
    got = 0
    desk.write(start, "Kendala", "Mohon bantuan.")
    for n in range(300):
        post = [m for m in desk.sent if m.recipient.endswith("@produk.example")]
        desk.sent = [m for m in desk.sent if m not in post]
        if not post:
            return got
        for mail in post:
            got += 1
            desk.clock.advance(timedelta(seconds=2))
            message = EmailMessage()
            message["From"] = f"Kasus <k{n}@produk.example>" if change else mail.recipient
            message["To"] = ADDRESS if change else getaddresses([mail["Reply-To"]])[0][1]
            message["Subject"] = f"Kasus baru {n}" if change else f"[Kasus {n}] {mail['Subject']}"
            message["Message-ID"] = f"<{n}.{got}@produk.example>"
            message.set_content(f"Kasus {n} dibuka untuk surat Bapak. Kami tangani secepatnya, mohon ditunggu.")
            desk.feed(message.as_bytes(policy=WIRE))
    return got


@pytest.mark.parametrize(("change", "most"), [(False, 1), (True, 22)], ids=["one address", "ever new addresses"])
def test_another_product_that_answers_everything(make_desk: Callable[..., TryDesk], change: bool, most: int) -> None:
    assert other_product(make_desk(), "kasus@produk.example", change) <= most


# What else is written by itself


def test_status_requests_of_a_participant_end_at_the_tickets_cap(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(inbound={"max_auto_replies_per_ticket": "6/h"})
    desk.opened(cc="g1@sekolah.example, g2@sekolah.example")
    for n in range(12):
        desk.write(f"g{n % 2 + 1}@sekolah.example", "STATUS #12345")
    assert len([m for m in desk.sent if m.kind == "status"]) == 5  # and the acknowledgement
    assert len(desk.to(BUDI, "notice")) == 1


def test_status_requests_of_strangers_meet_silence_too(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    for n in range(60):
        desk.clock.advance(timedelta(seconds=2))
        desk.write(f"r{n}x@robot.example", f"STATUS #{70000 + n}")
    assert len([m for m in desk.sent if m.kind == "status"]) <= 26


def test_notices_of_mail_too_large_meet_silence_too(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(inbound={"max_size": "2kB"})
    for n in range(40):
        desk.clock.advance(timedelta(seconds=2))
        desk.write(f"r{n}x@robot.example", f"Besar {n}", "x " * 3000)
    assert len([m for m in desk.sent if m.kind == "notice" and "robot.example" in m.recipient]) <= 26


def test_a_robot_on_a_closed_ticket_opens_one_follow_up(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    desk.opened()
    desk.reply(desk.last(SALLY, "notification"), SALLY, "#selesai\nSudah kami perbaiki.")
    closure = desk.last(ACHA)
    for n in range(40):
        desk.clock.advance(timedelta(seconds=5))
        desk.reply(closure, ACHA, f"Kendala masih terjadi {n}")
    assert desk.numbers() == [12345, 12346]
    assert len(desk.to(ACHA, "acknowledgement")) == 2


def test_follow_ups_that_are_closed_again_and_again_end_at_the_cap(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(inbound={"max_auto_replies_per_sender": "5/h"})
    desk.opened()
    for n in range(9):
        desk.clock.advance(timedelta(seconds=30))
        desk.reply(desk.last(SALLY, "notification"), SALLY, "#selesai\nSudah.")
        desk.reply(desk.last(ACHA), ACHA, f"Kendala masih terjadi {n}")
    assert len(desk.to(ACHA, "acknowledgement")) == 5 and len(desk.numbers()) == 10


def test_reminders_and_closures_count_but_are_never_withheld(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(inbound={"max_auto_replies_per_sender": "2/d"})
    for n in range(4):
        desk.opened(subject=f"Laporan {n}")
        desk.reply(desk.last(SALLY, "notification"), SALLY, "Mohon gambar.")
    assert len(desk.to(ACHA, "acknowledgement")) == 2
    desk.pass_time(hours=6.1)
    assert len(desk.to(ACHA, "reminder")) == 4


def test_forged_agents_don_t_bomb_the_agent_with_questions(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    for n in range(30):
        assert desk.write(SALLY, f"#12345 perintah {n}", "#selesai").outcome == "held"
    assert len([m for m in desk.to(SALLY) if "Re" not in m["Subject"]]) == 5
    assert len([m for m in desk.to(BUDI, "notice") if SALLY in m.text]) == 1
    assert len(desk.quarantine()) == 30


def test_errors_go_to_agents_who_wrote_and_to_nobody_else(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    desk.opened()
    notification = desk.last(SALLY, "notification")
    for n in range(30):  # an agent's own robot, by a token: each mistake has its answer, and starts nothing else
        desk.reply(notification, SALLY, f"#salah{n}")
    assert len(desk.to(SALLY, "notice")) == 30 and not desk.to(ACHA, "answer")
    desk.reply(notification, SALLY, "#salah", headers={"Auto-Submitted": "auto-replied"})
    assert len(desk.to(SALLY, "notice")) == 30


# What agents get of a flood


def test_replies_that_come_too_often_are_told_in_one_mail(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(inbound={"max_notifications_per_ticket": "10/h"})
    desk.opened()
    first = desk.last(ACHA, "acknowledgement")
    for n in range(25):
        desk.clock.advance(timedelta(seconds=10))
        desk.reply(first, ACHA, f"Balasan {n}")
    assert len(desk.to(SALLY, "notification")) == 11
    assert not desk.desk.helpdesk.send_digest()  # not yet
    desk.clock.advance(timedelta(minutes=10))
    assert desk.desk.helpdesk.send_digest() == 15 and not desk.desk.helpdesk.send_digest()
    desk.deliver()
    summary = desk.last(SALLY, "notice")
    assert "15 email" in summary.text and "Balasan 10" in summary.text and "Balasan 24" in summary.text
    assert "Balasan 9\n" not in summary.text
    assert len([m for m in desk.ticket()["messages"] if m["kind"] == "reply"]) == 25
    desk.reply(summary, SALLY, "Kami baca.")
    assert desk.to(ACHA, "answer")


def test_reports_of_a_robot_are_told_in_one_mail(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(inbound={"max_notifications_per_ticket": "10/h"})
    for n in range(60):
        desk.clock.advance(timedelta(seconds=2))
        desk.write(f"r{n}x@d{n}.example", f"Perihal {n}", f"{WORDS} {n}")
    assert len(desk.numbers()) == 60 and len(desk.to(SALLY, "notification")) == 31
    desk.clock.advance(timedelta(minutes=10))
    assert desk.desk.helpdesk.send_digest() == 29
    desk.deliver()
    assert re.search(r"#12376 … #12404", desk.last(SALLY, "notice").text)


# Whom an answer would reach, and a stranger's words in it


@pytest.mark.parametrize(
    "headers",
    [
        {"Reply-To": "korban@gmail.com"},
        {"Sender": "pengirim@lain.example"},
        {"Reply-To": "tu@sd2.sch.id"},
    ],
)
def test_no_acknowledgement_where_it_could_reach_somebody_else(
    make_desk: Callable[..., TryDesk], headers: dict[str, str]
) -> None:
    desk = make_desk()
    assert desk.opened(sender="guru@sd1.sch.id", headers=headers) == 12345
    assert not desk.to("guru@sd1.sch.id") and not desk.to_domain("gmail.com") and desk.to(SALLY, "notification")


@pytest.mark.parametrize(
    "sender",
    [
        "Helpdesk BOSP <x@jahat.example>", "support@he1pdesk.example", '"support@helpdesk.example" <x@jahat.example>',
        "Sally <sally@helpdesk.exarnple>", "a@x.example, b@y.example",
    ],
)  # fmt: skip
def test_no_acknowledgement_to_who_looks_like_the_desk(make_desk: Callable[..., TryDesk], sender: str) -> None:
    desk = make_desk()
    desk.write(sender, "Kendala", "Mohon bantuan.")
    assert {m.recipient for m in desk.sent} <= {SALLY, BUDI}


def test_reply_to_of_one_s_own_house_is_no_conflict(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    desk.write("guru@sd1.sch.id", "Kendala", "Mohon.", headers={"Reply-To": "Tata Usaha <tu@mail.sd1.sch.id>"})
    desk.write("a.b@gmail.com", "Kendala", "Mohon.", headers={"Reply-To": "ab+helpdesk@gmail.com"})
    assert desk.to("guru@sd1.sch.id") and desk.to("a.b@gmail.com")
    assert not desk.to("tu@mail.sd1.sch.id") and not desk.to("ab+helpdesk@gmail.com")  # never to Reply-To


def test_a_strangers_advertisement_is_not_passed_on(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk()
    desk.write(
        '"Menang besar di judi.top WA 081234567890" <korban@gmail.com>',
        "Bonus 100% https://judi.top/x daftar di bit.ly/abc atau 0812-3456-7890 #54321 \u202eok",
        "Klik https://judi.top",
    )
    got = desk.last("korban@gmail.com")
    assert not re.search(r"judi|bit\.ly|3456|\u202e", f"{got.raw.decode()} {got.text} {got['Subject']} {got['To']}")
    assert got["Subject"] == "#12345 - Bonus 100% [tautan] daftar di [tautan] atau [nomor] #54321 ok"
    desk.reply(desk.last(SALLY, "notification"), SALLY, "Bukan untuk kami.")
    assert desk.last("korban@gmail.com", "answer")["Subject"] == got["Subject"]  # one thread, one subject


def test_the_clock_that_stands_still_proves_nothing(make_desk: Callable[..., TryDesk]) -> None:
    """Mail that came in one moment is a flood, not an answer to ours."""
    desk = make_desk(start=MONDAY)
    for n in range(60):
        desk.write(f"guru{n}@yayasan.example", "BKU", "Mohon bantuan, BKU bulan Oktober tidak bisa ditutup.")
    assert len(desk.to_domain("yayasan.example")) == 60
