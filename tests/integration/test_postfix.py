"""`Submission` and `Mailbox` with a real Postfix between them: the relay outwards, and the way in through LMTP."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailbot.transport.imap.idle import WakeUp
from mailbot.transport.imap.mailbox import Mailbox
from mailbot.transport.smtp.submission import (
    Accepted,
    Deferred,
    Rejected,
    Submission,
)
from tests.support.certificate import Certificate
from tests.support.dovecot import PASSWORD, Dovecot
from tests.support.loopback import until
from tests.support.postfix import Postfix
from tests.support.settings import imap_settings, smtp_settings
from tests.support.smtp_sink import Sink

pytestmark = [pytest.mark.postfix, pytest.mark.dovecot]

DESK = "support@helpdesk.example"
REFUSALS = {"gone@sekolah.example": "550 5.1.1 no such user", "later@sekolah.example": "450 4.2.0 try later"}


def mail(number: int, body: str = "Halo.") -> bytes:
    return f"From: {DESK}\r\nTo: sdn1@sekolah.example\r\nSubject: #{number} - x\r\n\r\n{body}\r\n".encode()


@pytest.fixture(scope="module")
def world() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def dovecot(server_home: Callable[[], Path]) -> Iterator[Dovecot]:
    with Dovecot(server_home()) as server:
        yield server


@pytest.fixture(scope="module")
def postfix(
    server_home: Callable[[], Path], world: Sink, dovecot: Dovecot, certificate: Certificate
) -> Iterator[Postfix]:
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Postfix can only be started by root")
    with Postfix(
        server_home(),
        world_port=world.port,
        lmtp_port=dovecot.lmtp_port,
        sasl_port=dovecot.sasl_port,
        certificate=certificate,
        refusals=REFUSALS,
    ) as server:
        yield server


def test_mail_goes_out_through_the_relay_over_one_connection(postfix: Postfix, world: Sink) -> None:
    submission = Submission(smtp_settings(postfix.port))
    before = len(world.envelopes)
    for number in range(20):
        assert isinstance(submission.send(DESK, f"sdn{number}@sekolah.example", mail(number)), Accepted)
    assert submission.send(DESK, "gone@sekolah.example", mail(98)) == Rejected(
        550, "5.1.1 <gone@sekolah.example>: Recipient address rejected: no such user"
    )
    later = submission.send(DESK, "later@sekolah.example", mail(99))
    assert isinstance(later, Deferred)
    assert (later.code, later.server_gone) == (450, False)
    assert isinstance(submission.send("", "sdn20@sekolah.example", mail(20)), Accepted)
    assert "PIPELINING" in submission.check()
    submission.close()
    until(lambda: len(world.envelopes) == before + 21, 15, "the world got the mail")
    assert {envelope.rcpt_tos[0] for envelope in world.envelopes[before:]} == {
        f"sdn{number}@sekolah.example" for number in range(21)
    }
    assert mail(7).partition(b"\r\n\r\n")[0] in b"".join(world.contents)


def test_submission_with_starttls_and_a_log_in(postfix: Postfix, certificate: Certificate) -> None:
    trusting = {"security": "starttls", "ca_file": str(certificate.certificate)}
    known = Submission(smtp_settings(postfix.submission_port, username="desk", password=PASSWORD, **trusting))
    assert isinstance(known.send(DESK, "sdn1@sekolah.example", mail(1)), Accepted)
    assert "logged in as desk" in known.check()
    known.close()
    wrong = Submission(smtp_settings(postfix.submission_port, username="desk", password="salah", **trusting))
    refused = wrong.send(DESK, "sdn1@sekolah.example", mail(1))
    assert isinstance(refused, Deferred)
    assert (refused.code, refused.server_gone) == (535, True)


def test_dots_long_mails_and_eight_bit_pass_unchanged(postfix: Postfix, world: Sink) -> None:
    submission = Submission(smtp_settings(postfix.port))
    body = "\r\n".join([".", "..", ".x", "Désirée", *("x" * 900 for _ in range(3_000))])
    assert isinstance(submission.send(DESK, "besar@sekolah.example", mail(1, body)), Accepted)
    submission.close()
    until(lambda: any("besar" in envelope.rcpt_tos[0] for envelope in world.envelopes), 15, "the large mail came")
    (found,) = [envelope for envelope in world.envelopes if "besar" in envelope.rcpt_tos[0]]
    assert bytes(found.original_content or b"").partition(b"\r\n\r\n")[2] == f"{body}\r\n".encode()


def test_mail_comes_in_with_its_token_through_lmtp(postfix: Postfix, dovecot: Dovecot) -> None:
    mailbox, wake = Mailbox(imap_settings(dovecot.port, "support"), max_size=1_000_000), WakeUp()
    mailbox.open()
    outside = Submission(smtp_settings(postfix.port))
    threading.Timer(0.1, outside.send, ("sdn1@sekolah.example", "support+t0k3n@helpdesk.example", mail(1))).start()
    assert mailbox.wait(30, wake) is True
    (batch,) = mailbox.fetch(mailbox.uids()[1])
    assert b"Return-Path: <sdn1@sekolah.example>" in batch[0].raw
    assert b"support+t0k3n@helpdesk.example" in batch[0].raw
    mailbox.close()
    outside.close()
    wake.close()


def test_a_relay_that_restarts_between_two_mails(postfix: Postfix) -> None:
    submission = Submission(smtp_settings(postfix.port))
    assert isinstance(submission.send(DESK, "sdn1@sekolah.example", mail(1)), Accepted)
    postfix.stop()
    # The process that holds our connection may outlive the others a little: then it says 4xx, and later nothing.
    assert isinstance(submission.send(DESK, "sdn1@sekolah.example", mail(2)), Deferred)
    submission.close()
    gone = submission.send(DESK, "sdn1@sekolah.example", mail(2))
    assert isinstance(gone, Deferred)
    assert gone.server_gone
    postfix.start()
    assert isinstance(submission.send(DESK, "sdn1@sekolah.example", mail(2)), Accepted)
    submission.close()
