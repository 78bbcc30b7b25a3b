"""The same life with a real Postfix on both sides: in through LMTP to Dovecot, out as the relay, with real bounces."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mailbot.transport.smtp.submission import Accepted, Submission
from tests.support.dovecot import Dovecot
from tests.support.loopback import until
from tests.support.postfix import Postfix
from tests.support.running_desk import ACHA, RunningDesk
from tests.support.settings import smtp_settings
from tests.support.smtp_sink import Sink

pytestmark = [pytest.mark.postfix, pytest.mark.dovecot]
GONE = "pindah@sekolah.example"
# Not in the desk's own domain, which this Postfix hands to Dovecot.
SALLY, BUDI = "sally@petugas.example", "budi@petugas.example"


def test_a_life_through_postfix(server_home: Callable[[], Path], tmp_path: Path) -> None:
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Postfix can only be started by root")
    sink = Sink(replies={"rcpt": {GONE: "550 5.1.1 no such user here"}})
    with sink, Dovecot(server_home()) as dovecot:
        relay = Postfix(server_home(), world_port=sink.port, lmtp_port=dovecot.lmtp_port)
        with relay:
            submission = Submission(smtp_settings(relay.port))

            def deliver(sender: str, to: str, raw: bytes) -> None:
                assert isinstance(submission.send(sender, to, raw), Accepted)

            with RunningDesk(
                tmp_path, dovecot, sink, smtp_port=relay.port, deliver=deliver, sally=SALLY, budi=BUDI
            ) as desk:
                desk.write(ACHA, "Tidak bisa tutup BKU")
                acknowledgement = desk.wait_for(ACHA, "acknowledgement")
                assert acknowledgement["Return-Path"] == "" and "+b0" in acknowledgement.envelope_from
                desk.reply(desk.wait_for(SALLY, "notification"), SALLY, "Mohon NPSN.")
                answer = desk.wait_for(ACHA, "answer")
                desk.reply(answer, ACHA, "20512345")
                again = desk.wait_for(SALLY, "notification", nth=2)
                assert "20512345" in again.text
                desk.reply(again, SALLY, "#selesai\nSudah kami perbaiki.")
                closure = desk.wait_for(ACHA, "closure")
                desk.reply(closure, ACHA, "kendala masih terjadi")
                assert "12346" in desk.wait_for(ACHA, "acknowledgement", nth=2).text
                # an address that the world refuses: Postfix's own bounce comes back and reaches the agent
                desk.write(GONE, "Dari alamat yang pindah")
                notice = desk.wait_for(SALLY, "notice", seconds=60)
                assert "5.1.1" in notice.text and GONE in notice.text
                until(lambda: dovecot.count("support") == 0, 20, "the bounce was filed")
                assert not desk.to("mailer-daemon@localhost")
            submission.close()
