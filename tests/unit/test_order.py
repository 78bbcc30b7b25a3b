"""What mail must wait for each other, from the head alone."""

from __future__ import annotations

import time

from mailbot.core.order import ANYTHING, order_keys
from mailbot.core.token import Purpose, Signer

TOKEN = Signer((b"0123456789abcdef",)).sign(Purpose.REQUESTER, 12345, "acha@sekolah.example")
BOUNCE = Signer((b"0123456789abcdef",)).sign(Purpose.BOUNCE, 7)


def keys(head: str, body: str = "Isi.") -> set[str]:
    return set(order_keys(f"{head}\r\n\r\n{body}".encode()))


def test_sender_and_message_ids_are_keys() -> None:
    found = keys(
        "From: Acha <ACHA@Sekolah.example>\r\nMessage-ID: <1@a>\r\nIn-Reply-To: <2@b>\r\nReferences: <3@c>\r\n <2@b>"
    )
    assert found == {"s:acha@sekolah.example", "m:<1@a>", "m:<2@b>", "m:<3@c>"}


def test_signed_addresses_message_ids_and_tags_name_tickets() -> None:
    assert "t:12345" in keys(f"From: a@b.id\r\nTo: support+{TOKEN}@helpdesk.example")
    assert "t:12345" in keys(f"From: a@b.id\r\nReferences: <{TOKEN}.x@helpdesk.example>")
    assert {"t:12001", "t:12002"} <= keys("From: a@b.id\r\nSubject: Re: #12001 - BKU\r\n dan #12002")
    assert "t:12001" in keys("From: a@b.id\r\nSubject: =?utf-8?B?UmU6ICMxMjAwMSDigJMgQktV?=")
    assert not any(key == "t:7" for key in keys(f"From: a@b.id\r\nTo: support+{BOUNCE}@helpdesk.example"))


def test_the_body_has_no_keys() -> None:
    assert keys("From: a@b.id", "Message-ID: <x@y>\r\nSubject: #12001\r\n") == {"s:a@b.id"}


def test_a_mail_that_says_too_little_or_too_much_waits_for_all() -> None:
    assert keys("Subject: tanpa pengirim") == {ANYTHING}
    assert keys("From: a@b.id\r\nReferences: " + " ".join(f"<{n}@x>" for n in range(500))) == {ANYTHING}
    assert order_keys(b"From: a@b.id\r\nX-Long: " + b"x" * 200_000) == (ANYTHING,)
    assert order_keys(b"") == (ANYTHING,)


def test_hostile_heads_take_no_longer() -> None:
    for head in (b"From: " + b"a" * 60_000, b"References: " + b"<" * 60_000, b"Subject: " + b"=?utf-8?B?" * 6_000):
        begun = time.process_time()
        order_keys(head + b"\r\n\r\n")
        assert time.process_time() - begun < 0.5
