"""Would an automatic answer reach the person who wrote? Not where From, Reply-To and Sender name different people.

In: a parsed mail, the desk's and its agents' addresses and names, the DMARC verdict if a trusted server gave one. Out:
in words for the admin why nothing is answered by itself, or "". The mail is taken in all the same, and its agents read
it: this is about whom the desk writes to unasked. The desk always answers From, never Reply-To (RFC 5322 §3.6.2 lets
the author name anybody there): where the two are of different people, nobody is answered.

The rule: two addresses are of one person or house if they are the same mailbox, or belong to the same organisation's
domain that is nobody else's. `guru@sdn1.sch.id` may have replies sent to `tu@sdn1.sch.id`; `a@gmail.com` may not have
them sent to `b@gmail.com`. A proven From (DMARC pass) may have any Sender: Gmail writes its own beside another.
Never: a look-up; a decision about the ticket.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache

from mailbot.mail.domains import (
    is_shared,
    mailbox_of,
    organisation_of,
)
from mailbot.mail.message import Address, InboundMessage
from mailbot.vocabulary.senders import LOOKALIKES

_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_FOLDED = str.maketrans(LOOKALIKES)
_MOST_NAMED = 20


def conflict(
    message: InboundMessage,
    *,
    desk: Collection[str] = (),
    agents: Collection[str] = (),
    names: Collection[str] = (),
    dmarc: str = "",
    shared: Collection[str] = (),
) -> str:
    """Why an automatic answer could reach somebody who did not write, or "".

    `desk`, `agents`: their addresses, lower case; `names`: display names that only they have; `shared`: further domains
    under which unrelated people have their mail. The desk's own address in Sender or Reply-To is its mailing list's.
    """
    author = message.from_address
    if len(message.from_) > 1 or "duplicate-from" in message.defects:
        return "names several authors (From)"
    reply_to = [other for other in message.reply_to[:_MOST_NAMED] if other.email and other.email not in desk]
    if reply_to and not any(_same_house(author.email, other.email, shared) for other in reply_to):
        return f"asks for replies to somebody else ({reply_to[0].email})"
    sender = message.sender
    strange = sender is not None and sender.email not in ("", *desk)
    if sender is not None and strange and dmarc != "pass" and not _same_house(author.email, sender.email, shared):
        return f"was sent by somebody else than its author ({sender.email})"
    return _pretence(author, (*desk, *agents), names)


def _same_house(one: str, other: str, shared: Collection[str]) -> bool:
    if mailbox_of(one) == mailbox_of(other):
        return True
    domain, house = one.rpartition("@")[2], organisation_of(other.rpartition("@")[2])
    if organisation_of(domain) != house:
        return False
    # below a registry's own label every school is a house: sd1.sch.id and sd2.sch.id differ by organisation_of
    return not is_shared(house, shared) or house.count(".") > 1


def _pretence(author: Address, ours: Collection[str], names: Collection[str]) -> str:
    """A sender who looks like the desk or an agent, and is neither."""
    if author.email in ours:
        return ""
    folded = _folded(author.email)
    for own in ours:
        if folded == _folded(own):
            return f"its address {author.email} looks like {own}"
    for named in _ADDRESS.findall(author.name[:300].lower()):
        if named in ours:
            return f"calls itself {named}, and is {author.email}"
    name = _folded(" ".join(author.name.split()))
    if name and name in _all_folded(names):
        return f"has the name of the desk ({author.name}), and is {author.email}"
    return ""


def _all_folded(names: Iterable[str]) -> set[str]:
    return {_folded(name) for name in names if name}


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    """The same for texts that look the same: compatibility forms, letters of other scripts, 0 for o, rn for m."""
    if "xn--" in text:
        local, _, domain = text.rpartition("@")
        text = f"{local}@{_unicode(domain)}"
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return plain.translate(_FOLDED).replace("rn", "m").replace("vv", "w")


def _unicode(domain: str) -> str:
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain
