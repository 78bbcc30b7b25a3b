"""What a desk is to the code that handles its mail: the settings in the shape that decisions need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from mailbot.mail.reply_token import (
    Purpose,
    Signer,
    Token,
    signed_address,
)
from mailbot.ticket.auto_reply_limits import Limits


@dataclass(frozen=True, slots=True)
class Inbox:
    """One of several mailboxes of a desk: the address that its tickets write from, the program that they are about."""

    address: str
    program: str = ""


@dataclass(frozen=True)
class DeskProfile:
    """One desk. `mailboxes`: the ids of those that it reads; `inboxes`: those with an address or program of their own.

    `instance_id` marks our mail (X-Mailbot-Instance), so that it is known when it comes back.

    `limits`: how much automatic mail goes out (`core.restraint`), `shared_domains` the admin's additions to the domains
    that are nobody's own; `trust` is [agent_mail] trust; `max_size` in bytes.
    `dkim_keys`: TXT records of DKIM keys by their DNS name (RFC 6376 §3.6.2.1).
    """

    name: str
    brand: str
    address: str
    zone: ZoneInfo
    signer: Signer
    instance_id: str
    aliases: tuple[str, ...] = ()
    language: str = "id"
    status_page: str = ""
    plus_addressing: bool = True
    trust: str = "token"
    trusted_authserv_ids: tuple[str, ...] = ()
    dkim_keys: Mapping[str, str] = field(default_factory=dict)
    max_size: int = 35_000_000
    limits: Limits = field(default_factory=Limits)
    shared_domains: tuple[str, ...] = ()
    retry_for: timedelta = timedelta(days=2)
    inboxes: Mapping[int, Inbox] = field(default_factory=dict)
    mailboxes: tuple[int, ...] = ()

    def at(self, mailbox_id: int) -> DeskProfile:
        """The desk as it writes about mail of this mailbox: from that mailbox's address."""
        inbox = self.inboxes.get(mailbox_id)
        if inbox is None or inbox.address == self.address:
            return self
        return replace(self, address=inbox.address, aliases=(self.address, *self.aliases))

    def program_of(self, mailbox_id: int) -> str:
        """What new mail of this mailbox is about, "" where nobody said."""
        inbox = self.inboxes.get(mailbox_id)
        return inbox.program if inbox else ""

    @property
    def domain(self) -> str:
        """The domain of the desk's address: that of our Message-IDs."""
        return self.address.rpartition("@")[2]

    def is_own(self, email: str) -> bool:
        """Is this one of the desk's addresses, also with a sub-address (`support+…@`, RFC 5233)?"""
        local, _, domain = email.partition("@")
        return f"{local.partition('+')[0]}@{domain}" in (self.address, *self.aliases)

    def reply_address(self, token: Token) -> str:
        """Where the reader's reply goes: signed where the host keeps sub-addresses, else plain."""
        return signed_address(self.address, token) if self.plus_addressing else self.address

    def bounce_address(self, outbox_id: int) -> str:
        """The envelope sender of one outgoing mail (VERP): what comes back there names the mail."""
        return self.reply_address(self.signer.sign(Purpose.BOUNCE, outbox_id))
