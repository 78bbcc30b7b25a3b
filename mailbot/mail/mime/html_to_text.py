"""HTML of a mail → plain text that a person can read, and → clean HTML that can be shown again.

In: HTML as it came (any str), or a node of the tree that `parse_html` gives (core.body cuts that tree, then asks for
the text of what is left). Out: text with `\n` line ends; paragraphs, lists, tables (a line per row, cells between
" | "), links ("words (address)" where the two differ), headings, preformatted text; no script, style, hidden
preheader or tracking pixel. Never raises, never recurses: depth and size are bounded by `html_tree`.

Standards: WHATWG HTML §13.2 (parsing), §15.3 (which elements are blocks, in the rendering section).
Never: loads anything, follows a link, or decides what is quoted (core.body does).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from mailbot.mail.mime.html_bounds import parse_html

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode


# Elements whose words nobody sees.
_UNSEEN = frozenset((
    "head", "style", "script", "title", "meta", "link", "template", "iframe", "object", "embed", "applet", "svg",
    "math", "canvas", "audio", "video", "map", "select", "datalist", "noscript", "noframes", "noembed",
))  # fmt: skip
# A new line before and after; those of _SPACED an empty one.
_BLOCK = frozenset((
    "address", "article", "aside", "center", "dd", "details", "dialog", "dir", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "header", "hgroup", "legend", "li", "main", "nav", "optgroup",
    "option", "search", "section", "summary", "tbody", "td", "tfoot", "th", "thead", "tr", "caption",
))  # fmt: skip
_SPACED = frozenset((
    "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "table", "ul", "menu", "listing",
    "xmp",
))  # fmt: skip
_PREFORMATTED = frozenset(("pre", "textarea", "listing", "xmp", "plaintext"))
_LISTS = frozenset(("ul", "ol", "menu", "dir"))
_CELLS = frozenset(("td", "th"))

_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|max-height\s*:\s*0(?:px)?\s*(?:;|$)", re.I
)
_KEEPS_SPACE = re.compile(r"white-space(?:-collapse)?\s*:\s*(?:pre|break-spaces)", re.I)
_NO_MARGIN = re.compile(r"margin(?:-bottom)?\s*:\s*0", re.I)
_NO_BORDER = re.compile(r"border(?:-left)?\s*:\s*(?:none|0|medium none)", re.I)
_NUMBER = re.compile(r"[0-9]{1,5}")
_SPACE = re.compile(r"[ \t\n\r\f]+")
_MANY_BLANK = re.compile(r"\n{3,}")
# Zero width space, soft hyphen, combining grapheme joiner, word joiner, byte order mark: fillers of preheaders.
_INVISIBLE = str.maketrans(dict.fromkeys((0x200B, 0xAD, 0x34F, 0x2060, 0xFEFF)))
_WEB = re.compile(r"(?:https?://)?(?:www\.)?", re.I)

_MAX_PREFIX = 8  # quote marks or indents in front of a line, so that depth times lines stays linear
_MAX_PIECE = 50_000  # of running text that is worked on at once
_MAX_KEPT = 100_000  # of preformatted text that is laid out line by line
_MAX_TABLES = 10  # tables in tables; deeper ones are read as mere blocks
_MAX_LINK = 2000
_MAX_STYLE = 2000  # of an attribute, for the patterns above
_CELL_LINES, _CELL_WIDTH = 3, 200  # a cell that is larger holds layout, not data


def html_to_text(html: str) -> str:
    """The words of a mail's HTML, laid out in lines. "" only if there is no word in it."""
    if not html:
        return ""
    tree = parse_html(html)
    root = tree.body or tree.root
    if root is None:
        return ""
    # A mail that hides all its words (a sender's broken style) is shown whole rather than empty.
    return node_to_text(root) or node_to_text(root, hidden=True)


def node_to_text(node: LexborNode, *, hidden: bool = False) -> str:
    """The words of one element and all below it, laid out as in `html_to_text`; with `hidden`, also what is hidden."""
    walker = _Walker(hidden)
    walker.walk(node)
    return walker.flow.result()


class _Flow:
    """Lines under construction: of the whole text, or of one table cell."""

    __slots__ = ("_gap", "_lines", "_marker", "_parts", "_space", "prefixes")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._parts: list[str] = []
        self._space = False
        self._gap: str | None = None  # the prefix of an empty line that is wanted before the next words
        self._marker = ""
        self.prefixes: list[str] = []

    def add(self, words: str) -> None:
        """Inline text, white space collapsed across elements as a browser does (CSS Text §4.1)."""
        if len(words) > _MAX_PIECE:
            for start in range(0, len(words), _MAX_PIECE):
                self.add(words[start : start + _MAX_PIECE])
            return
        collapsed = _SPACE.sub(" ", words)
        if collapsed[:1] == " ":
            self._space = True
            collapsed = collapsed[1:]
        if not collapsed:
            return
        if self._space and self._parts:
            self._parts.append(" ")
        self._space = collapsed[-1] == " "
        self._parts.append(collapsed[:-1] if self._space else collapsed)

    def add_kept(self, words: str) -> None:
        """Preformatted text: its spaces and line ends count."""
        words = words.replace("\r\n", "\n").replace("\r", "\n")
        if len(words) > _MAX_KEPT:
            self._keep(words)  # as it is: a list of its lines would take many times its size
            return
        first, *others = words.split("\n")
        if first:
            self._keep(first)
        for line in others:
            self.new_line()
            if line:
                self._keep(line)

    def _keep(self, words: str) -> None:
        if self._space and self._parts:
            self._parts.append(" ")
        self._space = False
        self._parts.append(words)

    def new_line(self) -> None:
        """<br>: ends the line, also an empty one."""
        if not self._parts and self._marker:
            return
        self._end(force=True)

    def block(self) -> None:
        """A block begins or ends: what follows stands on a line of its own."""
        self._end(force=False)

    def gap(self) -> None:
        """A paragraph begins or ends: an empty line, if words stand on both sides."""
        self._end(force=False)
        if not self._marker and self._lines:
            prefix = self._prefix(self.prefixes).rstrip()
            self._gap = prefix if self._gap is None else min(prefix, self._gap, key=len)

    def mark(self, marker: str) -> None:
        """The bullet or number that the next line begins with."""
        self._marker = self._prefix(self.prefixes) + marker

    def unmark(self) -> None:
        self._marker = ""

    def line(self, words: str) -> None:
        self._end(force=False)
        self._parts.append(words)
        self._end(force=True)

    def _prefix(self, prefixes: list[str]) -> str:
        return "".join(prefixes[:_MAX_PREFIX])

    def _end(self, *, force: bool) -> None:
        self._space = False
        if not self._parts and not force:
            return
        words = self._parts[0] if len(self._parts) == 1 else "".join(self._parts)
        if not words.isascii():
            words = words.replace("\u00a0", " ").translate(_INVISIBLE)
        words = words.rstrip()
        self._parts.clear()
        prefix = self._prefix(self.prefixes) if self.prefixes else ""
        if self._gap is not None and words:
            self._lines.append(self._gap)
        self._gap = None
        if words:
            self._lines.append((self._marker or prefix) + words)
            self._marker = ""
        else:
            self._lines.append(prefix.rstrip())

    def lines(self) -> list[str]:
        """The finished lines, without empty ones at either end."""
        self._end(force=False)
        first, last = 0, len(self._lines)
        while first < last and not self._lines[first].strip(" >"):
            first += 1
        while last > first and not self._lines[last - 1].strip(" >"):
            last -= 1
        return self._lines[first:last]

    def result(self) -> str:
        return _MANY_BLANK.sub("\n\n", "\n".join(self.lines()))


class _Walker:
    """Visits the nodes in order, without recursion, and writes into `flow`."""

    def __init__(self, hidden: bool) -> None:
        self.flow = _Flow()
        self._hidden = hidden
        self._flows: list[_Flow] = []  # the flows around the current table cell
        self._tables: list[list[list[list[str]]]] = []  # rows of cells of lines, of each open table
        self._lists: list[int] = []  # next number of each open list; 0 for bullets
        self._kept = 0  # open elements that keep white space
        self._link: tuple[str, list[str]] | None = None

    def walk(self, root: LexborNode) -> None:
        # Each entry: what has to be done when the element is left.
        leaving: list[Callable[[], None] | None] = []
        node = root
        while True:
            tag = node.tag or ""
            if tag == "-text":
                self._text(node.text_content or "")
            elif tag[:1] != "-" or tag == "-document":
                seen, leave = self._enter(node, tag)
                child = node.first_child if seen else None
                if child is not None:
                    leaving.append(leave)
                    node = child
                    continue
                if leave is not None:
                    leave()
            while leaving:
                following = node.next
                if following is not None:
                    node = following
                    break
                parent = node.parent
                done = leaving.pop()
                if done is not None:
                    done()
                if parent is None:
                    return
                node = parent
            else:
                return

    def _text(self, words: str) -> None:
        if self._link is not None:
            self._link[1].append(words)
        if self._kept:
            self.flow.add_kept(words)
        else:
            self.flow.add(words)

    def _enter(self, node: LexborNode, tag: str) -> tuple[bool, Callable[[], None] | None]:
        """(are the children to be read?, what to do after them)."""
        if tag in _UNSEEN:
            return False, None
        if tag == "br":
            self.flow.new_line()
            return False, None
        attributes = node.attributes
        style = (attributes.get("style") or "")[:_MAX_STYLE] if attributes else ""
        if not self._hidden and ((style and _HIDDEN.search(style)) or "hidden" in attributes):
            return False, None
        if tag == "img":
            self._image(attributes)
            return False, None
        if tag == "a":
            return True, self._enter_link(attributes.get("href") or "")
        if tag in _BLOCK or tag in _SPACED:
            return True, self._enter_block(tag, attributes, style)
        if style and _KEEPS_SPACE.search(style):
            return True, self._keep_space()
        return True, None

    def _keep_space(self) -> Callable[[], None]:
        self._kept += 1

        def leave() -> None:
            self._kept -= 1

        return leave

    def _image(self, attributes: dict[str, str | None]) -> None:
        words = _SPACE.sub(" ", attributes.get("alt") or "").strip()
        # A tracking pixel has no size worth speaking of.
        if not words or attributes.get("width") in ("0", "1") or attributes.get("height") in ("0", "1"):
            return
        # An emoji that the mail program drew as a picture is a character, anything else a picture.
        self._text(words if len(words) <= 4 and not words.isascii() else f"[{words[:200]}]")

    def _enter_link(self, href: str) -> Callable[[], None] | None:
        address = href.strip()
        if self._link is not None or not address or len(address) > _MAX_LINK:
            return None
        if not address.lower().startswith(("http://", "https://", "mailto:", "tel:", "ftp://")):
            return None
        self._link = (address, [])
        return self._leave_link

    def _leave_link(self) -> None:
        if self._link is None:
            return
        address, pieces = self._link
        self._link = None
        words = _SPACE.sub(" ", "".join(pieces)).strip()
        shown = address.partition(":")[2] if address[:4].lower() in ("mail", "tel:") else address
        if words and _bare(shown) not in _bare(words):
            # The blank that ended the link's words stands behind the address now.
            self.flow.add(f" ({shown}) " if pieces[-1][-1:].isspace() else f" ({shown})")

    def _enter_block(self, tag: str, attributes: dict[str, str | None], style: str) -> Callable[[], None]:
        if tag in _CELLS and self._tables:
            return self._enter_cell()
        if tag == "table" and len(self._tables) < _MAX_TABLES:
            return self._enter_table()
        if tag == "tr" and self._tables:
            self._tables[-1].append([])
        around = self.flow.gap if tag in _SPACED and not self._is_tight(tag, attributes, style) else self.flow.block
        around()
        leaves: list[Callable[[], None]] = [around]
        if tag == "hr":
            self.flow.line("-" * 20)
        elif tag == "li":
            leaves.append(self._enter_item(attributes))
        elif tag in _LISTS:
            leaves.append(self._enter_list(tag, attributes))
        elif tag == "blockquote":
            # Gmail indents with a borderless blockquote: that's no quotation.
            leaves.append(self._indent("  " if _NO_BORDER.search(style) else "> "))
        elif tag == "dd":
            leaves.append(self._indent("  "))
        if tag in _PREFORMATTED or (style and _KEEPS_SPACE.search(style)):
            leaves.append(self._keep_space())

        def leave() -> None:
            self.flow.block()
            for undo in reversed(leaves):
                undo()

        return leave

    def _is_tight(self, tag: str, attributes: dict[str, str | None], style: str) -> bool:
        """True for a paragraph that its program sets without space: Word's and Outlook's, or by its style."""
        if tag == "p":
            return (attributes.get("class") or "").startswith("Mso") or bool(_NO_MARGIN.search(style))
        return tag in _LISTS and len(self._lists) > 0

    def _indent(self, prefix: str) -> Callable[[], None]:
        flow = self.flow
        flow.prefixes.append(prefix)

        def leave() -> None:
            flow.prefixes.pop()

        return leave

    def _enter_list(self, tag: str, attributes: dict[str, str | None]) -> Callable[[], None]:
        start = attributes.get("start") or ""
        number = int(start) if _NUMBER.fullmatch(start) else 1
        self._lists.append(number if tag == "ol" else 0)

        def leave() -> None:
            self._lists.pop()

        return leave

    def _enter_item(self, attributes: dict[str, str | None]) -> Callable[[], None]:
        number = self._lists[-1] if self._lists else 0
        if number:
            self._lists[-1] += 1
        marker = f"{number}. " if number else "- "
        flow = self.flow
        flow.mark(marker)
        undo = self._indent(" " * len(marker))

        def leave() -> None:
            flow.unmark()
            undo()

        return leave

    def _enter_table(self) -> Callable[[], None]:
        self.flow.block()
        rows: list[list[list[str]]] = []
        self._tables.append(rows)

        def leave() -> None:
            self._tables.pop()
            self._write_table(rows)

        return leave

    def _enter_cell(self) -> Callable[[], None]:
        rows = self._tables[-1]
        if not rows:
            rows.append([])
        self._flows.append(self.flow)
        cell = self.flow = _Flow()

        def leave() -> None:
            self.flow = self._flows.pop()
            rows[-1].append(cell.lines())

        return leave

    def _write_table(self, rows: list[list[list[str]]]) -> None:
        """Data as lines with " | " between the cells; layout as blocks, one below the other."""
        widths = {len(row) for row in rows if row}
        grid = len(rows) > 1 and len(widths) == 1 and min(widths) > 1
        data = False
        for row in rows:
            if sum(1 for cell in row if cell) > 1 and all(_is_data(cell) for cell in row):
                cells = [" ".join(line.strip() for line in cell) for cell in row]
                if not data:
                    self.flow.gap()
                data = True
                self.flow.line(" | ".join(cells if grid else [cell for cell in cells if cell]).rstrip(" |"))
            else:
                for cell in row:
                    around = self.flow.gap if len(cell) > 1 else self.flow.block
                    around()
                    for line in cell:
                        self.flow.line(line)
                    around()
        if data:
            self.flow.gap()


def _is_data(cell: list[str]) -> bool:
    return len(cell) <= _CELL_LINES and sum(map(len, cell)) <= _CELL_WIDTH


def _bare(address: str) -> str:
    """An address or a link's words without what people leave out: scheme, www, last slash, case."""
    plain = _WEB.sub("", address.strip(), count=1)
    return plain.rstrip("/").lower()
