"""The minimal parser: the header of any mail, without its body."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.mail.mime.minimal_parser import is_automatic, parse_minimal
from mailbot.ticket.matching import clues_of
from mailbot.ticket.quarantine import QuarantinedMail, QuarantineReason, quarantine_reason

MAIL = (
    b'From: "palsu@asing.example" <Acha@Sekolah.example>\r\nTo: support+r0b0aaaaaaaaaaaaaaaaaaaa@helpdesk.example\r\n'
    b"Subject: =?utf-8?q?Tidak_bisa_tutup?=\r\n =?utf-8?q?_BKU?=\r\nMessage-ID: <a@b>\r\nIn-Reply-To: <1@x>\r\n"
    b"References: <0@x>\r\n <1@x>\r\n\r\nFrom: isi@x.example\r\n"
)


def test_what_the_header_says() -> None:
    seen = parse_minimal(MAIL, 99)
    assert (seen.from_addr, seen.subject, seen.message_id, seen.size) == (
        "acha@sekolah.example", "Tidak bisa tutup BKU", "<a@b>", 99
    )  # fmt: skip
    assert seen.in_reply_to == ("<1@x>",) and seen.references == ("<0@x>", "<1@x>")
    clues = clues_of(seen)
    assert clues.tokens[0].number == 1 and clues.sender == "acha@sekolah.example"


@pytest.mark.parametrize(
    ("field", "robots"),
    [
        (b"Auto-Submitted: auto-replied", True), (b"Auto-Submitted: no", False), (b"Return-Path: <>", True),
        (b"Return-Path: <a@b.example>", False), (b"X-Other: 1", False),
    ],
)  # fmt: skip
def test_machines_are_known_by_their_fields(field: bytes, robots: bool) -> None:
    assert is_automatic(parse_minimal(field + b"\r\n" + MAIL)) is robots


@given(st.binary(max_size=600) | st.from_regex(rb"(From|Subject|To)( |:|=\?[a-z0-9-]{1,9}\?[bq]\?|\?=|\n|.){0,60}"))
def test_it_never_fails(raw: bytes) -> None:
    seen = parse_minimal(raw)
    assert "\x00" not in seen.subject + seen.from_addr and "\n" not in seen.subject


def test_hostile_headers_take_no_time() -> None:
    begun = time.process_time()
    for raw in (
        b"From: " + b"a@" * 2_000_000,
        b"Subject: " + b"=?utf-8?q?" * 200_000,
        b" \n" * 2_000_000,
        b"a:\n" * 900_000,
    ):
        parse_minimal(raw)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"state": "held"}, QuarantineReason.UNCONFIRMED),
        ({"rule": "poison", "has_sender": False}, QuarantineReason.POISON),
        ({"rule": "killed", "kind": "auto"}, QuarantineReason.KILLED),
        ({"rule": "spam", "kind": "quarantine"}, QuarantineReason.SPAM),
        ({"kind": "auto", "rule": "daemon"}, QuarantineReason.AUTOMATIC),
        ({"kind": "bounce"}, QuarantineReason.BOUNCE),
        ({"has_sender": False, "partial": True}, QuarantineReason.NO_SENDER),
        ({"partial": True}, QuarantineReason.TOO_LARGE),
        ({"on_ticket": True}, QuarantineReason.SPAM_TICKET),
        ({"rule": "a-rule-of-tomorrow", "kind": "quarantine"}, QuarantineReason.OTHER),
    ],
)
def test_why_a_mail_is_held(row: dict[str, object], why: QuarantineReason) -> None:
    usual: dict[str, object] = {
        "state": "quarantined", "rule": "person", "kind": "human", "partial": False, "has_sender": True,
        "on_ticket": False,
    }  # fmt: skip
    assert quarantine_reason(QuarantinedMail(**(usual | row))) is why  # type: ignore[arg-type]


@pytest.mark.parametrize("written", ["=?x-tidak-ada?B?SGFsbw==?=", "=?utf-8?B?a?="])
def test_a_subject_that_cannot_be_decoded_is_shown_as_it_is_written(written: str) -> None:
    assert parse_minimal(f"Subject:  {written}  ya\r\n\r\n".encode(), 9).subject == f"{written} ya"


def test_of_very_many_fields_the_first_count() -> None:
    many = b"".join(b"X-%d: y\r\n" % n for n in range(20_000))
    assert parse_minimal(b"Subject: awal\r\n" + many + b"Message-ID: <a@b>\r\n\r\n", 9).subject == "awal"
