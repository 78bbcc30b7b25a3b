"""Who owns an address: the mailbox behind its spellings, and the organisation behind its domain.

In: addr-specs in lower case. Out: strings to compare. Registry suffixes ("co.id") are known from a short list of
labels, not from the Public Suffix List: a mistake only joins or splits a counter (ticket.auto_reply_limits) or makes a
mail NOACK (mail.classify.reply_conflict); it authenticates nobody.
"""

from __future__ import annotations

from collections.abc import Collection

from mailbot.vocabulary import domains as words


def mailbox_of(email: str) -> str:
    """Return the mailbox: without sub-address (`guru+7@` is `guru@`, RFC 5233) and the dots that Gmail ignores."""
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in words.DOTLESS:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def is_address_of(email: str, addresses: Collection[str]) -> bool:
    """Return whether this is one of the addresses, also with a sub-address (`support+…@`, RFC 5233)."""
    local, _, domain = email.partition("@")
    return email in addresses or f"{local.partition('+')[0]}@{domain}" in addresses


def organisation_of(domain: str) -> str:
    """Return the registered domain: `mail.sdn1.sch.id` → `sdn1.sch.id`, `mx.dinas.example` → `dinas.example`."""
    labels = domain.rsplit(".", 3)[-3:]
    if len(labels) == 3 and not (len(labels[2]) == 2 and labels[1] in words.REGISTRY_LABELS):
        labels = labels[1:]
    return ".".join(labels)


def is_shared(domain: str, more: Collection[str] = ()) -> bool:
    """Return whether unrelated people have addresses in this domain, or its suffix is one of schools and offices.

    `more`: further ones from [inbound] shared_domains, each with its subdomains.
    """
    if domain in words.SHARED_DOMAINS:
        return True
    parent = domain
    while parent:
        if parent in words.HOME_SUFFIXES or parent in more:
            return True
        parent = parent.partition(".")[2]
    return False
