"""Where quotations open: an attribution, a header block, a separator ("-----Pesan Asli-----"), our own marker line.

In: a `Page`. Out: `Opening`s in their order, each with the lines it takes and how much it proves. Only lines that bear
no quote mark are looked at: what stands inside a quotation opens nothing. `core.reply_parts` decides what they mean.

The work is bounded: a quick look at each line, a close one at no more than `_TRIES` of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailbot.mail.reply.attributions import LONGEST as _LONGEST
from mailbot.mail.reply.attributions import (
    Attribution,
    attribution,
    begins_attribution,
    may_end_attribution,
)
from mailbot.mail.reply.header_blocks import field, header_block
from mailbot.mail.reply.lines import (
    Page,
    Region,
    has_words,
)
from mailbot.vocabulary import quoting as words

_TRIES = 400  # lines of one body that are examined closely; nobody writes more of them above a quotation
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
class Opening:
    """Lines `start` to `end` (not included) stand above a quotation, and what follows `end` is quoted.

    `rule` names it for the admin; `strong`: it needs no quote marks below it; `forward`: a mail was passed on here;
    `author`: the address in a header block's sender, "" if there's none.
    """

    start: int
    end: int
    rule: str
    strong: bool = True
    forward: bool = False
    author: str = ""


def find_openings(page: Page) -> list[Opening]:
    """All openings of a page outside of marked quotations, in order, none overlapping another."""
    found: list[Opening] = []
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
        opening = _opening_at(page, i, skip)
        if opening is not None:
            found.append(opening)
            skip = opening.end
    return found


def _may_be_title(line: str) -> bool:
    return len(line) < _LONGEST and (line.lower() in _ORIGINAL or may_end_attribution(line))


def _marker_possible(page: Page) -> bool:
    unmarked = "\n".join(line for line, depth in zip(page.bare, page.depth, strict=True) if not depth).lower()
    return any(word in unmarked for word in _MARKER_LAST)


def _opening_at(page: Page, i: int, floor: int) -> Opening | None:
    # The order matters: a separator stands above a header block and takes it along; a block may hold a line that
    # looks like an attribution, never the other way round.
    line = page.bare[i][:_LONGEST]
    separator = _separator(page, i, line)
    if separator is not None:
        return separator
    if ":" in line or "：" in line:
        block = header_block(page, i)
        if block is not None:
            return Opening(i, block.end, f"headers:{block.language}", author=block.author)
        if line[:4].isdigit() and _OLD_GMAIL.match(line):
            wrapped = i + 1 < len(page) and not line.endswith(":") and page.bare[i + 1].endswith(">:")
            return Opening(i, i + 1 + wrapped, "attribution:gmail")
    return _attribution(page, i, line, floor) or _marker(page, i, line)


def _attribution(page: Page, last: int, line: str, floor: int) -> Opening | None:
    """The attribution that ends in line `last`: it may have begun up to `_WRAPPED` lines before."""
    if not may_end_attribution(line):
        return None
    best: tuple[Attribution, int] | None = None
    joined = ""
    for first in range(last, max(floor, last - _WRAPPED) - 1, -1):
        part = page.bare[first]
        # An empty line, or one with a quote mark, ends the search.
        if not part or page.depth[first] or len(joined) + len(part) > _LONGEST:
            break
        joined = f"{part} {joined}" if joined else part
        verdict = attribution(joined)
        if verdict is not None and (best is None or verdict.worth > best[0].worth or begins_attribution(part)):
            best = verdict, first
    if best is None or (best[0].worth < 3 and last - best[1] < 2):
        best = _across_blank(page, last, floor) or best
    return Opening(best[1], last + 1, best[0].rule, best[0].strong) if best else None


def _across_blank(page: Page, last: int, floor: int) -> tuple[Attribution, int] | None:
    """The same where a converter put an empty line between the two halves of a wrapped attribution."""
    first = last - 1
    while first > floor and last - first < 4 and not page.bare[first]:
        first -= 1
    if first < floor or first == last - 1 or not page.bare[first] or page.depth[first]:
        return None
    if not begins_attribution(page.bare[first]):
        return None
    verdict = attribution(f"{page.bare[first]} {page.bare[last]}"[:_LONGEST])
    return (verdict, first) if verdict is not None and verdict.worth == 3 else None


# --- separators -------------------------------------------------------------------------------------------------------


def is_rule(line: str) -> bool:
    """A line drawn with characters, with or without a title in it ("------- Original -------")."""
    line = line[:300]
    if _BLANK_RULE.match(line):
        return True
    drawn = _LONG_RULE.match(line)
    if drawn is None or len(line) > 80 or line[-1] not in _STARTS:
        return False
    return _LONG_RULE.search(line, drawn.end() + 2) is not None


def starts_forward(line: str) -> bool:
    """Is this the line above a mail that was passed on ("---------- Forwarded message ---------")?"""
    title = _title(line)
    if not title.startswith(_FORWARDED):
        return False
    # Undashed it needs its colon: "Begin forwarded message:".
    return bool(_DRAWN.search(line[:12])) or (line.rstrip(" *_").endswith((":", "：")) and len(line) < 80)


def _title(line: str) -> str:
    """The words of a separator, in lower case, without what is drawn around them."""
    return line[:160].strip(_RULE_SIGNS).rstrip(":：*_] ").lower().replace("’", "'")


def _separator(page: Page, i: int, line: str) -> Opening | None:
    forward = starts_forward(line)
    rest = ""
    if not forward and _title(line) not in _ORIGINAL:
        # Some programs put the fields behind it, on the same line: "-------- Pesan asli --------Dari: …".
        pieces = _LONG_RULE.split(line, maxsplit=2)
        rest = pieces[2].strip() if len(pieces) == 3 and not has_words(pieces[0]) else ""
        if not rest or pieces[1].strip(" *").lower() not in _ORIGINAL or field(rest) is None:
            return None
    if rest:
        return Opening(i, i + 1, "separator")
    below = next((j for j in range(i + 1, min(i + _NEAR, len(page))) if page.bare[j]), None)
    block = header_block(page, below, lenient=True) if below is not None else None
    if block is not None:
        return Opening(i, block.end, "separator", forward=forward)
    if below is not None and not forward:
        for j in range(below, min(below + 3, len(page))):
            led = _attribution(page, j, page.bare[j], below) if page.bare[j] else None
            if led is not None:
                return Opening(i, led.end, "separator")
    # Undrawn words prove nothing by themselves: "Pesan asli:" may be a person's heading.
    return Opening(i, i + 1, "separator", forward=forward) if forward or _DRAWN.search(line) else None


# --- our marker -------------------------------------------------------------------------------------------------------


def _marker(page: Page, i: int, line: str) -> Opening | None:
    """Our own line, though a program may have wrapped or decorated it."""
    if not any(word in line.lower() for word in _MARKER_FIRST):
        return None
    first, joined = len(_letters(line)), ""
    for j in range(i, min(i + _WRAPPED, len(page))):
        if not page.bare[j] or page.depth[j]:
            break
        joined += _letters(page.bare[j][:200])
        # It must begin in line i, not below it.
        if any(0 <= joined.find(marker) < first for marker in _MARKERS):
            # The other language's half may stand on the next line.
            end = j + 1
            while end < min(i + 3, len(page)) and page.bare[end] and has_marker(page.bare[end]):
                end += 1
            return Opening(i, end, "marker")
    return None


def has_marker(text: str) -> bool:
    """Does the text hold our marker line, whatever stands between its letters?"""
    letters = _letters(text[:2000])
    return any(marker in letters for marker in _MARKERS)


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalpha())
