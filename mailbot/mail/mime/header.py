"""The header of a mail or part: fields, encoded words, parameters.

In: the bytes of a header block, any bytes at all. Out: fields in their order, values unfolded, as text; on request
decoded per RFC 2047, or split into a value and its parameters per RFC 2045 and RFC 2231. Never raises; linear time.

Tolerates what real mail has: raw 8-bit text, junk lines between fields, encoded words that touch other text, are
split inside a character, lack padding or are inside quoted strings and parameters.

Standards: RFC 5322 §2.2 and §4.5, RFC 2047, RFC 2231, RFC 6532.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from mailbot.mail.mime.charset import clean, decode, guess_text
from mailbot.vocabulary.mime import KNOWN_FIELDS

# RFC 5322 §2.2: a name is printable ASCII without the colon; continuation lines begin with white space.
_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*+)\n?")
_FOLD = re.compile(rb"\n[ \t]*")
_NAME_AT_LINE_START = re.compile(rb"^([A-Za-z][A-Za-z0-9-]{1,40})[ \t]*:", re.MULTILINE)
# RFC 2047 §2, but more lenient: the text may contain spaces, so only the start is matched.
_WORD = re.compile(r"=\?([^?\s]{1,80})\?([BbQq])\?")
_UNENDED_WORD = re.compile(r"=\?([^?\s]{1,80})\?([BbQq])\?([^?\s]{1,2000})\Z")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_HEX_PAIR = re.compile(r"[0-9A-F]{2}")
_SPACES = re.compile(r"[ \t\n]+")
_BIDI = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/]+")

_PARAMETER = re.compile(r';\s*([^=;\s"]{1,80})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.DOTALL)
_CONTINUED = re.compile(r"([^*]+)\*(?:(\d{1,4})(\*)?)?\Z")
_QUOTED_PAIR = re.compile(r'\\(["\\])')
_MEDIA_TYPE = re.compile(r"\s*([A-Za-z0-9!#$&^_.+-]{1,100})\s*/\s*([A-Za-z0-9!#$&^_.+-]{1,100})")

_NAMES = frozenset(("name", "filename"))  # a boundary may look like an encoded word

MAX_FIELDS = 1000
MAX_HEADER = 512 * 1024
MAX_FIELD = 128 * 1024
_CUT_FIELD = 1000
MAX_WORDS = 5000  # encoded words decoded per field; a long subject has a hundred
MAX_PARAMETERS = 200


@dataclass(frozen=True, slots=True)
class Field:
    """One header field."""

    name: str  #: As written.
    key: str  #: The name in lower case.
    value: str  #: Unfolded, not decoded.

    @property
    def text(self) -> str:
        """The value with its encoded words decoded, on one line."""
        return decode_words(self.value)


@dataclass(slots=True)
class Block:
    """The fields of a header."""

    fields: list[Field] = field(default_factory=list)
    end: int = 0  #: Where in the given bytes the fields end; without an empty line, the body begins there.
    defects: list[str] = field(default_factory=list)

    def first(self, key: str) -> str:
        """Return the undecoded value of the first field of that name (lower case), "" if there is none."""
        return next((each.value for each in self.fields if each.key == key), "")

    def all(self, key: str) -> list[str]:
        """Return the undecoded values of that name, topmost first."""
        return [each.value for each in self.fields if each.key == key]


def read_block(data: bytes, hint: str = "") -> Block:
    """Read a header block (without its closing empty line). `hint` is the charset of raw 8-bit text.

    Beyond MAX_FIELDS only well-known fields are kept, beyond MAX_HEADER only the beginning of each value, so that a
    sender can't displace the Subject with junk.
    """
    block = Block()
    position, size = 0, len(data)
    room = MAX_HEADER
    known_at = -1  # junk before this position is followed by a well-known field
    while position < size:
        found = _FIELD.match(data, position)
        if found is None:
            after = _line_end(data, position)
            if position > known_at:
                known_at = _next_known(data, after)
            if known_at < 0:
                # The empty line of RFC 5322 §2.1 is missing, and the text begins.
                block.defects.append("no-empty-line-after-header")
                break
            block.defects.append("junk-in-header")
            if block.fields and room > 0:  # usually a continuation that lost its white space on the way
                last = block.fields[-1]
                junk = _unfold(data[position : min(after, position + MAX_FIELD)], hint)
                block.fields[-1] = Field(last.name, last.key, f"{last.value} {junk}"[:MAX_FIELD])
            room -= after - position
            position = after
            continue
        position = found.end()
        name = found[1].decode("ascii")
        key = name.lower()
        if len(block.fields) >= MAX_FIELDS and (key not in KNOWN_FIELDS or len(block.fields) >= 2 * MAX_FIELDS):
            block.defects.append("too-many-header-fields")
            continue
        limit = MAX_FIELD if room > 0 else _CUT_FIELD
        start, end = found.span(2)
        if end - start > limit:
            block.defects.append("header-too-large")
            end = start + limit
        room -= end - start
        if key == "from" and _BINARY.search(data, start, end):
            block.defects.append("control-in-from")  # programs drop them, or end the field there
        block.fields.append(Field(name, key, _unfold(data[start:end], hint)))
    block.end = min(position, size)
    block.defects = list(dict.fromkeys(block.defects))
    return block


def _line_end(data: bytes, position: int) -> int:
    """Return where the next line begins."""
    return data.find(b"\n", position) + 1 or len(data)


def _next_known(data: bytes, position: int) -> int:
    """Return where the next well-known field is, if near: then the odd line was junk, not the text; else -1."""
    for found in _NAME_AT_LINE_START.finditer(data, position, position + 16_000):
        if found[1].decode("ascii").lower() in KNOWN_FIELDS:
            return found.start()
    return -1


def _unfold(raw: bytes, hint: str) -> str:
    # RFC 5322 §2.2.3 keeps the white space after the fold; in practice one space is meant.
    if b"\n" in raw:
        raw = raw.replace(b"\r\n", b"\n")
        raw = _FOLD.sub(b" ", raw) if b"\n  " in raw or b"\n\t" in raw else raw.replace(b"\n ", b" ")
    text = raw.decode("ascii") if raw.isascii() else guess_text(raw, hint)
    return clean(text).replace("\n", " ").strip(" \t")


def decode_words(value: str) -> str:
    """Decode the RFC 2047 encoded words of a field; remove controls, line breaks and direction overrides."""
    if "=?" in value:
        value = _SPACES.sub(" ", clean(_decode_words(value)))
    return value if value.isascii() else _BIDI.sub("", value)


def _decode_words(value: str) -> str:
    output: list[str] = []
    run: list[tuple[str, str]] = []  # adjacent words of one charset: a character may be split between them
    charset = ""
    first = last = 0
    for start, end, label, encoding, text in _encoded_words(value):
        between = value[last:start]
        # RFC 2047 §6.2: white space between two encoded words is not part of the text.
        adjacent = last > 0 and not between.strip()
        if run and not (adjacent and label == charset):
            output.append(_run_text(run, charset, value[first:last]))
            run = []
        if not adjacent:
            output.append(between)
        if not run:
            first = start
        charset = label
        run.append((encoding, text))
        last = end
    if run:
        output.append(_run_text(run, charset, value[first:last]))
    output.append(_decode_unended(value[last:]))
    return "".join(output)


def _encoded_words(value: str) -> Iterator[tuple[int, int, str, str, str]]:
    """Yield (start, end, charset, "b" or "q", text) of each encoded word, in one pass."""
    position = 0
    for _ in range(MAX_WORDS):
        start = value.find("=?", position)
        if start < 0:
            return
        word = _WORD.match(value, start)
        if word is None:
            position = start + 2
            continue
        end = value.find("?=", word.end())
        if end < 0:
            return
        encoding = word[2].lower()
        # "?=20" inside Q text is an unencoded question mark, followed by "=20".
        while encoding == "q" and _HEX_PAIR.match(value, end + 2):
            further = value.find("?=", end + 2)
            if further < 0 or "=?" in value[end + 2 : further]:
                break
            end = further
        yield start, end + 2, word[1].lower(), encoding, value[word.end() : end]
        position = end + 2


def _decode_unended(value: str) -> str:
    """Decode an encoded word at the end that was cut off before its "?="."""
    found = _UNENDED_WORD.search(value, max(0, len(value) - 2100)) if "=?" in value else None
    if found is None:
        return value
    return value[: found.start()] + _run_text([(found[2].lower(), found[3])], found[1], found[0])


def _run_text(run: list[tuple[str, str]], charset: str, written: str) -> str:
    """Return the text of adjacent encoded words, as written if their content is binary."""
    data = _run_bytes(run)
    text, defect = decode(data, charset)
    return written if defect.startswith("charset-mismatch") and _BINARY.search(data) else text


def _run_bytes(run: list[tuple[str, str]]) -> bytes:
    """Return the bytes of adjacent encoded words; base64 that is cut inside a group of four is joined."""
    data: list[bytes] = []
    carried = ""
    for encoding, text in run:
        if encoding == "q":
            # RFC 2047 §4.2: "_" is a space. Raw 8-bit text inside is kept.
            data.append(binascii.a2b_qp(text.encode("utf-8", "replace"), header=True))
            continue
        letters = carried + _NO_BASE64.sub("", text)
        whole = len(letters) if "=" in text else len(letters) // 4 * 4
        carried = letters[whole:]
        data.append(_unpadded(letters[:whole]))
    data.append(_unpadded(carried))
    return b"".join(data)


def _unpadded(letters: str) -> bytes:
    if len(letters) % 4 == 1:  # six bits are less than a byte
        letters = letters[:-1]
    return binascii.a2b_base64(letters + "=" * (-len(letters) % 4))


def media_type(value: str) -> str:
    """Return the "type/subtype" of a Content-Type value in lower case, "" if there is none (RFC 2045 §5.1)."""
    found = _MEDIA_TYPE.match(value)
    return f"{found[1]}/{found[2]}".lower() if found else ""


def parameters(value: str) -> dict[str, str]:
    """Return the parameters of a Content-Type or Content-Disposition value: lower-case names, decoded values.

    RFC 2231 continuations and charsets are combined; encoded words in plain values are decoded (RFC 2047 §5 forbids
    them there, but they are common). Of two equal names the first counts.
    """
    if "=" not in value:
        return {}
    plain: dict[str, str] = {}
    extended: dict[str, dict[int, tuple[bool, str]]] = {}
    for count, found in enumerate(_PARAMETER.finditer(value if value.startswith(";") else ";" + value)):
        if count >= MAX_PARAMETERS:
            break
        name = found[1].lower()
        text = _QUOTED_PAIR.sub(r"\1", found[2]) if found[2] is not None else found[3].strip().lstrip('"')
        continued = _CONTINUED.match(name) if "*" in name else None
        if continued is None:
            plain.setdefault(name, text)
        else:
            number = int(continued[2] or 0)
            encoded = continued[2] is None or continued[3] is not None
            extended.setdefault(continued[1], {}).setdefault(number, (encoded, text))
    result = {name: decode_words(text) if name in _NAMES else text for name, text in plain.items()}
    result.update((name, _joined(segments)) for name, segments in extended.items())
    return result


def _joined(segments: dict[int, tuple[bool, str]]) -> str:
    """Join continuations in their order (RFC 2231 §3, §4); the first one, if encoded, names the charset."""
    charset = ""
    data: list[bytes] = []
    for position, (_, (encoded, text)) in enumerate(sorted(segments.items())):
        if encoded and position == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data.append(unquote_to_bytes(text) if encoded else text.encode("utf-8", "replace"))
    return decode_words(clean(decode(b"".join(data), charset or "utf-8")[0]).replace("\n", " "))
