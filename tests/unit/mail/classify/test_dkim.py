"""DKIM signatures that authenticate the author, and valid ones that do not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailbot.mail.classify.dkim import why_unproven
from tests.support.signed_mail import (
    COVERED,
    rsa,
    signed,
)

NOW = datetime(2025, 11, 3, 3, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
DOMAIN = "helpdesk.example"
KEYS = {"s1._domainkey.helpdesk.example": rsa().record}
RAW = (
    b"From: Sally <sally@helpdesk.example>\r\nTo: support@helpdesk.example\r\nSubject: Re: #12345\r\n"
    b"Date: Mon, 3 Nov 2025 10:00:00 +0700\r\nMessage-ID: <1@helpdesk.example>\r\nIn-Reply-To: <0@x>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n#selesai\r\nSudah.\r\n"
)


def why(raw: bytes, keys: dict[str, str] = KEYS, domain: str = DOMAIN) -> str:
    return why_unproven(raw, domain, keys, NOW)


def test_a_whole_signature_is_a_proof() -> None:
    assert why(signed(RAW)) == ""
    assert why(signed(RAW).replace(b"\r\n", b"\n")) == ""  # from a file
    assert why(signed(RAW, more=f"t={SECONDS}; x={SECONDS + 3600}".encode())) == ""


def test_one_good_signature_among_bad_ones_is_enough() -> None:
    assert why(b"DKIM-Signature: v=1; a=rsa-sha1; d=x\r\n" + signed(RAW)) == ""


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (RAW, "no DKIM signature"),
        (signed(RAW).replace(b"Sudah.", b"Belum."), "can't be checked"),
        (signed(RAW).replace(b"#12345", b"#12346"), "does not hold"),
        (signed(RAW, "jahat.example"), "another domain"),
        (signed(RAW, "mail.helpdesk.example"), "another domain"),
        (signed(RAW, length=True), "part of the body"),
        (signed(RAW, length=True) + b"#spam\r\n", "part of the body"),
        (signed(RAW, algorithm=b"rsa-sha1"), "rsa-sha1"),
        (signed(RAW, key=rsa(768)), "does not hold"),
        (signed(RAW, selector="s2"), "no key s2._domainkey.helpdesk.example at hand"),
        (signed(RAW, more=f"x={SECONDS - 3600}".encode()), "expired"),
        (signed(RAW, more=f"t={SECONDS + 3600}".encode()), "future"),
        (signed(RAW, more=b"x=-1"), "no time"),
        (signed(RAW, more=b"q=dns/other"), "nowhere"),
        (signed(RAW, more=b"i=sally@jahat.example"), "another domain (i=)"),
        (signed(RAW, covered=[c for c in COVERED if c != b"subject"]), "does not cover subject"),
        (signed(RAW, covered=[c for c in COVERED if c != b"to"]), "does not cover to"),
        (signed(RAW, covered=[c for c in COVERED if c != b"date"]), "does not cover date"),
        (signed(RAW, covered=[c for c in COVERED if c != b"message-id"]), "does not cover message-id"),
        (signed(RAW, covered=[c for c in COVERED if c != b"in-reply-to"]), "every in-reply-to"),
        (signed(RAW, covered=[c for c in COVERED if c != b"content-type"]), "every content-type"),
        # what was added after signing
        (b"References: <9@x>\r\n" + signed(RAW, covered=[c for c in COVERED if c != b"references"]), "every refer"),
        (b"References: <9@x>\r\n" + signed(RAW), "does not hold"),
        (b"Subject: #9\r\n" + signed(RAW), "more than one subject"),
        (b"From: Sally <sally@helpdesk.example>\r\n" + signed(RAW), "more than one from"),
        (signed(RAW).replace(b"\r\nTo:", b"\nTo:"), "line ends"),
        (b"DKIM-Signature: v=1; a=rsa-sha256; b=; d=helpdesk.example\r\n" + RAW, "without what it must have"),
        (b"DKIM-Signature: v=1; v=1\r\n" + RAW, "can't be read"),
        (b"Odd line\r\n" + signed(RAW), "header that can't be read"),
    ],
)  # fmt: skip
def test_what_is_no_proof(raw: bytes, words: str) -> None:
    small = {"s1._domainkey.helpdesk.example": rsa(768).record}
    assert words in why(raw, KEYS)
    assert why(raw, small)


def test_a_small_key_is_none_even_if_it_is_at_hand() -> None:
    found = why(signed(RAW, key=rsa(768)), {"s1._domainkey.helpdesk.example": rsa(768).record})
    assert "too small" in found


@pytest.mark.parametrize("record", ["v=DKIM1; k=rsa; p=", f"{rsa().record}; t=y", f"{rsa().record}; t=s:y"])
def test_a_key_that_was_taken_back_or_is_being_tested_is_none(record: str) -> None:
    assert "revoked" in why(signed(RAW), {"s1._domainkey.helpdesk.example": record})


def test_the_selector_names_no_file() -> None:
    raw = signed(RAW).replace(b"s=s1;", b"s=../../s1;")
    assert "no domain" in why(raw)
