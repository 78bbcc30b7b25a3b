"""Keys by which several workers keep related mails in the order of arrival.

In: a mail as it came. Out: its keys. Of two mails that share a key, the earlier one is handled first; mails that share
none may be handled side by side. The keys:

    s:ADDRESS       the author: a report and the follow-up that has no other reference to it
    t:NUMBER        a ticket in a signed address or Message-ID or in a tag of the subject; not verified: a needless
                    key only costs a little waiting
    m:MESSAGE-ID    its own Message-ID and those that it refers to: a colleague's reply to a report that just arrived
    *               unknown: it waits for all, and all wait for it

Only the header is read, by regular expressions, before the mail is parsed: the process that stores mail need not
parse it.

Standards: RFC 5322 §2.2.3 (folding), §3.6.4 (identification fields), RFC 2047 (encoded words in subjects).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header

from mailbot.mail.reply_token import Purpose, read_tokens

ANYTHING = "*"
HEADER_BYTES = 65_536
MOST_KEYS = 200
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(r"(?im)^(from|subject|message-id|in-reply-to|references)[ \t]*:((?:[^\n]|\n[ \t])*)")
_ADDRESS = re.compile(r"[^\s<>()\",;:@]{1,256}@[A-Za-z0-9.-]{1,255}")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")
_TAG = re.compile(r"#\s?(\d{1,9})")
_TICKETS = (Purpose.REQUESTER, Purpose.AGENT)


def order_keys(raw: bytes) -> tuple[str, ...]:
    """Return the keys of a mail, each once."""
    header = header_of(raw)
    if header is None:
        return (ANYTHING,)
    keys = tuple(dict.fromkeys(_keys(header.decode("utf-8", "replace"))))
    return keys if len(keys) <= MOST_KEYS and any(key.startswith("s:") for key in keys) else (ANYTHING,)


def header_of(raw: bytes) -> bytes | None:
    """Return the header of a mail or of a header alone, None if it does not end within HEADER_BYTES."""
    end = _END_OF_HEADER.search(raw, 0, HEADER_BYTES)
    if end is None and len(raw) > HEADER_BYTES:
        return None
    return raw[: end.start()] if end else raw


def _keys(header: str) -> Iterator[str]:
    for token in read_tokens(header):
        if token.purpose in _TICKETS:
            yield f"t:{token.number}"
    for name, value in _FIELD.findall(header):
        field = name.lower()
        if field == "from":
            yield from (f"s:{address.lower()}" for address in _ADDRESS.findall(value))
        elif field == "subject":
            yield from (f"t:{number}" for number in _TAG.findall(_decoded(value)))
        else:
            yield from (f"m:{found}" for found in _MESSAGE_ID.findall(value))


def _decoded(subject: str) -> str:
    """Decode a subject leniently: only its tags matter."""
    if "=?" not in subject:
        return subject
    try:
        parts = decode_header(subject[:4096])
    except (HeaderParseError, ValueError):
        return subject
    return "".join(part if isinstance(part, str) else part.decode("latin-1") for part, _ in parts)
