"""The header of a mail that can't be handled, read by as little code as possible.

In: the raw bytes of a mail that mailbot can't handle, perhaps because its parser can't. Out: an `InboundMessage` with
author, subject, recipients, references and header fields; no body, no parts. Shares no code with `mail.mime.parser`,
so that what broke that one does not break this one: bytes are split at line ends (RFC 5322 §2.2, §2.2.3), encoded
words (RFC 2047) are left to the standard library, whatever can't be decoded stays as written.
Never: raises; reads beyond the first 256 KB or more than 500 fields.
"""

from __future__ import annotations

import re
from email.errors import MessageError
from email.header import decode_header, make_header

from mailbot.mail.message import Address, Headers, InboundMessage

_HEADER_BYTES = 262_144
_MOST_FIELDS = 500
_LONGEST = 4_000
_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_ADDRESS = re.compile(r"[^\s<>@(),;:\"]{1,64}@[^\s<>@(),;:\"]{1,255}")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")


def parse_minimal(raw: bytes, size: int = 0) -> InboundMessage:
    """Return what the header says; `size` is that of the whole mail if `raw` is only its header."""
    headers = Headers(tuple(_fields(raw)))
    authors = _ADDRESS.findall(headers.get("From"))
    return InboundMessage(
        headers=headers,
        message_id=next(iter(_MESSAGE_ID.findall(headers.get("Message-ID"))), ""),
        in_reply_to=tuple(_MESSAGE_ID.findall(headers.get("In-Reply-To"))[:10]),
        references=tuple(_MESSAGE_ID.findall(headers.get("References"))[-50:]),
        from_=tuple(Address(found.lower()) for found in authors[-1:]),  # a display name may look like an address
        recipients=tuple(f.lower() for name in _RECIPIENTS for v in headers.get_all(name) for f in _ADDRESS.findall(v)),
        subject=headers.get("Subject"),
        size=size or len(raw),
    )


def is_automatic(message: InboundMessage) -> bool:
    """Return whether the header says that a machine wrote (RFC 3834 §5; null return path, RFC 5321 §4.5.5)."""
    said = message.headers.get("Auto-Submitted").strip().lower()
    return said not in ("", "no") or message.headers.get("Return-Path").strip() == "<>"


def _fields(raw: bytes) -> list[tuple[str, str]]:
    """Return name and value of each field, unfolded."""
    fields: list[list[bytes]] = []
    for line in raw[:_HEADER_BYTES].split(b"\n"):
        line = line.rstrip(b"\r")
        if not line and fields:
            break  # RFC 5322 §2.1: an empty line ends the header
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1].append(line)  # RFC 5322 §2.2.3: folding
        elif len(fields) < _MOST_FIELDS:
            fields.append([line])
    found = (_FIELD.match(b" ".join(field)[:_LONGEST]) for field in fields)
    return [(m[1].decode("ascii"), _decoded(m[2].strip())) for m in found if m]


def _decoded(value: bytes) -> str:
    text = value.decode("utf-8", "replace").replace("\x00", "")
    try:
        return " ".join(str(make_header(decode_header(text))).replace("\x00", "").split())
    except (ValueError, LookupError, MessageError):
        return " ".join(text.split())  # an unknown charset or a broken encoded word: as written
