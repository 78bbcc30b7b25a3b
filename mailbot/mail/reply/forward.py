"""Mails that somebody passed on: who wrote them first, when, about what, and what the one who passed them on put above.

In: a mail. Out: `Forward`, or None if nothing was passed on. Read are the forms of Gmail, Outlook (desktop, web,
phones), Yahoo, Apple Mail, Samsung, Thunderbird, Zoho and Lotus, in Indonesian, English and the other languages of
`vocabulary.quoting`, and mails passed on as an attachment (message/rfc822, RFC 2046 §5.2.1).

A header block alone is a forward only where the subject says so ("FW:", "TRS:"): Outlook puts the same block into
replies. Of several mails in a chain the first one counts: the one that the forwarder received.
Never: trusts what it reads; a forwarded header is text that anybody can type. Who may pass on what is decided later.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from mailbot.mail.message import (
    Address,
    Forward,
    InboundMessage,
)
from mailbot.mail.mime.html_to_text import html_to_text
from mailbot.mail.reply.attributions import ADDRESS, attribution
from mailbot.mail.reply.dates import mail_date
from mailbot.mail.reply.header_blocks import HeaderBlock, header_block
from mailbot.mail.reply.html_quotes import page_of_html
from mailbot.mail.reply.lines import (
    Page,
    Region,
    page_of_text,
)
from mailbot.mail.reply.quote_start import (
    Opening,
    find_openings,
    starts_forward,
)
from mailbot.mail.reply.signature import signature_lines
from mailbot.mail.subject import clean_subject, is_forward_subject

_GLUED = re.compile(r"(?<=[-=]{4})\s+(?=[^\W\d_]{2,14}\s?[:：])")
_NEAR = 6  # lines between a separator and the header block below it
_BEHIND_HOUR = re.compile(r"\d{1,2}[:.]\d{2}(?::\d{2})?(?:\s?[AaPp][Mm])?(?:\s(?:WIB|WITA|WIT|GMT\S*))?,?")
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)\b")


def passed_on_at(page: Page, openings: Sequence[Opening], says_so: bool) -> int | None:
    """The line with which a passed-on mail begins; None where the page is a reply or a first mail.

    `says_so`: the subject begins with "Fwd:" or the like. A forward that is quoted in a reply doesn't count.
    """
    quoted = next((i for i, line in enumerate(page.bare) if line and page.depth[i]), len(page))
    first = openings[0] if openings else None
    if first is not None and first.start <= quoted:
        return first.start if first.forward or says_so else None
    # In Apple Mail the line, and with others the header, stands inside the marked quotation.
    if quoted < len(page) and starts_forward(page.bare[quoted]):
        return quoted
    # The subject says so, and the structure of the HTML, or marks, say where.
    structure = (i for i, region in enumerate(page.region) if region in (Region.QUOTE, Region.FRAME, Region.LEAD))
    where = min(quoted, min(page.cuts, default=len(page)), next(structure, len(page)))
    return where if says_so and where < len(page) else None


def read_forward(message: InboundMessage, zone: tzinfo | None = None) -> Forward | None:
    """The mail that was passed on, or None. `zone`: where the forwarder works, for programs that don't tell.

    `author.email` is "" where the program wrote only a name; `date` is UTC, None where it can't be read; `subject` is
    as the original had it, without the prefix of the forward.
    """
    page = _unglued(page_of_html(message.html)[0] if message.html.strip() else page_of_text(message.text))
    above = passed_on_at(page, find_openings(page), is_forward_subject(message.subject))
    if above is not None:
        block = _block_below(page, above)
        below = block.end if block is not None else above + 1
        led = "" if block is not None else _led_by(page, above)
        fields = block.fields if block is not None else {}
        return Forward(
            author=_author(fields.get("from", "") or led),
            subject=fields.get("subject", "") or clean_subject(message.subject),
            date=mail_date(fields.get("sent", "") or led, _clock_of(message, zone)),
            text=_below(page, below),
            comment=_comment(page, above),
            attachments=message.attachments,
        )
    if message.nested and message.report is None:
        return _attached(message, page)
    return None


def _unglued(page: Page) -> Page:
    """The page, with a header that Yahoo puts behind its separator on a line of its own."""
    for i, line in enumerate(page.bare):
        found = _GLUED.search(line) if line and not page.depth[i] and starts_forward(line) else None
        if found is not None:
            text = [*page.shown[:i], line[: found.start()], line[found.end() :], *page.shown[i + 1 :]]
            return page_of_text("\n".join(text))
    return page


def _block_below(page: Page, above: int) -> HeaderBlock | None:
    """The header at or just below the line where the passed-on mail begins."""
    for i in range(above, min(above + _NEAR, len(page))):
        block = header_block(page, i, lenient=i > above) if page.bare[i] else None
        if block is not None:
            return block
    return None


def _led_by(page: Page, above: int) -> str:
    """The line "On …, Sally <…> wrote:" of a forward that has it in place of a header."""
    for start in range(above, min(above + _NEAR, len(page))):
        for text in (page.bare[start], " ".join(page.bare[start : start + 2])):
            if text and attribution(text):
                return text
    return ""


def _author(value: str) -> Address:
    """'Sally <sally@…>', '"Sally" [mailto:sally@…]', 'sally@… (Sally)' or an attribution → a mailbox."""
    value = value[:400].replace("[mailto:", "<").replace("mailto:", "")
    found = ADDRESS.search(value)
    if found is None:
        return Address("", value.strip(" \"'<>[]()*,;")[:200])
    before, after = value[: found.start()], value[found.end() :]
    name = before.rstrip("<[( ").strip(" \"'“”*")
    if not name and "(" in after:
        name = after.partition("(")[2].partition(")")[0]
    if attribution(value):
        # "Pada Sen, 3 Nov 2025 pukul 15.10 Sally": the name is what stands behind the hour.
        name = _BEHIND_HOUR.split(name)[-1].strip(" \"',")
    return Address(found[0].rstrip(".").lower(), " ".join(name.split()))


def _below(page: Page, start: int) -> str:
    """What was passed on; where all of it bears quote marks (Apple Mail), without one of them."""
    lines = [i for i in range(start, len(page)) if page.shown[i]]
    # Zoho draws its separator below the header too.
    if lines and starts_forward(page.bare[lines[0]]):
        start, lines = lines[0] + 1, lines[1:]
    if lines and all(page.depth[i] for i in lines):
        return "\n".join(re.sub(r"^\s{0,4}(?:>|»|&gt;)[ \t]?", "", line) for line in page.shown[start:]).strip()
    return "\n".join(page.shown[start:]).strip()


def _comment(page: Page, end: int) -> str:
    lines = page.bare[:end]
    apart = signature_lines(lines)
    return "\n".join(page.shown[i] for i in range(end) if i not in apart).strip()


def _attached(message: InboundMessage, page: Page) -> Forward:
    original = message.nested[0]
    return Forward(
        author=original.from_address,
        subject=original.subject,
        date=original.date,
        text=(original.text or html_to_text(original.html)).strip(),
        comment=_comment(page, len(page)),
        # The attached mail itself is among the outer attachments; its own come first.
        attachments=original.attachments + tuple(a for a in message.attachments if a.content_type != "message/rfc822"),
    )


def _clock_of(message: InboundMessage, zone: tzinfo | None) -> timedelta:
    """The forwarder's offset from UTC, by their Date field (RFC 5322 §3.3): their program wrote the dates below.

    Exchange and Yahoo write Date in UTC and the dates below by the clock on the wall: then `zone` knows better.
    """
    found = _OFFSET.search(message.headers.get("Date"))
    if found is None:
        span = (message.date.utcoffset() if message.date else None) or timedelta(0)
    else:
        span = timedelta(hours=int(found[2]), minutes=int(found[3])) * (1 if found[1] == "+" else -1)
    if span or zone is None or message.date is None:
        return span
    return zone.utcoffset(datetime.fromtimestamp(message.date.timestamp(), zone).replace(tzinfo=None)) or span
