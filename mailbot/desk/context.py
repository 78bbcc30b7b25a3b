"""Values that inbound and outbound mail share: a transaction's surroundings, the mail, what is said in it, the result.

`Case` is what travels through the desk: one transaction and, as far as they are known, the ticket, the mail and the
words that an event stands for. `Outbound` is what handling needs of outgoing mail, so that `desk.inbound` does not
depend on `desk.outbound`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from mailbot.desk.profile import DeskProfile
from mailbot.desk.views import FaultView, OutcomeView
from mailbot.mail.attachments.policy import WithheldFile
from mailbot.mail.fetched import Folder
from mailbot.mail.message import Address, Attachment, Classification, InboundMessage, Kind, Reply
from mailbot.store.rows import InboundRow
from mailbot.store.tickets import StoredTicket
from mailbot.store.unit_of_work import UnitOfWork
from mailbot.ticket.command_parser import CommandError
from mailbot.ticket.events import Effect
from mailbot.ticket.ticket import Agent, Policy, Role


@dataclass(frozen=True)
class IncomingMail:
    """One mail that is being handled."""

    inbound_id: int
    mailbox_id: int
    raw_sha256: str
    message: InboundMessage  #: without the files that are withheld
    verdict: Classification
    partial: bool = False  #: only the header was fetched
    released: bool = False  #: an admin or a lead released it from quarantine
    authenticated: bool = False  #: its agent confirmed it, or it was held for that only and was released
    program: str = ""  #: what the form's report, or all mail of its mailbox, is about
    withheld: tuple[WithheldFile, ...] = ()  #: its files that are not passed on
    infected: str = ""  #: name of the virus in it
    from_form: bool = False  #: its address was typed into the web form, where anybody can type any address
    received_at: datetime | None = None
    reply_conflict: str = ""  #: why an answer could reach another person (`mail.classify.reply_conflict`)
    reply: Reply | None = None  #: its new words, found without knowing what we sent; None: not extracted yet

    @classmethod
    def of_row(cls, row: InboundRow, message: InboundMessage, verdict: Classification) -> IncomingMail:
        """Return the mail of a stored row, as far as row, message and verdict say."""
        return cls(row.id, row.mailbox_id, row.raw_sha256, message, verdict, row.partial)

    @property
    def may_be_answered(self) -> bool:
        """Whether automatic mail may go to its sender: a person wrote who does not ask for silence."""
        return self.verdict.kind in (Kind.HUMAN, Kind.QUARANTINE) and not self.reply_conflict


@dataclass(frozen=True)
class Words:
    """The words that an event stands for, from a mail, a shell or a page."""

    author: Address
    role: Role
    text: str
    attachments: tuple[Attachment, ...] = ()
    subject: str = ""
    mark: str = ""  #: kept with the message on the ticket


@dataclass(frozen=True)
class Case:
    """What one step of handling works on; None for what there is not, or not yet."""

    context: Context
    ticket: StoredTicket | None = None
    mail: IncomingMail | None = None  #: the mail that is handled, or answered
    words: Words | None = None

    @property
    def stored(self) -> StoredTicket:
        """The ticket, where there must be one."""
        assert self.ticket is not None
        return self.ticket

    @property
    def incoming(self) -> IncomingMail:
        """The mail, where there must be one."""
        assert self.mail is not None
        return self.mail

    @property
    def message_id(self) -> str:
        """The Message-ID of the mail, or ""."""
        return self.mail.message.message_id if self.mail else ""

    @property
    def mailbox_id(self) -> int:
        """The mailbox that the ticket or the mail came to; 0 for none."""
        return self.ticket.mailbox_id if self.ticket else self.mail.mailbox_id if self.mail else 0

    def about(self, ticket: StoredTicket | None) -> Case:
        """Return the same case on this ticket."""
        return replace(self, ticket=ticket)

    def saying(self, words: Words | None) -> Case:
        """Return the same case with these words."""
        return replace(self, words=words)

    def answering(self, mail: IncomingMail | None) -> Case:
        """Return the same case for this mail."""
        return replace(self, mail=mail)


class Outbound(Protocol):
    """What handling mail needs of the desk's outgoing mail (`outbound.notifications.Notifications`)."""

    def queue_effect(self, case: Case, effect: Effect) -> None:
        """Queue the mail that an effect of a decision asks for."""

    def status(self, case: Case) -> None:
        """Answer a status request of a person who takes part in the ticket."""

    def status_unknown(self, case: Case, number: int) -> None:
        """Answer a status request for a number that does not belong to the sender's address."""

    def too_large(self, case: Case) -> None:
        """Notify the sender of an oversize mail of the limit."""

    def refuse(self, case: Case, agent: Agent, errors: Sequence[CommandError]) -> None:
        """Notify an agent that nothing of their mail was carried out, and why."""

    def ask_to_confirm(self, case: Case, agent: Agent) -> bool:
        """Ask an agent whether a mail in their name is theirs; return False if that was asked too often."""

    def quarantine_outcomes(
        self,
        case: Case,
        agent: Agent,
        list_id: int | None,
        outcomes: Sequence[OutcomeView],
        faults: Sequence[FaultView] = (),
    ) -> None:
        """Notify a lead what became of their commands on a quarantine list."""


@dataclass(frozen=True)
class Context:
    """The surroundings of one transaction: the rows, the settings as they are now, and what works on them."""

    work: UnitOfWork
    profile: DeskProfile
    policy: Policy
    outbound: Outbound
    reread: Callable[[InboundRow], IncomingMail]  #: analyses a mail anew that awaited its agent's confirmation
    release: Callable[[int], ProcessingResult]  #: handles a mail, by its row, that was released from quarantine
    muted: set[int] = field(default_factory=set)  #: row ids of tickets whose reporter got no automatic mail

    def impersonates(self, author: Address) -> bool:
        """Return whether the display name claims to be another address, an agent, or the desk itself."""
        name = " ".join(author.name.casefold().split())
        named = {agent.name.casefold() for agent in self.policy.agents if author.email != agent.email}
        signed = {f"{each} ({self.profile.brand.casefold()})" for each in named}
        return ("@" in name and author.email not in name) or name in {*named, *signed, self.profile.name.casefold()}

    def is_ours(self, email: str) -> bool:
        """Return whether this is an address of the desk or of an agent."""
        return self.profile.is_own(email) or self.policy.agent(email) is not None


@dataclass(frozen=True, slots=True)
class ProcessingResult:
    """What became of one stored mail."""

    inbound_id: int
    state: str  #: `Inbound.state`
    folder: Folder
    number: int | None = None  #: of its ticket
    reason: str = ""  #: in words, for the admin

    @classmethod
    def of_row(cls, row: InboundRow, number: int | None = None) -> ProcessingResult:
        """Return what the row says became of its mail."""
        return cls(row.id, row.state, Folder(row.place or Folder.PROCESSED), number, row.reason)


@dataclass(frozen=True)
class HandlingResult:
    """What handling decided about a mail."""

    state: str  #: `Inbound.state`
    reason: str = ""
    ticket_id: int | None = None
    number: int | None = None
    explanation: Mapping[str, Any] = field(default_factory=dict)  #: what `mailbot explain` shows
    rule: str = ""  #: what decided, where it was not the verdict's rule

    @classmethod
    def processed(
        cls, reason: str = "", ticket: StoredTicket | None = None, explanation: Mapping[str, Any] | None = None
    ) -> HandlingResult:
        """Return the result for a mail that was handled, on this ticket if there is one."""
        return cls("processed", reason, *_named(ticket), explanation or {})

    @classmethod
    def quarantined(
        cls, reason: str, ticket: StoredTicket | None = None, explanation: Mapping[str, Any] | None = None
    ) -> HandlingResult:
        """Return the result for a mail that goes into quarantine."""
        return cls("quarantined", reason, *_named(ticket), explanation or {})

    @property
    def folder(self) -> Folder:
        """The folder that the mail belongs in."""
        return Folder.QUARANTINE if self.state in ("quarantined", "held") else Folder.PROCESSED


def _named(ticket: StoredTicket | None) -> tuple[int | None, int | None]:
    return (ticket.id, ticket.ticket.number) if ticket else (None, None)


def release_flags(row: InboundRow) -> dict[str, Any]:
    """Return `Inbound.explanation` of a mail that is released from quarantine.

    Only a mail that awaited its agent's confirmation is authenticated by that: that it is no spam does not say whose
    it is.
    """
    return row.explanation | {"released": True} | ({"proven": True} if row.state == "held" else {})
