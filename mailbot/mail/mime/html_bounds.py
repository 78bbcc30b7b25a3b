"""HTML as a bounded tree: the only module of `mail` that calls the HTML parser (selectolax, Lexbor).

In: the HTML of a mail, any text at all. Out: a tree as browsers build it (WHATWG HTML §13.2), never an exception.

The browsers' algorithm is quadratic or worse in four places, by which a hostile mail of 100 KB can cost a minute of
processor time or gigabytes: deep nesting, unclosed formatting elements (cloned into every paragraph that follows),
elements with tens of thousands of attributes, and repeated <body>/<html>. `bounded` counts tags first and rewrites
only what exceeds the limits below; no mail of a real client comes near them. The words stay readable in any case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

# Below both, no input can cost much, and the scan is skipped (most mails).
_FEW_TAGS = 150
_SMALL = 20_000

# Long threads nest about five elements per reply: 400 are 80 replies. Deeper elements lose their tags, not their words.
_MAX_DEPTH = 400
_MAX_FORMATTING = 40
_MAX_ROOTS = 8
_MAX_ATTRIBUTES = 200
# A node takes about 150 bytes, its shortest tag 3: past this many nodes the rest of the mail is kept as plain text.
_FEW_NODES = 3_000
_MAX_NODES = 60_000

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]*)[^>]*(?:>|\Z)")
_ANY_MARKUP = re.compile(r"<!--.*?(?:-->|\Z)|<[/!?a-zA-Z][^>]*(?:>|\Z)", re.DOTALL)
_LINE_TAG = re.compile(r"(?i)<(?:/?(?:p|div|tr|li|table|blockquote|h[1-6])|br)\b")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PIECE = 200_000
_ATTRIBUTE = re.compile(r"[\s/]+[^\s=/>]+")

# Closed by the next one of their kind, so a missing end tag says nothing about depth (WHATWG HTML §13.1.2.4).
_SELF_CLOSING = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "p", "li", "td", "th", "tr", "dt", "dd", "option", "tbody", "thead", "tfoot", "a",
))  # fmt: skip
_FORMATTING = frozenset((
    "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
))  # fmt: skip  # WHATWG HTML §13.2.4.3
_ROOTS = frozenset(("html", "body"))


def parse_html(html: str) -> LexborHTMLParser:
    """Return the tree of a mail's HTML. Total: accepts any str, in linear time and bounded memory."""
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(bounded(html))


def bounded(html: str) -> str:
    """Return the HTML as it is if it is within the limits, else with the same words and fewer tags.

    The result can be encoded as UTF-8 and holds no NUL.
    """
    if not html.isascii() and _SURROGATE.search(html):
        html = _SURROGATE.sub("?", html)
    html = html.replace("\0", "")
    if len(html) < _SMALL and html.count("<") < _FEW_TAGS:
        return html
    limiter = _TagLimiter(min(_MAX_NODES, _FEW_NODES + len(html) // 2))
    kept: list[str] = []
    position = 0
    for found in _TAG.finditer(html):
        replacement = limiter.replacement(found)
        if limiter.is_full:
            # Too many nodes: the rest becomes preformatted text, where lines stay lines.
            kept += [html[position : found.start()], "<pre>", *_text_only(html, found.start()), "</pre>"]
            return "".join(kept)
        if replacement is not None:
            kept += [html[position : found.start()], replacement]
            position = found.end()
    return "".join((*kept, html[position:])) if kept else html


class _TagLimiter:
    """Counts the open elements, tag by tag, and drops what exceeds a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._depth = 0
        self._formatting = 0
        self._roots = 0
        self._nodes = 0

    @property
    def is_full(self) -> bool:
        """Whether the tree would have too many nodes."""
        return self._nodes > self._limit

    def replacement(self, found: re.Match[str]) -> str | None:
        """Return what to put in place of a tag, None to leave it."""
        closing, name = found[1], found[2].lower()
        if closing:
            if name in _FORMATTING:
                self._formatting = max(0, self._formatting - 1)
            elif name not in _SELF_CLOSING:
                self._depth = max(0, self._depth - 1)
            return None
        # Every element may get a copy of each open formatting element (WHATWG HTML §13.2.4.3, "reconstruct").
        self._nodes += 1 + self._formatting
        if not self._allowed(name):
            return ""
        start, end = found.span()
        if end - start > 4 * _MAX_ATTRIBUTES and len(_ATTRIBUTE.findall(found[0])) > _MAX_ATTRIBUTES:
            return f"<{name}>"
        return None

    def _allowed(self, name: str) -> bool:
        if name in _FORMATTING:
            if self._formatting >= _MAX_FORMATTING:
                return False
            self._formatting += 1
        elif name in _ROOTS:
            self._roots += 1
            return self._roots <= _MAX_ROOTS
        elif name not in _SELF_CLOSING:
            if self._depth >= _MAX_DEPTH:
                return False
            self._depth += 1
        return True


def _text_only(html: str, start: int) -> Iterator[str]:
    """Yield the words of html[start:] in pieces: one substitution over all would hold a string for each tag."""
    while start < len(html):
        end = html.find("<", start + _PIECE)
        end = len(html) if end < 0 else end
        yield _ANY_MARKUP.sub(_line_or_nothing, html[start:end]).replace("<", "&lt;")
        start = end


def _line_or_nothing(found: re.Match[str]) -> str:
    return "\n" if _LINE_TAG.match(found[0]) else ""
