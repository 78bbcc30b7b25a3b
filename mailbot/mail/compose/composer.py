"""One outgoing mail as the bytes that SMTP takes: RFC 5322 header, text and HTML, attachments.

In: a `Draft`, every value of which may come from a stranger. Out: bytes with CRLF, no line over 998 octets, all of it
7-bit, so that no server on the way has to change it (and break a DKIM signature). The same draft gives the same bytes:
a retry repeats them. Standards: RFC 5322, 2045-2047, 2231, 3834 (automatic mail), MS-OXOMSG §2.2.1.3 (Thread-Index).

Header values go through the email package's own encoders, and no value can begin a header of its own. The encoder is
email.header, which leaves ASCII as it is: policy.SMTP of Python 3.11 to 3.13 turns a long Message-ID into encoded
words, and the thread is lost at the recipient's (cpython #100991).
Never: randomness, a clock, templates, sockets.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from functools import lru_cache
from typing import Literal

from mailbot.errors import PermanentError
from mailbot.mail.compose.encoded_words import encoded_words
from mailbot.mail.compose.streaming import (
    Content,
    InBase64,
    Outgoing,
    base64_lines,
)
from mailbot.mail.message import Address, Attachment, MessageKind

_CRLF = "\r\n"
# RFC 5322 §2.1.1: lines should have at most 78 characters, and must have at most 998.
_FOLD_AT, _MAX_LINE = 78, 998

# Anything that ends a line for some parser, or that can't be seen: C0 and C1 controls, DEL, U+2028/2029, lone
# surrogates, and the marks that turn the direction of what follows ("fdp.exe" shown as "exe.pdf").
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
# In a body a tab and a line feed are text.
_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t\n\r")
_ASCII = bytes(range(128))
_UNSAFE_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# RFC 5322 §3.4.1: a dot-atom (its dots where they are: some providers give out "a..b@") or a plain quoted string, at
# a domain name or an address literal. RFC 5321 §4.5.3.1 has the lengths.
_ADDR_SPEC = re.compile(
    r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}|\"[A-Za-z0-9!#$%&'*+/=?^_`{|}~. -]{1,62}\")"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
)
_MSG_ID = re.compile(r"<[^<>\s\x00-\x1f\x7f-\U0010ffff]{1,900}>")
# More References are shortened in the middle, which RFC 5322 §3.6.4 leaves to us: the root keeps the thread together,
# the latest ids say where in it the mail belongs.
_MAX_REFERENCES = 20


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that one mail to one person is made of.

    `cc` is shown only; who gets the mail is the envelope's matter. `reply_to` is the signed address; it is shown with
    `from_name`. `references` are oldest first, `in_reply_to` one id, all with angle brackets; what is no msg-id of
    RFC 5322 §3.6.4 is left out. `auto_submitted` is "auto-replied", "auto-generated" or "" (a person's words).
    `ticket_number` None: the mail belongs to no ticket, or the reader may not know of it. `instance_id` marks our own
    mail, so that it is known when it comes back. `thread_root` is any stable text of the thread (the ticket's root
    Message-ID), `thread_started` its time; `thread_topic` "" means the subject. `canary`:
    the token of a mail by which the desk measures its own way round.
    """

    kind: MessageKind
    from_name: str
    from_email: str
    to: Address
    subject: str
    text: str
    html: str
    message_id: str
    date: datetime
    cc: tuple[Address, ...] = ()
    reply_to: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    ticket_number: int | None = None
    auto_submitted: Literal["", "auto-replied", "auto-generated"] = ""
    instance_id: str = ""
    thread_topic: str = ""
    thread_root: str = ""
    thread_started: datetime | None = None
    canary: str = ""


def compose(draft: Draft) -> bytes:
    """The mail, ready for SMTP. Raises PermanentError where sender, recipient or Message-ID can't stand in a header."""
    if not _MSG_ID.fullmatch(draft.message_id):
        raise PermanentError(f"{draft.message_id!r} can't be a Message-ID")
    boundary = _boundary(draft.message_id, "alternative")
    header = [
        *_correspondents(draft),
        _text("Subject", draft.subject),
        _ascii("Date", format_datetime(draft.date)),
        *_thread(draft),
        *_marks(draft),
        "MIME-Version: 1.0\r\n",
        f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n',
    ]
    parts = _part("plain", draft.text, boundary) + _part("html", draft.html, boundary)
    return "".join(header).encode("ascii") + parts + f"--{boundary}--\r\n".encode("ascii")


def message_id(token: str, domain: str) -> str:
    """`<token@domain>` (RFC 5322 §3.6.4). The token is the caller's: unique, and of letters, digits, dots, hyphens."""
    made = f"<{token}@{_ascii_domain(domain)}>"
    if not _MSG_ID.fullmatch(made):
        raise ValueError(f"{token!r} and {domain!r} make no Message-ID")
    return made


def is_usable(email: str) -> bool:
    """Can a mail be addressed to this addr-spec without SMTPUTF8 (RFC 6531)? Domains in other scripts can."""
    return _addr_spec(email) is not None


def _correspondents(draft: Draft) -> list[str]:
    """From, To, Cc, Reply-To (RFC 5322 §3.6.2, §3.6.3)."""
    fields = [
        _ascii("From", _mailbox(draft.from_name, draft.from_email)),
        _ascii("To", _mailbox(draft.to.name, draft.to.email)),
    ]
    # One unusable address among those that are only shown is no reason to send nothing.
    shown = [_mailbox(person.name, person.email) for person in draft.cc if is_usable(person.email)]
    if shown:
        fields.append(_listed("Cc", shown, ","))
    if draft.reply_to:
        fields.append(_ascii("Reply-To", _mailbox(draft.from_name, draft.reply_to)))
    return fields


def _thread(draft: Draft) -> list[str]:
    """What keeps one thread in each person's client: RFC 5322 §3.6.4, and for Outlook MS-OXOMSG."""
    fields = [_ascii("Message-ID", draft.message_id)]
    if _MSG_ID.fullmatch(draft.in_reply_to):
        fields.append(_ascii("In-Reply-To", draft.in_reply_to))
    references = [reference for reference in draft.references if _MSG_ID.fullmatch(reference)]
    if len(references) > _MAX_REFERENCES:
        references = references[:1] + references[1 - _MAX_REFERENCES :]
    if references:
        fields.append(_listed("References", references, ""))
    if draft.thread_root:
        fields.append(_text("Thread-Topic", draft.thread_topic or draft.subject))
        fields.append(_ascii("Thread-Index", _thread_index(draft)))
    return fields


def _marks(draft: Draft) -> list[str]:
    """What tells machines that this is ours, and whether a machine wrote it (RFC 3834 §3.1.7, §5)."""
    fields = []
    if draft.auto_submitted:
        fields.append(_ascii("Auto-Submitted", draft.auto_submitted))
        # Exchange and Outlook obey this one, not Auto-Submitted (MS-OXCMAIL, PidTagAutoResponseSuppress).
        fields.append("X-Auto-Response-Suppress: All\r\n")
    if draft.ticket_number is not None:
        fields.append(f"X-Mailbot-Ticket: {draft.ticket_number:d}\r\n")
    fields.append(_ascii("X-Mailbot-Kind", draft.kind.value))
    if draft.instance_id:
        fields.append(_text("X-Mailbot-Instance", draft.instance_id))
    if draft.canary:
        fields.append(_ascii("X-Mailbot-Canary", draft.canary))
    return fields


def _text(name: str, value: str) -> str:
    """One field of free text (RFC 5322 §2.2.1), encoded where it has to be; nothing in `value` can end it early."""
    value = clean(value)
    words = value.split(" ")
    if value.isascii() and "=?" not in value and max(map(len, words)) < _MAX_LINE - len(name) - 2:
        return _ascii(name, value)
    return _encoded(name, value)


@lru_cache(maxsize=2048)
def _encoded(name: str, value: str) -> str:
    # "=?" in plain ASCII would be read as an encoded word (RFC 2047 §7) that its author never wrote.
    return f"{name}: {_CRLF.join(encoded_words(value, _FOLD_AT - 2, len(name) + 2))}{_CRLF}"


def _ascii(name: str, value: str) -> str:
    """One field whose value is ready: addresses with their names encoded, ids, tokens, plain ASCII text."""
    value = clean(value)
    # The encoder gives such a value back as it is (a test holds it to that); asking it costs 20 µs.
    if len(name) + len(value) <= _FOLD_AT - 2:
        return f"{name}: {value}{_CRLF}"
    return _folded(name, value)


def _listed(name: str, items: Sequence[str], comma: str) -> str:
    """One field of several addresses or ids, each on a line of its own where they don't fit into one."""
    value = f"{comma} ".join(items)
    if len(items) < 2 or len(name) + len(value) <= _FOLD_AT - 2:
        return _ascii(name, value)
    lines = f"{comma}\n ".join(items)
    return f"{name}: {Header(lines, 'us-ascii', header_name=name).encode(linesep=_CRLF, maxlinelen=_MAX_LINE)}{_CRLF}"


@lru_cache(maxsize=2048)
def _folded(name: str, value: str) -> str:
    # The first line must have room for the first word: one that holds nothing but the name is legal, yet some clients
    # then see no Message-ID at all.
    width = max(_FOLD_AT, len(name) + 2 + max(map(len, value.split(" "))))
    encoded = Header(value, "us-ascii", header_name=name).encode(linesep=_CRLF, maxlinelen=width)
    return f"{name}: {encoded}{_CRLF}"


def clean(value: str) -> str:
    """A text that fits a header: what ends lines or hides is a space, and spaces stand alone."""
    if value.isascii() and value.isprintable():
        return value.strip(" ")
    return " ".join(_UNSAFE.sub(" ", value).split())


def _mailbox(name: str, email: str) -> str:
    """`name-addr` or `addr-spec` (RFC 5322 §3.4), the name quoted or encoded as it needs."""
    address = _addr_spec(email)
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
def _addr_spec(email: str) -> str | None:
    """The address in ASCII, or None if it can't stand in a header."""
    local, at, domain = email.rpartition("@")
    if not at or not local.isascii():
        return None
    try:
        address = f"{local}@{_ascii_domain(domain)}"
    except ValueError:
        return None
    return address if _ADDR_SPEC.fullmatch(address) else None


def _ascii_domain(domain: str) -> str:
    """The domain as DNS has it (RFC 5890); UnicodeError (a ValueError) where there is no such form."""
    return domain if domain.isascii() else domain.encode("idna").decode("ascii")


def _thread_index(draft: Draft) -> str:
    """MS-OXOMSG §2.2.1.3: six bytes of FILETIME, a GUID, then five bytes for this mail as a child of the root."""
    started = _filetime(draft.thread_started or datetime(2025, 1, 1, tzinfo=UTC))
    guid = hashlib.sha256(draft.thread_root.encode("utf-8", "replace")).digest()[:16]
    elapsed = max(0, _filetime(draft.date) - started)
    # Up to 1.7 years in steps of 26 ms, else (first bit set) in steps of 0.8 s; four bits of chance, four of level.
    delta = elapsed >> 18 if elapsed < 1 << 49 else (elapsed >> 23) | 1 << 31
    child = ((delta & 0xFFFFFFFF) << 8) | (hashlib.sha256(draft.message_id.encode()).digest()[0] & 0xF0)
    header = (started >> 16).to_bytes(6, "big")
    return base64.b64encode(header + guid + child.to_bytes(5, "big")).decode("ascii")


def _filetime(at: datetime) -> int:
    """Units of 100 ns since 1601 (MS-DTYP §2.3.3)."""
    return (int(at.timestamp() * 1_000_000) + 11_644_473_600_000_000) * 10


def _boundary(message_id: str, level: str) -> str:
    """A boundary that a retry repeats; "=_" can stand in no base64 and in no quoted-printable body (RFC 2045 §6.7)."""
    return "=_" + hashlib.sha256(f"{level}{message_id}".encode()).hexdigest()[:32]


def _part(subtype: str, text: str, boundary: str) -> bytes:
    """One body part with its delimiter before it and a line end after it."""
    encoding, body = _encode_body(text)
    head = (
        f"--{boundary}\r\n"
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode("ascii") + body + b"\r\n"


def _encode_body(text: str) -> tuple[str, bytes]:
    """The transfer encoding that keeps the text legible in the source where that can be, and the encoded bytes."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    is_ascii = text.isascii()
    raw = (text if is_ascii else _UNSAFE_TEXT.sub("", text)).encode("utf-8")
    lines = raw.translate(None, _CONTROLS).split(b"\n")
    raw = b"\r\n".join(lines)
    # "=_" might be somebody's copy of a boundary of ours: in quoted-printable every "=" is written "=3D".
    if is_ascii and max(map(len, lines)) <= _MAX_LINE and b"=_" not in raw:
        return "7bit", raw
    if len(raw.translate(None, _ASCII)) * 4 > len(raw):
        return "base64", base64_lines(raw)
    # b2a_qp ends the lines that it breaks as it found others to end, so it is given one kind.
    return "quoted-printable", binascii.b2a_qp(b"\n".join(lines), istext=True).replace(b"\n", b"\r\n")


def with_attachments(raw: bytes, attachments: Sequence[Attachment]) -> bytes:
    """A mail of `compose`, with files: multipart/mixed around it. Images that its HTML shows by `cid:` stand beside the

    HTML in multipart/related (RFC 2387), everything else as an attachment. Without attachments, the mail as it is.
    """
    return bytes(enclose(raw, attachments)) if attachments else raw


def enclose(raw: bytes, attachments: Sequence[Attachment], contents: Mapping[str, Content] | None = None) -> Outgoing:
    """The same as it can be sent without ever being in memory as a whole.

    `contents`: by SHA-256 those of attachments that do not have theirs with them.
    """
    if not attachments:
        return Outgoing((raw,))
    header, _, body = raw.partition(b"\r\n\r\n")
    outer, _, content_type = header.partition(b"\r\nContent-Type: ")
    ids = _shown_ids(body) if any(attachment.content_id for attachment in attachments) else frozenset()
    shown = [attachment for attachment in attachments if attachment.content_id in ids]
    files = [attachment for attachment in attachments if attachment.content_id not in ids]
    seed = hashlib.sha256(raw).hexdigest()
    inner: list[bytes | InBase64] = [b"Content-Type: " + content_type + b"\r\n\r\n" + body]
    if shown:
        inner = _multipart("related", seed, inner, shown, contents or {}, inline=True)
    if files:
        inner = _multipart("mixed", seed, inner, files, contents or {}, inline=False)
    first, *others = inner
    assert isinstance(first, bytes)  # the header stands at the top of whatever there is
    return Outgoing((outer + b"\r\n" + first, *others))


def _multipart(
    subtype: str,
    seed: str,
    first: list[bytes | InBase64],
    rest: Sequence[Attachment],
    contents: Mapping[str, Content],
    *,
    inline: bool,
) -> list[bytes | InBase64]:
    """An entity that holds `first` and then files, its own Content-Type at its top."""
    boundary = _boundary(seed, subtype)
    extra = ' type="multipart/alternative";' if subtype == "related" else ""
    delimiter = f"--{boundary}\r\n".encode("ascii")
    head = f'Content-Type: multipart/{subtype};{extra}\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii")
    pieces: list[bytes | InBase64] = [head + delimiter, *first]
    for attachment in rest:
        content = contents[attachment.sha256] if attachment.dropped else attachment.content
        pieces += [b"\r\n" + delimiter + _file_head(attachment, inline=inline), InBase64(content)]
    return [*pieces, f"\r\n--{boundary}--\r\n".encode("ascii")]


def _shown_ids(body: bytes) -> frozenset[str]:
    """The Content-IDs that a composed body's HTML refers to. Quoted-printable hides a "=" only, never an id's dots."""
    if b"cid:" not in body:
        return frozenset()
    text = body.replace(b"=\r\n", b"").replace(b"=3D", b"=").decode("ascii", "replace")
    return frozenset(re.findall(r"cid:([^\"'\s>]{1,900})", text))


_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")


def _file_head(attachment: Attachment, *, inline: bool) -> bytes:
    """The header of one attachment as a body part, which is in base64."""
    content_type = attachment.content_type if _TYPE.fullmatch(attachment.content_type) else "application/octet-stream"
    # RFC 2046 §5.2.1 and §5.1: these two may not be base64; as a plain file every client can still open them.
    if content_type.startswith(("message/", "multipart/")):
        content_type = "application/octet-stream"
    name = _short_name(clean(attachment.name)) or "file"
    fields = [
        _typed("Content-Type", content_type, "name", name),
        _typed("Content-Disposition", "inline" if inline else "attachment", "filename", name),
        "Content-Transfer-Encoding: base64\r\n",
    ]
    if attachment.content_id and _MSG_ID.fullmatch(f"<{attachment.content_id}>"):
        fields.append(_ascii("Content-ID", f"<{attachment.content_id}>"))
    return "".join(fields).encode("ascii") + b"\r\n"


def _typed(field: str, value: str, parameter: str, name: str) -> str:
    """A field with a file's name: quoted where it is ASCII; else RFC 2231 for the disposition, which Gmail and Outlook

    read, and RFC 2047 in the type's `name`, which is what old Outlook reads (both leave the other one alone).
    """
    if name.isascii() and "=?" not in name:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'{field}: {value};\r\n {parameter}="{quoted}"\r\n'
    if parameter == "name":
        encoded = Header(name, "utf-8").encode(linesep=_CRLF, maxlinelen=70)
        return f'{field}: {value};\r\n {parameter}="{encoded}"\r\n'
    return f"{field}: {value};\r\n {parameter}*=utf-8''{_percent(name)}\r\n"


def _short_name(name: str) -> str:
    """At most 200 octets, so that no line of the header gets too long; what tells the type stands at the end."""
    raw = name.encode("utf-8")
    if len(raw) <= 200:
        return name
    stem, dot, ending = name.rpartition(".")
    tail = dot + ending if dot and len(ending) <= 10 else ""
    return (stem or name).encode("utf-8")[:180].decode("utf-8", "ignore") + tail


def _percent(name: str) -> str:
    """RFC 2231 §4 extended value: attribute-char of RFC 5987 §3.2.1 as they are, other octets as %XX."""
    from urllib.parse import quote

    return quote(name, safe="!#$&+-.^_`|~", encoding="utf-8")
