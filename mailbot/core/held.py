"""Why a mail lies in quarantine: one code for each reason, for lists, figures and the words of templates.

In: columns of an inbound row that is quarantined or held. Out: `Why`. What an exact rule of classification decided
keeps its reason's words beside the code; a rule that is not known here is OTHER.
"""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """The values of POISON, GAVE_UP, KILLED, VIRUS, SPAM and DMARC stand in `Inbound.rule`."""

    POISON = "poison"  # our code raised an exception
    GAVE_UP = "gave-up"  # what looked like the machine's fault, again and again, while other mail got through
    KILLED = "killed"  # the process died whenever it had this mail in hand
    UNCONFIRMED = "unconfirmed"  # in an agent's name and not proven to be theirs: they were asked
    TOO_LARGE = "too-large"  # larger than max_size: only the header was fetched
    VIRUS = "virus"  # the scanner found one
    SPAM = "spam"
    DMARC = "dmarc-fail"
    AUTOMATIC = "automatic"  # a machine's, on no ticket
    BOUNCE = "bounce"  # a delivery report on no mail of ours
    NO_SENDER = "no-sender"  # nobody who could be answered
    SPAM_TICKET = "spam-ticket"  # a reply to a ticket that was closed as spam
    OTHER = "other"


def why_held(*, state: str, rule: str, kind: str, partial: bool, has_sender: bool, on_ticket: bool) -> Why:
    """The first row that fits."""
    rows = (
        (state == "held", Why.UNCONFIRMED),
        (rule in _BY_RULE, _BY_RULE.get(rule, Why.OTHER)),
        (kind == "auto", Why.AUTOMATIC),
        (kind == "bounce", Why.BOUNCE),
        (not has_sender, Why.NO_SENDER),
        (partial, Why.TOO_LARGE),
        (on_ticket, Why.SPAM_TICKET),
    )
    return next((why for fits, why in rows if fits), Why.OTHER)


_BY_RULE = {why.value: why for why in (Why.POISON, Why.GAVE_UP, Why.KILLED, Why.VIRUS, Why.SPAM, Why.DMARC)}
