"""Events of a ticket (past tense), effects (imperative), and the decision that connects them.

`lifecycle.decide(ticket, event, policy)` turns an event into a `Decision`. All times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mailbot.mail.message import Address, Intent, MessageKind
from mailbot.ticket.command_parser import Command, CommandError
from mailbot.ticket.ticket import (
    CloseReason,
    Participant,
    Role,
    Status,
    Ticket,
    Timer,
)

# Events: what has happened, each with its time `at`.


@dataclass(frozen=True, slots=True)
class Origin:
    """The closed ticket that a follow-up continues."""

    number: int
    agent: str = ""
    program: str = ""
    priority: str = "normal"


@dataclass(frozen=True, slots=True)
class Reported:
    """A mail or a form that belongs to no ticket: a new one is opened."""

    at: datetime
    #: The number of the new ticket.
    number: int
    subject: str
    requester: Address
    #: Who wrote; another than the requester where a participant's reply makes a follow-up.
    author: Address
    language: str = "id"
    participants: tuple[Participant, ...] = ()
    program: str = ""
    #: False: no automatic mail (NOACK).
    acknowledge: bool = True
    #: A ticket that the sender named without taking part in it.
    named: int | None = None
    follow_up_of: Origin | None = None
    #: The agent who opened the ticket by forwarding a mail, or "".
    by_agent: str = ""


@dataclass(frozen=True, slots=True)
class Replied:
    """A person's words on a ticket."""

    at: datetime
    author: Address
    #: REQUESTER or PARTICIPANT.
    role: Role
    #: Counts on a closed ticket only.
    intent: Intent = Intent.OTHER
    #: A token or a reference led here, but the address takes no part in the ticket (shown to the agent).
    elsewhere: bool = False
    participants: tuple[Participant, ...] = ()
    #: Why the words could not be read ("too_large", "quarantined"), or "".
    unread: str = ""
    acknowledge: bool = True


@dataclass(frozen=True, slots=True)
class AutoReplied:
    """An out-of-office reply or another automatic mail, which is recorded and changes nothing."""

    at: datetime
    author: Address
    #: The return date, as `mail.classify.out_of_office` gives it.
    returns_on: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What `#gabung N` needs of ticket N, looked up before the decision."""

    number: int
    requester: str
    status: Status
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An authenticated agent's mail, or the same by the command line."""

    at: datetime
    agent: str
    commands: tuple[Command, ...] = ()
    #: There are words or files after the commands.
    has_words: bool = True
    #: The tickets that the commands name, by number.
    targets: Mapping[int, Target] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Absorbed:
    """Another ticket was merged into this one."""

    at: datetime
    agent: str
    source: int
    participants: tuple[Participant, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """The SMTP server accepted a mail on which timers depend (an answer, a reminder)."""

    at: datetime
    kind: MessageKind
    recipient: str
    #: The ticket's `wait_cycle` when the mail was queued.
    cycle: int
    step: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryFailed:
    """A mail of ours was refused permanently, given up after `retry_for`, or bounced."""

    at: datetime
    kind: MessageKind
    recipient: str
    cycle: int
    reason: str
    #: Only delayed so far.
    soft: bool = False


@dataclass(frozen=True, slots=True)
class TimerFired:
    """Deadlines of this ticket have passed."""

    at: datetime
    #: All of them, the earliest first.
    due: tuple[Timer, ...]


Event = Reported | Replied | AutoReplied | Answered | Absorbed | Delivered | DeliveryFailed | TimerFired


# Effects: what must be done, in the same commit as the ticket's change.


class Topic(StrEnum):
    """Subject of a notice to agents; the texts are in the template `agent/notice`."""

    ASSIGNED = "assigned"
    COLLEAGUE_ACTED = "colleague_acted"
    ANSWERED_CLOSED = "answered_closed"
    DELIVERY_FAILED = "delivery_failed"
    DELIVERY_DELAYED = "delivery_delayed"
    REPLY_UNREAD = "reply_unread"
    MERGED = "merged"
    FORWARD_OPENED = "forward_opened"
    SENDER_LIMIT = "sender_limit"
    DIGESTED = "folded"


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Acknowledge the report to its authors, with its number."""

    to: tuple[Address, ...]
    follow_up_of: int | None = None
    #: The next opening, if the desk is closed now.
    opens_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notify:
    """Notify agents of the new words, with the attachments and the signed reply address."""

    to: tuple[str, ...]
    #: See `Replied.elsewhere`.
    elsewhere: bool = False
    #: See `Reported.named`.
    named: int | None = None


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """Send the agent's words to each person, from the desk's address under the agent's name."""

    to: tuple[Address, ...]
    agent: str
    cycle: int


@dataclass(frozen=True, slots=True)
class SendReminder:
    """Remind the requester."""

    to: tuple[Address, ...]
    step: int
    #: The ticket is closed next, at `closes_at`.
    last: bool
    closes_at: datetime | None
    cycle: int


@dataclass(frozen=True, slots=True)
class SendClosure:
    """Send each person the closure notice."""

    to: tuple[Address, ...]
    reason: CloseReason
    #: It contains the words of `agent`.
    with_words: bool = False
    agent: str = ""


@dataclass(frozen=True, slots=True)
class SendNotice:
    """Notify agents of something other than a person's new words."""

    to: tuple[str, ...]
    topic: Topic
    #: The variables of the template.
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SendHelp:
    """Send the agent the list of commands."""

    to: str


@dataclass(frozen=True, slots=True)
class Absorb:
    """Merge ticket `source` into ticket `target`."""

    target: int
    source: int
    participants: tuple[Participant, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenFollowUp:
    """Open a follow-up of a closed ticket for this reply, or add it to the one that is open."""

    origin: Origin


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Put the mail into quarantine, with this reason."""

    reason: str


Effect = (
    Acknowledge
    | Notify
    | SendAnswer
    | SendReminder
    | SendClosure
    | SendNotice
    | SendHelp
    | Absorb
    | OpenFollowUp
    | Quarantine
)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An entry of a ticket's history."""

    at: datetime
    actor: str
    kind: str
    from_: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from an event: the next ticket with history and effects, or refusals and nothing else."""

    ticket: Ticket | None
    journal: tuple[JournalEntry, ...] = ()
    effects: tuple[Effect, ...] = ()
    refusals: tuple[CommandError, ...] = ()
    #: The kind of message that the event's mail becomes on the ticket; None: it is not recorded there.
    recorded_as: MessageKind | None = None
    #: False: only agents see it.
    public: bool = True
