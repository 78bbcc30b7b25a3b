"""Who hears of a ticket: its agents on one side, its people on the other."""

from __future__ import annotations

from mailbot.core.message import Address
from mailbot.core.ticket import Policy, Ticket


def concerned(ticket: Ticket, policy: Policy) -> tuple[str, ...]:
    """The ticket's own agent while they belong to the desk, else those who were told when it was new."""
    if ticket.agent and policy.agent(ticket.agent):
        return (ticket.agent,)
    still_here = tuple(email for email in ticket.told if policy.agent(email))
    return still_here or policy.told_of_new(ticket.program)


def everybody(ticket: Ticket) -> tuple[Address, ...]:
    """The requester first, then each participant."""
    return (ticket.requester, *(Address(p.email, p.name) for p in ticket.participants))
