"""What an admin does at a shell or on a page: act in an agent's name, manage agents, release or discard mail.

In: a `Context` whose transaction the caller opens and commits. Out: rows written, with an audit line where something
must be traceable later. Raises NotPossible, which says in words what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailbot.desk.context import Case, Context, Words, release_flags
from mailbot.desk.inbound.agents import run_commands
from mailbot.errors import NotPossible
from mailbot.mail.message import Address
from mailbot.store import agents
from mailbot.store.quarantine_lists import HELD
from mailbot.store.rows import InboundRow
from mailbot.ticket.command_parser import CommandError
from mailbot.ticket.ticket import Agent, Policy, Role
from mailbot.vocabulary.labels import COMMAND_ERRORS


def act_as_agent(context: Context, number: int, email: str, text: str) -> None:
    """Do what an agent could write in a mail about this ticket, commands first."""
    agent = context.policy.agent(email.lower())
    if agent is None:
        known = ", ".join(a.email for a in context.policy.agents) or "nobody (add one: mailbot agent add EMAIL)"
        raise NotPossible(f"{email} is no agent of this desk. Agents are: {known}")
    stored = context.work.ticket(number)
    if stored is None:
        raise NotPossible(f"There is no ticket #{number}. `mailbot ticket list` shows those that there are.")
    words = Words(Address(agent.email, agent.name), Role.AGENT, text)
    errors = run_commands(Case(context, stored, words=words), agent)
    if errors:
        raise NotPossible("\n".join(_in_words(error) for error in errors))


def _in_words(error: CommandError) -> str:
    """Return why a command was refused, for a reader at a shell; without choices none are announced."""
    sentence = COMMAND_ERRORS[error.fault]
    if not error.possible:
        sentence = sentence.partition(" {possible}")[0].removesuffix(" Possible:")
    return sentence.format(found=error.found or error.line, possible=", ".join(error.possible))


def add_agent(context: Context, agent: Agent) -> None:
    """Add an agent beside those of the configuration."""
    for address in (agent.email, *agent.aliases):
        if context.is_ours(address):
            raise NotPossible(f"{address} is an agent's or the desk's own address already.")
    work = context.work
    agents.add_agent(work.connection, work.desk_id, agent, work.now)
    work.audit("admin", "agent add", agent.email)


def remove_agent(context: Context, configured: Policy, email: str) -> None:
    """Remove an agent who was added by command; their reply addresses stop working at once."""
    work = context.work
    if not agents.remove_agent(work.connection, work.desk_id, email):
        in_file = any(agent.email == email for agent in configured.agents)
        where = "in the configuration file: take the [[agents]] entry out there" if in_file else "no agent of this desk"
        raise NotPossible(f"{email} is {where}.")
    work.audit("admin", "agent remove", email)


def record_agents(context: Context, configured: Policy) -> None:
    """Record the configured agents and revoke the tokens of removed ones."""
    work = context.work
    for email in agents.record_configured(work.connection, work.desk_id, configured.agents, work.now):
        work.audit("configuration", "agent remove", email)


def release(context: Context, ids: Sequence[int]) -> None:
    """Make mail in quarantine wait to be handled, as if it had just come and were trusted; see `release_flags`."""
    work = context.work
    for row in _quarantined(context, ids):
        work.set_inbound(row.id, state="received", explanation=release_flags(row), traceback="", attempts=1)
        work.audit("admin", "quarantine release", f"mail {row.id} from {row.sender}")


def discard(context: Context, ids: Sequence[int]) -> None:
    """Discard mail in quarantine: it stays in the quarantine folder and in the store, but is no longer listed."""
    work = context.work
    for row in _quarantined(context, ids):
        work.set_inbound(row.id, state="discarded", processed_at=work.now)
        work.audit("admin", "quarantine discard", f"mail {row.id} from {row.sender}")


def _quarantined(context: Context, ids: Sequence[int]) -> list[InboundRow]:
    rows = context.work.inbound(ids)
    wrong = sorted(set(ids) - {row.id for row in rows if row.state in HELD})
    if wrong:
        named = ", ".join(map(str, wrong))
        raise NotPossible(f"Not in quarantine: {named}. `mailbot quarantine list` shows what is.")
    return rows
