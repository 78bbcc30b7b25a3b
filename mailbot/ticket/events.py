"""What happens to a ticket and what comes of it: events (past tense), effects (imperative), the decision with both.

`core.lifecycle.decide(ticket, event, policy)` turns an event into a `Decision`. All times are aware UTC.
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

# Events: what has happened. Each carries `at`.


@dataclass(frozen=True, slots=True)
class Origin:
    """The closed ticket that a follow-up comes out of."""

    number: int
    agent: str = ""
    program: str = ""
    priority: str = "normal"


@dataclass(frozen=True, slots=True)
class Reported:
    """A mail (or the form) that belongs to no ticket: one is opened under `number`.

    `acknowledge` False: no automatic mail (NOACK). `named` is a ticket that the sender named without taking part.
    `author` wrote it, `requester` is whose ticket it is (another, where a participant's reply makes a follow-up).
    """

    at: datetime
    number: int
    subject: str
    requester: Address
    author: Address
    language: str = "id"
    participants: tuple[Participant, ...] = ()
    program: str = ""
    acknowledge: bool = True
    named: int | None = None
    follow_up_of: Origin | None = None
    by_agent: str = ""


@dataclass(frozen=True, slots=True)
class Replied:
    """A person's words on a ticket. `role` is REQUESTER or PARTICIPANT; `elsewhere`: the evidence was a token or a

    reference, but the address is not one that takes part (shown to the agent). `intent` counts on a closed ticket only.
    `unread` says why the words could not be read ("too_large", "quarantined"), "" where they were.
    """

    at: datetime
    author: Address
    role: Role
    intent: Intent = Intent.OTHER
    elsewhere: bool = False
    participants: tuple[Participant, ...] = ()
    unread: str = ""
    acknowledge: bool = True


@dataclass(frozen=True, slots=True)
class RobotReplied:
    """An out-of-office or another automatic mail: recorded, changes nothing."""

    at: datetime
    author: Address
    returns_on: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What `#gabung N` has to know of ticket N: found by the service before the decision."""

    number: int
    requester: str
    status: Status
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A proven agent's mail (or the same by the command line): commands, then words (or files) for the requester."""

    at: datetime
    agent: str
    commands: tuple[Command, ...] = ()
    has_words: bool = True
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
    """The SMTP server accepted a mail of ours that timers depend on (an answer, a reminder)."""

    at: datetime
    kind: MessageKind
    recipient: str
    cycle: int
    step: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryFailed:
    """A mail of ours was refused for good, given up after `retry_for`, or came back. `soft`: only delayed so far."""

    at: datetime
    kind: MessageKind
    recipient: str
    cycle: int
    reason: str
    soft: bool = False


@dataclass(frozen=True, slots=True)
class TimerFired:
    """Deadlines of this ticket are past; `due` has them all, earliest first."""

    at: datetime
    due: tuple[Timer, ...]


Event = Reported | Replied | RobotReplied | Answered | Absorbed | Delivered | DeliveryFailed | TimerFired


# Effects: what must be done, in the commit of the ticket's change.


class Topic(StrEnum):
    """What a notice to agents is about; the words for each stand in the template `agent/notice`."""

    ASSIGNED = "assigned"
    COLLEAGUE_ACTED = "colleague_acted"
    ANSWERED_CLOSED = "answered_closed"
    DELIVERY_FAILED = "delivery_failed"
    DELIVERY_DELAYED = "delivery_delayed"
    REPLY_UNREAD = "reply_unread"
    MERGED = "merged"
    FORWARD_OPENED = "forward_opened"
    SENDER_LIMIT = "sender_limit"
    FOLDED = "folded"


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Tell the author(s) that the report is in, with its number. `opens_at`: next opening, if it is closed now."""

    to: tuple[Address, ...]
    follow_up_of: int | None = None
    opens_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notify:
    """Show an agent the new words, with the attachments and the signed reply address."""

    to: tuple[str, ...]
    elsewhere: bool = False
    named: int | None = None


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """The agent's words to each person, from the desk's address under the agent's name."""

    to: tuple[Address, ...]
    agent: str
    cycle: int


@dataclass(frozen=True, slots=True)
class SendReminder:
    """Remind the requester. `last`: the closing is what comes next, at `closes_at`."""

    to: tuple[Address, ...]
    step: int
    last: bool
    closes_at: datetime | None
    cycle: int


@dataclass(frozen=True, slots=True)
class SendClosure:
    """Tell each person that the ticket is closed; `with_words`: the agent's words are in it, `agent` wrote them."""

    to: tuple[Address, ...]
    reason: CloseReason
    with_words: bool = False
    agent: str = ""


@dataclass(frozen=True, slots=True)
class SendNotice:
    """Tell agents something that is not a person's new words. `facts` are the template's variables."""

    to: tuple[str, ...]
    topic: Topic
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SendHelp:
    """Send the agent the list of commands."""

    to: str


@dataclass(frozen=True, slots=True)
class Absorb:
    """Tell ticket `target` that `source` has come into it."""

    target: int
    source: int
    participants: tuple[Participant, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenFollowUp:
    """The reply belongs to a closed ticket and is not mere thanks: open a new one out of it (or join the open one)."""

    origin: Origin


@dataclass(frozen=True, slots=True)
class Hold:
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
    | Hold
)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One line of a ticket's history."""

    at: datetime
    actor: str
    kind: str
    from_: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes of an event: the next ticket, its history lines, the effects; or refusals, and then nothing else.

    `recorded_as` is the kind of message that the event's mail becomes on the ticket (None: it is not put there);
    `public` False: only agents see it.
    """

    ticket: Ticket | None
    journal: tuple[JournalEntry, ...] = ()
    effects: tuple[Effect, ...] = ()
    refusals: tuple[CommandError, ...] = ()
    recorded_as: MessageKind | None = None
    public: bool = True
