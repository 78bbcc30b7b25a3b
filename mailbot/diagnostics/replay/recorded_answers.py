"""Mail of the archive that the desk or its agents had sent: the answers, which start timers.

Three cases:
- From an agent (named by --agents or the configuration): processed like any agent's mail, but without the
  authentication that a real desk requires, because nothing is sent.
- From the desk's own address, and written by a person (no Auto-Submitted, …): before mailbot, agents answered from the
  shared inbox. It counts as an agent's answer on the ticket that it replies to; without one it is, like all mail from
  the desk that comes back, a loop that does nothing.
- From the desk, automatic: a loop. The automatic mail of the replay replaces it.

The requester got the archive's mail, not ours: its Message-ID replaces ours, or a reply to it would not be matched.
"""

from __future__ import annotations

import logging

from mailbot.desk.context import Case, IncomingMail, Words
from mailbot.desk.inbound.agents import run_commands
from mailbot.desk.inbound.new_words import new_words_of
from mailbot.desk.inbound.processor import MACHINE_FAULTS
from mailbot.desk.inbound.ticket_lookup import look_up, resolve_merged
from mailbot.desk.wiring import Desk
from mailbot.mail.classify.rules import classify
from mailbot.mail.message import Address, Kind
from mailbot.mail.mime.parser import parse_message
from mailbot.store.replay import adopt_message_id
from mailbot.store.unit_of_work import UnitOfWork
from mailbot.ticket.matching import clues_of, route_agent
from mailbot.ticket.ticket import Agent, Role

log = logging.getLogger(__name__)

RULE = "replay-desk-answer"


def mark_authenticated(desk: Desk, inbound_id: int) -> None:
    """Treat this mail as authenticated, as being from the agent in its From."""
    with desk.store.writing() as connection:
        UnitOfWork(connection, desk.store.desk_id, desk.clock.now()).set_inbound(
            inbound_id, explanation={"proven": True}
        )


def record_desk_answer(desk: Desk, inbound_id: int, raw: bytes, author: Agent) -> bool:
    """Record an answer from the desk's address on its ticket; False if it is none, and nothing was done."""
    message = parse_message(raw)
    verdict = classify(message)  # without the desk's identity: did a person write it?
    if verdict.kind not in (Kind.HUMAN, Kind.NOACK):
        return False
    try:
        with desk.store.writing() as connection:
            context = desk.helpdesk.context_of(UnitOfWork(connection, desk.store.desk_id, desk.clock.now()))
            row = next(iter(context.work.inbound([inbound_id])), None)
            if row is None or row.state != "received":
                return False
            return _answer(Case(context, mail=IncomingMail.of_row(row, message, verdict)), author)
    except MACHINE_FAULTS:
        raise
    except Exception:
        log.warning("mail %d of the desk can't be recorded as an answer", inbound_id, exc_info=True)
        return False


def keep_archived_message_id(desk: Desk, inbound_id: int) -> None:
    """Give the desk's copies of this mail its own Message-ID, which is what the recipients got."""
    with desk.store.writing() as connection:
        row = next(iter(UnitOfWork(connection, desk.store.desk_id, desk.clock.now()).inbound([inbound_id])), None)
        if row is not None and row.message_id and row.ticket_id is not None:
            adopt_message_id(connection, row.ticket_id, row.id, row.message_id)


def _answer(case: Case, author: Agent) -> bool:
    context, mail = case.context, case.incoming
    clues = clues_of(mail.message)
    tickets = look_up(context, clues, of_agents=True)
    found = route_agent(clues, tickets.known, context.profile.signer, author)
    if found.number is None:
        return False
    stored = resolve_merged(context, tickets[found.number])
    agent = context.policy.agent(stored.ticket.agent) or author
    case = case.about(stored)
    text = new_words_of(case).text
    words = Words(Address(agent.email, agent.name), Role.AGENT, text, mail.message.attachments, mail.message.subject)
    errors = run_commands(case.saying(words), agent)
    why = "; ".join(f"line {e.line_number}: {e.fault}" for e in errors)
    context.work.set_inbound(
        mail.inbound_id, state="processed", kind=mail.verdict.kind.value, rule=RULE,
        reason=f"an answer in the desk's name, not carried out: {why}" if errors else "an answer in the desk's name",
        sender=mail.message.from_addr[:320], subject=mail.message.subject[:500], ticket_id=stored.id,
        place="processed", explanation={"evidence": found.evidence}, processed_at=context.work.now,
    )  # fmt: skip
    return True
