"""Content-Transfer-Encoding: the bytes of a body as they were before they were encoded for mail.

In: the bytes of a part and the name of its encoding. Out: the decoded bytes and a defect code or "". Never raises,
never longer than the input. Of broken input, what can be decoded is returned: base64 that is truncated, wrapped
irregularly, padded in the middle, or not base64 at all; quoted-printable with raw characters and torn escapes;
uuencode with wrong line lengths.

Standards: RFC 2045 §6 (base64 §6.8, quoted-printable §6.7); POSIX uuencode.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from io import BytesIO

_WHITE = b" \t\r\n"
_LETTERS = bytes(sorted(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_NO_LETTERS = bytes(set(range(256)) - set(_LETTERS))
_PADDING = re.compile(rb"=+")
_SPACES_BEFORE_SOFT_END = re.compile(rb"=[ \t]+(?=\r?\n)")

_UU_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,200})\r?\n", re.MULTILINE)
_UU_END = re.compile(rb"^(?:`\r?\n)?(?:end|====)[ \t]*\r?$", re.MULTILINE)
_UU_LINE = re.compile(rb"[ -`]{0,90}\r?\Z|end")
_LINE = re.compile(rb"[^\r\n]+")

MAX_UU_FILES = 50
_MAX_CHUNKS = 1000
_PIECE = 1 << 20


def encoding_name(value: str) -> str:
    """Return the encoding's name in lower case, without comments, quotes and parameters."""
    words = value.replace('"', " ").replace(";", " ").replace("(", " ").split(None, 1)
    return words[0].lower() if words else ""


def decode_transfer(data: bytes, encoding: str, *, text: bool = False) -> tuple[bytes, str]:
    """Return (decoded bytes, defect). With `text`, prose that is only labelled base64 is kept as it is.

    Defects: "bad-base64", "truncated-base64", "text-after-base64", "bad-uuencode".
    """
    if encoding == "base64":
        return _decode_base64(data, text)
    if encoding == "quoted-printable":
        if b"= " in data or b"=\t" in data:  # RFC 2045 §6.7 (3): spaces at the end of a line were added in transit
            data = _SPACES_BEFORE_SOFT_END.sub(b"=", data)
        return binascii.a2b_qp(data), ""
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        begin = _UU_BEGIN.search(data)
        return _decode_uu(data, begin.end() if begin else 0, len(data))
    return data, ""  # 7bit, 8bit, binary, and unknown names, which RFC 2045 §6.4 leaves undecoded


def decode_base64_part(data: bytes, start: int, end: int) -> bytes | None:
    """Decode the base64 in data[start:end]; return None if it is anything but letters, blanks and padding.

    Piece by piece into one buffer, so that there is no copy beside the mail and the result.
    """
    decoded = BytesIO()
    group = b""
    ended = False
    try:
        for at in range(start, end, _PIECE):
            letters = group + data[at : min(at + _PIECE, end)].translate(None, _WHITE)
            if ended and letters:
                return None  # data after the padding
            whole = len(letters) & ~3
            decoded.write(binascii.a2b_base64(letters[:whole], strict_mode=True))
            group, ended = letters[whole:], ended or letters[:whole].endswith(b"=")
        decoded.write(binascii.a2b_base64(group, strict_mode=True))
    except binascii.Error:
        return None
    return decoded.getvalue()


def _decode_base64(data: bytes, text: bool) -> tuple[bytes, str]:
    # Usually only letters, line ends and padding at the end; else perhaps blanks as well.
    for bare in (data.replace(b"\r", b"").replace(b"\n", b""), data.translate(None, _WHITE)):
        try:
            return binascii.a2b_base64(bare, strict_mode=True), ""
        except binascii.Error:
            continue
    return _repair_base64(data, text)


def _repair_base64(data: bytes, text: bool) -> tuple[bytes, str]:
    padding = _PADDING.search(data)
    head = data[: padding.end()] if padding else data
    if text and _is_prose(head.rstrip(b"=")):
        return data, "bad-base64"
    defect = ""
    rest = data[len(head) :].translate(None, _WHITE + b"=")
    if rest and _foreign(rest) * 10 > len(rest):
        # Padding ends the data (RFC 2045 §6.8); a mailing list or scanner appended the rest.
        data, rest, defect = head, b"", "text-after-base64"
    foreign = _foreign(data.translate(None, _WHITE + b"="))
    if foreign:
        defect = "bad-base64"
    if foreign or rest:  # damaged, or padded line by line
        decoded = _base64_by_line(data)
        if decoded is not None:
            return decoded, defect
    result = bytearray()
    for chunk in _PADDING.split(data, _MAX_CHUNKS):
        result += _decode_letters(chunk)
    letters = len(data.translate(None, _NO_LETTERS))
    if letters % 4 and padding is None:
        defect = defect or "truncated-base64"
    return bytes(result), defect


def _foreign(data: bytes) -> int:
    """Return how many bytes are not in the base64 alphabet."""
    return len(data) - len(data.translate(None, _NO_LETTERS))


def _decode_letters(data: bytes) -> bytes:
    """Decode base64, ignoring any other bytes in it."""
    letters = data.translate(None, _NO_LETTERS)
    if len(letters) % 4 == 1:  # six bits are less than a byte
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _is_prose(data: bytes) -> bool:
    """Return whether it has more spaces and punctuation than damaged base64 would."""
    return (_foreign(data) - data.count(b"\n") - data.count(b"\r")) * 20 > len(data)


def _base64_by_line(data: bytes) -> bytes | None:
    """Decode line by line, so that a damaged line doesn't shift the next; None if lines aren't whole groups."""
    lines = whole = 0
    for found in _LINE.finditer(data):
        line = found[0].rstrip()
        if found.end() + 2 < len(data) and not _foreign(line.rstrip(b"=")):
            lines += 1
            whole += len(line) % 4 == 0
    if lines < 2 or whole * 10 < 9 * lines:
        return None
    decoded = bytearray()  # a list of small pieces would take fifty bytes more for each
    for found in _LINE.finditer(data):
        decoded += _decode_letters(found[0])
    return bytes(decoded)


def _decode_uu(data: bytes, start: int, end: int) -> tuple[bytes, str]:
    """Decode the uuencoded lines in data[start:end]; return (bytes, defect)."""
    decoded = bytearray()
    defect = ""
    for found in _LINE.finditer(data, start, end):
        line = found[0]
        if line.rstrip() in (b"end", b"`"):
            break
        try:
            decoded += binascii.a2b_uu(line)
        except binascii.Error:
            # Some encoders omit trailing blanks or add a checksum: the length byte says how much to decode.
            wanted = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                decoded += binascii.a2b_uu(line[:wanted])
            except binascii.Error:
                defect = "bad-uuencode"
    return bytes(decoded), defect


@dataclass(frozen=True, slots=True)
class UuFile:
    """A file that was uuencoded inside a text, with its name as written."""

    name: bytes
    content: bytes


def cut_uuencoded(data: bytes) -> tuple[bytes, list[UuFile]]:
    """Return (the text without files uuencoded between "begin" and "end" lines, those files)."""
    files: list[UuFile] = []
    kept: list[bytes] = []
    position = 0
    while len(files) < MAX_UU_FILES and (begin := _UU_BEGIN.search(data, position)):
        start = begin.end()
        # A line "begin 644 …" in prose begins no file: the next lines don't have the form of uuencode.
        if all(_UU_LINE.match(line) for line in data[start : start + 300].split(b"\n")[:3]):
            end = _UU_END.search(data, start)
            if end is None:
                break
            content = _decode_uu(data, start, end.start())[0]
            if content:
                kept.append(data[position : begin.start()])
                files.append(UuFile(begin[1], content))
                position = end.end()
                continue
        kept.append(data[position:start])
        position = start
    return (b"".join((*kept, data[position:])), files) if files else (data, [])
