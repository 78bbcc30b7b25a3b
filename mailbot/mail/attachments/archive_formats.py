"""File lists of archives other than ZIP: TAR, RAR 4 and 5, 7-Zip. Nothing is unpacked to disk.

In: an archive's bytes. Out: a `Listing`: the files' names, whether a password protects the content, whether the list
could be read to its end. Total: accepts any bytes; linear time.

RAR is read here and not by rarfile 4.5: to list an archive with compressed comments it starts up to five unpacking
programs, it raises ValueError and OverflowError on damaged headers, and it leaves out files continued from another
volume.

Standards: POSIX.1-2017 pax (ustar), GNU tar's long names; the RAR 5.0 archive format note (rarlab), RAR 4's block
structure; 7zFormat.txt of the LZMA SDK.
"""

from __future__ import annotations

import lzma
import re
import struct
from dataclasses import dataclass, field

MAX_NAMES = 10_000
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ufffd\ud800-\udfff]")
_MAX_HEADERS = 20_000  # of a RAR, those of files and others
_MAX_HEADER = 16_000_000  # bytes of a decompressed 7-Zip header


@dataclass(slots=True)
class Listing:
    """The file list of an archive."""

    names: list[str] = field(default_factory=list)
    encrypted: bool = False  #: A password protects the content of some file.
    complete: bool = True  #: False: the list could not be read to its end, or is encrypted.
    #: (first byte, length) of each file; only of TAR, whose files are not compressed.
    positions: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, name: str) -> bool:
        """Add a name; return False if there are too many."""
        if len(self.names) >= MAX_NAMES:
            self.complete = False
            return False
        self.names.append(name)
        return True


def is_tar(content: bytes) -> bool:
    """Return whether content is a TAR of the ustar or GNU form; older ones have no signature."""
    return content[257:262] == b"ustar"


def tar_names(content: bytes) -> Listing:
    """Return the files of a TAR, of which `content` may be only the beginning."""
    found = Listing()
    at, long_name = 0, ""
    while at + 512 <= len(content):
        head = content[at : at + 512]
        if not head.strip(b"\0"):
            return found
        size = _octal(head[124:136])
        kind = head[156:157]
        if size is None or head[257:262] != b"ustar":
            break
        start, after = at + 512, at + 512 + (size + 511) // 512 * 512
        if kind == b"L":  # GNU: the name of the next file
            long_name = _text(content[start : start + min(size, 8192)])
        elif kind in (b"x", b"g"):
            long_name = _pax_path(content[start : start + min(size, 65_536)]) or long_name
        else:
            name = long_name or "/".join(_text(part) for part in (head[345:500], head[:100]) if part.strip(b"\0"))
            long_name = ""
            if kind in (b"0", b"\0", b"7"):
                if not found.add(name):
                    return found
                found.positions[name] = (start, size)
        at = after
    found.complete = at >= len(content) and at > 0
    return found


def _octal(digits: bytes) -> int | None:
    if digits[:1] == b"\x80":  # GNU: base 256
        return int.from_bytes(digits[1:], "big")
    try:
        return int(digits.strip(b" \0") or b"0", 8)
    except ValueError:
        return None


def _pax_path(block: bytes) -> str:
    """Return the path of an extended header, lines of `LENGTH key=value` (POSIX.1-2017 pax)."""
    for line in block.split(b"\n"):
        _, _, pair = line.partition(b" ")
        if pair.startswith(b"path="):
            return _text(pair[5:])
    return ""


def rar_names(content: bytes) -> Listing:
    """Return the files of a RAR archive."""
    if content.startswith(b"Rar!\x1a\x07\x01\x00"):
        return _rar5(content)
    return _rar4(content) if content.startswith(b"Rar!\x1a\x07\x00") else Listing(complete=False)


def _rar4(content: bytes) -> Listing:
    found = Listing()
    at = 7
    for _ in range(_MAX_HEADERS):
        if at + 7 > len(content):
            break
        kind, flags, size = struct.unpack_from("<BHH", content, at + 2)
        if size < 7 or at + size > len(content):
            break
        added = struct.unpack_from("<I", content, at + 7)[0] if flags & 0x8000 and size >= 11 else 0
        if kind == 0x73 and flags & 0x0080:  # the headers themselves are encrypted
            found.encrypted, found.complete = True, False
            return found
        if kind == 0x74 and size >= 32:
            length = struct.unpack_from("<H", content, at + 26)[0]
            start = at + 32
            if flags & 0x0100 and size >= 40:  # files of more than 4 GB
                added += struct.unpack_from("<I", content, at + 32)[0] << 32
                start += 8
            found.encrypted |= bool(flags & 0x0004)
            for name in _rar4_names(content[start : min(start + length, at + size)]):
                if not found.add(name):
                    return found
        at += size + added
        if kind == 0x7B:
            return found
    found.complete = at == len(content)
    return found


def _rar4_names(field: bytes) -> list[str]:
    """Return the names of a file: the Unicode one, if any, that WinRAR uses, then the one for older programs."""
    plain, _, encoded = field.partition(b"\0")
    name = _rar4_unicode(plain, encoded) if encoded else ""
    return [name, _text(plain)] if name and name != _text(plain) else [_text(plain)]


def _rar4_unicode(plain: bytes, encoded: bytes) -> str:
    """Decode a Unicode name (unrar, encname.cpp): two bits each say how the next character is stored."""
    codes: list[int] = []
    high, at, flags, bits = encoded[0] << 8, 1, 0, 0
    try:
        while at < len(encoded):
            if not bits:
                flags, bits, at = encoded[at], 8, at + 1
            bits -= 2
            mode, byte, at = flags >> bits & 3, encoded[at], at + 1
            if mode == 0:
                codes.append(byte)
            elif mode == 1:
                codes.append(high | byte)
            elif mode == 2:
                codes.append(encoded[at] << 8 | byte)
                at += 1
            elif byte & 0x80:  # a run of the plain name, shifted by a constant
                shift, at = encoded[at], at + 1
                run = plain[len(codes) : len(codes) + (byte & 0x7F) + 2]
                codes += [high | (each + shift & 0xFF) for each in run]
            else:  # a run of the plain name
                codes += plain[len(codes) : len(codes) + byte + 2]
    except IndexError:
        pass  # cut off: unrar as well uses what it has
    name = b"".join(code.to_bytes(2, "little") for code in codes)
    return name.decode("utf-16-le", "replace").partition("\0")[0]


def _rar5(content: bytes) -> Listing:
    found = Listing()
    at = 8
    for _ in range(_MAX_HEADERS):
        if at >= len(content):
            break
        size, body = _vint(content, at + 4)
        if not 0 < size <= 2_097_152 or body + size > len(content):
            break
        end = body + size
        kind, here = _vint(content, body)
        flags, here = _vint(content, here)
        _, here = _vint(content, here) if flags & 1 else (0, here)
        data, here = _vint(content, here) if flags & 2 else (0, here)
        if kind == 4:  # the headers themselves are encrypted
            found.encrypted, found.complete = True, False
            return found
        if kind == 2 and not found.add(_rar5_name(content, here, end)):
            return found
        # a record of type 1 in the extra area of a file's header is its encryption
        found.encrypted |= kind == 2 and _rar5_encrypted(content, body, end)
        at = end + data
        if kind == 5:
            return found
    found.complete = at == len(content)
    return found


def _rar5_name(content: bytes, here: int, end: int) -> str:
    flags, here = _vint(content, here)
    _, here = _vint(content, here)  # unpacked size
    _, here = _vint(content, here)  # attributes
    here += 4 * bool(flags & 2) + 4 * bool(flags & 4)  # time, checksum
    _, here = _vint(content, here)  # compression
    _, here = _vint(content, here)  # system
    length, here = _vint(content, here)
    return _text(content[here : min(here + length, end)])


def _rar5_encrypted(content: bytes, body: int, end: int) -> bool:
    _, here = _vint(content, body)
    flags, here = _vint(content, here)
    extra = _vint(content, here)[0] if flags & 1 else 0
    at = end - extra
    while extra and body < at < end:
        size, start = _vint(content, at)
        if _vint(content, start)[0] == 1:
            return True
        at = start + max(size, 1)
    return False


def _vint(content: bytes, at: int) -> tuple[int, int]:
    """Return (value, next position) of a vint: seven bits a byte, lowest first, the highest bit set if more follow."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            return 0, at + 1
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
    return value, at


def seven_zip_names(content: bytes) -> Listing:
    """Return the files of a 7-Zip archive. Its list is at the end, usually compressed by LZMA."""
    if len(content) < 32:
        return Listing(complete=False)
    offset, size = struct.unpack_from("<QQ", content, 12)
    header = content[32 + offset : 32 + offset + size] if 32 + offset + size <= len(content) else b""
    for _ in range(4):
        if header[:1] == b"\x01":
            return _seven_zip_listed(header)
        if header[:1] != b"\x17":
            break
        unpacked = _seven_zip_unpacked(content, header)
        if unpacked is None:
            # the list is encrypted by AES
            return Listing(encrypted=b"\x06\xf1\x07\x01" in header, complete=False)
        header = unpacked
    return Listing(complete=False) if header else Listing(complete=size == 0)


def _seven_zip_listed(header: bytes) -> Listing:
    """Return all NUL-terminated UTF-16 strings with a dot, so that no extension can hide in a malformed header.

    A name may be preceded by a character that is not part of it.
    """
    found = Listing(encrypted=b"\x06\xf1\x07\x01" in header)
    for start in (0, 1):
        for text in header[start:].decode("utf-16-le", "replace").split("\0"):
            name = _NO_TEXT.split(text)[-1]
            if "." in name and not found.add(name):
                return found
    return found


def _seven_zip_unpacked(content: bytes, header: bytes) -> bytes | None:
    """Decompress an EncodedHeader (7zFormat.txt) that has one coder; None if it can't be decompressed."""
    reader = _SevenZip(header)
    try:
        reader.expect(0x17, 0x06)
        offset, count = reader.number(), reader.number()
        reader.expect(0x09)
        sizes = [reader.number() for _ in range(min(count, 8))]
        if reader.skip_to(0x07) is None:
            return None
        reader.expect(0x0B, 0x01, 0x00)
        if reader.number() != 1:  # with several coders, one is a cipher
            return None
        flags = reader.byte()
        method = reader.take(flags & 0x0F)
        properties = reader.take(reader.number()) if flags & 0x20 else b""
        reader.expect(0x0C)
        unpacked = reader.number()
    except (IndexError, ValueError):
        return None
    packed = content[32 + offset : 32 + offset + sizes[0]] if sizes else b""
    if method == b"\x00":
        return packed
    if unpacked > _MAX_HEADER:
        return None
    return _lzma(method, properties, packed, unpacked)


def _lzma(method: bytes, properties: bytes, packed: bytes, unpacked: int) -> bytes | None:
    if method == b"\x03\x01\x01" and len(properties) == 5:
        first = properties[0]
        size = min(max(struct.unpack_from("<I", properties, 1)[0], 4096), 1 << 26)
        which = {"id": lzma.FILTER_LZMA1, "lc": first % 9, "lp": first // 9 % 5, "pb": first // 45, "dict_size": size}
    elif method == b"\x21" and len(properties) == 1:
        which = {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 24}
    else:
        return None
    try:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[which]).decompress(packed, unpacked)
    except (lzma.LZMAError, ValueError):
        return None


class _SevenZip:
    """A reader of a 7-Zip header. Raises IndexError at its end, ValueError for an unexpected byte."""

    def __init__(self, header: bytes) -> None:
        self._header = header
        self._at = 0

    def byte(self) -> int:
        """Return the next byte."""
        self._at += 1
        return self._header[self._at - 1]

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        self._at += size
        if size > len(self._header):
            raise IndexError(size)
        return self._header[self._at - size : self._at]

    def expect(self, *wanted: int) -> None:
        """Skip these bytes."""
        for each in wanted:
            if self.byte() != each:
                raise ValueError(each)

    def skip_to(self, wanted: int) -> int | None:
        """Skip to behind the next byte `wanted`, over the checksums of packed streams; None if it isn't near."""
        found = self._header.find(bytes((wanted,)), self._at, self._at + 64)
        if found < 0:
            return None
        self._at = found + 1
        return found

    def number(self) -> int:
        """Return a compressed UINT64 (7zFormat.txt): the leading ones of its first byte count the bytes that follow."""
        first = self.byte()
        value = 0
        for n in range(8):
            if not first & (0x80 >> n):
                return value | (first & ((0x80 >> n) - 1)) << (8 * n)
            value |= self.byte() << (8 * n)
        return value


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "replace")
