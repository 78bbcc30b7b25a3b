"""The team as the database knows it: agents added by command, and those last seen in the configuration.

In: a connection, the desk, agents. Out: agents with their term. A term ends when an agent leaves; what was signed for
them is then worth nothing, also when they come back, because their old mailbox may by then be another person's.
Nothing is committed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from mailbot.store.rows import AgentRow, columns_of
from mailbot.store.statements import CompiledStatement
from mailbot.store.tables import AGENT, insert_unless_there
from mailbot.ticket.ticket import Agent

_OF_DESK = select(*columns_of(AGENT, AgentRow)).where(AGENT.c.desk_id == bindparam("desk"))
_TEAM = CompiledStatement(_OF_DESK.order_by(AGENT.c.id))


def team_of(connection: Connection, desk_id: int, configured: Sequence[Agent]) -> tuple[Agent, ...]:
    """Return the agents of the configuration, then those added by command."""
    rows = [AgentRow.from_row(row) for row in _TEAM.rows(connection, {"desk": desk_id})]
    terms = {row.email: row.term for row in rows}
    emails = {agent.email for agent in configured}
    added = (
        Agent(row.email, row.name, tuple(row.aliases), row.role, tuple(row.programs), row.term)
        for row in rows
        if row.active and not row.in_file and row.email not in emails
    )
    return (*(replace(agent, term=terms.get(agent.email, 0)) for agent in configured), *added)


def add_agent(connection: Connection, desk_id: int, agent: Agent, now: datetime, *, in_file: bool = False) -> None:
    """Add an agent; a former one begins the next term."""
    values = {
        "name": agent.name, "aliases": list(agent.aliases), "role": agent.role, "programs": list(agent.programs),
        "in_file": in_file, "active": True,
    }  # fmt: skip
    ours = (AGENT.c.desk_id == desk_id) & (AGENT.c.email == agent.email)
    if not connection.execute(update(AGENT).where(ours).values(**values)).rowcount:
        row = {"desk_id": desk_id, "email": agent.email, "term": 0, "added_at": now}
        # Skipped where another worker, starting at the same moment, has just recorded the same agent.
        connection.execute(insert_unless_there(AGENT, connection.dialect.name), values | row)


def remove_agent(connection: Connection, desk_id: int, email: str, *, in_file: bool = False) -> bool:
    """End an agent's term; return False if there is no such active agent (`in_file`: of the configuration)."""
    ours = (AGENT.c.desk_id == desk_id) & (AGENT.c.email == email)
    there = ours & AGENT.c.active.is_(True) & AGENT.c.in_file.is_(in_file)
    done = connection.execute(update(AGENT).where(there).values(active=False, term=AGENT.c.term + 1))
    return done.rowcount > 0


def record_configured(
    connection: Connection, desk_id: int, configured: Sequence[Agent], now: datetime
) -> tuple[str, ...]:
    """Record the configured agents and end the terms of removed ones; return the addresses of those."""
    rows = {row.email: AgentRow.from_row(row) for row in _TEAM.rows(connection, {"desk": desk_id})}
    emails = {agent.email for agent in configured}
    removed = tuple(email for email, row in rows.items() if row.in_file and row.active and email not in emails)
    for email in removed:
        remove_agent(connection, desk_id, email, in_file=True)
    for agent in configured:
        row = rows.get(agent.email)
        if row is None or not row.active:
            add_agent(connection, desk_id, agent, now, in_file=True)
    return removed
