"""Values of an incoming mail, as `core.parse` gives them: frozen, typed, complete.

Nothing here reads a socket, a file or a clock. Texts hold neither NUL nor lone surrogates, and lines end with `\n`.
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
    """A mailbox (RFC 5322 §3.4): display name (decoded, controls removed), addr-spec (lower case, `local@domain`)."""

    email: str
    name: str = ""

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
    """One leaf part that is not the text of the mail (files, inline images, nested mails, calendar parts).

    `name` is safe to show and to store (no path, no controls, never empty); `content_type` is lower case, checked
    against the content where the two disagree; `content_id` has no angle brackets; `inline` is true where the HTML
    refers to it by `cid:`. `signature` marks the machine parts of S/MIME and PGP (smime.p7s, signature.asc): kept, but
    nothing that a person attached, so not to be listed as such. `dropped` has size and digest of a content that was
    let go (`drop_content`): whoever needs it then reads the mail again.
    """

    name: str
    content_type: str
    content: bytes = field(repr=False)
    content_id: str = ""
    inline: bool = False
    signature: bool = False
    dropped: tuple[int, str] | None = None

    @property
    def size(self) -> int:
        """Length of the decoded content, bytes."""
        return self.dropped[0] if self.dropped else len(self.content)

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the decoded content."""
        return self.dropped[1] if self.dropped else hashlib.sha256(self.content).hexdigest()

    def drop_content(self) -> Attachment:
        """The same as the desk keeps it on record: the bytes are let go, their size and digest stay."""
        return self if self.dropped else replace(self, content=b"", dropped=(self.size, self.sha256))


@dataclass(frozen=True, slots=True)
class Headers:
    """The top-level header fields in their order: (name as written, value unfolded and decoded per RFC 2047).

    Authentication-Results is not decoded, for what is encoded in it is a sender's.

    Look-ups ignore case (RFC 5322 §1.2.2).
    """

    fields: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """The first value of that name."""
        wanted = name.lower()
        return next((value for key, value in self.fields if key.lower() == wanted), default)

    def get_all(self, name: str) -> tuple[str, ...]:
        """Every value of that name, topmost first."""
        wanted = name.lower()
        return tuple(value for key, value in self.fields if key.lower() == wanted)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(key.lower() == name.lower() for key, _ in self.fields)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)


@dataclass(frozen=True, slots=True)
class MultipartReport:
    """The machine part of a `multipart/report` (RFC 6522), or of a bounce that has the same parts without saying so.

    `status` is the text of the `message/delivery-status` part(s) (RFC 3464), `original_headers` the header of the
    returned mail (`message/rfc822` or `text/rfc822-headers`), each "" where absent.
    """

    report_type: str
    status: str = ""
    original_headers: str = ""


@dataclass(frozen=True, slots=True)
class Hop:
    """One Received field (RFC 5321 §4.4), topmost first; what can't be read is ""/None."""

    by: str = ""
    from_: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class InboundMessage:
    """An incoming mail, understood as far as its form goes.

    `from_` holds every mailbox of every From field (two From fields are a defect: `duplicate-from`); `sender_address`
    is the one that counts. `text` is the plain body; where there is none, the words of the HTML (`text_from_html`);
    `html` the HTML body with `cid:` links left as they are, or "". `message_id` and `references` keep their angle
    brackets. `recipients` are all addresses that the mail was sent to as far as the header says (To, Cc, Delivered-To,
    X-Original-To, Envelope-To), lower case. `defects` are short codes for the admin ("no-boundary", "duplicate-from",
    "unknown-charset:foo-999", …).
    """

    headers: Headers = Headers()
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    from_: tuple[Address, ...] = ()
    sender: Address | None = None
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    recipients: tuple[str, ...] = ()
    return_path: str | None = None
    subject: str = ""
    date: datetime | None = None
    text: str = ""
    html: str = ""
    text_from_html: bool = False
    attachments: tuple[Attachment, ...] = ()
    nested: tuple[InboundMessage, ...] = ()
    report: MultipartReport | None = None
    received: tuple[Hop, ...] = ()
    security: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    size: int = 0

    @property
    def from_address(self) -> Address:
        """The author: the first From mailbox, else Sender, else an empty address.

        Sender speaks for nobody where a From is there that can be read in two ways: a server may have read the other.
        """
        if self.from_:
            return self.from_[0]
        if "ambiguous-address" in self.defects:
            return Address("")
        return self.sender or Address("")

    @property
    def from_addr(self) -> str:
        """The author's addr-spec, lower case; "" where the mail names none."""
        return self.from_address.email


class Kind(StrEnum):
    """What sort of correspondent wrote, and so what may be done with the mail (features.md §3).

    LOOP nothing happens · BOUNCE goes to the ticket of the mail that bounced · AUTO is recorded, changes nothing and is
    never answered · NOACK is a person's, but gets no automatic mail · QUARANTINE is held · HUMAN is everything else.
    """

    HUMAN = "human"
    NOACK = "noack"
    AUTO = "auto"
    BOUNCE = "bounce"
    LOOP = "loop"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report about one recipient.

    `hard`: will not be delivered (RFC 3463 class 5, or words that say so); False: delayed or a passing fault.
    `status` is the RFC 3463 code ("5.1.1") or ""; `recipient` the address that failed or ""; `diagnostic` the
    server's words; `original_message_id` the Message-ID (angle brackets) of our mail, `original_subject` its subject.
    """

    hard: bool
    status: str = ""
    recipient: str = ""
    diagnostic: str = ""
    original_message_id: str = ""
    original_subject: str = ""


@dataclass(frozen=True, slots=True)
class Classification:
    """The verdict on a mail: its kind, the rule that decided, why in words for the admin, and what else was learnt."""

    kind: Kind
    rule: str = ""
    reason: str = ""
    bounce: Bounce | None = None
    returns_on: str = ""


class Intent(StrEnum):
    """What the new words of a reply to a closed ticket or a reminder mean."""

    STILL_BROKEN = "still_broken"
    THANKS = "thanks"
    STATUS = "status"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reply:
    """A body, cut: `text` is what its author wrote now; the rest is hidden, never lost.

    `quoted` is the hidden quotation, `signature` the author's signature and device footer. `rule` names what cut
    ("gmail_quote", "attribution:id", "marker", …; "" where nothing was cut). `nothing_new`: a quotation or a signature
    is all there is, so `text` shows it whole.
    """

    text: str
    quoted: str = ""
    signature: str = ""
    rule: str = ""
    nothing_new: bool = False


@dataclass(frozen=True)
class Forward:
    """A mail that somebody passed on: who wrote it first, and what they wrote.

    `comment` is what the forwarder put above it (an agent's commands, say).
    """

    author: Address
    subject: str = ""
    date: datetime | None = None
    text: str = ""
    comment: str = ""
    attachments: tuple[Attachment, ...] = ()


class MessageKind(StrEnum):
    """What a message on a ticket is (contract.md)."""

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
