"""The rules of the desk (docs/developer/rules.md), each as people would see it, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailbot.errors import NotPossible
from mailbot.transport.smtp.submission import (
    Accepted,
    Deferred,
    Rejected,
)
from tests.support.people import (
    ACHA,
    ADDRESS,
    BUDI,
    MONDAY,
    SALLY,
    Sent,
    TryDesk,
)
from tests.support.plans import recorded, scans, watching

STRANGER = "orang@asing.example"


@pytest.fixture
def make_desk(store_url: str, tmp_path: Path) -> Iterator[Callable[..., TryDesk]]:
    made: list[TryDesk] = []

    def make(**more: Any) -> TryDesk:
        url = "" if store_url.startswith("sqlite") else store_url
        made.append(TryDesk(tmp_path, url, **more))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[TryDesk]:
    """One whose statements are recorded: in the end none of them may have read a whole table."""
    made = TryDesk(tmp_path, "" if store_url.startswith("sqlite") else watching(store_url))
    with recorded(made.desk.store) as said:
        yield made
        made.desk.helpdesk.send_digest()
        made.desk.helpdesk.send_quarantine_list()
    assert said
    assert scans(made.desk.store, said) == []
    made.close()


def test_the_whole_life_of_a_ticket(desk: TryDesk) -> None:
    assert desk.opened(files=[("bukti.jpg", b"\xff\xd8\xff gambar")]) == 12345
    acknowledgement = desk.last(ACHA, "acknowledgement")
    assert acknowledgement["Subject"] == "#12345 - Tidak bisa tutup BKU" and "12345" in acknowledgement.text
    notification = desk.last(SALLY, "notification")
    assert "BKU Oktober." in notification.text and notification.files == {"bukti.jpg": b"\xff\xd8\xff gambar"}
    answer = desk.answered("Boleh infokan NPSN?\n-- \nSally, ruang 3")
    assert answer["From"].startswith('"Sally (BOSP)"') and "ruang 3" not in answer.text
    assert "BKU Oktober" not in answer.text and notification["Reply-To"] not in answer.raw.decode()
    assert desk.ticket()["status"] == "waiting" and desk.ticket()["agent"] == SALLY
    desk.reply(answer, ACHA, "20512345")
    assert desk.ticket()["status"] == "in_progress"
    assert [m["text"] for m in desk.ticket()["messages"] if m["kind"] == "reply"] == ["20512345"]
    assert len(desk.to(BUDI, "notification")) == 1  # owned by Sally now
    desk.reply(desk.last(SALLY, "notification"), SALLY, "#selesai\nSudah kami perbaiki.")
    closure = desk.last(ACHA, "closure")
    assert "Sudah kami perbaiki." in closure.text and "Kendala masih terjadi" in closure.text
    assert (desk.ticket()["status"], desk.ticket()["close_reason"]) == ("closed", "solved")
    desk.reply(closure, ACHA, "Terima kasih banyak, sudah bisa.")
    assert desk.numbers() == [12345]
    desk.reply(closure, ACHA, "Kendala masih terjadi")
    follow_up = desk.last(ACHA, "acknowledgement")
    assert follow_up["X-Mailbot-Ticket"] == "12346" and "12345" in follow_up.text and "12346" in follow_up.text
    assert desk.ticket(12346)["follow_up_of"] == 12345 and desk.ticket()["follow_ups"] == [12346]
    assert "Sudah kami perbaiki." in desk.last(SALLY, "notification").text  # the history is at hand
    assert len(desk.to(BUDI, "notification")) == 1  # the follow-up goes to the agent of the old ticket


def test_reminders_then_closing(desk: TryDesk) -> None:
    desk.opened()
    desk.answered()
    desk.pass_time(hours=5.9)
    assert not desk.to(ACHA, "reminder")
    desk.pass_time(hours=0.2)
    assert len(desk.to(ACHA, "reminder")) == 1 and desk.ticket()["reminders_sent"] == 1
    desk.pass_time(hours=18)
    assert len(desk.to(ACHA, "reminder")) == 2
    desk.pass_time(hours=23.8)
    assert desk.ticket()["status"] == "waiting"
    desk.pass_time(hours=0.2)
    assert desk.ticket()["close_reason"] == "no_reply" and "Kendala masih terjadi" in desk.last(ACHA, "closure").text
    assert desk.ticket()["next_timer"] is None


def test_after_downtime_one_reminder_and_six_hours(desk: TryDesk) -> None:
    desk.opened()
    desk.answered()
    desk.pass_time(days=10)
    assert len(desk.to(ACHA, "reminder")) == 1 and desk.ticket()["status"] == "waiting"
    desk.pass_time(hours=5.9)
    assert desk.ticket()["status"] == "waiting"
    desk.pass_time(hours=0.2)
    assert desk.ticket()["status"] == "closed" and len(desk.to(ACHA, "reminder")) == 1


def test_timers_start_when_the_smtp_server_accepts(desk: TryDesk) -> None:
    desk.opened()
    desk.verdict = lambda mail: Deferred(451, "later", False) if mail.kind == "answer" else Accepted("ok")
    desk.reply(desk.last(SALLY, "notification"), SALLY, "Mohon NPSN.")
    assert desk.ticket()["status"] == "waiting" and desk.ticket()["next_timer"] is None
    desk.verdict = lambda mail: Accepted("ok")
    desk.pass_time(hours=3)
    assert datetime.fromisoformat(desk.ticket()["next_timer"]["at"]) == MONDAY + timedelta(hours=9)


def test_a_mail_that_stays_refused_is_told_to_the_agent_and_closes_nothing(desk: TryDesk) -> None:
    desk.opened()
    desk.verdict = lambda mail: Rejected(550, "5.1.1 no such user") if mail.recipient == ACHA else Accepted("ok")
    desk.reply(desk.last(SALLY, "notification"), SALLY, "Mohon NPSN.")
    notice = desk.last(SALLY, "notice")
    assert "5.1.1 no such user" in notice.text and ACHA in notice.text
    desk.pass_time(days=30)
    assert desk.ticket()["status"] == "waiting" and not desk.to(ACHA, "reminder")


def test_a_mail_is_given_up_after_retry_for(desk: TryDesk) -> None:
    desk.opened()
    desk.verdict = lambda mail: Deferred(451, "4.2.2 full", False) if mail.recipient == ACHA else Accepted("ok")
    desk.reply(desk.last(SALLY, "notification"), SALLY, "Mohon NPSN.")
    for _ in range(200):
        desk.pass_time(minutes=20)
    assert "4.2.2 full" in desk.last(SALLY, "notice").text


def test_a_bounce_is_told_to_the_agent_and_stops_the_timers(desk: TryDesk) -> None:
    desk.opened()
    answer = desk.answered()
    bounce = (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {answer.envelope_from}\r\nSubject: Undelivered Mail\r\n"
        "Message-ID: <b1@mx.example>\r\nDate: Mon, 3 Nov 2025 10:05:00 +0700\r\nReturn-Path: <>\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThe mail could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {ACHA}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n--b--\r\n"
    )
    before = len(desk.to("mailer-daemon@mx.example"))
    desk.feed(bounce.encode())
    assert "5.1.1" in desk.last(SALLY, "notice").text
    assert desk.ticket()["messages"][-1]["kind"] in ("bounce", "notice")
    desk.pass_time(days=30)
    assert desk.ticket()["status"] == "waiting" and not desk.to(ACHA, "reminder")
    assert len(desk.to("mailer-daemon@mx.example")) == before == 0


def test_a_robots_reply_stops_nothing_and_is_never_answered(desk: TryDesk) -> None:
    desk.opened()
    answer = desk.answered()
    count = len(desk.sent)
    desk.reply(answer, ACHA, "Saya sedang cuti.", headers={"Auto-Submitted": "auto-replied"})
    assert len(desk.sent) == count and desk.ticket()["status"] == "waiting"
    assert [m["kind"] for m in desk.ticket()["messages"]][-1] == "auto_reply"
    desk.pass_time(hours=6.1)
    assert desk.to(ACHA, "reminder")


def test_an_automatic_mail_without_a_ticket_is_held_and_can_be_let_in_unanswered(desk: TryDesk) -> None:
    done = desk.write("sistem@dinas.example", "Data harian", "Data.", headers={"Auto-Submitted": "auto-generated"})
    assert done.outcome == "quarantined" and desk.numbers() == []
    desk.desk.helpdesk.release([done.inbound_id])
    desk.deliver()
    assert desk.numbers() == [12345] and not desk.to("sistem@dinas.example") and desk.to(SALLY, "notification")


def test_a_mail_of_a_list_opens_a_ticket_in_silence(desk: TryDesk) -> None:
    desk.write(ACHA, "Lewat milis", "Isi", cc="guru@milis.example", headers={"List-Id": "<guru.milis.example>"})
    assert desk.ticket()["participants"] == [] and not desk.to(ACHA) and desk.to(SALLY, "notification")


def test_out_of_hours_the_acknowledgement_names_the_opening(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(start=datetime(2025, 11, 22, 5, 0, tzinfo=UTC))  # a Saturday
    desk.opened()
    assert "Senin, 24 November 2025 pukul 08:00 WIB" in desk.last(ACHA, "acknowledgement").text


# Who belongs to a ticket


def test_people_in_cc_take_part_and_each_gets_a_mail_of_their_own(desk: TryDesk) -> None:
    desk.opened(
        cc="Cece <cece@sekolah.example>, kepala@sekolah.example, support@helpdesk.example, budi@helpdesk.example"
    )
    assert desk.ticket()["participants"] == ["cece@sekolah.example", "kepala@sekolah.example"]
    answer = desk.answered()
    copy = desk.last("cece@sekolah.example", "answer")
    assert copy["Reply-To"] != answer["Reply-To"] and "cece@sekolah.example" in answer["Cc"]
    desk.reply(copy, "cece@sekolah.example", "Ini NPSN-nya")
    assert desk.ticket()["messages"][-2]["author_role"] == "participant" or any(
        m["author_role"] == "participant" for m in desk.ticket()["messages"]
    )
    assert desk.ticket()["status"] == "in_progress" and desk.ticket()["requester"]["email"] == ACHA


def test_a_stranger_who_knows_a_number_gets_a_ticket_of_their_own_and_learns_nothing(desk: TryDesk) -> None:
    desk.opened(text="Rahasia sekolah")
    desk.write(STRANGER, "Re: #12345 - Tidak bisa tutup BKU", "Apa kabarnya?")
    assert desk.numbers() == [12345, 12346] and desk.ticket()["participants"] == []
    assert "12345" in desk.last(SALLY, "notification").text
    mail = desk.last(STRANGER)
    assert "Rahasia" not in mail.text and mail["X-Mailbot-Ticket"] == "12346" and "12345" not in mail["Subject"]


def test_a_tag_typed_over_the_quoted_subject_names_the_ticket_that_is_meant(desk: TryDesk) -> None:
    desk.opened()
    first = desk.last(ACHA, "acknowledgement")
    desk.opened(subject="Masalah lain")
    desk.reply(first, ACHA, "Ini untuk yang kedua", subject="#12346")
    assert [m["text"] for m in desk.ticket(12346)["messages"] if m["kind"] == "reply"] == ["Ini untuk yang kedua"]


def test_an_open_follow_up_is_joined_and_the_newest_is_followed(desk: TryDesk) -> None:
    desk.opened()
    desk.reply(desk.last(SALLY, "notification"), SALLY, "#selesai\nSudah.")
    closure = desk.last(ACHA, "closure")
    desk.reply(closure, ACHA, "Kendala masih terjadi")
    desk.reply(closure, ACHA, "Masih belum bisa juga")
    assert desk.numbers() == [12345, 12346]
    desk.reply(desk.last(SALLY, "notification"), SALLY, "#selesai\nSudah lagi.")
    desk.reply(closure, ACHA, "Kendala masih terjadi lagi")
    assert desk.numbers() == [12345, 12346, 12347] and desk.ticket(12347)["follow_up_of"] == 12346


def test_a_reply_to_a_merged_ticket_goes_to_where_it_went(desk: TryDesk) -> None:
    desk.opened()
    first = desk.last(ACHA, "acknowledgement")
    first_note = desk.last(SALLY, "notification")
    desk.opened(subject="Sama lagi")
    desk.reply(first_note, SALLY, "#gabung 12346")
    assert (desk.ticket()["merged_into"], desk.ticket()["close_reason"]) == (12346, "merged")
    desk.reply(first, ACHA, "Tambahan")
    assert "Tambahan" in [m["text"] for m in desk.ticket(12346)["messages"]] and desk.numbers() == [12345, 12346]


def test_a_forced_merge_lets_nobody_see_the_other(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(helpdesk={"status_page": "https://desk.example/status"})
    other = "bu.tini@sd9.example"
    desk.opened(subject="Rahasia Acha")
    desk.write(other, "Milik Tini", "Dana belum masuk.", headers={"Reply-To": other})
    first, second = (note for note in desk.to(SALLY, "notification"))
    tini = desk.last(other, "acknowledgement")
    desk.reply(second, SALLY, "#gabung 12345 paksa")
    assert desk.ticket(12346)["merged_into"] == 12345
    desk.reply(tini, other, "Sudah lama begini.")
    desk.reply(first, SALLY, "Sedang kami periksa.")
    desk.write(other, "STATUS #12345")
    desk.reply(first, SALLY, "#selesai\nSudah kami perbaiki.")
    desk.reply(desk.last(other, "closure"), other, "Kendala masih terjadi")
    assert desk.numbers() == [12345, 12346, 12347]
    to_tini = [*desk.to(other, "answer"), *desk.to(other, "status"), *desk.to(other, "closure"), desk.last(other)]
    to_acha = [*desk.to(ACHA, "answer"), *desk.to(ACHA, "closure"), desk.last(ACHA, "acknowledgement")]
    assert len(to_tini) == 4 and len(to_acha) == 3
    for mail in to_tini:
        seen = mail.raw.decode()
        assert ACHA not in seen and "Rahasia Acha" not in seen and "kunci=" not in seen, seen
        assert mail["Subject"].endswith(" - Milik Tini") and mail["Thread-Topic"] == mail["Subject"]
    written = [m for number in desk.numbers() for m in desk.ticket(number)["messages"]]
    theirs = {m["message_id"] for m in written if m["author"] == other}
    acha_wrote = {m["message_id"] for m in desk.ticket()["messages"] if m["author"] == ACHA}
    assert theirs and acha_wrote
    assert not any(set(mail["References"].split()) & theirs for mail in to_acha)
    assert not any(set(mail["References"].split()) & acha_wrote for mail in to_tini)
    assert not any(other in mail.raw.decode() or "Tini" in mail.raw.decode() for mail in to_acha)


def test_a_reply_to_spam_is_held(desk: TryDesk) -> None:
    desk.opened()
    acknowledgement = desk.last(ACHA)
    desk.reply(desk.last(SALLY, "notification"), SALLY, "#spam")
    done = desk.reply(acknowledgement, ACHA, "Halo?")
    assert done.outcome == "quarantined" and len(desk.quarantine()) == 1 and desk.numbers() == [12345]
    desk.desk.helpdesk.release([done.inbound_id])
    assert desk.numbers() == [12345, 12346] and desk.quarantine() == []


# Agents


def test_the_desk_becomes_nobodys_requester(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(helpdesk={"aliases": ["bantuan@helpdesk.example"]})
    desk.opened()
    for own in (ADDRESS, "support+abc@helpdesk.example", "bantuan@helpdesk.example"):
        desk.reply(desk.last(SALLY, "notification"), SALLY, f"#pelapor {own}")
        assert f"Baris 1: #pelapor {own}" in desk.last(SALLY, "notice").text
    assert desk.ticket()["requester"]["email"] == ACHA and not desk.to(ADDRESS)


def test_a_refusal_at_the_shell_announces_no_choice_where_there_is_none(desk: TryDesk) -> None:
    desk.opened()
    with pytest.raises(NotPossible, match=r"^x can't be used here\.$"):
        desk.desk.helpdesk.act_as_agent(12345, agent=SALLY, text="#pelapor x")
    with pytest.raises(NotPossible, match=r"Possible: .*urgent"):
        desk.desk.helpdesk.act_as_agent(12345, agent=SALLY, text="#prioritas gawat")


def test_a_forged_agent_changes_nothing_and_the_real_one_is_asked(desk: TryDesk) -> None:
    desk.opened()
    done = desk.write(SALLY, "Re: #12345 - Tidak bisa tutup BKU", "#selesai\nSudah.")
    assert done.outcome == "held" and desk.ticket()["status"] == "queued" and not desk.to(ACHA, "closure")
    asked = desk.last(SALLY, "notice")
    desk.reply(asked, SALLY, "ya")
    assert desk.ticket()["status"] == "closed" and "Sudah." in desk.last(ACHA, "closure").text
    desk.reply(asked, SALLY, "ya lagi")
    assert len(desk.to(ACHA, "closure")) == 1


def test_a_confirmation_by_somebody_else_is_none(desk: TryDesk) -> None:
    desk.opened()
    desk.write(SALLY, "#12345", "#selesai")
    desk.reply(desk.last(SALLY, "notice"), STRANGER, "ya")
    assert desk.ticket()["status"] == "queued"


def test_a_notification_that_was_passed_on_lets_nobody_in(desk: TryDesk) -> None:
    desk.opened()
    note = desk.last(SALLY, "notification")
    desk.answered()
    desk.reply(note, STRANGER, "#selesai\nSaya bukan petugas lagi.")
    assert desk.ticket()["status"] == "waiting" and desk.ticket()["next_timer"] is not None
    assert desk.numbers() == [12345, 12346]


def test_dmarc_proves_an_agent_where_the_desk_trusts_it(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(agent_mail={"trust": "dmarc"}, inbound={"trusted_authserv_ids": ("mx.helpdesk.example",)})
    desk.opened()
    passed = {"Authentication-Results": "mx.helpdesk.example; dmarc=pass header.from=helpdesk.example"}
    forged = {"Authentication-Results": "mx.evil.example; dmarc=pass header.from=helpdesk.example"}
    desk.write(SALLY, "Re: #12345 - x", "#selesai\nSudah.", headers=forged)
    assert desk.ticket()["status"] == "queued"
    desk.write(SALLY, "Re: #12345 - x", "#selesai\nSudah.", headers=passed)
    assert desk.ticket()["status"] == "closed"


def test_one_wrong_line_stops_the_mail_and_says_which(desk: TryDesk) -> None:
    desk.opened()
    desk.reply(desk.last(SALLY, "notification"), SALLY, "#selesai\n#oper nobody@x.id\nSudah.")
    assert desk.ticket()["status"] == "queued" and not desk.to(ACHA, "closure")
    notice = desk.last(SALLY, "notice")
    assert "#oper nobody@x.id" in notice.text and BUDI in notice.text


def test_a_note_is_for_agents_only(desk: TryDesk) -> None:
    desk.opened()
    count = len(desk.to(ACHA))
    desk.reply(desk.last(SALLY, "notification"), SALLY, "#catatan\nSepertinya salah NPSN.")
    assert len(desk.to(ACHA)) == count
    note = next(m for m in desk.ticket()["messages"] if m["kind"] == "note")
    assert note["text"] == "Sepertinya salah NPSN." and note["public"] is False
    assert desk.ticket()["status"] == "queued"


def test_a_colleague_is_told_of_an_answer_on_their_ticket(desk: TryDesk) -> None:
    desk.opened()
    budis = desk.last(BUDI, "notification")
    desk.answered()
    desk.reply(budis, BUDI, "Saya bantu: coba lagi.")
    assert desk.ticket()["agent"] == SALLY and "Saya bantu" in desk.last(ACHA, "answer").text
    assert "Budi" in desk.last(SALLY, "notice").text


def test_a_forward_becomes_the_schools_ticket_once_it_is_confirmed(desk: TryDesk) -> None:
    forwarded = (
        "Tolong dibantu\n\n---------- Forwarded message ---------\nDari: Acha <acha@sekolah.example>\n"
        "Date: Sen, 3 Nov 2025 pukul 09.00\nSubject: BKU macet\nTo: <sally@helpdesk.example>\n\n\nBKU kami macet.\n"
    )
    done = desk.write(SALLY, "Fwd: BKU macet", forwarded)
    assert done.outcome == "held" and desk.numbers() == []
    desk.reply(desk.last(SALLY, "notice"), SALLY, "ya")
    shown = desk.ticket()
    assert (shown["requester"]["email"], shown["subject"]) == (ACHA, "BKU macet")
    report = shown["messages"][0]
    assert (report["author"], report["text"]) == (ACHA, "BKU kami macet.")
    assert "Tolong dibantu" not in desk.last(ACHA, "acknowledgement").text
    assert [m["text"] for m in shown["messages"] if m["kind"] == "note"] == ["Tolong dibantu"]
    assert not desk.to(SALLY, "notification") and desk.to(BUDI, "notification")


def test_an_answer_on_a_closed_ticket_is_sent_and_explained(desk: TryDesk) -> None:
    desk.opened()
    note = desk.last(SALLY, "notification")
    desk.reply(note, SALLY, "#selesai\nSudah.")
    desk.reply(note, SALLY, "Satu hal lagi: perbarui aplikasinya.")
    assert "perbarui" in desk.last(ACHA, "answer").text and desk.ticket()["status"] == "closed"
    assert "Kendala masih terjadi" in desk.last(SALLY, "notice").text
    desk.pass_time(days=9)
    assert not desk.to(ACHA, "reminder")


# Status, limits, size


def test_status_for_who_takes_part_and_for_nobody_else(desk: TryDesk) -> None:
    desk.opened(text="Rahasia")
    desk.write(ACHA, "Re: status #12345")
    status = desk.last(ACHA, "status")
    for words in ("NOMOR TIKET", "E-MAIL PELAPOR", "JUDUL LAPORAN", "TANGGAL LAPORAN", "STATUS TIKET", "Dalam Antrean"):
        assert words in status.text
    assert "3 November 2025, 10:00:00 WIB" in status.text
    texts = []
    for number in (12345, 99999):
        desk.write(STRANGER, f"STATUS #{number}")
        mail = desk.last(STRANGER, "status")
        assert mail["X-Mailbot-Ticket"] == "" and "BKU" not in mail.text and ACHA not in mail.text
        texts.append(mail.text.replace(str(number), "N"))
    assert texts[0] == texts[1]  # whether the number exists is not said
    assert len(desk.ticket()["messages"]) == 3 and desk.numbers() == [12345]


def test_a_robot_that_writes_and_writes_meets_silence_and_the_leads_hear_of_it(
    make_desk: Callable[..., TryDesk],
) -> None:
    desk = make_desk(inbound={"max_auto_replies_per_sender": "3/h"})
    for i in range(8):
        desk.opened(subject=f"Laporan {i}")
    assert len(desk.to(ACHA)) == 3 and len(desk.numbers()) == 8
    limits = [m for m in desk.to(BUDI, "notice") if ACHA in m.text]
    assert len(limits) == 1
    desk.answered()
    assert desk.to(ACHA, "answer")  # an agent's words are never held back
    desk.clock.advance(timedelta(hours=1, minutes=1))
    desk.opened(subject="Lagi")
    assert len(desk.to(ACHA, "acknowledgement")) == 4


def test_the_leads_hear_of_a_flood_of_requests_that_belong_to_no_ticket(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(inbound={"max_auto_replies_per_sender": "3/h"})
    for i in range(6):
        desk.write(STRANGER, f"STATUS #{70000 + i}")
    assert len(desk.to(STRANGER, "status")) == 3
    assert len([m for m in desk.to(BUDI, "notice") if STRANGER in m.text]) == 1


def test_too_large_a_mail_is_told_so_and_still_stops_the_timers(make_desk: Callable[..., TryDesk]) -> None:
    desk = make_desk(inbound={"max_size": "20kB"})
    desk.opened()
    answer = desk.answered()
    done = desk.reply(answer, ACHA, "Ini videonya", files=[("video.mp4", bytes(60_000))])
    assert done.outcome == "quarantined"
    assert desk.ticket()["status"] == "in_progress" and desk.ticket()["next_timer"] is None
    assert desk.last(ACHA, "notice") and desk.last(SALLY, "notice")


def test_the_same_mail_twice_is_one(desk: TryDesk) -> None:
    desk.opened()
    raw = (
        b"From: acha@sekolah.example\r\nTo: support@helpdesk.example\r\nSubject: Sekali saja\r\n"
        b"Message-ID: <satu@x>\r\nDate: Mon, 3 Nov 2025 10:00:00 +0700\r\n\r\nHalo\r\n"
    )
    assert desk.feed(raw).outcome == "processed"
    again = desk.feed(b"Received: from a by b; Mon, 3 Nov 2025 10:00:01 +0700\r\n" + raw)
    assert again.outcome == "duplicate" and desk.numbers() == [12345, 12346]
    other = desk.feed(raw.replace(b"Halo", b"Lain sama sekali"))
    assert other.outcome == "processed" and desk.numbers() == [12345, 12346, 12347]


# Threads, addresses, what must not leak


def test_each_persons_mail_is_one_thread(desk: TryDesk) -> None:
    desk.opened()
    answer = desk.answered()
    desk.pass_time(hours=6.1)
    reminder = desk.last(ACHA, "reminder")
    assert reminder["In-Reply-To"] == answer["Message-ID"]
    assert "<1.surat@sekolah.example>" in reminder["References"]
    assert {m["Thread-Topic"] for m in desk.to(ACHA)} == {"#12345 - Tidak bisa tutup BKU"}
    desk.reply(reminder, ACHA, "Ini NPSN-nya")
    first, second = desk.to(SALLY, "notification")
    assert first["Message-ID"] in second["References"]


def test_no_private_address_of_an_agent_and_no_foreign_token_reaches_a_requester(
    make_desk: Callable[..., TryDesk],
) -> None:
    agents = [
        {"name": "Sally", "email": SALLY, "aliases": ["sally.pribadi@rumah.example"]},
        {"name": "Budi", "email": BUDI},
    ]
    desk = make_desk(agents=agents)
    desk.opened()
    note = desk.last(SALLY, "notification")
    token = note["Reply-To"].split("<")[1].rstrip(">")
    desk.reply(note, "sally.pribadi@rumah.example", f"Balas saja ke {token} ya")
    answer = desk.last(ACHA, "answer")
    everything = answer.raw.decode() + answer.text
    assert token not in everything and "pribadi" not in everything and SALLY not in everything
    assert f"Balas saja ke {ADDRESS} ya" in answer.text


def test_a_retry_repeats_the_message_id(desk: TryDesk) -> None:
    seen: list[str] = []

    def once_later(mail: Sent) -> Accepted | Deferred:
        seen.append(mail["Message-ID"])
        return Deferred(451, "greylisted", False) if len(seen) == 1 else Accepted("ok")

    desk.verdict = once_later
    desk.write(ACHA, "Halo", "Isi", cc="")
    desk.pass_time(minutes=2)
    assert seen.count(seen[0]) == 2


def test_a_mail_that_breaks_us_is_quarantined_and_the_next_one_lives(
    make_desk: Callable[..., TryDesk], tmp_path: Path
) -> None:
    mine = tmp_path / "templates" / "requester"
    mine.mkdir(parents=True)
    template = mine / "acknowledgement.id.txt.j2"
    template.write_text("{% if 'racun' in ticket.subject %}{{ 1 // 0 }}{% endif %}#{{ ticket.number }}")
    desk = make_desk(helpdesk={"templates_dir": str(tmp_path / "templates")})
    assert desk.write(ACHA, "racun", "x").outcome == "quarantined"
    assert desk.write(ACHA, "biasa", "x").outcome == "processed"
    [held] = desk.quarantine()
    assert "acknowledgement.id.txt.j2" in held.as_json()["reason"]
    assert desk.numbers() in ([12345], [12346])  # on PostgreSQL the number of what was rolled back stays unused
    template.write_text("#{{ ticket.number }}")
    desk.desk.configure(desk.settings)
    desk.desk.helpdesk.release([held.as_json()["id"]])
    desk.deliver()
    assert len(desk.numbers()) == 2 and desk.quarantine() == []
