"""HTML of a stranger → HTML that may be shown in our own page or mail: an allow-list, by nh3 (ammonia).

In: HTML already bounded by `html_tree`. Out: a fragment with neither script, style sheet, form, frame nor comment;
links only to http(s), mailto and tel, opened without a referrer; images only those of the mail itself, by `cid:`,
at the address that the caller gives, and small ones written out as `data:` URLs. Remote images are dropped: they
tell their sender who reads when. Inline styles keep what lays out a table, nothing that moves or covers a page.

Standards: RFC 2392 (cid URLs), RFC 2397 (data URLs).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

import nh3

_TAGS = {
    "a", "abbr", "address", "b", "big", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup",
    "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "section",
    "small", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "tt", "u", "ul", "var", "wbr",
}  # fmt: skip
# Removed with all they hold; other unknown elements lose their tags only.
_EMPTIED = {
    "script", "style", "title", "head", "template", "noscript", "iframe", "object", "embed", "applet", "svg",
    "math", "select", "textarea",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"dir", "lang", "title", "align", "valign", "style"},
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height"},
    "table": {"border", "cellpadding", "cellspacing", "width", "bgcolor"},
    "td": {"colspan", "rowspan", "width", "height", "bgcolor", "nowrap"},
    "th": {"colspan", "rowspan", "width", "height", "bgcolor", "nowrap", "scope"},
    "tr": {"bgcolor"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "ol": {"start", "type", "reversed"},
    "ul": {"type"},
    "li": {"value"},
    "font": {"color", "face", "size"},
    "blockquote": {"type"},
}
_STYLES = {
    "color", "background-color", "font-weight", "font-style", "font-size", "font-family", "text-align",
    "text-decoration", "vertical-align", "white-space", "border", "border-left", "border-right", "border-top",
    "border-bottom", "border-collapse", "border-color", "border-style", "border-width", "padding", "padding-left",
    "padding-right", "padding-top", "padding-bottom", "margin-left", "width", "list-style-type",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", "tel", "cid", "data"}
_LINKS = ("http://", "https://", "mailto:", "tel:")
_PICTURES = ("data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/webp;")
_TAG_OR_REFERENCE = re.compile(r"<[^>]*>|&")
_MANY_REFERENCES = 500
_MAX_DATA_URL = 200_000


def clean(html: str, cid: Callable[[str], str | None]) -> str:
    """`html` cut down to the allow-list; `cid` maps a Content-ID to where its image can be loaded, or None."""

    def allowed(tag: str, attribute: str, value: str) -> str | None:
        if attribute not in ("src", "href"):
            return value
        scheme = value.strip()[:24].lower()
        if tag != "img":
            return value if scheme.startswith(_LINKS) else None
        if scheme.startswith("cid:"):
            return cid(unquote(value.strip()[4:]).strip("<>"))
        return value if scheme.startswith(_PICTURES) and len(value) <= _MAX_DATA_URL else None

    return nh3.clean(
        _broken_up(html),
        tags=_TAGS,
        clean_content_tags=_EMPTIED,
        attributes=_ATTRIBUTES,
        attribute_filter=allowed,
        url_schemes=_SCHEMES,
        filter_style_properties=_STYLES,
        link_rel="noopener noreferrer nofollow",
        # What `cid` gives may be relative; the sender's own relative addresses were dropped above.
        url_relative="pass_through",
    )


def _broken_up(html: str) -> str:
    """The same with a comment after each so many character references in a row.

    The cleaner copies a text anew for each of them: 1 MB of "&nbsp;" took it a second, 35 MB twenty minutes. Comments,
    which it removes, end the text.
    """
    if html.count("&") < _MANY_REFERENCES:
        return html
    kept: list[str] = []
    position = count = 0
    for found in _TAG_OR_REFERENCE.finditer(html):
        count = count + 1 if found[0] == "&" else 0
        if count == _MANY_REFERENCES:
            kept += [html[position : found.start()], "<!---->"]
            position, count = found.start(), 0
    return "".join((*kept, html[position:]))
