"""Mail by LMTP into an open desk: what is answered on TCP and on a unix socket, and what lies in the store then."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import sqlite3
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mailbot.config.model import Settings
from mailbot.config.values import read_endpoint
from mailbot.daemon.lmtp.queue import ReceiveQueue
from mailbot.daemon.lmtp.server import LmtpServer, remove_stale_socket
from mailbot.daemon.lmtp.session import MOST_CONNECTIONS
from mailbot.desk.helpdesk import Receipt
from mailbot.desk.wiring import Desk, open_desk
from mailbot.mail.fetched import FetchedMail
from mailbot.mail.mime.parser import parse_message
from mailbot.mail.reply_token import Purpose
from mailbot.store import raw_mail
from tests.support.loopback import (
    free_port,
    listening,
    until,
)
from tests.support.people import (
    ACHA,
    ADDRESS,
    WIRE,
)
from tests.support.stores import make_impatient

ALIAS, SECOND = "bantuan@helpdesk.example", "siplah@helpdesk.example"
MAX_SIZE = 200_000


class OpenDoor:
    """A desk without inbox and outbox loops, and its door."""

    def __init__(self, folder: Path, listen: str, **tables: Any) -> None:
        self.listen = read_endpoint(listen)
        settings = Settings.model_validate(
            {
                "helpdesk": {"address": ADDRESS, "aliases": [ALIAS]},
                "storage": {"data_dir": folder},
                "inbound": {"max_size": MAX_SIZE},
                "lmtp": {"listen": listen},
            }
            | tables
        )
        self.canary = b"no canary at all"
        self.earlier = 0
        """Rows up to this one are of other tests."""
        self.desk: Desk = open_desk(settings)
        self.taking_in = ReceiveQueue(self.desk, lambda: None)
        self.server = LmtpServer(self.desk, self.taking_in, lambda raw: self.canary in raw, self.listen)

    def __enter__(self) -> OpenDoor:
        self.taking_in.start()
        self.server.start()
        until(lambda: self.server.works, 20, "it listens")
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop(5)
        assert self.taking_in.stop(20)
        self.desk.close()

    def client(self) -> smtplib.LMTP:
        if isinstance(self.listen, Path) or hasattr(self.listen, "path"):
            return smtplib.LMTP(str(self.listen.path))  # type: ignore[union-attr]
        return smtplib.LMTP("127.0.0.1", self.listen.port)  # type: ignore[union-attr]

    def rows(self, where: str = "1 = 1") -> list[Any]:
        with self.desk.store.reading() as connection:
            query = text(f"SELECT * FROM inbound WHERE id > :earlier AND {where} ORDER BY id")
            return list(connection.execute(query, {"earlier": self.earlier}).all())

    def handled(self, count: int) -> list[Any]:
        until(lambda: len(self.rows("state <> 'received'")) >= count, 30, f"{count} mails are handled")
        return self.rows()


@pytest.fixture(scope="module")
def one_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenDoor]:
    limits = dict.fromkeys(("max_auto_replies_per_sender", "max_auto_replies_per_domain"), "10000/h")
    inbound = {"max_size": MAX_SIZE, "max_auto_replies_alike": "10000/h"} | limits
    with OpenDoor(tmp_path_factory.mktemp("door"), f"127.0.0.1:{free_port()}", inbound=inbound) as opened:
        yield opened


@pytest.fixture
def door(one_door: OpenDoor) -> OpenDoor:
    """The same for all tests; each sees its own mail only."""
    assert one_door.taking_in.settled(30)
    one_door.earlier = max((row.id for row in one_door.rows()), default=one_door.earlier)
    one_door.canary = b"no canary at all"
    return one_door


def mail(subject: str = "Tidak bisa tutup BKU", sender: str = ACHA, body: str = "Mohon dibantu.") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ADDRESS, subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="sekolah.example")
    message.set_content(body)
    return message.as_bytes(policy=WIRE)


def said(client: smtplib.LMTP, line: str) -> str:
    code, words = client.docmd(line)
    return f"{code} {words.decode()}"


def test_a_mail_is_on_the_disk_at_the_250_and_opens_a_ticket(door: OpenDoor) -> None:
    with door.client() as client:
        assert client.sendmail(ACHA, [ADDRESS], mail()) == {}
        [row] = door.rows()
        assert (row.source, row.uidvalidity, row.partial) == ("lmtp", 0, 0)
    [row] = door.handled(1)
    assert row.state == "processed" and row.ticket_id is not None
    assert row.mailbox_id == door.desk.store.mailbox_id(door.desk.settings.mailboxes[0].folder_id)


def test_a_unix_socket_is_private_and_gone_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lmtp.sock"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))  # a process that was killed leaves its socket
    with OpenDoor(tmp_path / "data", f"unix:{path}") as door:
        assert path.stat().st_mode & 0o777 == 0o660
        with door.client() as client:
            assert client.sendmail(ACHA, [ADDRESS], mail()) == {}
        with pytest.raises(FileExistsError, match="another process listens"):
            remove_stale_socket(path)
        door.handled(1)
    assert not path.exists()


def test_what_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("important")
    with pytest.raises(FileExistsError, match="no socket"):
        remove_stale_socket(path)
    assert path.read_text() == "important"


def test_it_announces_what_it_can(door: OpenDoor) -> None:
    with door.client() as client:
        code, _ = client.ehlo("mx.sekolah.example")  # smtplib says LHLO
        assert code == 250
        for extension in ("pipelining", "8bitmime", "smtputf8", "enhancedstatuscodes"):
            assert client.has_extn(extension), extension
        assert client.esmtp_features["size"] == str(MAX_SIZE * 2)
        assert not client.has_extn("auth") and not client.has_extn("starttls")
        assert said(client, "EHLO x").startswith("500 5.5.2") and said(client, "HELO x").startswith("500")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("DATA", "503 5.5.1"),
        ("RCPT TO:<support@helpdesk.example>", "503 5.5.1"),
        ("MAIL FROM:acha@sekolah.example", "553 5.1.3"),
        ("MAIL FROM:<acha@sekolah.example> SIZE=400001", "552 5.3.4"),
        ("MAIL FROM:<acha@sekolah.example> AUTH=<>", "555 5.5.4"),
        ("BDAT 5", "500 5.5.2"),
        ("RSET", "250 2.0.0"),
        ("NOOP", "250 2.0.0"),
    ],
)
def test_every_answer_has_an_enhanced_code(door: OpenDoor, command: str, answer: str) -> None:
    with door.client() as client:
        client.ehlo()
        assert said(client, command).startswith(answer)


def test_each_recipient_gets_an_answer_of_its_own(door: OpenDoor) -> None:
    token = door.desk.helpdesk.profile.signer.sign(Purpose.REQUESTER, 12345)
    signed = door.desk.helpdesk.profile.reply_address(token)
    bounce = door.desk.helpdesk.profile.bounce_address(7)
    ours = [ADDRESS, ALIAS.upper(), signed, bounce, "support+apa-saja@helpdesk.example"]
    with door.client() as client:
        client.ehlo()
        client.docmd(f"MAIL FROM:<{ACHA}>")
        for address in ours:
            assert said(client, f"RCPT TO:<{address}>").startswith("250 2.1.5"), address
        for address in ("orang@helpdesk.example", "support@lain.example"):
            assert said(client, f"RCPT TO:<{address}>").startswith("550 5.1.1")
        client.docmd("DATA")
        client.send(mail() + b".\r\n")  # smtplib's own `data` reads one answer only
        assert [client.getreply() for _ in ours] == [(250, b"2.0.0 Stored")] * len(ours)
    [row] = door.handled(1)  # five recipients, one mail
    with door.desk.store.reading() as connection:
        kept = raw_mail.get(connection, row.raw_sha256)
    assert kept is not None
    message = parse_message(kept)
    assert {address.lower() for address in ours} <= set(message.recipients)
    assert message.return_path == ACHA


def test_what_dovecots_proxy_adds_is_let_pass(door: OpenDoor) -> None:
    with door.client() as client:
        client.ehlo()
        assert said(client, f"MAIL FROM:<{ACHA}> RET=HDRS ENVID=x1 SIZE=100").startswith("250 2.1.0")
        assert said(client, f"RCPT TO:<{ADDRESS}> ORCPT=rfc822;{ADDRESS} NOTIFY=NEVER").startswith("250 2.1.5")
        assert said(client, f"RCPT TO:<{ADDRESS}> XORCPT=1").startswith("555 5.5.4")


def test_nobody_but_strangers_is_no_mail(door: OpenDoor) -> None:
    with door.client() as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail(ACHA, ["orang@helpdesk.example"], mail())
    assert door.rows() == []


def test_a_null_sender_is_seen(door: OpenDoor) -> None:
    with door.client() as client:
        client.sendmail("", [ADDRESS], mail(sender="MAILER-DAEMON@sekolah.example", subject="Undelivered Mail"))
    [row] = door.handled(1)
    assert row.kind != "person" and row.ticket_id is None


def test_the_same_mail_again_is_known(door: OpenDoor) -> None:
    raw, bare = mail(), b"From: acha@sekolah.example\r\nSubject: tanpa tanda\r\n\r\nisi\r\n"
    with door.client() as client:
        for content in (raw, raw, bare, bare):
            client.sendmail(ACHA, [ADDRESS], content)
    rows = door.handled(4)
    assert [row.state for row in rows] == ["processed", "duplicate", "processed", "duplicate"]


def test_a_mail_for_a_second_mailbox_goes_under_it(tmp_path: Path) -> None:
    boxes = [
        {"name": "bosp", "username": "support"},
        {"name": "siplah", "username": "siplah", "address": SECOND, "program": "SIPLah"},
    ]
    with OpenDoor(tmp_path, f"127.0.0.1:{free_port()}", mailbox=boxes) as door:
        with door.client() as client:
            client.sendmail(ACHA, [SECOND], mail())
            client.sendmail(ACHA, [ALIAS], mail("Lain"))
        first, second = door.handled(2)
        places = [box.folder_id for box in door.desk.settings.mailboxes]
        assert first.mailbox_id == door.desk.store.mailbox_id(places[1])
        assert second.mailbox_id == door.desk.store.mailbox_id(places[0])
        with door.desk.store.reading() as connection:
            programs = connection.execute(text("SELECT program FROM ticket ORDER BY number")).scalars().all()
        assert list(programs) == ["SIPLah", ""]


def test_a_mail_that_is_too_large_is_kept_and_answered(door: OpenDoor) -> None:
    with door.client() as client:
        client.sendmail(ACHA, [ADDRESS], mail(sender="besar@sekolah.example", body="panjang sekali\n" * 15_000))
    [row] = door.handled(1)
    assert row.partial and row.place == "quarantine" and row.size > MAX_SIZE
    with door.desk.store.reading() as connection:
        kept = raw_mail.get(connection, row.raw_sha256)
        assert kept is not None and len(kept) > row.size and kept.endswith(b"panjang sekali\r\n")
        kinds = (
            connection.execute(text("SELECT kind FROM outbox WHERE recipient = :who"), {"who": "besar@sekolah.example"})
            .scalars()
            .all()
        )
    assert list(kinds) == ["notice"]


def test_one_that_is_far_too_large_is_refused_for_each_recipient(door: OpenDoor) -> None:
    with door.client() as client:
        client.ehlo()
        assert said(client, f"MAIL FROM:<{ACHA}>").startswith("250 2.1.0")
        for address in (ADDRESS, ALIAS):
            assert said(client, f"RCPT TO:<{address}>").startswith("250 2.1.5")
        assert said(client, "DATA").startswith("354")
        client.send(b"Subject: besar\r\n\r\n" + b"sangat panjang.\r\n" * 40_000 + b".\r\n")
        assert [client.getreply()[0] for _ in range(2)] == [552, 552]
        assert client.sendmail(ACHA, [ADDRESS], mail()) == {}  # the connection goes on
    assert len(door.rows()) == 1


def test_content_comes_through_byte_for_byte(door: OpenDoor) -> None:
    tricky = [
        b"\r\n", b".\r\n", b"..\r\n", b"x.\r\n", b"",
        b"\n.\r\nMAIL FROM:<jahat@lain.example>\r\n", b"\r.\r\n", b"\xff\x00\x80\r\n",
        b"a" * 200_000 + b".\r\n" + b"b" * 70_000 + b"\r\n",
    ]  # fmt: skip
    head = b"From: acha@sekolah.example\r\nMessage-ID: <%d@x.example>\r\n\r\n"
    with door.client() as client:
        for nth, body in enumerate(tricky):
            content = head % nth + body
            client.ehlo()
            client.docmd(f"MAIL FROM:<{ACHA}>")
            client.docmd(f"RCPT TO:<{ADDRESS}>")
            client.docmd("DATA")
            stuffed = content.replace(b"\r\n.", b"\r\n..")
            client.send(stuffed + b".\r\n")
            assert client.getreply()[0] == 250
    rows = door.handled(len(tricky))

    for nth, (row, body) in enumerate(zip(rows, tricky, strict=True)):
        with door.desk.store.reading() as connection:
            kept = raw_mail.get(connection, row.raw_sha256)
        trace = f"Return-Path: <{ACHA}>\r\nDelivered-To: {ADDRESS}\r\n".encode()
        assert kept == trace + head % nth + body, nth


def test_an_empty_mail_ends_at_its_dot(door: OpenDoor) -> None:
    with door.client() as client:
        client.ehlo()
        client.docmd(f"MAIL FROM:<{ACHA}>")
        client.docmd(f"RCPT TO:<{ADDRESS}>")
        client.docmd("DATA")
        client.send(b".\r\n")
        assert client.getreply()[0] == 250
    assert len(door.handled(1)) == 1


def test_a_pipelined_session_in_one_piece(door: OpenDoor) -> None:
    host, port = "127.0.0.1", door.listen.port  # type: ignore[union-attr]
    with socket.create_connection((host, port), timeout=20) as wire:
        talk = b"LHLO x\r\n"
        for nth in range(3):
            talk += f"MAIL FROM:<{ACHA}>\r\nRCPT TO:<{ADDRESS}>\r\nRCPT TO:<x@y.example>\r\nDATA\r\n".encode()
            talk += mail(f"Nomor {nth}") + b".\r\n"
        wire.sendall(talk + b"QUIT\r\n")
        answers = b""
        while chunk := wire.recv(65536):
            answers += chunk
    codes = [line[:3] for line in answers.split(b"\r\n") if line and line[3:4] == b" "]
    assert codes == [b"220", b"250", *([b"250", b"250", b"550", b"354", b"250"] * 3), b"221"]
    assert len(door.handled(3)) == 3


def test_a_non_ascii_envelope(door: OpenDoor) -> None:
    with door.client() as client:
        client.ehlo()
        client.send("MAIL FROM:<gurué@sekolah.example> SMTPUTF8 BODY=8BITMIME\r\n".encode())
        assert client.getreply()[0] == 250
        client.send("RCPT TO:<dukungané@helpdesk.example>\r\n".encode())
        code, words = client.getreply()
        assert code == 550 and words.startswith(b"5.1.1")
        assert said(client, f"RCPT TO:<{ADDRESS}>").startswith("250")
        client.docmd("DATA")
        client.send("From: gurué@sekolah.example\r\nSubject: é\r\n\r\nisi é\r\n.\r\n".encode())
        assert client.getreply()[0] == 250
    [row] = door.handled(1)
    assert row.sender == "gurué@sekolah.example"


def test_one_connection_too_many_is_told_to_come_later(door: OpenDoor) -> None:
    clients = [door.client() for _ in range(MOST_CONNECTIONS)]
    with pytest.raises(smtplib.SMTPConnectError) as refusal:
        door.client()
    assert refusal.value.smtp_code == 421
    for client in clients:
        client.quit()
    until(lambda: _answers(door), 10, "there is room again")


def _answers(door: OpenDoor) -> bool:
    try:
        with door.client() as client:
            return client.noop()[0] == 250
    except smtplib.SMTPConnectError:
        return False


def test_what_cannot_be_stored_is_not_accepted(tmp_path: Path) -> None:
    with (
        OpenDoor(tmp_path, f"127.0.0.1:{free_port()}") as door,
        contextlib.closing(sqlite3.connect(tmp_path / "mailbot.db", isolation_level=None)) as other,
        door.client() as client,
    ):
        make_impatient(door.desk.store)
        other.execute("BEGIN IMMEDIATE")  # for longer than we wait
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            client.sendmail(ACHA, [ADDRESS], mail())
        assert refusal.value.smtp_code == 451 and bytes(refusal.value.smtp_error).startswith(b"4.3.0")
        other.execute("ROLLBACK")
        assert client.sendmail(ACHA, [ADDRESS], mail()) == {}
        assert len(door.handled(1)) == 1 and door.server.refused == 1


def test_a_canary_needs_no_record(door: OpenDoor) -> None:
    door.canary = b"X-Burung: kenari"
    with door.client() as client:
        assert client.sendmail(ADDRESS, [ADDRESS], b"X-Burung: kenari\r\n" + mail()) == {}
    assert door.rows() == []


def test_what_a_predecessor_stored_is_handled_at_the_start(tmp_path: Path) -> None:
    listen = f"127.0.0.1:{free_port()}"
    door = OpenDoor(tmp_path, listen)

    raw = mail()
    door.desk.helpdesk.receive(
        door.desk.settings.mailboxes[0].folder_id, [FetchedMail(0, 5, raw, len(raw), None, False)], Receipt("lmtp")
    )
    with door:
        assert door.handled(1)[0].state == "processed"


def test_settled_waits_for_what_was_stored(door: OpenDoor) -> None:
    with door.client() as client:
        for nth in range(5):
            client.sendmail(ACHA, [ADDRESS], mail(f"Nomor {nth}"))
    assert door.taking_in.settled(30)
    assert [row.state for row in door.rows()] == ["processed"] * 5


def test_a_taken_port_is_tried_again(tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as taken:
        door = OpenDoor(tmp_path, f"127.0.0.1:{port}")
        door.taking_in.start()
        door.server.start()
        until(lambda: door.server.heartbeat.status.failing_since is not None, 20, "it says that it can't listen")
        assert not door.server.works
        taken.close()
    until(lambda: listening(port), 20, "it listens after all")
    door.__exit__()


def test_four_clients_at_once_lose_and_double_nothing(door: OpenDoor) -> None:
    subjects = [f"Laporan {nth}" for nth in range(60)]

    def deliver(some: list[str]) -> None:
        with door.client() as client:
            for subject in some:
                client.sendmail(ACHA, [ADDRESS], mail(subject))

    threads = [threading.Thread(target=deliver, args=(subjects[nth::4],)) for nth in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(door.rows()) == 60  # all of them at the last 250
    rows = door.handled(60)
    assert sorted(row.subject for row in rows) == sorted(subjects) and {row.state for row in rows} == {"processed"}
