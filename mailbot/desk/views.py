"""What templates see: frozen values with just the facts that people may read, no tokens, no secrets.

Whoever renders a mail builds these from the ticket and the configuration; `render.TEMPLATES` says which template wants
which. All times are aware. Texts are plain: templates escape them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeskView:
    """The helpdesk: display name, brand, address, and the address of its status page ("" where it has none)."""

    name: str
    brand: str
    address: str
    status_page: str = ""


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody by name and address; `name` is "" where unknown."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class FileView:
    """An attachment: its safe name, its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class HeldView:
    """A file that was held back: its name, with the path in the archive that is to blame, and a code for why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class EntryView:
    """One earlier message of a ticket. `author` is a name or an address, `role` a code of `core.ticket.Role`."""

    at: datetime
    author: str
    role: str
    text: str
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket. `status` and `priority` are codes, put into words by the template's language.

    `last_answer_at` is when the last answer or reply was written; `agent_name` the owner's display name or "".
    """

    number: int
    subject: str
    status: str
    requester: PersonView
    created_at: datetime
    last_answer_at: datetime | None = None
    closed_at: datetime | None = None
    agent_name: str = ""
    priority: str = "normal"
    program: str = ""
    tags: tuple[str, ...] = ()
    follow_up_of: int | None = None


@dataclass(frozen=True, slots=True)
class HeldMailView:
    """A mail in quarantine as a lead is told of it: its number in this list; texts are one line each.

    `why` is a code of `core.held.Why`, `detail` says more or is "". `size` in bytes.
    """

    number: int
    sender: str
    subject: str
    size: int
    at: datetime
    why: str
    detail: str = ""
    can_be_released: bool = True


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """What became of a number of that list. `outcome`: "let_in" (into `ticket`, or without one), "held_again" (`reason`

    says why), "dropped", "left" (can't be let in), "let_in_before", "dropped_before", "busy" (in somebody else's hand).
    """

    number: int
    sender: str
    subject: str
    outcome: str
    ticket: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FaultView:
    """A command that was not carried out: the line as typed, its number in the mail, and what was possible instead.

    `line_number` 0 is the mail's subject. `fault` is a code of `core.commands.Fault`; `found` is the argument in
    question or "".
    """

    fault: str
    line: str
    line_number: int
    found: str = ""
    possible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConditionView:
    """Something that is, or was, wrong with the desk itself, in words (mailbot.monitoring.conditions). `over_at` None: it lasts."""

    title: str
    found: str
    mend: str
    since: datetime
    over_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WaitingView:
    """What waits: mail to go out (the oldest since when), mail that failed, mail that is held for a person."""

    outgoing: int
    oldest: datetime | None
    failed: int
    held: int
