"""Archives for tests, built by hand or by the standard library: also broken, encrypted and hostile ones.

`rar4` and `rar5` write what the format notes say; `bsdtar -tf` lists both. The 7-Zip files were made by 7z 16.02.
"""

from __future__ import annotations

import base64
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping

# "undangan.exe" and "surat é.txt"; the list compressed by LZMA
SEVEN_ZIP = base64.b64decode(
    "N3q8ryccAASUGSuQgwAAAAAAAAAhAAAAAAAAAJscOHoBAA1oYWxvTVogcHJvZ3JhbQAAAIEzB64PzxYxDAfIQ39Bsfr931/lO9ZHBMs0aiaFcipguooM"
    "ECo6TGluq7uQuDqnirIVakh0jfC4HxIobwSPTCVNUBhQ/OLYr9YgnjEsJqu47UIs4mtru8/0eZA8XbYc25K6Wyi7I5PN55gqAAAAABcGEgEJcQAHCwEA"
    "ASMDAQEFXQAQAAAMgIYKAQLn1MoAAA=="
)
# "undangan.exe", its content encrypted, the list in the clear
SEVEN_ZIP_ENCRYPTED = base64.b64decode(
    "N3q8ryccAARCb9FDEAAAAAAAAAByAAAAAAAAADPbxK2g3dYEVHMa0QLgq1jELz/kAQQGAAEJEAAHCwEAAiQG8QcBElMPocLrqs91VeZLAyxZuNVQgyEh"
    "AQABAAwOCgAICgEi5UWZAAAFARkBABEbAHUAbgBkAGEAbgBnAGEAbgAuAGUAeABlAAAAGQAUCgEAqVV1FWR73QEVBgEAIICkgQAA"
)
# the same, with the list encrypted too
SEVEN_ZIP_HIDDEN = base64.b64decode(
    "N3q8ryccAAS7CjJTkAAAAAAAAAAvAAAAAAAAAB42dNoxn5lwKrWDa/KLiir1m1OuB0qLfaGeeapIlGcv58JlEFOFwO9Z5o5K87aYE5EHDBwI7nOdwLUr"
    "WzeFyQ4OLwnceSfVl6GklVEvKF320Iftc/Z8oueQO6fSLkxi0hwj/FmXjX1NIOA9eBu79XUvOYKe111pydp0DjO70aFxfd3zKlVbtazaQnkSFoXxGuLu"
    "5LAXBhABCYCAAAcLAQABJAbxBwESUw9e1YMYLZ/c6wobFf+xtDgGDHIKAQ8M6ucAAA=="
)


def make_zip(files: Mapping[str, bytes], *, stored: bool = False) -> bytes:
    """A ZIP of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, None if not stored else zipfile.ZIP_STORED)
    return out.getvalue()


def deflated_zip(files: Mapping[str, bytes]) -> bytes:
    """A ZIP whose files are compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def locked(archive: bytes) -> bytes:
    """The same ZIP, saying that its files have a password."""
    changed = bytearray(archive)
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = changed.find(sign)
        while at >= 0:
            changed[at + place] |= 1
            at = changed.find(sign, at + 4)
    return bytes(changed)


def make_tar(files: Mapping[str, bytes]) -> bytes:
    """A TAR with GNU's long names."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def rar4(files: Mapping[str, bytes], *, hidden: bool = False) -> bytes:
    """A RAR of version 4, its files stored."""

    def block(kind: int, flags: int, rest: bytes) -> bytes:
        body = struct.pack("<BHH", kind, flags, 7 + len(rest)) + rest
        return struct.pack("<H", zlib.crc32(body) & 0xFFFF) + body

    out = b"Rar!\x1a\x07\x00" + block(0x73, 0x80 if hidden else 0, bytes(6))
    if hidden:
        return out + bytes(range(64))
    for name, content in files.items():
        raw = name.encode()
        sizes = struct.pack("<IIBIIBBHI", len(content), len(content), 3, zlib.crc32(content), 0, 29, 0x30, len(raw), 0)
        out += block(0x74, 0x8000, sizes + raw) + content
    return out + block(0x7B, 0x4000, b"")


def _vint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes((value & 0x7F | 0x80,))
        value >>= 7
    return out + bytes((value,))


def rar5(files: Mapping[str, bytes], *, hidden: bool = False) -> bytes:
    """A RAR of version 5, its files stored."""

    def block(body: bytes) -> bytes:
        sized = _vint(len(body)) + body
        return struct.pack("<I", zlib.crc32(sized)) + sized

    out = b"Rar!\x1a\x07\x01\x00"
    if hidden:
        return out + block(_vint(4) + _vint(0) + bytes(20)) + bytes(range(64))
    out += block(_vint(1) + _vint(0) + _vint(0))
    for name, content in files.items():
        raw = name.encode()
        body = _vint(2) + _vint(2) + _vint(len(content)) + _vint(0) + _vint(len(content)) + _vint(0o100644)
        out += block(body + _vint(0) + _vint(1) + _vint(len(raw)) + raw) + content
    return out + block(_vint(5) + _vint(0) + _vint(0))


def lying_zip(entries: int, packed: int, unpacked: int) -> bytes:
    """A ZIP whose directory says what is given here of each of its files; they are not there."""
    name = b"data.bin"
    sizes = packed, unpacked, len(name)
    entry = (
        struct.pack("<4s4B4HIIIHHHHHII", b"PK\x01\x02", 20, 0, 20, 0, 0, 8, 0, 0, 0, *sizes, 0, 0, 0, 0, 0, 0) + name
    )
    directory = entry * entries
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, entries & 0xFFFF, entries & 0xFFFF, len(directory), 4, 0)
    return b"PK\x03\x04" + directory + end
