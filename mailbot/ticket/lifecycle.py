"""Life cycle of a ticket: `decide(ticket, event, policy)`, the only place where a status changes.

In: the ticket (None for a mail that belongs to none), one event, the desk's policy. Out: a `Decision`: the next ticket,
entries for its history, and effects that the desk applies in the same commit. Every event has its time.
Never: sends mail, or reads a clock. Rules: docs/developer/rules.md.

`ROWS` is the whole table, a row for every (status, event) pair, ignored ones included. Agents' commands are in
`agent_commands`. The state diagram, with a sentence for each transition, is in docs/developer/architecture.md.
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
    AutoReplied,
    Decision,
    Delivered,
    DeliveryFailed,
    Effect,
    Event,
    JournalEntry,
    Notify,
    OpenFollowUp,
    Origin,
    Quarantine,
    Replied,
    Reported,
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
    """Decide what follows from `event`. Pure and total: every (status, event) pair has its row."""
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
    notified = (owner,) if owner else policy.notified_of_new(program)
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
        notified=notified,
    )
    effects: list[Effect] = []
    if event.acknowledge:
        # a participant whose words made the follow-up gets its number too
        to = (event.requester,) if event.author.email == event.requester.email else (event.requester, event.author)
        opens_at = None if policy.hours.is_open(event.at) else policy.hours.next_opening(event.at)
        effects.append(Acknowledge(to if origin else (event.requester,), origin.number if origin else None, opens_at))
    others = tuple(email for email in notified if email != event.by_agent)  # not of their own action
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
    """Keep the status; the words go to the agent."""
    assert isinstance(event, Replied)
    return _record_reply(ticket, event, policy)


def _reply_while_waiting(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Stop the timers; it is the agent's turn."""
    assert isinstance(event, Replied)
    moved = replace(stop_waiting(ticket), status=Status.IN_PROGRESS)
    return _record_reply(moved, event, policy, (_status(event.at, event.author.email, ticket, moved),))


def _reply_to_closed(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Keep the ticket closed: thanks are recorded, everything else makes a follow-up."""
    assert isinstance(event, Replied)
    if ticket.close_reason is CloseReason.SPAM:
        return Decision(ticket, effects=(Quarantine(f"reply to ticket #{ticket.number}, which was closed as spam"),))
    if event.unread or (event.intent is Intent.THANKS and not policy.thanks_open_follow_up):
        return _record_reply(ticket, event, policy)
    origin = Origin(ticket.number, ticket.agent, ticket.program, ticket.priority)
    return Decision(ticket, effects=(OpenFollowUp(origin),))


def _record_reply(ticket: Ticket, event: Replied, policy: Policy, journal: tuple[JournalEntry, ...] = ()) -> Decision:
    participants = _joined(ticket.participants, event.participants, ticket.requester.email, policy)
    updated = replace(ticket, participants=participants, updated_at=event.at)
    to = concerned(ticket, policy)
    effects: tuple[Effect, ...] = ()
    if to and event.unread:
        effects = (SendNotice(to, Topic.REPLY_UNREAD, {"author": event.author.email, "why": event.unread}),)
    elif to:
        effects = (Notify(to, elsewhere=event.elsewhere),)
    entry = JournalEntry(event.at, event.author.email, "unread_reply" if event.unread else "reply", "", event.unread)
    return Decision(updated, (entry, *journal), effects, recorded_as=None if event.unread else MessageKind.REPLY)


def _joined(
    present: tuple[Participant, ...], new: tuple[Participant, ...], requester: str, policy: Policy
) -> tuple[Participant, ...]:
    """Add people in Cc as participants, each once, up to the limit."""
    joined = list(present)
    for person in new:
        if person.email != requester and all(person.email != p.email for p in joined):
            joined.append(person)
    return tuple(joined[: max(policy.max_participants, len(present))])


# Automatic replies


def _auto_reply(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Record an automatic reply, which changes nothing: no status, no owner, no timer, no mail."""
    assert isinstance(event, AutoReplied)
    entry = JournalEntry(event.at, event.author.email, "auto_reply", "", event.returns_on)
    return Decision(ticket, (entry,), recorded_as=MessageKind.AUTO_REPLY, public=False)


# Delivery of our mail


def _accepted_while_waiting(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Start the timers when the SMTP server accepts the agent's mail."""
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
    """Stop the timers, because the requester could not be asked, and notify the agent."""
    assert isinstance(event, DeliveryFailed)
    timed = event.cycle == ticket.wait_cycle and event.kind in (MessageKind.ANSWER, MessageKind.REMINDER)
    return _report_failure(stop_waiting(ticket) if timed and not event.soft else ticket, event, policy)


def _failed(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Notify the agent; there are no timers to stop."""
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


# Timers


def _timer_while_waiting(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Send the latest overdue reminder only; close when a reminder was sent and its delay has passed."""
    assert isinstance(event, TimerFired)
    due = set(event.due) & set(ticket.timers)
    reminders = [timer for timer in due if timer.kind is TimerKind.REMINDER]
    remaining = replace(ticket, timers=tuple(t for t in ticket.timers if t not in reminders))
    if reminders:
        return _remind(remaining, max(timer.step for timer in reminders), event.at, policy)
    if not any(timer.kind is TimerKind.CLOSE for timer in due):
        return Decision(ticket)
    if policy.reminders and not ticket.reminders_sent:
        return _remind(remaining, len(policy.reminders), event.at, policy)
    if policy.reminders and not _reminder_delay_passed(ticket, event.at, policy):
        return Decision(_with_close_not_before(ticket, policy, ticket.last_reminder_at or event.at))
    return _close_unanswered(remaining, event.at)


def _remind(ticket: Ticket, step: int, at: datetime, policy: Policy) -> Decision:
    later = tuple(t for t in ticket.timers if t.kind is TimerKind.CLOSE or t.step > step)
    reminded = replace(ticket, timers=later, reminders_sent=ticket.reminders_sent + 1, updated_at=at)
    reminded = _with_close_not_before(reminded, policy, at)
    close = close_timer(reminded)
    last = not any(t.kind is TimerKind.REMINDER for t in reminded.timers)
    effect = SendReminder((ticket.requester,), step, last, close.due_at if close else None, ticket.wait_cycle)
    return Decision(reminded, (JournalEntry(at, "system", "reminder", "", str(step)),), (effect,))


def _reminder_delay_passed(ticket: Ticket, at: datetime, policy: Policy) -> bool:
    if ticket.last_reminder_at is None:
        return False  # queued, but not yet accepted by the SMTP server
    return policy.after(ticket.last_reminder_at, policy.reminders[0]) <= at


def _with_close_not_before(ticket: Ticket, policy: Policy, reminded_at: datetime) -> Ticket:
    """Move the closing so that it comes no sooner after a reminder than the first reminder's delay."""
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


# Merging, for the ticket that another is merged into


def _absorb(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    """Add the people of the merged ticket as participants and notify the agent."""
    assert isinstance(event, Absorbed)
    people = _joined(ticket.participants, event.participants, ticket.requester.email, policy)
    others = tuple(email for email in concerned(ticket, policy) if email != event.agent)
    facts = {"actor": event.agent, "source": str(event.source)}
    effects = (SendNotice(others, Topic.MERGED, facts),) if others else ()
    entry = JournalEntry(event.at, event.agent, "absorbed", str(event.source), str(ticket.number))
    return Decision(replace(ticket, participants=people, updated_at=event.at), (entry,), effects)


# Pairs without effect


def _ignore(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    return Decision(ticket)


def _cannot_happen(ticket: Ticket, event: Event, policy: Policy) -> Decision:
    raise ValueError(f"ticket #{ticket.number} exists already: {type(event).__name__} opens a new one")


def _status(at: datetime, actor: str, before: Ticket, after: Ticket) -> JournalEntry:
    return JournalEntry(at, actor, "status", before.status, after.status)


ROWS: dict[tuple[Status, type[Event]], Row] = {
    (Status.QUEUED, Reported): _cannot_happen,
    (Status.QUEUED, Replied): _reply,
    (Status.QUEUED, AutoReplied): _auto_reply,
    (Status.QUEUED, Answered): answered,
    (Status.QUEUED, Absorbed): _absorb,
    (Status.QUEUED, Delivered): _ignore,  # only a waiting ticket has timers to start
    (Status.QUEUED, DeliveryFailed): _failed,
    (Status.QUEUED, TimerFired): _ignore,  # the ticket left `waiting` in the meantime
    (Status.IN_PROGRESS, Reported): _cannot_happen,
    (Status.IN_PROGRESS, Replied): _reply,
    (Status.IN_PROGRESS, AutoReplied): _auto_reply,
    (Status.IN_PROGRESS, Answered): answered,
    (Status.IN_PROGRESS, Absorbed): _absorb,
    (Status.IN_PROGRESS, Delivered): _ignore,  # the reply came before the SMTP server's confirmation
    (Status.IN_PROGRESS, DeliveryFailed): _failed,
    (Status.IN_PROGRESS, TimerFired): _ignore,
    (Status.WAITING, Reported): _cannot_happen,
    (Status.WAITING, Replied): _reply_while_waiting,
    (Status.WAITING, AutoReplied): _auto_reply,
    (Status.WAITING, Answered): answered,
    (Status.WAITING, Absorbed): _absorb,
    (Status.WAITING, Delivered): _accepted_while_waiting,
    (Status.WAITING, DeliveryFailed): _failed_while_waiting,
    (Status.WAITING, TimerFired): _timer_while_waiting,
    (Status.CLOSED, Reported): _cannot_happen,
    (Status.CLOSED, Replied): _reply_to_closed,
    (Status.CLOSED, AutoReplied): _auto_reply,
    (Status.CLOSED, Answered): answered,  # sent; the ticket stays closed
    (Status.CLOSED, Absorbed): _absorb,
    (Status.CLOSED, Delivered): _ignore,
    (Status.CLOSED, DeliveryFailed): _failed,
    (Status.CLOSED, TimerFired): _ignore,
}
