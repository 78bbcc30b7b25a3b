"""`mailbot run` with its LMTP door: a real Postfix before it, kills, a locked database, a load on four connections."""

from __future__ import annotations

import os
import re
import signal
import smtplib
import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from mailbot.transport.smtp.submission import Accepted, Submission
from tests.integration.test_lmtp import mail
from tests.support.dovecot import Dovecot
from tests.support.loopback import free_port, until
from tests.support.people import ACHA, ADDRESS
from tests.support.postfix import Postfix
from tests.support.postgres import Postgres
from tests.support.running_desk import RunningDesk
from tests.support.settings import smtp_settings
from tests.support.smtp_sink import Sink

pytestmark = [pytest.mark.dovecot, pytest.mark.timeout(240)]
SALLY, BUDI = "sally@petugas.example", "budi@petugas.example"


def door(listen: str) -> str:
    return f'[lmtp]\nlisten = "{listen}"\n[inbound]\nmax_auto_replies_per_sender = "1000/h"\n'


def subjects(desk: RunningDesk) -> Counter[str]:
    return Counter(re.sub(r"^\[.*?\]\s*", "", str(ticket["subject"])) for ticket in desk.tickets())


@pytest.mark.postfix
def test_a_life_through_postfix_and_no_mailbox(
    tmp_path: Path, dovecot: Dovecot, sink: Sink, server_home: Callable[[], Path]
) -> None:
    """Postfix delivers into mailbot itself; what it can't get rid of while the database is locked it keeps."""
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Postfix can only be started by root")
    port = free_port()
    relay = Postfix(server_home(), world_port=sink.port, lmtp_port=port)
    with relay:
        submission = Submission(smtp_settings(relay.port))

        def deliver(sender: str, to: str, raw: bytes) -> None:
            assert isinstance(submission.send(sender, to, raw), Accepted)

        with RunningDesk(
            tmp_path, dovecot, sink, smtp_port=relay.port, deliver=deliver, sally=SALLY, budi=BUDI,
            more=door(f"127.0.0.1:{port}"), constants={"mailbot.desk.wiring:open_store.lock_wait": 1.0},
        ) as desk:  # fmt: skip
            desk.logged("LMTP: listening")
            desk.write(ACHA, "Tidak bisa tutup BKU")
            desk.wait_for(ACHA, "acknowledgement")
            desk.reply(desk.wait_for(SALLY, "notification"), SALLY, "Mohon NPSN.")
            desk.reply(desk.wait_for(ACHA, "answer"), ACHA, "20512345")
            assert "20512345" in desk.wait_for(SALLY, "notification", nth=2).text
            # a recipient that the desk does not know comes back to whoever wrote
            deliver(ACHA, "orang@helpdesk.example", mail("Salah alamat"))
            until(lambda: any(b"5.1.1" in raw for raw in sink.contents), 60, "Postfix's bounce")
            # the database is locked for so long that mailbot says 451: Postfix keeps the mail and tries again
            with sqlite3.connect(tmp_path / "data" / "mailbot.db", isolation_level=None) as other:
                other.execute("BEGIN IMMEDIATE")
                desk.write("guru@sekolah.example", "Selagi terkunci")
                until(lambda: "451 4.3.0" in relay.log(), 90, "mailbot can't store it")
                other.execute("ROLLBACK")
            other.close()
            desk.wait_for("guru@sekolah.example", "acknowledgement", seconds=60)
            assert dovecot.count("support") == 0 and dovecot.count("support", "Mailbot/Processed") == 0
            assert subjects(desk) == {"Tidak bisa tutup BKU": 1, "Selagi terkunci": 1}
        submission.close()


def test_a_kill_right_after_the_250_loses_nothing(tmp_path: Path, dovecot: Dovecot, sink: Sink) -> None:
    path = tmp_path / "lmtp.sock"
    with RunningDesk(tmp_path, dovecot, sink, more=door(f"unix:{path}")) as desk:
        for nth in range(3):
            desk.logged("LMTP: listening", times=nth + 1)
            with smtplib.LMTP(str(path)) as client:
                client.sendmail(
                    f"guru{nth}@sekolah.example", [ADDRESS], mail(f"Laporan {nth}", f"guru{nth}@sekolah.example")
                )
                desk.stop(signal.SIGKILL)
                client.close()
            desk.start()
        for nth in range(3):
            desk.wait_for(f"guru{nth}@sekolah.example", "acknowledgement")
        assert subjects(desk) == {f"Laporan {nth}": 1 for nth in range(3)}
        assert desk.stop() == 0 and not path.exists()


def test_a_pipelined_load_on_four_connections(tmp_path: Path, dovecot: Dovecot, sink: Sink) -> None:
    """200 mails, each session's all in one piece; the same mails lie in the IMAP inbox too, as by a forward."""
    port, count = free_port(), 200
    mails = [mail(f"Laporan {nth}", f"guru{nth}@sekolah{nth}.example") for nth in range(count)]
    with RunningDesk(tmp_path, dovecot, sink, more=door(f"127.0.0.1:{port}")) as desk:
        desk.logged("LMTP: listening")
        for raw in mails[:20]:
            dovecot.append("support", raw)
        accepted: list[int] = []

        def deliver(some: list[bytes]) -> None:
            talk = b"".join(
                f"MAIL FROM:<{ACHA}> BODY=8BITMIME\r\nRCPT TO:<{ADDRESS}>\r\nDATA\r\n".encode() + raw + b".\r\n"
                for raw in some
            )
            with socket.create_connection(("127.0.0.1", port), timeout=120) as wire:
                wire.sendall(b"LHLO pemuat\r\n" + talk + b"QUIT\r\n")
                answers = b"".join(iter(lambda: wire.recv(65536), b""))
            accepted.append(answers.count(b"250 2.0.0 Stored"))

        threads = [threading.Thread(target=deliver, args=(mails[nth::4],)) for nth in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(accepted) == count
        until(lambda: len([m for m in desk.sent() if m.kind == "acknowledgement"]) >= count, 120, "all are answered")
        desk.inbox_is_empty()
        assert subjects(desk) == {f"Laporan {nth}": 1 for nth in range(count)}
        answered = Counter(m.recipient for m in desk.sent() if m.kind == "acknowledgement")
        assert len(answered) == count and set(answered.values()) == {1}


@pytest.mark.postgresql
def test_on_a_shared_desk_it_goes_the_way_of_all_mail(
    tmp_path: Path, dovecot: Dovecot, sink: Sink, postgres: Postgres
) -> None:
    port = free_port()
    with RunningDesk(tmp_path, dovecot, sink, database_url=postgres.create(), more=door(f"127.0.0.1:{port}")) as desk:
        desk.logged("LMTP: listening", seconds=60)
        with smtplib.LMTP("127.0.0.1", port) as client:
            for nth in range(10):
                sender = f"guru{nth}@sekolah{nth}.example"
                client.sendmail(sender, [ADDRESS], mail(f"Laporan {nth}", sender))
        for nth in range(10):
            desk.wait_for(f"guru{nth}@sekolah{nth}.example", "acknowledgement", seconds=60)
        assert subjects(desk) == {f"Laporan {nth}": 1 for nth in range(10)}
