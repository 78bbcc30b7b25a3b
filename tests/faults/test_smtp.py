"""The SMTP server fails under the running daemon: no mail dies of it, none is sent twice, each fault is said once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.faulty_desk import FaultyDesk, Watch
from tests.support.certificate import Certificate
from tests.support.chaos_results import is_recording, record
from tests.support.dovecot import PASSWORD, Dovecot
from tests.support.loopback import until
from tests.support.postfix import Postfix
from tests.support.running_desk import (
    ACHA,
    BUDI,
    SALLY,
)
from tests.support.scripted import Peer
from tests.support.scripted_smtp import (
    ScriptedSmtp,
    hangs_up,
    is_silent,
    reply,
)
from tests.support.smtp_sink import Sink

pytestmark = pytest.mark.dovecot


def test_greylisting(desk: FaultyDesk, watch: Watch, sink: Sink) -> None:
    """Refused for the moment: that mail waits half a minute, all other mail goes on."""
    sink.replies["rcpt"] = {"guru0@sekolah.example": "450 4.2.0 greylisted, come back in 27 seconds"}
    watch.write(2)
    desk.wait_for("guru1@sekolah.example", "acknowledgement")
    until(lambda: [row["attempts"] for row in desk.outbox()] == [1], 60, f"it alone waits, tried: {desk.outbox()}")
    [waiting] = desk.outbox()
    assert waiting["recipient"] == "guru0@sekolah.example" and "greylisted" in waiting["last_error"]
    told = desk.lines("greylisted")
    assert len(told) == 1 and "not yet" in told[0] and "guru0@sekolah.example" in told[0], desk.lines()
    assert desk.works("smtp") and "unreachable" not in desk.status()
    assert desk.check()["SMTP"].state == "ok"
    sink.replies.clear()
    watch.mended()
    if not is_recording():
        desk.cli("outbox", "retry")  # spares the half minute
    watch.whole("smtp: greylisted (450)", note="its own back-off: half a minute")
    assert len(desk.lines()) == 1, desk.lines()


def test_refused_for_one_of_three_and_after_data(desk: FaultyDesk, sink: Sink) -> None:
    sink.replies["rcpt"] = {SALLY: "550 5.1.1 no such user"}
    desk.write(ACHA, "Penerima yang salah")
    desk.wait_for(ACHA, "acknowledgement")
    desk.wait_for(BUDI, "notification")
    until(lambda: any(row["state"] == "failed" for row in desk.outbox()), 20, "it was given up")
    failed = [row for row in desk.outbox() if row["state"] == "failed"]
    assert [row["recipient"] for row in failed] == [SALLY] and "550 5.1.1" in failed[0]["last_error"]
    sink.replies = {"data": {"tolak@sekolah.example": "554 5.7.1 spam"}}
    desk.write("tolak@sekolah.example", "Ditolak sesudah DATA")
    desk.logged("554 5.7.1 spam")
    desk.wait_for(SALLY, "notification")
    told = desk.lines("was not delivered")
    assert len(told) == 2 and SALLY in told[0] and "tolak@sekolah.example" in told[1], told
    assert desk.works("smtp")
    refused = ("no such user", "spam")
    assert all(any(word in line for word in refused) for line in desk.lines()), desk.lines()
    record("smtp: refused for one of three, and after DATA", 0.0, note="the others at once; leads are told")


RETRIES_SOON = {} if is_recording() else {"mailbot.desk.outbound.delivery:FIRST_DELAY": 3}
STEPS = ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "DOT")


def test_the_connection_drops_at_each_step(tmp_path: Path, dovecot: Dovecot) -> None:
    sink = Sink()
    with (
        ScriptedSmtp() as server,
        FaultyDesk(tmp_path, dovecot, sink, smtp_port=server.port, scripted=server, constants=RETRIES_SOON) as desk,
    ):
        desk.logged("running", seconds=90)
        watch = Watch(desk)
        steps = STEPS if is_recording() else ("GREETING", "RCPT", "DOT")
        for step in steps:
            server.overrides = {step: hangs_up}
            server.hang_up()
            before = len(desk.lines())
            watch.write()
            until(lambda seen=before: len(desk.lines()) > seen, 20, "it is told")  # type: ignore[misc]
            server.overrides = {}
            watch.mended()
            # what was lost after the dot may have arrived: the same mail comes again, with the same Message-ID
            drops = 0 if step != "DOT" else len(server.contents)
            watch.whole(f"smtp: connection drops at {step}", allowed=drops, seconds=40)
            until(lambda seen=before: len(desk.lines()) == seen + 2, 10, "its end is told")  # type: ignore[misc]
            assert desk.works("smtp")
        assert len(desk.lines()) == 2 * len(steps), desk.lines()
        assert all("mailbot connects again" in line or "works again" in line for line in desk.lines()), desk.lines()


@pytest.mark.chaos
@pytest.mark.timeout(500)
@pytest.mark.parametrize("step", ["GREETING", "MAIL", "DOT"])
def test_hangs(tmp_path: Path, dovecot: Dovecot, step: str) -> None:
    """A server that is silent: a minute for a reply, four for the one to the dot."""
    sink = Sink()
    with (
        ScriptedSmtp(**{step: is_silent}) as server,  # type: ignore[arg-type]
        FaultyDesk(tmp_path, dovecot, sink, smtp_port=server.port, scripted=server) as desk,
    ):
        watch = Watch(desk)
        watch.write(2)
        desk.says("outbox: unreachable", seconds=300)
        told = desk.lines()
        assert len(told) == 1 and "did not answer in time" in told[0], told
        # what it had whole, one mail on each connection, nobody told us: it comes again, with the same Message-ID
        again = len(server.contents) if step == "DOT" else 0
        server.overrides = {}
        watch.mended()
        watch.whole(f"smtp: hangs at {step}", seconds=150, allowed=again)
        assert len(desk.lines()) == 2, desk.lines()


def test_a_wrong_reply_is_no_flood(tmp_path: Path, dovecot: Dovecot) -> None:
    """A server that is overloaded, with another number in each of its lines."""
    count = iter(range(10_000))

    def busy(peer: Peer, line: bytes) -> None:
        reply(421, f"4.3.2 busy, session {next(count)}")(peer, line)

    sink = Sink()
    with (
        ScriptedSmtp(GREETING=busy) as server,
        FaultyDesk(tmp_path, dovecot, sink, smtp_port=server.port, scripted=server) as desk,
    ):
        watch = Watch(desk)
        watch.write(3)
        until(lambda: server.connections >= 4, 40, "it was tried four times")
        assert len(desk.lines()) == 1 and "421 4.3.2 busy" in desk.lines()[0], desk.lines()
        assert not desk.works("smtp") and all(row["attempts"] == 0 for row in desk.outbox())
        server.overrides = {}
        watch.mended()
        assert watch.whole("smtp: overloaded (421)", seconds=60) < 45


def expired(home: Path) -> Certificate:
    """A certificate for loopback that was good until twenty days ago."""
    made = Certificate(home / "expired.pem", home / "expired.key")
    command = (
        "faketime -f -30d openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 10 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    )
    subprocess.run(
        [*command.split(), "-keyout", str(made.key), "-out", str(made.certificate)], check=True, capture_output=True
    )
    return made


@pytest.mark.faketime
def test_the_certificate_has_expired(tmp_path: Path, dovecot: Dovecot, certificate: Certificate) -> None:
    old = expired(tmp_path)
    both = tmp_path / "authorities.pem"
    both.write_bytes(old.certificate.read_bytes() + certificate.certificate.read_bytes())
    sink = Sink(certificate=old)
    keys = {"smtp_security": "starttls", "smtp_more": f'ca_file = "{both}"'}
    with FaultyDesk(tmp_path, dovecot, sink, keys=keys) as desk:
        watch = Watch(desk)
        with sink:
            watch.write(2)
            desk.says("outbox: unreachable")
            found = desk.check()["SMTP"]
            assert found.state == "fail" and "has expired. Renew the certificate" in found.found, found
        sink.certificate = certificate
        with sink:
            watch.mended()
            watch.whole("smtp: TLS certificate expired", seconds=60)
            until(lambda: len(desk.lines("works again")) == 1, 10, "its end is told")
            assert len(desk.lines("has expired")) == 1, desk.lines()
            desk.stop()


def test_credentials_changed(tmp_path: Path, dovecot: Dovecot, certificate: Certificate) -> None:
    """535: the account's matter, so no mail dies of it, however long it lasts."""
    sink = Sink(certificate=certificate, account=("desk", "lama-sekali"))
    keys = {
        "smtp_security": "starttls",
        "smtp_more": f'ca_file = "{certificate.certificate}"\nusername = "desk"\npassword = "lama-sekali"\n'
        'retry_for = "1s"',
    }
    with sink, FaultyDesk(tmp_path, dovecot, sink, keys=keys) as desk:
        watch = Watch(desk)
        sink.account = ("desk", "baru")
        watch.write(2)
        desk.says("outbox: unreachable")
        until(lambda: sink.connections >= 4, 30, "it was tried again")
        waiting = desk.outbox()
        assert {row["state"] for row in waiting} <= {"pending", "sending"} and len(waiting) == 6, waiting
        found = desk.check()["SMTP"]
        assert found.state == "fail" and "Check smtp.username and smtp.password" in found.found, found
        assert len(desk.lines()) == 1 and "535" in desk.lines()[0] and "lama-sekali" not in desk.log(), desk.lines()
        sink.account = ("desk", "lama-sekali")
        watch.mended()
        watch.whole("smtp: credentials changed (535)", seconds=60, note="retry_for was over; no mail died")
        assert len(desk.lines()) == 2, desk.lines()


@pytest.mark.postfix
def test_a_real_postfix_goes_and_changes_the_password(
    server_home: Callable[[], Path], tmp_path: Path, certificate: Certificate, dovecot: Dovecot, sink: Sink
) -> None:
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Postfix can only be started by root")
    relay = Postfix(
        server_home(), world_port=sink.port, desk_domain="helpdesk.invalid", lmtp_port=dovecot.lmtp_port,
        sasl_port=dovecot.sasl_port, certificate=certificate,
    )  # fmt: skip
    keys = {
        "smtp_security": "starttls",
        "smtp_more": f'ca_file = "{certificate.certificate}"\nusername = "support"\npassword = "{PASSWORD}"',
    }
    with FaultyDesk(tmp_path, dovecot, sink, smtp_port=relay.submission_port, keys=keys) as desk:
        watch = Watch(desk)
        watch.write()
        desk.says("outbox: unreachable")
        assert "Check that the server runs" in desk.check()["SMTP"].found
        with relay:
            watch.mended()
            watch.whole("postfix: was down", seconds=60)
            desk.keys["smtp_more"] = desk.keys["smtp_more"].replace(PASSWORD, "yang-salah")
            desk.write_config()
            assert desk.process is not None
            desk.process.send_signal(1)
            desk.logged("configuration reloaded")
            watch.write()
            desk.logged("the log-in was refused: 535")
            desk.keys["smtp_more"] = desk.keys["smtp_more"].replace("yang-salah", PASSWORD)
            desk.write_config()
            watch.mended()
            desk.process.send_signal(1)
            watch.whole("postfix: wrong password (535), then a reload", seconds=60)
            assert len(desk.lines("535")) == 1, desk.lines()
