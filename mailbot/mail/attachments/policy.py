"""Which files are withheld: by their content, by their name, and by the contents of archives.

In: attachments, and the kinds that the desk refuses (`Refusals`, from [attachments] refuse and allow). Out: a
`WithheldFile` for each that is refused, with the kind and, for an archive, the path of the refused file in it. The
file itself is kept in the stored mail; it is only not passed on.

Content decides first: a program is one under any name; then the extension; then what an archive contains.
Never: unpacks to disk, asks a virus scanner (mailbot.transport.clamd), knows tickets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from mailbot.mail.attachments.archives import inspect_archive, is_archive
from mailbot.mail.message import Attachment, InboundMessage
from mailbot.mail.mime.filetype import displayable_path, sniff
from mailbot.vocabulary.refused_files import ARCHIVES, DEFAULT, DOCUMENTS, KINDS, MACRO_PARTS, MACRO_SIGN, SIGNS, TYPES

_HTA = re.compile(rb"<hta:application[\s>]", re.I)
# Windows opens "letter.txt.{CLSID}" by its class, and hides the class.
_CLASS_ID = re.compile(r"\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}", re.I)
_APK = "application/vnd.android.package-archive"
_AT_END = re.compile(r"[\s.\x00-\x1f\x7f]+$")
_KIND_OF = {extension: kind for kind, extensions in KINDS.items() for extension in extensions}


@dataclass(frozen=True, slots=True)
class WithheldFile:
    """A file that is not passed on."""

    name: str
    content_type: str
    size: int
    sha256: str
    kind: str  #: A word of vocabulary.refused_files.
    inside: str = ""  #: The path of the refused file in the archive.
    signature: str = ""  #: The name of the virus, if one was found.

    @property
    def to_blame(self) -> str:
        """The file's name, and the path in it that is refused."""
        return f"{self.name} ({self.inside})" if self.inside else self.name


@dataclass(frozen=True, slots=True)
class Refusals:
    """What a desk refuses."""

    kinds: frozenset[str] = frozenset(DEFAULT)  #: Words of vocabulary.refused_files.
    extensions: frozenset[str] = frozenset()  #: Refused as well; without the dot.
    allowed: frozenset[str] = frozenset()  #: Extensions that are allowed in spite of the above; without the dot.

    def by_name(self, name: str) -> str:
        """Return the kind for which a file of this name is refused, "" if it is not."""
        bare = _AT_END.sub("", name[-300:])
        extension = bare.rpartition(".")[2].lower() if "." in bare else ""
        if not extension or extension in self.allowed:
            return ""
        if extension in self.extensions:
            return _KIND_OF.get(extension, "programs")
        kind = "shortcuts" if _CLASS_ID.search(bare[-60:]) else _KIND_OF.get(extension, "")
        return kind if kind in self.kinds else ""

    def by_content(self, content: bytes, name: str) -> str:
        """Return the kind for which this content is refused whatever its name, "" if it is not."""
        extension = name.rpartition(".")[2].lower()
        kind = _kind_of_content(content)
        if kind == "" and "macros" in self.kinds and content[:4] == b"\xd0\xcf\x11\xe0" and MACRO_SIGN in content:
            kind = "macros"
        return kind if kind in self.kinds and extension not in self.allowed else ""

    def judge(self, attachment: Attachment) -> WithheldFile | None:
        """Return why this file is not passed on, None if it may be."""
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
            # an archive by its name only: text, or damaged
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
        # The parts of a document may be stored in ways that only its program reads.
        if found.failure == "unreadable" and "unreadable" in self.kinds and not is_document:
            return "unreadable", ""
        return "", ""


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _kind_of_content(content: bytes) -> str:
    """Return the kind that the first bytes prove, "" if none."""
    for offset, sign, kind in SIGNS:
        if content.startswith(sign, offset) if offset >= 0 else content[offset:].startswith(sign):
            return kind
    seen = sniff(content)
    kind = TYPES.get(seen, "")
    if kind == "pages" and _HTA.search(content[:65_536]):
        return "scripts"
    return kind


def screen(message: InboundMessage, refusals: Refusals) -> tuple[InboundMessage, tuple[WithheldFile, ...]]:
    """Return the mail without the refused files, at every depth, and those files."""
    if not message.attachments and not message.nested:
        return message, ()
    judged: dict[tuple[str, str], WithheldFile | None] = {}
    withheld = _refused(message, refusals, judged)
    if not withheld:
        return message, ()
    return remove_files(message, {each.sha256 for each in withheld}), tuple(withheld)


def _refused(
    message: InboundMessage, refusals: Refusals, judged: dict[tuple[str, str], WithheldFile | None]
) -> list[WithheldFile]:
    found: list[WithheldFile] = []
    for attachment in message.attachments:
        key = attachment.sha256, attachment.name  # the same content may be attached under several names
        if key not in judged:
            judged[key] = refusals.judge(attachment)
        verdict = judged[key]
        if verdict is not None:
            found.append(verdict)
    # A nested mail with a refused file is withheld as a whole: passing it on would pass on the file.
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
    """Return the mail without the files of these digests, at every depth."""
    unwanted = frozenset(digests)
    return replace(
        message,
        attachments=tuple(each for each in message.attachments if each.sha256 not in unwanted),
        nested=tuple(remove_files(each, unwanted) for each in message.nested),
    )
