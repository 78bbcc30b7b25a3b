"""Values that the intake works with: the turn (one transaction's surroundings), the mail in hand, what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mailbot.desk.profile import DeskProfile
from mailbot.mail.attachments.policy import WithheldFile
from mailbot.mail.fetched import Folder
from mailbot.mail.message import (
    Address,
    Attachment,
    Classification,
    InboundMessage,
    Kind,
    Reply,
)
from mailbot.store.unit_of_work import UnitOfWork
from mailbot.ticket.ticket import Policy, Role

if TYPE_CHECKING:
    from mailbot.desk.outbound.notifications import Notifications


@dataclass(frozen=True)
class IncomingMail:
    """One mail in hand. `released`: an admin or a lead let it out of quarantine; `proven`: an agent confirmed it, or it

    was held for that only and somebody let it out.

    `program` is what the form's report, or all mail of its mailbox, is about. `held` are its files that go no further
    (`message` is without them), `infected` the name of the virus in it. `from_form`: the address was typed into the
    web form, where anybody can type any. `words`: the new words, told without knowing what we sent; None: they were
    not looked for yet.
    `conflict` says why an answer could reach somebody who did not write (`core.reply_path`), "" where it can't.
    """

    inbound_id: int
    mailbox_id: int
    raw_sha256: str
    message: InboundMessage
    verdict: Classification
    partial: bool = False
    released: bool = False
    proven: bool = False
    program: str = ""
    held: tuple[WithheldFile, ...] = ()
    infected: str = ""
    from_form: bool = False
    received_at: datetime | None = None
    conflict: str = ""
    words: Reply | None = None

    @property
    def may_be_answered(self) -> bool:
        """May automatic mail go to its sender? Only where a person wrote who does not ask for silence."""
        return self.verdict.kind in (Kind.HUMAN, Kind.QUARANTINE) and not self.conflict


@dataclass(frozen=True)
class Context:
    """One transaction: the rows, the settings as they are now, and the desk's pen. `reread` brings back a held mail,

    `raw_of` the bytes of a mail by their digest; `admit` handles one, by its row, that was let out of quarantine.
    """

    work: UnitOfWork
    profile: DeskProfile
    policy: Policy
    post: Notifications
    reread: Callable[[Any], IncomingMail]
    raw_of: Callable[[str], bytes | None]
    admit: Callable[[int], ProcessingResult]
    silenced: set[int] = field(default_factory=set)  # row ids of tickets whose reporter got no automatic mail

    def poses(self, author: Address) -> bool:
        """Does the display name claim to be somebody else: another address, an agent, the desk itself?"""
        name = " ".join(author.name.casefold().split())
        named = {agent.name.casefold() for agent in self.policy.agents if author.email != agent.email}
        signed = {f"{each} ({self.profile.brand.casefold()})" for each in named}
        return ("@" in name and author.email not in name) or name in {*named, *signed, self.profile.name.casefold()}


@dataclass(frozen=True, slots=True)
class ProcessingResult:
    """What became of one inbound mail: its row, the folder that it belongs in, in words for the admin."""

    inbound_id: int
    state: str
    place: Folder
    number: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class HandlingResult:
    """What became of a mail: `state` is one of `Inbound.state`; `explanation` is what `mailbot explain` shows.

    `rule` takes the place of the verdict's where something else decided.
    """

    state: str
    reason: str = ""
    ticket_id: int | None = None
    number: int | None = None
    explanation: dict[str, Any] = field(default_factory=dict)
    rule: str = ""

    @property
    def place(self) -> str:
        """The folder that the mail belongs in."""
        return "quarantine" if self.state in ("quarantined", "held") else "processed"


@dataclass(frozen=True)
class Words:
    """The words that an event stands for. `mail` is None where they came from a shell or a page."""

    author: Address
    role: Role
    words: str
    mail: IncomingMail | None = None
    attachments: tuple[Attachment, ...] = ()
    subject: str = ""
    mark: str = ""

    @property
    def message_id(self) -> str:
        """The Message-ID of the mail, or ""."""
        return self.mail.message.message_id if self.mail else ""


def release_flags(row: Any) -> dict[str, Any]:
    """`Inbound.explanation` of a held mail that somebody lets in.

    Only what waited for its agent's word is proven by it: that a mail is no spam does not say whose it is.
    """
    return (row.explanation or {}) | {"released": True} | ({"proven": True} if row.state == "held" else {})
