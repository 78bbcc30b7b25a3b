"""Whose mail system an address belongs to: the mailbox behind its spellings, and the organisation behind its domain.

In: addr-specs in lower case. Out: strings to compare. What a registry gives out one by one ("co.id") is told from what
an owner has ("dinas.co.id") by a short list of labels, not by the Public Suffix List: a mistake here only joins or
parts a counter (`core.restraint`) or makes a mail NOACK (`core.reply_path`), it lets nobody in anywhere.
"""

from __future__ import annotations

from collections.abc import Collection

from mailbot.vocabulary import providers


def mailbox_of(email: str) -> str:
    """The mailbox: without the sub-address (`guru+7@` is `guru@`, RFC 5233) and the dots that Gmail ignores."""
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in providers.DOTLESS:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def is_address_of(email: str, addresses: Collection[str]) -> bool:
    """Return whether this is one of the addresses, also with a sub-address (`support+…@`, RFC 5233)."""
    local, _, domain = email.partition("@")
    return email in addresses or f"{local.partition('+')[0]}@{domain}" in addresses


def organisation_of(domain: str) -> str:
    """The registered part of a domain: `mail.sdn1.sch.id` → `sdn1.sch.id`, `mx.dinas.example` → `dinas.example`."""
    labels = domain.rsplit(".", 3)[-3:]
    if len(labels) == 3 and not (len(labels[2]) == 2 and labels[1] in providers.REGISTRY_LABELS):
        labels = labels[1:]
    return ".".join(labels)


def is_shared(domain: str, more: Collection[str] = ()) -> bool:
    """Do unrelated people have their mail under this domain, or is it a school's or an office's by its ending?

    `more`: the admin's own ([inbound] shared_domains), each with everything below it.
    """
    if domain in providers.SHARED_DOMAINS:
        return True
    parent = domain
    while parent:
        if parent in providers.HOME_SUFFIXES or parent in more:
            return True
        parent = parent.partition(".")[2]
    return False
