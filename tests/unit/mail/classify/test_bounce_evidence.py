"""The evidence for and against a bounce, sign by sign."""

from __future__ import annotations

import pytest

from mailbot.mail.classify.bounce_evidence import evidence
from mailbot.mail.message import InboundMessage
from mailbot.mail.mime.parser import parse_message


def mail(body: str, **fields: str) -> InboundMessage:
    head = {"From": "Mail Delivery System <MAILER-DAEMON@mx.example>", "Subject": "Undelivered Mail Returned to Sender"}
    head |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return parse_message(f"{lines}\r\n{body}".replace("\n", "\r\n").replace("\r\r", "\r").encode())


def signs(message: InboundMessage, *, at_bounce_address: bool = False) -> list[str]:
    found = evidence(message, at_bounce_address)
    return [] if found is None else [sign.words for sign in found.signs]


FAILED = "Your message could not be delivered.\n550 5.1.1 no such user\n"
REPORT = "--b\nContent-Type: text/plain\n\nx\n--b\nContent-Type: message/delivery-status\n\n{}\n\n--b--\n"
STATUS = "Final-Recipient: rfc822; a@x.example\nAction: failed\nStatus: 5.1.1"


def test_what_the_structure_says() -> None:
    report, mixed = ('multipart/report; report-type=delivery-status; boundary="b"', 'multipart/mixed; boundary="b"')
    assert "a delivery report (RFC 3464)" in signs(mail(REPORT.format(STATUS), Content_Type=report))
    assert "delivery status fields" in signs(mail(REPORT.format(STATUS), Content_Type=mixed))
    assert "declared a delivery report" in signs(mail("--b\n\nx\n--b--\n", Content_Type=report))
    assert "X-Failed-Recipients" in signs(mail(FAILED, X_Failed_Recipients="a@x.example"))


@pytest.mark.parametrize(
    ("fields", "sign"),
    [
        ({"From": "guru@sekolah.example", "Return-Path": "<>"}, "empty envelope sender"),
        ({"From": "guru@sekolah.example", "Return-Path": "<MAILER-DAEMON@x.example>"},
         "envelope sender MAILER-DAEMON@x.example"),
        ({"From": "majordomo@milis.example", "X-Mailman-Version": "2.1"}, "written by list software"),
        ({"From": "symantec.gateway@x.example"}, "written by symantec.gateway@x.example"),
    ],
)  # fmt: skip
def test_who_writes(fields: dict[str, str], sign: str) -> None:
    found = signs(mail(FAILED, **fields))
    assert any(sign.lower() == each.lower() for each in found), found


def test_the_bounce_address_weighs_more_than_the_writer() -> None:
    assert "came to our bounce address" in signs(mail(FAILED, From="guru@sekolah.example"), at_bounce_address=True)


def test_what_comes_back_with_it() -> None:
    quoted = "Received: from a\nMessage-ID: <a@x>\nSubject: Tiket\n"
    assert "quotes a mail" in signs(mail(f"{FAILED}\n{quoted}"))
    nested = f"--b\nContent-Type: text/plain\n\n{FAILED}\n--b\nContent-Type: message/rfc822\n\n{quoted}\nx\n--b--\n"
    assert "holds the mail that came back" in signs(mail(nested, Content_Type='multipart/mixed; boundary="b"'))


def test_a_subject_about_success_is_no_sign() -> None:
    assert not any(each.startswith("subject") for each in signs(mail(FAILED, Subject="Undeliverable mail (relayed)")))


def test_a_person_who_writes_about_a_bounce_is_one() -> None:
    asks = "Selamat pagi, saya dapat pesan: could not be delivered. Mohon bantuannya."
    found = evidence(mail(asks, From="guru@sekolah.example", Subject="Fwd: Undelivered Mail Returned to Sender"))
    assert found is not None
    assert {"a person replies or forwards", "a person speaks", "nothing shows a mail system",
            "no reply code and no mail in it"} <= {sign.words for sign in found.signs}  # fmt: skip
    assert not found.enough
    late = evidence(mail("x" * 400 + "\n" + FAILED, From="guru@sekolah.example"))
    assert late is not None
    assert "does not begin with the failure" in str(late)


def test_a_postmaster_is_a_person_where_he_greets() -> None:
    office = {"From": "postmaster@sekolah.example", "Subject": "Undelivered mail"}
    assert "a person speaks" in signs(mail(f"Selamat pagi,\n{FAILED}", **office))
    assert "a person speaks" not in signs(mail(FAILED, **office))


def test_most_mail_has_no_evidence() -> None:
    assert evidence(mail("Halo, ARKAS tidak bisa dibuka", From="guru@sekolah.example", Subject="Tolong")) is None
    assert evidence(mail("Halo", From="guru@sekolah.example", Subject="Re: Undelivered Mail")) is None
