"""Redaction: tokens, private addresses, quotations of our own mail."""

from __future__ import annotations

import base64
import quopri
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.mail.message import InboundMessage
from mailbot.mail.redaction import (
    in_base64_blocks,
    mask_addresses,
    mask_tokens,
    strip_internal_quotes,
    without_tokens,
)
from mailbot.mail.reply_token import Purpose, Signer, read_tokens
from mailbot.vocabulary.quoting import MARKER_LINES

SIGNER = Signer((b"k" * 32,))
TOKEN = str(SIGNER.sign(Purpose.AGENT, 12345, "sally@helpdesk.example"))
MAC = TOKEN[-20:]


def gone(text: str) -> bool:
    """Return whether the token can't be read from this, whatever encoding is undone."""
    joined = "".join(c for c in text.lower() if c.isalnum())
    return MAC not in joined and not read_tokens(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"balas ke support+{TOKEN}@helpdesk.example ya", "balas ke support@helpdesk.example ya"),
        (f"SUPPORT+{TOKEN.upper()}@HELPDESK.EXAMPLE", "SUPPORT@HELPDESK.EXAMPLE"),
        (f"mailto:support%2B{TOKEN}%40helpdesk.example", "mailto:support%40helpdesk.example"),
        (f"mailto:support%2b{TOKEN.upper()}@x", "mailto:support@x"),
        (f"https://x/?u=mailto%3Asupport%252B{TOKEN}%2540x", "https://x/?u=mailto%3Asupport%2540x"),
        (f"support&#43;{TOKEN}&#64;x", "support&#64;x"),
        (f"support&#x2B;{TOKEN}@x", "support@x"),
        (f"<a href=\"mailto:support+{TOKEN}@x\">", '<a href="mailto:support@x">'),
        (f"support+\n{TOKEN}@x", "support@x"),
        (f"> support+{TOKEN[:9]}\n> {TOKEN[9:]}@x", "> support@x"),
        (f"support=2B{TOKEN[:20]}=\r\n{TOKEN[20:]}@x", "support@x"),
        ("support+" + "\u200b".join(TOKEN) + "@x", "support@x"),
        ("support+" + "\xad".join(TOKEN) + "@x", "support@x"),
        (f"<{TOKEN}.0f3a@helpdesk.example>", "<***.0f3a@helpdesk.example>"),
        (f"https://status.example/?nomor=12345&kunci={TOKEN}", "https://status.example/?nomor=12345&kunci=***"),
        (f"kode {TOKEN}, {TOKEN}.", "kode ***, ***."),
        ("a0b, s0 dan r0x; c0deine", "a0b, s0 dan r0x; c0deine"),
        ("NPSN 20512345, R0 1,5", "NPSN 20512345, R0 1,5"),
    ],
)  # fmt: skip
def test_a_token_is_found_in_every_form(text: str, left: str) -> None:
    assert without_tokens(text) == left
    assert gone(without_tokens(text))


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(list(Purpose)), st.integers(1, 10**12))
def test_no_text_around_a_signed_address_saves_it(before: str, after: str, purpose: Purpose, number: int) -> None:
    token = str(SIGNER.sign(purpose, number, "a@b.id"))
    # what stands right behind a token belongs to it, if it is a letter: then it is none
    text = without_tokens(f"{before} support+{token}@x {after}")
    assert token[-20:] not in text.lower()
    assert text.endswith(f"@x {after}") or read_tokens(f"{before}{after}") or "0" in after + before


@given(st.text())
def test_a_text_without_a_token_stays_as_it_is(text: str) -> None:
    assert without_tokens(text) == text or read_tokens(text.replace("\n", "")) or "***" in without_tokens(text)


EML = (
    f"From: support@helpdesk.example\r\nReply-To: Helpdesk <support+{TOKEN}@helpdesk.example>\r\n"
    f"Message-ID: <{TOKEN}.0f@helpdesk.example>\r\nMIME-Version: 1.0\r\n"
).encode()


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
def test_an_attached_mail_keeps_its_length_and_loses_the_token(encoding: str) -> None:
    body = f"{'Kata. ' * 11}Balas ke support+{TOKEN}@helpdesk.example. é\r\n".encode()
    encoded = {"7bit": body, "quoted-printable": quopri.encodestring(body), "base64": base64.encodebytes(body)}[
        encoding
    ]
    mail = EML + f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + encoded
    masked = mask_tokens(mail, "message/rfc822")
    assert len(masked) == len(mail)
    assert masked.count(b"\n") == mail.count(b"\n")
    decoded = masked.split(b"\r\n\r\n", 1)[1]
    if encoding == "base64":
        decoded = base64.b64decode(decoded)
    elif encoding == "quoted-printable":
        decoded = quopri.decodestring(decoded)
    assert b"Kata. Kata." in decoded
    assert b"@helpdesk.example. \xc3\xa9" in decoded
    assert gone(masked.decode("latin-1"))
    assert gone(decoded.decode("latin-1"))


def test_other_files_are_left_alone() -> None:
    picture = b"\x89PNG" + f"support+{TOKEN}@x".encode()
    assert mask_tokens(picture, "image/png") is picture
    page = f"<a href='mailto:support%2B{TOKEN}@x'>".encode()
    assert gone(mask_tokens(page, "text/html").decode())
    plain = b"tanpa apa-apa " * 100
    assert mask_tokens(plain, "text/plain") is plain


def test_private_addresses_become_the_desks() -> None:
    private = {"sally@helpdesk.example", "s.b@lain.example"}
    text = (
        "Sally <SALLY@helpdesk.example>, mailto:sally%40helpdesk.example, sally+x@helpdesk.example, s.b@lain.example."
    )
    shown = mask_addresses(text, private, "support@helpdesk.example")
    assert "sally@" not in shown.lower()
    assert "sally%40" not in shown.lower()
    assert "s.b@" not in shown
    assert shown.count("support@helpdesk.example") == 4
    kept = "rosally@helpdesk.example sally@helpdesk.example.org sxb@lain.example"
    assert mask_addresses(kept, {"s.b@lain.example"}, "x@y") == kept
    assert "rosally@helpdesk.example" in mask_addresses(kept, private, "x@y")


OWN = {"support@helpdesk.example", "sally@helpdesk.example"}


def said(words: str, public: list[str] | None = None, message: InboundMessage | None = None) -> str:
    return strip_internal_quotes(
        message or InboundMessage(text=words), words, lambda: public or [], lambda email: email in OWN
    )


def test_quoted_lines_stay_only_where_the_requester_knows_them() -> None:
    words = "> BKU Oktober tidak\n> bisa ditutup.\nSudah kami buka.\n> RAHASIA: hati-hati.\n> \nSelesai."
    assert said(words, ["BKU Oktober tidak bisa ditutup."]) == (
        "> BKU Oktober tidak\n> bisa ditutup.\nSudah kami buka.\nSelesai."
    )
    assert said(words) == "Sudah kami buka.\nSelesai."
    assert said("> > lapisan dalam\nya", ["lain"]) == "ya"


@pytest.mark.parametrize("marker", MARKER_LINES)
def test_a_notification_that_is_not_marked_as_a_quotation_is_cut(marker: str) -> None:
    words = f"Mohon coba lagi.\n\nFrom: Helpdesk <support@helpdesk.example>\nSubject: #12345\n\n{marker}\n\nRAHASIA"
    assert said(words) == "Mohon coba lagi."


def test_an_attribution_that_names_an_agent_goes() -> None:
    words = "Baik.\nPada tanggal Sen, 3 Nov 2025 pukul 15.10 Sally <sally@helpdesk.example> menulis:\nisi"
    assert said(words) == "Baik.\nisi"
    assert said("Hubungi sally@helpdesk.example:\n0812") == "Hubungi sally@helpdesk.example:\n0812"


def test_ordinary_words_stay_to_the_letter() -> None:
    words = "Yth. Ibu Acha,\n\n1. Buka menu BKU: pilih bulan\n2. Klik Tutup\n\n---\nSally"
    assert said(words) == words


@pytest.mark.parametrize(
    "hostile",
    ["r0" * 200_000, "r0" + "a" * 400_000, ("r0" + "a" * 13 + "0") * 25_000, "+r\n0\n" * 80_000,
     "r\u200b0\u200b" * 60_000, "+" + "\n> " * 100_000, "> " * 100_000, "a@" * 150_000, "From: " * 60_000],
)  # fmt: skip
def test_hostile_text_costs_little(hostile: str) -> None:
    started = time.process_time()
    without_tokens(hostile)
    mask_tokens(hostile.encode(), "message/rfc822")
    mask_addresses(hostile, OWN, "x@y")
    said(hostile, ["x"])
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Halo.", "Halo."),
        ("Dari sally@rumah.example.", "Dari DESK."),
        ("mailto:sally%40rumah.example", "mailto:DESK"),
        ("Surat lain@x.example", "Surat lain@x.example"),
        ("", ""),
    ],
)
def test_each_form_of_a_private_address_is_hidden_by_itself_and_other_words_stay(text: str, shown: str) -> None:
    assert mask_addresses(text, ["sally@rumah.example"], "DESK") == shown


def upper(content: bytes) -> bytes:
    return content.upper()


def test_only_what_is_inside_base64_is_changed_and_its_lines_stay() -> None:
    block = base64.encodebytes(b"kata rahasia " * 12).replace(b"\n", b"\r\n")
    changed = in_base64_blocks(b"From: a\r\n\r\n" + block + b"--b\r\n", upper)
    assert changed.startswith(b"From: a\r\n\r\n")
    assert base64.b64decode(changed[11:-5]) == b"KATA RAHASIA " * 12
    assert [len(line) for line in changed.split(b"\r\n")[2:]] == [len(line) for line in block.split(b"\r\n")[:-1]] + [
        3,
        0,
    ]


@pytest.mark.parametrize("raw", [b"QUJDREVGR0hJSktMTU5PU\r\n", base64.b64encode(b"ABCDEFGHIJKLMNOP") + b"\r\n"])
def test_what_is_no_base64_or_does_not_change_stays(raw: bytes) -> None:
    assert in_base64_blocks(raw, upper) == raw


def test_a_change_of_the_length_is_not_made() -> None:
    raw = base64.b64encode(b"kata rahasia di sini") + b"\r\n"
    assert in_base64_blocks(raw, lambda content: content + b"x") == raw
