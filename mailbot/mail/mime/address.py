"""Address fields (From, To, Cc, Reply-To, …) as mailboxes.

In: the unfolded, undecoded value of a field. Out: mailboxes in their order, and defects. Never raises; linear time;
at most MAX_ADDRESSES per field.

Structure outside quotes, comments and angle brackets decides, before anything is decoded: an encoded word that
contains `<boss@example.org>` is a display name and remains one (RFC 2047 §5). Malformed values are repaired where only
one reading is possible ("Sri Wahyuni, S.Pd <sri@…>"); where two are, as in `alice@example.org)bob@evil.example`, there
is no address: another program may have read the other one.

Standards: RFC 5322 §3.4 and §4.4, RFC 6532 (UTF-8), RFC 5890 (IDN, returned as A-labels).
"""

from __future__ import annotations

import re

from mailbot.mail.message import Address
from mailbot.mail.mime.header import decode_words

MAX_ADDRESSES = 1000
_MAX_NAME = 500

# Nearly every mailbox: one address with or without a plain or quoted name. The alternatives can't overlap.
_PLAIN = re.compile(
    r"""(?:"([^"\\<>]*)"[ \t]*|([^"\\<>(),:;@\[\]]*))<([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9._-]+)>\Z"""
)
_BARE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9._-]+\Z")

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\[\]\\<>,;]*\]|[(),:;<>"\[\]]|\\.?|[^"\\(),:;<>\[\]]+', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
# RFC 5322 §3.4.1 addr-spec, with UTF-8 (RFC 6532 §3.2); spaces around the parts are obsolete syntax (§4.4).
_ATOM = r"[^\s\"(),:;<>@\[\]\\\x00-\x20\x7f]+"
_ADDR_SPEC = re.compile(rf'\s*({_ATOM}|"(?:[^"\\]|\\.)*")\s*@\s*({_ATOM}|\[[^\[\]\\\s]*\])\s*\Z', re.DOTALL)
_DELIMITERS = re.compile(r"[\s,;:<>()\"\[\]]+")


def parse_addresses(value: str) -> tuple[list[Address], list[str]]:
    """Return (mailboxes, defects) of an address field's undecoded value.

    Defects: "bad-address" (part of it is no mailbox), "ambiguous-address" (it can be read in two ways),
    "encoded-address" (the only one was inside an encoded word), "too-many-addresses".
    """
    value = value.strip(" \t")
    found = _PLAIN.match(value)
    if found is not None:
        return [Address(_normal(found[3]), _name(found[1] if found[1] is not None else found[2]))], []
    if _BARE.match(value):
        return [Address(_normal(value))], []
    mailboxes, defects = _Scanner(value).addresses()
    if not mailboxes and "=?" in value:
        # Some programs encode a whole mailbox. Without an address outside, it impersonates nobody else.
        inside = _Scanner(decode_words(value)).addresses()[0]
        if len(inside) == 1:
            return inside, ["encoded-address"]
    return mailboxes, defects


def addr_spec(text: str) -> str:
    """Return a single addr-spec normalised (lower case, domain in A-labels), "" if `text` isn't one."""
    found = _ADDR_SPEC.match(text)
    if found is None:
        return ""
    local, domain = found[1], found[2].rstrip(".")
    if local.startswith('"'):
        # Unnecessary quotes are not part of the name (RFC 5322 §3.2.4).
        inner = _QUOTED_PAIR.sub(r"\1", local[1:-1])
        local = inner if re.fullmatch(_ATOM, inner) else local
    return _normal(f"{local}@{domain}") if domain else ""


def _normal(address: str) -> str:
    if not address.isascii():
        local, _, domain = address.rpartition("@")
        # Only A-Z: the lower case of the Kelvin sign is an ASCII k, which is another mailbox (RFC 6532 §3.2).
        address = f"{local.translate(_LOWER)}@{_a_labels(domain)}"
        return address.rstrip(".")
    return address.lower().rstrip(".")


_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
# Characters that the mapping of RFC 3490 turns into ASCII or drops, though RFC 5891 allows them as such.
_DEVIATIONS = frozenset("\u00df\u03c2\u200c\u200d")


def _a_labels(domain: str) -> str:
    """Return the domain in A-labels (RFC 5890 §2.3.2.1).

    A label that is not ASCII never becomes one that is: to a server that does not map it, "ｓekolah.example" is not
    the school's domain.
    """
    if domain.isascii() or len(domain) > 253:
        return domain.lower()
    return ".".join(label.lower() if label.isascii() else _a_label(label) for label in domain.split("."))


def _a_label(label: str) -> str:
    try:
        if _DEVIATIONS.isdisjoint(label):
            mapped = label.encode("idna").decode("ascii").lower()
            if mapped.startswith("xn--") and "." not in mapped:
                return mapped
        return "xn--" + label.lower().encode("punycode").decode("ascii")  # RFC 3492
    except UnicodeError:
        return label.lower()


def _name(text: str) -> str:
    """Return a display name decoded, on one line."""
    name = " ".join(decode_words(text.strip()).split()) if text else ""
    return name.strip("\"' ")[:_MAX_NAME] if name[:1] in ("'", '"') else name[:_MAX_NAME]


class _Item:
    """The tokens between two commas."""

    __slots__ = ("ambiguous", "angle", "blank", "closed", "comments", "has_at", "name", "tail")

    def __init__(self) -> None:
        self.name: list[str] = []  # outside brackets, before them
        self.angle: list[str] | None = None  # inside <>
        self.closed = False
        self.tail: list[str] = []  # after >
        self.comments: list[str] = []
        self.ambiguous = False
        self.blank = True  # only white space so far
        self.has_at = False

    def add_name(self, token: str) -> None:
        """Add a token outside of angle brackets."""
        self.name.append(token)
        self.blank = self.blank and not token.strip()
        self.has_at = self.has_at or "@" in token


class _Scanner:
    """Splits a field at its structural delimiters, then reads each item."""

    def __init__(self, value: str) -> None:
        self._items: list[_Item] = [_Item()]
        self._depth = 0
        self._too_many = False
        for token in _TOKEN.finditer(value):
            if len(self._items) > MAX_ADDRESSES:
                self._too_many = True
                break
            self._take(token[0])
        if self._depth or (self._items[-1].angle is not None and not self._items[-1].closed):
            self._items[-1].ambiguous = True

    def _take(self, token: str) -> None:
        item = self._items[-1]
        if self._depth:  # in a comment, which nests (RFC 5322 §3.2.2)
            self._depth += (token == "(") - (token == ")")
            item.comments.append(token if self._depth else " ")
        elif token == "(":
            self._depth = 1
        elif item.angle is not None and not item.closed:
            if token == ">":
                item.closed = True
            elif token == "<":
                item.ambiguous = item.ambiguous or bool(item.angle)
            else:
                item.angle.append(token)
        elif token in (",", ";"):
            self._items.append(_Item())
        elif token == "<":
            item.ambiguous = item.ambiguous or item.angle is not None
            item.tail += [" ", *(item.angle or ())]
            item.angle, item.closed, item.blank = [], False, False
        elif token == ":":
            # The name of a group (RFC 5322 §3.4): its members follow.
            if not item.blank and item.angle is None and not item.has_at:
                self._items[-1] = _Item()
            else:
                item.add_name(token)
        elif token in (")", ">"):
            item.ambiguous = True
            item.add_name(token)
        elif item.closed:
            item.tail.append(token)
        else:
            item.add_name(token)

    def addresses(self) -> tuple[list[Address], list[str]]:
        """Return (mailboxes, defects)."""
        mailboxes: list[Address] = []
        defects: list[str] = ["too-many-addresses"] if self._too_many else []
        pending = ""  # items without an address: a name with an unquoted comma
        for item in self._items:
            if item.blank and not item.ambiguous:
                continue
            email, defect = _email_of(item)
            if defect:
                defects.append(defect)
            if email:
                mailboxes.append(Address(email, _name(pending + _display(item))))
                pending = ""
            elif item.angle is None and not item.ambiguous and len(pending) < _MAX_NAME:
                pending += "".join(item.name).strip() + ", "
        if pending and not mailboxes and not defects:
            defects.append("bad-address")
        return mailboxes, list(dict.fromkeys(defects))


def _email_of(item: _Item) -> tuple[str, str]:
    """Return (address or "", defect or "")."""
    if item.ambiguous:
        # There is only one reading if only one word in it looks like an address.
        seen = {word.lower() for words in (item.name, item.angle or [], item.tail) for word in _with_at("".join(words))}
        return (addr_spec(seen.pop()), "bad-address") if len(seen) == 1 else ("", "ambiguous-address")
    if item.angle is None:
        text = "".join(item.name)
        email = addr_spec(text)
        if email or "@" not in text:
            return email, ""
        words = _with_at(text)
        return (addr_spec(words[0]), "bad-address") if len(words) == 1 else ("", "ambiguous-address")
    inner = "".join(item.angle)
    # RFC 5322 §4.4: a source route before the address is ignored.
    email = addr_spec(inner.rpartition(":")[2] if inner.lstrip().startswith("@") else inner)
    if email:
        return email, "bad-address" if "".join(item.tail).strip() else ""
    words = _with_at(inner)
    return (addr_spec(words[0]), "bad-address") if len(words) == 1 else ("", "bad-address" if inner.strip() else "")


def _with_at(text: str) -> list[str]:
    """Return the words that could be addresses."""
    return [word for word in _DELIMITERS.split(text) if "@" in word]


def _display(item: _Item) -> str:
    if item.angle is None:
        # "budi@example.org (Budi)": the old form of a display name, still sent (RFC 5322 §3.4).
        return "".join(item.comments).strip()
    parts = [
        _QUOTED_PAIR.sub(r"\1", part[1:-1]) if len(part) > 1 and part[0] == part[-1] == '"' else part
        for part in item.name
    ]
    return "".join(parts).strip() or "".join(item.comments).strip()
