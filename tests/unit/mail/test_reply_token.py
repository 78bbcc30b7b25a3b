"""Signed reply addresses: valid for one person, ticket and purpose, and robust against changes in transit."""

import pytest

from mailbot.mail.reply_token import Purpose, Signer, Token, read_tokens, signed_address

KEY, OLD = b"k" * 32, b"o" * 32
signer = Signer((KEY,))


def test_a_token_goes_through_an_address_and_back() -> None:
    token = signer.sign(Purpose.REQUESTER, 12345, "Guru@Sekolah.example")
    address = signed_address("support@helpdesk.example", token)
    assert read_tokens(address.upper()) == [token]
    assert signer.belongs_to(token, "guru@sekolah.example")
    assert len(address.split("@")[0]) <= 64


@pytest.mark.parametrize("number", [0, 1, 31, 32, 12345, 2**62])
def test_any_number_comes_back(number: int) -> None:
    assert read_tokens(str(signer.sign(Purpose.BOUNCE, number)))[0].number == number


def test_a_token_fits_no_other_person_ticket_purpose_or_desk() -> None:
    token = signer.sign(Purpose.REQUESTER, 12345, "a@x.id")
    assert not signer.belongs_to(token, "b@x.id")
    assert not signer.belongs_to(Token(Purpose.REQUESTER, 12346, token.mac), "a@x.id")
    assert not signer.belongs_to(Token(Purpose.AGENT, 12345, token.mac), "a@x.id")
    assert not Signer((KEY,), desk="other").belongs_to(token, "a@x.id")


def test_a_rotated_key_still_verifies_and_the_new_one_signs() -> None:
    old = Signer((OLD,)).sign(Purpose.AGENT, 7, "sally@x")
    rotated = Signer((KEY, OLD))
    assert rotated.belongs_to(old, "sally@x")
    assert rotated.sign(Purpose.AGENT, 7, "sally@x") == Signer((KEY,)).sign(Purpose.AGENT, 7, "sally@x")
    assert not Signer((KEY,)).belongs_to(old, "sally@x")


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Signer((b"short",))


def test_the_letters_are_those_of_mail_that_is_out_already() -> None:
    assert [p.value for p in Purpose] == list("racbskq") == [str(signer.sign(p, 1))[0] for p in Purpose]
    # signed once, believed for ever: nothing of how a token is made may change
    assert str(Signer((b"k" * 32,)).sign(Purpose.AGENT, 12345, "sally@x")) == "a0mbz0hibtanbi74o6yvvhc3jx"


def test_a_token_without_a_person_is_nobodys_and_a_key_of_16_bytes_is_enough() -> None:
    plain = Signer((b"k" * 16,)).sign(Purpose.BOUNCE, 7)
    assert plain == Signer((b"k" * 16,), "main").sign(Purpose.BOUNCE, 7, "")
    assert Signer((b"k" * 16,)).belongs_to(plain) and Signer((b"k" * 16,)).belongs_to(plain, "")
    assert not Signer((b"k" * 16,)).belongs_to(plain, "a@x.id")


def test_a_signed_address_keeps_its_domain_and_only_the_beginning_of_a_text_is_read() -> None:
    token = signer.sign(Purpose.REQUESTER, 7, "a@x")
    assert signed_address("support@helpdesk.example", token) == f"support+{token}@helpdesk.example"
    fits = " " * (100_000 - len(str(token))) + str(token)
    assert read_tokens(fits) == [token] and read_tokens(" " + fits) == []
