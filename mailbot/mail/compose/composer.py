"""An outgoing mail as the bytes that SMTP takes: RFC 5322 header, text and HTML.

In: a `Draft`, every value of which may come from anybody. Out: bytes with CRLF, no line over 998 octets, all of it
7-bit, so that no server has to convert it (and break a DKIM signature). The same draft gives the same bytes, so a
retry repeats them.

Standards: RFC 5322, 2045-2047, 3834 (automatic mail), MS-OXOMSG §2.2.1.3 (Thread-Index).
Never: randomness, a clock, templates, sockets.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal

from mailbot.errors import PermanentError
from mailbot.mail.compose.header_fields import (
    MAX_LINE,
    MESSAGE_ID,
    ascii_address,
    ascii_domain,
    ascii_field,
    boundary_of,
    list_field,
    mailbox,
    text_field,
)
from mailbot.mail.compose.streaming import base64_lines
from mailbot.mail.message import Address, MessageKind

# In a body, tab and line feed are text.
_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t\n\r")
_ASCII = bytes(range(128))
_UNSAFE_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Longer References are cut in the middle, which RFC 5322 §3.6.4 permits: the root keeps the thread together, the latest
# ids say where in it the mail belongs.
_MAX_REFERENCES = 20


@dataclass(frozen=True, slots=True)
class Draft:
    """The content of one mail to one person. Identifiers have angle brackets; invalid ones are left out."""

    kind: MessageKind
    from_name: str
    from_email: str
    to: Address
    subject: str
    text: str
    html: str
    message_id: str
    date: datetime
    cc: tuple[Address, ...] = ()  #: Shown only; the envelope decides who gets the mail.
    reply_to: str = ""  #: The signed address, shown with `from_name`.
    in_reply_to: str = ""
    references: tuple[str, ...] = ()  #: Oldest first.
    ticket_number: int | None = None  #: None: of no ticket, or of one that the reader must not know.
    auto_submitted: Literal["", "auto-replied", "auto-generated"] = ""  #: "": written by a person.
    instance_id: str = ""  #: Marks our own mail, so that it is recognised when it returns.
    thread_topic: str = ""  #: "": the subject.
    thread_root: str = ""  #: Any stable text of the thread, as the Message-ID of the ticket's first mail.
    thread_started: datetime | None = None
    canary: str = ""  #: The token of a mail by which the desk measures its round trip.


def compose(draft: Draft) -> bytes:
    """Return the mail, ready for SMTP. Raises PermanentError for an invalid sender, recipient or Message-ID."""
    if not MESSAGE_ID.fullmatch(draft.message_id):
        raise PermanentError(f"{draft.message_id!r} can't be a Message-ID")
    boundary = boundary_of(draft.message_id, "alternative")
    header = [
        *_correspondents(draft),
        text_field("Subject", draft.subject),
        ascii_field("Date", format_datetime(draft.date)),
        *_thread(draft),
        *_marks(draft),
        "MIME-Version: 1.0\r\n",
        f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n',
    ]
    parts = _part("plain", draft.text, boundary) + _part("html", draft.html, boundary)
    return "".join(header).encode("ascii") + parts + f"--{boundary}--\r\n".encode("ascii")


def message_id(token: str, domain: str) -> str:
    """Return `<token@domain>` (RFC 5322 §3.6.4) for a unique token of letters, digits, dots and hyphens."""
    made = f"<{token}@{ascii_domain(domain)}>"
    if not MESSAGE_ID.fullmatch(made):
        raise ValueError(f"{token!r} and {domain!r} make no Message-ID")
    return made


def is_usable(email: str) -> bool:
    """Return whether mail to this addr-spec is possible without SMTPUTF8 (RFC 6531); its domain may be an IDN."""
    return ascii_address(email) is not None


def _correspondents(draft: Draft) -> list[str]:
    """Return From, To, Cc and Reply-To (RFC 5322 §3.6.2, §3.6.3)."""
    fields = [
        ascii_field("From", mailbox(draft.from_name, draft.from_email)),
        ascii_field("To", mailbox(draft.to.name, draft.to.email)),
    ]
    # An unusable address among those that are only shown is left out.
    shown = [mailbox(person.name, person.email) for person in draft.cc if is_usable(person.email)]
    if shown:
        fields.append(list_field("Cc", shown, ","))
    if draft.reply_to:
        fields.append(ascii_field("Reply-To", mailbox(draft.from_name, draft.reply_to)))
    return fields


def _thread(draft: Draft) -> list[str]:
    """Return the fields by which clients thread: RFC 5322 §3.6.4, and for Outlook MS-OXOMSG."""
    fields = [ascii_field("Message-ID", draft.message_id)]
    if MESSAGE_ID.fullmatch(draft.in_reply_to):
        fields.append(ascii_field("In-Reply-To", draft.in_reply_to))
    references = [reference for reference in draft.references if MESSAGE_ID.fullmatch(reference)]
    if len(references) > _MAX_REFERENCES:
        references = references[:1] + references[1 - _MAX_REFERENCES :]
    if references:
        fields.append(list_field("References", references, ""))
    if draft.thread_root:
        fields.append(text_field("Thread-Topic", draft.thread_topic or draft.subject))
        fields.append(ascii_field("Thread-Index", _thread_index(draft)))
    return fields


def _marks(draft: Draft) -> list[str]:
    """Return the fields that say to machines what the mail is (RFC 3834 §3.1.7, §5)."""
    fields = []
    if draft.auto_submitted:
        fields.append(ascii_field("Auto-Submitted", draft.auto_submitted))
        # Exchange and Outlook follow this, not Auto-Submitted (MS-OXCMAIL, PidTagAutoResponseSuppress).
        fields.append("X-Auto-Response-Suppress: All\r\n")
    if draft.ticket_number is not None:
        fields.append(f"X-Mailbot-Ticket: {draft.ticket_number:d}\r\n")
    fields.append(ascii_field("X-Mailbot-Kind", draft.kind.value))
    if draft.instance_id:
        fields.append(text_field("X-Mailbot-Instance", draft.instance_id))
    if draft.canary:
        fields.append(ascii_field("X-Mailbot-Canary", draft.canary))
    return fields


def _thread_index(draft: Draft) -> str:
    """Return six bytes of FILETIME, a GUID, and five bytes for a child of the root (MS-OXOMSG §2.2.1.3)."""
    started = _filetime(draft.thread_started or datetime(2025, 1, 1, tzinfo=UTC))
    guid = hashlib.sha256(draft.thread_root.encode("utf-8", "replace")).digest()[:16]
    elapsed = max(0, _filetime(draft.date) - started)
    # Up to 1.7 years in steps of 26 ms, else (first bit set) in steps of 0.8 s; four random bits, four of the level.
    delta = elapsed >> 18 if elapsed < 1 << 49 else (elapsed >> 23) | 1 << 31
    child = ((delta & 0xFFFFFFFF) << 8) | (hashlib.sha256(draft.message_id.encode()).digest()[0] & 0xF0)
    header = (started >> 16).to_bytes(6, "big")
    return base64.b64encode(header + guid + child.to_bytes(5, "big")).decode("ascii")


def _filetime(at: datetime) -> int:
    """Return the time in units of 100 ns since 1601 (MS-DTYP §2.3.3)."""
    return (int(at.timestamp() * 1_000_000) + 11_644_473_600_000_000) * 10


def _part(subtype: str, text: str, boundary: str) -> bytes:
    """Return a body part, with its delimiter before it and a line end after it."""
    encoding, body = _encode_body(text)
    head = (
        f"--{boundary}\r\n"
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode("ascii") + body + b"\r\n"


def _encode_body(text: str) -> tuple[str, bytes]:
    """Return (transfer encoding, encoded bytes); the source stays legible if possible."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    is_ascii = text.isascii()
    raw = (text if is_ascii else _UNSAFE_TEXT.sub("", text)).encode("utf-8")
    lines = raw.translate(None, _CONTROLS).split(b"\n")
    raw = b"\r\n".join(lines)
    # "=_" may be a copy of one of our boundaries: quoted-printable writes every "=" as "=3D".
    if is_ascii and max(map(len, lines)) <= MAX_LINE and b"=_" not in raw:
        return "7bit", raw
    if len(raw.translate(None, _ASCII)) * 4 > len(raw):
        return "base64", base64_lines(raw)
    # b2a_qp ends the lines that it breaks like those it finds, so it is given one kind.
    return "quoted-printable", binascii.b2a_qp(b"\n".join(lines), istext=True).replace(b"\n", b"\r\n")
