"""Whom an automatic answer would reach: `core.reply_path` with what this desk knows of itself and its agents."""

from __future__ import annotations

from mailbot.core.authentication import dmarc_verdict
from mailbot.core.reply_path import conflict
from mailbot.intake.turn import Arrived, Turn


def conflict_of(turn: Turn, mail: Arrived) -> str:
    """Why this mail is not answered by itself though a person wrote it, or ""."""
    profile, agents, message = turn.profile, turn.policy.agents, mail.message
    desk = (profile.address, *profile.aliases)
    if mail.message.from_addr in desk or any(mail.message.from_addr == agent.email for agent in agents):
        return ""
    return conflict(
        message,
        desk=desk,
        agents=[address for agent in agents for address in (agent.email, *agent.aliases)],
        names=[profile.name, *(f"{agent.name} ({profile.brand})" for agent in agents)],
        dmarc=dmarc_verdict(message, profile.trusted_authserv_ids) if message.sender is not None else "",
        shared=profile.shared_domains,
    )
