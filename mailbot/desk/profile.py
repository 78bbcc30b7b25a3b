"""The settings of a desk in the shape that handling its mail needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from mailbot.mail.domains import is_address_of
from mailbot.mail.reply_token import Purpose, Signer, Token, signed_address
from mailbot.ticket.auto_reply_limits import Limits


@dataclass(frozen=True, slots=True)
class Inbox:
    """One of several mailboxes of a desk."""

    address: str  #: that mail about its tickets is sent from
    program: str = ""  #: that its tickets are about


@dataclass(frozen=True)
class DeskProfile:
    """One desk."""

    name: str
    brand: str
    address: str
    zone: ZoneInfo
    signer: Signer
    instance_id: str  #: marks our mail (X-Mailbot-Instance), so that it is recognised when it comes back
    aliases: tuple[str, ...] = ()
    language: str = "id"
    status_page: str = ""
    plus_addressing: bool = True
    trust: str = "token"  #: [agent_mail] trust
    trusted_authserv_ids: tuple[str, ...] = ()
    dkim_keys: Mapping[str, str] = field(default_factory=dict)  #: TXT records by DNS name (RFC 6376 §3.6.2.1)
    max_size: int = 35_000_000  #: bytes
    limits: Limits = field(default_factory=Limits)  #: on automatic mail (`ticket.auto_reply_limits`)
    shared_domains: tuple[str, ...] = ()  #: the admin's additions to the domains of unrelated people
    retry_for: timedelta = timedelta(days=2)
    inboxes: Mapping[int, Inbox] = field(default_factory=dict)  #: mailboxes with an address or program of their own
    mailboxes: tuple[int, ...] = ()  #: ids of all mailboxes that it reads

    def at(self, mailbox_id: int) -> DeskProfile:
        """Return the desk as it sends mail about this mailbox: from that mailbox's address."""
        inbox = self.inboxes.get(mailbox_id)
        if inbox is None or inbox.address == self.address:
            return self
        return replace(self, address=inbox.address, aliases=(self.address, *self.aliases))

    def program_of(self, mailbox_id: int) -> str:
        """Return the program that new mail of this mailbox is about, "" if none is configured."""
        inbox = self.inboxes.get(mailbox_id)
        return inbox.program if inbox else ""

    @property
    def domain(self) -> str:
        """The domain of the desk's address: that of our Message-IDs."""
        return self.address.rpartition("@")[2]

    def is_own(self, email: str) -> bool:
        """Return whether this is one of the desk's addresses, also with a sub-address."""
        return is_address_of(email, (self.address, *self.aliases))

    def reply_address(self, token: Token) -> str:
        """Return where the reader's reply goes: signed where the host supports sub-addresses, else plain."""
        return signed_address(self.address, token) if self.plus_addressing else self.address

    def bounce_address(self, outbox_id: int) -> str:
        """Return the envelope sender of one outgoing mail (VERP): a bounce that comes back there names the mail."""
        return self.reply_address(self.signer.sign(Purpose.BOUNCE, outbox_id))
