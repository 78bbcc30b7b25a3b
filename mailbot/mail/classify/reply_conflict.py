"""Conflicts between From, Reply-To and Sender, which could send an automatic reply to somebody who did not write.

In: a parsed mail, addresses and names of the desk and its agents, the DMARC verdict of a trusted server. Out: for the
admin, why there is no automatic reply, or "". The mail is processed all the same and agents read it: this is only about
mail that nobody asked for. The desk always answers From, never Reply-To (RFC 5322 §3.6.2 lets the author
name anybody there): where the two belong to different people, nobody is answered.

Two addresses belong together if they are the same mailbox, or are in the domain of one organisation that nobody else
shares. `guru@sdn1.sch.id` may have replies sent to `tu@sdn1.sch.id`; `a@gmail.com` may not have them sent to
`b@gmail.com`. With a DMARC pass any Sender is accepted: Gmail writes its own beside another From.
Never: a look-up; a decision about the ticket.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from mailbot.mail.domains import is_shared, mailbox_of, organisation_of
from mailbot.mail.message import Address, InboundMessage
from mailbot.vocabulary.senders import LOOKALIKES

_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_SKELETON = str.maketrans(LOOKALIKES)
_MAX_REPLY_TO = 20


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """Addresses and names of the desk and its agents, which others must not imitate."""

    #: The desk's addresses, lower case. In Sender or Reply-To they are those of its mailing list.
    desk: Collection[str] = ()
    #: The agents' addresses, lower case.
    agents: Collection[str] = ()
    #: Display names that only the desk and its agents use.
    names: Collection[str] = ()
    #: Further domains that unrelated people share ([inbound] shared_domains).
    shared_domains: Collection[str] = ()


def conflict(message: InboundMessage, own: OwnAddresses, dmarc: str = "") -> str:
    """Return why an automatic reply could reach somebody who did not write, or "".

    `dmarc`: the verdict on From of a trusted server, "" without one.
    """
    author = message.from_address
    if len(message.from_) > 1 or "duplicate-from" in message.defects:
        return "names several authors (From)"
    reply_to = [other for other in message.reply_to[:_MAX_REPLY_TO] if other.email and other.email not in own.desk]
    if reply_to and not any(_belong_together(author.email, other.email, own.shared_domains) for other in reply_to):
        return f"asks for replies to somebody else ({reply_to[0].email})"
    sender = message.sender
    foreign = sender if sender is not None and sender.email not in ("", *own.desk) else None
    if foreign and dmarc != "pass" and not _belong_together(author.email, foreign.email, own.shared_domains):
        return f"was sent by somebody else than its author ({foreign.email})"
    return _impersonation(author, own)


def _belong_together(one: str, other: str, shared_domains: Collection[str]) -> bool:
    if mailbox_of(one) == mailbox_of(other):
        return True
    domain, organisation = one.rpartition("@")[2], organisation_of(other.rpartition("@")[2])
    if organisation_of(domain) != organisation:
        return False
    # below a registry's label every school is an organisation: organisation_of tells sd1.sch.id from sd2.sch.id
    return not is_shared(organisation, shared_domains) or organisation.count(".") > 1


def _impersonation(author: Address, own: OwnAddresses) -> str:
    """Return how an author looks like the desk or an agent without being one, or ""."""
    ours = (*own.desk, *own.agents)
    if author.email in ours:
        return ""
    skeleton = _skeleton(author.email)
    for address in ours:
        if skeleton == _skeleton(address):
            return f"its address {author.email} looks like {address}"
    for named in _ADDRESS.findall(author.name[:300].lower()):
        if named in ours:
            return f"calls itself {named}, and is {author.email}"
    name = _skeleton(" ".join(author.name.split()))
    if name and any(name == _skeleton(each) for each in own.names if each):
        return f"has the name of the desk ({author.name}), and is {author.email}"
    return ""


@lru_cache(maxsize=4096)
def _skeleton(text: str) -> str:
    """Map texts that look alike to the same string: compatibility forms, other scripts, 0 for o, rn for m."""
    if "xn--" in text:
        local, _, domain = text.rpartition("@")
        text = f"{local}@{_unicode(domain)}"
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return plain.translate(_SKELETON).replace("rn", "m").replace("vv", "w")


def _unicode(domain: str) -> str:
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain
