"""Values of an incoming mail, as `mail.mime.parser` returns them: frozen, typed, complete.

Texts contain neither NUL nor lone surrogates, and their lines end with a line feed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox (RFC 5322 §3.4)."""

    email: str  #: The addr-spec, `local@domain`, in lower case.
    name: str = ""  #: The display name, decoded, without controls.

    @property
    def domain(self) -> str:
        """The part after the last `@`; "" if there is none."""
        return self.email.rpartition("@")[2] if "@" in self.email else ""

    @property
    def local_part(self) -> str:
        """The part before the last `@`."""
        return self.email.rpartition("@")[0]


@dataclass(frozen=True)
class Attachment:
    """One leaf part that is not the text of the mail (files, inline images, nested mails, calendar parts)."""

    name: str  #: Safe to show and to store: no path, no controls, never empty.
    content_type: str  #: Lower case; from the content where it contradicts the declaration.
    content: bytes = field(repr=False)  #: Decoded; empty after `drop_content`.
    content_id: str = ""  #: Without angle brackets.
    inline: bool = False  #: The HTML refers to it by `cid:`.
    signature: bool = False  #: A machine part of S/MIME or PGP (smime.p7s, signature.asc), which nobody attached.
    dropped: tuple[int, str] | None = None  #: Size and digest of a dropped content, which is in the stored mail.

    @property
    def size(self) -> int:
        """Length of the decoded content in bytes."""
        return self.dropped[0] if self.dropped else len(self.content)

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the decoded content."""
        return self.dropped[1] if self.dropped else hashlib.sha256(self.content).hexdigest()

    def drop_content(self) -> Attachment:
        """Return the attachment with only size and digest of its content."""
        return self if self.dropped else replace(self, content=b"", dropped=(self.size, self.sha256))


@dataclass(frozen=True, slots=True)
class Headers:
    """The top-level header fields in their order. Look-ups ignore case (RFC 5322 §1.2.2)."""

    #: (name as written, value unfolded and decoded per RFC 2047). Authentication-Results is not decoded: what is
    #: encoded in it comes from the sender.
    fields: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of that name."""
        wanted = name.lower()
        return next((value for key, value in self.fields if key.lower() == wanted), default)

    def get_all(self, name: str) -> tuple[str, ...]:
        """Return every value of that name, topmost first."""
        wanted = name.lower()
        return tuple(value for key, value in self.fields if key.lower() == wanted)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(key.lower() == name.lower() for key, _ in self.fields)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)


@dataclass(frozen=True, slots=True)
class MultipartReport:
    """The machine part of a `multipart/report` (RFC 6522), or of a bounce that has the same parts undeclared."""

    report_type: str
    status: str = ""  #: Text of the `message/delivery-status` parts (RFC 3464).
    original_headers: str = ""  #: Header of the returned mail (`message/rfc822` or `text/rfc822-headers`).


@dataclass(frozen=True, slots=True)
class Hop:
    """One Received field (RFC 5321 §4.4); what can't be read is "" or None."""

    by: str = ""
    from_: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class InboundMessage:
    """An incoming mail, parsed."""

    headers: Headers = Headers()
    message_id: str = ""  #: With angle brackets, as `in_reply_to` and `references`.
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    from_: tuple[Address, ...] = ()  #: Every mailbox of every From field; `from_address` is the author.
    sender: Address | None = None
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    recipients: tuple[str, ...] = ()  #: Of To, Cc, Delivered-To, X-Original-To, Envelope-To; lower case.
    return_path: str | None = None
    subject: str = ""
    date: datetime | None = None
    text: str = ""  #: The plain body, or else the text of the HTML.
    html: str = ""  #: The HTML body, its `cid:` links unchanged.
    text_from_html: bool = False  #: Part of `text` is from HTML.
    attachments: tuple[Attachment, ...] = ()
    nested: tuple[InboundMessage, ...] = ()
    report: MultipartReport | None = None
    received: tuple[Hop, ...] = ()
    security: tuple[str, ...] = ()  #: "smime-signed", "pgp-encrypted", …
    defects: tuple[str, ...] = ()  #: Codes for the admin ("no-boundary", "unknown-charset:foo-999", …).
    size: int = 0

    @property
    def from_address(self) -> Address:
        """The author: the first From mailbox, else Sender, else an empty address.

        Sender doesn't count if a From field can be read in two ways: a server may have read it in the other one.
        """
        if self.from_:
            return self.from_[0]
        if "ambiguous-address" in self.defects:
            return Address("")
        return self.sender or Address("")

    @property
    def from_addr(self) -> str:
        """The author's addr-spec in lower case, "" if the mail has none."""
        return self.from_address.email


class Kind(StrEnum):
    """What kind of sender wrote a mail, which decides what may be done with it (docs/developer/rules.md)."""

    HUMAN = "human"  # everything else
    NOACK = "noack"  # from a person, but gets no automatic mail
    AUTO = "auto"  # recorded, changes nothing and is never answered
    BOUNCE = "bounce"  # belongs to the ticket of the mail that bounced
    LOOP = "loop"  # ignored
    QUARANTINE = "quarantine"  # quarantined


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report about one recipient; what it doesn't say is ""."""

    hard: bool  #: Will not be delivered (RFC 3463 class 5, or words that say so); False: delayed or temporary.
    status: str = ""  #: RFC 3463 code ("5.1.1").
    recipient: str = ""  #: The address that failed.
    diagnostic: str = ""  #: The server's words.
    original_message_id: str = ""  #: Of our mail, with angle brackets.
    original_subject: str = ""  #: Of our mail.


@dataclass(frozen=True, slots=True)
class Classification:
    """The kind of a mail, and why."""

    kind: Kind
    rule: str = ""  #: The rule that decided.
    reason: str = ""  #: In words for the admin.
    bounce: Bounce | None = None
    returns_on: str = ""  #: When an absent person returns, if an out-of-office reply says so.


class Intent(StrEnum):
    """What the new words of a reply to a closed ticket or to a reminder mean."""

    STILL_BROKEN = "still_broken"
    THANKS = "thanks"
    STATUS = "status"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reply:
    """A body, split into new words and the rest."""

    text: str  #: What the author wrote now.
    quoted: str = ""  #: The quotation.
    signature: str = ""  #: The author's signature and device footer.
    rule: str = ""  #: The rule that split it ("gmail_quote", "attribution:id", "marker", …), "" if nothing was cut.
    nothing_new: bool = False  #: There is only a quotation or a signature, so `text` is the whole body.


@dataclass(frozen=True)
class Forward:
    """A forwarded mail: its original author, and what they wrote."""

    author: Address
    subject: str = ""
    date: datetime | None = None
    text: str = ""
    comment: str = ""  #: What the forwarder wrote above it (for example an agent's commands).
    attachments: tuple[Attachment, ...] = ()


class MessageKind(StrEnum):
    """What a message on a ticket is."""

    REPORT = "report"
    REPLY = "reply"
    NOTE = "note"
    ANSWER = "answer"
    ACKNOWLEDGEMENT = "acknowledgement"
    REMINDER = "reminder"
    CLOSURE = "closure"
    NOTIFICATION = "notification"
    STATUS = "status"
    NOTICE = "notice"
    BOUNCE = "bounce"
    AUTO_REPLY = "auto_reply"
