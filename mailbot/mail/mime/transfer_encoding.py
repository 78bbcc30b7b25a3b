"""Content-Transfer-Encoding undone: the bytes of a body as they were before they were made fit for mail.

In: the bytes of a part and the name of its encoding. Out: the decoded bytes and a defect code or "". Never raises,
never longer than the input. Broken input gives what can be read of it: base64 that is cut off, wrapped oddly, padded in
the middle, or no base64 at all; quoted-printable with raw characters and torn escapes; uuencode with wrong line
lengths.

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
    """The encoding's name out of the field's value, lower case: comments, quotes and parameters are left out."""
    words = value.replace('"', " ").replace(";", " ").replace("(", " ").split(None, 1)
    return words[0].lower() if words else ""


def decode_transfer(data: bytes, encoding: str, *, text: bool = False) -> tuple[bytes, str]:
    """(decoded bytes, defect). With `text`, words that only claim to be base64 are kept as they are.

    Defects: "bad-base64", "truncated-base64", "text-after-base64", "bad-uuencode".
    """
    if encoding == "base64":
        return _decode_base64(data, text)
    if encoding == "quoted-printable":
        if b"= " in data or b"=\t" in data:  # RFC 2045 §6.7 (3): spaces at a line's end were added on the way
            data = _SPACES_BEFORE_SOFT_END.sub(b"=", data)
        return binascii.a2b_qp(data), ""
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        begin = _UU_BEGIN.search(data)
        return _decode_uu(data, begin.end() if begin else 0, len(data))
    return data, ""  # 7bit, 8bit, binary, and names that nobody knows (RFC 2045 §6.4 says: as it is)


def decode_base64_part(data: bytes, start: int, end: int) -> bytes | None:
    """The bytes of the base64 in data[start:end], or None where it is anything but letters, blanks and padding.

    Piece by piece into one buffer, whose content `getvalue` hands out: beside the mail there is the result, no more.
    """
    decoded = BytesIO()
    left = b""
    ended = False
    try:
        for at in range(start, end, _PIECE):
            letters = left + data[at : min(at + _PIECE, end)].translate(None, _WHITE)
            if ended and letters:
                return None  # something stands behind the padding
            whole = len(letters) & ~3
            decoded.write(binascii.a2b_base64(letters[:whole], strict_mode=True))
            left, ended = letters[whole:], ended or letters[:whole].endswith(b"=")
        decoded.write(binascii.a2b_base64(left, strict_mode=True))
    except binascii.Error:
        return None
    return decoded.getvalue()


def _decode_base64(data: bytes, text: bool) -> tuple[bytes, str]:
    # The usual case: nothing but letters, line ends and padding at the end. Then: blanks as well.
    for bare in (data.replace(b"\r", b"").replace(b"\n", b""), data.translate(None, _WHITE)):
        try:
            return binascii.a2b_base64(bare, strict_mode=True), ""
        except binascii.Error:
            continue
    return _mend_base64(data, text)


def _mend_base64(data: bytes, text: bool) -> tuple[bytes, str]:
    padding = _PADDING.search(data)
    head = data[: padding.end()] if padding else data
    if text and _is_prose(head.rstrip(b"=")):
        return data, "bad-base64"
    defect = ""
    rest = data[len(head) :].translate(None, _WHITE + b"=")
    if rest and _foreign(rest) * 10 > len(rest):
        # Padding ends the text (RFC 2045 §6.8); this is what a list or a scanner hung on it.
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
    """How many bytes are no letter of base64."""
    return len(data) - len(data.translate(None, _NO_LETTERS))


def _decode_letters(data: bytes) -> bytes:
    """The bytes of a run of base64, whatever else stands in it."""
    letters = data.translate(None, _NO_LETTERS)
    if len(letters) % 4 == 1:  # six bits are no byte
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _is_prose(data: bytes) -> bool:
    """Words that only claim to be base64 have spaces and punctuation, more than damage would make."""
    return (_foreign(data) - data.count(b"\n") - data.count(b"\r")) * 20 > len(data)


def _base64_by_line(data: bytes) -> bytes | None:
    """Each line on its own, so that a damaged one doesn't shift all that follow; None where lines aren't groups."""
    lines = whole = 0
    for found in _LINE.finditer(data):
        line = found[0].rstrip()
        if found.end() + 2 < len(data) and not _foreign(line.rstrip(b"=")):
            lines += 1
            whole += len(line) % 4 == 0
    if lines < 2 or whole * 10 < 9 * lines:
        return None
    decoded = bytearray()  # not a list of small pieces, each of which would take fifty bytes more
    for found in _LINE.finditer(data):
        decoded += _decode_letters(found[0])
    return bytes(decoded)


def _decode_uu(data: bytes, start: int, end: int) -> tuple[bytes, str]:
    """(bytes, defect) of the uuencoded lines in data[start:end]."""
    decoded = bytearray()
    defect = ""
    for found in _LINE.finditer(data, start, end):
        line = found[0]
        if line.rstrip() in (b"end", b"`"):
            break
        try:
            decoded += binascii.a2b_uu(line)
        except binascii.Error:
            # Some encoders leave out the line's last blanks, or add a checksum: the length says how much counts.
            wanted = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                decoded += binascii.a2b_uu(line[:wanted])
            except binascii.Error:
                defect = "bad-uuencode"
    return bytes(decoded), defect


@dataclass(frozen=True, slots=True)
class UuFile:
    """A file that stood uuencoded in a text: its name as written and its bytes."""

    name: bytes
    content: bytes


def cut_uuencoded(data: bytes) -> tuple[bytes, list[UuFile]]:
    """(the text without them, the files) of a text in which files are uuencoded between "begin" and "end" lines."""
    files: list[UuFile] = []
    kept: list[bytes] = []
    position = 0
    while len(files) < MAX_UU_FILES and (begin := _UU_BEGIN.search(data, position)):
        start = begin.end()
        # Words that happen to begin with "begin 644 …" aren't a file: its lines have a form of their own.
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
