"""The body of a mail: its text, its files, the mails inside it and the parts that machines wrote.

In: an `Entity` tree. Out: `Contents`. Never raises; each body is decoded once.

Text or file, in this order: a part with the disposition "attachment" is a file; a mail inside the mail is a mail and a
file; text/plain and text/html are text, unless a later one has a file name; everything else is a file.
multipart/alternative is one text in several forms, the last the best (RFC 2046 §5.1.4); plain and HTML are both kept.
Several texts in a multipart/mixed, as phones send them around pictures, are one text in their order.

Standards: RFC 2046 §5.1, RFC 2183, RFC 2387 (related), RFC 3676 (flowed), RFC 1847, RFC 8551, RFC 3156 (security),
RFC 6522 and RFC 3464 (reports).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape

from mailbot.mail.mime.charset import clean, decode_clean, guess_text
from mailbot.mail.mime.cms import SIGNED_DATA, signed_content
from mailbot.mail.mime.flowed import unflow
from mailbot.mail.mime.html_to_text import html_to_text
from mailbot.mail.mime.tnef import SIGNATURE, read_tnef
from mailbot.mail.mime.transfer_encoding import cut_uuencoded
from mailbot.mail.mime.tree import Entity, read_tree
from mailbot.vocabulary.mime import (
    ALTERNATIVE_RENDERINGS,
    NESTED_TYPES,
    REPORT_HEADERS,
    REPORT_PARTS,
    SMIME_TYPES,
    TNEF_TYPES,
)

_TEXT_TYPES = frozenset(("text/plain", "text/html"))
_TEXT_NAMES = frozenset(("", "txt", "text", "html", "htm"))

_META_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{1,40})", re.I)
_HTML_START = re.compile(r"\s*(?:<!doctype html|<html[\s>])", re.I)
_DATA_URL = re.compile(rb"data:[a-z0-9/+.-]{0,80};base64,[A-Za-z0-9+/=\s]{1000,}")
_MARKUP_START = re.compile(r"\s*<(?:div|p|table|span|body|br)[\s>/]", re.I)
_MARKUP = re.compile(r"<[^<>]{1,200}>")
_MAIL_START = re.compile(rb"\s*(?:From |[A-Za-z][A-Za-z0-9-]{1,40}:)")
_WORD = re.compile(r"\w+")
_PGP = re.compile(r"^-----BEGIN PGP (SIGNED MESSAGE|MESSAGE)-----", re.MULTILINE)

# Bytes of a mail that are read as text, over all its texts; a long novel has half of it.
MAX_TEXT = 2_000_000
_MAX_COMPARED = 100_000
_MAX_UNWRAPPED = 3  # signatures in signatures
_MAX_VARIANTS = 10  # of one text in a multipart/alternative
_MAX_RETURNED = 32_768
_MAX_STATUS = 65_536


@dataclass(slots=True)
class Segment:
    """One text of the mail, as plain text, HTML or both."""

    text: str | None = None
    html: str | None = None


@dataclass(slots=True)
class File:
    """One leaf part that isn't text."""

    name: str  #: As given.
    declared: str  #: The declared media type.
    content: bytes = field(repr=False)  #: Decoded.
    content_id: str = ""
    mail: int = -1  #: For a mail, its index in `Contents.nested`.
    signature: bool = False  #: Whether it wraps content that was read from it.


@dataclass(slots=True)
class Contents:
    """The contents of a mail's tree, in its order."""

    segments: list[Segment] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    nested: list[bytes] = field(default_factory=list)
    report_type: str = ""
    statuses: list[str] = field(default_factory=list)
    returned: str = ""
    security: list[str] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)

    @property
    def is_report(self) -> bool:
        """Whether it contains a machine's report or says that it is one."""
        return bool(self.report_type)

    def text(self) -> tuple[str, bool]:
        """Return (the text of all segments, whether some of it is from HTML)."""
        pieces: list[str] = []
        from_html = False
        for segment in self.segments:
            if segment.text is not None:
                pieces.append(segment.text)
            elif segment.html is not None:
                pieces.append(html_to_text(segment.html))
                from_html = True
        stripped = [piece.strip("\n").rstrip() for piece in pieces]
        return "\n\n".join(piece for piece in stripped if piece), from_html

    def html(self) -> str:
        """Return the HTML of all segments, plain ones escaped; "" if none has HTML."""
        if not any(segment.html for segment in self.segments):
            return ""
        return "\n".join(
            segment.html if segment.html is not None else f"<pre>{escape(segment.text or '')}</pre>"
            for segment in self.segments
        )


def read_contents(entity: Entity) -> Contents:
    """Return the contents of the mail with this tree."""
    collector = _Collector()
    collector.contents.segments = collector.walk(entity, attached=False, alternative=False)
    return collector.finished(entity)


class _Collector:
    def __init__(self) -> None:
        self.contents = Contents()
        self._spare: list[Segment] = []  # used if the mail has no other text
        self._leaves = 0
        self._room = MAX_TEXT
        self._unwrapped = 0

    def finished(self, root: Entity) -> Contents:
        """Return what was collected, with what can only be known at the end."""
        contents = self.contents
        if not any(segment.text or segment.html for segment in contents.segments):
            contents.segments = self._spare
        if root.content_type == "multipart/report":
            named = root.parameters.get("report-type", "").strip().lower()
            contents.report_type = named or contents.report_type or "unknown"
        text = next((segment.text for segment in contents.segments if segment.text), "")
        found = _PGP.search(text, 0, 200_000) if "-----BEGIN PGP" in text else None
        if found is not None:
            self._secure("pgp-signed" if found[1].startswith("SIGNED") else "pgp-encrypted")
        return contents

    def _secure(self, kind: str) -> None:
        if kind not in self.contents.security:
            self.contents.security.append(kind)

    def walk(self, entity: Entity, *, attached: bool, alternative: bool) -> list[Segment]:
        """Collect an entity; return its text.

        `attached`: below an attachment; `alternative`: directly in a multipart/alternative.
        """
        if not entity.parts:
            self._leaves += 1
            return self._leaf(entity, attached, alternative)
        attached = attached or entity.disposition == "attachment"
        kind = entity.content_type
        if kind == "multipart/alternative":
            return self._alternative(entity, attached)
        if kind == "multipart/related":
            return self._related(entity, attached)
        if kind in ("multipart/signed", "multipart/encrypted"):
            protocol = entity.parameters.get("protocol", "").lower()
            family = "pgp" if "pgp" in protocol + entity.parts[-1].content_type else "smime"
            self._secure(f"{family}-{kind.removeprefix('multipart/')}")
        return self._mixed(entity, attached)

    # -- multiparts ---------------------------------------------------------------------------------------------------

    def _mixed(self, entity: Entity, attached: bool) -> list[Segment]:
        segments: list[Segment] = []
        for part in entity.parts:
            for segment in self.walk(part, attached=attached, alternative=False):
                before = segments[-1] if segments else None
                if before is not None and _same_words(before, segment):
                    before.html = segment.html  # plain and HTML of one text, sent as two
                else:
                    segments.append(segment)
        return segments

    def _alternative(self, entity: Entity, attached: bool) -> list[Segment]:
        plain: list[list[Segment]] = []
        rich: list[list[Segment]] = []
        for part in entity.parts:
            if not part.parts and part.content_type in ALTERNATIVE_RENDERINGS and part.disposition != "attachment":
                self._spare.append(Segment(text=_MARKUP.sub("", self._text_of(part))))
                continue
            segments = self.walk(part, attached=attached, alternative=True)
            if any(segment.html for segment in segments):
                rich.append(segments)
            elif any((segment.text or "").strip() for segment in segments):
                plain.append(segments)
        if rich and plain and _is_markup(plain[-1]) and len(plain) > 1:
            plain.pop()
        elif not rich and len(plain) > 1 and _is_markup(plain[-1]):
            # HTML declared as text/plain, beside a real plain text.
            rich = [[Segment(html=segment.text) for segment in plain.pop()]]
        words = _distinct(plain)
        if not rich:
            return [Segment(text=words)] if words else []
        if not words:
            return rich[-1]
        html = Contents(segments=rich[-1]).html()
        return [Segment(text=words, html=html)]

    def _related(self, entity: Entity, attached: bool) -> list[Segment]:
        # RFC 2387 §3.2: the root is the part that "start" names, else the first.
        start = entity.parameters.get("start", "").strip("<> ")
        named = [part for part in entity.parts if start and _content_id(part) == start]
        root = named[0] if named else entity.parts[0]
        segments = self.walk(root, attached=attached, alternative=False)
        for part in entity.parts:
            if part is root:
                continue
            is_file = bool(_content_id(part)) and any(segment.html for segment in segments)
            more = self.walk(part, attached=attached or is_file, alternative=False)
            for segment in more:
                if not (segments and _same_words(segments[-1], segment)):
                    segments.append(segment)
                elif segments[-1].html is None:
                    segments[-1].html = segment.html
        return segments

    # -- leaves -------------------------------------------------------------------------------------------------------

    def _leaf(self, entity: Entity, attached: bool, alternative: bool) -> list[Segment]:
        kind = entity.content_type
        if kind in _TEXT_TYPES and not attached and self._is_words(entity, alternative):
            return self._words(entity)
        content, defect = entity.body()
        self._defect(defect)
        if kind in NESTED_TYPES or (kind == "application/octet-stream" and _is_mail_file(entity.filename, content)):
            self._mail(entity, content)
        elif kind in REPORT_PARTS:
            self._report(kind, content)
            self._file(entity, content, f"{REPORT_PARTS[kind]}.txt")
        elif kind in REPORT_HEADERS:
            self.contents.returned = self.contents.returned or _plain(content[:_MAX_RETURNED])
            self._file(entity, content, "headers.txt")
        elif kind in SMIME_TYPES:
            return self._smime(entity, content)
        elif kind in TNEF_TYPES or content[:4] == SIGNATURE:
            self._tnef(entity, content)
        else:
            self._file(entity, content)
            if kind in _TEXT_TYPES and not attached and entity.disposition in ("", "inline"):
                # Phones name their texts too ("text_0.txt"): text, if the mail has no other.
                text = decode_clean(content[:MAX_TEXT], entity.parameters.get("charset", ""))[0]
                self._spare.append(Segment(html=text) if kind == "text/html" else Segment(text=text))
        return []

    def _is_words(self, entity: Entity, alternative: bool) -> bool:
        """Return whether a text part is text to read, not a file."""
        if entity.disposition not in ("", "inline"):
            return False
        name = entity.filename
        if not name or alternative:
            return True
        # The first text of a mail may have a name; a later one with a name is a file.
        return self._leaves == 1 and name.rpartition(".")[2].lower() in _TEXT_NAMES | {name.lower()}

    def _words(self, entity: Entity) -> list[Segment]:
        text = self._text_of(entity)
        if entity.content_type == "text/html":
            return [Segment(html=text)] if text.strip() else []
        if _HTML_START.match(text):
            return [Segment(html=text)]
        if entity.parameters.get("format", "").lower() == "flowed":
            text = unflow(text, delete_space=entity.parameters.get("delsp", "").lower() == "yes")
        return [Segment(text=text)] if text.strip() else []

    def _text_of(self, entity: Entity) -> str:
        data, defect = entity.body(text=True)
        self._defect(defect)
        if len(data) > self._room:
            # More than anybody reads: the beginning is the text, the whole a file.
            self._file(entity, data)
            self._defect("text-cut")
            if entity.content_type == "text/html":
                data = _DATA_URL.sub(b"data:,", data)
            data = data[: self._room]
        self._room -= len(data)
        if b"begin" in data and entity.content_type == "text/plain":
            data, files = cut_uuencoded(data)
            self.contents.files += [File(guess_text(each.name), "", each.content) for each in files]
        label = entity.parameters.get("charset", "")
        if entity.content_type == "text/html" and not data.isascii() and label.lower() in ("", "us-ascii"):
            meta = _META_CHARSET.search(data, 0, 4096)
            label = meta[1].decode("ascii") if meta else label
        text, defect = decode_clean(data, label)
        self._defect(defect)
        return text

    def _mail(self, entity: Entity, content: bytes) -> None:
        contents = self.contents
        contents.nested.append(content)
        header = re.split(rb"\n\r?\n", content[:_MAX_RETURNED], maxsplit=1)[0]
        contents.returned = contents.returned or _plain(header)
        contents.files.append(
            File(entity.filename, "message/rfc822", content, _content_id(entity), len(contents.nested) - 1)
        )

    def _report(self, kind: str, content: bytes) -> None:
        self.contents.report_type = self.contents.report_type or REPORT_PARTS[kind]
        self.contents.statuses.append(_plain(content[:_MAX_STATUS]))

    def _smime(self, entity: Entity, content: bytes) -> list[Segment]:
        # RFC 8551 §3.2.2; without the parameter the content decides.
        kind = entity.parameters.get("smime-type", "").lower()
        if not (kind.startswith("signed") or (not kind and SIGNED_DATA in content[:64])):
            if kind not in ("certs-only", "compressed-data"):
                self._secure("smime-encrypted")
            self._file(entity, content, "smime.p7m")
            return []
        self._secure("smime-signed")
        inside = signed_content(content) if self._unwrapped < _MAX_UNWRAPPED else None
        if inside is None:
            self._defect("opaque-signed")
            self._file(entity, content, "smime.p7m")
            return []
        self._unwrapped += 1
        self._file(entity, content, "smime.p7m", signature=True)
        tree, defects = read_tree(inside)
        self.contents.defects += defects
        return self.walk(tree, attached=False, alternative=False)

    def _tnef(self, entity: Entity, content: bytes) -> None:
        found = read_tnef(content)
        if found is None or not (found.files or found.text or found.html):
            self._defect("unreadable-tnef")
            self._file(entity, content)
            return
        for each in found.files:
            self.contents.files.append(File(each.name, each.content_type, each.content, each.content_id))
        if found.html or found.text:
            self._spare.append(Segment(text=found.text or None, html=found.html or None))

    def _file(self, entity: Entity, content: bytes, name: str = "", *, signature: bool = False) -> None:
        if not content and not entity.filename and entity.content_type in _TEXT_TYPES:
            return  # an empty text is not a file
        given = entity.filename or name
        self.contents.files.append(File(given, entity.content_type, content, _content_id(entity), signature=signature))

    def _defect(self, code: str) -> None:
        if code and code not in self.contents.defects:
            self.contents.defects.append(code)


def _is_mail_file(name: str, content: bytes) -> bool:
    """Return whether an application/octet-stream is a mail."""
    return name.lower().endswith(".eml") and bool(_MAIL_START.match(content))


def _content_id(entity: Entity) -> str:
    return entity.block.first("content-id").strip().strip("<>").strip()


def _plain(data: bytes) -> str:
    return clean(guess_text(data))


def _is_markup(segments: list[Segment]) -> bool:
    return all(segment.text and _MARKUP_START.match(segment.text) for segment in segments)


def _distinct(variants: list[list[Segment]]) -> str:
    """Join the plain texts of one alternative (usually one), except those contained in another."""
    kept: list[tuple[str, str]] = []
    for segments in reversed(variants[-_MAX_VARIANTS:]):
        text = "\n\n".join((segment.text or "").strip("\n") for segment in segments)
        bare = " ".join(text[:_MAX_COMPARED].split())
        if not any(bare in other for other, _ in kept):
            kept.append((bare, text))
    return "\n\n".join(text for _, text in reversed(kept))


def _same_words(first: Segment, second: Segment) -> bool:
    """Return whether HTML repeats the plain text before it: some programs send both in a multipart/mixed."""
    if first.text is None or first.html is not None or second.html is None or second.text is not None:
        return False
    if not 0.5 < (len(second.html) + 1) / (len(first.text) + 1) < 200:
        return False
    words = _WORD.findall(first.text[:20_000])
    others = set(_WORD.findall(html_to_text(second.html[:200_000])))
    return bool(words) and sum(word in others for word in words) >= 0.9 * len(words)
