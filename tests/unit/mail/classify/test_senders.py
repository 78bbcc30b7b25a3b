"""Automatic senders, by the form of their address."""

from __future__ import annotations

import pytest

from mailbot.mail.classify.senders import SenderType, sender_type
from mailbot.mail.message import Address, Headers, InboundMessage


@pytest.mark.parametrize(
    ("author", "written", "expected"),
    [
        (None, "MAILER-DAEMON", SenderType.DAEMON),
        (None, "Mail Delivery System <>", SenderType.DAEMON),
        (None, "Budi <>", SenderType.POSTMASTER),
        (Address("", "Budi"), "", SenderType.POSTMASTER),
        (Address("x@y.example", "Mail Delivery System"), "", SenderType.POSTMASTER),
        (Address("mailer-daemon@y.example"), "", SenderType.DAEMON),
        (Address("postmaster@y.example"), "", SenderType.POSTMASTER),
        (Address("noreply@y.example"), "", SenderType.UNATTENDED),
        (Address("guru@y.example", "Guru"), "", SenderType.ANYBODY),
    ],
)
def test_how_certainly_an_author_is_a_machine(author: Address | None, written: str, expected: SenderType) -> None:
    headers = Headers((("From", written),)) if written else Headers()
    assert sender_type(InboundMessage(from_=(author,) if author else (), headers=headers)) is expected
