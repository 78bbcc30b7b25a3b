"""Under a backlog, what people write on tickets is handled before new reports: at a real Dovecot, and by LMTP."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailbot.daemon import inbox_reader
from mailbot.daemon.inbox_reader import InboxReader, ReaderHooks
from mailbot.daemon.lmtp.queue import ReceiveQueue
from mailbot.desk.inbound.analysis_pool import BACKLOG
from mailbot.errors import MailboxUnavailable
from mailbot.mail.fetched import FetchedMail
from mailbot.store.tables import INBOUND, MESSAGE
from mailbot.transport.imap.mailbox import Mailbox
from tests.support.dovecot import Dovecot
from tests.support.loopback import until
from tests.support.people import (
    ACHA,
    ADDRESS,
    Sent,
    TryDesk,
)
from tests.support.scripted import Peer
from tests.support.scripted_imap import ScriptedImap
from tests.support.settings import imap_settings

_users = itertools.count(1)


@pytest.fixture
def people(tmp_path: Path) -> Iterator[TryDesk]:
    desk = TryDesk(tmp_path / "desk")
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def dovecot(server_home: Callable[[], Path]) -> Iterator[Dovecot]:
    with Dovecot(server_home()) as server:
        yield server


def letter(name: str, subject: str, *fields: str, sender: str = "") -> bytes:
    head = [
        f"From: {sender or f'{name}@{name}.example'}", f"To: {ADDRESS}", f"Subject: {subject}",
        f"Message-ID: <{name}.backlog@x.example>", "Date: Mon, 3 Nov 2025 09:00:00 +0700", *fields,
    ]  # fmt: skip
    return ("\r\n".join(head) + f"\r\n\r\nIsi surat {name}.\r\n").encode()


def reports(count: int) -> list[bytes]:
    return [letter(f"guru{nth}", f"Laporan {nth}") for nth in range(count)]


def reply(name: str, to: Sent, *fields: str) -> bytes:
    """Without the tag: by In-Reply-To alone."""
    return letter(name, "Re: BKU", f"In-Reply-To: {to['Message-ID']}", *fields, sender=ACHA)


def handled(people: TryDesk) -> list[str]:
    """Names, in the order in which mail was handled."""
    with people.desk.store.reading() as connection:
        rows = connection.execute(INBOUND.select().where(INBOUND.c.state != "received").order_by(INBOUND.c.id))
        return [row.message_id[1:].partition(".")[0] for row in rows if "backlog" in row.message_id]


def reader(people: TryDesk, mailbox: Mailbox, told: Callable[[], None] = lambda: None) -> InboxReader:
    return InboxReader(people.desk.helpdesk, mailbox, people.settings.mailboxes[0].folder_id, ReaderHooks(told))


@pytest.mark.dovecot
def test_replies_on_tickets_come_first_in_their_order(
    dovecot: Dovecot, people: TryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that comes while the backlog is taken in; a machine's, and one on no ticket, wait their turn."""
    monkeypatch.setattr(inbox_reader, "STEP", 60)
    people.write(ACHA, "BKU")
    [number] = people.numbers()
    [told] = people.to(ACHA, "acknowledgement")
    user = f"backlog{next(_users)}"
    some = reports(BACKLOG)
    machine = letter("mesin", f"Re: #{number}", "Auto-Submitted: auto-replied")
    stranger = letter("asing", "Re: #99", "In-Reply-To: <unknown@x>")
    tagged = letter("dua", f"Re: #{number} BKU", sender=ACHA)
    dovecot.append(user, *some[:100], machine, reply("satu", told), stranger, *some[100:], tagged)
    late = iter([reply("tiga", told)])
    mailbox = Mailbox(imap_settings(dovecot.port, user), max_size=1_000_000, timeout=20)
    mailbox.open()
    taken = reader(people, mailbox, lambda: dovecot.append(user, *itertools.islice(late, 1))).read()
    mailbox.close()
    order = handled(people)
    assert taken == len(order) == BACKLOG + 5
    assert order[:2] == ["satu", "dua"]
    assert 50 < order.index("tiga") < BACKLOG - 50, "it came while the first were handled"
    others = [name for name in order if name not in ("satu", "dua", "tiga")]
    assert others == [f"guru{n}" for n in range(100)] + ["mesin", "asing"] + [f"guru{n}" for n in range(100, BACKLOG)]
    assert dovecot.count(user) == 0
    assert len(people.numbers()) == BACKLOG + 2, "a ticket for each report, for the stranger, and the one before"


def test_a_server_that_fails_at_headers_costs_the_order_and_no_mail(
    people: TryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_reader, "BACKLOG", 2)

    def cut(peer: Peer, tag: bytes, arguments: bytes) -> None:
        if b"HEADER.FIELDS" in arguments:
            peer.close()
        else:
            server.normal(peer, tag, "FETCH", arguments)

    with ScriptedImap(FETCH=cut) as server:
        mailbox = Mailbox(imap_settings(server.port), max_size=10_000, timeout=5)
        reads = reader(people, mailbox)
        mailbox.open()
        with pytest.raises(MailboxUnavailable):
            list(reads._folder.fetched(mailbox.uidvalidity, [1, 2, 3], [1, 2, 3]))
        mailbox.open()
        batches = reads._folder.fetched(mailbox.uidvalidity, [1, 2, 3], [1, 2, 3])
        assert [arrival.uid for batch in batches for arrival in batch] == [1, 2, 3]
        with pytest.raises(MailboxUnavailable):  # the next backlog is tried again
            list(reads._folder.fetched(mailbox.uidvalidity, [1, 2, 3], [1, 2, 3]))
        mailbox.close()


@pytest.mark.dovecot
def test_what_stays_in_the_folder_is_not_taken_in_again(dovecot: Dovecot, people: TryDesk) -> None:
    """No folder to move to, no keywords kept: known mail lies above and below the new mail of the next backlog."""
    user = f"backlog{next(_users)}"
    mailbox = Mailbox(imap_settings(dovecot.port, user, processed_folder=""), max_size=1_000_000, timeout=20)
    some = reports(2 * BACKLOG)
    dovecot.append(user, *some[:BACKLOG])
    mailbox.open()
    mailbox._keywords = False
    assert reader(people, mailbox).read() == BACKLOG
    dovecot.append(user, *some[BACKLOG:])
    assert reader(people, mailbox).read() == BACKLOG
    assert reader(people, mailbox).read() == 0
    mailbox.close()
    assert handled(people) == [f"guru{nth}" for nth in range(2 * BACKLOG)]


def test_the_door_for_lmtp_keeps_the_same_order(people: TryDesk) -> None:
    people.write(ACHA, "BKU")
    [told] = people.to(ACHA, "acknowledgement")
    place = people.settings.mailboxes[0].folder_id
    taking_in = ReceiveQueue(people.desk, lambda: None)
    letters = [*reports(BACKLOG + 40), reply("satu", told), letter("akhir", "Laporan")]
    arrivals = [FetchedMail(0, nth, raw, len(raw), None, False) for nth, raw in enumerate(letters, 1)]
    offers = [taking_in.offer(place, arrival) for arrival in arrivals]
    storing, handling = taking_in._threads
    storing.start()
    until(lambda: all(offer.done() for offer in offers), 60, "all is stored")
    handling.start()
    until(lambda: len(handled(people)) == len(letters), 60, "all is handled")
    assert taking_in.stop(20)
    with people.desk.store.reading() as connection:
        rows = connection.execute(MESSAGE.select().order_by(MESSAGE.c.id))
        written = [row.message_id[1:].partition(".")[0] for row in rows if "backlog" in row.message_id]
    assert "satu" in written[:20] and written[-1] == "akhir"
