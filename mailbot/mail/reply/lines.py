r"""The lines of a body: the text of each, its quote depth, and its region in the HTML.

In: plain text (lines end with `\n`), or the text of an HTML body by `html_quotes`. Out: a `Page`, whose lists run in
parallel, one entry per line.

Quote marks: RFC 3676 §4.5 (`>`), and others in use: `»`, `＞`, a mark after a name ("Sally> ", known as Supercite), and
`|` where it can't be the border of a table.
Never: decides what is a quotation; `parts` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum


class Region(IntEnum):
    """Where in the HTML a line is. All lines of a plain text are BODY."""

    BODY = 0
    QUOTE = 1  # inside an element that contains a quotation and nothing else
    FRAME = 2  # inside one that contains a quotation and, with inline answers, new words
    LEAD = 3  # the line above a quotation ("… wrote:"), according to the HTML
    SIGNATURE = 4


# Zero width space, word joiner, byte order mark, soft hyphen, grapheme joiner: invisible, dropped from the text.
_DROPPED = dict.fromkeys((0x200B, 0x2060, 0xFEFF, 0xAD, 0x34F))
_SHOWN = str.maketrans({**_DROPPED, 0xA0: " ", 0x202F: " ", 0x2007: " ", 0x3000: " ", 0x2028: "\n", 0x85: "\n"})
_UNSHOWN = re.compile("[\u200b\u2060\ufeff\xad\u034f\xa0\u202f\u2007\u3000\u2028\x85]")
# Dropped for comparison only: direction marks, joiners, and the letter that a mail tracker appends.
_ODD = re.compile("[\u200c-\u200f\u1427\u202a-\u202e\u2066-\u2069]")

_EXAMINED = 4000  # characters of a line

_MARKS = re.compile(r"[ \t]{0,4}(?:(?:>|»|＞|&gt;)[ \t]?){1,60}")
_MARK_STARTS = frozenset(" \t>»＞&")
_MARK = re.compile(r">|»|＞|&gt;")
_NAMED_MARK = re.compile(r"[ \t]{0,4}[^\W\d_]{1,12}(?:>|»)(?= |$)")
_BAR = re.compile(r"[ \t]{0,4}(?:\|[ \t]?)+")


@dataclass(slots=True)
class Page:
    """A body in lines."""

    #: Each line as people see it.
    shown: list[str] = field(default_factory=list)
    #: The beginning of each line, without quote marks and direction marks.
    bare: list[str] = field(default_factory=list)
    #: The number of quote marks.
    depth: list[int] = field(default_factory=list)
    region: list[Region] = field(default_factory=list)
    #: Lines from which on everything is quoted, according to the HTML.
    cuts: set[int] = field(default_factory=set)

    def add(self, line: str, region: Region = Region.BODY) -> None:
        """Append a line."""
        content = shown = line.rstrip()
        depth = 0
        if len(content) > _EXAMINED:
            content = content[:_EXAMINED]
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
    """Return the text with one kind of line end and of space, without invisible characters."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() or not _UNSHOWN.search(text):
        return text
    return text.translate(_SHOWN)


_MAX_LINES = 20_000
_NO_WORDS = frozenset(" \t-–—_=*~#+.,:;|>·•/\\")


def has_words(line: str) -> bool:
    """Return whether the line says anything: a letter, a digit, a "?" or an emoji does, a drawn line doesn't."""
    return not _NO_WORDS.issuperset(line)


def page_of_text(text: str) -> Page:
    """Return the lines of a plain text body."""
    page = Page()
    for line in split_lines(visible(text)):
        page.add(line)
    mark_other_quotes(page)
    return page


def split_lines(text: str) -> list[str]:
    """Split a text into lines; after `_MAX_LINES` the rest is one line, so that the work is bounded."""
    return text.split("\n", _MAX_LINES)


def mark_other_quotes(page: Page) -> None:
    """Mark lines that quote with a name ("S> ") or a bar as quoted, where several in a row do."""
    odd = [i for i, line in enumerate(page.shown) if page.depth[i] == 0 and _is_odd(line)]
    for first, last in _runs(odd):
        lines = page.shown[first : last + 1]
        if last == first or len({_odd_mark(line) for line in lines}) > 1:
            continue
        # Bars inside the lines too: a pasted table.
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
