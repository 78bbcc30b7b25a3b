"""A desk's own addresses: of each mailbox, with sub-addresses and without."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from mailbot.desk.profile import DeskProfile, Inbox
from mailbot.mail.reply_token import Purpose, Signer, read_tokens

DESK = DeskProfile(
    "Helpdesk", "BOSP", "support@desk.example", ZoneInfo("Asia/Jakarta"), Signer((b"k" * 32,)), "f00dcafe",
    aliases=("bantuan@desk.example",),
    inboxes={1: Inbox("support@desk.example"), 2: Inbox("arkas@desk.example", "ARKAS")},
)  # fmt: skip


def test_each_mailbox_writes_from_its_own_address_and_knows_the_desk_s() -> None:
    arkas = DESK.at(2)
    assert (arkas.address, arkas.domain) == ("arkas@desk.example", "desk.example")
    assert arkas.is_own("support@desk.example")
    assert DESK.at(1) is DESK
    assert DESK.at(7) is DESK
    assert [DESK.program_of(mailbox) for mailbox in (1, 2, 7)] == ["", "ARKAS", ""]


def test_own_addresses_with_and_without_a_sub_address() -> None:
    own = ("support@desk.example", "support+abc@desk.example", "bantuan+x+y@desk.example")
    assert all(DESK.is_own(each) for each in own)
    assert not any(DESK.is_own(each) for each in ("support@lain.example", "lain@desk.example", "support", ""))
    plus = replace(DESK, address="support+bosp@desk.example", plus_addressing=False)  # the address itself has a plus
    assert plus.is_own("support+bosp@desk.example")


def test_replies_and_bounces_come_to_signed_addresses_where_the_host_keeps_them() -> None:
    token = DESK.signer.sign(Purpose.REQUESTER, 12345, "guru@sekolah.example")
    assert read_tokens(DESK.reply_address(token)) == [token]
    (bounce,) = read_tokens(DESK.bounce_address(77))
    assert (bounce.purpose, bounce.number) == (Purpose.BOUNCE, 77)
    plain = replace(DESK, plus_addressing=False)
    assert plain.reply_address(token) == plain.bounce_address(77) == "support@desk.example"
