"""Starts of quotations: an attribution, a header block, a separator ("-----Pesan Asli-----"), our own marker line.

In: a `Page`. Out: `QuoteStart`s in order, each with its lines and whether it is strong. Only lines without a quote mark
are examined. `parts` decides what follows from them.

The work is bounded: a cheap test of each line, a close examination of at most `_TRIES` lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailbot.mail.reply.attributions import (
    MAX_LENGTH,
    Attribution,
    attribution,
    begins_attribution,
    may_end_attribution,
)
from mailbot.mail.reply.header_blocks import field, header_block
from mailbot.mail.reply.lines import Page, Region, has_words
from mailbot.vocabulary import quoting as words

_TRIES = 400  # lines of one body that are examined closely; nobody writes more candidates above a quotation
_WRAPPED = 6  # lines that an attribution or the marker may be wrapped over
_NEAR = 6  # lines between a separator and what belongs to it

_RULE_SIGNS = "-–—_=~‐+#.·*>•|[ "
_STARTS = frozenset(_RULE_SIGNS)
_DRAWN = re.compile(r"[-–—_=~‐+#.·]{2}")
_BLANK_RULE = re.compile(r"[-–—_=*~‐+#.·\s]{3,}$")
_LONG_RULE = re.compile(r"[-–—_=~‐]{4,}+")
_OLD_GMAIL = re.compile(r"\d{4}-\d\d-\d\d \d{1,2}:\d\d GMT[+-]\d\d:\d\d\s+\S.{0,160}$")
_ORIGINAL = frozenset(phrase.lower().replace("’", "'") for phrase in words.ORIGINAL_MESSAGE)
_FORWARDED = tuple(phrase.lower().replace("’", "'") for phrase in words.FORWARDED_MESSAGE)
_ALL_MARKERS = (*words.MARKER_LINES, *words.OTHER_MARKER_LINES)
_MARKERS = tuple("".join(c for c in marker.lower() if c.isalpha()) for marker in _ALL_MARKERS)
_MARKER_FIRST = tuple({marker.split()[0].lower() for marker in _ALL_MARKERS})
_MARKER_LAST = tuple({marker.split()[-2].lower() for marker in _ALL_MARKERS})  # "garis", "this", "baris"


@dataclass(frozen=True, slots=True)
class QuoteStart:
    """Lines above a quotation, which begins at `end`."""

    start: int
    #: The line after the last one.
    end: int
    #: For the admin.
    rule: str
    #: It needs no quote marks below it.
    strong: bool = True
    #: A forwarded mail follows, not a quotation.
    forward: bool = False
    #: The address of the sender in a header block, or "".
    author: str = ""


def find_quote_starts(page: Page) -> list[QuoteStart]:
    """Return all quote starts of a page outside of marked quotations, in order, without overlaps."""
    found: list[QuoteStart] = []
    skip = tries = 0
    marked = _marker_possible(page)
    for i, bare in enumerate(page.bare):
        if i < skip or not bare or page.depth[i] or page.region[i] is Region.SIGNATURE:
            continue
        if not (":" in bare or "：" in bare or bare[0] in _STARTS or marked or _may_be_title(bare)):
            continue
        tries += 1
        if tries > _TRIES:
            break
        quote_start = _opening_at(page, i, skip)
        if quote_start is not None:
            found.append(quote_start)
            skip = quote_start.end
    return found


def _may_be_title(line: str) -> bool:
    return len(line) < MAX_LENGTH and (line.lower() in _ORIGINAL or may_end_attribution(line))


def _marker_possible(page: Page) -> bool:
    unmarked = "\n".join(line for line, depth in zip(page.bare, page.depth, strict=True) if not depth).lower()
    return any(word in unmarked for word in _MARKER_LAST)


def _opening_at(page: Page, i: int, floor: int) -> QuoteStart | None:
    # The order matters: a separator includes the header block below it; a block may contain a line that looks like an
    # attribution, never the other way round.
    line = page.bare[i][:MAX_LENGTH]
    separator = _separator(page, i, line)
    if separator is not None:
        return separator
    if ":" in line or "：" in line:
        block = header_block(page, i)
        if block is not None:
            return QuoteStart(i, block.end, f"headers:{block.language}", author=block.author)
        if line[:4].isdigit() and _OLD_GMAIL.match(line):
            wrapped = i + 1 < len(page) and not line.endswith(":") and page.bare[i + 1].endswith(">:")
            return QuoteStart(i, i + 1 + wrapped, "attribution:gmail")
    return _attribution(page, i, line, floor) or _marker(page, i, line)


def _attribution(page: Page, last: int, line: str, floor: int) -> QuoteStart | None:
    """Return the attribution that ends in line `last`, wrapped over at most `_WRAPPED` lines."""
    if not may_end_attribution(line):
        return None
    best: tuple[Attribution, int] | None = None
    joined = ""
    for first in range(last, max(floor, last - _WRAPPED) - 1, -1):
        part = page.bare[first]
        # A blank line, or one with a quote mark, ends the search.
        if not part or page.depth[first] or len(joined) + len(part) > MAX_LENGTH:
            break
        joined = f"{part} {joined}" if joined else part
        verdict = attribution(joined)
        if verdict is not None and (
            best is None or verdict.confidence > best[0].confidence or begins_attribution(part)
        ):
            best = verdict, first
    if best is None or (best[0].confidence < 3 and last - best[1] < 2):
        best = _across_blank(page, last, floor) or best
    return QuoteStart(best[1], last + 1, best[0].rule, best[0].strong) if best else None


def _across_blank(page: Page, last: int, floor: int) -> tuple[Attribution, int] | None:
    """Return an attribution whose two halves a converter separated by a blank line."""
    first = last - 1
    while first > floor and last - first < 4 and not page.bare[first]:
        first -= 1
    if first < floor or first == last - 1 or not page.bare[first] or page.depth[first]:
        return None
    if not begins_attribution(page.bare[first]):
        return None
    verdict = attribution(f"{page.bare[first]} {page.bare[last]}"[:MAX_LENGTH])
    return (verdict, first) if verdict is not None and verdict.confidence == 3 else None


# --- separators -------------------------------------------------------------------------------------------------------


def is_rule(line: str) -> bool:
    """Return whether a line is drawn with characters, with or without a title ("------- Original -------")."""
    line = line[:300]
    if _BLANK_RULE.match(line):
        return True
    drawn = _LONG_RULE.match(line)
    if drawn is None or len(line) > 80 or line[-1] not in _STARTS:
        return False
    return _LONG_RULE.search(line, drawn.end() + 2) is not None


def starts_forward(line: str) -> bool:
    """Return whether this is the line above a forwarded mail ("---------- Forwarded message ---------")."""
    title = _title(line)
    if not title.startswith(_FORWARDED):
        return False
    # Undashed it needs its colon: "Begin forwarded message:".
    return bool(_DRAWN.search(line[:12])) or (line.rstrip(" *_").endswith((":", "：")) and len(line) < 80)


def _title(line: str) -> str:
    """Return the words of a separator in lower case, without the drawn line around them."""
    return line[:160].strip(_RULE_SIGNS).rstrip(":：*_] ").lower().replace("’", "'")


def _separator(page: Page, i: int, line: str) -> QuoteStart | None:
    forward = starts_forward(line)
    rest = ""
    if not forward and _title(line) not in _ORIGINAL:
        # Some programs append the fields on the same line: "-------- Pesan asli --------Dari: …".
        pieces = _LONG_RULE.split(line, maxsplit=2)
        rest = pieces[2].strip() if len(pieces) == 3 and not has_words(pieces[0]) else ""
        if not rest or pieces[1].strip(" *").lower() not in _ORIGINAL or field(rest) is None:
            return None
    if rest:
        return QuoteStart(i, i + 1, "separator")
    below = next((j for j in range(i + 1, min(i + _NEAR, len(page))) if page.bare[j]), None)
    block = header_block(page, below, lenient=True) if below is not None else None
    if block is not None:
        return QuoteStart(i, block.end, "separator", forward=forward)
    if below is not None and not forward:
        for j in range(below, min(below + 3, len(page))):
            lead = _attribution(page, j, page.bare[j], below) if page.bare[j] else None
            if lead is not None:
                return QuoteStart(i, lead.end, "separator")
    # Words without a drawn line prove nothing: "Pesan asli:" may be a person's heading.
    return QuoteStart(i, i + 1, "separator", forward=forward) if forward or _DRAWN.search(line) else None


# --- our marker -------------------------------------------------------------------------------------------------------


def _marker(page: Page, i: int, line: str) -> QuoteStart | None:
    """Return our own marker line, also wrapped or decorated by a program."""
    if not any(word in line.lower() for word in _MARKER_FIRST):
        return None
    first, joined = len(_letters(line)), ""
    for j in range(i, min(i + _WRAPPED, len(page))):
        if not page.bare[j] or page.depth[j]:
            break
        joined += _letters(page.bare[j][:200])
        # The marker must begin in line i, not below it.
        if any(0 <= joined.find(marker) < first for marker in _MARKERS):
            # The half in the other language may be on the next line.
            end = j + 1
            while end < min(i + 3, len(page)) and page.bare[end] and has_marker(page.bare[end]):
                end += 1
            return QuoteStart(i, end, "marker")
    return None


def has_marker(text: str) -> bool:
    """Return whether the text contains our marker line, with anything between its letters."""
    letters = _letters(text[:2000])
    return any(marker in letters for marker in _MARKERS)


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalpha())
