"""The mailbox behind an address, and the organisation behind a domain."""

from __future__ import annotations

import pytest

from mailbot.mail.domains import is_address_of, is_shared, mailbox_of, organisation_of


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("su.rat+7@gmail.com", "surat@gmail.com"), ("surat@googlemail.com", "surat@gmail.com"),
        ("su.rat+7@x.example", "su.rat@x.example"), ("+7@x.example", "+7@x.example"),
    ],
)  # fmt: skip
def test_the_mailbox_behind_an_address(email: str, mailbox: str) -> None:
    assert mailbox_of(email) == mailbox


@pytest.mark.parametrize(
    ("domain", "organisation", "shared"),
    [
        ("mail.sdn1.sch.id", "sdn1.sch.id", True), ("guru.sd.belajar.id", "belajar.id", True),
        ("gmail.com", "gmail.com", True), ("mx.a.dinas.example", "dinas.example", False),
        ("toko.co.id", "toko.co.id", False), ("x.toko.co.id", "toko.co.id", False), ("localhost", "localhost", False),
        ("notgmail.com", "notgmail.com", False), ("", "", False),
    ],
)  # fmt: skip
def test_whose_domain(domain: str, organisation: str, shared: bool) -> None:
    assert (organisation_of(domain), is_shared(domain)) == (organisation, shared)
    assert is_shared("kota.dinas.example", ["dinas.example"]) and not is_shared("xdinas.example", ["dinas.example"])


@pytest.mark.parametrize(
    ("email", "own"),
    [("a@x.example", True), ("a+7@x.example", True), ("b+1@x.example", True), ("b+2@x.example", False), ("a@y", False)],
)
def test_an_address_may_have_a_sub_address(email: str, own: bool) -> None:
    assert is_address_of(email, {"a@x.example", "b+1@x.example"}) is own
