"""Values of a ticket's life: the ticket itself, events (past tense), effects (imperative), policy.

`core.lifecycle.decide(ticket, event, policy)` turns them into one another. All times are aware UTC. A `Ticket` is a
snapshot: the store loads it, `decide` returns the next one, the store writes the difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from mailbot.core.commands import Command, CommandError
from mailbot.core.hours import ServiceHours
from mailbot.core.message import Address, Intent


class Status(StrEnum):
    """Where a ticket stands (service.md, "Life of a ticket")."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    CLOSED = "closed"


class CloseReason(StrEnum):
    """Why a ticket was closed."""

    SOLVED = "solved"
    NO_REPLY = "no_reply"
    MERGED = "merged"
    SPAM = "spam"


class Role(StrEnum):
    """Who wrote, seen from the ticket."""

    REQUESTER = "requester"
    PARTICIPANT = "participant"
    AGENT = "agent"
    SYSTEM = "system"


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


class TimerKind(StrEnum):
    """What a timer does when it is due."""

    REMINDER = "reminder"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, order=True)
class Timer:
    """One deadline of a waiting ticket. `step` counts reminders from 1; a close has step 0."""

    due_at: datetime
    kind: TimerKind
    step: int = 0


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody beside the requester who takes part. `visible`: stood in Cc of the requester's own mail."""

    email: str
    name: str = ""
    visible: bool = True


@dataclass(frozen=True, slots=True)
class Agent:
    """A person of the helpdesk team, from the configuration or from `mailbot agent add`.

    `programs`: what new tickets they hear of; (): of those whose program nobody has.
    `term` counts how often they have left before.
    """

    email: str
    name: str
    aliases: tuple[str, ...] = ()
    role: str = "agent"
    programs: tuple[str, ...] = ()
    term: int = 0

    @property
    def signs_as(self) -> str:
        """The person that tokens are signed for: those of an earlier term fit no more."""
        return f"{self.email} {self.term}" if self.term else self.email

    @property
    def is_lead(self) -> bool:
        """Leads also get notices about the desk itself."""
        return self.role == "lead"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it stands. `agent` is the owner's address or "". `wait_cycle` counts requests for information: a mail

    of an older cycle starts no timers. `waiting_since` is when SMTP accepted the last of them; `last_reminder_at` when
    it accepted the last reminder of this cycle. `told` are the agents who were notified when the ticket was new.
    """

    number: int
    subject: str
    requester: Address
    status: Status
    created_at: datetime
    updated_at: datetime
    language: str = "id"
    participants: tuple[Participant, ...] = ()
    agent: str = ""
    priority: str = "normal"
    program: str = ""
    tags: tuple[str, ...] = ()
    closed_at: datetime | None = None
    close_reason: CloseReason | None = None
    follow_up_of: int | None = None
    merged_into: int | None = None
    wait_cycle: int = 0
    waiting_since: datetime | None = None
    reminders_sent: int = 0
    last_reminder_at: datetime | None = None
    timers: tuple[Timer, ...] = ()
    told: tuple[str, ...] = ()

    def takes_part(self, email: str) -> bool:
        """Is this address the requester's or a participant's?"""
        return email == self.requester.email or any(p.email == email for p in self.participants)

    def is_hidden(self, email: str) -> bool:
        """Does this person take part without the others' knowledge, after a forced merge?"""
        return any(p.email == email and not p.visible for p in self.participants)

    @property
    def next_timer(self) -> Timer | None:
        """The earliest deadline."""
        return min(self.timers, default=None)


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decisions depend on. `in_turn`: whom new tickets went to (round robin), the last one last."""

    hours: ServiceHours
    agents: tuple[Agent, ...] = ()
    reminders: tuple[timedelta, ...] = (timedelta(hours=6), timedelta(hours=24))
    auto_close: timedelta = timedelta(hours=48)
    service_clock: bool = False
    after_reply: Status = Status.WAITING
    notify: str = "all"
    thanks_open_follow_up: bool = False
    in_turn: tuple[str, ...] = ()
    max_participants: int = 10
    own_addresses: tuple[str, ...] = ()

    def after(self, start: datetime, span: timedelta) -> datetime:
        """`span` after `start`, on the clock that the timers run by."""
        return self.hours.add(start, span) if self.service_clock else start + span

    def told_of_new(self, program: str = "") -> tuple[str, ...]:
        """Who is notified of a new ticket: every agent of its program, the one whose turn was longest ago, or nobody.

        A program that no agent has is everybody's who has none; where all have some, it is everybody's.
        """
        wanted = program.casefold()
        of_program = [a.email for a in self.agents if wanted in (p.casefold() for p in a.programs)]
        emails = of_program or [a.email for a in self.agents if not a.programs] or [a.email for a in self.agents]
        if self.notify == "none" or not emails:
            return ()
        if self.notify == "round_robin":
            turns = {email: turn for turn, email in enumerate(self.in_turn)}
            return (min(emails, key=lambda email: turns.get(email, -1)),)
        return tuple(emails)

    def agent(self, email: str) -> Agent | None:
        """The agent who has this address, also as an alias."""
        return next((a for a in self.agents if email == a.email or email in a.aliases), None)

    def is_own(self, email: str) -> bool:
        """Is this one of the desk's addresses, also with a sub-address (`support+…@`, RFC 5233)?"""
        local, _, domain = email.partition("@")
        return f"{local.partition('+')[0]}@{domain}" in self.own_addresses

    @property
    def leads(self) -> tuple[str, ...]:
        """Addresses of the leads; where there are none, of all agents, so that no notice is unread."""
        return tuple(a.email for a in self.agents if a.is_lead) or tuple(a.email for a in self.agents)


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
