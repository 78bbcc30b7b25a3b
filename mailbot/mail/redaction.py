"""Redaction of what is passed on to others: reply tokens, private addresses, quotations of internal mail.

In: words of a mail without its quotation (mail.reply), the public texts of the ticket, the private addresses. Out: the
words as they may be passed on. Of files that are text: the same bytes with every token overwritten, at the same length.

A token is found in every form in which mail programs carry it: upper case, percent-encoded in a link, as an HTML
entity, split by a line end (of format=flowed, of quoted-printable, of a quotation), with invisible characters inside,
in base64. Linear in the text's length.

Standards: RFC 5233 (sub-addresses), RFC 3986 §2.1 (%2B), RFC 2045 §6.7 (soft line breaks).
Never: decides who may read what (ticket.ticket, desk.outbound.visibility), looks anything up.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Sequence

from mailbot.mail.message import InboundMessage
from mailbot.mail.reply.attributions import attribution
from mailbot.mail.reply.forward import read_forward
from mailbot.vocabulary.quoting import MARKER_LINES

# What may be between two characters of a token unseen: a line end, also a soft one, with quote marks after it, or a
# character without width.
_GAP = r"(?:=?\r?\n[> \t]{0,8}|[\u200b-\u200d\u2060\ufeff\xad])?"
_LETTER = rf"[a-zA-Z2-7]{_GAP}"
_TOKEN = rf"[racbskqRACBSKQ]{_GAP}0{_GAP}(?:{_LETTER}){{1,13}}?0{_GAP}(?:{_LETTER}){{19}}[a-zA-Z2-7](?![a-zA-Z0-9])"
_PLUS = r"(?:\+|%2[Bb]|%252[Bb]|=2[Bb]|&#0{0,4}43;|&#[xX]0{0,4}2[bB];|&plus;)"
# A plus sign before the token is removed with it; otherwise no letter or digit may precede it.
_TOKENS = re.compile(rf"({_GAP}{_PLUS}{_GAP})({_TOKEN})|(?<![a-zA-Z0-9])({_TOKEN})")
# A cheap test first: nearly no text has even this much of a token.
_HINT = re.compile(r"[racbskq](?:=?\r?\n|[\u200b-\u200d\u2060\ufeff\xad])?[> \t]{0,8}0", re.I)
_ESCAPED = re.compile(r"[a-zA-Z0-9]")
_QUOTE_MARK = re.compile(r"\s{0,4}(?:>[ \t]?)+")
_WORDS = re.compile(r"[^\W_]+")
_MARKERS = frozenset(" ".join(_WORDS.findall(line.lower())) for line in MARKER_LINES)

_HEADER_LINE = re.compile(r"\s*(?:\*?[^\W\d_][\w .-]{0,24}\*?\s?[:：]\*?\s\S|[-_=*]{3,})")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w.-]{1,253}")
_BASE64_BLOCK = re.compile(rb"(?:^[A-Za-z0-9+/]{16,996}={0,2}[ \t]*\r?\n?){1,}", re.MULTILINE)
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")

HIDDEN = "***"
_TEXT_TYPES = ("text/", "message/", "application/xml", "application/xhtml", "application/json", "image/svg")


def without_tokens(text: str) -> str:
    """Replace `support+TOKEN@…` by `support@…`, and every other token by `***`."""
    if not _HINT.search(text):
        return text
    return _TOKENS.sub(lambda found: "" if found[2] else HIDDEN, text)


def mask_tokens(content: bytes, content_type: str) -> bytes:
    """Overwrite the tokens in a text file, at the same length; return other files as they are."""
    if not content_type.startswith(_TEXT_TYPES):
        return content
    masked = _masked(content)
    return in_base64_blocks(masked, _masked) if content_type.startswith("message/") else masked


def _masked(content: bytes) -> bytes:
    text = content.decode("latin-1")
    if not _HINT.search(text):
        return content
    return _TOKENS.sub(lambda found: _ESCAPED.sub("x", found[2] or found[3]).rjust(len(found[0]), "-"), text).encode(
        "latin-1"
    )


def mask_addresses(text: str, private: Collection[str], shown: str) -> str:
    """Replace each of these addresses (lower case) by `shown`."""
    if "@" not in text and "%40" not in text:
        return text
    for address in private:
        local, _, domain = address.partition("@")
        if domain and domain in text.lower():
            pattern = rf"(?i)(?<![\w.+-]){re.escape(local)}(?:\+[\w.=-]{{1,64}})?(?:@|%40){re.escape(domain)}(?![\w-])"
            text = re.sub(pattern, lambda _: shown, text)
    return text


def strip_internal_quotes(
    message: InboundMessage,
    words: str,
    public: Callable[[], Sequence[str]],
    is_own: Callable[[str], bool],
) -> str:
    """Return an agent's new words without quotations of mail that the requester does not know.

    `public` returns the texts of the ticket that the requester knows; `is_own` is true for addresses of the desk and
    its agents.
    """
    forward = read_forward(message)
    if forward is not None and (is_own(forward.author.email) or _marker_at(forward.text.split("\n")) is not None):
        # A notification forwarded to the ticket: the comment above it is the answer.
        words = forward.comment
    lines = words.split("\n")
    end = _marker_at(lines)
    if end is not None:
        lines = lines[: _start_of_header(lines, end)]
    if any(line.lstrip().startswith(">") for line in lines):
        lines = _only_public(lines, public())
    lines = [line for line in lines if not (line.rstrip().endswith(":") and _names_us(line, is_own))]
    return "\n".join(lines).strip("\n")


def _marker_at(lines: Sequence[str]) -> int | None:
    """Return the line where a mail of ours begins without quote marks ("write your reply above this line")."""
    for number, line in enumerate(lines):
        may_be = 10 < len(line) < 200 and not line.lstrip().startswith(">")
        if may_be and " ".join(_WORDS.findall(line.lower())) in _MARKERS:
            return number
    return None


def _start_of_header(lines: Sequence[str], end: int) -> int:
    """Return where the header ("From: … Sent: …") or separator above the line `end` begins."""
    while end and (not lines[end - 1].strip() or _is_header_line(lines[end - 1])):
        end -= 1
    return end


def _is_header_line(line: str) -> bool:
    return bool(_HEADER_LINE.match(line) or attribution(line))


def _only_public(lines: Sequence[str], public: Sequence[str]) -> list[str]:
    """Keep quoted lines that the requester knows: their own words, or what was written to them."""
    known = [f" {' '.join(_WORDS.findall(text.lower()))} " for text in public]
    kept: list[str] = []
    for line in lines:
        mark = _QUOTE_MARK.match(line)
        if mark is None:
            kept.append(line)
            continue
        words = " ".join(_WORDS.findall(line[mark.end() :].lower()))
        if not words or any(f" {words} " in text for text in known):
            kept.append(line)
    return _without_empty_quotes(kept)


def _without_empty_quotes(lines: Sequence[str]) -> list[str]:
    """Drop empty quote marks that have no quoted words beside them."""
    kept: list[str] = []
    for number, line in enumerate(lines):
        mark = _QUOTE_MARK.match(line)
        if mark is not None and not line[mark.end() :].strip():
            beside = [*kept[-1:], *lines[number + 1 : number + 2]]
            if not any(_QUOTE_MARK.match(other) and other.strip("> \t") for other in beside):
                continue
        kept.append(line)
    return kept


def _names_us(line: str, is_own: Callable[[str], bool]) -> bool:
    """Return whether a line is an attribution to the desk or an agent ("On …, Sally <sally@…> wrote:")."""
    found = _ADDRESS.findall(line[:1000])
    looks_so = "<" in line or any(map(str.isdigit, line))  # "Contact sally@…:" has neither name nor date
    return looks_so and any(is_own(each.lower()) for each in found) and bool(attribution(line.strip()))


def in_base64_blocks(raw: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Apply `change` to the decoded base64 blocks of a mail; a change of length is ignored."""

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

    return _BASE64_BLOCK.sub(changed, raw)
