r"""Bytes of a mail as text, whatever their charset label says.

In: bytes and the label that the mail gives them ("" for none). Out: text that is valid Unicode (no lone surrogate, no
NUL, no control but tab and line feed, lines ending with `\n`) and a defect code or "". Never raises.

Labels are wrong in known ways, which are repaired here: Windows-1252 labelled ISO-8859-1 or ASCII, UTF-8 labelled
anything, GB18030 labelled GB2312, ISO-2022-JP with characters beyond JIS X 0208, UTF-16 without a byte order mark,
unknown names. UTF-7 is refused: its ASCII would hide markup from an earlier check (WHATWG Encoding §4.2 dropped it).

Standards: RFC 2045 §5.2 (default US-ASCII), RFC 2781 §4.3 (UTF-16), RFC 1468 (ISO-2022-JP), WHATWG Encoding §4.2.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mailbot.vocabulary.mime import CHARSETS, REFUSED_CHARSETS, SHIFTING_CODECS

_PUNCTUATION = re.compile(r"[^a-z0-9]+")
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_TORN_END = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z")
_C1 = re.compile("[\x80-\x9f]")
_JIS_ESCAPE = re.compile(rb"\x1b(\$[@B]|\([BJI]|\$\([A-D])")
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u2028\u2029]")
_LINE_ENDS = re.compile("[\r\x0b\x0c\x85\u2028\u2029]")
_BROKEN = re.compile("[\ud800-\udfff\ufffe\uffff]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")

# Bytes 0x80–0x9F in Windows-1252, for text labelled Latin-1 that comes from Windows; five are undefined.
_WINDOWS_C1 = {
    code: char for code in range(0x80, 0xA0) if (char := bytes((code,)).decode("cp1252", "replace")) != "\ufffd"
}
# The same for bytes that `surrogateescape` carried through UTF-8: U+DC80 … U+DCFF.
_ESCAPED_BYTES = {0xDC00 + byte: bytes((byte,)).decode("cp1252", "replace") for byte in range(0x80, 0x100)}
_REFUSED = "refused"
# With this many multi-byte characters a text is UTF-8, whatever its label says.
_CERTAINLY_UTF8 = 4


def decode(data: bytes, label: str = "") -> tuple[str, str]:
    """Return (text, defect) of bytes under a charset label; controls are left in it (see `clean`).

    Defects: "utf-7-refused", "unknown-charset:<label>", "charset-mismatch:<label>" (the bytes disagree).
    """
    name, codec = _resolve(label[:60])
    if codec == _REFUSED:
        return _guess(data), "utf-7-refused"
    if codec.startswith(("utf-16", "utf-32")) or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _decode_wide(data, codec, name)
    if data.isascii():
        if codec in SHIFTING_CODECS or (b"\x1b$" in data and codec in ("cp1252", "utf-8", "")):
            return _decode_shifting(data, codec if codec in SHIFTING_CODECS else "iso2022-jp", name)
        return data.decode("ascii"), _unknown(name, codec)
    if not codec:
        return _guess(data), _unknown(name, codec)
    if codec == "cp1252":
        return _guess(data), ""
    if codec == "utf-8":
        unicode = _as_utf8(data)
        return (unicode, "") if unicode is not None else (_repair_utf8(data), "charset-mismatch:utf-8")
    return _decode_other(data, codec, name)


def decode_clean(data: bytes, label: str = "") -> tuple[str, str]:
    """Return (text, defect) as `decode` does, the text cleaned."""
    text, defect = decode(data, label)
    return clean(text), defect


def clean(text: str) -> str:
    """Make text safe for any database, terminal and page: line feeds, no control but tab, no lone surrogate."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if _UNWANTED.search(text):
        text = _LINE_ENDS.sub("\n", text)
        text = _BROKEN.sub("\ufffd", text)
        text = _CONTROLS.sub("", text)
    return text


def guess_text(data: bytes, hint: str = "") -> str:
    """Decode bytes without a label of their own (raw 8-bit fields): UTF-8, else by `hint`, else Windows-1252."""
    unicode = _as_utf8(data)
    if unicode is not None:
        return unicode
    codec = _resolve(hint[:60])[1]
    if codec not in ("", "utf-8", "cp1252", _REFUSED) and not codec.startswith("utf-"):
        return decode(data, hint)[0]
    return _repair_utf8(data) if _MULTIBYTE.search(data) else _from_windows(data)


@lru_cache(maxsize=512)
def _resolve(label: str) -> tuple[str, str]:
    """Return (label in lower case without decoration, Python codec or "" if unknown)."""
    # "utf-8*id" (RFC 2231 §5 language), '"utf-8"', "utf-8; format=flowed", '3D"utf-8"' (a quoted-printable header)
    bare = label.strip().lower().partition("*")[0].partition(";")[0].removeprefix("3d").strip("\\\"' \t")
    key = _PUNCTUATION.sub("", bare)
    if not key:
        return "", "cp1252"
    if key in REFUSED_CHARSETS:
        return bare, _REFUSED
    return bare, CHARSETS.get(key) or CHARSETS.get(key.removeprefix("cs"), "")


def _unknown(name: str, codec: str) -> str:
    return "" if codec else f"unknown-charset:{name}"


def _guess(data: bytes) -> str:
    """Decode as UTF-8 if valid (other text is not valid by chance), else as Windows-1252."""
    unicode = _as_utf8(data)
    if unicode is not None:
        return unicode
    return _repair_utf8(data) if len(_MULTIBYTE.findall(data, 0, 4096)) >= _CERTAINLY_UTF8 else _from_windows(data)


def _from_windows(data: bytes) -> str:
    return data.decode("latin-1").translate(_WINDOWS_C1)


def _repair_utf8(data: bytes) -> str:
    """Decode UTF-8 with invalid bytes: those as Windows-1252; an incomplete character at the end is dropped."""
    torn = _TORN_END.search(data, max(0, len(data) - 4))
    if torn is not None and _MULTIBYTE.search(data, 0, torn.start()):
        data = data[: torn.start()]
    escaped = data.decode("utf-8", "surrogateescape")
    return escaped.translate(_ESCAPED_BYTES)


def _decode_other(data: bytes, codec: str, name: str) -> tuple[str, str]:
    unicode = _as_utf8(data)
    if unicode is not None and len(_MULTIBYTE.findall(data, 0, 65536)) >= _CERTAINLY_UTF8:
        return unicode, f"charset-mismatch:{name}"
    try:
        text = data.decode(codec)
    except (UnicodeDecodeError, ValueError):
        return unicode or data.decode(codec, "replace"), f"charset-mismatch:{name}"
    if codec.startswith("iso8859") and _C1.search(text):
        return text.translate(_WINDOWS_C1), f"charset-mismatch:{name}"
    return text, ""


def _as_utf8(data: bytes) -> str | None:
    try:
        return (data[3:] if data.startswith(b"\xef\xbb\xbf") else data).decode("utf-8")
    except UnicodeDecodeError:
        return None


def _decode_wide(data: bytes, codec: str, name: str) -> tuple[str, str]:
    """Decode UTF-16 and UTF-32: by the byte order mark, else by the zero bytes, else big-endian (RFC 2781 §4.3)."""
    if codec.startswith("utf-32"):
        return data.decode(codec, "replace"), ""
    if data[:2] == b"\xff\xfe":
        return data[2:].decode("utf-16-le", "replace"), ""
    if data[:2] == b"\xfe\xff":
        return data[2:].decode("utf-16-be", "replace"), ""
    head = data[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if not even and not odd and data.isascii():
        return data.decode("ascii"), f"charset-mismatch:{name}"
    if even != odd:
        codec = "utf-16-le" if odd > even else "utf-16-be"
    return data.decode("utf-16-be" if codec == "utf-16" else codec, "replace"), ""


def _decode_shifting(data: bytes, codec: str, name: str) -> tuple[str, str]:
    try:
        return data.decode(codec), ""
    except (UnicodeDecodeError, ValueError):
        if codec.startswith("iso2022-jp"):
            return _decode_jis(data), ""
        return data.decode(codec, "replace"), f"charset-mismatch:{name}"


def _decode_jis(data: bytes) -> str:
    """Decode ISO-2022-JP with the vendors' characters (①, №, ㈱) that the standard codec refuses.

    The two-byte sets are read as EUC with JIS X 0213, whose row 13 has them; the rest is read as ASCII.
    """
    pieces = _JIS_ESCAPE.split(data)
    text = [pieces[0].decode("ascii", "replace")]
    for escape, run in zip(pieces[1::2], pieces[2::2], strict=True):
        if escape.startswith(b"$") and not escape.startswith(b"$("):
            text.append(bytes(byte | 0x80 if byte > 0x20 else byte for byte in run).decode("euc_jis_2004", "replace"))
        elif escape == b"(I":
            text.append(bytes(byte | 0x80 if byte > 0x20 else byte for byte in run).decode("cp932", "replace"))
        else:
            text.append(run.decode("ascii", "replace"))
    return "".join(text)
