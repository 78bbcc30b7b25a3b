"""The tree of a MIME mail: parts within parts, each with its header and the position of its body.

In: the bytes of a mail. Out: an `Entity`, whose parts are again entities; bodies are ranges of the given bytes, not
copies, so that a large mail is in memory once. Never raises; bounded in depth, parts, header bytes and bytes scanned.

Not `email.parser`: it recurses once a level (1,500 levels end in RecursionError), holds a mail as lists of str lines
(several times its size), spends 2 ms on a 200 KB attachment where a search for the boundary takes 0.1 ms, and doesn't
keep a nested mail's own bytes, which is what an agent saves as .eml. Dates are left to `email.utils`, the trace and
unusual senders to mail-parser.

Standards: RFC 2046 §5.1 (multipart), RFC 2045 §5.2 (defaults), RFC 2183 (Content-Disposition).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mailbot.mail.mime.header import Block, media_type, parameters, read_block
from mailbot.mail.mime.transfer_encoding import decode_base64_part, decode_transfer, encoding_name
from mailbot.vocabulary.mime import TEXT_ALIASES

MAX_PARTS = 1000
MAX_DEPTH = 60
# How often, on average, a byte may be scanned for boundaries: once a level, and real mail has few levels.
MAX_SCANS = 16
# A body of more bytes is decoded in pieces, so that memory holds no further copy of it.
LARGE = 1_000_000

_EMPTY_LINE = re.compile(rb"\n\r?\n")
_MBOX_LINE = re.compile(rb">?From [^\n]*\n")
_LEADING_BLANK = re.compile(rb"(?:[ \t]*\r?\n)++")
# A boundary line that the Content-Type doesn't name: "--x" followed by a MIME field.
_LIKELY_BOUNDARY = re.compile(
    rb"^--([^\r\n]{1,200}?)[ \t]*\r?\n(?:[ \t]*\r?\n)?Content-[A-Za-z-]{2,30}[ \t]*:", re.MULTILINE | re.I
)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.I)
_PART_HEADER = re.compile(rb"\s*(?:Content-|MIME-|X-)[A-Za-z-]+[ \t]*:", re.I)


@dataclass(slots=True)
class Entity:
    """One part, or the whole mail. `body` returns its decoded bytes; a multipart has `parts` instead."""

    block: Block
    data: bytes = field(repr=False)
    start: int
    end: int
    content_type: str = "text/plain"
    given_type: str = ""  #: From the header, "" if it has none that can be read.
    parameters: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    disposition_parameters: dict[str, str] = field(default_factory=dict)
    encoding: str = ""
    parts: list[Entity] = field(default_factory=list)

    @property
    def raw(self) -> bytes:
        """The body, not decoded."""
        return self.data[self.start : self.end]

    def body(self, *, text: bool = False) -> tuple[bytes, str]:
        """Return (transfer-decoded body, defect)."""
        if self.encoding == "base64" and self.end - self.start > LARGE:
            decoded = decode_base64_part(self.data, self.start, self.end)
            if decoded is not None:
                return decoded, ""
        return decode_transfer(self.raw, self.encoding, text=text)

    @property
    def filename(self) -> str:
        """The file name as the sender gave it, decoded, not made safe; "" without one."""
        given = self.disposition_parameters.get("filename", "") or self.disposition_parameters.get("name", "")
        other = self.parameters.get("name", "") or self.parameters.get("filename", "")
        # A program that failed to encode a name in one field ("?") often succeeded in the other.
        if given and other and ("\ufffd" in given or given.count("?") > other.count("?")) and "\ufffd" not in other:
            return other
        return given or other


@dataclass(slots=True)
class _Limits:
    parts: int
    scans: int
    defects: list[str] = field(default_factory=list)


def read_tree(data: bytes) -> tuple[Entity, list[str]]:
    """Return (the mail as a tree, defects of its form).

    Defects: "header-too-large", "too-many-header-fields", "junk-in-header", "no-empty-line-after-header",
    "no-boundary", "no-parts", "no-closing-boundary", "parts-after-close", "too-many-parts", "too-deep".
    """
    limits = _Limits(MAX_PARTS, MAX_SCANS * len(data) + 100_000)
    entity = _read(data, (_mail_start(data), len(data)), limits, 0, "text/plain")
    return entity, list(dict.fromkeys(limits.defects))


def read_header(data: bytes) -> tuple[Block, list[str]]:
    """Return (the fields of a mail, defects) without reading its body."""
    start = _mail_start(data)
    block, _ = _header(data, start, len(data))
    return block, block.defects


def _mail_start(data: bytes) -> int:
    """Return where the header begins: after a byte order mark, blank lines and the "From " line of an mbox."""
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    blank = _LEADING_BLANK.match(data, start)
    if blank is not None:
        start = blank.end()
    mbox = _MBOX_LINE.match(data, start)
    return mbox.end() if mbox is not None else start


def _header(data: bytes, start: int, end: int) -> tuple[Block, int]:
    """Return (fields, start of the body) of the entity in data[start:end]."""
    if data.startswith((b"\n", b"\r\n"), start, end):
        return Block(), data.index(b"\n", start) + 1
    found = _EMPTY_LINE.search(data, start, end)
    header = data[start : found.start() + 1 if found else end]
    hint = "" if header.isascii() else _charset_nearby(data, start, start + len(header))
    block = read_block(header, hint)
    if "no-empty-line-after-header" in block.defects:
        return block, start + block.end
    return block, found.end() if found else end


def _charset_nearby(data: bytes, start: int, end: int) -> str:
    """Return the charset that the mail names first; raw 8-bit fields that are not UTF-8 are in it."""
    found = _CHARSET.search(data, start, end + 4096)
    return found[1].decode("ascii") if found else ""


def _read(data: bytes, span: tuple[int, int], limits: _Limits, depth: int, default: str) -> Entity:
    start, end = span
    block, body = _header(data, start, end)
    limits.defects += block.defects
    entity = Entity(block, data, body, end)
    _describe(entity, default)
    boundary = entity.parameters.get("boundary", "").rstrip()
    if entity.content_type.startswith("multipart/"):
        _read_parts(entity, boundary, limits, depth)
    elif boundary and entity.content_type.startswith("text/") and _begins_with(entity, boundary):
        # A multipart declared as text.
        entity.content_type = "multipart/mixed"
        _read_parts(entity, boundary, limits, depth)
    return entity


def _describe(entity: Entity, default: str) -> None:
    """Set type, disposition and encoding from the header."""
    for each in entity.block.fields:
        if not each.key.startswith("content-"):
            continue
        if each.key == "content-type" and not entity.parameters and not entity.given_type:
            entity.given_type = media_type(each.value)
            entity.parameters = parameters(each.value)
        elif each.key == "content-disposition" and not entity.disposition:
            entity.disposition = each.value.partition(";")[0].strip().lower()
            entity.disposition_parameters = parameters(each.value)
        elif each.key == "content-transfer-encoding" and not entity.encoding:
            entity.encoding = encoding_name(each.value)
    if entity.given_type:
        entity.content_type = TEXT_ALIASES.get(entity.given_type, entity.given_type)
    elif entity.disposition == "attachment" or entity.filename:
        entity.content_type = "application/octet-stream"
    else:
        entity.content_type = default  # RFC 2045 §5.2


def _begins_with(entity: Entity, boundary: str) -> bool:
    delimiter = b"--" + boundary.encode("utf-8", "replace")
    return entity.data[entity.start : entity.start + len(delimiter) + 4].lstrip().startswith(delimiter)


def _read_parts(entity: Entity, boundary: str, limits: _Limits, depth: int) -> None:
    if depth >= MAX_DEPTH or limits.scans <= 0:
        limits.defects.append("too-deep")
        entity.content_type = "application/octet-stream"
        return
    ranges = _ranges(entity, boundary, limits)
    if not ranges:
        _read_partless(entity, limits, depth)
        return
    default = "message/rfc822" if entity.content_type == "multipart/digest" else "text/plain"  # RFC 2046 §5.1.5
    entity.parts += [_read(entity.data, span, limits, depth + 1, default) for span in ranges]


def _read_partless(entity: Entity, limits: _Limits, depth: int) -> None:
    """Read a multipart without its boundary: encoded as a whole, with another boundary, or just text."""
    if entity.encoding == "base64":
        decoded = entity.body()[0]
        if b"\n--" in decoded or decoded.startswith(b"--"):
            inner = Entity(entity.block, decoded, 0, len(decoded), entity.content_type, parameters=entity.parameters)
            _read_parts(inner, entity.parameters.get("boundary", ""), limits, depth + 1)
            entity.parts = inner.parts
            return
    found = _LIKELY_BOUNDARY.search(entity.data, entity.start, min(entity.end, entity.start + 65536))
    guessed = found[1].decode("latin-1") if found else ""
    limits.defects.append("no-boundary")
    limits.scans -= entity.end - entity.start
    ranges = _ranges(entity, guessed, limits) if guessed else []
    if not ranges:
        limits.defects.append("no-parts")
        entity.content_type = "text/plain"
        return
    entity.parts += [_read(entity.data, span, limits, depth + 1, "text/plain") for span in ranges]


def _ranges(entity: Entity, boundary: str, limits: _Limits) -> list[tuple[int, int]]:
    """Return (start, end) of each part (RFC 2046 §5.1.1); the line end before a delimiter belongs to it."""
    if not boundary:
        return []
    data, end = entity.data, entity.end
    delimiter = b"--" + (boundary.encode("latin-1") if boundary.isascii() else boundary.encode("utf-8", "replace"))
    limits.scans -= end - entity.start
    ranges: list[tuple[int, int]] = []
    opened = -1  # start of the current part
    closed = False
    for line, after, last in _delimiters(data, delimiter, entity.start, end):
        if opened >= 0:
            ranges.append((opened, max(opened, _before_line_end(data, opened, line))))
            limits.parts -= 1
        opened = -1
        if last:
            closed = True
            continue
        if closed and not _PART_HEADER.match(data, after, end):
            continue  # text of the epilogue
        if closed:
            limits.defects.append("parts-after-close")
        opened = after
        if limits.parts <= 0:
            limits.defects.append("too-many-parts")
            return [*ranges, (opened, end)]  # the rest as one part, so that nothing is lost
    if opened >= 0:
        limits.defects.append("no-closing-boundary")
        limits.parts -= 1
        ranges.append((opened, end))
    return ranges


def _delimiters(data: bytes, delimiter: bytes, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Yield (start, start of the next line, whether it is the closing one) of each delimiter line."""
    position = start
    while (found := data.find(delimiter, position, end)) >= 0:
        after = found + len(delimiter)
        position = after
        if found > start and data[found - 1] != 0x0A:
            continue
        line_end = data.find(b"\n", after, end)
        next_line = end if line_end < 0 else line_end + 1
        rest = data[after : min(next_line, after + 100)].strip()
        if rest in (b"", b"--"):
            position = next_line
            yield found, next_line, rest == b"--"


def _before_line_end(data: bytes, start: int, position: int) -> int:
    if position > start and data[position - 1] == 0x0A:
        position -= 1
    if position > start and data[position - 1] == 0x0D:
        position -= 1
    return position
