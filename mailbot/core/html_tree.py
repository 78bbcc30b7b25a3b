"""HTML → tree, with bounds: the only place where mailbot's core calls the HTML parser (selectolax, Lexbor).

In: the HTML of a mail, any text at all. Out: a tree as browsers build it (WHATWG HTML §13.2), never an exception.

Browsers' algorithm is quadratic or worse in four places, which a hostile mail of 100 KB can use for a minute of
processor time or gigabytes: deep nesting, unclosed formatting elements (cloned into every paragraph that follows),
elements with tens of thousands of attributes, and repeated <body>/<html>. `bounded` counts tags first and rewrites
only what passes the limits below; no mail of a real client comes near them. The words stay reachable in any case.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

# Below both, no input can cost much, and the scan is saved (nearly every mail).
_FEW_TAGS = 400
_SMALL = 20_000

# Long threads nest some five elements a reply: 400 are 80 replies, and what is deeper loses its tags, not its words.
_MAX_DEPTH = 400
_MAX_FORMATTING = 40
_MAX_ROOTS = 8
_MAX_ATTRIBUTES = 200
# A node costs about 150 bytes, its smallest tag 3: past this many nodes the rest of the mail is kept as mere text.
_MAX_NODES = 60_000

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]*)[^>]*(?:>|\Z)")
_ANY_MARKUP = re.compile(r"<!--.*?(?:-->|\Z)|<[/!?a-zA-Z][^>]*(?:>|\Z)", re.DOTALL)
_LINE_TAG = re.compile(r"(?i)<(?:/?(?:p|div|tr|li|table|blockquote|h[1-6])|br)\b")
_ATTRIBUTE = re.compile(r"[\s/]+[^\s=/>]+")

# Closed by the next one of their kind, so that a missing end tag says nothing about depth (WHATWG HTML §13.1.2.4).
_SELF_CLOSING = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "p", "li", "td", "th", "tr", "dt", "dd", "option", "tbody", "thead", "tfoot", "a",
))  # fmt: skip
_FORMATTING = frozenset((
    "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
))  # fmt: skip  # WHATWG HTML §13.2.4.3
_ROOTS = frozenset(("html", "body"))


def parse_html(html: str) -> LexborHTMLParser:
    """The tree of a mail's HTML. Total: any str will do, in linear time and bounded memory."""
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(bounded(html))


def bounded(html: str) -> str:
    """The same HTML if it's within the limits, else a tamed one with the same words; in any case one that can be
    encoded as UTF-8 and holds no NUL."""
    if not html.isascii():
        html = html.encode("utf-8", "replace").decode("utf-8")
    html = html.replace("\0", "")
    if len(html) < _SMALL and html.count("<") < _FEW_TAGS:
        return html
    tamer = _Tamer()
    tame = _TAG.sub(tamer, html)
    if tamer.end is not None:
        # Too many nodes: the rest becomes preformatted text, where lines stay lines. What follows the point is as in
        # the original, so the positions are found from the end.
        rest = html[tamer.end :]
        head = html[: tamer.end]
        tame = _TAG.sub(_Tamer(), head) if tamer.changed else head
        return tame + "<pre>" + _text_only(rest) + "</pre>"
    return tame if tamer.changed else html


class _Tamer:
    """Replacement for each tag, in order; counts what is open and drops what passes a limit."""

    def __init__(self) -> None:
        self.depth = 0
        self.formatting = 0
        self.roots = 0
        self.nodes = 0
        self.changed = False
        self.end: int | None = None

    def __call__(self, found: re.Match[str]) -> str:
        if self.end is not None:
            return ""
        closing, name = found[1], found[2].lower()
        whole: str = found[0]
        if closing:
            if name in _FORMATTING:
                self.formatting = max(0, self.formatting - 1)
            elif name not in _SELF_CLOSING:
                self.depth = max(0, self.depth - 1)
            return whole
        # Every element may get a copy of each open formatting element (WHATWG HTML §13.2.4.3, "reconstruct").
        self.nodes += 1 + self.formatting
        if self.nodes > _MAX_NODES:
            self.end = found.start()
            return ""
        if not self._allowed(name):
            self.changed = True
            return ""
        if len(whole) > 4 * _MAX_ATTRIBUTES and len(_ATTRIBUTE.findall(whole)) > _MAX_ATTRIBUTES:
            self.changed = True
            return f"<{name}>"
        return whole

    def _allowed(self, name: str) -> bool:
        if name in _FORMATTING:
            if self.formatting >= _MAX_FORMATTING:
                return False
            self.formatting += 1
        elif name in _ROOTS:
            self.roots += 1
            return self.roots <= _MAX_ROOTS
        elif name not in _SELF_CLOSING:
            if self.depth >= _MAX_DEPTH:
                return False
            self.depth += 1
        return True


def _text_only(html: str) -> str:
    newline: Callable[[re.Match[str]], str] = lambda found: "\n" if _LINE_TAG.match(found[0]) else ""  # noqa: E731
    return _ANY_MARKUP.sub(newline, html).replace("<", "&lt;")
