"""Results of our own server about the sender (RFC 8601): no trick turns a failure into a pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailbot.mail.classify.authentication import (
    MISMATCH,
    dmarc_passes,
    dmarc_verdict,
    doubtful_author,
)
from mailbot.mail.message import (
    Address,
    Headers,
    InboundMessage,
)
from mailbot.mail.mime.parser import parse_message

OURS = ("mx.desk.example",)


def mail(*results: str, author: str = "guru@sekolah.example") -> InboundMessage:
    fields = "".join(f"Authentication-Results: {each}\r\n" for each in results)
    return parse_message(f"{fields}From: {author}\r\nSubject: x\r\n\r\nx\r\n".encode())


@pytest.mark.parametrize(
    ("field", "verdict"),
    [
        ("mx.desk.example; dmarc=pass header.from=sekolah.example", "pass"),
        ("MX.desk.example; dmarc=fail header.from=sekolah.example", "fail"),
        ("mx.desk.example; dmarc=none header.from=sekolah.example", "none"),
        # about another domain
        ("mx.desk.example; dmarc=pass header.from=lain.example", MISMATCH),
        ("mx.desk.example; dmarc=fail header.from=lain.example", "fail"),
        # about a related one: neither for it nor against it
        ("mx.desk.example; dmarc=pass header.from=mail.sekolah.example", ""),
        # about no domain: a pass proves nothing
        ("mx.desk.example; dmarc=pass", ""),
        ("mx.desk.example; dmarc=fail", "fail"),
        # two that disagree: the worse; two that agree: that
        ("mx.desk.example; dmarc=pass header.from=sekolah.example; dmarc=fail header.from=sekolah.example", "fail"),
        ("mx.desk.example; dmarc=pass header.from=sekolah.example; dmarc=pass header.from=lain.example", MISMATCH),
        ("mx.desk.example; dmarc=pass header.from=sekolah.example; dmarc=none header.from=sekolah.example", ""),
        # nothing about DMARC
        ("mx.desk.example; spf=pass smtp.mailfrom=sekolah.example", ""),
        ("mx.desk.example; none", ""),
        # what can't be read: a failure in it stays one
        ("mx.desk.example; ===; dmarc=fail header.from=sekolah.example", "fail"),
        ("mx.desk.example; ===; dmarc=pass header.from=sekolah.example", ""),
        # results of other servers do not count
        ("mx.lain.example; dmarc=pass header.from=sekolah.example", ""),
    ],
)
def test_the_verdict(field: str, verdict: str) -> None:
    assert dmarc_verdict(mail(field), OURS) == verdict
    assert dmarc_passes(mail(field), OURS) == (verdict == "pass")


def test_without_a_trusted_server_or_its_field_nothing_is_known() -> None:
    passed = "mx.desk.example; dmarc=pass header.from=sekolah.example"
    assert dmarc_verdict(mail(passed), ()) == ""
    assert dmarc_verdict(mail(), OURS) == ""
    # our first field counts, whatever is before and after it
    assert dmarc_verdict(mail("mx.lain.example; dmarc=fail", passed, "mx.desk.example; dmarc=fail"), OURS) == "pass"


def test_two_authors_never_pass() -> None:
    passed = "mx.desk.example; dmarc=pass header.from=sekolah.example"
    assert not dmarc_passes(mail(passed, author="a@sekolah.example, b@sekolah.example"), OURS)


def test_a_mail_that_names_nobody_or_several_is_doubtful_in_words() -> None:
    assert doubtful_author(mail(author="")) == "no author in From"
    assert doubtful_author(mail(author="a@sekolah.example, b@sekolah.example")) == "more than one author"
    assert doubtful_author(mail(author="Guru: guru@sekolah.example;")) and doubtful_author(mail()) == ""


def test_a_failure_behind_a_quotation_mark_that_never_ends_stays_one() -> None:
    field = 'mx.desk.example; spf=pass smtp.mailfrom="a; dmarc=fail header.from=sekolah.example'
    assert dmarc_verdict(mail(field), OURS) == "fail"


@pytest.mark.parametrize(
    ("defect", "words"),
    [
        ("duplicate-from", "more than one From field"),
        ("ambiguous-address", "a From that can be read in two ways"),
        ("from-disagreement", "a From that mail programs read in different ways"),
        ("encoded-address", "an author inside an encoded word"),
        ("control-in-from", "control characters in From"),
    ],
)
def test_a_from_that_two_programs_read_differently_is_doubtful_whatever_the_server_found(
    defect: str, words: str
) -> None:
    proven = mail("mx.desk.example; dmarc=pass header.from=sekolah.example")
    assert dmarc_passes(proven, OURS) and doubtful_author(proven) == ""
    odd = replace(proven, defects=(defect,))
    assert doubtful_author(odd) == words and not dmarc_passes(odd, OURS)
    assert doubtful_author(replace(odd, from_=())) == words


@pytest.mark.parametrize("author", ["<@relay.example:guru@sekolah.example>", "Guru: guru@sekolah.example;"])
def test_source_routes_and_groups_are_for_few_programs_an_author(author: str) -> None:
    written = replace(mail(author=author), from_=(Address("guru@sekolah.example"),), defects=())
    assert doubtful_author(written) == "a source route or a group in From"


def test_of_an_endless_field_the_first_20000_characters_are_read() -> None:
    opening, failure = "mx.desk.example; ===", " dmarc=fail"
    room = 20_000 - len(opening) - len(failure)
    for more, verdict in ((0, "fail"), (1, "")):
        long = replace(mail(), headers=Headers((("Authentication-Results", opening + "=" * (room + more) + failure),)))
        assert dmarc_verdict(long, OURS) == verdict
