"""Classification of the lines of a body: new, quoted, lead of a quotation, or signature.

In: a `Page`, its quote starts, and if known the texts that we sent. Out: a `Part` per line, and the rule that found the
quotation.

The evidence, strongest first: elements of the HTML, quote marks, quote starts, our own texts. A quote start with marked
lines below it applies to just those; a strong one without applies to everything to the end.
"""

from __future__ import annotations

import re
from enum import IntEnum

from mailbot.mail.reply.attributions import looks_like_lead
from mailbot.mail.reply.header_blocks import field
from mailbot.mail.reply.lines import Page, Region
from mailbot.mail.reply.quote_start import QuoteStart, is_rule
from mailbot.mail.reply.sent_texts import SentTexts
from mailbot.mail.reply.signature import signature_lines

_NEAR = 4  # lines between a quote start and the quotation below it
_WRAP = 60  # a quoted line longer than this may have been broken by a relay
_ENOUGH_SENT = 2  # lines of ours in a row that make a quotation without any mark
_KNOWN_SHARE = 2 / 3  # of a quotation must be ours before the rest of it counts as answers
_TRACKER = "\u1427"
_OPEN_LINK = re.compile(r"<(?:https?:|mailto:|www\.)[^<>\s]{1,400}$")


class Part(IntEnum):
    """The kind of one line."""

    BLANK = 0
    NEW = 1
    QUOTED = 2
    LEAD = 3  # attribution or header block
    SIGNATURE = 4


def parts_of(page: Page, quote_starts: list[QuoteStart], sent_texts: SentTexts | None) -> tuple[list[Part], str]:
    """Return (the part of each line, the rule that found the quotation or "")."""
    parts = [_first_guess(page, i) for i in range(len(page))]
    tail, rule = _apply_quote_starts(page, parts, quote_starts)
    tail, rule = _apply_structure(page, parts, tail, rule)
    _rejoin_wraps(page, parts)
    if sent_texts is not None and _hide_sent_text(page, parts, tail, sent_texts):
        rule = rule or "sent"
    if tail < len(page):
        tail = _extend_up(page, parts, tail)
        for i in range(tail, len(page)):
            filled = page.bare[i] or page.depth[i] or parts[i] is Part.SIGNATURE
            parts[i] = Part.QUOTED if filled else Part.BLANK
        if sent_texts is not None:
            _restore_answers(page, parts, tail, sent_texts)
    elif not rule and Part.QUOTED in parts:
        rule = "marks"
    _mark_signatures(page, parts)
    return parts, rule


def _first_guess(page: Page, i: int) -> Part:
    region = page.region[i]
    if not page.bare[i] and not page.depth[i]:
        # A mail tracker's mark below the text.
        return Part.SIGNATURE if _TRACKER in page.shown[i] else Part.BLANK
    if page.depth[i] or region is Region.QUOTE:
        return Part.QUOTED
    if region is Region.LEAD:
        return Part.LEAD
    return Part.SIGNATURE if region is Region.SIGNATURE else Part.NEW


def _apply_quote_starts(page: Page, parts: list[Part], quote_starts: list[QuoteStart]) -> tuple[int, str]:
    """Return (the first line of a quotation to the end, or the number of lines; the rule of the first quote start)."""
    rule = ""
    last_quoted = _last_quoted(parts)
    for quote_start in quote_starts:
        if page.region[quote_start.start] is Region.QUOTE:
            continue
        below = _next_words(page, quote_start.end, _NEAR)
        marked = below is not None and parts[below] is Part.QUOTED
        if not marked and page.region[quote_start.start] in (Region.FRAME, Region.LEAD):
            marked = last_quoted >= quote_start.end
        if marked:
            for i in range(quote_start.start, quote_start.end):
                parts[i] = Part.LEAD if page.bare[i] else Part.BLANK
        elif quote_start.strong:
            return quote_start.start, rule or quote_start.rule
        else:
            continue
        rule = rule or quote_start.rule
    return len(page), rule


def _next_words(page: Page, start: int, near: int) -> int | None:
    return next((i for i in range(start, min(start + near, len(page))) if page.bare[i]), None)


def _last_quoted(parts: list[Part]) -> int:
    return next((i for i in range(len(parts) - 1, -1, -1) if parts[i] is Part.QUOTED), -1)


def _apply_structure(page: Page, parts: list[Part], tail: int, rule: str) -> tuple[int, str]:
    """Apply the HTML's elements: cuts, leads without a quotation, unknown lines at the top of a frame."""
    for cut in sorted(page.cuts):
        if cut < tail and (cut >= len(page) or page.region[cut] is not Region.QUOTE):
            tail, rule = cut, rule or "element"
    last_quoted = _last_quoted(parts[:tail])
    for i, part in enumerate(parts[:tail]):
        if part is Part.LEAD and page.region[i] is Region.LEAD and last_quoted < i:
            tail, rule = i, rule or "element"
            break
    in_frame = lead = False
    for i in range(tail):
        in_frame, was = page.region[i] in (Region.FRAME, Region.LEAD), in_frame
        if in_frame and not was:
            # Without a known lead above the quotation, all lines above it are the lead.
            lead = _frame_has_lead(page, parts, i)
        if in_frame and parts[i] is Part.NEW and not lead and _quoted_next(page, parts, i):
            parts[i] = Part.LEAD
        lead = lead or parts[i] is Part.QUOTED
    return tail, rule


def _frame_has_lead(page: Page, parts: list[Part], start: int) -> bool:
    for i in range(start, len(page)):
        if page.region[i] not in (Region.FRAME, Region.LEAD) or parts[i] is Part.QUOTED:
            return False
        if parts[i] is Part.LEAD:
            return True
    return False


def _quoted_next(page: Page, parts: list[Part], start: int) -> bool:
    return any(parts[i] is Part.QUOTED for i in range(start, min(start + _NEAR + 2, len(page))))


def _rejoin_wraps(page: Page, parts: list[Part]) -> None:
    """Rejoin a quoted line that a relay wrapped: "> … please visit your user" / "preferences."."""
    for i in range(1, len(page)):
        if page.depth[i] == 1 and parts[i - 1] is Part.NEW and _OPEN_LINK.search(page.bare[i - 1]):
            # A link wrapped before its ">" is no quotation.
            parts[i] = Part.NEW
        elif parts[i] is Part.NEW and parts[i - 1] is Part.QUOTED and page.depth[i - 1] and not page.region[i]:
            above, line = page.shown[i - 1], page.bare[i]
            goes_on = len(above) >= _WRAP and above[-1] not in ".?!:" and line[0].islower()
            ends = i + 1 == len(page) or parts[i + 1] is not Part.NEW
            if goes_on and ends and len(line) < 40:
                parts[i] = Part.QUOTED


def _hide_sent_text(page: Page, parts: list[Part], tail: int, sent_texts: SentTexts) -> bool:
    """Mark runs of lines that we sent as quoted, though nothing else marks them."""
    hidden = False
    i = 0
    while i < tail:
        if parts[i] is not Part.NEW or not sent_texts.may_contain(page.bare[i]):
            i += 1
            continue
        end, certain, last = i, 0, i
        while end < tail and parts[end] in (Part.NEW, Part.BLANK):
            if parts[end] is Part.NEW:
                if not sent_texts.may_contain(page.bare[end]):
                    break
                certain += sent_texts.contains(page.bare[end])
                last = end
            end += 1
        if certain >= _ENOUGH_SENT:
            hidden = True
            for j in range(_extend_up(page, parts, i), last + 1):
                parts[j] = Part.QUOTED if page.bare[j] else Part.BLANK
        i = max(end, i + 1)
    return hidden


def _restore_answers(page: Page, parts: list[Part], tail: int, sent_texts: SentTexts) -> None:
    """Mark answers inside or below a quotation without marks as new, by comparison with what we sent."""
    filled = [i for i in range(tail, len(page)) if page.bare[i] and not page.depth[i]]
    known = [i for i in filled if sent_texts.may_contain(page.bare[i])]
    if sum(1 for i in known if sent_texts.contains(page.bare[i])) < _ENOUGH_SENT:
        return
    first, last = known[0], known[-1]
    inner = [i for i in filled if first < i < last]
    answers = [i for i in inner if not sent_texts.may_contain(page.bare[i]) and _may_answer(page, i)]
    if answers and len(inner) - len(answers) >= _KNOWN_SHARE * len(inner):
        for i in answers:
            parts[i] = Part.NEW
    below = [i for i in range(last + 1, len(page)) if page.bare[i]]
    if below and sent_texts.ends_with(page.bare[last]) and all(_may_answer(page, i) for i in below):
        for i in below:
            parts[i] = Part.NEW


def _may_answer(page: Page, i: int) -> bool:
    line = page.bare[i]
    return not (page.depth[i] or is_rule(line) or field(line) or looks_like_lead(line))


def _extend_up(page: Page, parts: list[Part], start: int) -> int:
    """Extend the start of a quotation upwards, over drawn lines and a lead that no rule knows."""
    top = start
    while top and (not page.bare[top - 1] or (parts[top - 1] is Part.NEW and is_rule(page.bare[top - 1]))):
        top -= 1
    lead = top
    while lead and top - lead < 3 and parts[lead - 1] is Part.NEW:
        lead -= 1
        if looks_like_lead(" ".join(page.bare[lead:top])):
            return lead
    # Blank lines stay outside.
    while top < start and not page.bare[top]:
        top += 1
    return top


def _mark_signatures(page: Page, parts: list[Part]) -> None:
    """Mark signatures and footers in each run of new lines."""
    i = 0
    while i < len(parts):
        if parts[i] is not Part.NEW:
            i += 1
            continue
        end = i
        while end < len(parts) and parts[end] in (Part.NEW, Part.BLANK):
            end += 1
        for number in signature_lines(page.bare[i:end]):
            parts[i + number] = Part.SIGNATURE
        i = end
