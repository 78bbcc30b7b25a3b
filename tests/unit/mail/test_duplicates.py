"""The same mail by another route has the same identity; another text under its Message-ID has another."""

import hashlib

import pytest

from mailbot.mail.duplicates import Identity, identity

MAIL = (
    b"From: a@x.id\r\nSubject: Halo\r\nMessage-ID: <1@x.id>\r\n"
    b"Date: Mon, 3 Nov 2025 10:00:00 +0700\r\n\r\nIsi surat\r\n"
)


@pytest.mark.parametrize(
    "other",
    [
        b"Received: from a by b; Mon, 3 Nov 2025 10:00:01 +0700\r\nDelivered-To: alias@x\r\n" + MAIL,
        MAIL.replace(b"\r\n", b"\n"),
        MAIL + b"\r\n\r\n",
        MAIL.replace(b"Subject: Halo", b"Subject:\r\n Halo"),
    ],
)
def test_trace_headers_and_line_ends_do_not_count(other: bytes) -> None:
    assert identity(other) == identity(MAIL)


@pytest.mark.parametrize(
    "other",
    [
        MAIL.replace(b"Isi", b"Lain"),
        MAIL.replace(b"Halo", b"Hai"),
        MAIL.replace(b"<1@", b"<2@"),
        MAIL.replace(b"a@x", b"b@x"),
    ],
)
def test_what_the_author_wrote_counts(other: bytes) -> None:
    assert identity(other) != identity(MAIL)


def test_without_message_id_and_date_the_whole_counts() -> None:
    bare = b"From: a@x.id\r\n\r\nIsi\r\n"
    assert identity(bare) != identity(b"Received: from a\r\n" + bare)
    assert identity(bare).message_id == ""


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"\x00" * 50, b"Message-ID:\r\n", b"Message-ID: " + b"x" * 100_000])
def test_anything_has_an_identity(raw: bytes) -> None:
    assert len(identity(raw).digest) == 64 and len(identity(raw).message_id) <= 500


@pytest.mark.parametrize("size", [1, 2, 3, 5, 4096, 1_000_000])
@pytest.mark.parametrize(
    "body", [b"", b"\r\n \r\n", b"a\r\nb\rc\n\r\n\r\n", b"\r\n" * 6000, b"x" * 4097 + b"\r\n" * 2047 + b" \t" * 3000]
)
def test_a_body_is_looked_at_in_pieces_that_tear_no_line_end_apart(
    body: bytes, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = b"Message-ID: <1@x.id>\r\nDate: today\r\n\r\n"
    whole = identity(head + body.replace(b"\r\n", b"\n").rstrip())
    monkeypatch.setattr("mailbot.mail.duplicates._PIECE", size)
    assert identity(head + body) == whole


def test_what_is_stored_of_a_mail_today_is_found_again_by_every_later_version() -> None:
    raw = (
        b"From: a@x.id\r\nTo:  b@y.id,\r\n c@y.id\r\nSubject: Halo\r\nMessage-ID: <1@x.id>\r\n"
        b"Date: Mon, 3 Nov 2025 10:00:00 +0700\r\n\r\nSatu\r\nDua\r\n \r\n"
    )
    plain = b"from:a@x.id\nto:b@y.id, c@y.id\nsubject:Halo\ndate:Mon, 3 Nov 2025 10:00:00 +0700\nSatu\nDua"
    assert identity(raw) == Identity("<1@x.id>", hashlib.sha256(plain).hexdigest())
    bare = b"Subject: Halo\r\n\r\nIsi\r\n"
    assert identity(bare).digest == hashlib.sha256(bare + b"from:\nto:\nsubject:Halo\ndate:\nIsi").hexdigest()


@pytest.mark.parametrize("field", [b"Message-ID: <1@x.id>\r\n", b"Date: Mon, 3 Nov 2025 10:00:00 +0700\r\n"])
def test_one_of_message_id_and_date_is_enough_to_leave_the_trace_out(field: bytes) -> None:
    mail = field + b"From: a@x.id\r\n\r\nIsi\r\n"
    assert identity(b"Received: from a\r\n" + mail) == identity(mail)


def test_only_the_beginning_of_an_endless_header_is_looked_at() -> None:
    field = b"Message-ID: <1@x.id>"
    for before, seen in ((262_144 - len(field), "<1@x.id>"), (262_145 - len(field), "<1@x.id")):
        assert identity(b"\n".rjust(before, b"x") + field).message_id == seen


def test_an_id_of_strange_bytes_is_kept_as_far_as_a_database_takes_it() -> None:
    assert identity(b"Message-ID: <\x00a\xff>\r\n\r\n").message_id == "<a\ufffd>"
