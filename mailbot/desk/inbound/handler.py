"""One mail's way through the desk, inside one transaction: whose it is, which ticket, what happened, what follows.

`handle(case)` is the way in. `requesters` handles requesters' and participants' mail, `agents` that of the desk's own
people, `machines` bounces and automatic replies; `desk.apply_event` is the step that all share: event → decision →
rows. Nothing here commits, sends, or reads a clock.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.desk.context import Case, HandlingResult
from mailbot.desk.inbound.agents import handle_agent
from mailbot.desk.inbound.machines import handle_automatic_reply, handle_bounce
from mailbot.desk.inbound.quarantining import handle_unread
from mailbot.desk.inbound.requesters import handle_person
from mailbot.mail.classify.authentication import dmarc_verdict
from mailbot.mail.classify.reply_conflict import OwnAddresses, conflict
from mailbot.mail.compose.composer import is_usable
from mailbot.mail.message import Kind
from mailbot.ticket.quarantine import QuarantineReason


def handle(case: Case) -> HandlingResult:
    """Do what the mail asks for. The order matters: what a machine wrote is never taken for a person's words."""
    mail = case.incoming
    message, verdict = mail.message, mail.verdict
    if verdict.kind is Kind.LOOP:
        return HandlingResult.processed(verdict.reason)  # our own mail came back: recorded, nothing else
    if verdict.kind is Kind.BOUNCE and not mail.released:
        return handle_bounce(case)
    if verdict.kind is Kind.AUTO and not mail.released:
        return handle_automatic_reply(case)
    if not is_usable(message.from_addr):
        named = message.from_addr or "nobody"
        return HandlingResult.quarantined(f"the mail names no sender who could be answered (From: {named})")
    if mail.partial:
        handle_unread(case.answering(replace(mail, reply_conflict=reply_conflict(case))), "too_large")
        return HandlingResult.quarantined(f"larger than max_size ({message.size} bytes): only its header was fetched")
    if mail.infected:
        handle_unread(case, "quarantined")
        found = HandlingResult.quarantined(f"a virus was found in it: {mail.infected}")
        return replace(found, rule=QuarantineReason.VIRUS.value)
    if verdict.kind is Kind.QUARANTINE and not mail.released:
        handle_unread(case, "quarantined")
        return HandlingResult.quarantined(verdict.reason)
    agent = case.context.policy.agent(message.from_addr)
    if agent is not None:
        return handle_agent(case, agent)
    return _handle_person(case)


def _handle_person(case: Case) -> HandlingResult:
    """Handle a person's mail; it gets no automatic answer where that could reach another person."""
    found = reply_conflict(case)
    if not found:
        return handle_person(case)
    handled = handle_person(case.answering(replace(case.incoming, reply_conflict=found)))
    return replace(handled, explanation={**handled.explanation, "not_answered": found})


def reply_conflict(case: Case) -> str:
    """Return why this mail gets no automatic answer though a person wrote it, or ""."""
    profile, agents, message = case.context.profile, case.context.policy.agents, case.incoming.message
    desk = (profile.address, *profile.aliases)
    if message.from_addr in desk or any(message.from_addr == agent.email for agent in agents):
        return ""
    own = OwnAddresses(
        desk=desk,
        agents=[address for agent in agents for address in (agent.email, *agent.aliases)],
        names=[profile.name, *(f"{agent.name} ({profile.brand})" for agent in agents)],
        shared_domains=profile.shared_domains,
    )
    dmarc = dmarc_verdict(message, profile.trusted_authserv_ids) if message.sender is not None else ""
    return conflict(message, own, dmarc)
