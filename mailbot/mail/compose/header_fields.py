"""Header fields of outgoing mail: free text, addresses, identifiers, each folded and encoded.

In: values that may come from anybody. Out: whole fields in ASCII with CRLF; no value can begin a field of its own.
The encoder is email.header, which leaves ASCII as it is: policy.SMTP of Python 3.11 to 3.13 turns a long Message-ID
into encoded words, which breaks the thread at the recipient (cpython #100991).

Standards: RFC 5322 §2.1.1, §2.2.3, §3.4 and §3.6.4, RFC 2047, RFC 5890, RFC 5321 §4.5.3.1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from email.header import Header
from email.utils import formataddr
from functools import lru_cache

from mailbot.errors import PermanentError
from mailbot.mail.compose.encoded_words import encoded_words

CRLF = "\r\n"
# RFC 5322 §2.1.1: lines should have at most 78 characters, and must have at most 998.
FOLD_AT, MAX_LINE = 78, 998

# Characters that end a line for some parser or are invisible: C0 and C1 controls, DEL, U+2028/2029, lone surrogates,
# and marks that reverse the direction of what follows ("fdp.exe" shown as "exe.pdf").
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
# RFC 5322 §3.4.1: a dot-atom (with dots anywhere, since some providers issue "a..b@") or a simple quoted string, at a
# domain name or an address literal. Lengths: RFC 5321 §4.5.3.1.
_ADDR_SPEC = re.compile(
    r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}|\"[A-Za-z0-9!#$%&'*+/=?^_`{|}~. -]{1,62}\")"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
)
MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x1f\x7f-\U0010ffff]{1,900}>")


def text_field(name: str, value: str) -> str:
    """Return a field of free text (RFC 5322 §2.2.1), encoded if necessary; `value` can't end it early."""
    value = clean(value)
    words = value.split(" ")
    if value.isascii() and "=?" not in value and max(map(len, words)) < MAX_LINE - len(name) - 2:
        return ascii_field(name, value)
    return _encoded(name, value)


@lru_cache(maxsize=2048)
def _encoded(name: str, value: str) -> str:
    # "=?" in plain ASCII would be read as an encoded word (RFC 2047 §7).
    return f"{name}: {CRLF.join(encoded_words(value, FOLD_AT - 2, len(name) + 2))}{CRLF}"


def ascii_field(name: str, value: str) -> str:
    """Return a field whose value is ASCII: addresses with encoded names, ids, tokens, plain text."""
    value = clean(value)
    # The encoder returns such a value unchanged (a test checks this) and takes 20 µs.
    if len(name) + len(value) <= FOLD_AT - 2:
        return f"{name}: {value}{CRLF}"
    return _folded(name, value)


def list_field(name: str, items: Sequence[str], comma: str) -> str:
    """Return a field of several addresses or ids, each on its own line if one line is too short."""
    value = f"{comma} ".join(items)
    if len(items) < 2 or len(name) + len(value) <= FOLD_AT - 2:
        return ascii_field(name, value)
    lines = f"{comma}\n ".join(items)
    return f"{name}: {Header(lines, 'us-ascii', header_name=name).encode(linesep=CRLF, maxlinelen=MAX_LINE)}{CRLF}"


@lru_cache(maxsize=2048)
def _folded(name: str, value: str) -> str:
    # The first line must have room for the first word: a line with only the name is legal, but some clients then
    # see no Message-ID.
    width = max(FOLD_AT, len(name) + 2 + max(map(len, value.split(" "))))
    encoded = Header(value, "us-ascii", header_name=name).encode(linesep=CRLF, maxlinelen=width)
    return f"{name}: {encoded}{CRLF}"


def clean(value: str) -> str:
    """Make text fit for a header: replace what ends lines or is invisible by single spaces."""
    if value.isascii() and value.isprintable():
        return value.strip(" ")
    return " ".join(_UNSAFE.sub(" ", value).split())


def mailbox(name: str, email: str) -> str:
    """Return a `name-addr` or `addr-spec` (RFC 5322 §3.4), the name quoted or encoded if necessary."""
    address = ascii_address(email)
    if address is None:
        raise PermanentError(f"{email!r} is no address that mail can be sent to")
    name = clean(name)[:100].strip()
    if not name:
        return address
    if name.isascii() and "=?" not in name:
        return formataddr((name, address))
    # RFC 2047 §2: an encoded word has at most 75 characters; formataddr() makes one of any length.
    return f"{''.join(_name_words(name))} <{address}>"


@lru_cache(maxsize=2048)
def _name_words(name: str) -> list[str]:
    return encoded_words(name, 70, 0)


@lru_cache(maxsize=2048)
def ascii_address(email: str) -> str | None:
    """Return the address in ASCII, None if it is invalid in a header."""
    local, at, domain = email.rpartition("@")
    if not at or not local.isascii():
        return None
    try:
        address = f"{local}@{ascii_domain(domain)}"
    except ValueError:
        return None
    return address if _ADDR_SPEC.fullmatch(address) else None


def ascii_domain(domain: str) -> str:
    """Return the domain in A-labels (RFC 5890); raises UnicodeError (a ValueError) if it has none."""
    return domain if domain.isascii() else domain.encode("idna").decode("ascii")


def boundary_of(seed: str, level: str) -> str:
    """Return a boundary that a retry repeats; "=_" is in no base64 or quoted-printable body (RFC 2045 §6.7)."""
    return "=_" + hashlib.sha256(f"{level}{seed}".encode()).hexdigest()[:32]
