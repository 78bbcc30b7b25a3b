"""What templates see of a desk: the ticket, its history, names and words as this reader may have them.

In: a context, tickets and people. Out: the frozen values of `desk.views`. Reads in the context's transaction; writes
nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailbot.desk.context import Context
from mailbot.desk.profile import DeskProfile
from mailbot.desk.views import DeskView, EntryView, PersonView, TicketView
from mailbot.mail.message import Address
from mailbot.mail.redaction import mask_addresses, without_tokens
from mailbot.mail.reply_token import Purpose
from mailbot.store.tickets import StoredTicket
from mailbot.ticket.ticket import Ticket

HISTORY_ENTRIES = 6
MAX_CHAIN = 100


def subject_line(ticket: Ticket) -> str:
    """Return the subject of a ticket's mails that agents see, also the topic of its thread."""
    return f"#{ticket.number} - {ticket.subject}"


def view(context: Context, ticket: Ticket, last_answer_at: datetime | None = None) -> TicketView:
    """Return the ticket for a template."""
    owner = context.policy.agent(ticket.agent)
    return TicketView(
        number=ticket.number,
        subject=ticket.subject,
        status=ticket.status.value,
        requester=PersonView(ticket.requester.email, ticket.requester.name),
        created_at=ticket.created_at,
        last_answer_at=last_answer_at,
        closed_at=ticket.closed_at,
        agent_name=owner.name if owner else "",
        priority=ticket.priority,
        program=ticket.program,
        tags=ticket.tags,
        follow_up_of=ticket.follow_up_of,
    )


def history(context: Context, stored: StoredTicket, *, skip_last: bool) -> tuple[EntryView, ...]:
    """Return the last words on a ticket, newest first; a new follow-up has those of the ticket that it follows."""
    rows = context.work.last_words(stored.id, HISTORY_ENTRIES + 1)
    rows = rows[:-1] if skip_last else rows
    if not rows and stored.ticket.follow_up_of is not None:
        old = context.work.ticket(stored.ticket.follow_up_of)
        rows = context.work.last_words(old.id, HISTORY_ENTRIES) if old else []
    newest = reversed(rows[-HISTORY_ENTRIES:])
    return tuple(
        EntryView(m.at, m.author_name or m.author, m.author_role, m.text, tuple(a["name"] for a in m.attachments))
        for m in newest
    )


def redact_for(context: Context, ticket: Ticket, reader: Address, words: str) -> str:
    """Return words without the private addresses of agents, and of people whom this reader may not know of."""
    private = {address for agent in context.policy.agents for address in (agent.email, *agent.aliases)}
    private -= {email for email in private if ticket.takes_part(email) and not ticket.is_hidden(email)}
    people = {ticket.requester.email, *(person.email for person in ticket.participants)} - {reader.email}
    private |= people if ticket.is_hidden(reader.email) else {email for email in people if ticket.is_hidden(email)}
    return mask_addresses(without_tokens(words), private, context.profile.address)


def desk_with_link(profile: DeskProfile, ticket: Ticket, reader: Address) -> DeskView:
    """Return the desk with a signed link to the status page, which then shows the reader more than the status."""
    number = ticket.number
    link = f"{profile.status_page}?nomor={number}"
    if not ticket.is_hidden(reader.email):  # the page would show them the requester's address
        link += f"&kunci={profile.signer.sign(Purpose.STATUS, number, reader.email)}"
    return DeskView(profile.name, profile.brand, profile.address, link)


def agent_name(context: Context, email: str) -> str:
    """Return the name in From of an agent's words; the desk's own name where there is no such agent."""
    agent = context.policy.agent(email)
    return f"{agent.name} ({context.profile.brand})" if agent else context.profile.name


def agent_address(context: Context, email: str) -> Address:
    """Return where an agent reads mail."""
    agent = context.policy.agent(email)
    return Address(agent.email, agent.name) if agent else Address(email)


def person_name(context: Context, author: Address) -> str:
    """Return the name in From of a notification about a person's mail, unless it impersonates others."""
    return author.name if author.name and not context.impersonates(author) else author.email


def visible_to(context: Context, ticket: Ticket, reader: Address) -> Ticket:
    """Return the ticket as this person may see it."""
    if not ticket.is_hidden(reader.email):
        return ticket
    own = _own_report(context, ticket, reader.email)
    if own is None:
        return replace(ticket, requester=reader, subject=context.profile.name)
    return replace(ticket, requester=own.requester, subject=own.subject)


def _own_report(context: Context, ticket: Ticket, email: str) -> Ticket | None:
    """Return the merged ticket that this person came with, also by way of other merges and of former tickets."""
    ahead = [ticket]
    for _ in range(MAX_CHAIN):
        if not ahead:
            return None
        current = ahead.pop(0)
        if current.takes_part(email) and not current.is_hidden(email):
            return current
        ahead += [merged.ticket for merged in context.work.merged_into(current.number)]
        before = context.work.ticket(current.follow_up_of) if current.follow_up_of is not None else None
        ahead += [before.ticket] if before else []
    return None
