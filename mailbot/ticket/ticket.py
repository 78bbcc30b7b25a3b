"""The ticket, its people and timers, and the desk's policy. What happens to a ticket is in `events`.

All times are aware UTC. A `Ticket` is a snapshot: the store loads it, `lifecycle.decide` returns the next one, the
store writes the difference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from mailbot.mail.message import Address
from mailbot.ticket.service_hours import ServiceHours


class Status(StrEnum):
    """Status of a ticket (docs/developer/rules.md)."""

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
    """Role of an author on a ticket."""

    REQUESTER = "requester"
    PARTICIPANT = "participant"
    AGENT = "agent"
    SYSTEM = "system"


class TimerKind(StrEnum):
    """What a timer does when it is due."""

    REMINDER = "reminder"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, order=True)
class Timer:
    """One deadline of a waiting ticket."""

    due_at: datetime
    kind: TimerKind
    #: Counts reminders from 1; 0 for the closing.
    step: int = 0


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who takes part besides the requester."""

    email: str
    name: str = ""
    #: False: unknown to the others, after a forced merge.
    visible: bool = True


@dataclass(frozen=True, slots=True)
class Agent:
    """A member of the helpdesk team, from the configuration or from `mailbot agent add`."""

    email: str
    name: str
    aliases: tuple[str, ...] = ()
    role: str = "agent"
    #: The programs of whose new tickets they are notified; (): of those that no agent has.
    programs: tuple[str, ...] = ()
    #: How often they have left the team before.
    term: int = 0

    @property
    def signs_as(self) -> str:
        """The subject of the agent's tokens: those of an earlier term are invalid."""
        return f"{self.email} {self.term}" if self.term else self.email

    @property
    def is_lead(self) -> bool:
        """Whether they also get notices about the desk itself."""
        return self.role == "lead"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A snapshot of a ticket."""

    number: int
    subject: str
    requester: Address
    status: Status
    created_at: datetime
    updated_at: datetime
    language: str = "id"
    participants: tuple[Participant, ...] = ()
    #: The owner's address, or "".
    agent: str = ""
    priority: str = "normal"
    program: str = ""
    tags: tuple[str, ...] = ()
    closed_at: datetime | None = None
    close_reason: CloseReason | None = None
    follow_up_of: int | None = None
    merged_into: int | None = None
    #: Counts requests for information: a mail of an older cycle starts no timers.
    wait_cycle: int = 0
    #: When the SMTP server accepted the request of this cycle.
    waiting_since: datetime | None = None
    reminders_sent: int = 0
    #: When the SMTP server accepted the last reminder of this cycle.
    last_reminder_at: datetime | None = None
    timers: tuple[Timer, ...] = ()
    #: The agents who were notified of the new ticket.
    notified: tuple[str, ...] = ()

    def takes_part(self, email: str) -> bool:
        """Return whether this address is the requester's or a participant's."""
        return email == self.requester.email or any(p.email == email for p in self.participants)

    def role_of(self, email: str) -> Role:
        """Return the role of a person's mail on this ticket: the requester's, or a participant's."""
        return Role.REQUESTER if email == self.requester.email else Role.PARTICIPANT

    def is_hidden(self, email: str) -> bool:
        """Return whether this participant is hidden from the others, after a forced merge."""
        return any(p.email == email and not p.visible for p in self.participants)

    @property
    def next_timer(self) -> Timer | None:
        """The earliest deadline."""
        return min(self.timers, default=None)


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings on which decisions depend."""

    hours: ServiceHours
    agents: tuple[Agent, ...] = ()
    #: The delays of the reminders.
    reminders: tuple[timedelta, ...] = (timedelta(hours=6), timedelta(hours=24))
    auto_close: timedelta = timedelta(hours=48)
    #: Timers count service hours only.
    service_clock: bool = False
    #: The status after an agent's words without a command.
    after_reply: Status = Status.WAITING
    #: Who is notified of new tickets: "all", "round_robin" or "none".
    notify: str = "all"
    thanks_open_follow_up: bool = False
    #: The agents to whom new tickets went (round robin), the latest one last.
    in_turn: tuple[str, ...] = ()
    max_participants: int = 10
    own_addresses: tuple[str, ...] = ()

    def after(self, start: datetime, span: timedelta) -> datetime:
        """Return `span` after `start`, on the clock of the timers."""
        return self.hours.add(start, span) if self.service_clock else start + span

    def notified_of_new(self, program: str = "") -> tuple[str, ...]:
        """Return who is notified of a new ticket: all agents of its program, the next one in round robin, or nobody.

        A program that no agent has belongs to all agents without programs; if there are none, to all agents.
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
        """Return the agent with this address or alias."""
        return next((a for a in self.agents if email == a.email or email in a.aliases), None)

    @property
    def leads(self) -> tuple[str, ...]:
        """Addresses of the leads; without leads, of all agents, so that somebody reads the notices."""
        return tuple(a.email for a in self.agents if a.is_lead) or tuple(a.email for a in self.agents)


def concerned(ticket: Ticket, policy: Policy) -> tuple[str, ...]:
    """Return the ticket's agent if still in the team, else those who were notified when it was new."""
    if ticket.agent and policy.agent(ticket.agent):
        return (ticket.agent,)
    still_here = tuple(email for email in ticket.notified if policy.agent(email))
    return still_here or policy.notified_of_new(ticket.program)


def everybody(ticket: Ticket) -> tuple[Address, ...]:
    """Return the requester and each participant."""
    return (ticket.requester, *(Address(p.email, p.name) for p in ticket.participants))


def ask_again(ticket: Ticket) -> Ticket:
    """Return the ticket waiting for a new answer; new timers start when the SMTP server accepts the mail."""
    return replace(stop_waiting(ticket), status=Status.WAITING, wait_cycle=ticket.wait_cycle + 1)


def wait_from(ticket: Ticket, start: datetime, policy: Policy) -> Ticket:
    """Return the ticket with all its deadlines, counted from `start` on the policy's clock."""
    reminders = tuple(
        Timer(policy.after(start, delay), TimerKind.REMINDER, step)
        for step, delay in enumerate(policy.reminders, start=1)
    )
    close = Timer(policy.after(start, policy.auto_close), TimerKind.CLOSE)
    return replace(ticket, waiting_since=start, timers=(*reminders, close))


def stop_waiting(ticket: Ticket) -> Ticket:
    """Return the ticket without deadlines."""
    return replace(ticket, timers=(), waiting_since=None, reminders_sent=0, last_reminder_at=None)


def close_timer(ticket: Ticket) -> Timer | None:
    """Return the deadline for closing, or None."""
    return next((timer for timer in ticket.timers if timer.kind is TimerKind.CLOSE), None)
