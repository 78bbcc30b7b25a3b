"""The leads' daily list of the quarantine, and what their answers do; on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailbot.daemon.scheduler import Scheduler
from mailbot.desk.helpdesk import Ingested
from mailbot.desk.outbound.quarantine_report import LISTED
from mailbot.mail import analysis
from mailbot.mail.classify.rules import classify
from mailbot.mail.message import InboundMessage
from mailbot.store.privacy.erasure import erase_requester
from mailbot.store.tables import AUDIT, OUTBOX
from mailbot.store.unit_of_work import UnitOfWorkFactory
from tests.support.people import (
    ACHA,
    ADDRESS,
    BUDI,
    SALLY,
    Sent,
    TryDesk,
)

RINA = "rina@helpdesk.example"
AGENTS = [
    {"name": "Sally", "email": SALLY},
    {"name": "Budi", "email": BUDI, "role": "lead"},
    {"name": "Rina", "email": RINA, "role": "lead", "aliases": ["rina.pribadi@rumah.example"]},
]
SPAM = {"X-Spam-Flag": "YES"}
MakeDesk = Callable[..., TryDesk]


@pytest.fixture
def make_desk(store_url: str, tmp_path: Path) -> Iterator[MakeDesk]:
    made: list[TryDesk] = []

    def make(**more: Any) -> TryDesk:
        url = "" if store_url.startswith("sqlite") else store_url
        made.append(TryDesk(tmp_path, url, **({"agents": AGENTS} | more)))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


@pytest.fixture
def desk(make_desk: MakeDesk) -> TryDesk:
    return make_desk()


def hold(desk: TryDesk, *subjects: str) -> list[int]:
    """Mail that is held, the first of them last in the list."""
    return [desk.write(ACHA, s, f"Isi {s}", headers=SPAM, deliver=False).inbound_id for s in subjects]


def tomorrow(desk: TryDesk) -> bool:
    """The next day at ten; did the bell send something?"""
    desk.pass_time(hours=24)
    rung = desk.desk.helpdesk.send_quarantine_list()
    desk.deliver()
    return rung


def told(desk: TryDesk, lead: str = BUDI) -> Sent:
    return [m for m in desk.to(lead, "notice") if "karantina" in m["Subject"]][-1]


def states(desk: TryDesk, ids: list[int]) -> list[str]:
    with UnitOfWorkFactory(desk.desk.store).reading() as work:
        rows = {row.id: row.state for row in work.inbound(ids)}
    return [rows[i] for i in ids]


def audited(desk: TryDesk) -> list[tuple[str, str]]:
    with desk.desk.store.reading() as connection:
        return [(row.actor, row.action) for row in connection.execute(AUDIT.select().order_by(AUDIT.c.id))]


def test_once_a_day_after_the_opening_to_every_lead_and_to_nobody_else(desk: TryDesk) -> None:
    hold(desk, "Menang undian")
    assert not desk.desk.helpdesk.send_quarantine_list()  # held today: the next opening's matter
    desk.pass_time(hours=20)  # Tuesday, 06:00
    assert not desk.desk.helpdesk.send_quarantine_list()
    desk.pass_time(hours=3)
    assert desk.desk.helpdesk.send_quarantine_list() and not desk.desk.helpdesk.send_quarantine_list()
    desk.deliver()
    assert [len(desk.to(a, "notice")) for a in (SALLY, BUDI, RINA)] == [0, 1, 1]
    mail = told(desk)
    assert "[1] Menang undian" in mail.text and ACHA in mail.text and "spam" in mail.text
    assert mail["Auto-Submitted"] == "auto-generated" and mail["X-Mailbot-Kind"] == "notice"
    assert mail["Reply-To"] != told(desk, RINA)["Reply-To"] and "+q0" in mail["Reply-To"]
    assert tomorrow(desk) and tomorrow(desk)  # it waits still
    desk.pass_time(hours=48)  # Saturday
    assert not desk.desk.helpdesk.send_quarantine_list()
    desk.pass_time(hours=24 * 2)
    assert desk.desk.helpdesk.send_quarantine_list()
    desk.desk.helpdesk.discard([held.id for held in desk.quarantine()])
    assert not tomorrow(desk)  # nothing is held


def test_released_and_dropped_by_a_reply(desk: TryDesk) -> None:
    ids = hold(desk, "tiga", "dua", "satu")
    tomorrow(desk)
    list_mail = told(desk)
    assert list_mail.text.index("[1] satu") < list_mail.text.index("[3] tiga")
    done = desk.reply(list_mail, BUDI, "lepas 3\nhapus 1, 2\n\nTerima kasih\nBudi")
    assert done.outcome == "processed" and done.ticket is None
    assert states(desk, ids) == ["processed", "discarded", "discarded"] and desk.numbers() == [12345]
    assert desk.ticket()["subject"] == "tiga" and desk.ticket()["requester"]["email"] == ACHA
    assert len(desk.to(ACHA, "acknowledgement")) == 1
    result = told(desk)
    assert result["Auto-Submitted"] == "auto-replied" and result["X-Mailbot-Kind"] == "notice"
    assert "sudah dilepas: tiket #12345" in result.text and result.text.count("sudah dihapus dari daftar") == 2
    assert result["In-Reply-To"] != list_mail["Message-ID"] and not desk.quarantine()
    assert (BUDI, "quarantine release") in audited(desk) and audited(desk).count((BUDI, "quarantine discard")) == 2
    assert [m for m in desk.to(RINA, "notice") if "hasil" in m["Subject"]] == []


def test_numbers_are_those_of_the_list_that_was_answered(desk: TryDesk) -> None:
    old, *_ = hold(desk, "lama")
    tomorrow(desk)
    first = told(desk)
    new, *_ = hold(desk, "baru")
    tomorrow(desk)
    assert "[1] baru" in told(desk).text and "[2] lama" in told(desk).text
    desk.reply(first, BUDI, "hapus 1")
    assert states(desk, [old, new]) == ["discarded", "quarantined"]
    desk.reply(told(desk, RINA), RINA, "hapus 2\nlepas 1")
    assert "sudah dihapus sebelumnya" in told(desk, RINA).text and states(desk, [new]) == ["processed"]
    desk.reply(first, BUDI, "lepas 1")  # dropped: it stays so
    assert "sudah dihapus sebelumnya" in told(desk).text and states(desk, [old]) == ["discarded"]


def test_nothing_is_done_where_one_order_is_wrong_and_the_answer_can_be_corrected(desk: TryDesk) -> None:
    ids = hold(desk, "b", "a")
    tomorrow(desk)
    for text, words in (
        ("lepas 1\nhapus 7", "Nomor ini tidak ada"),
        ("lepas 1\nhapus 1", "dua perintah"),
        ("hpaus 1", "tidak dikenal"),
        ("Halo, siapa ini?", "Tidak ada perintah"),
        ("", "Tidak ada perintah"),
        ("lepas 1\nlalu\nhapus 2", "paling atas"),
    ):
        desk.reply(told(desk), BUDI, text)
        assert words in told(desk).text and "tidak ada yang diubah" in told(desk).text, text
        assert states(desk, ids) == ["quarantined"] * 2
    desk.reply(told(desk), BUDI, "hapus semua")  # an answer to the refusal: the same list
    assert states(desk, ids) == ["discarded"] * 2 and desk.numbers() == []


def test_a_mail_of_which_only_the_header_is_here_can_not_be_released(make_desk: MakeDesk) -> None:
    desk = make_desk(inbound={"max_size": "20KB"})
    large = desk.write(ACHA, "besar", "x" * 30_000).inbound_id
    small, *_ = hold(desk, "kecil")
    tomorrow(desk)
    assert "folder karantina" in told(desk).text
    notices = len(desk.to(ACHA))
    desk.reply(told(desk), BUDI, "lepas 1-2")
    assert "tidak dapat dilepas" in told(desk).text and states(desk, [large, small]) == ["quarantined"] * 2
    desk.reply(told(desk), BUDI, "lepas semua")
    assert "tetap tertahan" in told(desk).text and states(desk, [large, small]) == ["quarantined", "processed"]
    assert len(desk.to(ACHA)) == notices + 1  # the small one's acknowledgement, no second mail about the large one


# Who may


def answers(desk: TryDesk, sender: str, **how: Any) -> Ingested:
    return desk.reply(told(desk), sender, "lepas semua", **how)


def test_a_from_alone_does_nothing(desk: TryDesk) -> None:
    ids = hold(desk, "a")
    tomorrow(desk)
    forged = desk.write(BUDI, "Re: karantina", "lepas semua")
    assert forged.outcome == "held" and states(desk, ids) == ["quarantined"]
    assert answers(desk, BUDI, reply_to=ADDRESS, references=False).outcome == "held"
    wrong = told(desk)["Reply-To"].replace("+q0b0", "+q0c0")
    assert answers(desk, BUDI, reply_to=wrong, references=False).outcome in ("held", "processed")
    assert states(desk, ids) == ["quarantined"]


def test_a_token_in_other_hands_does_nothing(desk: TryDesk) -> None:
    ids = hold(desk, "a")
    tomorrow(desk)
    assert answers(desk, "orang@asing.example").ticket == 12345  # a stranger's mail is a report, no order
    assert answers(desk, SALLY).outcome == "held"  # passed on to a plain agent, whom it was not signed for
    assert answers(desk, RINA).outcome == "held"  # another lead's list: hers was signed for her
    assert states(desk, ids) == ["quarantined"]


def test_an_agent_who_is_no_lead_is_refused(make_desk: MakeDesk) -> None:
    desk = make_desk(
        agent_mail={"trust": "either"}, inbound={"trusted_authserv_ids": ["mx.helpdesk.example"]},
    )  # fmt: skip
    ids = hold(desk, "a")
    tomorrow(desk)
    proven = {"Authentication-Results": "mx.helpdesk.example; dmarc=pass header.from=helpdesk.example"}
    for sender, words in ((SALLY, "Hanya koordinator"), (RINA, "bukan daftar yang dikirim kepada Anda")):
        mail = told(desk)
        headers = proven | {"In-Reply-To": mail["Message-ID"]}
        text = "lepas semua\n"
        desk.write(sender, "Re: karantina", text, to=mail["Reply-To"], headers=headers)
        assert words in told(desk, sender).text and states(desk, ids) == ["quarantined"]


def test_who_leaves_or_is_no_lead_any_more_can_do_nothing(desk: TryDesk) -> None:
    desk.desk.helpdesk.add_agent("tono@helpdesk.example", "Tono", "lead")
    ids = hold(desk, "a")
    tomorrow(desk)
    mail = told(desk, "tono@helpdesk.example")
    desk.desk.helpdesk.remove_agent("tono@helpdesk.example")
    desk.reply(mail, "tono@helpdesk.example", "lepas semua")
    assert states(desk, ids) == ["quarantined"]
    desk.desk.helpdesk.add_agent("tono@helpdesk.example", "Tono", "agent")
    assert desk.reply(mail, "tono@helpdesk.example", "lepas semua").outcome == "held"
    hers = told(desk, RINA)
    agents = tuple(a.model_copy(update={"role": "agent"}) if a.email == RINA else a for a in desk.settings.agents)
    desk.desk.configure(desk.settings.model_copy(update={"agents": agents}))
    desk.reply(hers, RINA, "lepas semua")
    assert "Hanya koordinator" in told(desk, RINA).text and states(desk, ids) == ["quarantined"]


@pytest.mark.parametrize(
    ("trust", "by_token", "by_dmarc", "works"),
    [
        ("token", True, False, True), ("token", False, True, False),
        ("dmarc", True, False, False), ("dmarc", True, True, True),
        ("either", True, False, True), ("both", True, False, False), ("both", True, True, True),
    ],
)  # fmt: skip
def test_the_modes_of_trust(make_desk: MakeDesk, trust: str, by_token: bool, by_dmarc: bool, works: bool) -> None:
    desk = make_desk(agent_mail={"trust": trust}, inbound={"trusted_authserv_ids": ["mx.helpdesk.example"]})
    ids = hold(desk, "a")
    tomorrow(desk)
    headers = {"Authentication-Results": "mx.helpdesk.example; dmarc=pass header.from=helpdesk.example"}
    how: dict[str, Any] = {} if by_token else {"reply_to": ADDRESS, "references": False}
    answers(desk, BUDI, headers=headers if by_dmarc else {}, **how)
    assert states(desk, ids) == ["processed" if works else "quarantined"]


def test_a_confirmed_answer_and_an_alias_count(make_desk: MakeDesk) -> None:
    desk = make_desk(agent_mail={"trust": "both"}, inbound={"trusted_authserv_ids": ["mx.helpdesk.example"]})
    ids = hold(desk, "a")
    tomorrow(desk)
    mail = told(desk, RINA)
    assert desk.reply(mail, "rina.pribadi@rumah.example", "lepas 1").outcome == "held"
    proven = {"Authentication-Results": "mx.helpdesk.example; dmarc=pass header.from=helpdesk.example"}
    desk.reply(desk.last(RINA, "notice"), RINA, "ya", headers=proven)
    assert states(desk, ids) == ["processed"] and (RINA, "quarantine release") in audited(desk)


def test_without_plus_addresses_the_message_id_carries_the_token(make_desk: MakeDesk) -> None:
    desk = make_desk(helpdesk={"plus_addressing": False})
    ids = hold(desk, "a")
    tomorrow(desk)
    assert f"<{ADDRESS}>" in told(desk)["Reply-To"]
    desk.reply(told(desk), BUDI, "lepas 1", reply_to=ADDRESS)
    assert states(desk, ids) == ["processed"]


def test_an_absent_leads_robot_gives_no_order_and_is_not_held(desk: TryDesk) -> None:
    ids = hold(desk, "a")
    tomorrow(desk)
    desk.reply(told(desk), BUDI, "lepas semua", headers={"Auto-Submitted": "auto-replied"})
    assert states(desk, ids) == ["quarantined"] and len(desk.quarantine()) == 1


# What is in it


def test_an_unproven_agents_mail_can_be_let_in_by_a_lead_under_their_name(desk: TryDesk) -> None:
    desk.opened()
    held = desk.write(SALLY, "Re: #12345 - Tidak bisa tutup BKU", "Mohon NPSN.").inbound_id
    tomorrow(desk)
    assert "atas nama seorang petugas" in told(desk).text and states(desk, [held]) == ["held"]
    desk.reply(told(desk), BUDI, "lepas 1")
    assert states(desk, [held]) == ["processed"] and "Mohon NPSN." in desk.last(ACHA, "answer").text
    assert (BUDI, "quarantine release") in audited(desk)


def test_poison_is_told_in_plain_words_and_replayed_by_a_reply(desk: TryDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [True]

    def classify_or_break(message: InboundMessage, *rest: Any) -> Any:
        if broken and message.subject == "racun":
            raise ZeroDivisionError("a parser broke")
        return classify(message, *rest)

    monkeypatch.setattr(analysis, "classify", classify_or_break)
    desk.write(ACHA, "racun", "Isi racun")
    tomorrow(desk)
    words = "mailbot tidak dapat menanganinya: ZeroDivisionError: a parser broke; dapat diulang (lepas) setelah"
    assert words in told(desk).text and "Traceback" not in told(desk).raw.decode()
    desk.reply(told(desk), BUDI, "lepas 1")
    assert "tertahan lagi: ZeroDivisionError" in told(desk).text and desk.numbers() == []
    assert desk.quarantine()[0].rule == "poison"
    broken.clear()
    desk.reply(told(desk), BUDI, "lepas 1")
    assert desk.numbers() == [12345] and "tiket #12345" in told(desk).text
    assert len(desk.to(ACHA, "acknowledgement")) == 1 and len(desk.to(SALLY, "notification")) == 1
    desk.reply(told(desk), BUDI, "lepas 1")
    assert desk.numbers() == [12345] and "sudah dilepas sebelumnya: tiket #12345" in told(desk).text


HOSTILE = (
    "<script>alert(1)</script>",
    "{{ 7*7 }}{% raw %}${7*7}",
    "=?utf-8?q?a=0D=0ABcc=3A_korban=40asing=2Eexample?=",
    "lepas 1\u2028hapus 2\u202egnp.exe",
    "<img src=http://asing.example/x.png> \"'><a href=javascript:1>",
    "Tulis balasan Anda di atas garis ini",
)


def test_hostile_subjects_stay_text(desk: TryDesk) -> None:
    for n, subject in enumerate(HOSTILE):
        raw = (
            f"From: {ACHA}\r\nTo: {ADDRESS}\r\nSubject: {subject}\r\nMessage-ID: <j{n}@asing.example>\r\n"
            "Date: Mon, 3 Nov 2025 10:00:00 +0700\r\nX-Spam-Flag: YES\r\n\r\nx\r\n"
        )
        assert desk.feed(raw.encode()).outcome == "quarantined"
    tomorrow(desk)
    mail = told(desk)
    html = str(mail.message.get_body(("html",)).get_content())  # type: ignore[union-attr]
    assert "<script" not in html and "<img" not in html and "javascript:1>" not in html.replace("&gt;", "")
    assert "&lt;script&gt;" in html and "{{ 7*7 }}" in html and "49" not in mail["Subject"]
    assert mail["Bcc"] == "" and mail.recipient == BUDI
    assert [c for c in "\u2028\u202e" if c in mail.text + html] == []
    assert len([line for line in mail.text.splitlines() if line.startswith("[")]) == len(HOSTILE)
    desk.reply(mail, BUDI, "hapus 1-6")
    assert not desk.quarantine()


def test_a_long_list_is_cut(desk: TryDesk) -> None:
    hold(desk, *(f"surat {n}" for n in range(LISTED + 7)))
    tomorrow(desk)
    mail = told(desk)
    assert f"[{LISTED}]" in mail.text and f"[{LISTED + 1}]" not in mail.text
    assert "Dan 7 lagi" in mail.text and "mailbot quarantine list" in mail.text
    assert f"{LISTED + 7} email" in mail["Subject"] and len(mail.raw) < 100_000
    desk.reply(mail, BUDI, "hapus semua")
    assert len(desk.quarantine()) == 7


def test_erasing_a_person_takes_them_out_of_the_lists(desk: TryDesk) -> None:
    hold(desk, "rahasia")
    tomorrow(desk)
    desk.reply(told(desk), BUDI, "lepas 1")
    erase_requester(desk.desk.store, ACHA, now=desk.clock.now(), actor="admin")
    with desk.desk.store.reading() as connection:
        left = [row for row in connection.execute(OUTBOX.select()) if ACHA in row.text or "rahasia" in row.text]
    assert left == []


def test_the_bell_rings_and_the_mail_may_go(make_desk: MakeDesk) -> None:
    desk = make_desk()
    hold(desk, "a")
    desk.pass_time(hours=24)
    woken: list[bool] = []
    scheduler = Scheduler(desk.desk, lambda seconds: True, lambda: woken.append(True), threading.Event())
    scheduler._send_quarantine_list()
    scheduler._send_quarantine_list()
    assert woken == [True] and [m.recipient for m in desk.outbox()] == [BUDI, RINA]


def test_letting_spam_in_does_not_say_that_an_agent_wrote_it(desk: TryDesk) -> None:
    desk.opened()
    forged = desk.write(SALLY, "Re: #12345 - Tidak bisa tutup BKU", "#selesai", headers=SPAM).inbound_id
    tomorrow(desk)
    desk.reply(told(desk), BUDI, "lepas 1")
    assert "tertahan lagi: not proven to be from" in told(desk).text and states(desk, [forged]) == ["held"]
    assert desk.ticket()["status"] == "queued"
    desk.reply(told(desk), BUDI, "lepas 1")  # now it is known for what it is
    assert desk.ticket()["status"] == "closed"
