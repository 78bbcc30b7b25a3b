"""A ticket's life: `decide(ticket, event, policy)`, the only place where a status changes.

In: the ticket as it stands (None for a mail that belongs to none), one event, the desk's policy. Out: a `Decision`:
the next ticket, lines for its history, and effects that the service carries out in the same commit. No mail is sent
here, no clock is read: every event brings its time. Rules: service.md, "Life of a ticket".

`ROWS` is the whole table, a row for every (status, event) pair, ignored ones too. What an agent may order is in
`core.orders`. The state diagram, with a sentence for each arrow, is in docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from mailbot.mail.message import Intent, MessageKind
from mailbot.ticket.agent_commands import answered
from mailbot.ticket.events import (
    Absorbed,
    Acknowledge,
    Answered,
    Decision,
    Delivered,
    DeliveryFailed,
    Effect,
    Event,
    Hold,
    JournalEntry,
    Notify,
    OpenFollowUp,
    Origin,
    Replied,
    Reported,
    RobotReplied,
    SendClosure,
    SendNotice,
    SendReminder,
    TimerFired,
    Topic,
)
from mailbot.ticket.ticket import (
    CloseReason,
    Participant,
    Policy,
    Status,
    Ticket,
    TimerKind,
    close_timer,
    concerned,
    everybody,
    stop_waiting,
    wait_from,
)

Row = Callable[[Ticket, Event, Policy], Decision]


def decide(ticket: Ticket | None, event: Event, policy: Policy) -> Decision:
    """What comes of `event`. Pure and total: every (status, event) pair has its row."""
    if ticket is None:
        if isinstance(event, Reported):
            return _open(event, policy)
        raise ValueError(f"{type(event).__name__} needs a ticket")
    return ROWS[ticket.status, type(event)](ticket, event, policy)


# A mail that belongs to no ticket


def _open(event: Reported, policy: Policy) -> Decision:
    origin = event.follow_up_of
    owner = origin.agent if origin and policy.agent(origin.agent) else ""
    program = event.program or (origin.program if origin else "")
    told = (owner,) if owner else policy.told_of_new(program)
    ticket = Ticket(
        number=event.number,
        subject=event.subject,
        requester=event.requester,
        status=Status.QUEUED,
        created_at=event.at,
        updated_at=event.at,
        language=event.language,
        participants=_joined((), event.participants, event.requester.email, policy),
        agent=owner,
        priority=origin.priority if origin else "normal",
        program=program,
        follow_up_of=origin.number if origin else None,
        told=told,
    )
    effects: list[Effect] = []
    if event.acknowledge:
        # a participant whose words made the follow-up learns its number too
        to = (event.requester,) if event.author.email == event.requester.email else (event.requester, event.author)
        opens_at = None if policy.hours.is_open(event.at) else policy.hours.next_opening(event.at)
        effects.append(Acknowledge(to if origin else (event.requester,), origin.number if origin else None, opens_at))
    others = tuple(email for email in told if email != event.by_agent)  # nobody is notified of their own act
    if others:
        effects.append(Notify(others, named=event.named))
    if event.by_agent:
        effects.append(SendNotice((event.by_agent,), Topic.FORWARD_OPENED, {"requester": event.requester.email}))
    journal = [JournalEntry(event.at, event.by_agent or event.author.email, "created", "", Status.QUEUED)]
    if origin:
        journal.append(JournalEntry(event.at, "system", "follow_up_of", "", str(origin.number)))
    return Decision(ticket, tuple(journal), tuple(effects), recorded_as=MessageKind.REPORT)


# A person's words


def _reply(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Queued stays queued, in progress stays so; the words go to the agent (service.md 3)."""
    assert isinstance(event, Replied)
    return _hear(ticket, event, policy)


def _reply_while_waiting(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """The reply that was waited for: the timers stop, the agent has the next move (service.md 3 and 4)."""
    assert isinstance(event, Replied)
    moved = replace(stop_waiting(ticket), status=Status.IN_PROGRESS)
    return _hear(moved, event, policy, (_status(event.at, event.author.email, ticket, moved),))


def _reply_to_closed(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Closed stays closed: mere thanks are recorded, everything else makes a follow-up (service.md 5)."""
    assert isinstance(event, Replied)
    if ticket.close_reason is CloseReason.SPAM:
        return Decision(ticket, effects=(Hold(f"reply to ticket #{ticket.number}, which was closed as spam"),))
    if event.unread:
        return _hear(ticket, event, policy)
    if event.intent is Intent.THANKS and not policy.thanks_open_follow_up:
        return _hear(ticket, event, policy)
    origin = Origin(ticket.number, ticket.agent, ticket.program, ticket.priority)
    return Decision(ticket, effects=(OpenFollowUp(origin),))


def _hear(ticket: Ticket, event: Replied, policy: Policy, journal: tuple[JournalEntry, ...] = ()) -> Decision:
    participants = _joined(ticket.participants, event.participants, ticket.requester.email, policy)
    heard = replace(ticket, participants=participants, updated_at=event.at)
    to = concerned(ticket, policy)
    effects: tuple[Effect, ...] = ()
    if to and event.unread:
        effects = (SendNotice(to, Topic.REPLY_UNREAD, {"author": event.author.email, "why": event.unread}),)
    elif to:
        effects = (Notify(to, elsewhere=event.elsewhere),)
    entry = JournalEntry(event.at, event.author.email, "unread_reply" if event.unread else "reply", "", event.unread)
    return Decision(heard, (entry, *journal), effects, recorded_as=None if event.unread else MessageKind.REPLY)


def _joined(
    present: tuple[Participant, ...], new: tuple[Participant, ...], requester: str, policy: Policy
) -> tuple[Participant, ...]:
    """People in Cc take part, each once, up to the limit (service.md 1)."""
    joined = list(present)
    for person in new:
        if person.email != requester and all(person.email != p.email for p in joined):
            joined.append(person)
    return tuple(joined[: max(policy.max_participants, len(present))])


# Robots


def _robot(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """An automatic reply is on record and changes nothing: no status, no owner, no timer, no mail."""
    assert isinstance(event, RobotReplied)
    entry = JournalEntry(event.at, event.author.email, "auto_reply", "", event.returns_on)
    return Decision(ticket, (entry,), recorded_as=MessageKind.AUTO_REPLY, public=False)


# What became of our mail


def _accepted_while_waiting(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Timers run from the moment when the SMTP server took the agent's mail (service.md 4)."""
    assert isinstance(event, Delivered)
    if event.cycle != ticket.wait_cycle:
        return Decision(ticket)  # a mail of an earlier request
    if event.kind is MessageKind.REMINDER:
        reminded = replace(ticket, last_reminder_at=event.at)
        return Decision(_with_close_not_before(reminded, policy, event.at))
    if ticket.waiting_since is None:
        return Decision(wait_from(ticket, event.at, policy))
    return Decision(ticket)


def _failed_while_waiting(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Whoever could not be asked is neither reminded nor closed: the agent is told (service.md 4)."""
    assert isinstance(event, DeliveryFailed)
    timed = event.cycle == ticket.wait_cycle and event.kind in (MessageKind.ANSWER, MessageKind.REMINDER)
    return _report_failure(stop_waiting(ticket) if timed and not event.soft else ticket, event, policy)


def _failed(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """No timers to stop; the agent is told."""
    assert isinstance(event, DeliveryFailed)
    return _report_failure(ticket, event, policy)


def _report_failure(ticket: Ticket, event: DeliveryFailed, policy: Policy) -> Decision:
    entry = JournalEntry(
        event.at, "system", "delivery_delayed" if event.soft else "delivery_failed", event.recipient, event.reason
    )
    facts = {"recipient": event.recipient, "reason": event.reason, "kind": event.kind.value}
    to = tuple(email for email in concerned(ticket, policy) or policy.leads if email != event.recipient)
    if not to:
        to = tuple(email for email in policy.leads if email != event.recipient)
    topic = Topic.DELIVERY_DELAYED if event.soft else Topic.DELIVERY_FAILED
    effects = (SendNotice(to, topic, facts),) if to else ()
    return Decision(replace(ticket, updated_at=event.at), (entry,), effects)


# The clock


def _timer_while_waiting(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Remind with the latest overdue reminder only; close when a reminder was sent and has had its time."""
    assert isinstance(event, TimerFired)
    due = set(event.due) & set(ticket.timers)
    reminders = [timer for timer in due if timer.kind is TimerKind.REMINDER]
    left = replace(ticket, timers=tuple(t for t in ticket.timers if t not in reminders))
    if reminders:
        return _remind(left, max(timer.step for timer in reminders), event.at, policy)
    if not any(timer.kind is TimerKind.CLOSE for timer in due):
        return Decision(ticket)
    if policy.reminders and not ticket.reminders_sent:
        return _remind(left, len(policy.reminders), event.at, policy)
    if policy.reminders and not _reminder_had_its_time(ticket, event.at, policy):
        return Decision(_with_close_not_before(ticket, policy, ticket.last_reminder_at or event.at))
    return _close_unanswered(left, event.at)


def _remind(ticket: Ticket, step: int, at: datetime, policy: Policy) -> Decision:
    later = tuple(t for t in ticket.timers if t.kind is TimerKind.CLOSE or t.step > step)
    reminded = replace(ticket, timers=later, reminders_sent=ticket.reminders_sent + 1, updated_at=at)
    reminded = _with_close_not_before(reminded, policy, at)
    close = close_timer(reminded)
    last = not any(t.kind is TimerKind.REMINDER for t in reminded.timers)
    effect = SendReminder((ticket.requester,), step, last, close.due_at if close else None, ticket.wait_cycle)
    return Decision(reminded, (JournalEntry(at, "system", "reminder", "", str(step)),), (effect,))


def _reminder_had_its_time(ticket: Ticket, at: datetime, policy: Policy) -> bool:
    if ticket.last_reminder_at is None:
        return False  # queued, but the SMTP server has not taken it yet
    return policy.after(ticket.last_reminder_at, policy.reminders[0]) <= at


def _with_close_not_before(ticket: Ticket, policy: Policy, reminded_at: datetime) -> Ticket:
    """Closing comes at its own time, but never sooner after a reminder than the first reminder's delay."""
    if not policy.reminders:
        return ticket
    earliest = policy.after(reminded_at, policy.reminders[0])
    timers = tuple(
        replace(t, due_at=max(t.due_at, earliest)) if t.kind is TimerKind.CLOSE else t for t in ticket.timers
    )
    return replace(ticket, timers=timers)


def _close_unanswered(ticket: Ticket, at: datetime) -> Decision:
    closed = replace(
        stop_waiting(ticket),
        status=Status.CLOSED,
        close_reason=CloseReason.NO_REPLY,
        closed_at=at,
        updated_at=at,
        reminders_sent=ticket.reminders_sent,
    )
    effect = SendClosure(everybody(ticket), CloseReason.NO_REPLY)
    return Decision(closed, (_status(at, "system", ticket, closed),), (effect,))


# Merging, seen from the ticket that another went into


def _absorb(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """The people of the merged ticket take part here; its agent hears of it."""
    assert isinstance(event, Absorbed)
    people = _joined(ticket.participants, event.participants, ticket.requester.email, policy)
    others = tuple(email for email in concerned(ticket, policy) if email != event.agent)
    facts = {"actor": event.agent, "source": str(event.source)}
    effects = (SendNotice(others, Topic.MERGED, facts),) if others else ()
    entry = JournalEntry(event.at, event.agent, "absorbed", str(event.source), str(ticket.number))
    return Decision(replace(ticket, participants=people, updated_at=event.at), (entry,), effects)


# Pairs in which nothing happens


def _ignore(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    return Decision(ticket)


def _cannot_happen(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    raise ValueError(f"ticket #{ticket.number} exists already: {type(event).__name__} opens a new one")


def _status(at: datetime, actor: str, before: Ticket, after: Ticket) -> JournalEntry:
    return JournalEntry(at, actor, "status", before.status, after.status)


ROWS: dict[tuple[Status, type[Event]], Row] = {
    (Status.QUEUED, Reported): _cannot_happen,
    (Status.QUEUED, Replied): _reply,
    (Status.QUEUED, RobotReplied): _robot,
    (Status.QUEUED, Answered): answered,
    (Status.QUEUED, Absorbed): _absorb,
    (Status.QUEUED, Delivered): _ignore,  # only a waiting ticket has timers to start
    (Status.QUEUED, DeliveryFailed): _failed,
    (Status.QUEUED, TimerFired): _ignore,  # the timer's ticket left `waiting` in the meantime
    (Status.IN_PROGRESS, Reported): _cannot_happen,
    (Status.IN_PROGRESS, Replied): _reply,
    (Status.IN_PROGRESS, RobotReplied): _robot,
    (Status.IN_PROGRESS, Answered): answered,
    (Status.IN_PROGRESS, Absorbed): _absorb,
    (Status.IN_PROGRESS, Delivered): _ignore,  # the reply overtook the SMTP server's word
    (Status.IN_PROGRESS, DeliveryFailed): _failed,
    (Status.IN_PROGRESS, TimerFired): _ignore,
    (Status.WAITING, Reported): _cannot_happen,
    (Status.WAITING, Replied): _reply_while_waiting,
    (Status.WAITING, RobotReplied): _robot,
    (Status.WAITING, Answered): answered,
    (Status.WAITING, Absorbed): _absorb,
    (Status.WAITING, Delivered): _accepted_while_waiting,
    (Status.WAITING, DeliveryFailed): _failed_while_waiting,
    (Status.WAITING, TimerFired): _timer_while_waiting,
    (Status.CLOSED, Reported): _cannot_happen,
    (Status.CLOSED, Replied): _reply_to_closed,
    (Status.CLOSED, RobotReplied): _robot,
    (Status.CLOSED, Answered): answered,  # sent; the ticket stays closed
    (Status.CLOSED, Absorbed): _absorb,
    (Status.CLOSED, Delivered): _ignore,
    (Status.CLOSED, DeliveryFailed): _failed,
    (Status.CLOSED, TimerFired): _ignore,
}
