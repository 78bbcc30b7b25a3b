"""winmail.dat (TNEF): the files and text that only Outlook shows.

In: the bytes of an application/ms-tnef part. Out: its files, its text and its HTML; None if it is no TNEF. Total and
linear: an invalid length ends the reading, what was read before is kept. Not by tnefparse, which copies the rest of
its input for each attribute (1 MB of small ones takes minutes) and raises half a dozen kinds of errors.

Standards: MS-OXTNEF §2 (attributes), MS-OXCDATA §2.11 and MS-OXCMSG (properties).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from mailbot.mail.mime.charset import decode_clean
from mailbot.mail.mime.rtf import decompress_rtf, rtf_to_html_or_text

SIGNATURE = b"\x78\x9f\x3e\x22"
MAX_FILES = 500
_MAX_PROPERTIES = 5000
_MAX_DEPTH = 3

# Attributes (MS-OXTNEF §2.1.3.3): the low word of their id
_ATT_BODY = 0x800C
_ATT_ATTACH_DATA = 0x800F
_ATT_ATTACH_TITLE = 0x8010
_ATT_ATTACH_RENDDATA = 0x9002  # begins a new file
_ATT_MAPI_PROPS = 0x9003
_ATT_ATTACHMENT = 0x9005  # the properties of a file
_ATT_OEM_CODEPAGE = 0x9007

# Properties (MS-OXPROPS)
_BODY = 0x1000
_RTF_COMPRESSED = 0x1009
_HTML = 0x1013
_ATTACH_DATA = 0x3701
_ATTACH_FILENAME = 0x3704
_ATTACH_LONG_FILENAME = 0x3707
_ATTACH_MIME_TAG = 0x370E
_ATTACH_CONTENT_ID = 0x3712
_DISPLAY_NAME = 0x3001
_INTERNET_CODEPAGE = 0x3FDE

_OBJECT, _STRING8, _UNICODE, _BINARY = 0x000D, 0x001E, 0x001F, 0x0102
_VARIABLE = frozenset((_OBJECT, _STRING8, _UNICODE, _BINARY))
# Bytes of a value of a fixed type, padded to four (MS-OXCDATA §2.11.1)
_FIXED = {
    0x0000: 4, 0x0001: 4, 0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4,
    0x0014: 8, 0x0040: 8, 0x0048: 16,
}  # fmt: skip
_MULTIPLE = 0x1000
# Prefix of a property that holds a whole message: its interface id, then TNEF (MS-OXTNEF §2.1.3.3.15)
_MESSAGE_OBJECT = bytes.fromhex("0703020000000000c000000000000046")


@dataclass(slots=True)
class TnefFile:
    """A file in TNEF, with name, type and Content-ID as given, "" where absent."""

    name: str = ""
    content: bytes = field(default=b"", repr=False)
    content_type: str = ""
    content_id: str = ""


@dataclass(slots=True)
class Tnef:
    """A message's text and HTML, "" where absent, and its files."""

    text: str = ""
    html: str = ""
    files: list[TnefFile] = field(default_factory=list)


def read_tnef(data: bytes) -> Tnef | None:
    """Return the content of a winmail.dat, None if it isn't one."""
    if data[:4] != SIGNATURE:
        return None
    return _Reader(0).read(data)


class _Reader:
    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._found = Tnef()
        self._codepage = ""
        self._rtf = b""

    def read(self, data: bytes) -> Tnef:
        """Return what the attributes contain."""
        for name, value in _attributes(data):
            if name == _ATT_ATTACH_RENDDATA:
                if len(self._found.files) >= MAX_FILES:
                    break
                self._found.files.append(TnefFile())
            elif name == _ATT_OEM_CODEPAGE and len(value) >= 4:
                self._codepage = _codepage(int.from_bytes(value[:4], "little"))
            elif name == _ATT_BODY:
                self._found.text = self._found.text or self._text(value)
            elif name == _ATT_MAPI_PROPS:
                self._message_properties(value)
            elif self._found.files:
                self._file_attribute(self._found.files[-1], name, value)
        self._found.files = [each for each in self._found.files if each.content or each.name]
        if self._rtf and not self._found.html and not self._found.text:
            html, text = rtf_to_html_or_text(decompress_rtf(self._rtf))
            self._found.html, self._found.text = html, text
        return self._found

    def _text(self, value: bytes) -> str:
        return decode_clean(value.rstrip(b"\0"), self._codepage)[0]

    def _message_properties(self, data: bytes) -> None:
        body: bytes | None = None
        html: bytes | None = None
        internet = ""
        for name, kind, value in _properties(data):
            if name == _INTERNET_CODEPAGE and len(value) >= 4:
                internet = _codepage(int.from_bytes(value[:4], "little"))
            elif name == _BODY:
                self._found.text = _string(kind, value, self._codepage)
                body = value if kind == _STRING8 else None
            elif name == _HTML:
                html = value
            elif name == _RTF_COMPRESSED:
                self._rtf = value
        if html:
            self._found.html = decode_clean(html.rstrip(b"\0"), internet or self._codepage)[0]
        if body and internet:
            self._found.text = decode_clean(body.rstrip(b"\0"), internet)[0]

    def _file_attribute(self, file: TnefFile, name: int, value: bytes) -> None:
        if name == _ATT_ATTACH_TITLE:
            file.name = file.name or self._text(value)
        elif name == _ATT_ATTACH_DATA:
            file.content = value
        elif name == _ATT_ATTACHMENT:
            self._file_properties(file, value)

    def _file_properties(self, file: TnefFile, data: bytes) -> None:
        for name, kind, value in _properties(data):
            if name == _ATTACH_LONG_FILENAME:
                file.name = _string(kind, value, self._codepage) or file.name
            elif name in (_ATTACH_FILENAME, _DISPLAY_NAME):
                file.name = file.name or _string(kind, value, self._codepage)
            elif name == _ATTACH_MIME_TAG:
                file.content_type = _string(kind, value, self._codepage).lower()
            elif name == _ATTACH_CONTENT_ID:
                file.content_id = _string(kind, value, self._codepage).strip("<> ")
            elif name == _ATTACH_DATA:
                self._file_data(file, value)

    def _file_data(self, file: TnefFile, value: bytes) -> None:
        if not value.startswith(_MESSAGE_OBJECT):
            file.content = value
            return
        # The files of a nested message go beside those of the outer one, as in Outlook.
        inner = value[len(_MESSAGE_OBJECT) :]
        if self._depth >= _MAX_DEPTH or inner[:4] != SIGNATURE:
            file.content = inner
            return
        found = _Reader(self._depth + 1).read(inner)
        words = found.text or found.html
        file.content = words.encode()
        file.name = file.name or "message"
        file.name += ".txt" if found.text else ".html"
        self._found.files[-1:-1] = found.files[: MAX_FILES - len(self._found.files)]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (id, value) of each attribute; a length that exceeds the data ends them (MS-OXTNEF §2.1.3.1)."""
    position = 6  # signature, key
    while position + 11 <= len(data):
        name, _, length = struct.unpack_from("<HHI", data, position + 1)
        start = position + 9
        yield name, data[start : start + length]
        position = start + length + 2  # the checksum is ignored: a wrong one should lose no file


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (id, type, first value) of each property in a list (MS-OXTNEF §2.1.3.4)."""
    if len(data) < 4:
        return
    position = 4
    try:
        for _ in range(min(int.from_bytes(data[:4], "little"), _MAX_PROPERTIES)):
            kind, name = struct.unpack_from("<HH", data, position)
            position += 4
            if name >= 0x8000:  # named: a GUID, then a number or a string
                (form,) = struct.unpack_from("<I", data, position + 16)
                (length,) = struct.unpack_from("<I", data, position + 20)
                position += 24 + (_padded(length) if form == 1 else 0)
            value, position = _value(data, position, kind)
            yield name, kind & ~_MULTIPLE, value
    except (struct.error, KeyError):
        return  # the next property can't be located


def _value(data: bytes, position: int, kind: int) -> tuple[bytes, int]:
    """Return (the first value, start of the next property).

    Raises struct.error where the data ends, KeyError for an unknown type.
    """
    base = kind & ~_MULTIPLE
    count = 1
    if base in _VARIABLE or kind & _MULTIPLE:
        (count,) = struct.unpack_from("<I", data, position)
        position += 4
    first = b""
    for number in range(count):
        if base in _VARIABLE:
            (length,) = struct.unpack_from("<I", data, position)
            position += 4
            step = _padded(length)
        else:
            length = step = _FIXED[base]
        if number == 0:
            first = data[position : position + length]
        position += step
        if position > len(data):
            if number == 0 and base in _VARIABLE:
                return first, position  # truncated: the beginning of a file is kept
            raise struct.error
    return first, position


def _padded(length: int) -> int:
    return (length + 3) & ~3


def _string(kind: int, value: bytes, codepage: str) -> str:
    if kind == _UNICODE:
        return decode_clean(value, "utf-16-le")[0].rstrip("\0")
    return decode_clean(value.rstrip(b"\0"), codepage)[0]


def _codepage(number: int) -> str:
    names = {65001: "utf-8", 20127: "us-ascii", 28591: "iso-8859-1", 20866: "koi8-r", 1200: "utf-16-le", 0: ""}
    return names.get(number, f"iso-8859-{number - 28590}" if 28591 < number < 28607 else f"cp{number}")
