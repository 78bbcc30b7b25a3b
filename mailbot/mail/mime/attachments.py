"""Leaf parts as attachments: safe names, types checked by content, images of the text marked as inline.

In: the files that `parts` found, the mail's HTML, the subjects of the mails inside it. Out: `Attachment`s in the
mail's order, one for each file, also if two have the same name: the store keys them by content, not by name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from urllib.parse import unquote

from mailbot.mail.message import Attachment, InboundMessage
from mailbot.mail.mime.filetype import file_type, safe_name
from mailbot.mail.mime.parts import File
from mailbot.vocabulary.mime import SIGNATURE_TYPES, UNNAMED_MAIL

_CID = re.compile(r"cid:([^\"'\s<>)\\]{1,300})", re.I)
# Types that content can't tell: a mail may begin with any words.
_TRUSTED = frozenset(("message/rfc822", "text/calendar"))


def to_attachments(files: Sequence[File], words: str, subjects: Sequence[str]) -> tuple[Attachment, ...]:
    """Return the attachments of a mail.

    `words` is its HTML, or its plain text (Outlook writes "[cid:…]" there); `subjects` those of the nested mails, by
    `File.mail`.
    """
    shown = {unquote(found) for found in _CID.findall(words)} if files else frozenset()
    return tuple(_attachment(file, number, shown, subjects) for number, file in enumerate(files, 1))


def drop_contents(message: InboundMessage) -> InboundMessage:
    """Return the mail with only size and digest of its files, and of the files of the mails inside it."""
    return replace(
        message,
        attachments=tuple(each.drop_content() for each in message.attachments),
        nested=tuple(drop_contents(each) for each in message.nested),
    )


def _attachment(file: File, number: int, shown: AbstractSet[str], subjects: Sequence[str]) -> Attachment:
    name = file.name
    if file.mail >= 0 and not name:
        subject = subjects[file.mail] if file.mail < len(subjects) else ""
        # A subject is no path: with its separators, only what follows the last one would be left as the name.
        name = (subject.replace("/", "-").replace("\\", "-") or UNNAMED_MAIL) + ".eml"
    declared = file.declared
    kind = declared if declared in _TRUSTED else file_type(file.content, name, declared)
    return Attachment(
        name=safe_name(name, kind, number),
        content_type=kind,
        content=file.content,
        content_id=file.content_id,
        inline=bool(file.content_id) and file.content_id in shown,
        signature=file.signature or declared in SIGNATURE_TYPES or kind in SIGNATURE_TYPES,
    )
