"""Effects of an agent's mail on a ticket: its commands in order, then its words, all of it or nothing.

In: the ticket and an authenticated agent's `Answered`. Out: a `Decision`; if one command is impossible it has only
refusals, each with its line (docs/developer/rules.md). The rows of `lifecycle` for `Answered` point here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mailbot.mail.domains import is_address_of
from mailbot.mail.message import Address, MessageKind
from mailbot.ticket.command_parser import Command, CommandError, Fault, Verb
from mailbot.ticket.events import (
    Absorb,
    Acknowledge,
    Answered,
    Decision,
    Effect,
    Event,
    JournalEntry,
    SendAnswer,
    SendClosure,
    SendHelp,
    SendNotice,
    Topic,
)
from mailbot.ticket.ticket import (
    CloseReason,
    Participant,
    Policy,
    Status,
    Ticket,
    ask_again,
    everybody,
    stop_waiting,
    wait_from,
)


@dataclass
class _Work:
    """A decision in the making."""

    before: Ticket
    ticket: Ticket
    event: Answered
    policy: Policy
    effects: list[Effect] = field(default_factory=list)
    journal: list[JournalEntry] = field(default_factory=list)
    refusals: list[CommandError] = field(default_factory=list)
    #: The status that a command asks for.
    status: Status | None = None

    def note(self, kind: str, from_: str, to: str) -> None:
        self.journal.append(JournalEntry(self.event.at, self.event.agent, kind, from_, to))

    def refuse(self, command: Command, fault: Fault, found: str = "", possible: tuple[str, ...] = ()) -> None:
        self.refusals.append(CommandError(fault, command.line, command.line_number, found, possible))

    @property
    def has_public_words(self) -> bool:
        """Whether there are words for the requester: not those of a note, and none for a spammer."""
        return self.event.has_words and not any(c.verb in (Verb.NOTE, Verb.SPAM) for c in self.event.commands)


def answered(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Decide on an agent's mail, in every status."""
    assert isinstance(event, Answered)
    work = _Work(ticket, ticket, event, policy)
    if not event.commands and not event.has_words:
        work.refusals.append(CommandError(Fault.NEEDS_WORDS, "", 1))
    for command in event.commands:
        HANDLERS[command.verb](work, command)
    if work.refusals:
        return Decision(ticket, refusals=tuple(work.refusals))
    _assign_owner(work)
    if ticket.status is Status.CLOSED:
        _answer_closed(work)
    else:
        _answer(work)
    _notify_colleagues(work)
    work.ticket = replace(work.ticket, updated_at=event.at)
    public = work.has_public_words
    return Decision(
        work.ticket,
        tuple(work.journal),
        tuple(work.effects),
        recorded_as=_recorded_as(work) if event.has_words else None,
        public=public,
    )


def _recorded_as(work: _Work) -> MessageKind:
    return MessageKind.ANSWER if work.has_public_words else MessageKind.NOTE


# The answer and the new status


def _answer(work: _Work) -> None:
    event, words = work.event, work.has_public_words
    status = work.status or (work.policy.after_reply if words else None)
    if status is None:
        if work.ticket.status is Status.QUEUED and work.ticket.agent == event.agent != work.before.agent:
            _move(work, replace(work.ticket, status=Status.IN_PROGRESS))  # taken
        elif work.ticket.status is Status.WAITING and work.ticket.requester != work.before.requester:
            # the new requester was not asked anything: a reminder would be about somebody else's question
            _move(work, replace(stop_waiting(work.ticket), status=Status.IN_PROGRESS))
        return
    if status is Status.CLOSED:
        _close(work, words)
        return
    if status is Status.WAITING:
        asked = ask_again(work.ticket)
        # without words no mail is sent whose delivery could start the timers: they run from now
        moved = asked if words else wait_from(asked, event.at, work.policy)
    else:
        moved = replace(stop_waiting(work.ticket), status=status)
    _move(work, moved)
    if words:
        work.effects.append(SendAnswer(everybody(work.ticket), event.agent, work.ticket.wait_cycle))


def _close(work: _Work, words: bool) -> None:
    reason = work.ticket.close_reason or CloseReason.SOLVED
    closed = replace(stop_waiting(work.ticket), status=Status.CLOSED, close_reason=reason, closed_at=work.event.at)
    if words and reason is CloseReason.MERGED:
        work.effects.append(SendAnswer(everybody(work.ticket), work.event.agent, work.ticket.wait_cycle))
    elif reason is CloseReason.SOLVED:
        # one mail: the closure notice carries the agent's words
        work.effects.append(SendClosure(everybody(work.ticket), reason, words, work.event.agent))
    _move(work, closed)


def _answer_closed(work: _Work) -> None:
    """Send the words; the ticket stays closed, no timer starts, the agent is told how to open a follow-up."""
    if not work.has_public_words:
        return
    work.effects.append(SendAnswer(everybody(work.ticket), work.event.agent, 0))
    work.effects.append(SendNotice((work.event.agent,), Topic.ANSWERED_CLOSED))


def _move(work: _Work, moved: Ticket) -> None:
    if moved.status is not work.ticket.status:
        work.note("status", work.ticket.status, moved.status)
    work.ticket = moved


def _assign_owner(work: _Work) -> None:
    """Make the first agent who answers, or changes the status, the ticket's agent (docs/developer/rules.md)."""
    acts = work.has_public_words or work.status in (Status.WAITING, Status.IN_PROGRESS, Status.CLOSED)
    spam_or_merged = work.ticket.close_reason in (CloseReason.SPAM, CloseReason.MERGED)
    if acts and not work.ticket.agent and not spam_or_merged:
        work.note("agent", "", work.event.agent)
        work.ticket = replace(work.ticket, agent=work.event.agent)


def _notify_colleagues(work: _Work) -> None:
    """Notify the ticket's agent, old and new, of a colleague's action; nobody of their own, or twice."""
    notified = {to for e in work.effects if isinstance(e, SendNotice) for to in e.to}
    owners = {work.before.agent, work.ticket.agent} - {work.event.agent} - notified
    changed = work.has_public_words or work.journal or work.event.has_words
    to = tuple(sorted(email for email in owners if work.policy.agent(email)))
    if to and changed:
        facts = {"actor": work.event.agent, "did": _recorded_as(work).value if work.event.has_words else "commands"}
        work.effects.append(SendNotice(to, Topic.COLLEAGUE_ACTED, facts))


# The commands, one function for each


def _solve(work: _Work, command: Command) -> None:
    if work.before.status is Status.CLOSED and not work.has_public_words:
        work.refuse(command, Fault.ALREADY_CLOSED)
    work.status = Status.CLOSED


def _wait(work: _Work, command: Command) -> None:
    if work.before.status is Status.CLOSED:
        work.refuse(command, Fault.ALREADY_CLOSED)  # never reopened
    work.status = Status.WAITING


def _proceed(work: _Work, command: Command) -> None:
    if work.before.status is Status.CLOSED:
        work.refuse(command, Fault.ALREADY_CLOSED)
    work.status = Status.IN_PROGRESS


def _note(work: _Work, command: Command) -> None:
    if not work.event.has_words:
        work.refuse(command, Fault.NEEDS_WORDS)


def _take(work: _Work, command: Command) -> None:
    if work.before.status is Status.CLOSED:
        work.refuse(command, Fault.ALREADY_CLOSED)
    elif work.ticket.agent != work.event.agent:
        work.note("agent", work.ticket.agent, work.event.agent)
        work.ticket = replace(work.ticket, agent=work.event.agent)


def _assign(work: _Work, command: Command) -> None:
    agent = work.policy.agent(command.email)
    if agent is None:
        work.refuse(command, Fault.NO_SUCH_AGENT, command.email, tuple(a.email for a in work.policy.agents))
        return
    if agent.email != work.ticket.agent:
        work.note("agent", work.ticket.agent, agent.email)
        work.ticket = replace(work.ticket, agent=agent.email)
    if agent.email != work.event.agent:
        work.effects.append(SendNotice((agent.email,), Topic.ASSIGNED, {"actor": work.event.agent}))


def _merge(work: _Work, command: Command) -> None:
    target = work.event.targets.get(command.number)
    if target is None:
        work.refuse(command, Fault.NO_SUCH_TICKET, str(command.number))
    elif target.number == work.before.number or target.merged_into == work.before.number:
        work.refuse(command, Fault.SAME_TICKET, str(command.number))
    elif work.before.merged_into is not None:
        work.refuse(command, Fault.ALREADY_MERGED, str(work.before.merged_into))
    elif target.merged_into is not None:
        work.refuse(command, Fault.ALREADY_MERGED, str(command.number), (f"#gabung {target.merged_into}",))
    elif target.requester != work.before.requester.email and not command.force:
        work.refuse(command, Fault.OTHER_REQUESTER, str(command.number), (f"#gabung {command.number} paksa",))
    else:
        same = target.requester == work.before.requester.email
        people = work.before.participants
        if not same:  # neither requester sees the other's address
            hidden = (Participant(work.before.requester.email, work.before.requester.name, visible=False),)
            people = hidden + tuple(replace(p, visible=False) for p in people)
        work.ticket = replace(work.ticket, merged_into=target.number, close_reason=CloseReason.MERGED)
        work.status = Status.CLOSED
        work.note("merged_into", str(work.before.number), str(target.number))
        work.effects.append(Absorb(target.number, work.before.number, people))


def _spam(work: _Work, command: Command) -> None:
    if work.before.merged_into is not None:
        work.refuse(command, Fault.ALREADY_MERGED, str(work.before.merged_into))
        return
    if work.before.status is Status.CLOSED:
        work.note("close_reason", work.before.close_reason or "", CloseReason.SPAM)
    work.ticket = replace(work.ticket, close_reason=CloseReason.SPAM)
    work.status = Status.CLOSED


def _priority(work: _Work, command: Command) -> None:
    work.note("priority", work.ticket.priority, command.value)
    work.ticket = replace(work.ticket, priority=command.value)


def _tag(work: _Work, command: Command) -> None:
    tags = tuple(dict.fromkeys((*work.ticket.tags, *command.values)))
    work.note("tags", " ".join(work.ticket.tags), " ".join(tags))
    work.ticket = replace(work.ticket, tags=tags)


def _requester(work: _Work, command: Command) -> None:
    """Change the requester: the new one gets the number, the old one takes part no longer."""
    if command.email == work.ticket.requester.email:
        return
    # a requester within the desk would make it write to itself
    if work.policy.agent(command.email) or is_address_of(command.email, work.policy.own_addresses):
        work.refuse(command, Fault.BAD_ARGUMENT, command.email)
        return
    work.note("requester", work.ticket.requester.email, command.email)
    people = tuple(p for p in work.ticket.participants if p.email != command.email)
    requester = Address(command.email)
    work.ticket = replace(work.ticket, requester=requester, participants=people)
    opens_at = work.policy.hours.next_opening(work.event.at)
    work.effects.append(Acknowledge((requester,), None, None if opens_at == work.event.at else opens_at))


def _program(work: _Work, command: Command) -> None:
    work.note("program", work.ticket.program, command.value)
    work.ticket = replace(work.ticket, program=command.value)


def _macro(work: _Work, command: Command) -> None:
    work.refuse(command, Fault.NO_SUCH_MACRO, command.value)


def _help(work: _Work, command: Command) -> None:
    work.effects.append(SendHelp(work.event.agent))


HANDLERS: dict[Verb, Callable[[_Work, Command], None]] = {
    Verb.SOLVE: _solve,
    Verb.WAIT: _wait,
    Verb.PROCEED: _proceed,
    Verb.NOTE: _note,
    Verb.TAKE: _take,
    Verb.ASSIGN: _assign,
    Verb.MERGE: _merge,
    Verb.PRIORITY: _priority,
    Verb.TAG: _tag,
    Verb.REQUESTER: _requester,
    Verb.SPAM: _spam,
    Verb.MACRO: _macro,
    Verb.PROGRAM: _program,
    Verb.HELP: _help,
}
