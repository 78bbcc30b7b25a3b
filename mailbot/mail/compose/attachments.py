"""Attachments around a composed mail: multipart/mixed and, for the images of its HTML, multipart/related.

In: the bytes of `compose`, and attachments whose names and types may come from anybody. Out: an `Outgoing`, which is
never in memory as a whole.

Standards: RFC 2046 §5.1, RFC 2183, RFC 2231, RFC 2387 (related), RFC 2392 (cid URLs).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.header import Header
from urllib.parse import quote

from mailbot.mail.compose.header_fields import CRLF, MESSAGE_ID, ascii_field, boundary_of, clean
from mailbot.mail.compose.streaming import Content, InBase64, Outgoing
from mailbot.mail.message import Attachment

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")


def enclose(raw: bytes, attachments: Sequence[Attachment], contents: Mapping[str, Content] | None = None) -> Outgoing:
    """Return a mail of `compose` with attachments, to be sent in pieces.

    Images that its HTML shows by `cid:` go beside the HTML in multipart/related, other files into multipart/mixed.
    `contents`: by SHA-256, those of attachments whose content was dropped.
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
        inner = _multipart("related", boundary_of(seed, "related"), inner, _parts(shown, contents or {}, "inline"))
    if files:
        inner = _multipart("mixed", boundary_of(seed, "mixed"), inner, _parts(files, contents or {}, "attachment"))
    first, *others = inner
    assert isinstance(first, bytes)  # it begins with the header
    return Outgoing((outer + b"\r\n" + first, *others))


def _parts(
    attachments: Sequence[Attachment], contents: Mapping[str, Content], disposition: str
) -> Iterator[tuple[bytes, InBase64]]:
    """Yield (header, body) of each attachment."""
    for each in attachments:
        yield _part_header(each, disposition), InBase64(contents[each.sha256] if each.dropped else each.content)


def _multipart(
    subtype: str, boundary: str, first: list[bytes | InBase64], rest: Iterable[tuple[bytes, InBase64]]
) -> list[bytes | InBase64]:
    """Return an entity that contains `first` and the further parts, with its own Content-Type."""
    extra = ' type="multipart/alternative";' if subtype == "related" else ""
    delimiter = f"--{boundary}\r\n".encode("ascii")
    header = f'Content-Type: multipart/{subtype};{extra}\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii")
    pieces: list[bytes | InBase64] = [header + delimiter, *first]
    for part_header, body in rest:
        pieces += [b"\r\n" + delimiter + part_header, body]
    return [*pieces, f"\r\n--{boundary}--\r\n".encode("ascii")]


def _shown_ids(body: bytes) -> frozenset[str]:
    """Return the Content-IDs in a composed body's HTML; of their characters, quoted-printable encodes only "="."""
    if b"cid:" not in body:
        return frozenset()
    text = body.replace(b"=\r\n", b"").replace(b"=3D", b"=").decode("ascii", "replace")
    return frozenset(re.findall(r"cid:([^\"'\s>]{1,900})", text))


def _part_header(attachment: Attachment, disposition: str) -> bytes:
    """Return the header of an attachment as a body part in base64."""
    content_type = attachment.content_type if _TYPE.fullmatch(attachment.content_type) else "application/octet-stream"
    # RFC 2046 §5.2.1 and §5.1: these two must not be base64; every client can still open them as plain files.
    if content_type.startswith(("message/", "multipart/")):
        content_type = "application/octet-stream"
    name = _short_name(clean(attachment.name)) or "file"
    fields = [
        _typed("Content-Type", content_type, "name", name),
        _typed("Content-Disposition", disposition, "filename", name),
        "Content-Transfer-Encoding: base64\r\n",
    ]
    if attachment.content_id and MESSAGE_ID.fullmatch(f"<{attachment.content_id}>"):
        fields.append(ascii_field("Content-ID", f"<{attachment.content_id}>"))
    return "".join(fields).encode("ascii") + b"\r\n"


def _typed(field: str, value: str, parameter: str, name: str) -> str:
    """Return a field with a file's name, quoted if it is ASCII.

    Otherwise the disposition has it per RFC 2231, which Gmail and Outlook read, and the type's `name` per RFC 2047,
    which old Outlook reads; both ignore the other.
    """
    if name.isascii() and "=?" not in name:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'{field}: {value};\r\n {parameter}="{quoted}"\r\n'
    if parameter == "name":
        encoded = Header(name, "utf-8").encode(linesep=CRLF, maxlinelen=70)
        return f'{field}: {value};\r\n {parameter}="{encoded}"\r\n'
    return f"{field}: {value};\r\n {parameter}*=utf-8''{_percent(name)}\r\n"


def _short_name(name: str) -> str:
    """Cut a name to 200 octets, so that no header line is too long; its extension is kept."""
    raw = name.encode("utf-8")
    if len(raw) <= 200:
        return name
    stem, dot, ending = name.rpartition(".")
    tail = dot + ending if dot and len(ending) <= 10 else ""
    return (stem or name).encode("utf-8")[:180].decode("utf-8", "ignore") + tail


def _percent(name: str) -> str:
    """Return an extended value (RFC 2231 §4): attribute-char of RFC 5987 §3.2.1 as they are, other octets as %XX."""
    return quote(name, safe="!#$&+-.^_`|~", encoding="utf-8")
