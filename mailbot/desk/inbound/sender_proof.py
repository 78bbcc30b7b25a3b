"""Who wrote this mail, for sure? A From proves nothing; a token does, and a domain that stands by the mail does.

In: the turn, a mail, for agents also how its ticket was found. Out: yes or no. [agent_mail] trust decides what an
agent needs: `token` a reply address or Message-ID that was signed for them, `dmarc` a pass of our own mail server or
a DKIM signature that holds under a key that the desk has, `either` one of the two, `both` both.

A domain's word is good for one mail once: the same signed mail sent again, under other References or to another of
our addresses, which few signatures cover, is held.
"""

from __future__ import annotations

from mailbot.desk.context import Context, IncomingMail
from mailbot.mail.classify.authentication import (
    dmarc_passes,
    dmarc_verdict,
    doubtful_author,
)
from mailbot.ticket.matching import AgentRoute


def proves_author(turn: Context, mail: IncomingMail) -> bool:
    """Does the domain in From stand by this mail: DMARC by our own server, or DKIM by a key at hand?"""
    message, profile = mail.message, turn.profile
    if mail.from_form or doubtful_author(message):
        return False
    if dmarc_passes(message, profile.trusted_authserv_ids):
        return True
    if not profile.dkim_keys or dmarc_verdict(message, profile.trusted_authserv_ids) == "fail":
        return False
    from mailbot.mail.classify.dkim import why_unproven

    raw = turn.raw_of(mail.raw_sha256)
    return raw is not None and not why_unproven(raw, message.from_address.domain, profile.dkim_keys, turn.work.now)


def is_proven(turn: Context, mail: IncomingMail, found: AgentRoute) -> bool:
    """Is this mail the agent's whose address it bears, by what the desk trusts?"""
    if mail.proven:  # not where it was only let out of quarantine: that it is no spam does not say whose it is
        return True
    if doubtful_author(mail.message):
        return False
    trust = turn.profile.trust
    if trust == "token" or (trust == "either" and found.by_token):
        return found.by_token
    if trust == "both" and not found.by_token:
        return False
    # With a token of its own ticket and agent, a repeated mail goes where it went before.
    return proves_author(turn, mail) and (found.by_token or not turn.work.message_id_came_before(mail.inbound_id))
