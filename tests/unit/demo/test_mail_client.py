"""What the demo's people write: formatted as by Gmail, and parsed by the desk's own parser."""

from __future__ import annotations

import email
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.demo.mail_client import Draft, File, new_mail, out_of_office, reply, reply_recipients
from mailbot.demo.mails import ChangeNotifier, DemoMail, Mailboxes, threads
from mailbot.demo.people import BUDI, DESK_ADDRESS, SALLY, SDN1, SMPN3, Person, is_desk
from mailbot.mail.mime.parser import parse_message

AT = datetime(2025, 11, 24, 2, 15, tzinfo=UTC)
TOKEN_ADDRESS = "support+a1b2c3@helpdesk.example"


def mail_of(person: Person, raw: bytes, sent: bool = False, number: int = 1) -> DemoMail:
    return DemoMail(number, person, sent, AT, raw)


def from_desk(person: Person, **more: str) -> DemoMail:
    headers = {
        "From": f'"Sally (BOSP)" <{DESK_ADDRESS}>', "To": person.email, "Reply-To": TOKEN_ADDRESS,
        "Subject": "#12345 - Tidak bisa tutup BKU", "Message-ID": "<answer.1@helpdesk.example>",
        "References": "<report.1@mail.sekolah.example>", "X-Mailbot-Kind": "answer", "X-Mailbot-Ticket": "12345",
    } | more  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return mail_of(person, f"{head}\r\nBoleh infokan NPSN?\r\n> baris lama\r\n".encode())


def test_a_reply_goes_to_the_reply_address_and_threads() -> None:
    mail = reply(Draft(SDN1, "Berikut NPSN kami: 20512345", AT + timedelta(minutes=5)), from_desk(SDN1))
    assert (mail.sender, mail.recipients) == (SDN1.email, (TOKEN_ADDRESS,))
    read = parse_message(mail.raw)
    assert read.subject == "Re: #12345 - Tidak bisa tutup BKU"
    assert read.in_reply_to == ("<answer.1@helpdesk.example>",)
    assert read.references == ("<report.1@mail.sekolah.example>", "<answer.1@helpdesk.example>")
    assert read.from_addr == SDN1.email
    assert read.date == AT + timedelta(minutes=5)


def test_the_quotation_is_gmails_in_both_parts() -> None:
    read = parse_message(reply(Draft(SDN1, "Siap.", AT), from_desk(SDN1)).raw)
    words, _, quoted = read.text.partition("\n\n")
    assert words == "Siap."
    # The line is longer than 78 characters: Gmail breaks it there.
    attribution = "Pada Sen, 24 Nov 2025 pukul 09.15 Sally (BOSP) <\nsupport@helpdesk.example> menulis:"
    assert quoted.startswith(f"{attribution}\n\n> Boleh infokan NPSN?")
    assert "\n>> baris lama" in quoted
    assert '<div class="gmail_quote' in read.html
    assert read.html.index("Siap.") < read.html.index("gmail_quote")
    assert "menulis:" in read.html


def test_a_second_reply_does_not_stack_prefixes_and_quotes_html_without_its_document() -> None:
    page = b"<html><head><title>t</title></head><body class=x><b>isi</b></body></html>"
    raw = b"From: a@helpdesk.example\r\nSubject: RE: x\r\nContent-Type: text/html\r\n\r\n" + page
    read = parse_message(reply(Draft(SDN1, "ya", AT), mail_of(SDN1, raw)).raw)
    assert read.subject == "RE: x"
    assert "<b>isi</b></blockquote>" in read.html
    assert "<title>" not in read.html


def test_an_agents_signature_stands_between_words_and_quotation() -> None:
    read = parse_message(reply(Draft(SALLY, "#selesai\nSudah.", AT), from_desk(SALLY)).raw)
    assert read.text.startswith("#selesai\nSudah.\n\n-- \nSally\nHelpdesk BOSP\n\nPada ")
    assert "gmail_signature" in read.html


@pytest.mark.parametrize(
    ("writer", "found", "everybody", "to", "cc"),
    [
        # to Reply-To, alone
        (SDN1, from_desk(SDN1, Cc=SMPN3.email), False, [TOKEN_ADDRESS], []),
        # with the other participants, without oneself
        (SDN1, from_desk(SDN1, Cc=SMPN3.email), True, [TOKEN_ADDRESS], [SMPN3.email]),
        # to the desk only once
        (SDN1, from_desk(SDN1, Cc=f"{DESK_ADDRESS}, {SMPN3.email}"), True, [TOKEN_ADDRESS], [SMPN3.email]),
        # without Reply-To: to the author
        (BUDI, from_desk(BUDI, **{"Reply-To": ""}), False, [DESK_ADDRESS], []),
    ],
)
def test_who_an_answer_goes_to(writer: Person, found: DemoMail, everybody: bool, to: list[str], cc: list[str]) -> None:
    first, second = reply_recipients(writer, found, everybody)
    assert ([a.email for a in first], [a.email for a in second]) == (to, cc)


def test_an_answer_to_ones_own_mail_goes_where_that_went() -> None:
    own = mail_of(SDN1, new_mail(Draft(SDN1, "isi", AT, subject="Kendala"), [DESK_ADDRESS]).raw, sent=True)
    assert [a.email for a in reply_recipients(SDN1, own, False)[0]] == [DESK_ADDRESS]


def test_a_new_mail_carries_its_files_and_no_header_can_be_smuggled_in() -> None:
    files = File("bukti é.png", b"\x89PNG..."), File("daftar.xlsx", b"PK\x03\x04")
    mail = new_mail(Draft(SDN1, "isi", AT, files, "Kendala\r\nBcc: semua@sekolah.example"), [DESK_ADDRESS])
    read = parse_message(mail.raw)
    assert read.subject == "Kendala Bcc: semua@sekolah.example"
    assert "Bcc" not in read.headers
    assert [(a.name, a.content) for a in read.attachments] == [(f.name, f.content) for f in files]
    assert read.text.strip() == "isi"
    assert max(len(line) for line in mail.raw.split(b"\r\n")) <= 998


def test_an_absent_persons_robot_says_what_it_is() -> None:
    mail = out_of_office(Draft(SDN1, "Saya sedang cuti.", AT), from_desk(SDN1))
    assert (mail.sender, mail.recipients) == ("", (TOKEN_ADDRESS,))
    read = parse_message(mail.raw)
    assert read.headers.get("Auto-Submitted") == "auto-replied"
    assert read.in_reply_to == ("<answer.1@helpdesk.example>",)


def test_long_reference_lists_are_not_encoded() -> None:
    many = " ".join(f"<{'x' * 90}.{n}@helpdesk.example>" for n in range(8))
    raw = reply(Draft(SDN1, "ya", AT), from_desk(SDN1, References=many)).raw
    assert b"=?" not in email.message_from_bytes(raw)["References"].encode()
    assert len(parse_message(raw).references) == 9


def test_conversations_are_grouped_by_references() -> None:
    mailboxes = Mailboxes(ChangeNotifier())
    report = new_mail(Draft(SDN1, "isi", AT, subject="Kendala"), [DESK_ADDRESS])
    mailboxes.keep_sent(SDN1, report.raw, AT)
    mailboxes.deliver(SDN1, b"Message-ID: <other@x.example>\r\nSubject: lain\r\n\r\nx", AT)
    root = parse_message(report.raw).message_id
    answer = mailboxes.deliver(SDN1, f"Message-ID: <ack@x.example>\r\nReferences: {root}\r\n\r\nx".encode(), AT)
    mailboxes.keep_sent(SDN1, reply(Draft(SDN1, "ya", AT), answer).raw, AT)
    mailboxes.deliver(SALLY, f"Message-ID: <n@x.example>\r\nReferences: {root}\r\n\r\nx".encode(), AT)
    assert [[one.id for one in group] for group in threads(mailboxes.of(SDN1))] == [[1, 3, 4], [2]]
    assert mailboxes.is_read(mailboxes.all()[0])
    assert not mailboxes.is_read(answer)
    mailboxes.mark_read([answer.id])
    assert mailboxes.is_read(answer)


@pytest.mark.parametrize(
    ("address", "is_ours"),
    [(DESK_ADDRESS, True), (TOKEN_ADDRESS.upper(), True), ("support@sekolah.example", False), (SALLY.email, False)],
)
def test_the_desks_addresses(address: str, is_ours: bool) -> None:
    assert is_desk(address) is is_ours
