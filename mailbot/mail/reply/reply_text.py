"""The new words of a mail: what its author wrote now, apart from what they quote, and from their signature.

In: a mail (`InboundMessage`, or raw bytes), and if known the texts of the mails that we sent to its author.
Out: `Reply`.

The straight line: HTML or text → lines with their regions (`core.quoting_html`, `core.quote_lines`) → openings
(`core.quote_openings`) and our own words (`core.originals`) → each line is NEW, QUOTED or SIGNATURE → `Reply`.

What always holds
- The cut only hides: text, quoted and signature together have every word of the body, each once.
- A forward is no reply: nothing is cut from it (`core.forward` reads it).
- A reply without a word of its own is shown whole, never empty.
- An answer between quoted lines keeps the paragraph that it answers; a whole quotation above an answer is hidden.

Standards: RFC 3676 §4.3 (signature), §4.5 (quote marks). Never: an exception, whatever the text; a look at the desk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mailbot.mail.message import InboundMessage, Reply
from mailbot.mail.reply.attributions import looks_like_lead, split_glued
from mailbot.mail.reply.forward import passed_on_at
from mailbot.mail.reply.html_quotes import page_of_html
from mailbot.mail.reply.lines import (
    Page,
    Region,
    has_words,
    page_of_text,
    visible,
)
from mailbot.mail.reply.parts import Part, parts_of
from mailbot.mail.reply.quote_start import find_openings
from mailbot.mail.reply.sent_texts import Originals
from mailbot.mail.reply.signature import is_footer
from mailbot.mail.subject import is_forward_subject, is_reply_subject

_KEPT_LINES = 12  # of the paragraph that an inline answer answers
_SHORT_QUOTE = 8  # lines of a quotation without attribution that is context rather than ballast


def extract_reply(raw: bytes) -> Reply:
    """The new words of a mail as it came (RFC 5322 bytes). Total: any bytes will do."""
    from mailbot.mail.mime.parser import parse_message

    return new_words(parse_message(raw))


def new_words(message: InboundMessage, sent: Sequence[str] = ()) -> Reply:
    """The new words of a mail. `sent`: plain texts of the mails that we sent to its author on this ticket."""
    passed_on = is_forward_subject(message.subject)
    # In a first mail "Dari: <its author> … Perihal: …" is the head of a letter, not of a quotation.
    answers = message.in_reply_to or message.references or is_reply_subject(message.subject)
    author = "" if answers else message.from_addr
    if not message.html.strip():
        return cut_text(message.text, sent, passed_on=passed_on, author=author)
    names = {a.content_id: a.name for a in message.attachments if a.content_id}
    reply = cut_html(message.html, sent, passed_on=passed_on, author=author, pictures=names)
    # HTML without a word in it, or a text part that marks quotations which the HTML doesn't.
    if reply.text and (reply.rule or "\n>" not in f"\n{message.text}"):
        return reply
    other = cut_text("" if message.text_from_html else message.text, sent, passed_on=passed_on, author=author)
    return other if other.rule or not reply.text else reply


def cut_text(text: str, sent: Sequence[str] = (), *, passed_on: bool = False, author: str = "") -> Reply:
    """The new words of a plain text body.

    `passed_on`: the subject says that it is a forward. `author`: an address in whose name no header block quotes.
    """
    page = page_of_text(_split_lines(visible(text)))
    return _cut(page, sent, passed_on, author, "") or _whole(page, nothing_new=True)


def cut_html(
    html: str,
    sent: Sequence[str] = (),
    *,
    passed_on: bool = False,
    author: str = "",
    pictures: Mapping[str, str] | None = None,
) -> Reply:
    """The new words of an HTML body, as plain text. `pictures`: names of the inline pictures by Content-ID."""
    page, rule = page_of_html(html)
    reply = _cut(page, sent, passed_on, author, rule)
    if reply is None and "<img" in html.lower():
        # A photo and nothing else above the quotation: that is an answer.
        shown, rule = page_of_html(html, pictures or {})
        reply = _cut(shown, sent, passed_on, author, rule)
    return reply or _whole(page, nothing_new=True)


def _whole(page: Page, *, nothing_new: bool = False) -> Reply:
    return Reply("\n".join(page.shown).strip(), nothing_new=nothing_new)


def _split_lines(text: str) -> str:
    """The text with attributions that a program glued to the author's last words on lines of their own."""
    if "@" not in text:
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        at = split_glued(line) if ":" in line and "@" in line and not line.startswith(">") else None
        lines.extend((line,) if at is None else (line[:at], line[at:]))
    return "\n".join(lines)


def _cut(page: Page, sent: Sequence[str], passed_on: bool, author: str, rule: str) -> Reply | None:
    """The page in three; None if nothing in it is new."""
    openings = [opening for opening in find_openings(page) if not author or opening.author != author]
    if passed_on_at(page, openings, passed_on) is not None:
        return _whole(page)
    parts, found = parts_of(page, openings, Originals(sent) if sent else None)
    answers = [i for i, part in enumerate(parts) if part is Part.NEW and has_words(page.bare[i])]
    if not answers:
        # Some people type their answer into the element that holds their signature.
        answers = [i for i, part in enumerate(parts) if part is Part.SIGNATURE and page.region[i] is Region.SIGNATURE]
        if not answers or not any(has_words(page.bare[i]) and not is_footer(page.bare[i]) for i in answers):
            return None
        for i in answers:
            parts[i] = Part.NEW
    shown = _kept_quotes(page, parts)
    shown.update(i for i, part in enumerate(parts) if part is Part.NEW)
    hidden = [i for i, part in enumerate(parts) if part in (Part.QUOTED, Part.LEAD) and i not in shown]
    apart = [i for i, part in enumerate(parts) if part is Part.SIGNATURE]
    # The words that opened the quotation say more than its element, an element more than mere marks.
    name = rule or found if found in ("", "marks", "element") else found
    if not hidden:
        name = "signature" if apart else ""
    for i in shown:
        # A kept line of a quotation without marks gets one, so that it can be told from the answer.
        if parts[i] is Part.QUOTED and not page.depth[i] and page.bare[i]:
            page.shown[i] = f"> {page.shown[i]}"
    return Reply(_lines(page, sorted(shown)), _lines(page, hidden), _lines(page, apart), name)


def _kept_quotes(page: Page, parts: list[Part]) -> set[int]:
    """Quoted lines that are shown, because new words answer them."""
    runs = _runs(page, parts)
    answered = [n for n, (kind, _) in enumerate(runs[:-1]) if kind is Part.QUOTED and runs[n + 1][0] is Part.NEW]
    inline = len(answered) > 1 or (bool(answered) and runs[-1][0] is Part.QUOTED)
    kept: set[int] = set()
    for n in answered:
        lines = runs[n][1]
        quoted = [i for i in lines if parts[i] is Part.QUOTED and page.bare[i]]
        if not quoted:
            continue
        led = any(parts[i] is Part.LEAD for i in lines)
        asked = len(quoted) <= 2 and page.bare[quoted[-1]].endswith(("?", "？"))
        if inline or (led and asked):
            kept.update(_last_paragraph(page, parts, lines))
        elif not led and len(quoted) <= _SHORT_QUOTE and page.depth[quoted[0]]:
            kept.update(i for i in lines if parts[i] is Part.QUOTED)
    if runs and runs[-1][0] is Part.QUOTED and len(runs) > 1 and not inline:
        kept.update(_own_list(page, parts, runs[-1][1]))
    return kept


def _runs(page: Page, parts: list[Part]) -> list[tuple[Part, list[int]]]:
    """Stretches of quoted and of new lines, in order; what has no words belongs to neither."""
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
    """The quoted paragraph that an answer follows: up from its last line to an empty one or a deeper quotation."""
    paragraph: list[int] = []
    for i in reversed(lines):
        if not page.bare[i] and not paragraph:
            continue
        apart = paragraph and (paragraph[-1] - i > 1 or page.depth[i] != page.depth[paragraph[-1]])
        if not page.bare[i] or parts[i] is Part.LEAD or apart or len(paragraph) == _KEPT_LINES:
            break
        paragraph.append(i)
    return paragraph


def _own_list(page: Page, parts: list[Part], lines: list[int]) -> list[int]:
    """Lines with ">" at the end that their author announced ("Langkahnya:") are a list of theirs, not a quotation."""
    first = lines[0]
    if not first or len(lines) > _SHORT_QUOTE or parts[first - 1] is not Part.NEW or page.region[first]:
        return []
    plain = all(parts[i] is Part.QUOTED and page.depth[i] == 1 for i in lines)
    return lines if plain and page.bare[first - 1].endswith(":") and not looks_like_lead(page.bare[first - 1]) else []


def _lines(page: Page, numbers: Sequence[int]) -> str:
    """The lines of these numbers; one empty line where empty ones, or lines that belong elsewhere, lay between."""
    out: list[str] = []
    previous = -1
    for i in numbers:
        if out and i > previous + 1:
            between = range(previous + 1, i)
            out.extend([""] * (len(between) if not any(page.bare[j] or page.depth[j] for j in between) else 1))
        out.append(page.shown[i])
        previous = i
    return "\n".join(out).strip("\n")
