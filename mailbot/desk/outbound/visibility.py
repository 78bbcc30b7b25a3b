"""What templates see of a desk: the ticket, its history, names and words as this reader may have them.

In: the turn and values of the core. Out: the frozen views of `views`. Looks things up in the turn's transaction; writes
nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mailbot.desk.context import Context
from mailbot.desk.profile import DeskProfile
from mailbot.desk.views import (
    DeskView,
    EntryView,
    PersonView,
    TicketView,
)
from mailbot.mail.message import Address
from mailbot.mail.redaction import mask_addresses, without_tokens
from mailbot.mail.reply_token import Purpose
from mailbot.store.unit_of_work import StoredTicket
from mailbot.ticket.ticket import Ticket

HISTORY_ENTRIES = 6


def subject_line(ticket: Ticket) -> str:
    """The title of a ticket's mails that agents see, also the topic of its thread (contract.md)."""
    return f"#{ticket.number} - {ticket.subject}"


def view(turn: Context, ticket: Ticket, **more: Any) -> TicketView:
    """The ticket for a template; `more` replaces fields of the view."""
    owner = turn.policy.agent(ticket.agent)
    seen = TicketView(
        number=ticket.number,
        subject=ticket.subject,
        status=ticket.status.value,
        requester=PersonView(ticket.requester.email, ticket.requester.name),
        created_at=ticket.created_at,
        closed_at=ticket.closed_at,
        agent_name=owner.name if owner else "",
        priority=ticket.priority,
        program=ticket.program,
        tags=ticket.tags,
        follow_up_of=ticket.follow_up_of,
    )
    return replace(seen, **more) if more else seen


def history(turn: Context, loaded: StoredTicket, *, skip_last: bool) -> tuple[EntryView, ...]:
    """The last words on the ticket, newest first; a follow-up shows those of the ticket that it came out of."""
    rows = turn.work.last_words(loaded.id, HISTORY_ENTRIES + 1)
    rows = rows[:-1] if skip_last else rows
    if not rows and loaded.ticket.follow_up_of is not None:
        old = turn.work.ticket(loaded.ticket.follow_up_of)
        rows = turn.work.last_words(old.id, HISTORY_ENTRIES) if old else []
    newest = reversed(rows[-HISTORY_ENTRIES:])
    return tuple(
        EntryView(m.at, m.author_name or m.author, m.author_role, m.text, tuple(a["name"] for a in m.attachments))
        for m in newest
    )


def redact_for(turn: Context, ticket: Ticket, reader: Address, words: str) -> str:
    """An agent's words without the private addresses of agents, and of people whom this reader may not know of."""
    private = {address for agent in turn.policy.agents for address in (agent.email, *agent.aliases)}
    private -= {email for email in private if ticket.takes_part(email) and not ticket.is_hidden(email)}
    people = {ticket.requester.email, *(person.email for person in ticket.participants)} - {reader.email}
    private |= people if ticket.is_hidden(reader.email) else {email for email in people if ticket.is_hidden(email)}
    return mask_addresses(without_tokens(words), private, turn.profile.address)


def desk_with_link(profile: DeskProfile, ticket: Ticket, reader: Address) -> DeskView:
    """The desk with a signed link to the status page: it shows its reader all, not only number and status."""
    number = ticket.number
    link = f"{profile.status_page}?nomor={number}"
    if not ticket.is_hidden(reader.email):  # the page would show them the requester's address
        link += f"&kunci={profile.signer.sign(Purpose.STATUS, number, reader.email)}"
    return DeskView(profile.name, profile.brand, profile.address, link)


def agent_name(turn: Context, email: str) -> str:
    """Under which name an agent's words go out; the desk's own name where there is no such agent."""
    agent = turn.policy.agent(email)
    return f"{agent.name} ({turn.profile.brand})" if agent else turn.profile.name


def agent_address(turn: Context, email: str) -> Address:
    """Where an agent reads mail."""
    agent = turn.policy.agent(email)
    return Address(agent.email, agent.name) if agent else Address(email)


def person_name(turn: Context, author: Address) -> str:
    """Under whose name a notification stands in the agent's inbox; a name that poses as somebody is not shown."""
    return author.name if author.name and not turn.poses(author) else author.email


MAX_CHAIN = 100


def visible_to(turn: Context, ticket: Ticket, reader: Address) -> Ticket:
    """The ticket as this person may see it."""
    if not ticket.is_hidden(reader.email):
        return ticket
    own = _own_report(turn, ticket, reader.email)
    if own is None:
        return replace(ticket, requester=reader, subject=turn.profile.name)
    return replace(ticket, requester=own.requester, subject=own.subject)


def _own_report(turn: Context, ticket: Ticket, email: str) -> Ticket | None:
    """The merged ticket that this person came with, also through other merges and the tickets that this one follows."""
    ahead = [ticket]
    for _ in range(MAX_CHAIN):
        if not ahead:
            return None
        current = ahead.pop(0)
        if current.takes_part(email) and not current.is_hidden(email):
            return current
        ahead += [merged.ticket for merged in turn.work.merged_into(current.number)]
        before = turn.work.ticket(current.follow_up_of) if current.follow_up_of is not None else None
        ahead += [before.ticket] if before else []
    return None
