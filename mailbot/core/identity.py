"""When are two arrivals the same mail? Message-ID plus a digest of what the author determines.

In: the raw bytes. Out: `Identity`. A mail that reaches us twice (an alias, another route, a changed UIDVALIDITY)
differs in its trace headers only; some senders use one Message-ID for several texts, and those are different mails.
Cheap on purpose: it runs before a mail is stored, and never fails.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_FIELD = re.compile(rb"(?im)^(message-id|from|to|subject|date)[ \t]*:((?:[^\n]|\n[ \t])*)")
_HEADER_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Identity:
    """`message_id` as written (RFC 5322 §3.6.4; "" where there is none), `digest` SHA-256 in hex."""

    message_id: str
    digest: str


def identity(raw: bytes) -> Identity:
    """The identity of a mail. Line ends and blank lines at the end don't count: mail systems change them."""
    end = re.search(rb"\r?\n\r?\n", raw)
    header, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    fields: dict[bytes, bytes] = {}
    for name, value in _FIELD.findall(header[:_HEADER_BYTES]):
        fields.setdefault(name.lower(), b" ".join(value.split()))
    digest = hashlib.sha256()
    if b"message-id" not in fields and b"date" not in fields:
        digest.update(raw)  # nothing but the whole tells two such mails apart
    for name in (b"from", b"to", b"subject", b"date"):
        digest.update(name + b":" + fields.get(name, b"") + b"\n")
    digest.update(body.replace(b"\r\n", b"\n").rstrip())
    message_id = fields.get(b"message-id", b"").decode("ascii", "replace")[:500].replace("\x00", "")
    return Identity(message_id, digest.hexdigest())
