"""Header blocks above a quoted or forwarded mail: "Dari: … Dikirim: … Kepada: … Subjek: …", in many languages.

In: a `Page` and the line where such a block may begin. Out: a `HeaderBlock`, or None.

A block needs the sender, two more fields AND an address or a time (or a date with time, and an address): a person's own
"Dari: …, Tanggal: …, Perihal: …" has neither. Below a separator ("-----Pesan Asli-----") the sender and one more field
are enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailbot.mail.reply.attributions import ADDRESS, MAX_LENGTH, TIME, has_date
from mailbot.mail.reply.lines import Page
from mailbot.vocabulary import quoting as words

_LONGEST_KEY = 45
_MAX_LINES = 60
_MAX_LOOSE = 8  # lines of a wrapped list of recipients
_ROLES: dict[str, tuple[str, ...]] = {}
for _role, _keys in words.HEADER_KEYS.items():
    for _key in _keys:
        if _role not in _ROLES.get(_key.lower(), ()):
            _ROLES[_key.lower()] = (*_ROLES.get(_key.lower(), ()), _role)
_INNER_KEY = re.compile(r"(?:(?<=\s)|(?<=\*))([^\s:：*]{1,20}(?:\s[^\s:：*]{1,12})?)\s?\*{0,2}[:：]\*{0,2}(?=\s|$)")
_LANGUAGE_OF = {name.lower(): language for language, names in words.FROM_LANGUAGES.items() for name in names}


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """A recognised header block."""

    #: The line after the block.
    end: int
    #: ISO 639-1 code, "any" where the sender field is ambiguous.
    language: str
    #: Values by role: from, sent, to, cc, subject, other.
    fields: dict[str, str]

    @property
    def author(self) -> str:
        """The sender's address, lower case, or ""."""
        found = ADDRESS.search(self.fields.get("from", ""))
        return found[0].lower() if found else ""


def field(line: str) -> tuple[str, str] | None:
    """Split "Dari: Sally", "*From:* Sally" or "Subjek: | Fwd" into (lower-case name, value); None for other lines."""
    head = line[:_LONGEST_KEY]
    at, wide = head.find(":"), head.find("：")
    at = wide if at < 0 or 0 <= wide < at else at
    if at < 1:
        return None
    key = " ".join(head[:at].strip(" \t*_|•").lower().split())
    return (key, line[at + 1 :].strip(" \t*_|")) if key in _ROLES else None


def header_block(page: Page, start: int, lenient: bool = False) -> HeaderBlock | None:
    """Return the block that begins at line `start`. With `lenient` (below a separator) two fields are enough."""
    if field(page.bare[start]) is None:
        return None
    depth, end, last, language = page.depth[start], start, "", "any"
    fields: dict[str, str] = {}
    loose: list[str] = []
    blanks = 0
    for i in range(start, min(start + _MAX_LINES, len(page))):
        if page.depth[i] != depth:
            break
        bare = page.bare[i][:MAX_LENGTH]
        found = field(bare) if bare else None
        if found is not None:
            before, last = last, _role_of(found[0], fields)
            # A second "From:" begins the next mail of the thread.
            if last in fields and last not in ("cc", "other"):
                break
            language = _LANGUAGE_OF.get(found[0], "any") if last == "from" else language
            if loose:
                fields[before] = " ".join((fields[before], *loose))
            fields.setdefault(last, found[1])
            end, blanks, loose = i + 1, 0, []
        elif not bare:
            blanks += 1
            if blanks > 4:
                break
        elif blanks == 0 and len(loose) < _MAX_LOOSE:
            # A wrapped list of recipients or subject; it counts only if another field follows.
            loose.append(bare)
        elif blanks and not fields.get(last):
            fields[last], end, blanks = bare, i + 1, 0
        else:
            break
    if len(fields) < 3:
        _split_line(page.bare[start][:MAX_LENGTH], fields)
    end = _wrapped_end(page, end, depth, last)
    return HeaderBlock(end, language, fields) if _proves(fields, lenient) else None


def _role_of(key: str, fields: dict[str, str]) -> str:
    # A few names have two roles ("De", "Data"): take the one that is still missing.
    return next((role for role in _ROLES[key] if role not in fields), _ROLES[key][0])


def _wrapped_end(page: Page, end: int, depth: int, last: str) -> int:
    """Return the end of the block, with the second line of a wrapped list of recipients in the last field."""
    if last in ("to", "cc") and end < len(page) and page.bare[end] and page.depth[end] == depth:
        follows = page.bare[end]
        if len(follows) < 300 and ADDRESS.search(follows) and not follows.endswith((".", "?", "!", ":")):
            return end + 1
    return end


def _split_line(line: str, fields: dict[str, str]) -> None:
    """Add the fields that a converter put on one line: "From: A Sent: B To: C Subject: D"."""
    if line.count(":") < 3:
        return
    padded = f" {line}"
    keys = ((m, " ".join(m[1].lower().split())) for m in _INNER_KEY.finditer(padded))
    # Two words before a colon may be the end of a value and a key: "… 2025 To:".
    marks = [(m.start(), m.end(), key if key in _ROLES else key.rpartition(" ")[2]) for m, key in keys]
    marks = [mark for mark in marks if mark[2] in _ROLES]
    if len(marks) < 3:
        return
    for (_, begin, key), (stop, _, _) in zip(marks, [*marks[1:], (len(padded), 0, "")], strict=True):
        fields.setdefault(_role_of(key, fields), padded[begin:stop].strip())


def _proves(fields: dict[str, str], lenient: bool) -> bool:
    sent = fields.get("sent", "")
    dated = has_date(sent) and bool(TIME.search(sent))
    named = any(ADDRESS.search(value[:200]) for value in fields.values())
    if dated and named:
        return True
    if "from" not in fields or len({"sent", "to", "subject"} & fields.keys()) < (1 if lenient else 2):
        return False
    return lenient or named or dated
