"""Does a DKIM signature (RFC 6376) prove that this mail is its author's, under keys that the desk has at hand?

In: the bytes of a mail, the domain in its From, TXT records of keys by DNS name, the moment. Out: why it proves
nothing, or "". No DNS: a key that is not at hand proves nothing.

A signature that verifies is not yet a proof, for it covers what its signer chose. Here it must be of the very domain in
From, and cover all that a command hangs on: From, Subject, Date, Message-ID, To, and Cc, In-Reply-To, References,
Reply-To and the MIME fields wherever they stand in the mail; each of them no more often in the mail than in `h=`, so
that none was added (RFC 6376 §8.15). `l=` (a body that may be longer than what was signed, §8.2), SHA-1 and RSA keys
below 1024 bits (RFC 8301), revoked keys and keys of a domain that only tests (`t=y`) are refused.

The arithmetic is dkimpy's, imported when the first signature is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

MAX_SIGNATURES = 5
SLOP = timedelta(minutes=10)  # clocks that differ

MUST_SIGN = (b"from", b"subject", b"date", b"message-id", b"to")
MUST_SIGN_IF_THERE = (
    b"cc", b"in-reply-to", b"references", b"reply-to", b"sender", b"mime-version", b"content-type",
    b"content-transfer-encoding",
)  # fmt: skip
_ALGORITHMS = (b"rsa-sha256", b"ed25519-sha256")
_MANDATORY = (b"v", b"a", b"b", b"bh", b"d", b"h", b"s")
_DOMAIN = re.compile(rb"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,250}[A-Za-z0-9_])?")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]{1,4000}={0,2}\s*")
_NUMBER = re.compile(rb"[0-9]{1,12}")
_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")

Tags = dict[bytes, bytes]


def why_unproven(raw: bytes, domain: str, keys: Mapping[str, str], now: datetime) -> str:
    """Why no signature proves that `domain` stands by this mail, in words for the admin; "" where one does.

    `keys` has TXT records by `selector._domainkey.domain`, lower case (RFC 6376 §3.6.2.1).
    """
    from dkim import DKIM, DKIMException

    mixed = _BARE_LINE_END.search(raw) is not None
    if mixed and b"\r" in raw:
        return "line ends that programs read in different ways"
    try:
        mail = DKIM(raw, minkey=1024)
    except DKIMException as error:
        return f"a header that can't be read ({error})"
    fields = [name.lower() for name, _ in mail.headers]
    signatures = [(n, v) for n, v in mail.headers if n.lower() == b"dkim-signature"]
    reasons = [
        _why_not(mail, fields, signature, domain.lower().encode(), keys, now)
        for signature in signatures[:MAX_SIGNATURES]
    ]
    if not reasons:
        return "no DKIM signature"
    return "" if "" in reasons else reasons[0]


def _why_not(
    mail: object, fields: list[bytes], signature: tuple[bytes, bytes], domain: bytes, keys: Mapping[str, str],
    now: datetime,
) -> str:  # fmt: skip
    from dkim import DKIMException
    from dkim.util import InvalidTagValueList, parse_tag_value

    try:
        tags: Tags = parse_tag_value(signature[1])
    except InvalidTagValueList:
        return "a DKIM signature that can't be read"
    covered = [name.strip().lower() for name in tags.get(b"h", b"").split(b":")]
    why = _bad_tags(tags, domain, now) or _uncovered(fields, covered)
    if why:
        return why
    name = (tags[b"s"] + b"._domainkey." + tags[b"d"]).decode("ascii").lower()
    record = keys.get(name, "")
    if not record:
        return f"no key {name} at hand"
    if _is_void(record):
        return f"the key {name} is revoked or only being tested"
    try:
        holds = mail.verify_sig(tags, covered, signature, lambda wanted, timeout=0: record.encode())  # type: ignore[attr-defined]
    except (DKIMException, ValueError, IndexError, KeyError) as error:
        return f"the DKIM signature can't be checked ({error})"
    return "" if holds is True else "the DKIM signature does not hold"


def _bad_tags(tags: Tags, domain: bytes, now: datetime) -> str:
    """What is wrong with a signature before any arithmetic (RFC 6376 §3.5, §6.1.1)."""
    missing = [tag for tag in _MANDATORY if not tags.get(tag)]
    if missing or tags[b"v"] != b"1":
        return "a DKIM signature without what it must have"
    if tags[b"a"] not in _ALGORITHMS:
        return f"a DKIM signature by {tags[b'a'][:20].decode('ascii', 'replace')}"  # RFC 8301 §3.1
    if b"l" in tags:
        return "a DKIM signature over a part of the body (l=)"
    if not (_DOMAIN.fullmatch(tags[b"d"]) and _DOMAIN.fullmatch(tags[b"s"])):
        return "a DKIM signature of no domain"
    if tags[b"d"].lower() != domain:
        return "a DKIM signature of another domain than that in From"
    author = tags.get(b"i", b"@" + tags[b"d"]).lower().rpartition(b"@")[2]
    if author != domain and not author.endswith(b"." + domain):
        return "a DKIM signature in the name of another domain (i=)"
    if not (_BASE64.fullmatch(tags[b"b"]) and _BASE64.fullmatch(tags[b"bh"])):
        return "a DKIM signature that can't be read"
    if tags.get(b"q", b"dns/txt") != b"dns/txt":
        return "a DKIM signature whose key is nowhere"
    return _bad_time(tags, now)


def _bad_time(tags: Tags, now: datetime) -> str:
    signed, ends = tags.get(b"t"), tags.get(b"x")
    for value in (signed, ends):
        if value is not None and not _NUMBER.fullmatch(value):
            return "a DKIM signature of no time"
    if signed is not None and int(signed) > (now + SLOP).timestamp():
        return "a DKIM signature from the future"
    if ends is not None and int(ends) < (now - SLOP).timestamp():
        return "a DKIM signature that has expired (x=)"
    return ""


def _uncovered(fields: list[bytes], covered: list[bytes]) -> str:
    for name in MUST_SIGN:
        if name not in fields or name not in covered:
            return f"a DKIM signature that does not cover {name.decode()}"
    for name in (*MUST_SIGN, *MUST_SIGN_IF_THERE):
        if fields.count(name) > covered.count(name):
            return f"a DKIM signature that does not cover every {name.decode()}"
        if fields.count(name) > 1:
            return f"more than one {name.decode()}"
    return ""


def _is_void(record: str) -> bool:
    """A key that was taken back (`p=`), or whose domain says that nothing hangs on it yet (`t=y`, RFC 6376 §3.6.1)."""
    tags = dict(part.strip().partition("=")[::2] for part in record.split(";") if "=" in part)
    return not tags.get("p", "").strip() or "y" in tags.get("t", "").replace(" ", "").split(":")
