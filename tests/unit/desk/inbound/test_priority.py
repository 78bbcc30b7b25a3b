"""What a mail says it named_in to, and whether a person says it."""

from __future__ import annotations

import pytest

from mailbot.desk.inbound.priority import FIELDS, named_in


def _head(*fields: str) -> bytes:
    return "\r\n".join(["From: Acha <acha@sekolah.example>", *fields, "", ""]).encode()


def test_a_reply_names_its_ticket_and_what_it_answers() -> None:
    raw = _head("Subject: Re: #12345 - BKU", "In-Reply-To: <a@x>", "References: <b@x> <a@x>") + b"#777 <c@x>"
    assert named_in(raw) == (frozenset({12345}), frozenset({"<a@x>", "<b@x>"}))
    assert named_in(_head("Subject: BKU")) == (frozenset(), frozenset())


@pytest.mark.parametrize(
    ("field", "is_machine"),
    [
        ("Auto-Submitted: auto-replied", True),
        ("auto-submitted : auto-generated; owner-email=x", True),
        ("Auto-Submitted: no", False),
        ("Auto-Submitted:  no; x=y", False),
        ("Precedence: bulk", True),
        ("Precedence: first-class", False),
        ("List-Id: <berita.example>", True),
        ("X-List-Id: <berita.example>", False),
    ],
)
def test_a_machine_waits_its_turn(field: str, is_machine: bool) -> None:
    assert (named_in(_head("Subject: Re: #12345", field)).numbers == frozenset()) is is_machine


def test_the_body_is_not_looked_at() -> None:
    raw = _head("Subject: Re: #12345") + b"Precedence: bulk\r\nList-Id: <x>\r\nSubject: #999\r\n"
    assert named_in(raw).numbers == {12345}


def test_a_head_without_end_or_sender_belongs_nowhere() -> None:
    assert named_in(b"Subject: #12345\r\n" * 10_000) == (frozenset(), frozenset())
    assert named_in(b"Subject: #12345\r\n\r\n") == (frozenset(), frozenset())


def test_a_head_of_many_marks_is_bounded() -> None:
    head = _head("References: " + " ".join(f"<{nth}@x>" for nth in range(120)))
    assert named_in(head).message_ids == {f"<{nth}@x>" for nth in range(70, 120)}
    assert {"SUBJECT", "REFERENCES", "AUTO-SUBMITTED"} <= set(FIELDS)
