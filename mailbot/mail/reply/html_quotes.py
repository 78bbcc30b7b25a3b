"""Quotations and signatures in HTML, by the elements that mail programs put around them.

In: the HTML of a body. Out: a `Page` whose lines have their region. Independent of language; what the structure does
not show (header blocks, attributions without an element of their own) is found in the text by `quote_start`.

Marks (control characters that no mail needs) are inserted into the tree as text, `mail.mime.html_to_text` renders it,
and the marks are read back from the result, so that tables, lists and links look the same in every region.

Two elements cannot be trusted, as seen in real mail: people type their whole answer inside
`#ms-outlook-mobile-signature` and `#ymail_android_signature` (so footers are recognised by their words), and Outlook's
`#mail-editor-reference-message-container` can contain new words (so the header block inside it counts).
Standards: none; the names are those of the programs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mailbot.mail.mime.html_bounds import parse_html
from mailbot.mail.mime.html_to_text import html_to_text, node_to_text
from mailbot.mail.reply.lines import Page, Region, mark_other_quotes, split_lines, visible
from mailbot.vocabulary.quoting import PICTURE

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

# Marks: beginning and end of a region, and "all that follows is quoted". ASCII keeps Python's strings compact.
_BEGIN = {Region.QUOTE: "\x01", Region.FRAME: "\x02", Region.LEAD: "\x03", Region.SIGNATURE: "\x04"}
_END, _CUT = "\x05", "\x06"
_REGION_OF = {mark: region for region, mark in _BEGIN.items()}
_MARK = re.compile("[\x01-\x06]")

# Elements and their regions. Columns: a word that the HTML must contain for the selector to be tried at all (most mails
# have one or two of them), the selector, the region (None: a cut).
_ELEMENTS: tuple[tuple[str, str, Region | None], ...] = (
    ("gmail_attr", ".gmail_attr", Region.LEAD),  # Gmail, all programs since 2018: the line above
    ("moz-cite-prefix", ".moz-cite-prefix", Region.LEAD),  # Thunderbird
    ("reply-intro", "#reply-intro", Region.LEAD),  # Roundcube
    ("airmailon", "#AirmailOn", Region.LEAD),  # Airmail
    ("nylas-quote-attribution", ".gmail_quote_attribution", Region.LEAD),  # Mailspring
    ("gmail_quote", "div.gmail_quote", Region.FRAME),  # Gmail, K-9, Mailspring; the quotation is a blockquote in it
    ("gmail_extra", "div.gmail_extra", Region.FRAME),  # Gmail until 2018
    ("protonmail_quote", "div.protonmail_quote", Region.FRAME),  # Proton
    ("tutanota_quote", "div.tutanota_quote", Region.FRAME),  # Tuta
    ("messagereplysection", '[name="messageReplySection"]', Region.FRAME),  # Spark
    ("yahoo_quoted", '[id*="yahoo_quoted"], [class*="yahoo_quoted"]', Region.QUOTE),  # Yahoo, with a prefix
    ("zmail_extra", '[class~="zmail_extra"], #zmail_extra', Region.FRAME),  # Zoho
    ("origbody", "#origbody, #reply139content, #isReplyContent, #oriMsgHtmlSeperator", Region.QUOTE),  # NetEase, 139
    ("isreplycontent", "#isReplyContent", Region.QUOTE),
    ("ntes-mailmaster-quote", ".ntes-mailmaster-quote", Region.QUOTE),  # NetEase Mail Master
    ('name="quote"', 'div[name="quote"]', Region.QUOTE),  # GMX, web.de
    ("mail_android_quote", ".mail_android_quote", Region.QUOTE),  # GMX for Android
    ("quoted_output_body", ".quoted_output_body", Region.QUOTE),  # Nine
    ("aqm-original", "#aqm-original", Region.QUOTE),  # Aqua Mail
    ("skiff_quote", ".skiff_quote", Region.QUOTE),
    ("front-blockquote", "div.front-blockquote", Region.QUOTE),
    ("divrplyfwdmsg", '[id$="divRplyFwdMsg"], [id^="divRpF"]', None),  # Outlook on the web and on phones
    ("outlookmessageheader", ".OutlookMessageHeader", None),  # Outlook 2003
    ("stopspelling", "hr#stopSpelling", None),  # Hotmail, Windows Live
    ("zwchr", "hr#zwchr", None),  # Zimbra
    ("replysplit", "hr#replySplit", None),
    ("olk_src_body_section", "#OLK_SRC_BODY_SECTION", None),  # Outlook for Mac
    ("gmail_signature", ".gmail_signature, .gmail_signature_prefix", Region.SIGNATURE),
    ("moz-signature", ".moz-signature", Region.SIGNATURE),
    ("protonmail_signature_block", ".protonmail_signature_block", Region.SIGNATURE),
    ('id="signature"', "#Signature, #signature", Region.SIGNATURE),  # Outlook on the web
    ("x_signature", "#x_Signature", Region.SIGNATURE),
    ("zm-_id_-sgn1", "#Zm-_Id_-Sgn1", Region.LEAD),  # Zoho
    ('"zm-_id_-sgn"', "#Zm-_Id_-Sgn", Region.SIGNATURE),
    ("messagesignaturesection", '[name="messageSignatureSection"]', Region.SIGNATURE),
)
# Outlook for Windows and for Mac draw a line above the header block in a reply.
_RULED = re.compile(
    r"border-top:\s{0,3}solid\s{0,3}#(?:e1e1e1|b5c4df)|border-style:\s{0,3}solid none none"
    r"|border:none;\s{0,3}border-top:\s{0,3}solid",
    re.I,
)
_BORDERLESS = re.compile(r"border(?:-left)?:\s{0,3}(?:none|0|medium none)", re.I)
_MAX_RULED = 60
_MAX_ELEMENTS = 300  # of one kind: a thread of that many replies is cut at its first one anyway


def page_of_html(html: str, pictures: Mapping[str, str] | None = None) -> tuple[Page, str]:
    """Return the lines of an HTML body with their regions, and the first rule that found one ("" if none).

    With `pictures` (names by Content-ID) each inline picture appears in the text as "[name]".
    """
    tree = parse_html(_MARK.sub("", html) if _MARK.search(html) else html)
    root = tree.body or tree.root
    if root is None:
        return Page(), ""
    lower = html.lower()
    if pictures is not None:
        _name_pictures(root, pictures)
    rule = ""
    for word, selector, region in _ELEMENTS:
        if word in lower:
            for node in root.css(selector)[:_MAX_ELEMENTS]:
                if _mark_element(node, region):
                    rule = rule or word
    if "border" in lower:
        for node in root.css('div[style*="border"]')[:_MAX_RULED]:
            if _RULED.search((node.attributes.get("style") or "")[:400]) and _holds_header(node):
                node.insert_before(_CUT)
                rule = rule or "outlook"
    text = node_to_text(root) or html_to_text(html)
    return _read_back(text), rule


def _name_pictures(root: LexborNode, pictures: Mapping[str, str]) -> None:
    for node in root.css("img")[:_MAX_ELEMENTS]:
        source = node.attributes.get("src") or ""
        if source[:4].lower() == "cid:":
            node.attrs["alt"] = pictures.get(source[4:], "") or node.attributes.get("alt") or PICTURE


def _mark_element(node: LexborNode, region: Region | None) -> bool:
    if region is None:
        node.insert_before(_CUT)
        return True
    first = node.first_child
    if first is None:
        return False
    if region is Region.FRAME and not _has_own_blockquote(node):
        # Gmail's class without a blockquote is a forward, or a quotation without further markup.
        region = Region.QUOTE
    first.insert_before(_BEGIN[region])
    node.insert_child(_END)
    return True


def _has_own_blockquote(node: LexborNode) -> bool:
    """Return whether a quotation (not Gmail's borderless indent) is among the children or grandchildren."""
    for child in node.iter():
        if child.tag == "blockquote" and not _BORDERLESS.search((child.attributes.get("style") or "")[:400]):
            return True
        if child.tag == "div" and any(grandchild.tag == "blockquote" for grandchild in child.iter()):
            return True
    return False


def _holds_header(node: LexborNode) -> bool:
    """Return whether the element begins with fields ("From: … Sent: …"), in whatever language."""
    text = node.text()[:600]
    return text.count(":") + text.count("：") >= 3 and any(c.isdigit() for c in text)


def _read_back(text: str) -> Page:
    """Turn text with marks into lines with regions."""
    page = Page()
    open_regions: list[Region] = []
    for line in split_lines(visible(text)):
        begins = open_regions[-1] if open_regions else Region.BODY
        if not _MARK.search(line):
            page.add(line, begins)
            continue
        _read_marked(page, line, open_regions)
    mark_other_quotes(page)
    return page


def _read_marked(page: Page, line: str, open_regions: list[Region]) -> None:
    """Add a line with marks; the text on either side of a mark becomes a line of its own."""
    at, prefix = 0, _quote_prefix(line)
    for found in [*_MARK.finditer(line), None]:
        stop = found.start() if found else len(line)
        piece = line[at:stop]
        if piece.strip(" >"):
            carried = prefix if at and not piece.startswith(">") else ""
            page.add(carried + (piece if not at else piece.lstrip()), open_regions[-1] if open_regions else Region.BODY)
        if found is None:
            break
        at = found.end()
        mark = found[0]
        if mark == _CUT:
            page.cuts.add(len(page))
        elif mark == _END:
            if open_regions:
                open_regions.pop()
        else:
            inner = _REGION_OF[mark]
            # Frames and signatures inside a quotation are part of it.
            outer = open_regions[-1] if open_regions else Region.BODY
            open_regions.append(Region.QUOTE if outer is Region.QUOTE else inner)


def _quote_prefix(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" >"))]
