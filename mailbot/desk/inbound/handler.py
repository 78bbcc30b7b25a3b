"""One mail's way through the desk, inside one transaction: whose is it, which ticket, what happened, what comes of it.

`handle(turn, mail)` is the door. `persons` has requesters' and participants' mail, `agents` that of the desk's own
people, `robots` bounces and automatic replies, `carry_out` the step that all share: event → decision → rows.
Nothing here commits, sends, or asks a clock.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.desk.context import (
    Context,
    HandlingResult,
    IncomingMail,
)
from mailbot.desk.inbound.agents import handle_agent
from mailbot.desk.inbound.machines import handle_bounce, handle_robot
from mailbot.desk.inbound.requesters import handle_person, handle_unread
from mailbot.mail.classify.authentication import dmarc_verdict
from mailbot.mail.classify.reply_conflict import OwnAddresses, conflict
from mailbot.mail.compose.composer import is_usable
from mailbot.mail.message import Kind
from mailbot.ticket.quarantine import QuarantineReason


def handle(turn: Context, mail: IncomingMail) -> HandlingResult:
    """Do what the mail asks for. The order matters: what a machine wrote is never taken for a person's words."""
    verdict = mail.verdict
    if verdict.kind is Kind.LOOP:
        return HandlingResult("processed", verdict.reason)  # ours come back: on record, and nothing else
    if verdict.kind is Kind.BOUNCE and not mail.released:
        return handle_bounce(turn, mail)
    if verdict.kind is Kind.AUTO and not mail.released:
        return handle_robot(turn, mail)
    if not is_usable(mail.message.from_addr):
        named = mail.message.from_addr or "nobody"
        return HandlingResult("quarantined", f"the mail names no sender who could be answered (From: {named})")
    if mail.partial:
        handle_unread(turn, replace(mail, conflict=conflict_of(turn, mail)), "too_large")
        return HandlingResult(
            "quarantined", f"larger than max_size ({mail.message.size} bytes): only its header was fetched"
        )
    if mail.infected:
        handle_unread(turn, mail, "quarantined")
        return HandlingResult(
            "quarantined", f"a virus was found in it: {mail.infected}", rule=QuarantineReason.VIRUS.value
        )
    if verdict.kind is Kind.QUARANTINE and not mail.released:
        handle_unread(turn, mail, "quarantined")
        return HandlingResult("quarantined", verdict.reason)
    agent = turn.policy.agent(mail.message.from_addr)
    if agent is not None:
        return handle_agent(turn, mail, agent)
    return _handle_person(turn, mail)


def _handle_person(turn: Context, mail: IncomingMail) -> HandlingResult:
    """A person's mail; one that is not answered by itself, where the answer could reach somebody else."""
    found = conflict_of(turn, mail)
    if not found:
        return handle_person(turn, mail)
    handled = handle_person(turn, replace(mail, conflict=found))
    return replace(handled, explanation={**handled.explanation, "not_answered": found})


def conflict_of(turn: Context, mail: IncomingMail) -> str:
    """Why this mail is not answered by itself though a person wrote it, or ""."""
    profile, agents, message = turn.profile, turn.policy.agents, mail.message
    desk = (profile.address, *profile.aliases)
    if mail.message.from_addr in desk or any(mail.message.from_addr == agent.email for agent in agents):
        return ""
    own = OwnAddresses(
        desk=desk,
        agents=[address for agent in agents for address in (agent.email, *agent.aliases)],
        names=[profile.name, *(f"{agent.name} ({profile.brand})" for agent in agents)],
        shared_domains=profile.shared_domains,
    )
    dmarc = dmarc_verdict(message, profile.trusted_authserv_ids) if message.sender is not None else ""
    return conflict(message, own, dmarc)
