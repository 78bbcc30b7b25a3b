"""Files: media type by first bytes, extension and declaration, and names that are safe to store and show.

In: content, file name, declared type. Out: a lower-case media type; a safe name. The declared type counts only where
the content proves nothing: a program is one under any name, an HTML page declared as a picture is HTML. Own tables
(vocabulary.mime) rather than puremagic, which took 0.5 ms a file and did not recognise Windows programs, text or empty
files; these take microseconds and include what people send from phones.

Standards: RFC 6838 (types), WHATWG MIME Sniffing §6 (patterns), ISO/IEC 14496-12 §4.3 ("ftyp"), ECMA-376 part 2,
RFC 2183 §2.3 (file names).
"""

from __future__ import annotations

import re

from mailbot.vocabulary.mime import BRANDS, DEVICE_NAMES, EXTENSIONS, MAGIC, RIFF, UNNAMED, ZIP_FOLDERS

_BEFORE_MARKUP = rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,500}?-->\s*)?"
_HTML = re.compile(_BEFORE_MARKUP + rb"<(?:!doctype html|html|head|body|script|iframe)[\s>]", re.I | re.S)
_SVG = re.compile(_BEFORE_MARKUP + rb"(?:<!DOCTYPE svg[^>]{0,300}>\s*)?<svg[\s>]", re.I | re.S)
_CALENDAR = re.compile(rb"(?:\xef\xbb\xbf)?\s*BEGIN:VCALENDAR", re.I)
_SCRIPT = re.compile(rb"#! ?/")
_ZIP_ENTRY = re.compile(rb"PK\x03\x04.{22}", re.DOTALL)
_ZIP_MIMETYPE = re.compile(rb"mimetype(application/[a-z0-9.+-]{1,80})")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

_HEAD = 4096
_ZIP_HEAD = 16384

# Old and vendor-specific names → registered ones.
_SAME = {
    "image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png", "image/x-ms-bmp": "image/bmp",
    "application/x-pdf": "application/pdf", "application/x-zip-compressed": "application/zip",
    "application/x-zip": "application/zip", "application/x-rar-compressed": "application/vnd.rar",
    "application/x-rar": "application/vnd.rar", "application/x-gzip": "application/gzip",
    "audio/mp3": "audio/mpeg", "audio/x-wav": "audio/wav", "audio/x-m4a": "audio/mp4",
    "text/x-vcard": "text/vcard", "text/directory": "text/vcard", "application/ics": "text/calendar",
    "text/x-csv": "text/csv", "application/csv": "text/csv", "application/x-msdos-program": "application/x-msdownload",
    "application/x-dosexec": "application/x-msdownload", "application/exe": "application/x-msdownload",
}  # fmt: skip

# Types that say nothing about the content.
_VAGUE = frozenset((
    "", "application/octet-stream", "application/download", "application/force-download", "application/x-download",
    "application/binary", "application/unknown", "application/x-unknown", "binary/octet-stream", "unknown/unknown",
    "application/x-octet-stream", "text/plain", "application/data", "multipart/mixed",
))  # fmt: skip

# OLE is a container; extension or declaration say which format is in it.
_OLE_KINDS = frozenset((
    "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/vnd.ms-outlook",
    "application/x-msi", "application/vnd.visio", "application/vnd.ms-project",
))  # fmt: skip
_VIDEO_OR_AUDIO = ("video/", "audio/")

# File systems allow 255; a stored file may get a prefix.
MAX_BYTES = 240
_MAX_EXTENSION = 20
# Controls, line separators, and characters that reverse or hide the text around them ("gpj.exe" for "exe.jpg").
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff0-\ufff8\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_BLANKS = re.compile(r"[ \t\r\n\u00a0]+")
# Of several extensions of a type, the first in the table is the usual one.
_EXTENSION_OF = {kind: extension for extension, kind in reversed(EXTENSIONS.items())}


def file_type(content: bytes, name: str, declared: str) -> str:
    """Return the media type of a file, lower case; "application/octet-stream" if unknown."""
    declared = _SAME.get(declared, declared)
    by_name = EXTENSIONS.get(name.rpartition(".")[2].lower(), "") if "." in name else ""
    seen = sniff(content)
    if not seen:
        return _without_signature(content, by_name, declared)
    if seen == "application/zip":
        return _zip_type(content, by_name, declared)
    if seen == "application/x-ole-storage":
        return next((each for each in (by_name, declared) if each in _OLE_KINDS), seen)
    if seen == "text/html":
        # Both may begin like a page.
        return declared if declared in ("application/xhtml+xml", "text/x-amp-html") else seen
    if seen == "video/mp4":
        return next((each for each in (declared, by_name) if each.startswith(_VIDEO_OR_AUDIO)), seen)
    if seen == "application/x-executable-script":
        return by_name or (declared if declared not in _VAGUE else "text/plain")
    return seen


def sniff(content: bytes) -> str:
    """Return the type that the first bytes prove, "" if they prove none."""
    head = content[:_HEAD]
    for offset, magic, kind in MAGIC:
        if head.startswith(magic, offset):
            return kind
    if head[:2] == b"MZ" and len(content) > 64 and _is_program(content):
        return "application/x-msdownload"
    if head[:2] == b"BM" and len(head) > 26 and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if head[4:8] == b"ftyp":
        return BRANDS.get(head[8:12], "video/mp4")
    if head[:4] == b"RIFF":
        return RIFF.get(head[8:12], "")
    if _HTML.match(head):
        return "text/html"
    if _SVG.match(head):
        return "image/svg+xml"
    if _CALENDAR.match(head):
        return "text/calendar"
    return "application/x-executable-script" if _SCRIPT.match(head) else ""


def _is_program(content: bytes) -> bool:
    """Return whether content with the signature MZ has a PE header, or is at least not text."""
    offset = int.from_bytes(content[60:64], "little")
    return content[offset : offset + 2] in (b"PE", b"NE", b"LE") or bool(_BINARY.search(content[:256]))


def _zip_type(content: bytes, by_name: str, declared: str) -> str:
    head = content[:_ZIP_HEAD]
    open_document = _ZIP_MIMETYPE.search(head, 0, 200)
    if open_document is not None:
        return open_document[1].decode("ascii")
    entries = [head[entry.end() + 4 : entry.end() + 64] for entry in _ZIP_ENTRY.finditer(head)]
    for folder, kind in ZIP_FOLDERS.items():
        if any(entry.startswith(folder) for entry in entries):
            # With macros it is another type of the same form, which only the name shows.
            return by_name if by_name.endswith(".12") else kind
    # Office files may begin with "[Content_Types].xml", with their folders later.
    for claim in (by_name, declared):
        if claim and claim not in _VAGUE and (claim.endswith("+zip") or "vnd." in claim or "java" in claim):
            return claim
    return "application/zip"


def _without_signature(content: bytes, by_name: str, declared: str) -> str:
    """Return the type of content without a signature: text, or a format that has none."""
    if declared.startswith(("image/", "application/pdf")) and declared != "image/svg+xml" and content:
        # An image or PDF has a signature: this is none, perhaps text.
        return declared if _BINARY.search(content[:_HEAD]) else "text/plain"
    if declared in _VAGUE:
        return by_name or declared or "application/octet-stream"
    return declared


def displayable_path(path: str) -> str:
    """Return a path in an archive without characters that reverse, hide or end text; at most 200 characters."""
    return _HIDDEN.sub("", _BLANKS.sub(" ", path[-200:])).strip()


def safe_name(name: str, content_type: str, number: int) -> str:
    """Return a safe form of `name`, a generated name if nothing of it is left."""
    if not (name.isascii() and name.isprintable()):
        name = _HIDDEN.sub("", _BLANKS.sub(" ", name[:4000]))
    # RFC 2183 §2.3: the sender's directories are dropped; both kinds of separators, on every system.
    name = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = name.strip(" .")  # Windows drops dots and blanks at the end; elsewhere a leading dot hides a file
    if name.partition(".")[0].strip().lower() in DEVICE_NAMES:
        name = "_" + name
    if not name:
        extension = _EXTENSION_OF.get(content_type, "bin")
        return f"{UNNAMED}-{number}.{extension}"
    return name if len(name) <= MAX_BYTES // 4 else _shortened(name)


def _shortened(name: str) -> str:
    """Cut a name to MAX_BYTES in UTF-8, before the extension, never inside a character."""
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > _MAX_EXTENSION:
        stem, dot, extension = name, "", ""
    room = MAX_BYTES - len((dot + extension).encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .") + dot + extension
