"""What must be handled in the order in which it came, where several workers handle mail side by side.

In: a mail as it came. Out: its keys. Two mails that share a key belong together perhaps, and then the earlier one is
handled before the later one; mails that share none are strangers to each other. The keys:

    s:ADDRESS       who wrote it: a report and the reply that follows it, without any other mark
    t:NUMBER        a ticket that a signed address or Message-ID, or a tag in the subject, names; nobody has verified
                    it: a key too many only costs a little waiting
    m:MESSAGE-ID    its own Message-ID and those that it refers to: a colleague's reply to a report just come in
    *               nobody can tell: it waits for all, and all wait for it

It looks at the head only, with regular expressions, before the mail is parsed: who stores mail need not understand it.
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
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(r"(?im)^(from|subject|message-id|in-reply-to|references)[ \t]*:((?:[^\n]|\n[ \t])*)")
_ADDRESS = re.compile(r"[^\s<>()\",;:@]{1,256}@[A-Za-z0-9.-]{1,255}")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")
_TAG = re.compile(r"#\s?(\d{1,9})")
_TICKETS = (Purpose.REQUESTER, Purpose.AGENT)


def order_keys(raw: bytes) -> tuple[str, ...]:
    """The keys of a mail, each once."""
    head = header_of(raw)
    if head is None:
        return (ANYTHING,)
    keys = tuple(dict.fromkeys(_keys(head.decode("utf-8", "replace"))))
    return keys if len(keys) <= MOST_KEYS and any(key.startswith("s:") for key in keys) else (ANYTHING,)


def header_of(raw: bytes) -> bytes | None:
    """The header of a mail, which may be all that there is of it; None where it does not end within HEADER_BYTES."""
    end = _END_OF_HEAD.search(raw, 0, HEADER_BYTES)
    if end is None and len(raw) > HEADER_BYTES:
        return None
    return raw[: end.start()] if end else raw


def _keys(head: str) -> Iterator[str]:
    for token in read_tokens(head):
        if token.purpose in _TICKETS:
            yield f"t:{token.number}"
    for name, value in _FIELD.findall(head):
        field = name.lower()
        if field == "from":
            yield from (f"s:{address.lower()}" for address in _ADDRESS.findall(value))
        elif field == "subject":
            yield from (f"t:{number}" for number in _TAG.findall(_decoded(value)))
        else:
            yield from (f"m:{found}" for found in _MESSAGE_ID.findall(value))


def _decoded(subject: str) -> str:
    """A subject's words, as far as a tag could be among them."""
    if "=?" not in subject:
        return subject
    try:
        parts = decode_header(subject[:4096])
    except (HeaderParseError, ValueError):
        return subject
    return "".join(part if isinstance(part, str) else part.decode("latin-1") for part, _ in parts)
