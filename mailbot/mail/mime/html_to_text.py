"""HTML of a mail as plain text that a person can read.

In: HTML as it came (any str), or a node of the tree that `parse_html` returns (mail.reply.html_quotes removes
quotations from that tree, then asks for the text of what is left). Out: text with line feeds; paragraphs, lists,
tables (a line per row, cells between " | "), links ("words (address)" where the two differ), headings, preformatted
text; no script, style, hidden preheader or tracking pixel. Never raises, never recurses: depth and size are bounded
by `html_bounds`.

Standards: WHATWG HTML §13.2 (parsing), §15.3 (which elements are blocks, in the rendering section).
Never: loads anything, follows a link, or decides what is quoted (mail.reply does).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from mailbot.mail.mime.html_bounds import parse_html
from mailbot.mail.mime.line_builder import SPACE, LineBuilder

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode


# Elements whose words are not displayed.
_UNSEEN = frozenset((
    "head", "style", "script", "title", "meta", "link", "template", "iframe", "object", "embed", "applet", "svg",
    "math", "canvas", "audio", "video", "map", "select", "datalist", "noscript", "noframes", "noembed",
))  # fmt: skip
# Elements with a line break before and after; those of _SPACED with an empty line.
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
_WEB = re.compile(r"(?:https?://)?(?:www\.)?", re.I)

_MAX_TABLES = 10  # tables in tables; deeper ones are laid out as blocks
_MAX_LINK = 2000
_MAX_STYLE = 2000  # of an attribute, for the patterns above
_CELL_LINES, _CELL_WIDTH = 3, 200  # lines and characters; a larger cell holds layout, not data


def html_to_text(html: str) -> str:
    """Return the words of a mail's HTML, laid out in lines; "" only if there is no word in it."""
    if not html:
        return ""
    tree = parse_html(html)
    root = tree.body or tree.root
    if root is None:
        return ""
    # A mail that hides all its words (a sender's broken style) is shown whole rather than empty.
    return node_to_text(root) or node_to_text(root, hidden=True)


def node_to_text(node: LexborNode, *, hidden: bool = False) -> str:
    """Return the words of one element and all below it, laid out as by `html_to_text`.

    `hidden` includes what styles hide.
    """
    walker = _Walker(hidden)
    walker.walk(node)
    return walker.lines.text()


class _Walker:
    """Visits the nodes in order, without recursion, and writes into `lines`."""

    def __init__(self, hidden: bool) -> None:
        self.lines = LineBuilder()
        self._hidden = hidden
        self._outer_lines: list[LineBuilder] = []  # of the elements around the current table cell
        self._tables: list[list[list[list[str]]]] = []  # rows of cells of lines, of each open table
        self._lists: list[int] = []  # next number of each open list; 0 for bullets
        self._preformatted = 0  # open elements whose white space counts
        self._link: tuple[str, list[str]] | None = None

    def walk(self, root: LexborNode) -> None:
        # What to do when each open element ends.
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
        if self._preformatted:
            self.lines.add_preformatted(words)
        else:
            self.lines.add(words)

    def _enter(self, node: LexborNode, tag: str) -> tuple[bool, Callable[[], None] | None]:
        """Return (whether to visit the children, what to do after them)."""
        if tag in _UNSEEN:
            return False, None
        if tag == "br":
            self.lines.break_line()
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
            return True, self._enter_preformatted()
        return True, None

    def _enter_preformatted(self) -> Callable[[], None]:
        self._preformatted += 1

        def leave() -> None:
            self._preformatted -= 1

        return leave

    def _image(self, attributes: dict[str, str | None]) -> None:
        words = SPACE.sub(" ", attributes.get("alt") or "").strip()
        # A tracking pixel is 0 or 1 pixels wide or high.
        if not words or attributes.get("width") in ("0", "1") or attributes.get("height") in ("0", "1"):
            return
        # An emoji that the mail program drew as a picture is shown as a character, any other picture in brackets.
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
        words = SPACE.sub(" ", "".join(pieces)).strip()
        shown = address.partition(":")[2] if address[:4].lower() in ("mail", "tel:") else address
        if words and _bare(shown) not in _bare(words):
            # The blank that ended the link's words goes behind the address.
            self.lines.add(f" ({shown}) " if pieces[-1][-1:].isspace() else f" ({shown})")

    def _enter_block(self, tag: str, attributes: dict[str, str | None], style: str) -> Callable[[], None]:
        if tag in _CELLS and self._tables:
            return self._enter_cell()
        if tag == "table" and len(self._tables) < _MAX_TABLES:
            return self._enter_table()
        if tag == "tr" and self._tables:
            self._tables[-1].append([])
        around = (
            self.lines.end_paragraph
            if tag in _SPACED and not self._is_tight(tag, attributes, style)
            else self.lines.end_block
        )
        around()
        leaves: list[Callable[[], None]] = [around]
        if tag == "hr":
            self.lines.add_line("-" * 20)
        elif tag == "li":
            leaves.append(self._enter_item(attributes))
        elif tag in _LISTS:
            leaves.append(self._enter_list(tag, attributes))
        elif tag == "blockquote":
            # Gmail indents with a borderless blockquote, which is no quotation.
            leaves.append(self._indent("  " if _NO_BORDER.search(style) else "> "))
        elif tag == "dd":
            leaves.append(self._indent("  "))
        if tag in _PREFORMATTED or (style and _KEEPS_SPACE.search(style)):
            leaves.append(self._enter_preformatted())

        def leave() -> None:
            self.lines.end_block()
            for undo in reversed(leaves):
                undo()

        return leave

    def _is_tight(self, tag: str, attributes: dict[str, str | None], style: str) -> bool:
        """Return whether no empty line goes around it: Word's and Outlook's paragraphs, no margin, inner lists."""
        if tag == "p":
            return (attributes.get("class") or "").startswith("Mso") or bool(_NO_MARGIN.search(style))
        return tag in _LISTS and len(self._lists) > 0

    def _indent(self, prefix: str) -> Callable[[], None]:
        lines = self.lines
        lines.prefixes.append(prefix)

        def leave() -> None:
            lines.prefixes.pop()

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
        lines = self.lines
        lines.set_marker(marker)
        undo = self._indent(" " * len(marker))

        def leave() -> None:
            lines.clear_marker()
            undo()

        return leave

    def _enter_table(self) -> Callable[[], None]:
        self.lines.end_block()
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
        self._outer_lines.append(self.lines)
        cell = self.lines = LineBuilder()

        def leave() -> None:
            self.lines = self._outer_lines.pop()
            rows[-1].append(cell.lines())

        return leave

    def _write_table(self, rows: list[list[list[str]]]) -> None:
        """Write data as lines with " | " between the cells, layout as blocks one below the other."""
        widths = {len(row) for row in rows if row}
        grid = len(rows) > 1 and len(widths) == 1 and min(widths) > 1
        data = False
        for row in rows:
            if sum(1 for cell in row if cell) > 1 and all(_is_data(cell) for cell in row):
                cells = [" ".join(line.strip() for line in cell) for cell in row]
                if not data:
                    self.lines.end_paragraph()
                data = True
                self.lines.add_line(" | ".join(cells if grid else [cell for cell in cells if cell]).rstrip(" |"))
            else:
                for cell in row:
                    around = self.lines.end_paragraph if len(cell) > 1 else self.lines.end_block
                    around()
                    for line in cell:
                        self.lines.add_line(line)
                    around()
        if data:
            self.lines.end_paragraph()


def _is_data(cell: list[str]) -> bool:
    return len(cell) <= _CELL_LINES and sum(map(len, cell)) <= _CELL_WIDTH


def _bare(address: str) -> str:
    """Return an address or a link's words without what people leave out: scheme, www, last slash, case."""
    plain = _WEB.sub("", address.strip(), count=1)
    return plain.rstrip("/").lower()
