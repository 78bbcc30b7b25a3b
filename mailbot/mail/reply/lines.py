"""The lines of a body, as the cutter sees them: what each says, how deep it is quoted, in which region of the HTML.

In: plain text (lines end with `\n`), or the text of an HTML body with the region marks that `core.quoting_html` set.
Out: `Page`, whose lists run parallel, one entry a line.

Quote marks: RFC 3676 §4.5 (`>`), and what programs and people use beside it: `»`, `＞`, a mark with a name in front
("Sally> ", known as Supercite), and `|` where it can't be the border of a table.
Never: decides what is a quotation; `core.body` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum


class Region(IntEnum):
    """Where in the HTML a line stands. BODY is all of a plain text."""

    BODY = 0
    QUOTE = 1  # inside an element that holds a quotation and nothing else
    FRAME = 2  # inside one that holds a quotation and, if its author answered inline, new words
    LEAD = 3  # the line above a quotation ("… wrote:"), as the HTML says
    SIGNATURE = 4


# Zero width space, word joiner, byte order mark, soft hyphen, grapheme joiner: seen by nobody, dropped from the text.
_DROPPED = dict.fromkeys((0x200B, 0x2060, 0xFEFF, 0xAD, 0x34F))
_SHOWN = str.maketrans({**_DROPPED, 0xA0: " ", 0x202F: " ", 0x2007: " ", 0x3000: " ", 0x2028: "\n", 0x85: "\n"})
_UNSHOWN = re.compile("[\u200b\u2060\ufeff\xad\u034f\xa0\u202f\u2007\u3000\u2028\x85]")
# For comparing only: direction marks, joiners and the letter that a mail tracker puts at the end.
_ODD = re.compile("[\u200c-\u200f\u1427\u202a-\u202e\u2066-\u2069]")

_LOOKED_AT = 4000  # characters of a line

_MARKS = re.compile(r"[ \t]{0,4}(?:(?:>|»|＞|&gt;)[ \t]?){1,60}")
_MARK_STARTS = frozenset(" \t>»＞&")
_MARK = re.compile(r">|»|＞|&gt;")
_NAMED_MARK = re.compile(r"[ \t]{0,4}[^\W\d_]{1,12}(?:>|»)(?= |$)")
_BAR = re.compile(r"[ \t]{0,4}(?:\|[ \t]?)+")


@dataclass(slots=True)
class Page:
    """A body in lines. `shown`: as people see it; `bare`: its beginning, without quote marks and marks of direction."""

    shown: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    region: list[Region] = field(default_factory=list)
    cuts: set[int] = field(default_factory=set)  # lines from which on the HTML says that all is quoted

    def add(self, line: str, region: Region = Region.BODY) -> None:
        """One more line."""
        content = shown = line.rstrip()
        depth = 0
        if len(content) > _LOOKED_AT:
            content = content[:_LOOKED_AT]
        if not content.isascii() and _ODD.search(content):
            content = _ODD.sub("", content)
        if content and content[0] in _MARK_STARTS and (marks := _MARKS.match(content)):
            depth, content = len(_MARK.findall(marks[0])), content[marks.end() :]
        self.shown.append(shown)
        self.bare.append(content.strip())
        self.depth.append(depth)
        self.region.append(region)

    def __len__(self) -> int:
        return len(self.shown)


def visible(text: str) -> str:
    """The text with one kind of line end and of space, without characters that nobody sees."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() or not _UNSHOWN.search(text):
        return text
    return text.translate(_SHOWN)


_MOST_LINES = 20_000
_NO_WORDS = frozenset(" \t-–—_=*~#+.,:;|>·•/\\")


def has_words(line: str) -> bool:
    """Does the line say anything? A letter, a digit, a "?" or an emoji does, a drawn line doesn't."""
    return not _NO_WORDS.issuperset(line)


def page_of_text(text: str) -> Page:
    """The lines of a plain text body."""
    page = Page()
    for line in split_lines(visible(text)):
        page.add(line)
    mark_odd_quotes(page)
    return page


def split_lines(text: str) -> list[str]:
    """The lines of a text; past `_MOST_LINES` the rest counts as one line, so that the work is bounded."""
    return text.split("\n", _MOST_LINES)


def mark_odd_quotes(page: Page) -> None:
    """Takes lines that quote with a name ("S> ") or a bar for quoted, where several in a row do so."""
    odd = [i for i, line in enumerate(page.shown) if page.depth[i] == 0 and _is_odd(line)]
    for first, last in _runs(odd):
        lines = page.shown[first : last + 1]
        if last == first or len({_odd_mark(line) for line in lines}) > 1:
            continue
        # The border of a table: bars inside the lines too. Schools paste tables.
        if lines[0].lstrip().startswith("|") and any("|" in line.lstrip(" |").rstrip(" |") for line in lines):
            continue
        for i in range(first, last + 1):
            found = _NAMED_MARK.match(page.shown[i]) or _BAR.match(page.shown[i])
            page.depth[i] = 1
            page.bare[i] = page.shown[i][found.end() :].strip() if found else page.bare[i]


def _is_odd(line: str) -> bool:
    start = line[:18]
    if "|" in start[:5] and _BAR.match(line):
        return True
    return (">" in start or "»" in start) and _NAMED_MARK.match(line) is not None


def _odd_mark(line: str) -> str:
    found = _NAMED_MARK.match(line)
    return found[0] if found else "|"


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
