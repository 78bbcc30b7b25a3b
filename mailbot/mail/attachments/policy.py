"""Which files are not passed on: by what they are, by what they are called, and by what is in them.

In: attachments, and the kinds that the desk refuses (`Refusals`, from [attachments] refuse and allow). Out: `WithheldFile` for
each that is refused, with the kind and, for an archive, the file in it that is to blame. The file itself stays in the
mail as it came; here it is only told that it goes no further.

By content first: a program is one under any name; then by its extension; then by what an archive holds.
Never: unpacks to disk, asks a virus scanner (mailbot.transport.clamd), knows tickets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from mailbot.mail.attachments.archives import inspect_archive, is_archive
from mailbot.mail.message import Attachment, InboundMessage
from mailbot.mail.mime.filetype import displayable_path, sniff
from mailbot.vocabulary.refused_files import (
    ARCHIVES,
    DEFAULT,
    DOCUMENTS,
    KINDS,
    MACRO_PARTS,
    MACRO_SIGN,
    SIGNS,
    TYPES,
)

_HTA = re.compile(rb"<hta:application[\s>]", re.I)
# Windows opens "letter.txt.{CLSID}" as what the class says, and hides the class.
_CLASS_ID = re.compile(r"\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}", re.I)
_AT_END = re.compile(r"[\s.\x00-\x1f\x7f]+$")
# A ZIP is looked for behind this much of something else: a program that unpacks itself is a program first.
_KIND_OF = {extension: kind for kind, extensions in KINDS.items() for extension in extensions}


@dataclass(frozen=True, slots=True)
class WithheldFile:
    """A file that is not passed on: `kind` is a word of vocabulary.refused_files, `inside` a path in the archive.

    `signature` is the virus's name where one was found.
    """

    name: str
    content_type: str
    size: int
    sha256: str
    kind: str
    inside: str = ""
    signature: str = ""

    @property
    def to_blame(self) -> str:
        """The file's name, with the path in it that is refused."""
        return f"{self.name} ({self.inside})" if self.inside else self.name


@dataclass(frozen=True, slots=True)
class Refusals:
    """What a desk refuses. `extensions` beside the kinds, `allowed` in spite of them; both without the dot."""

    kinds: frozenset[str] = frozenset(DEFAULT)
    extensions: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()

    def by_name(self, name: str) -> str:
        """The kind for which a file of this name is refused; "" where it is not."""
        bare = _AT_END.sub("", name[-300:])
        extension = bare.rpartition(".")[2].lower() if "." in bare else ""
        if not extension or extension in self.allowed:
            return ""
        if extension in self.extensions:
            return _KIND_OF.get(extension, "programs")
        kind = "shortcuts" if _CLASS_ID.search(bare[-60:]) else _KIND_OF.get(extension, "")
        return kind if kind in self.kinds else ""

    def by_content(self, content: bytes, name: str) -> str:
        """The kind for which this content is refused, whatever its name says."""
        extension = name.rpartition(".")[2].lower()
        kind = _kind_of_content(content)
        if kind == "" and "macros" in self.kinds and content[:4] == b"\xd0\xcf\x11\xe0" and MACRO_SIGN in content:
            kind = "macros"
        return kind if kind in self.kinds and extension not in self.allowed else ""

    def judge(self, attachment: Attachment) -> WithheldFile | None:
        """Why this file is not passed on; None where it may be."""
        if attachment.signature:
            return None
        content, name = attachment.content, attachment.name
        kind = self.by_content(content, name) or self.by_name(name)
        if not kind and attachment.content_type in ("application/java-archive", _APK):
            kind = "programs" if "programs" in self.kinds and _extension(name) not in self.allowed else ""
        inside = ""
        if not kind and (is_archive(content) or _extension(name) in ARCHIVES):
            kind, inside = self._in_archive(content, name)
        if not kind:
            return None
        return WithheldFile(name, attachment.content_type, attachment.size, attachment.sha256, kind, inside)

    def _in_archive(self, content: bytes, name: str) -> tuple[str, str]:
        if not is_archive(content):
            # called an archive, and is something that the content did not condemn: text, or damaged
            return ("unreadable", "") if "unreadable" in self.kinds and content else ("", "")
        found = inspect_archive(content, name)
        if found.failure == "bomb" and "bombs" in self.kinds:
            return "bombs", ""
        is_document = _extension(name) in DOCUMENTS and content.startswith(b"PK")
        for inner in found.names:
            if "macros" in self.kinds and inner.lower().rpartition("/")[2] in MACRO_PARTS:
                return "macros", ""
            kind = "" if is_document else self.by_name(inner)
            if kind:
                return kind, displayable_path(inner)
        if found.encrypted and "encrypted" in self.kinds:
            return "encrypted", ""
        # A document's own parts may be packed in ways that only its program knows.
        if found.failure == "unreadable" and "unreadable" in self.kinds and not is_document:
            return "unreadable", ""
        return "", ""


_APK = "application/vnd.android.package-archive"


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _kind_of_content(content: bytes) -> str:
    """What the first bytes prove, as a kind."""
    for offset, sign, kind in SIGNS:
        if content.startswith(sign, offset) if offset >= 0 else content[offset:].startswith(sign):
            return kind
    seen = sniff(content)
    kind = TYPES.get(seen, "")
    if kind == "pages" and _HTA.search(content[:65_536]):
        return "scripts"
    return kind


def screen(message: InboundMessage, refusals: Refusals) -> tuple[InboundMessage, tuple[WithheldFile, ...]]:
    """The mail without the files that are refused, also in mails that are attached to it; and those files."""
    if not message.attachments and not message.nested:
        return message, ()
    judged: dict[tuple[str, str], WithheldFile | None] = {}
    held = _refused(message, refusals, judged)
    if not held:
        return message, ()
    return remove_files(message, {each.sha256 for each in held}), tuple(held)


def _refused(
    message: InboundMessage, refusals: Refusals, judged: dict[tuple[str, str], WithheldFile | None]
) -> list[WithheldFile]:
    found: list[WithheldFile] = []
    for attachment in message.attachments:
        key = attachment.sha256, attachment.name  # one content may stand there under several names
        if key not in judged:
            judged[key] = refusals.judge(attachment)
        verdict = judged[key]
        if verdict is not None:
            found.append(verdict)
    # A mail that holds a refused file is held with it: passing it on would pass that on.
    mails = [each for each in message.attachments if each.content_type == "message/rfc822"]
    for position, nested in enumerate(message.nested):
        inner = _refused(nested, refusals, judged)
        if inner and position < len(mails):
            outer = mails[position]
            found.append(
                WithheldFile(
                    outer.name,
                    outer.content_type,
                    outer.size,
                    outer.sha256,
                    inner[0].kind,
                    displayable_path(inner[0].to_blame),
                )
            )
        found += [each for each in inner if position >= len(mails)]
    return found


def remove_files(message: InboundMessage, digests: Iterable[str]) -> InboundMessage:
    """The mail without the files of these digests, at every depth."""
    unwanted = frozenset(digests)
    return replace(
        message,
        attachments=tuple(each for each in message.attachments if each.sha256 not in unwanted),
        nested=tuple(remove_files(each, unwanted) for each in message.nested),
    )
