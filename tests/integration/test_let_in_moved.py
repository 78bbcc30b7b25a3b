"""A mail that is let out of quarantine leaves the quarantine folder too: a whole desk at a real Dovecot."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailbot.daemon.inbox_reader import InboxReader
from mailbot.store.tables import ASTRAY, INBOUND
from mailbot.transport.imap.idle import WakeUp
from mailbot.transport.imap.mailbox import Mailbox
from tests.support.dovecot import FULL_CAPABILITY, Dovecot
from tests.support.people import (
    ACHA,
    ADDRESS,
    BUDI,
    SALLY,
    TryDesk,
)
from tests.support.settings import imap_settings

pytestmark = pytest.mark.dovecot

PROCESSED, QUARANTINE = "Mailbot/Processed", "Mailbot/Quarantine"
_users = itertools.count(1)


@pytest.fixture(scope="module", params=["MOVE", "COPY alone"])
def dovecot(request: pytest.FixtureRequest, server_home: Callable[[], Path]) -> Iterator[Dovecot]:
    without = FULL_CAPABILITY.replace(" UIDPLUS", "").replace(" MOVE", "").replace(" ESEARCH", "")
    with Dovecot(server_home(), capability="" if request.param == "MOVE" else without) as server:
        yield server


class Reading:
    """A desk in this process that reads a folder of a real server."""

    def __init__(self, server: Dovecot, folder: Path, url: str) -> None:
        self.server, self.user = server, f"letin{next(_users)}"
        self.people = TryDesk(folder, url)
        self.mailbox = Mailbox(imap_settings(server.port, self.user), max_size=1_000_000, timeout=20)
        self.mailbox.open()
        place = self.people.settings.mailboxes[0].folder_id
        self.reader = InboxReader(self.people.desk.helpdesk, self.mailbox, place)

    def arrives(self, subject: str, sender: str = ACHA, *, spam: bool = True, message_id: bool = True) -> bytes:
        lines = [f"From: {sender}", f"To: {ADDRESS}", f"Subject: {subject}", "Date: Mon, 3 Nov 2025 09:00:00 +0700"]
        lines += [f"Message-ID: <{subject}.letin@sekolah.example>"] if message_id else []
        lines += ["X-Spam-Flag: YES"] if spam else []
        raw = ("\r\n".join(lines) + f"\r\n\r\nIsi {subject}.\r\n").encode()
        self.server.append(self.user, raw)
        return raw

    def read(self) -> None:
        self.reader.read()
        self.people.deliver()

    def held(self) -> list[int]:
        return sorted(held.id for held in self.people.quarantine())

    def folders(self) -> tuple[int, list[bytes], list[bytes]]:
        """The inbox's count, what is in the processed and what in the quarantine folder."""
        processed, quarantine = (
            sorted(self.server.mails(self.user, name)) if self.server.count(self.user, name) > 0 else []
            for name in (PROCESSED, QUARANTINE)
        )
        return self.server.count(self.user), processed, quarantine

    def astray(self) -> list[int]:
        with self.people.desk.store.reading() as connection:
            return [row.inbound_id for row in connection.execute(ASTRAY.select())]

    def is_filed(self, inbound_id: int) -> bool:
        with self.people.desk.store.reading() as connection:
            return bool(connection.execute(INBOUND.select().where(INBOUND.c.id == inbound_id)).one().filed)


@pytest.fixture
def desk(dovecot: Dovecot, store_url: str, tmp_path: Path) -> Iterator[Reading]:
    opened = Reading(dovecot, tmp_path / "desk", "" if store_url.startswith("sqlite") else store_url)
    yield opened
    opened.mailbox.close()
    opened.people.close()


def test_released_mail_goes_to_the_processed_folder_and_dropped_mail_stays(desk: Reading) -> None:
    # of one size, so that only their words tell them apart; one of them without a Message-ID
    one, two, three = desk.arrives("satu"), desk.arrives("dua1"), desk.arrives("tiga", message_id=False)
    desk.read()
    assert desk.folders() == (0, [], sorted([one, two, three]))
    first, second, third = desk.held()
    desk.people.desk.helpdesk.release([first, third])
    desk.people.desk.helpdesk.discard([second])
    assert desk.astray() == [first, third]
    desk.read()
    assert desk.folders() == (0, sorted([one, three]), [two])
    assert desk.astray() == [] and desk.is_filed(first)
    desk.read()
    assert desk.folders() == (0, sorted([one, three]), [two]) and len(desk.people.numbers()) == 2


def test_a_lead_lets_it_in_and_an_agent_confirms(desk: Reading) -> None:
    letter = desk.arrives("surat")
    answer = desk.arrives("catatan", SALLY, spam=False)  # nothing proves that she wrote it
    desk.read()
    assert desk.folders() == (0, [], sorted([letter, answer]))
    people = desk.people
    people.pass_time(hours=24)
    assert people.desk.helpdesk.send_quarantine_list()
    people.deliver()
    listed = [mail for mail in people.to(BUDI, "notice") if "karantina" in mail["Subject"]][-1]
    number = 1 if listed.text.index("surat") < listed.text.index("catatan") else 2
    people.reply(listed, BUDI, f"lepas {number}")
    people.reply(people.to(SALLY, "notice")[-1], SALLY, "Ya, benar.")
    desk.read()
    assert desk.folders() == (0, sorted([letter, answer]), [])


def test_twins_and_neighbours_stay_where_they_are(desk: Reading) -> None:
    """The same mail lies there twice, as a person may have copied it, and another of the same size."""
    wanted, neighbour = desk.arrives("satu"), desk.arrives("dua1")
    desk.read()
    desk.server.append(desk.user, wanted, folder=QUARANTINE)
    desk.people.desk.helpdesk.release(desk.held()[:1])
    desk.read()
    assert desk.folders() == (0, [wanted], sorted([wanted, neighbour]))


def test_what_is_not_there_any_more_is_said_once(desk: Reading, caplog: pytest.LogCaptureFixture) -> None:
    desk.arrives("satu")
    desk.read()
    [held] = desk.held()
    with desk.server.client(desk.user, QUARANTINE) as other:
        other.store("1", "+FLAGS", "(\\Deleted)")
        other.expunge()
    desk.people.desk.helpdesk.release([held])
    caplog.set_level(logging.INFO)
    desk.read()
    desk.read()
    assert sum(f"mail {held} was released, but" in line for line in caplog.messages) == 1
    assert desk.folders() == (0, [], []) and desk.astray() == [] and desk.people.numbers() == [12345]


def test_a_folder_that_was_deleted_and_mail_that_came_meanwhile(desk: Reading) -> None:
    desk.arrives("satu")
    desk.read()
    with desk.server.client(desk.user) as other:
        other.delete(f'"{QUARANTINE}"')
    assert desk.server.count(desk.user, QUARANTINE) == -1
    desk.people.desk.helpdesk.release(desk.held())
    after = desk.arrives("dua1", spam=False)
    desk.read()
    assert desk.astray() == [] and len(desk.people.numbers()) == 2
    assert desk.folders()[:2] == (0, [after])


def test_released_before_it_was_filed(desk: Reading) -> None:
    """The reader dies between the commit and MOVE; the mail lies in the inbox still when it is let in."""
    letter = desk.arrives("satu")
    validity, uids = desk.mailbox.uids()
    [[arrival]] = list(desk.mailbox.fetch(uids))
    helpdesk = desk.people.desk.helpdesk
    helpdesk.process(helpdesk.receive(desk.reader._folder.place, [arrival]))
    helpdesk.release(desk.held())
    assert validity == arrival.uidvalidity and desk.astray()
    desk.read()
    desk.read()
    assert desk.folders() == (0, [letter], []) and desk.astray() == []


@pytest.mark.parametrize("dovecot", ["COPY alone"], indirect=True)
def test_a_kill_after_the_copy_makes_no_second_one(desk: Reading) -> None:
    letter = desk.arrives("satu")
    desk.read()
    desk.people.desk.helpdesk.release(desk.held())
    with desk.server.client(desk.user, QUARANTINE) as predecessor:  # what is left of a COPY without EXPUNGE
        predecessor.uid("COPY", "1", f'"{PROCESSED}"')
    desk.read()
    assert desk.folders() == (0, [letter], [])


def test_mail_that_comes_while_another_folder_is_open_is_noticed_at_once(desk: Reading) -> None:
    desk.arrives("satu")
    desk.read()
    desk.people.desk.helpdesk.release(desk.held())
    waiting = desk.people.desk.helpdesk.misfiled(desk.reader._folder.place)
    desk.mailbox.uids()
    desk.arrives("dua1", spam=False)
    assert desk.mailbox.retrieve(waiting) == {waiting[0].inbound_id}
    assert desk.mailbox.wait(20, WakeUp()) is True


def test_a_server_that_refuses_is_asked_again_at_the_next_turn(desk: Reading) -> None:
    letter = desk.arrives("satu")
    desk.read()
    desk.people.desk.helpdesk.release(desk.held())
    folder = desk.server.maildir(desk.user) / ".Mailbot.Processed"
    parts = [folder / name for name in ("cur", "new", "tmp")]
    for part in parts:
        part.chmod(0o555)
    desk.read()
    assert "filing mail was refused" in desk.reader.refusal and len(desk.astray()) == 1
    for part in parts:
        part.chmod(0o700)
    desk.read()
    assert desk.reader.refusal == "" and desk.astray() == []
    assert desk.folders() == (0, [letter], [])
