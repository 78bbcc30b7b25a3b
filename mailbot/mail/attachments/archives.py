"""The contents of an archive, without unpacking it to disk: names at every depth, passwords, bombs.

In: a file's bytes. Out: `ArchiveContents`. ZIP is read by its central directory and by its local headers, since
programs differ in which they use; TAR, RAR and 7-Zip by `archive_formats`; gzip, bzip2 and xz by their content. Only
nested archives are decompressed, in memory, within the bounds below. Total; linear in the size.

Bounds: 10,000 files, 4 levels of archives, 48 MB decompressed in all. Beyond them the failure is "unreadable", and if
the archive's own sizes show a bomb (100 times its size and over 500 MB, or files that overlap), "bomb".

Standards: PKWARE APPNOTE 6.3.10, RFC 1952 (gzip), the .xz file format 1.2.
Never: decides what is refused (`policy`).
"""

from __future__ import annotations

import bz2
import lzma
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from mailbot.mail.attachments.archive_formats import MAX_NAMES, Listing, is_tar, rar_names, seven_zip_names, tar_names
from mailbot.vocabulary.refused_files import ARCHIVES

MAX_DEPTH = 4
MAX_UNPACKED = 48_000_000
MAX_STREAMS = 50
BOMB_RATIO = 100
BOMB_SIZE = 500_000_000

_LOCAL = re.compile(rb"PK\x03\x04")
_COMPRESSED = ((b"\x1f\x8b\x08", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"))
_TARS = {"tgz": "tar", "tbz": "tar", "tbz2": "tar", "txz": "tar", "tlz": "tar"}
_LZMA_MEMORY = 100_000_000


@dataclass(frozen=True, slots=True)
class ArchiveContents:
    """The contents of an archive."""

    names: tuple[str, ...] = ()  #: Paths through nested archives ("surat.zip/foto.exe"), without the outermost.
    encrypted: bool = False  #: A password protects the content of some file.
    failure: str = ""  #: "", "bomb" or "unreadable".


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file in the central directory of a ZIP."""

    name: str
    method: int
    encrypted: bool
    packed: int
    unpacked: int
    offset: int  #: Of the local header.


def is_archive(content: bytes) -> bool:
    """Return whether the content is of a format that can be inspected, by its first bytes."""
    head = content[:8]
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")) or (
        head.startswith((b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00")) or is_tar(content)
    )


def inspect_archive(content: bytes, name: str) -> ArchiveContents:
    """Inspect the archive `content`, a file of this name."""
    found = _Inspection()
    found.inspect(content, name, "", 1)
    return ArchiveContents(tuple(found.names), found.encrypted, found.failure)


class _Inspection:
    """One inspection: what it has found, and how much it may still decompress."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.encrypted = False
        self.failure = ""
        self._room = MAX_UNPACKED

    def inspect(self, content: bytes, name: str, path: str, depth: int) -> None:
        """Inspect one archive, at this path."""
        if depth > MAX_DEPTH:
            self._fail("unreadable")
        elif content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            self._zip(content, path, depth)
        elif content.startswith(b"Rar!"):
            self._listed(rar_names(content), path)
        elif content.startswith(b"7z\xbc\xaf\x27\x1c"):
            self._listed(seven_zip_names(content), path)
        elif is_tar(content):
            self._tar(content, path, depth)
        else:
            self._compressed(content, name, path, depth)

    def _fail(self, failure: str) -> None:
        if self.failure != "bomb":
            self.failure = failure

    def _add(self, path: str, name: str) -> bool:
        if len(self.names) >= MAX_NAMES:
            self._fail("unreadable")
            return False
        self.names.append(path + name)
        return True

    def _listed(self, found: Listing, path: str) -> None:
        """Add the files of an archive that can't be decompressed here: one with a nested archive is unreadable."""
        self.encrypted |= found.encrypted
        if not found.complete:
            self._fail("unreadable")
        for name in found.names:
            if not self._add(path, name):
                return
            if _extension(name) in ARCHIVES:
                self._fail("unreadable")

    # TAR, and what is compressed as one stream

    def _tar(self, content: bytes, path: str, depth: int) -> None:
        found = tar_names(content)
        if not found.complete:
            self._fail("unreadable")
        for name in found.names:
            if not self._add(path, name):
                return
            if _extension(name) in ARCHIVES:
                start, size = found.positions[name]
                self._nested(content[start : start + size], name, path, depth)

    def _compressed(self, content: bytes, name: str, path: str, depth: int) -> None:
        form = next((form for magic, form in _COMPRESSED if content.startswith(magic)), "")
        if not form:
            self._fail("unreadable")  # an archive by its name only
            return
        stem, _, extension = name.rpartition(".")
        inner = f"{stem}.tar" if extension.lower() in _TARS else stem or name
        self._add(path, inner)
        unpacked = self._unpack(form, content)
        if unpacked is None:
            self._fail("unreadable")
        elif is_tar(unpacked) or _extension(inner) in ARCHIVES:
            self._nested(unpacked, inner, path, depth)

    def _nested(self, content: bytes, name: str, path: str, depth: int) -> None:
        if content:
            self.inspect(content, name, f"{path}{name}/", depth + 1)

    def _unpack(self, form: str, content: bytes | memoryview) -> bytes | None:
        """Decompress one stream; None if it is damaged or too large."""
        try:
            unpacked = b"".join(_unpacked(form, content, self._room + 1))
        except (zlib.error, OSError, ValueError, EOFError, lzma.LZMAError):
            return None
        if len(unpacked) > self._room:
            if len(unpacked) > BOMB_RATIO * len(content):
                self._fail("bomb")
            return None
        self._room -= len(unpacked)
        return unpacked

    # ZIP

    def _zip(self, content: bytes, path: str, depth: int) -> None:
        entries, whole = _directory(content)
        if not whole:
            self._fail("unreadable")
        packed, unpacked = sum(entry.packed for entry in entries), sum(entry.unpacked for entry in entries)
        # Overlapping files (one kernel, decompressed a thousand times) take more bytes than the archive has.
        if packed > len(content) or (unpacked > BOMB_SIZE and unpacked > BOMB_RATIO * len(content)):
            self._fail("bomb")
            return
        for entry in entries:
            if not self._add(path, entry.name):
                return
            self.encrypted |= entry.encrypted
            if _extension(entry.name) in ARCHIVES:
                self._zip_nested(content, entry, path, depth)
        listed = {entry.name for entry in entries}
        for name in dict.fromkeys(name for name in _local_names(content) if name not in listed):
            if not self._add(path, name):
                return

    def _zip_nested(self, content: bytes, entry: _Entry, path: str, depth: int) -> None:
        """Inspect a nested archive, unless it is encrypted."""
        if entry.encrypted or content[entry.offset : entry.offset + 4] != b"PK\x03\x04":
            self._fail("unreadable")
            return
        name_size, extra_size = struct.unpack_from("<HH", content.ljust(entry.offset + 30), entry.offset + 26)
        start = entry.offset + 30 + name_size + extra_size
        packed = memoryview(content)[start : start + entry.packed]  # not a copy: it may be as large as the archive
        inner = bytes(packed) if entry.method == 0 else self._unpack("deflate", packed) if entry.method == 8 else None
        if inner is None:
            self._fail("unreadable")
        else:
            self._nested(inner, entry.name, path, depth)


def _unpacked(form: str, content: bytes | memoryview, most: int) -> Iterator[bytes]:
    """Yield at most `most` bytes of a stream; consecutive gzip or bzip2 streams are one file."""
    for _ in range(MAX_STREAMS):
        piece, content = _one_stream(form, content, most)
        most -= len(piece)
        yield piece
        if not content or most <= 0:
            return
    raise ValueError("too many streams")


def _one_stream(form: str, content: bytes | memoryview, most: int) -> tuple[bytes, bytes]:
    if form in ("gz", "deflate"):
        inflate = zlib.decompressobj(31 if form == "gz" else -15)
        piece = inflate.decompress(content, most)
        rest = inflate.unused_data if form == "gz" and inflate.eof else b""
        return piece, rest if rest.startswith(b"\x1f\x8b") else b""
    other = bz2.BZ2Decompressor() if form == "bz2" else lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)
    piece = other.decompress(content, most)
    rest = other.unused_data if other.eof else b""
    return piece, rest if rest.startswith((b"BZh", b"\xfd7zXZ")) else b""


def _directory(content: bytes) -> tuple[list[_Entry], bool]:
    """Return the central directory (APPNOTE §4.3.12) and whether it has as many files as its end record says."""
    end = content.rfind(b"PK\x05\x06", max(0, len(content) - 66_000))
    if end < 0 or end + 22 > len(content):
        return [], False
    count, size, offset = struct.unpack_from("<HII", content, end + 10)
    begin = end - size
    if 0xFFFFFFFF in (size, offset) or count == 0xFFFF:  # APPNOTE §4.3.14, ZIP64
        wide = content.rfind(b"PK\x06\x06", max(0, end - 4096), end)
        if wide < 0 or wide + 56 > len(content):
            return [], False
        count, size, offset = struct.unpack_from("<QQQ", content, wide + 32)
        begin = wide - size
    if begin < 0:
        return [], False
    before = begin - offset if 0 < begin - offset < begin else 0  # a self-extracting ZIP begins with a program
    entries: list[_Entry] = []
    at = begin
    while content[at : at + 4] == b"PK\x01\x02" and at + 46 <= len(content):
        if len(entries) >= MAX_NAMES:
            return entries, False
        entry, at = _entry(content, at, before)
        entries.append(entry)
    return entries, len(entries) == count


def _entry(content: bytes, at: int, before: int) -> tuple[_Entry, int]:
    flags, method = struct.unpack_from("<HH", content, at + 8)
    packed, unpacked, name_size, extra_size, comment = struct.unpack_from("<IIHHH", content, at + 20)
    offset = struct.unpack_from("<I", content, at + 42)[0]
    name = content[at + 46 : at + 46 + name_size]
    extra = content[at + 46 + name_size : at + 46 + name_size + extra_size]
    if 0xFFFFFFFF in (packed, unpacked) and extra[:2] == b"\x01\x00" and len(extra) >= 12:
        # APPNOTE §4.5.3: 64-bit sizes in this order, each only if the 32-bit one is all ones
        wide = [struct.unpack_from("<Q", extra, 4 + 8 * n)[0] for n in range((len(extra) - 4) // 8)]
        if unpacked == 0xFFFFFFFF and wide:
            unpacked = wide.pop(0)
        if packed == 0xFFFFFFFF and wide:
            packed = wide.pop(0)
    # method 99 is WinZip's AES
    entry = _Entry(_name(name), method, bool(flags & 1) or method == 99, packed, unpacked, offset + before)
    return entry, at + 46 + name_size + extra_size + comment


def _local_names(content: bytes) -> Iterator[str]:
    """Yield the names in local headers, which programs that read from the front see, nested stored ones as well."""
    for count, found in enumerate(_LOCAL.finditer(content)):
        if count > MAX_NAMES:
            return
        at = found.start()
        if at + 30 > len(content):
            return
        size = struct.unpack_from("<H", content, at + 26)[0]
        yield _name(content[at + 30 : at + 30 + size])


def _name(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _extension(name: str) -> str:
    return name.rstrip(" .\0").rpartition(".")[2].lower() if "." in name else ""
