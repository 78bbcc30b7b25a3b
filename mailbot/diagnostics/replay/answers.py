"""Mail of the archive that the desk or its agents had sent: the other half of the story, in which timers start.

Three cases, decided so:
- From an agent (named by --agents or the configuration): the desk's own path for agents' mail, believed without the
  proof that a real desk asks for, because nothing is sent.
- From the desk's own address, and written by a person (no Auto-Submitted, …): before mailbot, whoever answered did it
  from the shared inbox. It counts as an agent's answer on the ticket that it replies to; without one it is, like all
  mail of the desk that comes back, a loop that does nothing.
- From the desk, by a machine: a loop. The desk's own automatic mail of the replay stands in its place.

What the school got then is the archive's mail, not ours: its Message-ID takes the place of ours, or a reply to it would
not be known again.
"""

from __future__ import annotations

import logging

from sqlalchemy import update

from mailbot.desk.context import Case, IncomingMail, Words
from mailbot.desk.inbound.agents import run_commands
from mailbot.desk.inbound.new_words import new_words_of
from mailbot.desk.inbound.processor import MACHINE_FAULTS
from mailbot.desk.inbound.ticket_lookup import look_up, resolve_merged
from mailbot.desk.wiring import Desk
from mailbot.mail.classify.rules import classify
from mailbot.mail.message import Address, Kind
from mailbot.mail.mime.parser import parse_message
from mailbot.store.tables import OUTBOX
from mailbot.store.unit_of_work import UnitOfWork
from mailbot.ticket.matching import clues_of, route_agent
from mailbot.ticket.ticket import Agent, Role

log = logging.getLogger(__name__)

RULE = "replay-desk-answer"


def believe(desk: Desk, inbound_id: int) -> None:
    """Take this mail for the agent's whose From it has."""
    with desk.store.writing() as connection:
        UnitOfWork(connection, desk.store.desk_id, desk.clock.now()).set_inbound(
            inbound_id, explanation={"proven": True}
        )


def speak_for_the_desk(desk: Desk, inbound_id: int, raw: bytes, speaker: Agent) -> bool:
    """Put an answer that went out in the desk's name on its ticket; False if it is none, and nothing was done."""
    message = parse_message(raw)
    verdict = classify(message)  # as if it were a stranger's: did a person write it?
    if verdict.kind not in (Kind.HUMAN, Kind.NOACK):
        return False
    try:
        with desk.store.writing() as connection:
            context = desk.helpdesk.context_of(UnitOfWork(connection, desk.store.desk_id, desk.clock.now()))
            row = next(iter(context.work.inbound([inbound_id])), None)
            if row is None or row.state != "received":
                return False
            return _answer(Case(context, mail=IncomingMail.of_row(row, message, verdict)), speaker)
    except MACHINE_FAULTS:
        raise
    except Exception:
        log.warning("mail %d of the desk can't be taken for an answer", inbound_id, exc_info=True)
        return False


def keep_their_message_id(desk: Desk, inbound_id: int) -> None:
    """The people of a ticket have the archive's mail, under its own Message-ID."""
    with desk.store.writing() as connection:
        row = next(iter(UnitOfWork(connection, desk.store.desk_id, desk.clock.now()).inbound([inbound_id])), None)
        if row is not None and row.message_id and row.ticket_id is not None:
            copies = OUTBOX.c.ticket_id == row.ticket_id, OUTBOX.c.inbound_id == row.id, OUTBOX.c.role == "person"
            connection.execute(update(OUTBOX).where(*copies).values(message_id=row.message_id))


def _answer(case: Case, speaker: Agent) -> bool:
    context, mail = case.context, case.incoming
    clues = clues_of(mail.message)
    tickets = look_up(context, clues, of_agents=True)
    found = route_agent(clues, tickets.known, context.profile.signer, speaker)
    if found.number is None:
        return False
    stored = resolve_merged(context, tickets[found.number])
    agent = context.policy.agent(stored.ticket.agent) or speaker
    case = case.about(stored)
    text = new_words_of(case).text
    author = Address(agent.email, agent.name)
    words = Words(author, Role.AGENT, text, mail.message.attachments, mail.message.subject)
    errors = run_commands(case.saying(words), agent)
    said = "; ".join(f"line {e.line_number}: {e.fault}" for e in errors)
    context.work.set_inbound(
        mail.inbound_id, state="processed", kind=mail.verdict.kind.value, rule=RULE,
        reason=f"an answer in the desk's name, not carried out: {said}" if errors else "an answer in the desk's name",
        sender=mail.message.from_addr[:320], subject=mail.message.subject[:500], ticket_id=stored.id,
        place="processed", explanation={"evidence": found.evidence}, processed_at=context.work.now,
    )  # fmt: skip
    return True
