"""The ticket, the people at it, and the desk's policy. What happens to a ticket is in `core.events`.

All times are aware UTC. A `Ticket` is a snapshot: the store loads it, `core.lifecycle.decide` returns the next one, the
store writes the difference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from mailbot.mail.message import Address
from mailbot.ticket.service_hours import ServiceHours


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

    def role_of(self, email: str) -> Role:
        """Return whose role a person's mail on this ticket has: the requester's, or a participant's."""
        return Role.REQUESTER if email == self.requester.email else Role.PARTICIPANT

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

    @property
    def leads(self) -> tuple[str, ...]:
        """Addresses of the leads; where there are none, of all agents, so that no notice is unread."""
        return tuple(a.email for a in self.agents if a.is_lead) or tuple(a.email for a in self.agents)


def concerned(ticket: Ticket, policy: Policy) -> tuple[str, ...]:
    """The ticket's own agent while they belong to the desk, else those who were told when it was new."""
    if ticket.agent and policy.agent(ticket.agent):
        return (ticket.agent,)
    still_here = tuple(email for email in ticket.told if policy.agent(email))
    return still_here or policy.told_of_new(ticket.program)


def everybody(ticket: Ticket) -> tuple[Address, ...]:
    """The requester first, then each participant."""
    return (ticket.requester, *(Address(p.email, p.name) for p in ticket.participants))


def ask_again(ticket: Ticket) -> Ticket:
    """A new request for information: the ticket waits, older timers go, new ones start when SMTP takes the mail."""
    return replace(stop_waiting(ticket), status=Status.WAITING, wait_cycle=ticket.wait_cycle + 1)


def wait_from(ticket: Ticket, start: datetime, policy: Policy) -> Ticket:
    """The same ticket with all its deadlines, counted from `start` on the clock that the policy names."""
    reminders = tuple(
        Timer(policy.after(start, delay), TimerKind.REMINDER, step)
        for step, delay in enumerate(policy.reminders, start=1)
    )
    close = Timer(policy.after(start, policy.auto_close), TimerKind.CLOSE)
    return replace(ticket, waiting_since=start, timers=(*reminders, close))


def stop_waiting(ticket: Ticket) -> Ticket:
    """The same ticket without deadlines."""
    return replace(ticket, timers=(), waiting_since=None, reminders_sent=0, last_reminder_at=None)


def close_timer(ticket: Ticket) -> Timer | None:
    """The closing deadline, where there is one."""
    return next((timer for timer in ticket.timers if timer.kind is TimerKind.CLOSE), None)
