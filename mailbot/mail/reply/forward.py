"""Reader of forwarded mail: original author, date, subject and text, and the forwarder's comment above them.

In: a mail. Out: a `Forward`, or None if nothing was forwarded. Supported are the formats of Gmail, Outlook (desktop,
web, phones), Yahoo, Apple Mail, Samsung, Thunderbird, Zoho and Lotus, in Indonesian, English and the other languages of
`vocabulary.quoting`, and mail forwarded as an attachment (message/rfc822, RFC 2046 §5.2.1).

A header block alone is a forward only where the subject says so ("FW:", "TRS:"), because Outlook puts the same block
into replies. Of several mails in a chain the first one counts: the one that the forwarder received.
Never: trusts what it reads; anybody can type a forwarded header. Who may forward what is decided later.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from mailbot.mail.message import Address, Forward, InboundMessage
from mailbot.mail.mime.html_to_text import html_to_text
from mailbot.mail.reply.attributions import ADDRESS, attribution
from mailbot.mail.reply.dates import mail_date
from mailbot.mail.reply.header_blocks import HeaderBlock, header_block
from mailbot.mail.reply.html_quotes import page_of_html
from mailbot.mail.reply.lines import Page, Region, page_of_text
from mailbot.mail.reply.quote_start import QuoteStart, find_quote_starts, starts_forward
from mailbot.mail.reply.signature import signature_lines
from mailbot.mail.subject import clean_subject, is_forward_subject

_GLUED = re.compile(r"(?<=[-=]{4})\s+(?=[^\W\d_]{2,14}\s?[:：])")
_NEAR = 6  # lines between a separator and the header block below it
_AFTER_TIME = re.compile(r"\d{1,2}[:.]\d{2}(?::\d{2})?(?:\s?[AaPp][Mm])?(?:\s(?:WIB|WITA|WIT|GMT\S*))?,?")
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)\b")


def forward_start(page: Page, quote_starts: Sequence[QuoteStart], is_forward: bool) -> int | None:
    """Return the line with which a forwarded mail begins; None where the page is a reply or a first mail.

    `is_forward`: the subject begins with "Fwd:" or the like. A forward that is quoted in a reply doesn't count.
    """
    quoted = next((i for i, line in enumerate(page.bare) if line and page.depth[i]), len(page))
    first = quote_starts[0] if quote_starts else None
    if first is not None and first.start <= quoted:
        return first.start if first.forward or is_forward else None
    # Apple Mail puts this line, and others the header, inside the marked quotation.
    if quoted < len(page) and starts_forward(page.bare[quoted]):
        return quoted
    # The subject says that it is a forward; the HTML or the quote marks say where it begins.
    structure = (i for i, region in enumerate(page.region) if region in (Region.QUOTE, Region.FRAME, Region.LEAD))
    where = min(quoted, min(page.cuts, default=len(page)), next(structure, len(page)))
    return where if is_forward and where < len(page) else None


def read_forward(message: InboundMessage, zone: tzinfo | None = None) -> Forward | None:
    """Return the forwarded mail, or None. `zone`: the forwarder's time zone, for programs that do not write it.

    `author.email` is "" where the program wrote only a name; `date` is UTC, None where it can't be read; `subject` is
    that of the original, without the prefix of the forward.
    """
    page = _unglued(page_of_html(message.html)[0] if message.html.strip() else page_of_text(message.text))
    above = forward_start(page, find_quote_starts(page), is_forward_subject(message.subject))
    if above is not None:
        block = _block_below(page, above)
        below = block.end if block is not None else above + 1
        lead = "" if block is not None else _lead_line(page, above)
        fields = block.fields if block is not None else {}
        return Forward(
            author=_author(fields.get("from", "") or lead),
            subject=fields.get("subject", "") or clean_subject(message.subject),
            date=mail_date(fields.get("sent", "") or lead, _offset_of(message, zone)),
            text=_below(page, below),
            comment=_comment(page, above),
            attachments=message.attachments,
        )
    if message.nested and message.report is None:
        return _attached(message, page)
    return None


def _unglued(page: Page) -> Page:
    """Return the page with the header that Yahoo appends to its separator on a line of its own."""
    for i, line in enumerate(page.bare):
        found = _GLUED.search(line) if line and not page.depth[i] and starts_forward(line) else None
        if found is not None:
            text = [*page.shown[:i], line[: found.start()], line[found.end() :], *page.shown[i + 1 :]]
            return page_of_text("\n".join(text))
    return page


def _block_below(page: Page, above: int) -> HeaderBlock | None:
    """Return the header at or just below the line where the forwarded mail begins."""
    for i in range(above, min(above + _NEAR, len(page))):
        block = header_block(page, i, lenient=i > above) if page.bare[i] else None
        if block is not None:
            return block
    return None


def _lead_line(page: Page, above: int) -> str:
    """Return the line "On …, Sally <…> wrote:" of a forward that has it in place of a header."""
    for start in range(above, min(above + _NEAR, len(page))):
        for text in (page.bare[start], " ".join(page.bare[start : start + 2])):
            if text and attribution(text):
                return text
    return ""


def _author(value: str) -> Address:
    """Parse 'Sally <sally@…>', '"Sally" [mailto:sally@…]', 'sally@… (Sally)' or an attribution into a mailbox."""
    value = value[:400].replace("[mailto:", "<").replace("mailto:", "")
    found = ADDRESS.search(value)
    if found is None:
        return Address("", value.strip(" \"'<>[]()*,;")[:200])
    before, after = value[: found.start()], value[found.end() :]
    name = before.rstrip("<[( ").strip(" \"'“”*")
    if not name and "(" in after:
        name = after.partition("(")[2].partition(")")[0]
    if attribution(value):
        # "Pada Sen, 3 Nov 2025 pukul 15.10 Sally": the name follows the time.
        name = _AFTER_TIME.split(name)[-1].strip(" \"',")
    return Address(found[0].rstrip(".").lower(), " ".join(name.split()))


def _below(page: Page, start: int) -> str:
    """Return the forwarded text; where all of it has quote marks (Apple Mail), without one level of them."""
    lines = [i for i in range(start, len(page)) if page.shown[i]]
    # Zoho writes its separator below the header too.
    if lines and starts_forward(page.bare[lines[0]]):
        start, lines = lines[0] + 1, lines[1:]
    if lines and all(page.depth[i] for i in lines):
        return "\n".join(re.sub(r"^\s{0,4}(?:>|»|&gt;)[ \t]?", "", line) for line in page.shown[start:]).strip()
    return "\n".join(page.shown[start:]).strip()


def _comment(page: Page, end: int) -> str:
    lines = page.bare[:end]
    signature = signature_lines(lines)
    return "\n".join(page.shown[i] for i in range(end) if i not in signature).strip()


def _attached(message: InboundMessage, page: Page) -> Forward:
    original = message.nested[0]
    return Forward(
        author=original.from_address,
        subject=original.subject,
        date=original.date,
        text=(original.text or html_to_text(original.html)).strip(),
        comment=_comment(page, len(page)),
        # The attached mail is among the outer attachments; its own attachments come first.
        attachments=original.attachments + tuple(a for a in message.attachments if a.content_type != "message/rfc822"),
    )


def _offset_of(message: InboundMessage, zone: tzinfo | None) -> timedelta:
    """Return the forwarder's UTC offset from Date (RFC 5322 §3.3), as their program wrote the dates below.

    Exchange and Yahoo write Date in UTC, but the dates below in local time: then `zone` counts.
    """
    found = _OFFSET.search(message.headers.get("Date"))
    if found is None:
        span = (message.date.utcoffset() if message.date else None) or timedelta(0)
    else:
        span = timedelta(hours=int(found[2]), minutes=int(found[3])) * (1 if found[1] == "+" else -1)
    if span or zone is None or message.date is None:
        return span
    return zone.utcoffset(datetime.fromtimestamp(message.date.timestamp(), zone).replace(tzinfo=None)) or span
