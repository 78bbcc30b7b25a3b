"""Signatures, footers of phones and mail programs, and legal notices.

In: the lines that their author wrote (no quotation among them). Out: the numbers of the lines to hide.

When in doubt a line stays: a closing ("Salam, Acha"), a school's name, NPSN or telephone number under "Terima kasih" is
content to an agent. Only what marks itself is hidden: "-- " (RFC 3676 §4.3), the footers of phones and mail programs,
legal notices, lines drawn at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailbot.mail.reply.quote_start import is_rule
from mailbot.vocabulary import quoting as words

_DELIMITER = re.compile(r"(?:--|-- --|—|––|__|~~)$")
_UNDERSCORES = re.compile(r"_{5,}$")
_MAX_LINES, _MAX_CHARACTERS = 16, 1200  # a signature is no longer than this
_EXAMINED = 1000  # lines from the end that are searched for a footer
_TAIL_LINES = 5  # allowed below a line of underscores
_LINKED = re.compile(r"\s*[<(\[]\s*https?://[^\s>)\]]{1,250}\s*[>)\]]?")
_LINK = re.compile(r"^(?:[<(\[]?https?://\S{1,400}|<#[\w-]{1,80}>)$")
_EDGE = re.compile(r"^[\s*_~|\[(<•·\"'“—–-]+|[\s*_~|\])>\"'”]+$")

_FOOTERS = tuple(phrase.lower() for phrase in words.FOOTERS)
_DEVICE_FOOTERS = tuple(phrase.lower() for phrase in words.FOOTERS_OF_DEVICES)
_ENDINGS = tuple(words.FOOTER_ENDINGS)
_DISCLAIMERS = tuple(phrase.lower() for phrase in words.DISCLAIMERS)
_FEW_WORDS = 8
_SHORT, _LONG = 75, 90  # characters of a footer, without its link


def signature_lines(lines: Sequence[str]) -> set[int]:
    """Return the numbers of the lines that are signature, footer or notice; blank lines are never among them."""
    found: set[int] = set()
    end = _last(lines, len(lines))
    delimiter = _delimiter(lines, end)
    if delimiter is not None:
        found.update(i for i in range(delimiter, end) if lines[i])
        end = _last(lines, delimiter)
    notice = _notice(lines, end)
    if notice is not None:
        found.update(i for i in range(notice, end) if lines[i])
        end = _last(lines, notice)
    footers = _footers(lines, end)
    found.update(footers)
    for i in range(end - 1, -1, -1):
        if lines[i] and i not in footers:
            if not is_rule(lines[i]):
                break
            found.add(i)
    return found


def is_footer(line: str) -> bool:
    """Return whether a phone or a mail program added this line ("Dikirim dari iPhone saya")."""
    if len(line) > 300:
        return False
    plain = " ".join(_EDGE.sub("", _LINKED.sub("", line)).lower().split())
    if not plain or len(plain) >= _LONG:
        return False
    if plain.startswith(_FOOTERS):
        # "Sent from my desk, which is easier" is a sentence.
        return _names_device(plain) or ("," not in plain and len(plain.split()) <= _FEW_WORDS)
    if plain.startswith(_DEVICE_FOOTERS):
        return len(plain) < _SHORT and "?" not in plain and _names_device(plain)
    return plain.rstrip(" .。!)").endswith(_ENDINGS) and _names_device(plain)


def _names_device(plain: str) -> bool:
    for device in words.DEVICES:
        at = plain.find(device)
        before = plain[at - 1 : at]
        if at >= 0 and not (before.isascii() and before.isalpha()):
            return True
    return False


def _last(lines: Sequence[str], end: int) -> int:
    while end and not lines[end - 1]:
        end -= 1
    return end


def _delimiter(lines: Sequence[str], end: int) -> int | None:
    """Return the topmost line "-- " with no more than a signature's length below it."""
    found: int | None = None
    below = characters = 0
    data = False
    for i in range(end - 1, -1, -1):
        line = lines[i]
        if not line:
            continue
        # A drawn line is often a person's layout; only with a few lines without data below it is it a delimiter.
        drawn = 0 < below <= _TAIL_LINES and not data and _UNDERSCORES.match(line)
        if drawn or (line[0] in "-—–_~" and _DELIMITER.match(line)):
            found = i
        below += 1
        characters += len(line)
        data = data or ":" in line.replace("://", "")
        if below > _MAX_LINES or characters > _MAX_CHARACTERS:
            break
    return found


def _notice(lines: Sequence[str], end: int) -> int | None:
    """Return the first line of a legal notice, which begins a paragraph after the first and runs to the end."""
    for i in range(max(1, end - _EXAMINED), end):
        if not lines[i] or (lines[i - 1] and not is_rule(lines[i - 1])):
            continue
        plain = _EDGE.sub("", lines[i][:200]).lower()
        if plain.startswith(_DISCLAIMERS):
            following = " ".join(lines[i : min(end, i + 30)])[:1500].lower()
            if any(word in following for word in words.DISCLAIMER_WORDS) and any(line for line in lines[:i]):
                return i
    return None


def _footers(lines: Sequence[str], end: int) -> set[int]:
    """Return footers at the end of the text or in a paragraph of their own, with their links."""
    found: set[int] = set()
    links: list[int] = []
    ending = True  # nothing but footers below
    for i in range(end - 1, max(-1, end - _EXAMINED), -1):
        line = lines[i]
        if not line:
            continue
        alone = (i == 0 or not lines[i - 1]) and (i + 1 >= end or not lines[i + 1])
        if (ending or alone) and (is_footer(line) or (ending and _wrapped_footer(lines, i))):
            found.update((i, *links))
            links.clear()
        elif ending and _LINK.match(line):
            (found.add if i + 1 in found else links.append)(i)
        elif not is_rule(line):
            ending = False
    return found


def _wrapped_footer(lines: Sequence[str], i: int) -> bool:
    """Return whether this is the second half of a wrapped footer ("Sent from my" / "iPhone")."""
    above = lines[i - 1] if i else ""
    short = 0 < len(above) < 40 and len(lines[i]) < 40
    return short and above.lower().startswith(_FOOTERS) and is_footer(f"{above} {lines[i]}")
