"""The keys that keep mails of one ticket in their order."""

from __future__ import annotations

from mailbot.mail.ordering_keys import ANYTHING, HEADER_BYTES, MOST_KEYS, order_keys
from mailbot.mail.reply_token import Purpose, Signer, signed_address

SIGNER = Signer((b"k" * 32,))


def _mail(*fields: str, end: str = "\r\n\r\nIsi #777 <dalam@isi.example>\r\n") -> bytes:
    return ("\r\n".join(fields) + end).encode()


def test_a_mail_is_known_by_its_sender_its_ids_and_the_numbers_that_it_names() -> None:
    keys = order_keys(
        _mail(
            "From: Acha <Acha@Sekolah.example>",
            "Subject: Re: #12345 dan # 12346",
            "Message-ID: <a@x>",
            "In-Reply-To: <b@x>",
            "References: <c@x>\r\n <b@x>",
        )
    )
    assert keys == ("s:acha@sekolah.example", "t:12345", "t:12346", "m:<a@x>", "m:<b@x>", "m:<c@x>")


def test_a_signed_address_names_its_ticket_and_other_tokens_do_not() -> None:
    def keys_of(purpose: Purpose) -> tuple[str, ...]:
        to = signed_address("support@helpdesk.example", SIGNER.sign(purpose, 77, "a@x"))
        return order_keys(_mail("From: a@x.example", f"To: {to}"))

    assert keys_of(Purpose.REQUESTER) == keys_of(Purpose.AGENT) == ("t:77", "s:a@x.example")
    assert keys_of(Purpose.BOUNCE) == keys_of(Purpose.CONFIRM) == ("s:a@x.example",)


def test_an_encoded_subject_is_read_and_a_broken_one_is_taken_as_it_stands() -> None:
    assert "t:12345" in order_keys(_mail("From: a@x.example", "Subject: =?utf-8?Q?=2312345_halo?="))
    assert order_keys(_mail("From: a@x.example", "Subject: =?utf-8?B?a?= #9")) == ("s:a@x.example", "t:9")


def test_where_no_sender_can_be_told_or_too_much_is_named_the_mail_may_belong_to_anything() -> None:
    assert order_keys(_mail("Subject: #5")) == (ANYTHING,)
    assert order_keys(b"") == (ANYTHING,)
    many = [f"References: {' '.join(f'<{n}@x>' for n in range(MOST_KEYS - 1))}"]
    assert len(order_keys(_mail("From: a@x.example", *many))) == MOST_KEYS
    assert order_keys(_mail("From: a@x.example", *many, "Message-ID: <more@x>")) == (ANYTHING,)


def test_a_header_that_does_not_end_may_belong_to_anything() -> None:
    endless = b"From: a@x.example\r\n" + b"X: y\r\n" * HEADER_BYTES
    assert order_keys(endless) == (ANYTHING,)
    assert order_keys(b"From: a@x.example\r\nSubject: #1") == ("s:a@x.example", "t:1")


def test_only_the_header_is_looked_at_up_to_its_end_or_64_kib() -> None:
    assert order_keys(_mail("From: a@x.example", end="\r\n\r\nSubject: #777\r\n")) == ("s:a@x.example",)
    assert order_keys(b"\n\nFrom: a@x.example\nSubject: #1\n\n") == (ANYTHING,)  # it has no header
    longest = b"From: a@x.example\nX: ".ljust(65_536, b"y")
    assert order_keys(longest) == ("s:a@x.example",) and order_keys(longest + b"y") == (ANYTHING,) == ("*",)
    assert order_keys(longest[:-3] + b"\n\nbody") == ("s:a@x.example",)


def test_strange_bytes_and_pieces_of_a_subject_hide_no_key() -> None:
    assert order_keys(b"From: \xff <a@x.example>\n\n") == ("s:a@x.example",)
    parts = "Subject: =?utf-8?Q?=2312?= =?iso-8859-1?Q?345?="
    assert order_keys(_mail("From: a@x.example", parts)) == ("s:a@x.example", "t:12345")
    encoded = "=?utf-8?Q?a?= "
    long = " " + encoded + "x" * (4096 - len(encoded) - 4) + " #91"  # the 4096th character is the 9
    assert order_keys(_mail("From: a@x.example", f"Subject:{long}")) == ("s:a@x.example", "t:9")


def test_two_hundred_keys_are_the_most() -> None:
    def keys(ids: int) -> tuple[str, ...]:
        return order_keys(_mail("From: a@x.example", f"References: {' '.join(f'<{n}@x>' for n in range(ids))}"))

    assert len(keys(199)) == 200 and keys(200) == (ANYTHING,)
