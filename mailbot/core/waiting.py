"""The timers of a ticket that waits for its requester: set, looked up, taken away. Used by `lifecycle` and `orders`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailbot.core.ticket import Policy, Status, Ticket, Timer, TimerKind


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
