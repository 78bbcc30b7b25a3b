"""Several mailboxes of one desk: addresses, programs and their agents, and one that fails while the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailbot.mail.fetched import FetchedMail
from tests.support.dovecot import Dovecot
from tests.support.loopback import until
from tests.support.people import (
    ACHA,
    ADDRESS,
    BUDI,
    SALLY,
    WIRE,
    TryDesk,
)
from tests.support.running_desk import RunningDesk
from tests.support.smtp_sink import Sink

DAPODIK = "dapodik@helpdesk.example"
DEWI = "dewi@helpdesk.example"
EKO = "eko@helpdesk.example"
BOXES = [
    {"name": "bosp", "username": "support"},
    {"name": "dapodik", "username": "dapodik", "address": DAPODIK, "program": "Dapodik"},
]
AGENTS = [
    {"name": "Sally", "email": SALLY, "role": "lead"},
    {"name": "Dewi", "email": DEWI, "programs": ["dapodik"]},
    {"name": "Eko", "email": EKO, "programs": ["Dapodik"]},
]


class TwoBoxes(TryDesk):
    """A desk of two mailboxes, fed where their readers would feed it."""

    _uid = 0

    def arrives(self, box: int, sender: str, subject: str, to: str, text: str = "Isi.", **headers: str) -> int | None:
        TwoBoxes._uid += 1
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        mail["Message-ID"] = f"<{TwoBoxes._uid}.box@sekolah.example>"
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        raw = mail.as_bytes(policy=WIRE)
        place = self.settings.mailboxes[box].folder_id
        ids = self.desk.helpdesk.receive(place, [FetchedMail(1, TwoBoxes._uid, raw, len(raw), None, False)])
        [done] = self.desk.helpdesk.process(ids)
        self.deliver()
        return done.number


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TwoBoxes]:
    opened = TwoBoxes(tmp_path / "desk", agents=AGENTS, mailbox=BOXES, agent_mail={"notify": "round_robin"})
    yield opened
    opened.close()


def test_a_ticket_has_the_program_of_its_mailbox_and_writes_from_its_address(desk: TwoBoxes) -> None:
    number = desk.arrives(1, ACHA, "Sinkron gagal", DAPODIK)
    assert number is not None and desk.ticket(number)["program"] == "Dapodik"
    acknowledgement = desk.last(ACHA, "acknowledgement")
    assert DAPODIK in acknowledgement["From"]
    assert "<dapodik+r0" in acknowledgement["Reply-To"]
    assert acknowledgement.envelope_from.startswith("dapodik+b0")
    assert DAPODIK in desk.last(DEWI, "notification")["From"]
    other = desk.arrives(0, ACHA, "BKU", ADDRESS)
    assert other is not None and not desk.ticket(other)["program"]
    assert ADDRESS in desk.last(ACHA, "acknowledgement")["From"]


def test_an_agent_who_was_added_by_command_has_programs_too(desk: TwoBoxes) -> None:
    desk.desk.helpdesk.add_agent("fitri@helpdesk.example", "Fitri", programs=("ARKAS",))
    for count in range(4):
        desk.arrives(1, f"guru{count}@sekolah.example", "Sinkron gagal", DAPODIK)
        desk.arrives(0, f"guru{count}@sekolah.example", "BKU", ADDRESS)
    assert desk.to("fitri@helpdesk.example", "notification") == []


def test_a_program_is_told_to_its_agents_in_turn_and_the_rest_to_those_without_one(desk: TwoBoxes) -> None:
    for count in range(4):
        desk.arrives(1, f"guru{count}@sekolah.example", "Sinkron gagal", DAPODIK)
        desk.arrives(0, f"guru{count}@sekolah.example", "BKU", ADDRESS)
    told = {agent: len(desk.to(agent, "notification")) for agent in (SALLY, DEWI, EKO)}
    assert told == {SALLY: 4, DEWI: 2, EKO: 2}


def test_a_batch_of_new_tickets_goes_round_too(tmp_path: Path) -> None:
    desk = TwoBoxes(tmp_path / "desk", agent_mail={"notify": "round_robin"})
    arrivals = []
    for count in range(6):
        raw = f"From: guru{count}@sekolah.example\r\nTo: {ADDRESS}\r\nSubject: Lapor\r\n\r\nIsi {count}\r\n".encode()
        arrivals.append(FetchedMail(1, count + 1, raw, len(raw), None, False))
    desk.desk.helpdesk.process(desk.desk.helpdesk.receive("kotak", arrivals))
    desk.deliver()
    assert [len(desk.to(agent, "notification")) for agent in (SALLY, BUDI)] == [3, 3]
    desk.close()


def test_a_reply_at_another_mailbox_finds_its_ticket(desk: TwoBoxes) -> None:
    number = desk.arrives(1, ACHA, "Sinkron gagal", DAPODIK)
    acknowledgement = desk.last(ACHA, "acknowledgement")
    found = desk.arrives(
        0,
        ACHA,
        f"Re: {acknowledgement['Subject']}",
        ADDRESS,
        "Sudah dicoba.",
        In_Reply_To=acknowledgement["Message-ID"],
    )
    assert found == number
    assert DAPODIK in desk.last(DEWI, "notification")["From"]  # it stays the ticket of its mailbox


def test_each_address_of_the_desk_is_its_own(desk: TwoBoxes) -> None:
    desk.arrives(0, DAPODIK, "Lapor", ADDRESS)  # from another mailbox of ours: nothing comes of it
    assert desk.numbers() == [] and not desk.sent
    number = desk.arrives(0, ACHA, "Lapor", f"{ADDRESS}, {DAPODIK}")
    assert number is not None and desk.ticket(number)["participants"] == []


def test_timers_wait_for_the_inbox_of_their_own_ticket(desk: TwoBoxes) -> None:
    first, second = (desk.desk.store.mailbox_id(box.folder_id) for box in desk.settings.mailboxes)
    for box, to, agent in ((0, ADDRESS, SALLY), (1, DAPODIK, DEWI)):
        desk.arrives(box, ACHA, f"Lapor {box}", to)
        desk.reply(desk.last(agent, "notification"), agent, "Mohon NPSN.")
    desk.clock.advance(timedelta(hours=7))
    helpdesk = desk.desk.helpdesk
    assert helpdesk.fire_due_timers({}) == 0
    assert helpdesk.fire_due_timers({second: desk.clock.now() - timedelta(hours=2)}) == 0  # read before it was due
    assert helpdesk.fire_due_timers({second: desk.clock.now()}) == 1
    desk.deliver()
    assert [DAPODIK in mail["From"] for mail in desk.to(ACHA, "reminder")] == [True]
    assert helpdesk.fire_due_timers({first: desk.clock.now(), second: desk.clock.now()}) == 1


# The daemon


SEVERAL = f"""
[[mailbox]]
name = "bosp"
[[mailbox]]
name = "broken"
username = "nobody"
password = "not the password"
[[mailbox]]
name = "dapodik"
username = "dapodik"
address = "{DAPODIK}"
program = "Dapodik"
"""


@pytest.mark.dovecot
def test_one_broken_mailbox_does_not_stop_the_others(tmp_path: Path, dovecot: Dovecot) -> None:
    with Sink() as sink, RunningDesk(tmp_path, dovecot, sink, more=SEVERAL) as desk:
        desk.logged("[[mailbox]] broken")
        desk.write(ACHA, "BKU")
        dovecot.append("dapodik", f"From: {ACHA}\r\nTo: {DAPODIK}\r\nSubject: Sinkron\r\n\r\nGagal.\r\n".encode())
        desk.wait_for(ACHA, "acknowledgement", nth=2)
        senders = {mail["From"].rpartition("<")[2].rstrip(">") for mail in desk.to(ACHA, "acknowledgement")}
        assert senders == {ADDRESS, DAPODIK}
        desk.inbox_is_empty()
        until(lambda: dovecot.count("dapodik") == 0, 10, "the second inbox is worked off")
        said = desk.cli("check", check=False)
        assert "[[mailbox]] dapodik): logged in" in " ".join(said.split())
        assert desk.stop() == 0
