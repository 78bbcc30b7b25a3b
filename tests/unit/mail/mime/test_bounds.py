"""The bounds of the parser: no mail breaks it, or takes unbounded time or memory."""

from __future__ import annotations

import string
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.mail.message import InboundMessage
from mailbot.mail.mime.filetype import MAX_BYTES
from mailbot.mail.mime.parser import parse_header_only, parse_message
from tests.support.hostile import HOSTILE

ROOT = Path(__file__).resolve().parents[4]


def assert_sound(message: InboundMessage) -> None:
    """What every consumer may rely on, for any input."""
    assert not [code for code in message.defects if code.startswith("parser-fault")]
    texts = [message.subject, message.text, message.html, message.message_id, *message.references]
    texts += [each.name for each in (*message.from_, *message.to, *message.cc, *message.reply_to)]
    texts += [value for _, value in message.headers]
    for text in texts:
        text.encode("utf-8")  # no lone surrogate
        assert "\x00" not in text
    assert "\r" not in message.text
    assert "\n" not in message.subject
    for address in (*message.from_, *message.to, *message.cc):
        assert address.email.count("@") >= 1
        assert not any(letter in string.ascii_uppercase for letter in address.email)  # others keep their case: RFC 6532
    for attachment in message.attachments:
        assert attachment.name
        assert len(attachment.name.encode()) <= MAX_BYTES
        assert not set(attachment.name) & set("/\\\x00\n\r")
        assert attachment.name not in (".", "..")
        assert "/" in attachment.content_type
    assert message.date is None or message.date.tzinfo is not None
    for inner in message.nested:
        assert_sound(inner)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_is_read_in_linear_time(name: str) -> None:
    raw = HOSTILE[name](150_000)
    start = time.process_time()
    message = parse_message(raw)
    # Quadratic reading of these takes minutes; the limit leaves room for a slow and busy machine.
    assert time.process_time() - start < 3
    assert_sound(message)
    assert_sound(parse_header_only(raw))


MEASURED_ALONE = """
import resource, sys
from mailbot.mail.mime.parser import parse_message
from tests.support.hostile import HOSTILE
mails = [HOSTILE[name](1_000_000) for name in sys.argv[1:]]
for name in sys.argv[1:]:
    parse_message(HOSTILE[name](2_000))  # imports
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for mail in mails:
    parse_message(mail)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_hostile_mail_stays_small_in_memory() -> None:
    """In a process of its own: the HTML parser's memory is C's, which tracemalloc doesn't see."""
    names = ["nested lists", "table cells", "nothing but parts", "many recipients", "one flowed line", "links"]
    run = subprocess.run(
        [sys.executable, "-c", MEASURED_ALONE, *names], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert int(run.stdout) < 8 * 1_000_000 + 50_000_000


@pytest.mark.parametrize("levels", [10, 59, 200, 1500])
def test_words_stay_reachable_below_any_depth(levels: int) -> None:
    opened = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(levels))
    assert "kata terdalam" in parse_message(opened.encode() + b"Content-Type: text/plain\n\nkata terdalam\n").text


def test_many_parts_are_capped_and_the_rest_is_kept_as_one() -> None:
    part = b"--b\nContent-Type: image/png; name=a.png\n\nx\n"
    message = parse_message(b"Content-Type: multipart/mixed; boundary=b\n\n" + part * 3000 + b"--b\n\nkata terakhir\n")
    assert len(message.attachments) == 1001
    assert b"kata terakhir" in message.attachments[-1].content
    assert "too-many-parts" in message.defects


def test_a_small_stack_is_no_reason_to_raise() -> None:
    """Called from deep inside another program."""

    def at_depth(left: int) -> InboundMessage:
        return parse_message(HOSTILE["60 nested multiparts"](1000)) if left == 0 else at_depth(left - 1)

    found: list[InboundMessage] = []
    limit = sys.getrecursionlimit()
    thread = threading.Thread(target=lambda: found.append(at_depth(limit - 60)))
    thread.start()
    thread.join()
    assert found[0].defects


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"\r\n\r\n",
        b":",
        b": x",
        b"\x00",
        b"\xff\xfe",
        b"-",
        b"=?",
        b"From:",
        b"\n\n\n",
        b"Content-Type:multipart/x;boundary=\n\n--",
    ],
)
def test_next_to_nothing(raw: bytes) -> None:
    assert_sound(parse_message(raw))
    assert parse_message(raw).size == len(raw)


def test_other_kinds_of_buffers() -> None:
    raw = b"Subject: x\n\nisi"
    assert parse_message(bytearray(raw)) == parse_message(raw)
    assert parse_message(memoryview(raw)).subject == "x"


FIELDS = st.sampled_from(
    [
        "From", "To", "Subject", "Date", "Message-ID", "References", "Received", "Content-Type", "Content-Disposition",
        "Content-Transfer-Encoding", "Content-ID", "Return-Path", "X-Y",
    ]
)  # fmt: skip
VALUES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"multipart/mixed; boundary=b", b"multipart/alternative; boundary=b", b'text/plain; charset="utf-16"',
            b"text/html", b"message/rfc822", b"message/delivery-status", b"application/ms-tnef", b"base64",
            b"quoted-printable", b"x-uuencode", b"attachment; filename*0*=utf-8''%e9; filename*1=/..", b"inline",
            b"a@x.id (b <c@y.id>", b'"a, b" <c@x.id>', b"=?utf-8?Q?=C3?= =?utf-8?B?!?=", b"<a@b> <c",
            b"Mon, 3 Nov 2025 10:45:13 +0700", b"from a by b; Mon, 3 Nov 2025 10:45:13 +0700", b"text/calendar",
            b"text/plain; format=flowed; delsp=yes", b"text/plain; charset=iso-2022-jp",
            b"multipart/signed; boundary=b",
        ]
    ),
)  # fmt: skip
LINES = st.one_of(
    st.tuples(FIELDS, VALUES).map(lambda pair: pair[0].encode() + b": " + pair[1]),
    st.sampled_from([b"", b"--b", b"--b--", b"begin 644 x", b"#0V%T", b"end", b"> quoted ", b"\t continued", b"<p>x"]),
    st.binary(max_size=30),
)
ENDS = st.sampled_from([b"\n", b"\r\n"])
MAILS = st.tuples(st.lists(LINES, max_size=40), ENDS).map(lambda both: both[1].join(both[0]))


@settings(max_examples=300, deadline=None)
@given(MAILS)
def test_any_lines_give_a_sound_message(raw: bytes) -> None:
    assert_sound(parse_message(raw))
    assert_sound(parse_header_only(raw))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_a_sound_message(raw: bytes) -> None:
    message = parse_message(raw)
    assert_sound(message)
    assert message == parse_message(raw)
