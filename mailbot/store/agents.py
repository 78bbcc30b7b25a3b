"""The team as the database knows it: who was added by command, who was seen in the configuration, who has left.

In: a connection, the desk, agents. Out: agents with their term. A term ends when an agent leaves; what was signed for
them is then worth nothing, also when they come back, for a mailbox that was theirs may be another's meanwhile.
Nothing is committed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from mailbot.store.statements import CompiledStatement
from mailbot.store.tables import AGENT
from mailbot.ticket.ticket import Agent

_TEAM = CompiledStatement(select(AGENT).where(AGENT.c.desk_id == bindparam("desk")).order_by(AGENT.c.id))


def team_of(connection: Connection, desk_id: int, fixed: Sequence[Agent]) -> tuple[Agent, ...]:
    """The agents of the configuration (`fixed`), then those added by command."""
    rows = _TEAM.rows(connection, {"desk": desk_id})
    terms = {row.email: row.term for row in rows}
    emails = {agent.email for agent in fixed}
    added = (
        Agent(row.email, row.name, tuple(row.aliases), row.role, tuple(row.programs), row.term)
        for row in rows
        if row.active and not row.in_file and row.email not in emails
    )
    return (*(replace(agent, term=terms.get(agent.email, 0)) for agent in fixed), *added)


def add_agent(connection: Connection, desk_id: int, agent: Agent, now: datetime, *, in_file: bool = False) -> None:
    """Add an agent; one who was here before begins the next term."""
    values = {
        "name": agent.name, "aliases": list(agent.aliases), "role": agent.role, "programs": list(agent.programs),
        "in_file": in_file, "active": True,
    }  # fmt: skip
    ours = (AGENT.c.desk_id == desk_id) & (AGENT.c.email == agent.email)
    if not connection.execute(update(AGENT).where(ours).values(**values)).rowcount:
        row = {"desk_id": desk_id, "email": agent.email, "term": 0, "added_at": now}
        connection.execute(insert(AGENT), values | row)


def remove_agent(connection: Connection, desk_id: int, email: str, *, in_file: bool = False) -> bool:
    """End an agent's term; False if there was none of that address and that sort."""
    ours = (AGENT.c.desk_id == desk_id) & (AGENT.c.email == email)
    there = ours & AGENT.c.active.is_(True) & AGENT.c.in_file.is_(in_file)
    done = connection.execute(update(AGENT).where(there).values(active=False, term=AGENT.c.term + 1))
    return done.rowcount > 0


def note_fixed(connection: Connection, desk_id: int, fixed: Sequence[Agent], now: datetime) -> tuple[str, ...]:
    """Write down who stands in the configuration now; out: the addresses of those who stood there and have left."""
    rows = {row.email: row for row in connection.execute(select(AGENT).where(AGENT.c.desk_id == desk_id))}
    here = {agent.email for agent in fixed}
    gone = tuple(email for email, row in rows.items() if row.in_file and row.active and email not in here)
    for email in gone:
        remove_agent(connection, desk_id, email, in_file=True)
    for agent in fixed:
        row = rows.get(agent.email)
        if row is None or not row.active:
            add_agent(connection, desk_id, agent, now, in_file=True)
    return gone
