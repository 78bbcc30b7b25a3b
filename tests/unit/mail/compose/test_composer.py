"""Composing: valid mail whatever goes in, no injection, one thread at the reader, the same bytes each time."""

from __future__ import annotations

import base64
import email
import email.policy
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.errors import PermanentError
from mailbot.mail.compose.attachments import enclose
from mailbot.mail.compose.composer import Draft, compose, is_usable, message_id
from mailbot.mail.compose.header_fields import clean
from mailbot.mail.message import Address, Attachment, MessageKind

WIB = timezone(timedelta(hours=7))
DRAFT = Draft(
    kind=MessageKind.ANSWER,
    from_name="Sally (BOSP)",
    from_email="support@helpdesk.example",
    to=Address("acha@sekolah.example", "Acha Lestari, S.Pd."),
    subject="#12345 - Tidak bisa tutup BKU",
    text="Boleh infokan NPSN?\n\nTerima kasih.\n",
    html="<p>Boleh infokan NPSN?</p>\n",
    message_id="<abc.0123456789@helpdesk.example>",
    date=datetime(2025, 11, 24, 10, 30, 8, tzinfo=WIB),
    cc=(Address("kepsek@sekolah.example", "Kepala Sekolah"),),
    reply_to="support+abc234@helpdesk.example",
    in_reply_to="<CAF5w@mail.gmail.com>",
    references=("<CAF5w@mail.gmail.com>",),
    ticket_number=12345,
    instance_id="a1b2c3",
    thread_root="<CAF5w@mail.gmail.com>",
    thread_started=datetime(2025, 11, 21, 17, 12, 45, tzinfo=WIB),
)
FIELDS = [
    "From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Thread-Topic",
    "Thread-Index", "X-Mailbot-Ticket", "X-Mailbot-Kind", "X-Mailbot-Instance", "MIME-Version", "Content-Type",
]  # fmt: skip


def with_files(raw: bytes, files: Sequence[Attachment]) -> bytes:
    return bytes(enclose(raw, files))


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage, subtype: str = "plain") -> str:
    body = message.get_body((subtype,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def is_legal(raw: bytes) -> bool:
    """RFC 5322 §2.1.1 and §2.3: CRLF only, at most 998 octets in a line; and all of it 7-bit."""
    lines = raw.split(b"\r\n")
    return raw.isascii() and b"\0" not in raw and not any(b"\r" in x or b"\n" in x or len(x) > 998 for x in lines)


# The header


def test_the_header_has_what_the_contract_promises() -> None:
    message = parsed(compose(DRAFT))
    assert message.keys() == FIELDS
    assert getaddresses([message["From"]]) == [("Sally (BOSP)", "support@helpdesk.example")]
    assert getaddresses([message["To"]]) == [("Acha Lestari, S.Pd.", "acha@sekolah.example")]
    assert getaddresses([message["Reply-To"]]) == [("Sally (BOSP)", "support+abc234@helpdesk.example")]
    assert message["Subject"] == "#12345 - Tidak bisa tutup BKU"
    assert parsedate_to_datetime(message["Date"]) == DRAFT.date
    assert message["X-Mailbot-Ticket"] == "12345"
    assert message["X-Mailbot-Kind"] == "answer"
    assert "Auto-Submitted" not in message and "X-Auto-Response-Suppress" not in message
    assert "Precedence" not in message


@pytest.mark.parametrize("word", ["auto-replied", "auto-generated"])
def test_automatic_mail_says_so_and_asks_for_silence(word: Literal["auto-replied", "auto-generated"]) -> None:
    message = parsed(compose(replace(DRAFT, auto_submitted=word)))
    assert message["Auto-Submitted"] == word
    assert message["X-Auto-Response-Suppress"] == "All"


def test_what_is_not_there_leaves_no_empty_field() -> None:
    bare = replace(
        DRAFT, cc=(), reply_to="", in_reply_to="", references=(), ticket_number=None, instance_id="", thread_root=""
    )
    kept = ["From", "To", "Subject", "Date", "Message-ID", "X-Mailbot-Kind", "MIME-Version", "Content-Type"]
    assert parsed(compose(bare)).keys() == kept


def test_the_same_draft_gives_the_same_bytes() -> None:
    assert compose(DRAFT) == compose(replace(DRAFT))
    assert compose(DRAFT) != compose(replace(DRAFT, message_id="<other@helpdesk.example>"))


@pytest.mark.parametrize("length", [60, 77, 100, 250, 900])
def test_a_long_message_id_is_never_encoded_or_folded(length: int) -> None:
    """policy.SMTP of Python 3.11 to 3.13 encodes it, and the thread is lost (cpython #100991)."""
    long_id = f"<{'a' * (length - 15)}@mail.gmail.com>"
    raw = compose(replace(DRAFT, message_id=long_id, in_reply_to=long_id, references=(long_id,)))
    for name in (b"Message-ID", b"In-Reply-To", b"References"):
        assert b"\r\n" + name + b": " + long_id.encode() + b"\r\n" in raw


def test_many_references_are_folded_between_ids_and_shortened_in_the_middle() -> None:
    ids = tuple(f"<{number:04d}.{'x' * 60}@mail.example>" for number in range(50))
    raw = compose(replace(DRAFT, references=ids))
    found = parsed(raw)["References"].split()
    assert found == [ids[0], *ids[-19:]]
    assert is_legal(raw) and b"=?" not in raw
    assert all(len(line) < 94 for line in raw.split(b"\r\n"))


def test_what_is_no_message_id_is_left_out() -> None:
    draft = replace(DRAFT, in_reply_to="no id", references=("<a b@c>", "<ok@x>", "<é@x>", "<a@x>\r\nBcc: y", ""))
    message = parsed(compose(draft))
    assert "In-Reply-To" not in message
    assert message["References"] == "<ok@x>"


def test_a_message_id_of_our_own_must_be_one() -> None:
    assert message_id("abc.123", "helpdesk.example") == "<abc.123@helpdesk.example>"
    assert message_id("a", "bücher.example") == "<a@xn--bcher-kva.example>"
    for token, domain in [("a b", "x"), ("a\r\nBcc: y", "x"), ("a", "x>"), ("a", "a..ü")]:
        with pytest.raises(ValueError):
            message_id(token, domain)
    with pytest.raises(PermanentError):
        compose(replace(DRAFT, message_id="abc"))


# Subjects and names

SUBJECTS = [
    "#12345 - Tidak bisa tutup BKU",
    "#12345 - Gagal “tutup” BKU – saldo ≠ nol, mohon bantuan segera karena batas waktu pelaporan sudah dekat 🙏🏽",
    "#12345 - " + "panjang " * 60 + "akhir",
    "#12345 - " + "x" * 3000,
    "#12345 - " + "あ" * 400,
    "#12345 - =?utf-8?q?not_an_encoded_word?=",
    "#12345 - spasi  ganda",
    "",
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_arrives_as_it_was(subject: str) -> None:
    raw = compose(replace(DRAFT, subject=subject))
    assert is_legal(raw)
    assert parsed(raw)["Subject"] == subject
    assert all(len(word) <= 75 for word in re.findall(rb"=\?utf-8\?[qb]\?[^?]*\?=", raw))  # RFC 2047 §2


@pytest.mark.parametrize(
    "name",
    [
        "Sally (BOSP)",
        'Si "Jago", S.Pd.',
        "back\\slash",
        "Nurul Ḥafīẓah binti Abdurraḥmān al-Makassarī",
        "=?utf-8?q?spoof?=",
        "support@bank.example",
        "教育部 帮助台 " * 3,
    ],
)
def test_a_display_name_arrives_as_it_was_and_is_no_address(name: str) -> None:
    raw = compose(replace(DRAFT, from_name=name, to=Address("acha@sekolah.example", name)))
    assert is_legal(raw)
    message = parsed(raw)
    for field, address in (("From", DRAFT.from_email), ("To", "acha@sekolah.example"), ("Reply-To", DRAFT.reply_to)):
        (mailbox,) = message[field].addresses
        # Python 3.11 puts a space between two encoded words of a name, against RFC 2047 §6.2.
        assert mailbox.display_name.replace(" ", "") == name.replace(" ", "")
        assert mailbox.addr_spec == address
        shown = str(make_header(decode_header(email.message_from_bytes(raw)[field])))
        assert name.strip().replace("\\", "\\\\").replace('"', '\\"') in shown


@pytest.mark.parametrize(
    ("address", "usable"),
    [
        ("acha@sekolah.example", True),
        ("a.b+c@sub.sekolah.sch.id", True),
        ("a..b@docomo.example", True),
        ('"a b"@x.example', True),
        ("a@bücher.example", True),
        ("a@[192.0.2.1]", True),
        ("", False),
        ("acha", False),
        ("@x.example", False),
        ("ñ@x.example", False),
        ("a@b@c.example", False),
        ("a b@x.example", False),
        ("a@x.example>\r\nBcc: y@z", False),
        ("a@x.example, b@y.example", False),
        ("a@-x.example-", False),
        ("a" * 65 + "@x.example", False),
        ("a@" + "x" * 300, False),
        ("a@xn--\udc80", False),
    ],
)
def test_an_address_is_usable_or_the_mail_is_refused(address: str, usable: bool) -> None:
    assert is_usable(address) is usable
    draft = replace(DRAFT, to=Address(address, "Acha"))
    if usable:
        raw = compose(draft)
        assert is_legal(raw) and len(parsed(raw)["To"].addresses) == 1
    else:
        with pytest.raises(PermanentError, match="no address"):
            compose(draft)


def test_one_bad_address_in_cc_stops_nothing() -> None:
    shown = (Address("kepsek@x.example", "Kepala"), Address("x\r\nBcc: y@z"), Address("tu@x.example"))
    assert [m.addr_spec for m in parsed(compose(replace(DRAFT, cc=shown)))["Cc"].addresses] == [
        "kepsek@x.example", "tu@x.example",
    ]  # fmt: skip


def test_ten_people_in_cc_are_folded_between_their_addresses() -> None:
    people = tuple(Address(f"guru{n}@sekolah-menengah.example", f"Guru Nomor {n}, S.Pd.") for n in range(10))
    raw = compose(replace(DRAFT, cc=people))
    assert [(m.display_name, m.addr_spec) for m in parsed(raw)["Cc"].addresses] == [(p.name, p.email) for p in people]
    assert all(len(line) <= 78 for line in raw.split(b"\r\n\r\n")[0].split(b"\r\n"))
    assert raw.count(b'S.Pd." <guru') == 10


# Injection: whatever stands in any value, the header has the fields that it should have, and the body the two parts

ATTACKS = [
    "x\r\nBcc: evil@x.example",
    "x\n\nbody",
    "x\r\n\r\n--b",
    "\n",
    "=?utf-8?q?a=0D=0ABcc:_x?=",
    "x\u2028Bcc: y",
    "a\rBcc: z",
]
BREAKING = '\r\n\0\t\x0b\x0c\x1c\x85\x7f\u2028\u2029\u202e\ufeff\ud800\udcff:<>@,;"\\()=?_-. aZé😀あ'
nasty = st.text(st.sampled_from(BREAKING) | st.characters(), max_size=60) | st.sampled_from(ATTACKS)


@settings(max_examples=300, deadline=None)
@given(nasty, nasty, nasty, nasty, nasty, nasty, nasty, nasty, nasty)
def test_no_value_can_begin_a_header_of_its_own(
    subject: str, name: str, to_name: str, instance: str, topic: str, reference: str, root: str, text: str, cc_name: str
) -> None:
    draft = replace(
        DRAFT,
        subject=subject,
        from_name=name,
        to=Address("acha@sekolah.example", to_name),
        cc=(Address("kepsek@sekolah.example", cc_name), Address(reference, cc_name)),
        instance_id=instance + "x",
        thread_topic=topic,
        thread_root=root + "x",
        in_reply_to=reference,
        references=(reference, "<ok@x.example>"),
        text=text,
        html=text,
    )
    raw = compose(draft)
    assert is_legal(raw)
    header = raw.split(b"\r\n\r\n")[0]
    names = [line.split(b":")[0].decode() for line in header.split(b"\r\n") if line[:1] not in b" \t"]
    assert [n for n in names if n != "In-Reply-To"] == [n for n in FIELDS if n != "In-Reply-To"]
    message = parsed(raw)
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert [m.addr_spec for m in message["From"].addresses] == ["support@helpdesk.example"]
    assert [m.addr_spec for m in message["To"].addresses] == ["acha@sekolah.example"]
    if "=?" not in subject + topic:
        assert "=?" not in message["Subject"] + message["Thread-Topic"]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FIELDS), st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=70))
def test_what_is_written_without_the_encoder_is_what_the_encoder_would_write(name: str, value: str) -> None:
    value = clean(value)
    if len(name) + len(value) <= 76 and "=?" not in value:
        for encoder in (compat32, email.policy.SMTP):
            folded = encoder.clone(linesep="\r\n", max_line_length=78).fold(name, value)
            assert folded == f"{name}: {value}\r\n"


@settings(deadline=None)
@given(st.text())
def test_a_cleaned_value_is_one_line_and_can_be_encoded(value: str) -> None:
    cleaned = clean(value)
    assert len(cleaned.splitlines()) <= 1
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned


# Bodies

BODIES = {
    "ascii": ("Selamat siang.\n\nTerima kasih.\n", "7bit"),
    "accents": ("Saldo “tidak sama”, padahal cocok.\n" * 3, "quoted-printable"),
    "other scripts": ("こんにちは。帐目不平。\n" * 5, "base64"),
    "emoji": ("🙏🏽🙏🏽🙏🏽\n", "base64"),
    "a long line": ("kata " * 1000, "quoted-printable"),
    "a boundary of ours": ("--=_9cfd5a353ad3637d7cf0993429579a59--\n", "quoted-printable"),
    "dots": (".\n..\n.x\n", "7bit"),
    "trailing space": ("-- \nSally \n", "7bit"),
    "from": ("From the beginning\n", "7bit"),
    "no line end": ("x", "7bit"),
    "nothing": ("", "7bit"),
}


@pytest.mark.parametrize(("text", "encoding"), BODIES.values(), ids=list(BODIES))
def test_a_body_arrives_as_it_was(text: str, encoding: str) -> None:
    raw = compose(replace(DRAFT, text=text, html=text))
    assert is_legal(raw)
    message = parsed(raw)
    for part in message.iter_parts():
        assert part["Content-Transfer-Encoding"] == encoding
        assert part.get_content_charset() == "utf-8"
        assert not part.defects
    assert text_of(message).rstrip("\n") == text.rstrip("\n")
    assert text_of(message, "html").rstrip("\n") == text.rstrip("\n")


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]) | st.sampled_from("\n\t=_.- "), max_size=300))
def test_any_text_arrives_as_it_was(text: str) -> None:
    raw = compose(replace(DRAFT, text=text))
    assert is_legal(raw)
    payload = next(iter(parsed(raw).iter_parts())).get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n") == text


def test_controls_and_halves_of_characters_are_left_out_of_bodies() -> None:
    assert text_of(parsed(compose(replace(DRAFT, text="a\0b\x1b[1mc\udc80d\x85e\rf\r\ng")))) == "ab[1mcde\nf\ng"


# Outlook's threads (MS-OXOMSG §2.2.1.3)


def thread_index(draft: Draft) -> bytes:
    return base64.b64decode(parsed(compose(draft))["Thread-Index"])


def test_all_mail_of_a_ticket_is_a_child_of_one_root() -> None:
    first = thread_index(DRAFT)
    later = thread_index(replace(DRAFT, message_id="<later@helpdesk.example>", date=DRAFT.date + timedelta(hours=6)))
    other = thread_index(replace(DRAFT, thread_root="<another@x.example>"))
    assert len(first) == len(later) == 27
    assert first[:22] == later[:22] != other[:22]
    assert first[22:] < later[22:]


def test_the_thread_index_begins_with_the_time_of_the_thread() -> None:
    ticks = int.from_bytes(thread_index(DRAFT)[:6] + b"\0\0", "big")
    started = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
    assert DRAFT.thread_started is not None
    assert abs(started - DRAFT.thread_started) < timedelta(seconds=1)


@pytest.mark.parametrize("days", [-1, 0, 1, 600, 700, 3000])
def test_the_child_says_how_long_after_the_root_it_was_written(days: int) -> None:
    assert DRAFT.thread_started is not None
    raw = thread_index(replace(DRAFT, date=DRAFT.thread_started + timedelta(days=days)))
    delta = int.from_bytes(raw[22:26], "big")
    shift = 23 if delta >> 31 else 18
    seconds = ((delta & 0x7FFFFFFF) << shift) / 10_000_000
    assert abs(seconds - max(0, days) * 86400) < 1


# Attachments

PNG = b"\x89PNG" + bytes(range(256)) * 4
NAMES = [
    "bukti.png",
    "rekening koran.pdf",
    'a"b\\c.txt',
    "foto sekolah – é.jpg",
    "図面 最終版.xlsx",
    "=?utf-8?q?x?=.txt",
    "panjang" * 60 + ".docx",
    "長" * 200 + ".pdf",
    "x\r\nBcc: y@z.example.txt",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_an_attachment_arrives_with_its_name(name: str) -> None:
    raw = with_files(compose(DRAFT), [Attachment(name, "image/png", PNG)])
    assert is_legal(raw)
    message = parsed(raw)
    assert message.keys() == FIELDS
    (file,) = message.iter_attachments()
    assert file.get_content() == PNG
    assert file.get_content_disposition() == "attachment"
    short = clean(name) or "file"
    got = file.get_filename()
    assert got is not None
    if len(short.encode()) <= 200:
        assert got == short
    else:
        assert len(got.encode()) <= 200 and got[:50] == short[:50] and got.endswith(short[-4:])
    assert text_of(message) == DRAFT.text and text_of(message, "html") == DRAFT.html


def test_old_outlook_reads_the_name_from_the_content_type() -> None:
    raw = with_files(compose(DRAFT), [Attachment("foto é.jpg", "image/jpeg", PNG)])
    assert b'Content-Type: image/jpeg;\r\n name="=?utf-8?' in raw
    assert b"Content-Disposition: attachment;\r\n filename*=utf-8''foto%20%C3%A9.jpg\r\n" in raw


def test_no_attachments_change_nothing() -> None:
    raw = compose(DRAFT)
    assert enclose(raw, []).parts == (raw,)


def test_attaching_is_repeatable_too() -> None:
    files = [Attachment("a.png", "image/png", PNG), Attachment("b.png", "image/png", PNG)]
    assert with_files(compose(DRAFT), files) == with_files(compose(DRAFT), files)


@pytest.mark.parametrize("content_type", ["message/rfc822", "multipart/mixed", "nonsense", "text/plain\r\nX: y", ""])
def test_what_may_not_be_base64_goes_as_a_plain_file(content_type: str) -> None:
    """RFC 2046 §5.2.1: a nested mail must not be base64."""
    raw = with_files(compose(DRAFT), [Attachment("surat.eml", content_type, b"From: a\n\nb")])
    assert is_legal(raw)
    (file,) = parsed(raw).iter_attachments()
    assert (file.get_content_type(), file.get_filename()) == ("application/octet-stream", "surat.eml")
    assert file.get_content() == b"From: a\n\nb"


def test_an_image_that_the_html_shows_stands_beside_it() -> None:
    shown = Attachment("layar.png", "image/png", PNG, content_id="ii_abc@x.example", inline=True)
    other = Attachment("lain.png", "image/png", PNG, content_id="unused@x.example", inline=True)
    draft = replace(DRAFT, html='<p style="x"><img src="cid:ii_abc@x.example"> é</p>')
    message = parsed(with_files(compose(draft), [shown, other]))
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed", "multipart/related", "multipart/alternative", "text/plain", "text/html", "image/png",
        "image/png",
    ]  # fmt: skip
    inline, attached = (part for part in message.walk() if part.get_content_type() == "image/png")
    assert (inline["Content-ID"], inline.get_content_disposition()) == ("<ii_abc@x.example>", "inline")
    assert (attached["Content-ID"], attached.get_content_disposition()) == ("<unused@x.example>", "attachment")


def test_only_shown_images_need_no_mixed() -> None:
    shown = Attachment("layar.png", "image/png", PNG, content_id="ii@x", inline=True)
    message = parsed(with_files(compose(replace(DRAFT, html='<img src="cid:ii@x">')), [shown]))
    assert message.get_content_type() == "multipart/related"
    assert message.get_param("type") == "multipart/alternative"


@settings(max_examples=100, deadline=None)
@given(nasty, nasty, nasty, st.binary(max_size=200))
def test_no_attachment_can_break_the_mail(name: str, content_type: str, content_id: str, content: bytes) -> None:
    raw = with_files(compose(DRAFT), [Attachment(name, content_type, content, content_id=content_id)])
    assert is_legal(raw)
    message = parsed(raw)
    (file,) = message.iter_attachments()
    assert file.get_payload(decode=True) == content
    assert set(file.keys()) <= {"Content-Type", "Content-Disposition", "Content-Transfer-Encoding", "Content-ID"}
    assert message.keys() == FIELDS
