"""Lines of plain text under construction: white space, empty lines, quote marks, indents and list markers.

In: the words of an HTML body in reading order, and where its blocks and paragraphs begin and end. Out: lines. A table
cell is built on its own, since only its finished lines tell whether the table holds data or layout.

Standards: CSS Text 3 §4.1 (collapsing of white space).
"""

from __future__ import annotations

import re

SPACE = re.compile(r"[ \t\n\r\f]+")
_MANY_BLANK = re.compile(r"\n{3,}")
# Zero width space, soft hyphen, combining grapheme joiner, word joiner, byte order mark: fillers of preheaders.
_INVISIBLE = str.maketrans(dict.fromkeys((0x200B, 0xAD, 0x34F, 0x2060, 0xFEFF)))

_MAX_PREFIX = 8  # quote marks or indents in front of a line, so that depth times lines stays linear
_MAX_PIECE = 50_000  # characters of running text that are collapsed at once
_MAX_PREFORMATTED = 100_000  # characters of preformatted text that are laid out line by line


class LineBuilder:
    """Lines of a whole text, or of one table cell."""

    __slots__ = ("_gap", "_lines", "_marker", "_parts", "_space", "prefixes")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._parts: list[str] = []
        self._space = False
        self._gap: str | None = None  # the prefix of the empty line that goes before the next words
        self._marker = ""
        #: Quote marks and indents of the open blocks, outermost first.
        self.prefixes: list[str] = []

    def add(self, words: str) -> None:
        """Add inline text, white space collapsed across elements as a browser does."""
        if len(words) > _MAX_PIECE:
            for start in range(0, len(words), _MAX_PIECE):
                self.add(words[start : start + _MAX_PIECE])
            return
        collapsed = SPACE.sub(" ", words)
        if collapsed[:1] == " ":
            self._space = True
            collapsed = collapsed[1:]
        if not collapsed:
            return
        if self._space and self._parts:
            self._parts.append(" ")
        self._space = collapsed[-1] == " "
        self._parts.append(collapsed[:-1] if self._space else collapsed)

    def add_preformatted(self, words: str) -> None:
        """Add text whose spaces and line ends count."""
        words = words.replace("\r\n", "\n").replace("\r", "\n")
        if len(words) > _MAX_PREFORMATTED:
            self._append(words)  # in one piece: a list of its lines would take many times its size
            return
        first, *others = words.split("\n")
        if first:
            self._append(first)
        for line in others:
            self.break_line()
            if line:
                self._append(line)

    def _append(self, words: str) -> None:
        if self._space and self._parts:
            self._parts.append(" ")
        self._space = False
        self._parts.append(words)

    def break_line(self) -> None:
        """End the line, even an empty one (<br>)."""
        if not self._parts and self._marker:
            return
        self._end_line(force=True)

    def end_block(self) -> None:
        """Put what follows on a line of its own, as where a block begins or ends."""
        self._end_line(force=False)

    def end_paragraph(self) -> None:
        """Separate what follows by an empty line, if there are words on both sides."""
        self._end_line(force=False)
        if not self._marker and self._lines:
            prefix = self._prefix().rstrip()
            self._gap = prefix if self._gap is None else min(prefix, self._gap, key=len)

    def set_marker(self, marker: str) -> None:
        """Begin the next line with a bullet or number."""
        self._marker = self._prefix() + marker

    def clear_marker(self) -> None:
        """Drop the marker of an item that had no words."""
        self._marker = ""

    def add_line(self, words: str) -> None:
        """Add a line of its own."""
        self._end_line(force=False)
        self._parts.append(words)
        self._end_line(force=True)

    def _prefix(self) -> str:
        return "".join(self.prefixes[:_MAX_PREFIX])

    def _end_line(self, *, force: bool) -> None:
        self._space = False
        if not self._parts and not force:
            return
        words = self._parts[0] if len(self._parts) == 1 else "".join(self._parts)
        if not words.isascii():
            words = words.replace("\u00a0", " ").translate(_INVISIBLE)
        words = words.rstrip()
        self._parts.clear()
        prefix = self._prefix() if self.prefixes else ""
        if self._gap is not None and words:
            self._lines.append(self._gap)
        self._gap = None
        if words:
            self._lines.append((self._marker or prefix) + words)
            self._marker = ""
        else:
            self._lines.append(prefix.rstrip())

    def lines(self) -> list[str]:
        """Return the finished lines, without empty ones at either end."""
        self._end_line(force=False)
        first, last = 0, len(self._lines)
        while first < last and not self._lines[first].strip(" >"):
            first += 1
        while last > first and not self._lines[last - 1].strip(" >"):
            last -= 1
        return self._lines[first:last]

    def text(self) -> str:
        """Return the finished lines as one text, with at most one empty line in a row."""
        return _MANY_BLANK.sub("\n\n", "\n".join(self.lines()))
