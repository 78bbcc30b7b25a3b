"""The RTF body of a winmail.dat: decompressed, and converted to HTML or text.

In: the compressed RTF property. Out: the HTML that Outlook wrapped in it, or else its plain text; "" for both if it
is no RTF. Linear; the decompressed size is bounded, so a small input can't become a large one.

Standards: MS-OXRTFCP (compression), MS-OXRTFEX (HTML in RTF), RTF 1.9.1.
"""

from __future__ import annotations

import re

from mailbot.mail.mime.charset import clean

# Real bodies decompress to about three times their size.
_MAX_RTF = 100_000
_MAX_GROWTH = 4

# MS-OXRTFCP §2.1.3.1.1: initial content of the dictionary
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier"
    b"{\\colortbl\\red0\\green0\\blue0\r\n"
    b"\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_COMPRESSED, _PLAIN = b"LZFu", b"MELA"
_WINDOW = 4096

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})? ?"  # control word
    rb"|\\'([0-9a-fA-F]{2})"  # a byte
    rb"|\\([^a-zA-Z\r\n])"  # control symbol
    rb"|([{}])"
    rb"|([^\\{}\r\n]+)"
    rb"|[\r\n]+|\\"
)
# Groups that contain no text of the document (RTF 1.9.1 "Destination")
_SILENT = frozenset((
    b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"header", b"footer", b"headerl", b"headerr",
    b"footerl", b"footerr", b"listtable", b"listoverridetable", b"generator", b"xmlnstbl", b"themedata",
    b"colorschememapping", b"datastore", b"latentstyles", b"fldinst", b"pntext", b"rsidtbl",
))  # fmt: skip
_WORDS = {
    b"par": "\n", b"line": "\n", b"sect": "\n", b"page": "\n", b"row": "\n", b"cell": " | ", b"tab": "\t",
    b"emdash": "\u2014", b"endash": "\u2013", b"lquote": "\u2018", b"rquote": "\u2019", b"ldblquote": "\u201c",
    b"rdblquote": "\u201d", b"bullet": "\u2022", b"emspace": " ", b"enspace": " ",
}  # fmt: skip
_SYMBOLS = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}"}


def decompress_rtf(data: bytes) -> bytes:
    """Decompress a PidTagRtfCompressed value as far as it is intact, to at most 4 times its size + 100 KB."""
    kind = data[8:12]
    if kind == _PLAIN:
        return data[16:]
    if kind != _COMPRESSED:
        return b""
    limit = len(_DICTIONARY) + min(int.from_bytes(data[4:8], "little"), _MAX_RTF + _MAX_GROWTH * len(data))
    out = bytearray(_DICTIONARY)  # the output is the dictionary: references point at most 4096 bytes back
    position = 16
    size = len(data)
    while position < size and len(out) < limit:
        flags = data[position]
        position += 1
        for bit in range(8):
            if position >= size:
                break
            if not flags >> bit & 1:
                out.append(data[position])
                position += 1
                continue
            reference = int.from_bytes(data[position : position + 2], "big")
            position += 2
            distance = (len(out) - (reference >> 4)) % _WINDOW
            if not distance or distance > len(out):
                return bytes(out[len(_DICTIONARY) : limit])  # MS-OXRTFCP §2.2.3: a reference to itself ends the stream
            length = (reference & 15) + 2
            piece = out[len(out) - distance : len(out) - distance + length]
            out += (piece * length)[:length]  # it may overlap its own output
    return bytes(out[len(_DICTIONARY) : limit])


def rtf_to_html_or_text(rtf: bytes) -> tuple[str, str]:
    """Return (HTML, "") if the RTF wraps HTML, else ("", text); ("", "") if it is no RTF."""
    if not rtf.lstrip().startswith(b"{\\rtf"):
        return "", ""
    carried = b"\\fromhtml1" in rtf[:1000]
    words = _Reader(carried).read(rtf)
    return (words, "") if carried else ("", clean(words).strip())


class _Reader:
    r"""One pass over the tokens; a group on the stack is (silent, in an htmltag, characters to skip after \u)."""

    def __init__(self, carried_html: bool) -> None:
        self._html = carried_html
        self._codec = "cp1252"
        self._bytes = bytearray()
        self._output: list[str] = []
        self._stack: list[tuple[bool, bool, int]] = []
        self._silent = False
        self._tag = False
        self._skip_after_unicode = 1
        self._skip = 0
        self._hidden = False  # \htmlrtf: RTF that repeats what the HTML says
        self._star = False
        self._halves = False

    def read(self, rtf: bytes) -> str:
        """Return the text or HTML."""
        for token in _TOKEN.finditer(rtf):
            word, number, byte, symbol, brace, text = token.groups()
            if byte is not None:
                self._add_bytes(bytes((int(byte, 16),)))
            elif text is not None:
                self._add_bytes(text)
            elif brace is not None:
                self._group(brace == b"{")
            elif word is not None:
                self._word(word, number)
            elif symbol is not None:
                self._symbol(symbol)
        self._flush()
        text = "".join(self._output)
        # A character outside the BMP, as an emoji, is two \u: a UTF-16 surrogate pair.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if self._halves else text

    def _group(self, opened: bool) -> None:
        self._star = False
        if opened:
            self._stack.append((self._silent, self._tag, self._skip_after_unicode))
        elif self._stack:
            self._silent, self._tag, self._skip_after_unicode = self._stack.pop()

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._star = True
        elif symbol in _SYMBOLS:
            self._add(_SYMBOLS[symbol])

    def _word(self, word: bytes, number: bytes | None) -> None:
        star, self._star = self._star, False
        if word == b"ansicpg" and number:
            self._codec = f"cp{int(number)}" if int(number) in _CODEPAGES else "cp1252"
        elif word == b"htmltag":
            self._tag = True
            self._silent = False
        elif word == b"htmlrtf":
            self._hidden = number != b"0"
        elif word in _SILENT or (star and word != b"htmltag"):
            self._silent = True
        elif word == b"uc":
            self._skip_after_unicode = min(int(number or 1), 10)
        elif word == b"u" and number:
            self._unicode(int(number))
        elif word in _WORDS:
            self._add("\n" if self._html and word in (b"par", b"line") else _WORDS[word])

    def _unicode(self, number: int) -> None:
        code = number + 0x10000 if number < 0 else number
        if 0 < code < 0x10000:
            self._halves = self._halves or 0xD800 <= code < 0xE000
            self._add(chr(code))
        self._skip = self._skip_after_unicode

    def _is_shown(self) -> bool:
        return not self._silent and not (self._hidden and not self._tag)

    def _add_bytes(self, data: bytes) -> None:
        if self._skip:  # the substitute for programs that know no \u
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        if data and self._is_shown():
            self._bytes += data

    def _add(self, text: str) -> None:
        if self._is_shown():
            self._flush()
            self._output.append(text)

    def _flush(self) -> None:
        if self._bytes:
            self._output.append(self._bytes.decode(self._codec, "replace"))
            self._bytes.clear()


_CODEPAGES = frozenset((437, 850, 852, 866, 874, 932, 936, 949, 950, *range(1250, 1259)))
