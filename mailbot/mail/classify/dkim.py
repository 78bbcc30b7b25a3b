"""Verification of DKIM signatures (RFC 6376) with the keys that the desk has stored.

In: the bytes of a mail, the domain in its From, TXT records of keys by DNS name, the current time. Out: the reason why
no signature proves the author, or "". Never: a DNS query; without a stored key a signature proves nothing.

A valid signature alone is no proof, because it covers only what its signer chose. Here it must be of exactly the domain
in From, and cover everything that a command depends on: From, Subject, Date, Message-ID and To, and where present Cc,
In-Reply-To, References, Reply-To and the MIME fields; none of them may occur more often in the mail than in `h=`, so
that none was added (RFC 6376 §8.15). `l=` (the body may be longer than what was signed, §8.2), SHA-1 and RSA keys below
1024 bits (RFC 8301), revoked keys and keys in testing mode (`t=y`) are refused.

dkimpy does the cryptography; it is imported with the first signature.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

MAX_SIGNATURES = 5
SLOP = timedelta(minutes=10)  # tolerated clock skew

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


@dataclass(frozen=True, slots=True)
class _Verification:
    """What every signature of a mail is checked against."""

    #: dkimpy's `DKIM`, which has no types.
    mail: Any
    #: The names of all header fields, lower case.
    fields: list[bytes]
    #: The domain in From, lower case.
    domain: bytes
    keys: Mapping[str, str]
    now: datetime


def why_unproven(raw: bytes, domain: str, keys: Mapping[str, str], now: datetime) -> str:
    """Return why no signature proves that `domain` wrote this mail, for the admin; "" where one does.

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
    verification = _Verification(mail, fields, domain.lower().encode(), keys, now)
    reasons = [_why_not(verification, signature) for signature in signatures[:MAX_SIGNATURES]]
    if not reasons:
        return "no DKIM signature"
    return "" if "" in reasons else reasons[0]


def _why_not(verification: _Verification, signature: tuple[bytes, bytes]) -> str:
    from dkim import DKIMException
    from dkim.util import InvalidTagValueList, parse_tag_value

    try:
        tags: Tags = parse_tag_value(signature[1])
    except InvalidTagValueList:
        return "a DKIM signature that can't be read"
    covered = [name.strip().lower() for name in tags.get(b"h", b"").split(b":")]
    why = _bad_tags(tags, verification.domain, verification.now) or _uncovered(verification.fields, covered)
    if why:
        return why
    name = (tags[b"s"] + b"._domainkey." + tags[b"d"]).decode("ascii").lower()
    record = verification.keys.get(name, "")
    if not record:
        return f"no key {name} at hand"
    if _is_void(record):
        return f"the key {name} is revoked or only being tested"
    try:
        valid = verification.mail.verify_sig(tags, covered, signature, lambda wanted, timeout=0: record.encode())
    except (DKIMException, ValueError, IndexError, KeyError) as error:
        return f"the DKIM signature can't be checked ({error})"
    return "" if valid is True else "the DKIM signature does not hold"


def _bad_tags(tags: Tags, domain: bytes, now: datetime) -> str:
    """Return what is wrong with the tags of a signature, before any cryptography (RFC 6376 §3.5, §6.1.1)."""
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
    """Return whether a key is revoked (`p=`) or in testing mode (`t=y`, RFC 6376 §3.6.1)."""
    tags = dict(part.strip().partition("=")[::2] for part in record.split(";") if "=" in part)
    return not tags.get("p", "").strip() or "y" in tags.get("t", "").replace(" ", "").split(":")
