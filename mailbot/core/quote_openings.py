"""Where quotations open: "On Monday, Sally wrote:", "Dari: … Dikirim: …", "-----Original Message-----", our own marker.

In: a `Page`. Out: `Opening`s in their order, each with the lines it takes and how much it proves. Only lines that bear
no quote mark are looked at: what stands inside a quotation opens nothing.

A line counts as an attribution only if it has the verb in the right place AND an address or a date; as a header block
only with the sender, two more fields AND an address or a time. "Pada tanggal 3 bendahara menulis:" has neither. What
proves less (`strong=False`) opens a quotation only where lines with quote marks follow; `core.body` looks at that.

Every pattern is linear: each looks at one line or a few joined ones, at most `_LONGEST` characters of them.
Standards: none; the forms are those of the programs' translations. RFC 5322 §3.4 for what an address looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mailbot.core.quote_lines import Page, Region, has_words
from mailbot.vocabulary import quoting as words

_LONGEST = 700  # characters of an attribution, with a long list of names
_TRIES = 400  # lines of one body that are examined closely; nobody writes more of them above a quotation
_WRAPPED = 6  # lines that an attribution or the marker may be wrapped over

ADDRESS = re.compile(r"[\w.+=%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}|\[mailto:|<javascript:|\[EMAIL", re.I)


@dataclass(frozen=True, slots=True)
class Opening:
    """Lines `start` to `end` (not included) that stand above a quotation, and what follows `end` is quoted.

    `rule` names it for the admin; `strong`: it needs no quote marks below it; `forward`: a mail was passed on here;
    `split` is the position in line `start` where the opening begins, if words of the author stand before it.
    """

    start: int
    end: int
    rule: str
    strong: bool = True
    forward: bool = False


def _any(phrases: Iterable[str]) -> str:
    return "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in sorted(phrases, key=len, reverse=True))


# --- attributions -----------------------------------------------------------------------------------------------------

_VERBS = tuple((lang, verb) for lang, verbs in words.WROTE.items() for verb in verbs)
_LANGUAGE_OF = {verb.lower(): lang for lang, verb in reversed(_VERBS)}
_VERB = re.compile(rf"(?<![^\W\d_])(?:{_any(verb for _, verb in _VERBS if verb.isascii() or verb[0].isalpha() and ord(verb[0]) < 0x2000)})"
                   rf"(?![^\W\d_])|(?:{_any(verb for _, verb in _VERBS if ord(verb[0]) >= 0x0E00)})", re.I)
_INTRO = re.compile(rf"(?:{_any(words.INTRODUCTIONS)})(?![^\W\d_])", re.I)
_DAY = re.compile(rf"\(?(?:{_any(words.DAYS)})[^\W\d_]{{0,9}}[.,)]?(?=[\s,]|$)", re.I)
_MONTH = rf"(?:{_any(m for group in words.MONTHS for m in group)})[^\W\d_]{{0,9}}\.?"
_DATE = re.compile(
    r"\b\d{1,2}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2,4}\b"  # 03/11/2025, 3. 11. 2025
    r"|\b\d{4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,2}\b"  # 2025-11-03
    r"|\d{4}\s?[年년]\s?\d{1,2}\s?[月월]|\b\d{1,2}\s?[月월]\s?\d{1,2}"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th|er|\.|º|-?е)?\s+(?:de\s+|d['’]|ta['’]\s)?{_MONTH}(?![^\W\d_])"  # 3 Nov, 3 de novembro, 3. November
    r"|\b\d{1,2}\.?\s+[^\W\d_]{3,12}\.?,?\s+(?:de\s+|р\.\s+)?(?:19|20)\d\d\b"  # 3 any-month 2025
    rf"|(?<![^\W\d_]){_MONTH}[\s-]+\d{{1,2}}(?!\d)"  # Nov 3, 2025
    r"|\b\d{1,2}-[^\W\d_]{3,9}-\d{2,4}\b|tháng\s+\d{1,2}|\b\d{1,2}\s+Thg\s",
    re.I,
)
_YEAR = re.compile(r"(?:19|20)\d\d|25[67]\d")  # the Thai calendar too
_TIME = re.compile(r"\b\d{1,2}\s?[:.]\s?\d{2}(?!\d|[./]\d{2,4})|\b\d{1,2}\s?(?:[aApP]\.?\s?[mM]\b|[h時时시点點]\s?\d{0,2})")
_TRAILING = " *_:：;​\t"
_DASHES = "-–—_=‐"
# Programs that name no verb: "3.11.2025, 15:10, "Sally" <…>:", "2025年11月3日(月) 15:10 Sally <…>:", and old Gmail's
# "2025-11-03 15:10 GMT+07:00 Sally".
_DATE_FIRST = re.compile(r"(?:[^\W\d_]{2,14}\.?,?\s+)?\(?\d")
_ADDRESS_LAST = re.compile(r"@[\w.-]{2,120}[>)\]]?\s?[:：]$")
_OLD_GMAIL = re.compile(r"^\d{4}-\d\d-\d\d \d{1,2}:\d\d GMT[+-]\d\d:\d\d\s+\S.{0,160}$")
_SENTENCE_END = re.compile(r"[.!?]\s+\S")
_INLINE = re.compile(rf"(?<=[\w.!?)])\s{{0,4}}(?=(?:Pada|On|Am|Le|El|Il|Em|Op)\s+(?:tanggal\s+|hari\s+|giorno\s+)?(?:{_any(words.DAYS)}|\d)[^:<>]{{0,60}}\d)", re.I)


def _between_dashes(text: str) -> str | None:
    """What stands between two drawn lines ("---- On … wrote ----"), or None."""
    if len(text) < 8 or not (text[0] in _DASHES and text[1] in _DASHES and text[-1] in _DASHES and text[-2] in _DASHES):
        return None
    return text.strip(f"{_DASHES} ").rstrip(":： ") or None


def find_openings(page: Page) -> list[Opening]:
    """All openings of a page outside of marked quotations, in order, none overlapping another."""
    found: list[Opening] = []
    skip = tries = 0
    for i, bare in enumerate(page.bare):
        if i < skip or not bare or page.depth[i] or page.region[i] is Region.SIGNATURE or not _may_open(bare):
            continue
        tries += 1
        if tries > _TRIES:
            break
        opening = _opening_at(page, i, skip)
        if opening is not None:
            found.append(opening)
            skip = opening.end
    return found


def _may_open(line: str) -> bool:
    """A quick look: most lines have neither a colon, nor a drawn line, nor a word of our marker."""
    return ":" in line or "：" in line or line[0] in _SEPARATOR_STARTS or (
        len(line) < 200 and (_MARKER_START.search(line) is not None or _ORIGINAL.match(line) is not None)
    )


def _opening_at(page: Page, i: int, floor: int) -> Opening | None:
    # The order matters: a separator stands above a header block and takes it along; a block may hold a line that
    # looks like an attribution, never the other way round.
    line = page.bare[i][:_LONGEST]
    if line[0] in _SEPARATOR_STARTS or line[-1] in ":：" or len(line) < 40:
        separator = _separator(page, i, line)
        if separator is not None:
            return separator
    if ":" in line or "：" in line:
        block = header_block(page, i)
        if block is not None:
            return Opening(i, block.end, f"headers:{block.language}")
        opening = _attribution(page, i, line, floor)
        if opening is not None:
            return opening
        if line[:4].isdigit() and _OLD_GMAIL.match(line):
            return Opening(i, i + 1, "attribution:gmail")
    elif _between_dashes(line):
        opening = _attribution(page, i, line, floor)
        if opening is not None:
            return opening
    return _marker(page, i, line)


def _attribution(page: Page, last: int, line: str, floor: int) -> Opening | None:
    """The attribution that ends in line `last`: it may have begun up to `_WRAPPED` lines before."""
    if not _may_end(line):
        return None
    best: tuple[int, Opening] | None = None
    joined = ""
    for first in range(last, max(floor, last - _WRAPPED) - 1, -1):
        part = page.bare[first]
        # A name may be wrapped onto a line with a mark of its own; an empty line ends the search.
        if not part or page.depth[first] or len(joined) + len(part) > _LONGEST:
            break
        joined = f"{part} {joined}" if joined else part
        verdict = attribution(joined)
        if verdict is None:
            continue
        worth, rule, strong = verdict
        if best is None or worth > best[0]:
            best = (worth, Opening(first, last + 1, rule, strong))
    return best[1] if best else None


def _may_end(line: str) -> bool:
    if line.rstrip(" *_").endswith((":", "：", ":-")) or _between_dashes(line):
        return True
    # Yahoo's Android program puts the quotation on the same line: "Pada … <…> menulis:   Halo".
    return "@" in line and _VERB.search(line) is not None


def attribution(text: str) -> tuple[int, str, bool] | None:
    """Is this "On Monday, Sally <…> wrote:"? (how well it begins: 1 to 3, rule, strong), or None.

    `text` is one line, or the lines of a wrapped one joined by spaces.
    """
    inner = _between_dashes(text)
    dashed = inner is not None
    text = inner or text
    address, date, time = ADDRESS.search(text), _DATE.search(text), _TIME.search(text)
    if not (address or date):
        return None
    if date and time and address and _DATE_FIRST.match(text) and _ADDRESS_LAST.search(text) and not _VERB.search(text):
        return 3, "attribution:date", True
    verb = _ending_verb(text, dashed)
    if verb is None:
        # The same in a language that we don't know: a day, an hour or an author, and the colon.
        return (1, "attribution:any", False) if date and (time or address) and len(text) < 200 and _may_end(text) else None
    rule = f"attribution:{_LANGUAGE_OF.get(' '.join(verb[0].lower().split()), 'any')}"
    intro = _INTRO.match(text) or _DAY.match(text) or text[0].isdigit()
    day = _DAY.search(text[:40])
    if intro and date:
        dated = bool(time or _YEAR.search(text))
        # Without an address only the full form of a program counts by itself: day, date and time.
        return 3, rule, bool((address and dated) or (day and time and _YEAR.search(text)) or dashed)
    if address and _author_first(text, address):
        return 2, rule, True
    if dashed:
        return 2, rule, True
    if date and len(text) < 160:
        return 1, rule, False
    return None if len(text) > 160 or not address else (1, rule, False)


def _author_first(text: str, address: re.Match[str]) -> bool:
    """Does the text begin with 'Sally <sally@…>' or 'sally@…', and not with a sentence that names an address?"""
    before, after = text[: address.start()], text[address.end() :]
    name = before.rstrip("<([\"'“ ").removesuffix("mailto:").rstrip("<([ ")
    if len(name) > 90 or any(c in name for c in "<>:;!?") or _SENTENCE_END.search(name):
        return False
    return before != name and after[:1] in ">])[" if name else after[:1] in "> ])"


def _ending_verb(text: str, dashed: bool) -> re.Match[str] | None:
    """The verb, if nothing but a colon, an author or a date stands behind it."""
    for found in _VERB.finditer(text):
        rest = text[found.end() :].strip(" *_")
        if rest in (":", "：", ": -", ":-") or (not rest and dashed):
            return found
        tail = rest.rstrip(_TRAILING)
        language = _LANGUAGE_OF.get(" ".join(found[0].lower().split()), "")
        ended = rest != tail and ":" in rest[len(tail) :] + "：".replace("：", "") or rest.endswith("：") or dashed
        if ended and language in words.VERB_BEFORE_NAME and len(tail) < 240 and "\n" not in tail:
            # Nothing but an author or a date: no verb, no second sentence.
            if ADDRESS.search(tail) or _DATE.search(tail) or (_DATE.search(text[: found.start()]) and len(tail.split()) <= 5):
                return found
        # Yahoo for Android: an address just before the verb, the quotation just behind the colon.
        if rest[0:1] == ":" and ADDRESS.search(text[max(0, found.start() - 90) : found.start()]):
            return found
    return None


def split_inline(line: str) -> int | None:
    """Where in a line that begins with the author's words an attribution begins; None if there's none."""
    if "@" not in line or _VERB.search(line) is None:
        return None
    for found in _INLINE.finditer(line[:_LONGEST]):
        verdict = attribution(line[found.end() :])
        if verdict is not None and verdict[2]:
            return found.end()
    return None


# --- header blocks ----------------------------------------------------------------------------------------------------

_ROLES: dict[str, set[str]] = {}
for _role, _keys in words.HEADER_KEYS.items():
    for _key in _keys:
        _ROLES.setdefault(_key.lower(), set()).add(_role)
_INNER_KEY = re.compile(r"(?:(?<=\s)|(?<=\*))([^\s:：*]{1,20}(?:\s[^\s:：*]{1,12})?)\s?\*{0,2}[:：]\*{0,2}(?=\s|$)")
_LONGEST_KEY = 45
_LANGUAGE_OF_KEY = {"dari": "id", "pengirim": "id", "from": "en", "von": "de", "de": "fr", "da": "it", "van": "nl", "od": "pl",
                    "от": "ru", "від": "uk", "från": "sv", "fra": "da", "lähettäjä": "fi", "feladó": "hu", "kimden": "tr",
                    "gönderen": "tr", "差出人": "ja", "送信者": "ja", "发件人": "zh", "寄件者": "zh", "보낸 사람": "ko", "từ": "vi",
                    "จาก": "th", "من": "ar", "מאת": "he", "de la": "ro", "από": "el", "remitente": "es"}


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """The fields above a quoted or forwarded mail: role → value, and the line where what was written begins."""

    end: int
    language: str
    fields: dict[str, str]


def field(line: str) -> tuple[str, str] | None:
    """(name in lower case, value) of a line like "Dari: Sally", "*From:* Sally" or "Subjek: | Fwd"; None for others."""
    head = line[:_LONGEST_KEY]
    at = head.find(":")
    wide = head.find("：")
    at = wide if at < 0 or 0 <= wide < at else at
    if at < 1:
        return None
    key = " ".join(head[:at].strip(" \t*_|•").lower().split())
    return (key, line[at + 1 :].strip(" \t*_|")) if key in _ROLES else None


def header_block(page: Page, start: int, lenient: bool = False) -> HeaderBlock | None:
    """The block that begins at line `start`. With `lenient` (below a separator) two fields are enough."""
    depth = page.depth[start]
    if field(page.bare[start]) is None:
        return None
    fields: dict[str, str] = {}
    language, i, end, last, blanks, loose = "any", start, start, "", 0, 0
    while i < len(page) and page.depth[i] == depth and i - start < 60:
        bare = page.bare[i][:_LONGEST]
        found = field(bare) if bare else None
        if found is not None:
            role = _role_of(found[0], fields)
            # A second "From:" opens the next mail of the thread.
            if role in fields and role not in ("cc", "other"):
                break
            if role == "from":
                language = _LANGUAGE_OF_KEY.get(found[0], "any")
            last = role
            fields.setdefault(role, found[1])
            end, blanks, loose = i + 1, 0, 0
        elif not bare:
            blanks += 1
            if blanks > 2:
                break
        elif blanks == 0 and last and loose < 8:
            # A long list of recipients, or a subject, wrapped; it counts only if another field follows.
            loose += 1
        elif blanks and last and not fields.get(last):
            fields[last], end, blanks = bare, i + 1, 0
        else:
            break
        i += 1
    if len(fields) < 3:
        _split_inner(page.bare[start][:_LONGEST], fields)
    end = _wrapped_end(page, end, depth, last)
    return HeaderBlock(end, language, fields) if _proves(fields, lenient) else None


def _role_of(key: str, fields: dict[str, str]) -> str:
    roles = _ROLES[key]
    # "De" and "Da" are senders, "Data" a date, "A" and "An" recipients: few words have two roles, and then the order tells.
    for role in ("from", "sent", "to", "cc", "subject", "other"):
        if role in roles and role not in fields:
            return role
    return next(iter(sorted(roles)))


def _wrapped_end(page: Page, end: int, depth: int, last: str) -> int:
    """A subject or a list of recipients in the last field may go on in the next line."""
    if end < len(page) and page.bare[end] and page.depth[end] == depth and last in ("to", "cc"):
        follows = page.bare[end]
        if ADDRESS.search(follows) and len(follows) < 300 and not follows.rstrip().endswith((".", "?", "!", ":")):
            return end + 1
    return end


def _split_inner(line: str, fields: dict[str, str]) -> None:
    """Fields that a poor converter put on one line: "From: A Sent: B To: C Subject: D"."""
    if line.count(":") < 3:
        return
    keys = ((m, " ".join(m[1].lower().split())) for m in _INNER_KEY.finditer(" " + line))
    # Two words before a colon may be the end of a value and a key: "… 2025 To:".
    marks = [(m.end() - len(m[0]), m.end(), key if key in _ROLES else key.rpartition(" ")[2]) for m, key in keys]
    marks = [mark for mark in marks if mark[2] in _ROLES]
    if len(marks) < 3:
        return
    for number, (_, value_start, key) in enumerate(marks):
        stop = marks[number + 1][0] if number + 1 < len(marks) else len(line) + 1
        fields.setdefault(_role_of(key, fields), (" " + line)[value_start:stop].strip())


def _proves(fields: dict[str, str], lenient: bool) -> bool:
    if "from" not in fields:
        return False
    others = len({"sent", "to", "subject"} & fields.keys())
    if others < (1 if lenient else 2):
        return False
    # A person's own "Dari: … Tanggal: … Perihal: …" names neither an address nor an hour.
    values = " ".join(value[:200] for value in fields.values())
    sent = fields.get("sent", "")
    return lenient or bool(ADDRESS.search(values) or (_DATE.search(sent) and _TIME.search(sent)))


def has_field(line: str) -> bool:
    """Does the line begin with a field of a header block ("Dari: …")?"""
    return field(line) is not None


def looks_like_lead(text: str) -> bool:
    """A line that ends in a colon and names an address, or a day and an hour: the line above a quotation, in any words.

    Proves nothing without a quotation below it.
    """
    if not text.rstrip(" *_").endswith((":", "：")) or len(text) > 300:
        return False
    return bool(ADDRESS.search(text) or (_DATE.search(text) and (_TIME.search(text) or _YEAR.search(text))))


# --- separators and our marker ----------------------------------------------------------------------------------------

_SEPARATOR_STARTS = frozenset("-–—_=*~‐>+•.·|#[")
_RULE = r"[-–—_=~‐+#.·]{2,}+"
_ORIGINAL = re.compile(rf"^\W{{0,3}}?{_RULE}\s?\**(?:{_any(words.ORIGINAL_MESSAGE)})\**\s{{0,3}}(?:{_RULE})?"
                       rf"|^[*_]{{0,2}}(?:{_any(words.ORIGINAL_MESSAGE)})[*_]{{0,2}}\s?[:：]?[*_]{{0,2}}$", re.I)
_FORWARDED = re.compile(rf"^\W{{0,3}}?{_RULE}\s?\**(?:{_any(words.FORWARDED_MESSAGE)})\b.{{0,80}}$"
                        rf"|^[*_]{{0,2}}(?:{_any(words.FORWARDED_MESSAGE)})\s?[:：][*_]{{0,2}}$", re.I)
_DRAWN = re.compile(_RULE)
_BLANK_RULE = re.compile(r"^[-–—_=*~‐+#.·\s]{3,}$")
_MARKERS = tuple(
    "".join(c for c in marker.lower() if c.isalpha()) for marker in (*words.MARKER_LINES, *words.OTHER_MARKER_LINES)
)
_MARKER_START = re.compile("|".join(sorted({re.escape(m.split()[0]) for m in (*words.MARKER_LINES, *words.OTHER_MARKER_LINES)})), re.I)


def starts_forward(line: str) -> bool:
    """Is this the line above a mail that was passed on ("---------- Forwarded message ---------")?"""
    return bool(_FORWARDED.match(line[:_LONGEST]))


def is_rule(line: str) -> bool:
    """A line drawn with characters."""
    return bool(_BLANK_RULE.match(line[:300]))


def _separator(page: Page, i: int, line: str) -> Opening | None:
    forward = _FORWARDED.match(line)
    original = None if forward else _ORIGINAL.match(line)
    if not (forward or original):
        return None
    rest = line[original.end() :].strip() if original else ""
    if rest and has_words(rest) and field(rest) is None:
        return None
    dashed = bool(_DRAWN.search(line))
    follow = next((j for j in range(i + 1, min(i + 6, len(page))) if page.bare[j]), None)
    if rest and has_words(rest):
        # Some programs put the fields behind it, on the same line.
        return Opening(i, i + 1, "separator")
    block = header_block(page, follow, lenient=True) if follow is not None else None
    if block is not None:
        return Opening(i, block.end, "separator", True, bool(forward))
    if follow is not None and original:
        below = [o for j in range(follow, min(follow + 3, len(page))) if (o := _attribution(page, j, page.bare[j], follow))]
        if below:
            return Opening(i, below[0].end, "separator")
    # Undashed words prove nothing by themselves: "Pesan asli:" may be a person's heading.
    return Opening(i, i + 1, "separator", dashed, bool(forward)) if dashed or forward else None


def _marker(page: Page, i: int, line: str) -> Opening | None:
    """Our own line, though a program may have wrapped or decorated it."""
    if not _MARKER_START.search(line):
        return None
    joined, last = "", i
    for j in range(i, min(i + _WRAPPED, len(page))):
        if not page.bare[j]:
            break
        joined += page.bare[j][:200]
        last = j
        if has_marker(joined):
            # The other language's half may stand on the lines that follow.
            end = last + 1
            while end < len(page) and page.bare[end] and end - i < 3 and has_marker(page.bare[end]):
                end += 1
            return Opening(i, end, "marker")
    return None


def has_marker(text: str) -> bool:
    """Does the text hold our marker line, whatever stands between its letters?"""
    letters = "".join(c for c in text[:2000].lower() if c.isalpha())
    return any(marker in letters for marker in _MARKERS)
