"""What the classification rules ask of a mail, worked out once and only when a rule asks.

In: a parsed mail and the identity of our desk. Out: `MailFacts`, with properties for the rules of `rules`.
Never: decides the kind of a mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from mailbot.mail.classify.auto_reply import Hint, hints_in_text
from mailbot.mail.classify.dsn import BounceEvidence, find_bounce
from mailbot.mail.classify.senders import SenderType, is_list_manager, sender_type
from mailbot.mail.message import InboundMessage
from mailbot.mail.reply_token import Purpose, read_tokens
from mailbot.vocabulary import automatic_headers as names


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """What our desk is recognised by in its own mail."""

    #: The desk's address and aliases, lower case.
    addresses: frozenset[str] = frozenset()
    #: The value of our `X-Mailbot-Instance`.
    instance_id: str = ""
    #: The servers whose Authentication-Results count.
    trusted_authserv_ids: Sequence[str] = ()
    #: The right side of Message-IDs that only this desk makes; "" where people's mail clients share it.
    message_id_domain: str = ""
    #: How the local part of our envelope senders begins; "": they are recognised by their token alone.
    bounce_local_prefix: str = ""


class MailFacts:
    """A mail with what several rules ask of it."""

    def __init__(self, message: InboundMessage, own: OwnIdentity) -> None:
        self.message = message
        self.own = own
        self.headers: dict[str, list[str]] = {}
        self.by_group: dict[str, list[str]] = {}
        for name, value in message.headers.fields:
            key = name.lower()
            if key in self.headers:
                self.headers[key].append(value)
                continue
            self.headers[key] = [value]
            if group := _group(key):
                self.by_group.setdefault(group, []).append(key)

    def get(self, name: str) -> str:
        """Return the first value of a header field, lower case, without comment and parameters (RFC 3834 §5)."""
        values = self.headers.get(name)
        return _bare(values[0]) if values else ""

    def all(self, name: str) -> list[str]:
        """Return all values of a header field, as `get` does."""
        return [_bare(value) for value in self.headers.get(name, ())]

    @cached_property
    def sender_type(self) -> SenderType:
        """How certainly the author is a machine."""
        return sender_type(self.message)

    @cached_property
    def bounce(self) -> BounceEvidence | None:
        """The bounce that this mail is, or None."""
        return find_bounce(self.message, bool(self.bounce_address))

    @cached_property
    def bounce_address(self) -> str:
        """The envelope sender of ours that this mail came to, or ""."""
        own = self.own
        domains = {address.partition("@")[2] for address in own.addresses}
        for address in self.message.recipients[:50]:
            local, _, domain = address.partition("@")
            if domain not in domains:
                continue
            if own.bounce_local_prefix and local.startswith(own.bounce_local_prefix):
                return address
            if "+" in local and any(token.purpose is Purpose.BOUNCE for token in read_tokens(address)):
                return address
        return ""

    @cached_property
    def list_field(self) -> str:
        """The header field by which this mail came through a mailing list, or ""; our desk's own list is none."""
        fields = self.by_group.get("list", ())
        if any(self._names_us(self.headers[name][0]) for name in fields):
            return ""
        if fields:
            return fields[0]
        if "list" in self.all("precedence"):
            return "precedence"
        sender = self.message.sender
        if sender and sender.email != self.message.from_addr and is_list_manager(sender.local_part):
            return "sender"  # Majordomo: "Sender: owner-list@…" is the only trace
        return ""

    def _names_us(self, value: str) -> bool:
        """Return whether a list field names the desk: behind a Google Group every mail comes through such a list."""
        low = value.lower()
        return any(address in low or address.replace("@", ".") in low for address in self.own.addresses)

    @cached_property
    def hints(self) -> tuple[Hint, ...]:
        """All hints that this mail is automatic."""
        in_header = self.header_hints
        return (*in_header, *hints_in_text(self.message, bool(in_header)))

    @cached_property
    def header_hints(self) -> tuple[Hint, ...]:
        """The hints of the header."""
        hints = []
        if self.sender_type in (SenderType.UNATTENDED, SenderType.POSTMASTER) and self.message.from_addr:
            hints.append(Hint(1, f"written by {self.message.from_addr}"))
        if self.list_field:
            return tuple(hints)  # the other fields are the list's, whoever wrote the mail
        if "bulk" in (*self.all("precedence"), *self.all("x-precedence")):
            hints.append(Hint(2, "Precedence: bulk"))
        if self.get("x-auto-response-suppress") not in ("", "none"):
            hints.append(Hint(1, "asks for no automatic replies"))
        if self.message.return_path == "":
            hints.append(Hint(1, "no envelope sender"))
        if "ticket" in self.by_group:
            hints.append(Hint(1, "comes from a ticket system"))
        return tuple(hints)

    @cached_property
    def weight(self) -> int:
        """The weight of all hints."""
        return sum(hint.weight for hint in self.hints)


def _bare(value: str) -> str:
    return value.partition(";")[0].partition("(")[0].strip().lower()


@lru_cache(maxsize=4096)
def _group(name: str) -> str:
    """Return the group of header fields that the rules look for to which this one belongs; "" for nearly all."""
    if name in names.LISTS:
        return "list"
    if name in names.SPAM:
        return "spam"
    if name in names.MACHINES:
        return "machine"
    squeezed = name.replace("-", "")
    if squeezed.startswith("x") and "suppress" not in name and any(part in squeezed for part in names.AUTO_PARTS):
        return "auto"
    return "ticket" if name.startswith(names.TICKET_SYSTEMS) else ""
