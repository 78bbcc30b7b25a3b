"""Who wrote this mail, for certain? A From proves nothing; a token does, and a domain that vouches for the mail.

In: a case with a mail, for agents also how its ticket was found. Out: yes or no. [agent_mail] trust decides what an
agent needs: `token` a reply address or Message-ID that was signed for them, `dmarc` a pass of our own mail server or
a DKIM signature that verifies with a key that the desk has, `either` one of the two, `both` both.

A domain vouches for one mail once: the same signed mail sent again, under other References or to another of our
addresses, which few signatures cover, is held.
"""

from __future__ import annotations

from mailbot.desk.context import Case
from mailbot.mail.classify.authentication import dmarc_passes, dmarc_verdict, doubtful_author
from mailbot.ticket.matching import AgentRoute


def domain_vouches(case: Case) -> bool:
    """Return whether the domain in From vouches for the mail: DMARC by our own server, or DKIM by a configured key."""
    context, mail = case.context, case.incoming
    message, profile = mail.message, context.profile
    if mail.from_form or doubtful_author(message):
        return False
    if dmarc_passes(message, profile.trusted_authserv_ids):
        return True
    if not profile.dkim_keys or dmarc_verdict(message, profile.trusted_authserv_ids) == "fail":
        return False
    from mailbot.mail.classify.dkim import why_unproven

    raw, domain = context.work.raw_mail(mail.raw_sha256), message.from_address.domain
    return raw is not None and not why_unproven(raw, domain, profile.dkim_keys, context.work.now)


def is_authenticated(case: Case, found: AgentRoute) -> bool:
    """Return whether this mail is from the agent in From, by what the desk trusts."""
    context, mail = case.context, case.incoming
    if mail.authenticated:  # not where it was only released from quarantine: no spam is not the same as theirs
        return True
    if doubtful_author(mail.message):
        return False
    trust = context.profile.trust
    if trust == "token" or (trust == "either" and found.by_token):
        return found.by_token
    if trust == "both" and not found.by_token:
        return False
    # With a token of its own ticket and agent, a repeated mail goes where it went before.
    return domain_vouches(case) and (found.by_token or not context.work.message_id_came_before(mail.inbound_id))
