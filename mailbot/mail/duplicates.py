"""Whether two deliveries are the same mail: Message-ID plus a digest of what the author determines.

In: the raw bytes. Out: `Identity`. A mail that is delivered twice (an alias, another route, a changed UIDVALIDITY)
differs in its trace headers only; some senders use one Message-ID for several texts, and those are different mails.
Cheap, since it runs before a mail is stored; never fails.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

_FIELD = re.compile(rb"(?im)^(message-id|from|to|subject|date)[ \t]*:((?:[^\n]|\n[ \t])*)")
_HEADER_BYTES = 262_144
# Bytes of a body that are copied at a time: a mail of 35 MB must not be in memory four times.
_PIECE = 1_000_000


@dataclass(frozen=True, slots=True)
class Identity:
    """What is equal for two deliveries of one mail."""

    message_id: str  #: As written (RFC 5322 §3.6.4), "" if there is none.
    digest: str  #: SHA-256 in hex.


def identity(raw: bytes) -> Identity:
    """Return the identity of a mail. Line ends and trailing blank lines, which mail systems change, don't count."""
    end = re.search(rb"\r?\n\r?\n", raw)
    header = raw[: min(end.start(), _HEADER_BYTES)] if end else raw[:_HEADER_BYTES]
    fields: dict[bytes, bytes] = {}
    for name, value in _FIELD.findall(header):
        fields.setdefault(name.lower(), b" ".join(value.split()))
    digest = hashlib.sha256()
    if b"message-id" not in fields and b"date" not in fields:
        digest.update(raw)  # only the whole distinguishes two such mails
    for name in (b"from", b"to", b"subject", b"date"):
        digest.update(name + b":" + fields.get(name, b"") + b"\n")
    for piece in _pieces(raw, end.end() if end else len(raw)):
        digest.update(piece.replace(b"\r\n", b"\n"))
    message_id = fields.get(b"message-id", b"").decode("ascii", "replace")[:500].replace("\x00", "")
    return Identity(message_id, digest.hexdigest())


def _pieces(raw: bytes, start: int) -> Iterator[bytes]:
    """Yield raw[start:] without trailing white space, in pieces that split no CRLF."""
    end = len(raw)
    while end > start:
        last = raw[max(start, end - 4096) : end]
        kept = last.rstrip()
        end -= len(last) - len(kept)
        if kept:
            break
    while start < end:
        stop = min(start + _PIECE, end)
        stop += raw[stop - 1 : stop + 1] == b"\r\n" and stop < end
        yield raw[start:stop]
        start = stop
