"""`Mailbox` against a real Dovecot: what a mail goes through, and what other people do to the folder meanwhile."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailbot.errors import FilingRefused, MailboxUnavailable
from mailbot.mail.fetched import FetchedMail, Folder
from mailbot.transport.imap.idle import WakeUp
from mailbot.transport.imap.mailbox import Mailbox
from tests.support.certificate import Certificate
from tests.support.dovecot import FULL_CAPABILITY, Dovecot
from tests.support.settings import imap_settings

pytestmark = pytest.mark.dovecot

PROCESSED, QUARANTINE = "Mailbot/Processed", "Mailbot/Quarantine"
_numbers = itertools.count(1)


def mail(subject: str, body: str = "Mohon bantuan.") -> bytes:
    return f"Message-ID: <{subject}@sekolah.example>\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()


@pytest.fixture(scope="module")
def dovecot(server_home: Callable[[], Path]) -> Iterator[Dovecot]:
    with Dovecot(server_home()) as server:
        yield server


@pytest.fixture
def user() -> str:
    """A mailbox that nobody has used yet."""
    return f"desk{next(_numbers)}"


def open_mailbox(server: Dovecot, user: str, max_size: int = 1_000_000, **keys: object) -> Mailbox:
    mailbox = Mailbox(imap_settings(server.port, user, **keys), max_size=max_size, timeout=20)
    mailbox.open()
    return mailbox


def take_all(mailbox: Mailbox) -> list[FetchedMail]:
    _validity, uids = mailbox.uids()
    return [arrival for batch in mailbox.fetch(uids) for arrival in batch]


def subjects(raws: list[bytes]) -> list[str]:
    return [raw.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for raw in raws]


def test_mail_goes_from_the_inbox_to_its_places_unseen_and_unchanged(dovecot: Dovecot, user: str) -> None:
    sent = [mail("satu"), mail("dua"), mail("tiga")]
    dovecot.append(user, *sent)
    mailbox = open_mailbox(dovecot, user)
    found = take_all(mailbox)
    assert [arrival.raw for arrival in found] == sent
    assert [arrival.size for arrival in found] == [len(raw) for raw in sent]
    assert not any(arrival.partial for arrival in found)
    assert all(a.internal_date and abs(a.internal_date.timestamp() - time.time()) < 60 for a in found)
    assert "Seen" not in "".join(dovecot.flags(user))
    one, two, three = (arrival.uid for arrival in found)
    mailbox.file({one: Folder.PROCESSED, two: Folder.QUARANTINE, three: Folder.PROCESSED})
    assert mailbox.uids() == (found[0].uidvalidity, [])
    mailbox.file({one: Folder.PROCESSED})  # once more, as after a restart
    mailbox.close()
    assert dovecot.mails(user, PROCESSED) == [sent[0], sent[2]]
    assert dovecot.mails(user, QUARANTINE) == [sent[1]]
    with dovecot.client(user) as client:
        assert b"Processed" in b"".join(client.lsub()[1])


def test_only_what_came_after_is_asked_for(dovecot: Dovecot, user: str) -> None:
    dovecot.append(user, mail("satu"), mail("dua"))
    mailbox = open_mailbox(dovecot, user)
    validity, (_, last) = mailbox.uids()
    assert mailbox.uids(after=last) == (validity, []), "and not the last one, which n:* always is"
    dovecot.append(user, mail("tiga"))
    (new,) = mailbox.uids(after=last)[1]
    assert new > last and mailbox.uids(after=new)[1] == []
    mailbox.close()


def test_new_mail_is_seen_at_once_without_a_wait(dovecot: Dovecot, user: str) -> None:
    mailbox = open_mailbox(dovecot, user)
    assert mailbox.uids()[1] == []
    dovecot.append(user, mail("baru"))
    assert len(mailbox.uids()[1]) == 1
    mailbox.close()


@pytest.mark.parametrize(
    ("separator", "prefix", "processed"),
    [(".", "", "Mailbot.Processed"), (".", "INBOX.", "INBOX.Mailbot.Processed"), ("/", "INBOX/", "INBOX/" + PROCESSED)],
)
def test_folders_are_named_as_the_server_names_them(
    server_home: Callable[[], Path], separator: str, prefix: str, processed: str
) -> None:
    with Dovecot(server_home(), separator=separator, prefix=prefix) as server:
        server.append("desk", mail("satu"), mail("dua"))
        for _start in range(2):  # the second one finds them
            mailbox = open_mailbox(server, "desk")
            uid = mailbox.uids()[1][0]
            mailbox.file({uid: Folder.PROCESSED})
            mailbox.close()
        assert server.count("desk", processed) == 2
        mailbox = open_mailbox(server, "desk", processed_folder=processed)  # as the server writes it
        mailbox.close()
        with server.client("desk") as client:
            assert sum(b"Processed" in line for line in client.list()[1]) == 1  # type: ignore[operator]


def test_folder_names_of_any_language(dovecot: Dovecot, user: str) -> None:
    dovecot.append(user, mail("satu"))
    mailbox = open_mailbox(dovecot, user, processed_folder='Tiket & Arsip/Sélesai "1"')
    mailbox.file({mailbox.uids()[1][0]: Folder.PROCESSED})
    mailbox.close()
    again = open_mailbox(dovecot, user, folder='Tiket & Arsip/Sélesai "1"')
    assert [arrival.raw for arrival in take_all(again)] == [mail("satu")]
    again.close()


def test_a_missing_source_folder_is_named_with_its_neighbours(dovecot: Dovecot, user: str) -> None:
    open_mailbox(dovecot, user).close()
    with pytest.raises(
        MailboxUnavailable, match=r"imap\.folder = 'Mailbot/Procesed' does not exist.*Mailbot/Processed"
    ):
        open_mailbox(dovecot, user, folder="Mailbot/Procesed")


def test_a_wrong_password_is_told_from_a_dead_server(dovecot: Dovecot, server_home: Callable[[], Path]) -> None:
    with pytest.raises(MailboxUnavailable, match=r"log-in was refused.*imap\.password") as refused:
        open_mailbox(dovecot, "desk", password="wrong")
    assert refused.value.credentials
    stopped = Dovecot(server_home())
    with pytest.raises(MailboxUnavailable, match=rf"127\.0\.0\.1:{stopped.port}.*refused.*imap\.port") as dead:
        open_mailbox(stopped, "desk")
    assert not dead.value.credentials


def test_batches_keep_within_the_budget(dovecot: Dovecot, user: str) -> None:
    sizes = [1_000, 40_000, 60_000, 2_000, 150_000, 3_000, 4_000]
    dovecot.append(user, *[mail(str(n), "x" * size) for n, size in enumerate(sizes)])
    settings = imap_settings(dovecot.port, user)
    mailbox = Mailbox(settings, max_size=1_000_000, batch_bytes=100_000, batch_count=3)
    mailbox.open()
    batches = list(mailbox.fetch(mailbox.uids()[1]))
    mailbox.close()
    assert subjects([arrival.raw for batch in batches for arrival in batch]) == [str(n) for n in range(7)]
    for batch in batches:
        assert len(batch) <= 3
        assert len(batch) == 1 or sum(len(arrival.raw) for arrival in batch) <= 100_000
    assert len(batches) < len(sizes)


def test_of_a_mail_that_is_too_large_only_the_header_is_read(dovecot: Dovecot, user: str) -> None:
    dovecot.append(user, mail("kecil"), mail("besar", "x" * 50_000), mail("lagi"))
    mailbox = open_mailbox(dovecot, user, max_size=20_000)
    small, large, last = take_all(mailbox)
    mailbox.file({large.uid: Folder.QUARANTINE})
    mailbox.close()
    assert (small.partial, large.partial, last.partial) == (False, True, False)
    assert large.raw == mail("besar").split(b"Mohon")[0]
    assert large.size == len(mail("besar", "x" * 50_000))
    assert dovecot.mails(user, QUARANTINE) == [mail("besar", "x" * 50_000)]


def test_bytes_come_as_they_are(dovecot: Dovecot, user: str) -> None:
    """NUL and 8-bit from a careless sender; Dovecot gives NUL as 0x80 (RFC 3501 §4.3.1 forbids it in a literal)."""
    raw = b"Subject: \xe9\xff raw\r\n\r\nA\x00B \xc3\xa9 {5}\r\n)\r\n* 1 FETCH (UID 9 BODY[] {3}\r\n\r\n"
    dovecot.append(user, mail("before"))
    place = dovecot.maildir(user) / "new" / "1700000000.M1P1.test"
    place.write_bytes(raw)
    place.chmod(0o666)
    mailbox = open_mailbox(dovecot, user)
    found = take_all(mailbox)
    mailbox.close()
    assert found[1].raw == raw.replace(b"\x00", b"\x80")


def test_five_thousand_mails(dovecot: Dovecot, user: str) -> None:
    dovecot.append(user, mail("first"))
    folder = dovecot.maildir(user) / "new"
    for number in range(5_000):
        place = folder / f"{1_700_000_000 + number}.M{number}.test"
        place.write_bytes(mail(f"nomor {number}"))
        place.chmod(0o666)
    mailbox = open_mailbox(dovecot, user)
    found = take_all(mailbox)
    assert len(found) == 5_001
    assert len({arrival.raw for arrival in found}) == 5_001
    mailbox.file({arrival.uid: Folder.PROCESSED for arrival in found})
    assert mailbox.uids()[1] == []
    mailbox.close()
    assert dovecot.count(user, PROCESSED) == 5_001


def test_thirty_megabytes(dovecot: Dovecot, user: str) -> None:
    body = "\r\n".join("x" * 76 for _ in range(400_000))
    dovecot.append(user, mail("besar", body))
    mailbox = open_mailbox(dovecot, user, max_size=35_000_000)
    (found,) = take_all(mailbox)
    mailbox.close()
    assert found.raw == mail("besar", body)


def test_mail_that_another_client_removes_is_left_out(dovecot: Dovecot, user: str) -> None:
    dovecot.append(user, *[mail(str(n)) for n in range(6)])
    mailbox = open_mailbox(dovecot, user)
    _validity, uids = mailbox.uids()
    with dovecot.client(user, "INBOX") as other:
        other.uid("STORE", f"{uids[1]},{uids[4]}", "+FLAGS", "(\\Deleted)")
        other.expunge()
    found = [arrival for batch in mailbox.fetch(uids) for arrival in batch]
    assert subjects([arrival.raw for arrival in found]) == ["0", "2", "3", "5"]
    mailbox.file(dict.fromkeys(uids, Folder.PROCESSED))
    mailbox.close()
    assert dovecot.count(user, PROCESSED) == 4
    assert dovecot.count(user) == 0


def test_mail_that_somebody_flagged_deleted_is_not_taken(dovecot: Dovecot, user: str) -> None:
    dovecot.append(user, mail("buang"), flags="(\\Deleted)")
    dovecot.append(user, mail("ambil"))
    mailbox = open_mailbox(dovecot, user)
    assert subjects([arrival.raw for arrival in take_all(mailbox)]) == ["ambil"]
    mailbox.close()


def test_a_changed_uidvalidity_is_noticed_and_old_numbers_are_not_used(
    dovecot: Dovecot, user: str, caplog: pytest.LogCaptureFixture
) -> None:
    dovecot.append(user, mail("satu"), mail("dua"))
    mailbox = open_mailbox(dovecot, user)
    before, uids = mailbox.uids()
    mailbox.close()
    dovecot.doveadm("mailbox", "update", "--uid-validity", str(before + 7), "-u", user, "INBOX")
    mailbox.open()
    after, again = mailbox.uids()
    assert after == before + 7
    assert len(again) == 2
    assert "UIDVALIDITY" in caplog.text
    mailbox.file(dict.fromkeys(uids, Folder.PROCESSED), uidvalidity=before)
    assert len(mailbox.uids()[1]) == 2
    mailbox.file(dict.fromkeys(again, Folder.PROCESSED), uidvalidity=after)
    assert mailbox.uids()[1] == []
    mailbox.close()


@pytest.mark.parametrize("how", ["told", "index files removed"])
def test_a_uidvalidity_that_changes_under_an_open_connection(dovecot: Dovecot, user: str, how: str) -> None:
    """The server ends the session (RFC 3501 §2.3.1.1: the value never changes within one)."""
    dovecot.append(user, mail("satu"))
    mailbox = open_mailbox(dovecot, user)
    before, uids = mailbox.uids()
    if how == "told":
        dovecot.doveadm("mailbox", "update", "--uid-validity", str(before + 7), "-u", user, "INBOX")
    else:
        for index in dovecot.maildir(user).glob("dovecot*"):
            index.unlink()
    dovecot.append(user, mail("dua"))
    with pytest.raises(MailboxUnavailable, match="connection was lost"):
        for _look in range(3):
            mailbox.uids()
            list(mailbox.fetch(uids))
    mailbox.open()
    assert sorted(subjects([arrival.raw for arrival in take_all(mailbox)])) == ["dua", "satu"]
    mailbox.close()


def test_a_deleted_target_folder_is_made_anew(dovecot: Dovecot, user: str) -> None:
    dovecot.append(user, mail("satu"))
    mailbox = open_mailbox(dovecot, user)
    uid = mailbox.uids()[1][0]
    with dovecot.client(user) as other:
        other.delete(PROCESSED)
    with pytest.raises(MailboxUnavailable, match="filing mail"):
        mailbox.file({uid: Folder.PROCESSED})
    assert dovecot.count(user) == 1
    mailbox.open()
    mailbox.file({uid: Folder.PROCESSED})
    mailbox.close()
    assert dovecot.count(user, PROCESSED) == 1


def test_a_source_folder_that_is_deleted_while_it_is_open(dovecot: Dovecot, user: str) -> None:
    with dovecot.client(user) as other:
        other.create("Helpdesk")
    dovecot.append(user, mail("satu"), folder="Helpdesk")
    mailbox = open_mailbox(dovecot, user, folder="Helpdesk")
    uids = mailbox.uids()[1]
    with dovecot.client(user) as other:
        other.delete("Helpdesk")
    with pytest.raises(MailboxUnavailable):
        for _ in range(3):
            list(mailbox.fetch(mailbox.uids()[1] or uids))
            mailbox.file(dict.fromkeys(uids, Folder.PROCESSED))
            mailbox.wait(1, WakeUp())
    with pytest.raises(MailboxUnavailable, match="does not exist"):
        mailbox.open()


def test_a_restart_during_fetch_loses_nothing(server_home: Callable[[], Path]) -> None:
    with Dovecot(server_home()) as server:
        server.append("desk", *[mail(str(n)) for n in range(10)])
        mailbox = Mailbox(imap_settings(server.port, "desk"), max_size=10_000, batch_count=4, timeout=20)
        mailbox.open()
        found: list[FetchedMail] = []
        with pytest.raises(MailboxUnavailable):
            for batch in mailbox.fetch(mailbox.uids()[1]):
                found += batch
                server.kill()
        assert len(found) == 4
        with pytest.raises(MailboxUnavailable, match="not connected"):
            mailbox.uids()
        server.start()
        mailbox.open()
        assert subjects([arrival.raw for arrival in take_all(mailbox)]) == [
            str(n) for n in (*range(4), 8, 9, 4, 5, 6, 7)
        ]
        mailbox.close()


@pytest.mark.parametrize("politely", [True, False])
def test_a_server_that_goes_during_idle_is_noticed_at_once(server_home: Callable[[], Path], politely: bool) -> None:
    with Dovecot(server_home()) as server:
        mailbox = open_mailbox(server, "desk")
        wake = WakeUp()
        assert mailbox.wait(0.05, wake) is False
        threading.Timer(0.1, server.stop if politely else server.kill).start()
        started = time.monotonic()
        with pytest.raises(MailboxUnavailable, match="waiting for mail"):
            mailbox.wait(30, wake)
        assert time.monotonic() - started < 5
        wake.close()


def test_idle_wakes_for_mail_and_for_another_thread(dovecot: Dovecot, user: str) -> None:
    mailbox, wake = open_mailbox(dovecot, user), WakeUp()
    threading.Timer(0.1, dovecot.append, (user, mail("datang"))).start()
    started = time.monotonic()
    assert mailbox.wait(30, wake) is True
    assert time.monotonic() - started < 5
    assert len(mailbox.uids()[1]) == 1
    threading.Timer(0.1, wake.set).start()
    assert mailbox.wait(30, wake) is False
    assert mailbox.wait(30, wake) is False, "it rings until it is cleared"
    wake.clear()
    assert mailbox.wait(0.1, wake) is False
    assert time.monotonic() - started < 10
    mailbox.close()
    wake.close()


def test_mail_that_came_before_idle_began_ends_it(dovecot: Dovecot, user: str) -> None:
    mailbox, wake = open_mailbox(dovecot, user), WakeUp()
    mailbox.uids()
    dovecot.append(user, mail("di sela"))
    started = time.monotonic()
    assert mailbox.wait(30, wake) is True
    assert time.monotonic() - started < 5
    mailbox.close()
    wake.close()


def without(*names: str) -> str:
    return " ".join(word for word in FULL_CAPABILITY.split() if word not in names)


@pytest.fixture(scope="module")
def no_move(server_home: Callable[[], Path]) -> Iterator[Dovecot]:
    with Dovecot(server_home(), capability=without("MOVE")) as server:
        yield server


@pytest.fixture(scope="module")
def old_server(server_home: Callable[[], Path]) -> Iterator[Dovecot]:
    """As RFC 3501 has it, and nothing else."""
    with Dovecot(server_home(), capability="IMAP4rev1") as server:
        yield server


@pytest.fixture(params=["no_move", "old_server"])
def copying(request: pytest.FixtureRequest) -> Dovecot:
    server: Dovecot = request.getfixturevalue(request.param)
    return server


def test_without_move_mail_is_filed_once_and_others_mail_stays(copying: Dovecot, user: str) -> None:
    copying.append(user, mail("satu"), mail("dua"), mail("tiga"))
    copying.append(user, mail("orang lain"), flags="(\\Deleted)")
    mailbox = open_mailbox(copying, user)
    found = take_all(mailbox)
    assert subjects([arrival.raw for arrival in found]) == ["satu", "dua", "tiga"]
    places = {found[0].uid: Folder.PROCESSED, found[1].uid: Folder.QUARANTINE}
    mailbox.file(places)
    mailbox.file(places)
    mailbox.close()
    assert subjects(copying.mails(user)) == ["tiga", "orang lain"]
    assert "Deleted" in copying.flags(user)[1]
    assert subjects(copying.mails(user, PROCESSED)) == ["satu"]
    assert subjects(copying.mails(user, QUARANTINE)) == ["dua"]


@pytest.mark.parametrize("flagged", [False, True])
def test_a_kill_after_copy_makes_no_second_copy(copying: Dovecot, user: str, flagged: bool) -> None:
    copying.append(user, mail("satu"), mail("dua"))
    open_mailbox(copying, user).close()
    with copying.client(user, "INBOX") as predecessor:  # dies between COPY and STORE, or between STORE and EXPUNGE
        predecessor.uid("COPY", "1", f'"{PROCESSED}"')
        if flagged:
            predecessor.uid("STORE", "1", "+FLAGS", "(\\Deleted)")
    mailbox = open_mailbox(copying, user)
    mailbox.file({1: Folder.PROCESSED, 2: Folder.PROCESSED})
    assert mailbox.uids()[1] == []
    mailbox.close()
    assert sorted(subjects(copying.mails(user, PROCESSED))) == ["dua", "satu"]
    assert copying.count(user) == 0


def test_two_mails_that_look_alike_are_both_copied(copying: Dovecot, user: str) -> None:
    """The same mail twice, as some senders do it: neither is taken for the copy of the other."""
    copying.append(user, mail("sama"), mail("sama"))
    mailbox = open_mailbox(copying, user)
    copying.append(user, mail("sama"), mail("sama"))
    for uid in mailbox.uids()[1]:
        mailbox.file({uid: Folder.PROCESSED})
    mailbox.close()
    assert subjects(copying.mails(user, PROCESSED)) == ["sama"] * 4


def test_without_idle_it_waits_all_the_same(old_server: Dovecot, user: str) -> None:
    mailbox, wake = open_mailbox(old_server, user), WakeUp()
    started = time.monotonic()
    assert mailbox.wait(0.2, wake) is False
    assert 0.2 <= time.monotonic() - started < 2
    wake.set()
    assert mailbox.wait(30, wake) is False
    assert time.monotonic() - started < 5
    mailbox.close()
    wake.close()


def test_mail_may_stay_in_place_with_a_keyword(dovecot: Dovecot, user: str) -> None:
    dovecot.append(user, mail("satu"), mail("dua"))
    mailbox = open_mailbox(dovecot, user, processed_folder="")
    one, two = mailbox.uids()[1]
    mailbox.file({one: Folder.PROCESSED, two: Folder.QUARANTINE})
    mailbox.file({one: Folder.PROCESSED})
    assert mailbox.uids()[1] == []
    mailbox.close()
    assert subjects(dovecot.mails(user)) == ["satu"]
    assert "$MailbotDone" in dovecot.flags(user)[0]
    assert dovecot.count(user, QUARANTINE) == 1
    again = open_mailbox(dovecot, user, processed_folder="")
    assert again.uids()[1] == []
    again.close()


def test_a_full_mailbox_says_so(server_home: Callable[[], Path]) -> None:
    quota = "plugin {\nquota = count:User\nquota_rule = *:messages=2\nquota_vsizes = yes\n}\nmail_plugins = quota\n"
    with Dovecot(server_home(), capability=without("MOVE"), extra=quota) as server:
        server.append("desk", mail("satu"), mail("dua"))
        mailbox = open_mailbox(server, "desk")
        with pytest.raises(FilingRefused, match=r"filing mail.*OVERQUOTA.*raise its quota"):
            mailbox.file(dict.fromkeys(mailbox.uids()[1], Folder.PROCESSED))
        assert len(mailbox.uids()[1]) == 2, "the connection stays in order"
        mailbox.close()
        assert server.count("desk") == 2


@pytest.fixture(scope="module")
def secure(server_home: Callable[[], Path], certificate: Certificate) -> Iterator[Dovecot]:
    with Dovecot(server_home(), certificate=certificate) as server:
        yield server


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls_is_verified(secure: Dovecot, certificate: Certificate, user: str, security: str) -> None:
    secure.append(user, mail("aman", "x" * 200_000))
    port = secure.tls_port if security == "tls" else secure.port
    trusting = imap_settings(port, user, security=security, ca_file=str(certificate.certificate))
    mailbox = Mailbox(trusting, max_size=1_000_000)
    mailbox.open()
    (found,) = take_all(mailbox)
    assert len(found.raw) > 200_000
    threading.Timer(0.1, secure.append, (user, mail("baru"))).start()
    wake = WakeUp()
    assert mailbox.wait(30, wake) is True
    mailbox.close()
    wake.close()
    with pytest.raises(MailboxUnavailable, match=r"certificate is not trusted.*imap\.ca_file"):
        Mailbox(imap_settings(port, user, security=security), max_size=1).open()


def test_wrong_ways_to_tls_are_explained(secure: Dovecot, dovecot: Dovecot, certificate: Certificate) -> None:
    trusted = str(certificate.certificate)
    with pytest.raises(MailboxUnavailable, match=r"imap\.port and imap\.security"):
        open_mailbox(secure, "desk", security="tls", ca_file=trusted)
    with pytest.raises(MailboxUnavailable, match=r"offers no STARTTLS"):
        open_mailbox(dovecot, "desk", security="starttls", ca_file=trusted)
    with pytest.raises(MailboxUnavailable, match=r"in the clear.*imap\.allow_insecure"):
        open_mailbox(dovecot, "desk", host="192.0.2.1")


@pytest.mark.parametrize("security", ["none", "tls"])
def test_interrupt_ends_a_wait_of_another_thread(
    secure: Dovecot, certificate: Certificate, user: str, security: str
) -> None:
    port = secure.tls_port if security == "tls" else secure.port
    settings = imap_settings(port, user, security=security, ca_file=str(certificate.certificate))
    mailbox, wake = Mailbox(settings, max_size=1_000_000), WakeUp()
    mailbox.open()
    threading.Timer(0.1, mailbox.interrupt).start()
    started = time.monotonic()
    with pytest.raises(MailboxUnavailable):
        mailbox.wait(30, wake)
    assert time.monotonic() - started < 5
    wake.close()


def test_neither_mail_nor_password_get_into_the_log(
    dovecot: Dovecot, user: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    dovecot.append(user, mail("rahasia"))
    mailbox = open_mailbox(dovecot, user)
    take_all(mailbox)
    mailbox.close()
    assert "Mohon bantuan" not in caplog.text
    assert "secret" not in caplog.text
