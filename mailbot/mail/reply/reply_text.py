"""The new words of a mail: what its author wrote now, without quotations and signature.

In: a mail (`InboundMessage`, or raw bytes), and if known the texts of the mails that we sent to its author.
Out: a `Reply`.

HTML or text → lines with their regions (`html_quotes`, `lines`) → starts of quotations (`quote_start`) and our own
texts (`sent_texts`) → each line is NEW, QUOTED or SIGNATURE (`parts`) → `Reply`.

Invariants
- Cutting only hides: text, quoted and signature together have every word of the body, each once.
- A forward is no reply: nothing is cut from it (`forward` reads it).
- A reply without a word of its own is shown whole, never empty.
- An answer between quoted lines keeps the paragraph that it answers; a whole quotation above an answer is hidden.

Standards: RFC 3676 §4.3 (signature), §4.5 (quote marks). Never: an exception, whatever the text; a look at the desk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mailbot.mail.message import InboundMessage, Reply
from mailbot.mail.reply.attributions import looks_like_lead, split_glued
from mailbot.mail.reply.forward import forward_start
from mailbot.mail.reply.html_quotes import page_of_html
from mailbot.mail.reply.lines import Page, Region, has_words, page_of_text, visible
from mailbot.mail.reply.parts import Part, parts_of
from mailbot.mail.reply.quote_start import find_quote_starts
from mailbot.mail.reply.sent_texts import SentTexts
from mailbot.mail.reply.signature import is_footer
from mailbot.mail.subject import is_forward_subject, is_reply_subject

_KEPT_LINES = 12  # of the paragraph above an inline answer
_SHORT_QUOTE = 8  # lines of a quotation without attribution that is context for the answer


def extract_reply(raw: bytes) -> Reply:
    """Return the new words of a raw mail (RFC 5322); never raises, whatever the bytes."""
    from mailbot.mail.mime.parser import parse_message

    return new_words(parse_message(raw))


def new_words(message: InboundMessage, sent: Sequence[str] = ()) -> Reply:
    """Return the new words of a mail. `sent`: plain texts of the mails that we sent to its author on this ticket."""
    is_forward = is_forward_subject(message.subject)
    # In a first mail "Dari: <its author> … Perihal: …" is a letterhead, not a quotation.
    answers = message.in_reply_to or message.references or is_reply_subject(message.subject)
    author = "" if answers else message.from_addr
    if not message.html.strip():
        return cut_text(message.text, sent, is_forward=is_forward, author=author)
    names = {a.content_id: a.name for a in message.attachments if a.content_id}
    reply = cut_html(message.html, sent, is_forward=is_forward, author=author, pictures=names)
    # The HTML has no words, or does not mark the quotations that the text part marks.
    if reply.text and (reply.rule or "\n>" not in f"\n{message.text}"):
        return reply
    other = cut_text("" if message.text_from_html else message.text, sent, is_forward=is_forward, author=author)
    return other if other.rule or not reply.text else reply


def cut_text(text: str, sent: Sequence[str] = (), *, is_forward: bool = False, author: str = "") -> Reply:
    """Return the new words of a plain text body.

    `is_forward`: the subject says that it is a forward. `author`: header blocks with this sender are no quotation.
    """
    page = page_of_text(_split_lines(visible(text)))
    return _cut(page, sent, is_forward, author, "") or _whole(page, nothing_new=True)


def cut_html(
    html: str,
    sent: Sequence[str] = (),
    *,
    is_forward: bool = False,
    author: str = "",
    pictures: Mapping[str, str] | None = None,
) -> Reply:
    """Return the new words of an HTML body as plain text. `pictures`: names of the inline pictures by Content-ID."""
    page, rule = page_of_html(html)
    reply = _cut(page, sent, is_forward, author, rule)
    if reply is None and "<img" in html.lower():
        # A picture alone above the quotation is an answer.
        shown, rule = page_of_html(html, pictures or {})
        reply = _cut(shown, sent, is_forward, author, rule)
    return reply or _whole(page, nothing_new=True)


def _whole(page: Page, *, nothing_new: bool = False) -> Reply:
    return Reply("\n".join(page.shown).strip(), nothing_new=nothing_new)


def _split_lines(text: str) -> str:
    """Put attributions that a program appended to the author's last words on lines of their own."""
    if "@" not in text:
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        at = split_glued(line) if ":" in line and "@" in line and not line.startswith(">") else None
        lines.extend((line,) if at is None else (line[:at], line[at:]))
    return "\n".join(lines)


def _cut(page: Page, sent: Sequence[str], is_forward: bool, author: str, rule: str) -> Reply | None:
    """Cut the page into new, quoted and signature lines; None if nothing in it is new."""
    quote_starts = [
        quote_start for quote_start in find_quote_starts(page) if not author or quote_start.author != author
    ]
    if forward_start(page, quote_starts, is_forward) is not None:
        return _whole(page)
    parts, found = parts_of(page, quote_starts, SentTexts(sent) if sent else None)
    answers = [i for i, part in enumerate(parts) if part is Part.NEW and has_words(page.bare[i])]
    if not answers:
        # Some people type their answer into the signature's element.
        answers = [i for i, part in enumerate(parts) if part is Part.SIGNATURE and page.region[i] is Region.SIGNATURE]
        if not answers or not any(has_words(page.bare[i]) and not is_footer(page.bare[i]) for i in answers):
            return None
        for i in answers:
            parts[i] = Part.NEW
    shown = _kept_quotes(page, parts)
    shown.update(i for i, part in enumerate(parts) if part is Part.NEW)
    hidden = [i for i, part in enumerate(parts) if part in (Part.QUOTED, Part.LEAD) and i not in shown]
    signature = [i for i, part in enumerate(parts) if part is Part.SIGNATURE]
    # The name of a quote start says more than that of an element, and an element more than marks.
    name = rule or found if found in ("", "marks", "element") else found
    if not hidden:
        name = "signature" if signature else ""
    for i in shown:
        # A kept line of a quotation without marks gets one, to distinguish it from the answer.
        if parts[i] is Part.QUOTED and not page.depth[i] and page.bare[i]:
            page.shown[i] = f"> {page.shown[i]}"
    return Reply(_lines(page, sorted(shown)), _lines(page, hidden), _lines(page, signature), name)


def _kept_quotes(page: Page, parts: list[Part]) -> set[int]:
    """Return the quoted lines that stay visible because new words answer them."""
    runs = _runs(page, parts)
    answered = [n for n, (kind, _) in enumerate(runs[:-1]) if kind is Part.QUOTED and runs[n + 1][0] is Part.NEW]
    inline = len(answered) > 1 or (bool(answered) and runs[-1][0] is Part.QUOTED)
    kept: set[int] = set()
    for n in answered:
        lines = runs[n][1]
        quoted = [i for i in lines if parts[i] is Part.QUOTED and page.bare[i]]
        if not quoted:
            continue
        has_lead = any(parts[i] is Part.LEAD for i in lines)
        asked = len(quoted) <= 2 and page.bare[quoted[-1]].endswith(("?", "？"))
        if inline or (has_lead and asked):
            kept.update(_last_paragraph(page, parts, lines))
        elif not has_lead and len(quoted) <= _SHORT_QUOTE and page.depth[quoted[0]]:
            kept.update(i for i in lines if parts[i] is Part.QUOTED)
    if runs and runs[-1][0] is Part.QUOTED and len(runs) > 1 and not inline:
        kept.update(_own_list(page, parts, runs[-1][1]))
    return kept


def _runs(page: Page, parts: list[Part]) -> list[tuple[Part, list[int]]]:
    """Return the runs of quoted and of new lines, in order, leaving out lines without words."""
    runs: list[tuple[Part, list[int]]] = []
    for i, part in enumerate(parts):
        kind = Part.QUOTED if part is Part.LEAD else part
        if kind is Part.NEW and not has_words(page.bare[i]):
            continue
        if kind in (Part.QUOTED, Part.NEW):
            if runs and runs[-1][0] is kind:
                runs[-1][1].append(i)
            else:
                runs.append((kind, [i]))
    return runs


def _last_paragraph(page: Page, parts: list[Part], lines: list[int]) -> list[int]:
    """Return the quoted paragraph above an answer: up from its last line to a blank one or another depth."""
    paragraph: list[int] = []
    for i in reversed(lines):
        if not page.bare[i] and not paragraph:
            continue
        ends = paragraph and (paragraph[-1] - i > 1 or page.depth[i] != page.depth[paragraph[-1]])
        if not page.bare[i] or parts[i] is Part.LEAD or ends or len(paragraph) == _KEPT_LINES:
            break
        paragraph.append(i)
    return paragraph


def _own_list(page: Page, parts: list[Part], lines: list[int]) -> list[int]:
    """Return lines with ">" at the end that are the author's own list, announced by a colon ("Langkahnya:")."""
    first = lines[0]
    if not first or len(lines) > _SHORT_QUOTE or parts[first - 1] is not Part.NEW or page.region[first]:
        return []
    plain = all(parts[i] is Part.QUOTED and page.depth[i] == 1 for i in lines)
    return lines if plain and page.bare[first - 1].endswith(":") and not looks_like_lead(page.bare[first - 1]) else []


def _lines(page: Page, numbers: Sequence[int]) -> str:
    """Join the lines of these numbers, with blank lines kept and one blank line in place of left-out lines."""
    out: list[str] = []
    previous = -1
    for i in numbers:
        if out and i > previous + 1:
            between = range(previous + 1, i)
            out.extend([""] * (len(between) if not any(page.bare[j] or page.depth[j] for j in between) else 1))
        out.append(page.shown[i])
        previous = i
    return "\n".join(out).strip("\n")
