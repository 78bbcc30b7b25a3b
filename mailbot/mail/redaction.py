"""What of a person's words may reach others: no signed address, no private address, no quotation of our own mail.

In: words that were cut already (core.body), what is public on the ticket, whose addresses are private. Out: the words
as they go on. And of files that are text: the same bytes with every token made unreadable, at the same length.

A token is found in every form in which mail programs carry it: upper case, percent-encoded in a link, as an HTML
entity, cut in two by a line end (of format=flowed, of quoted-printable, of a quotation), with characters between that
nobody sees, in base64. Linear in the text's length.

Standards: RFC 5233 (sub-addresses), RFC 3986 §2.1 (%2B), RFC 2045 §6.7 (soft line breaks).
Never: decides who may read what (core.audience, intake.sight), looks anything up.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Collection, Sequence

from mailbot.mail.message import InboundMessage
from mailbot.mail.reply.attributions import attribution
from mailbot.mail.reply.forward import read_forward
from mailbot.vocabulary.domains import HOME_SUFFIXES
from mailbot.vocabulary.quoting import MARKER_LINES
from mailbot.vocabulary.subjects import (
    ENDINGS,
    LINK_WORDS,
    NUMBER_PLACE_WORDS,
)

# What may stand between two characters of a token without a reader's seeing it: a line end, a soft one too, with the
# marks of a quotation behind it, and characters without width.
_GAP = r"(?:=?\r?\n[> \t]{0,8}|[\u200b-\u200d\u2060\ufeff\xad])?"
_LETTER = rf"[a-zA-Z2-7]{_GAP}"
_TOKEN = rf"[racbskqRACBSKQ]{_GAP}0{_GAP}(?:{_LETTER}){{1,13}}?0{_GAP}(?:{_LETTER}){{19}}[a-zA-Z2-7](?![a-zA-Z0-9])"
_PLUS = r"(?:\+|%2[Bb]|%252[Bb]|=2[Bb]|&#0{0,4}43;|&#[xX]0{0,4}2[bB];|&plus;)"
# The sign before it is part of what is found, and so is taken away with it; else no letter or digit may stand there.
_ANY = re.compile(rf"({_GAP}{_PLUS}{_GAP})({_TOKEN})|(?<![a-zA-Z0-9])({_TOKEN})")
# Nearly no text has even this much of one.
_HINT = re.compile(r"[racbskq](?:=?\r?\n|[\u200b-\u200d\u2060\ufeff\xad])?[> \t]{0,8}0", re.I)
_ESCAPED = re.compile(r"[a-zA-Z0-9]")
_QUOTED = re.compile(r"\s{0,4}(?:>[ \t]?)+")
_WORDS = re.compile(r"[^\W_]+")
_MARKERS = frozenset(" ".join(_WORDS.findall(line.lower())) for line in MARKER_LINES)

HIDDEN = "***"
_TEXT_TYPES = ("text/", "message/", "application/xml", "application/xhtml", "application/json", "image/svg")


def without_tokens(text: str) -> str:
    """The text with `support+TOKEN@…` as `support@…`, and every other token as `***`."""
    if not _HINT.search(text):
        return text
    return _ANY.sub(lambda found: "" if found[2] else HIDDEN, text)


def mask_tokens(content: bytes, content_type: str) -> bytes:
    """A text file with its tokens written over, as long as before; other files as they are."""
    if not content_type.startswith(_TEXT_TYPES):
        return content
    masked = _masked(content)
    return in_base64_blocks(masked, _masked) if content_type.startswith("message/") else masked


def _masked(content: bytes) -> bytes:
    text = content.decode("latin-1")
    if not _HINT.search(text):
        return content
    return _ANY.sub(lambda found: _ESCAPED.sub("x", found[2] or found[3]).rjust(len(found[0]), "-"), text).encode(
        "latin-1"
    )


def mask_addresses(text: str, private: Collection[str], shown: str) -> str:
    """The text with each of these addresses (lower case) as `shown`."""
    if "@" not in text and "%40" not in text:
        return text
    for address in private:
        local, _, domain = address.partition("@")
        if domain and domain in text.lower():
            pattern = rf"(?i)(?<![\w.+-]){re.escape(local)}(?:\+[\w.=-]{{1,64}})?(?:@|%40){re.escape(domain)}(?![\w-])"
            text = re.sub(pattern, lambda _: shown, text)
    return text


def agents_words(
    message: InboundMessage,
    words: str,
    public: Callable[[], Sequence[str]],
    is_own: Callable[[str], bool],
) -> str:
    """What of an agent's cut words goes to the requester: nothing of our own mail that the cut left standing.

    `public` gives the texts of the ticket that the requester knows; `is_own` knows the desk's addresses and agents'.
    """
    forward = read_forward(message)
    if forward is not None and (is_own(forward.author.email) or _marker_at(forward.text.split("\n")) is not None):
        # A notification passed on to the ticket: what stands above it is the answer.
        words = forward.comment
    lines = words.split("\n")
    end = _marker_at(lines)
    if end is not None:
        lines = lines[: _above_header(lines, end)]
    if any(line.lstrip().startswith(">") for line in lines):
        lines = _only_public(lines, public())
    lines = [line for line in lines if not (line.rstrip().endswith(":") and _names_us(line, is_own))]
    return "\n".join(lines).strip("\n")


def _marker_at(lines: Sequence[str]) -> int | None:
    """Where a mail of ours begins that is not marked as a quotation ("write your reply above this line")."""
    for number, line in enumerate(lines):
        may_be = 10 < len(line) < 200 and not line.lstrip().startswith(">")
        if may_be and " ".join(_WORDS.findall(line.lower())) in _MARKERS:
            return number
    return None


def _above_header(lines: Sequence[str], end: int) -> int:
    """Up from the marker over the header ("From: … Sent: …") or the separator of the mail that begins with it."""
    while end and (not lines[end - 1].strip() or _is_head(lines[end - 1])):
        end -= 1
    return end


_HEAD = re.compile(r"\s*(?:\*?[^\W\d_][\w .-]{0,24}\*?\s?[:：]\*?\s\S|[-_=*]{3,})")


def _is_head(line: str) -> bool:
    return bool(_HEAD.match(line) or attribution(line))


def _only_public(lines: Sequence[str], public: Sequence[str]) -> list[str]:
    """Quoted lines stay where the requester knows them: their own words, or what was written to them."""
    known = [f" {' '.join(_WORDS.findall(text.lower()))} " for text in public]
    kept: list[str] = []
    for line in lines:
        mark = _QUOTED.match(line)
        if mark is None:
            kept.append(line)
            continue
        words = " ".join(_WORDS.findall(line[mark.end() :].lower()))
        if not words or any(f" {words} " in text for text in known):
            kept.append(line)
    return _without_empty_quotes(kept)


def _without_empty_quotes(lines: Sequence[str]) -> list[str]:
    """Marks with nothing behind them, where no quoted words are left beside them."""
    kept: list[str] = []
    for number, line in enumerate(lines):
        mark = _QUOTED.match(line)
        if mark is not None and not line[mark.end() :].strip():
            beside = [*kept[-1:], *lines[number + 1 : number + 2]]
            if not any(_QUOTED.match(other) and other.strip("> \t") for other in beside):
                continue
        kept.append(line)
    return kept


_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w.-]{1,253}")


def _names_us(line: str, is_own: Callable[[str], bool]) -> bool:
    """An attribution that names the desk or an agent ("On …, Sally <sally@…> wrote:")."""
    found = _ADDRESS.findall(line[:1000])
    looks_so = "<" in line or any(map(str.isdigit, line))  # "Contact sally@…:" has neither name nor date
    return looks_so and any(is_own(each.lower()) for each in found) and bool(attribution(line.strip()))


_BLOCK = re.compile(rb"(?:^[A-Za-z0-9+/]{16,996}={0,2}[ \t]*\r?\n?){1,}", re.MULTILINE)


_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")


def in_base64_blocks(raw: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The mail with `change` done to what its base64 blocks hold."""

    def changed(found: re.Match[bytes]) -> bytes:
        block = found[0]
        try:
            content = base64.b64decode(_NO_BASE64.sub(b"", block), validate=True)
        except (binascii.Error, ValueError):
            return block
        new = change(content)
        if new == content or len(new) != len(content):
            return block
        letters = iter(base64.b64encode(new))
        return bytes(next(letters, each) if each not in b" \t\r\n" else each for each in block)

    return _BLOCK.sub(changed, raw)


MAX_NAME = 64


_NAME = r"[A-Za-z0-9\u00a1-\uffff](?:[A-Za-z0-9\u00a1-\uffff-]{0,62})"


_ENDING = "|".join(sorted(ENDINGS, key=len, reverse=True))


_LINK = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,14}://|\bwww\d?\.)\S{1,500}"  # a link as it is written
    rf"|(?<![\w.@])(?:{_NAME}[.]){{1,5}}(?:{_ENDING})(?![\w-]|[.]\w)(?:[/?:]\S{{0,500}})?"
    r"|(?<!\w)[\w.+-]{1,64}@[\w.-]{1,200}",  # an address
    re.IGNORECASE,
)


# +62 812-3456-7890, 0812 3456 7890, (021) 1234567; nine digits and more in one piece. A school's number has eight.
_TELEPHONE = re.compile(
    r"(?<![\w-])(?:\+\d{1,3}[ .()-]{0,2}|\(0\d{2,3}\)[ -]?|0?8\d{1,2}[ .-]?|62[ .-]?8\d{1,2}[ .-]?)"
    r"\d{3,4}(?:[ .-]?\d{2,4}){1,3}(?![\w])"
    r"|(?<!\d)\d{9,40}(?!\d)"
)


# A page of the service itself is no advertisement: nobody but schools and offices gets such a name.
_HOME = re.compile(
    rf"(?:https?://)?[a-z0-9.-]{{1,100}}[.](?:{'|'.join(re.escape(s) for s in sorted(HOME_SUFFIXES))})/?", re.IGNORECASE
)


def safe_title(subject: str, language: str = "id") -> str:
    """A ticket's title out of a stranger's subject, which `clean_subject` has cut to 200 characters."""
    text = subject
    if "." in text or "@" in text or ":" in text:
        word = f"[{LINK_WORDS[language]}]"
        text = _LINK.sub(lambda found: found[0] if _HOME.fullmatch(found[0]) else word, text)
    return _TELEPHONE.sub(f"[{NUMBER_PLACE_WORDS[language]}]", text)


def safe_name(name: str) -> str:
    """A display name to write a mail to; "" where it says more than a name does."""
    if len(name) > MAX_NAME or _LINK.search(name) or _TELEPHONE.search(name) or "//" in name:
        return ""
    return name


_LONGEST_LINE = 160


def _one_line(text: str) -> str:
    """Untrusted text as one short line: no control, format or bidirectional signs, no line separators."""
    visible = (c if unicodedata.category(c)[0] != "C" else " " for c in text[: _LONGEST_LINE * 4])
    line = " ".join("".join(visible).split())
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 2] + " …"
