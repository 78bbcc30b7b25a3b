"""What templates see: frozen values with just the facts that people may read, no tokens, no secrets.

Whoever renders a mail builds these from the ticket and the configuration; `outbound.templates.TEMPLATES` says which
template gets which. All times are aware. Texts are plain: templates escape them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeskView:
    """The helpdesk."""

    name: str
    brand: str
    address: str
    status_page: str = ""  #: its address, "" if there is none


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person by name and address."""

    email: str
    name: str = ""  #: "" where unknown


@dataclass(frozen=True, slots=True)
class FileView:
    """An attachment."""

    name: str  #: safe to show
    size: int  #: bytes


@dataclass(frozen=True, slots=True)
class HeldView:
    """A file that was withheld."""

    name: str  #: with the path in the archive that is to blame
    why: str  #: a code


@dataclass(frozen=True, slots=True)
class EntryView:
    """One earlier message of a ticket."""

    at: datetime
    author: str  #: a name or an address
    role: str  #: a code of `ticket.ticket.Role`
    text: str
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket. `status` and `priority` are codes, put into words by the template's language."""

    number: int
    subject: str
    status: str
    requester: PersonView
    created_at: datetime
    last_answer_at: datetime | None = None  #: when the last answer or reply was written
    closed_at: datetime | None = None
    agent_name: str = ""  #: the owner's display name
    priority: str = "normal"
    program: str = ""
    tags: tuple[str, ...] = ()
    follow_up_of: int | None = None


@dataclass(frozen=True, slots=True)
class HeldMailView:
    """A mail in quarantine, as the list for leads names it; texts are one line each."""

    number: int  #: in this list
    sender: str
    subject: str
    size: int  #: bytes
    at: datetime
    why: str  #: a code of `ticket.quarantine.QuarantineReason`
    detail: str = ""  #: says more
    can_be_released: bool = True


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """What became of a number of that list.

    `outcome`: "let_in" (into `ticket`, or without one), "held_again" (`reason` says why), "dropped", "left" (it can't
    be released), "let_in_before", "dropped_before", "busy" (another worker is handling it).
    """

    number: int
    sender: str
    subject: str
    outcome: str
    ticket: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FaultView:
    """A command that was not carried out."""

    fault: str  #: a code of `ticket.command_parser.Fault` or `ticket.quarantine.QuarantineFault`
    line: str  #: as typed
    line_number: int  #: in the mail; 0 is its subject
    found: str = ""  #: the argument in question
    possible: tuple[str, ...] = ()  #: what could have been there instead


@dataclass(frozen=True, slots=True)
class ConditionView:
    """What is, or was, wrong with the desk itself, in words (`monitoring.conditions`)."""

    title: str
    found: str
    mend: str  #: what to do
    since: datetime
    over_at: datetime | None = None  #: None while it lasts


@dataclass(frozen=True, slots=True)
class WaitingView:
    """How much mail is waiting."""

    outgoing: int
    oldest: datetime | None  #: outgoing mail, since when it waits
    failed: int
    held: int  #: in quarantine
