"""Delivery reports in the format of RFC 3464, and in prose."""

from __future__ import annotations

import time
from textwrap import dedent

import pytest

from mailbot.mail.classify.dsn import (
    find_bounce,
    is_success_report,
    read_bounce,
)
from mailbot.mail.message import Bounce, InboundMessage
from mailbot.mail.mime.parser import parse_message


def mail(text: str) -> InboundMessage:
    return parse_message(dedent(text).lstrip("\n").replace("\n", "\r\n").encode())


def bounce(text: str) -> Bounce:
    found = read_bounce(mail(text))
    assert found is not None
    return found


REPORT = """
    Return-Path: <>
    From: Mail Delivery System <MAILER-DAEMON@mx.helpdesk.example>
    To: support+b0abc@helpdesk.example
    Subject: Undelivered Mail Returned to Sender
    MIME-Version: 1.0
    Content-Type: multipart/report; report-type=delivery-status; boundary=b

    --b
    Content-Type: text/plain

    This is the mail system. Your message could not be delivered.

    --b
    Content-Type: message/delivery-status

    Reporting-MTA: dns; mx.helpdesk.example

    Original-Recipient: rfc822;Acha@Sekolah.sch.id
    Final-Recipient: rfc822; acha@mail.sekolah.sch.id
    Action: {action}
    Status: {status}
    Diagnostic-Code: smtp; {diagnostic}

    --b
    Content-Type: {returned}

    Message-ID: <a1@helpdesk.example>
    Subject: =?UTF-8?Q?=2312345_-_Tidak_bisa_tutup_BKU?=
    From: support@helpdesk.example

    --b--
    """


def report(
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "550 no such user",
    returned: str = "message/rfc822",
) -> str:
    return REPORT.format(action=action, status=status, diagnostic=diagnostic, returned=returned)


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
def test_a_report_is_read_field_by_field(returned: str) -> None:
    assert bounce(report(returned=returned)) == Bounce(
        hard=True,
        status="5.1.1",
        recipient="acha@sekolah.sch.id",
        diagnostic="550 no such user",
        original_message_id="<a1@helpdesk.example>",
        original_subject="#12345 - Tidak bisa tutup BKU",
    )


@pytest.mark.parametrize(
    ("action", "status", "hard"),
    [
        ("failed", "5.2.2", True),
        ("failed", "4.4.7", True),  # given up after days: will not be delivered
        ("Failed (no such user)", "5.1.1", True),
        ("delayed", "4.4.1", False),
        ("expired", "4.4.7", True),
    ],
)
def test_what_will_never_be_delivered_is_hard(action: str, status: str, hard: bool) -> None:
    assert bounce(report(action=action, status=status)).hard is hard


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_report_of_success_is_no_bounce(action: str) -> None:
    message = mail(report(action=action, status="2.0.0", diagnostic="250 ok"))
    assert is_success_report(message)
    assert read_bounce(message) is None


def test_a_telling_status_in_the_diagnostic_is_preferred_to_a_general_one() -> None:
    assert bounce(report(status="5.0.0", diagnostic="550 5.7.1 rejected by policy")).status == "5.7.1"
    assert bounce(report(status="5.1.1", diagnostic="450 4.2.0 greylisted")).status == "5.1.1"


def test_of_several_recipients_the_one_that_failed_counts() -> None:
    text = report(action="delayed", status="4.4.1").replace(
        "    --b\n    Content-Type: message/rfc822",
        "    Final-Recipient: rfc822; budi@sekolah.sch.id\n    Action: failed\n    Status: 5.2.1\n\n"
        "    --b\n    Content-Type: message/rfc822",
    )
    found = bounce(text)
    assert (found.recipient, found.status, found.hard) == ("budi@sekolah.sch.id", "5.2.1", True)


def test_folded_fields_and_recipients_that_no_blank_line_parts_are_read() -> None:
    delivered = "    Final-Recipient: rfc822; lain@sekolah.sch.id\n    Action: delivered\n    Original-Recipient"
    text = report(diagnostic="550 5.1.1\n       no such user").replace("    Original-Recipient", delivered)
    found = bounce(text)
    assert (found.recipient, found.diagnostic) == ("acha@mail.sekolah.sch.id", "550 5.1.1 no such user")


PROSE: list[tuple[str, str, str, bool, str]] = [
    # (sender, subject, body, hard, status)
    (
        "MAILER-DAEMON@gw.example",
        "failure notice",
        "Hi. This is the qmail-send program at gw.example.\nI'm afraid I wasn't able to deliver your message to the "
        "following addresses.\nThis is a permanent error; I've given up.\n\n<acha@sekolah.sch.id>:\n"
        "Sorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n"
        "Message-ID: <a1@helpdesk.example>\nSubject: Tiket",
        True,
        "5.1.1",
    ),
    (
        "Mailer-Daemon@exim.example",
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
        "delivered to one or more of its\nrecipients. This is a permanent error. These addresses failed:\n\n"
        "  acha@sekolah.sch.id\n    SMTP error from remote mail server after RCPT TO:<acha@sekolah.sch.id>:\n"
        "    host mx.sekolah.sch.id [192.0.2.1]: 550 5.1.1 User unknown\n\n--- This is a copy of the message ---\n\n"
        "Message-ID: <a1@helpdesk.example>\nSubject: Tiket",
        True,
        "5.1.1",
    ),
    (
        "Mailer-Daemon@exim.example",
        "Warning: message 1abc delayed 24 hours",
        "A message that you sent has not yet been delivered to one or more of its recipients after 24 hours.\n\n"
        "  acha@sekolah.sch.id\n\nNo action is required on your part. Delivery attempts will continue.\n"
        "Message-ID: <a1@helpdesk.example>\nSubject: Tiket",
        False,
        "",
    ),
    (
        "System Administrator <postmaster@exchange.example>",
        "Undeliverable: Tiket",
        "Your message\n\n  To:      acha@sekolah.sch.id\n  Subject: Tiket\n  Sent:    Mon, 24 Nov 2025\n\n"
        "did not reach the following recipient(s):\n\nacha@sekolah.sch.id on Mon, 24 Nov 2025\n"
        "    The recipient name is not recognized\n\nMessage-ID: <a1@helpdesk.example>\nSubject: Tiket",
        True,
        "",
    ),
    (
        "postmaster@notes.example",
        "DELIVERY FAILURE: User acha not listed in public Name & Address Book",
        "------- Failure Reasons  --------\n\nUser not listed in public Name & Address Book\nacha@sekolah.sch.id\n\n"
        "------- Returned Message --------\nReceived: from a\nMessage-ID: <a1@helpdesk.example>\nSubject: Tiket",
        True,
        "",
    ),
    (
        "mailer-daemon@mail.example",
        "Pesan tidak terkirim",
        "Pesan Anda tidak terkirim ke acha@sekolah.sch.id karena alamat tidak ditemukan.\n\n"
        "550 5.1.1 alamat tidak ada\nMessage-ID: <a1@helpdesk.example>\nSubject: Tiket",
        True,
        "5.1.1",
    ),
    (
        "no-reply@operator.example.jp",
        "メールエラー通知",
        "送信先のメールボックスが一杯のため、送信できませんでした。\n\nacha@sekolah.sch.id\n552 mailbox full\n\n"
        "Message-ID: <a1@helpdesk.example>\nSubject: Tiket",
        True,
        "5.0.0",
    ),
    (
        "Symantec_AntiVirus@gw.example",
        "Delivery failure notification",
        "Your message with Subject: Tiket could not be delivered to the following recipients:\nacha@sekolah.sch.id\n"
        "Message-ID: <a1@helpdesk.example>\nSubject: Tiket",
        True,
        "",
    ),
]


@pytest.mark.parametrize(("sender", "subject", "body", "hard", "status"), PROSE, ids=[s for s, *_ in PROSE])
def test_a_report_in_prose(sender: str, subject: str, body: str, hard: bool, status: str) -> None:
    raw = f"From: {sender}\r\nTo: support@helpdesk.example\r\nSubject: {subject}\r\n\r\n{body}\r\n"
    found = read_bounce(parse_message(raw.encode()))
    assert found is not None
    assert (found.recipient, found.hard, found.status) == ("acha@sekolah.sch.id", hard, status)
    assert found.original_message_id == "<a1@helpdesk.example>"
    assert found.original_subject == "Tiket"
    assert found.diagnostic


NO_BOUNCES: list[tuple[str, str, str]] = [
    (
        "Acha <acha@sekolah.sch.id>",
        "Email tidak terkirim",
        "Selamat pagi, email saya gagal dikirim ke dinas. Mohon dicek.",
    ),
    (
        "Acha <acha@sekolah.sch.id>",
        "Fwd: Undelivered Mail Returned to Sender",
        "Pak, ini maksudnya apa?\n\n> This message was created automatically by mail delivery software.\n"
        "> could not be delivered: 550 5.1.1 User unknown",
    ),
    (
        "Acha <acha@sekolah.sch.id>",
        "Undelivered mail",
        "Dear admin, my mail could not be delivered, it says 550 5.1.1 User unknown.\n-----Original Message-----\nhalo",
    ),
    ("postmaster@sekolah.sch.id", "Email tidak terkirim", "Kami mengirim email ke dinas tetapi gagal terkirim."),
    ("postmaster@sekolah.sch.id", "Perubahan rekening", "Kami ingin mengubah rekening sekolah. Terima kasih."),
    ("Toko <noreply@toko.example>", "Payment rejected", "Your payment was rejected by the bank. Please try again."),
    ("Acha <acha@sekolah.sch.id>", "Re: #12345 - BKU", "Masih gagal dikirim, error 550."),
    ("MAILER-DAEMON@mx.example", "Halo", "Selamat pagi."),
]


@pytest.mark.parametrize(("sender", "subject", "body"), NO_BOUNCES, ids=[s for _, s, _ in NO_BOUNCES])
def test_a_person_who_writes_about_a_bounce_makes_none(sender: str, subject: str, body: str) -> None:
    raw = f"From: {sender}\r\nTo: support@helpdesk.example\r\nSubject: {subject}\r\n\r\n{body}\r\n"
    assert read_bounce(parse_message(raw.encode())) is None


def test_a_report_that_a_person_forwards_as_a_file_is_theirs() -> None:
    inner = dedent(report()).lstrip("\n")
    raw = (
        "From: Acha <acha@sekolah.sch.id>\nSubject: Fwd: gagal\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=outer\n\n--outer\nContent-Type: text/plain\n\n"
        f"Ini kenapa ya pak?\n\n--outer\nContent-Type: message/rfc822\n\n{inner}\n--outer--\n"
    )
    assert read_bounce(parse_message(raw.encode())) is None


def test_a_report_whose_parts_a_person_forwards_is_theirs() -> None:
    raw = (
        "From: Acha <acha@sekolah.sch.id>\nSubject: Fwd: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSelamat pagi, ini kenapa?\n\n"
        "> Your message could not be delivered.\n\n--b\nContent-Type: message/delivery-status\n\n"
        "Final-Recipient: rfc822; a@b.id\nAction: failed\nStatus: 5.1.1\n\n--b--\n"
    )
    assert read_bounce(parse_message(raw.encode())) is None
    by_daemon = raw.replace("Acha <acha@sekolah.sch.id>", "MAILER-DAEMON@x.example").replace("Fwd: ", "")
    assert read_bounce(parse_message(by_daemon.encode())) is not None


def test_our_envelope_sender_is_evidence() -> None:
    message = mail("From: a@gw.example\nSubject: x\n\nYour mail could not be delivered to acha@sekolah.sch.id.\n")
    assert find_bounce(message) is None
    found = find_bounce(message, at_bounce_address=True)
    assert found is not None
    assert "bounce address" in found.signs


@pytest.mark.parametrize(
    "status",
    [" a\n" * 20_000, "Action: failed\n\n" * 5_000, "Diagnostic-Code: " + "x" * 60_000, "Status: " + "5." * 30_000],
    ids=["folds", "recipients", "long", "address"],
)
def test_hostile_fields_cost_little(status: str) -> None:
    raw = (
        "From: MAILER-DAEMON@x.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        f"--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.id\n{status}\n\n--b--\n"
    )
    message = parse_message(raw.encode())
    before = time.process_time()
    assert read_bounce(message) is not None
    assert time.process_time() - before < 1
