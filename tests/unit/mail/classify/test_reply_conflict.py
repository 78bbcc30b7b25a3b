"""From, Reply-To and Sender of different people, and senders who imitate the desk."""

from __future__ import annotations

import pytest

from mailbot.mail.classify.reply_conflict import OwnAddresses, conflict
from mailbot.mail.message import Address, InboundMessage
from mailbot.mail.mime.parser import parse_message


def conflict_in(header: str, dmarc: str = "") -> str:
    raw = f"{header}\r\nTo: support@helpdesk.example\r\nSubject: x\r\n\r\nhalo\r\n"
    own = OwnAddresses(["support@helpdesk.example"], ["sally@helpdesk.example"], ["Helpdesk BOSP", "Sally (BOSP)"])
    return conflict(parse_message(raw.encode()), own, dmarc)


@pytest.mark.parametrize(
    "header",
    [
        "From: a@gmail.com\r\nReply-To: b@gmail.com",
        "From: a@sd1.sch.id\r\nReply-To: b@sd2.sch.id",
        "From: a@guru.sd.belajar.id\r\nReply-To: b@guru.sd.belajar.id",
        "From: a@x.example\r\nReply-To: a@y.example",
        "From: a@x.example, b@y.example",
        "From: a@x.example\r\nFrom: b@y.example",
        "From: a@x.example\r\nSender: z@gmail.com",
        "From: support@he1pdesk.example",
        "From: support@helpdesk.exаmple",
        "From: sally@helpdesk.exarnple",
        'From: "support@helpdesk.example" <x@jahat.example>',
        "From: Helpdesk  BOSP <x@jahat.example>",
        "From: HeIpdesk B0SP <x@jahat.example>",
        "From: Helpd\u00e9sk BOSP <x@jahat.example>",
    ],
)
def test_an_answer_could_reach_somebody_else(header: str) -> None:
    assert conflict_in(header)


@pytest.mark.parametrize(
    "header",
    [
        "From: a@gmail.com",
        "From: a.b@gmail.com\r\nReply-To: Lain <AB+x@googlemail.com>",
        "From: a@sdn1.sch.id\r\nReply-To: tu@mail.sdn1.sch.id",
        "From: a@x.example\r\nReply-To: c@y.example, a@x.example",
        "From: a@x.example\r\nSender: b@mail.x.example",
        "From: a@x.example\r\nSender: support@helpdesk.example",
        "From: a@x.example\r\nReply-To: Halo <>",
        "From: a@x.example\r\nReply-To: support@helpdesk.example",
        "From: a@x.example\r\nReply-To: b@x.example",
        "From: a@x.example\r\nSender: Halo <>",
        "From: Sally <sally@gmail.com>",
        "From: Budi <budi@x.example>",
        "From: Sally <sally@helpdesk.example>",
        "From: support@helpdesk.example",
        'From: "a@lain.example" <a@x.example>',
        "From: a@xn--80ak6aa92e.example",
        "From: a@xn--99999999999.example",
    ],
)
def test_an_answer_reaches_who_wrote(header: str) -> None:
    assert conflict_in(header) == ""


def test_several_authors_are_said_to_be_several() -> None:
    one = InboundMessage(from_=(Address("a@x.example"),), defects=("duplicate-from",))
    assert conflict(one, OwnAddresses()) == "names several authors (From)"


def test_of_very_many_addresses_for_replies_the_first_twenty_count() -> None:
    strangers = tuple(Address(f"b{n}@lain{n}.example") for n in range(20))
    own = Address("a@x.example")
    assert conflict(InboundMessage(from_=(own,), reply_to=(*strangers[:19], own)), OwnAddresses()) == ""
    assert conflict(InboundMessage(from_=(own,), reply_to=(*strangers, own)), OwnAddresses())


@pytest.mark.parametrize("name", ["Layanan VVarga", "Laya\u200bnan Warga", "LAYANAN WARGA"])
def test_a_name_that_looks_like_the_desks_is_an_impersonation(name: str) -> None:
    message = InboundMessage(from_=(Address("x@jahat.example", name),))
    assert conflict(message, OwnAddresses(names=["Layanan Warga"]))
    assert not conflict(message, OwnAddresses(names=["Layanan Kota"]))


def test_a_proven_author_may_have_any_sender() -> None:
    assert conflict_in("From: a@x.example\r\nSender: a.b@gmail.com", dmarc="pass") == ""
