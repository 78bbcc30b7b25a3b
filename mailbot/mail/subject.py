"""Subject lines: ticket numbers, reply and forward prefixes, a request for the status, and the plain words.

In: a decoded subject (RFC 2047 already undone). Out: numbers, booleans, text. Numbers are *candidates*: whether such a
ticket exists, and whether the sender takes part in it, is decided by ticket.matching. Never: the number of a school
(NPSN), a year, a date, an amount or a telephone number as a ticket.

The tokens of a subject are read from left to right; a number counts as a ticket's
- if it follows `#` (`#12345`, `# 12345`, `[#12345]`, `＃１２３４５`, `#12.345`), or
- if it follows a word for ticket (`no. tiket 12345`, `Tiket: 12345`, `nomor laporan 12345`),
unless the nearest label before it names another kind of number (`NPSN #20512345`, `kode error #10021`). A number of
one or two digits, or one that looks like a year, must be written as we write it (`#7 - Judul`, `[#7]`, `tiket #7`):
`#1 masalah` counts one problem. Numbers where we put ours (before the quoted subject, after the prefixes) or after a
word for ticket come first; otherwise the order is that of the subject.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mailbot.vocabulary import subjects as words

MAX_READ = 1000  # characters that are read; RFC 5322 §2.1.1 allows 998 a line
MAX_SUBJECT = 200
MAX_DIGITS = 9


def _any(choices: tuple[str, ...]) -> str:
    return "|".join(re.escape(w) for w in sorted(choices, key=len, reverse=True))


# "Re:", "RE :", "Re[2]:", "Re^2:", "Bls:"
_PREFIX = re.compile(
    rf"(?:(?P<reply>{_any(words.REPLY_PREFIXES)})|(?P<forward>{_any(words.FORWARD_PREFIXES)}))"
    r"[ ]{0,2}(?:[\[(^][ ]?[0-9]{1,3}[ ]?[\])]?[ ]?)?:[ ]{0,3}",
    re.IGNORECASE,
)
_GATEWAY = re.compile(rf"[\[(*]{{1,3}}(?:{_any(words.GATEWAY_LABELS)})[\])*]{{1,3}}[ ]{{0,3}}", re.IGNORECASE)
_OWN_TAG = re.compile(
    r"(?:[\[(][ ]?#{1,2}[ ]?(?P<in_brackets>[0-9]{1,9})[ ]?[\])]"
    r"|#{1,2}[ ]{0,2}(?P<bare>[0-9]{1,9})(?![0-9]|[.,:/-][0-9]|\w))"
    r"(?P<separator>[ ]{0,3}[-–—:|,;&/][ ]{0,3})?[ ]{0,3}"
)
_TOKEN = re.compile(r"[0-9][0-9.,/:-]*[0-9]|[0-9]|[^\W\d_]+|[^\s]")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_LISTED = re.compile(r"[0-9]{4,9}(?:,[0-9]{4,9})+")
_STATUS = re.compile(
    rf"{words.STATUS}[ ]{{0,3}}(?:{_any(tuple(words.TICKET_WORDS))})?[ ]{{0,3}}[:-]?[ ]{{0,3}}"
    r"(?:(?:no|nomor)[.:]?[ ]{0,3})?[\[(]?[ ]?#?[ ]{0,2}([1-9][0-9]{0,8})[ ]?[\])]?[ .!?]{0,3}",
    re.IGNORECASE,
)
_SOFT_PUNCTUATION = frozenset("#:.-=([\"'")


def subject_tags(subject: str) -> list[int]:
    """Return the ticket numbers that the subject may name, likeliest first, each once."""
    text = _folded(subject)
    if not any("0" <= c <= "9" for c in text):
        return []
    head = _read_head(text)
    tokens = _tokens(text)
    own_form = dict(head.tags)
    likely = list(own_form.values())
    rest: list[int] = []
    previous: int | None = None  # the last number, which a list may continue
    for index, token in enumerate(tokens):
        if not token.numbers or any(start <= token.start < end for start, end in own_form):
            previous = index if token.numbers else previous
            continue
        if previous is not None and _goes_on(tokens, previous, index):
            likely.extend(token.numbers)
            previous = index
            continue
        rank = _rank(tokens, index)
        if rank is not None:
            (likely if rank == 0 else rest).extend(token.numbers)
        previous = index if rank is not None else None
    return list(dict.fromkeys((*likely, *rest)))


def clean_subject(subject: str) -> str:
    """Return the plain words: no prefixes, no tag of ours, no controls, at most 200 characters."""
    text = " ".join("".join(" " if _is_blank(c) else c for c in subject if not _is_dropped(c)).split())[:MAX_READ]
    while True:
        folded, positions = _folded_with_positions(text)
        end = _read_head(folded).end
        if end == 0:
            break
        text = text[positions[end] :] if end < len(positions) else ""
    text = text.strip()
    if len(text) <= MAX_SUBJECT:
        return text
    cut = text[: MAX_SUBJECT - 1]
    return (cut.rpartition(" ")[0].rstrip() or cut) + "…"


def status_request(subject: str) -> int | None:
    """Return the number in `STATUS #12345` (any case, prefixes allowed, `#` optional), or None."""
    text = _folded(subject)
    head = _read_head(text)
    if head.tags:
        return None
    found = _STATUS.fullmatch(text, head.end)
    return int(found.group(1)) if found else None


def is_reply_subject(subject: str) -> bool:
    """Return whether the outermost prefix is one of a reply (`Re:`, `Bls:`, `Balas:`, …)."""
    return _read_head(_folded(subject)).outermost == "reply"


def is_forward_subject(subject: str) -> bool:
    """Return whether the outermost prefix is one of a forward (`Fwd:`, `Trs:`, `WG:`, …)."""
    return _read_head(_folded(subject)).outermost == "forward"


# The start of a subject: prefixes, gateway labels and tags in our own form, in any order and number


@dataclass(frozen=True, slots=True)
class _Head:
    end: int
    outermost: str
    tags: tuple[tuple[tuple[int, int], int], ...]  # ((start, end), number)


def _read_head(text: str) -> _Head:
    position = len(text) - len(text.lstrip())
    end, outermost = 0, ""
    tags: list[tuple[tuple[int, int], int]] = []
    while True:
        if prefix := _PREFIX.match(text, position):
            outermost = outermost or ("reply" if prefix.group("reply") else "forward")
            position = end = prefix.end()
        elif gateway := _GATEWAY.match(text, position):
            position = end = gateway.end()
        elif (tag := _OWN_TAG.match(text, position)) and (number := _own_number(text, tag)):
            tags.append(((tag.start(), tag.end()), number))
            position = end = tag.end()
        else:
            return _Head(end, outermost, tuple(tags))


def _own_number(text: str, tag: re.Match[str]) -> int:
    """Return the number of a tag at the start, 0 if it counts something ("#1 masalah", "#2025 tahap 2")."""
    digits: str = tag.group("in_brackets") or tag.group("bare")
    if digits.startswith("0"):
        return 0
    separator = tag.group("separator") or ""
    if tag.group("in_brackets") or any(c in separator for c in "-–—") or tag.end() == len(text):
        return int(digits)
    counts = len(digits) < 3 or _is_year(digits)
    names_school = len(digits) == 8 and words.SCHOOL_NUMBER in text.lower()
    if names_school or (counts and not _PREFIX.match(text, tag.end())):
        return 0
    return int(digits)


# The rest of a subject, token by token


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int
    numbers: tuple[int, ...] = ()


def _tokens(text: str) -> list[_Token]:
    found = list(_TOKEN.finditer(text))
    tokens = []
    for match in found:
        glued = match.end() < len(text) and (text[match.end()].isalpha() or text[match.end()] == "_")
        numbers = () if glued else _numbers(match.group())
        tokens.append(_Token(match.group().lower(), match.start(), match.end(), numbers))
    return tokens


def _numbers(text: str) -> tuple[int, ...]:
    if not text[0].isascii() or not text[0].isdigit() or text[0] == "0":
        return ()
    if text.isdigit():
        return (int(text),) if len(text) <= MAX_DIGITS else ()
    if _THOUSANDS.fullmatch(text):
        return (int(text.replace(".", "")),)
    if _LISTED.fullmatch(text):
        return tuple(int(part) for part in text.split(",") if part[0] != "0")
    return ()


def _rank(tokens: list[_Token], index: int) -> int | None:
    """Rank a number: 0 certainly a ticket, 1 of the form of a tag, None another kind of number."""
    token = tokens[index]
    hashed = _is_hashed(tokens, index)
    label, numbered = _label(tokens, index)
    digits = len(str(token.numbers[0]))
    if label == "other" or (digits == 8 and not label and any(t.text == words.SCHOOL_NUMBER for t in tokens)):
        return None
    following = tokens[index + 1].text if index + 1 < len(tokens) else ""
    if not hashed and (following in words.COUNTED or following == "%"):
        return None
    if label == "ticket" and (hashed or numbered or digits >= 3):
        return 0
    if label == "report" and (hashed or numbered) and digits >= 3 and not _is_year(token.text):
        return 0
    in_brackets = hashed and following == "]" and "[" in (t.text for t in tokens[max(0, index - 3) : index])
    if in_brackets or (hashed and digits >= 3 and not _is_year(token.text)):
        return 1
    return None


def _is_hashed(tokens: list[_Token], index: int) -> bool:
    """Return whether `#` is at most two spaces before the number, and not part of a link or of `&#…;`."""
    if index == 0 or tokens[index - 1].text != "#" or tokens[index].start - tokens[index - 1].end > 2:
        return False
    for at in range(index - 1, 0, -1):
        if tokens[at - 1].end < tokens[at].start:  # a blank: the start of the word with "#"
            break
        if tokens[at - 1].text in {"&", "/"}:
            return False
    return True


def _label(tokens: list[_Token], index: int) -> tuple[str, bool]:
    """Return what the nearest word before the number says it is, "" if nothing, and whether it has a "no."."""
    numbered, skipped = False, 0
    for at in range(index - 1, max(-1, index - 9), -1):
        text = tokens[at].text
        if text in words.TICKET_WORDS or text in words.REPORT_WORDS:
            before = {t.text for t in tokens[max(0, at - 2) : at]}  # "no. tiket", "nomor laporan"
            return ("ticket" if text in words.TICKET_WORDS else "report"), numbered or bool(before & words.NUMBER_WORDS)
        if text == words.SCHOOL_NUMBER:
            return ("other" if len(tokens[index].text) in (7, 8, 9) else ""), numbered
        if text in words.OTHER_NUMBERS:
            return ("other" if skipped == 0 else ""), numbered
        if text in words.FAULT_WORDS:
            coded = numbered or (at > 0 and tokens[at - 1].text in words.NUMBER_WORDS)
            return ("other" if coded else ""), numbered
        if text in words.NUMBER_WORDS:
            numbered = True
        elif text in words.FILLERS:
            skipped += 1
        elif text not in _SOFT_PUNCTUATION:
            return "", numbered
    return "", numbered


def _goes_on(tokens: list[_Token], previous: int, index: int) -> bool:
    """Return whether a number continues a list ("tiket 12345 dan 12346"): joined, with as many digits."""
    between = [t.text for t in tokens[previous + 1 : index] if t.text not in {"#", "[", "]", "(", ")"}]
    same_length = len(str(tokens[previous].numbers[-1])) == len(str(tokens[index].numbers[0]))
    return len(between) == 1 and between[0] in words.JOINERS and same_length


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and digits[:2] in {"19", "20"}


# Characters


def _folded(subject: str) -> str:
    return _folded_with_positions(subject)[0].rstrip()


def _folded_with_positions(subject: str) -> tuple[str, list[int]]:
    """Return compatibility forms in plain form (＃１２ → #12), blanks as spaces, and each character's old position."""
    if subject.isprintable() and unicodedata.is_normalized("NFKC", subject):  # nothing to fold, as in nearly all
        return subject[:MAX_READ], list(range(min(len(subject), MAX_READ)))
    folded: list[str] = []
    positions: list[int] = []
    for position, character in enumerate(subject[:MAX_READ]):
        if _is_dropped(character):
            continue
        plain = " " if _is_blank(character) else unicodedata.normalize("NFKC", character)
        folded.append(plain)
        positions.extend([position] * len(plain))
    return "".join(folded), positions


def _is_blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Cc"


def _is_dropped(character: str) -> bool:
    """Return whether a character is invisible (soft hyphen, zero width, direction mark), except joiners of emoji."""
    return unicodedata.category(character) in {"Cf", "Cs"} and character not in "\u200c\u200d"
