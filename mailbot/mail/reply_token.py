"""Signed reply addresses, Message-IDs and bounce addresses: a proof of who was written to about what.

A token consists of `[a-z2-7]` and the separator `0` (so it survives systems that fold case), for example in
`support+a0amkq0r4n2vzq3kq6xk7tm5@helpdesk.example`: purpose, number in base32, an HMAC-SHA-256 truncated to 100 bits.
The HMAC covers purpose, desk, number and person, so that a token of one ticket, person or role is invalid for any
other. Comparison takes constant time. The first key signs; older keys still verify (rotation with a grace period).

No clock, no randomness: Message-IDs get their unique part from the caller.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum

MAC_CHARACTERS = 20
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_TOKEN = re.compile(r"(?<![a-z0-9])([racbskq])0([a-z2-7]{1,13})0([a-z2-7]{20})(?![a-z0-9])")


class Purpose(StrEnum):
    """What a token lets its holder do."""

    REQUESTER = "r"  # a requester's or participant's reply on a ticket
    AGENT = "a"  # an agent's answers and commands on a ticket
    CONFIRM = "c"  # an agent's confirmation of a mail that awaits it
    BOUNCE = "b"  # the envelope sender of one outgoing mail (VERP)
    STATUS = "s"  # a participant's link to the status page
    CANARY = "k"  # a mail of the desk to itself that measures the round trip
    QUARANTINE = "q"  # a lead's commands on the mails of one quarantine list


@dataclass(frozen=True, slots=True)
class Token:
    """A token as found in an address or a Message-ID."""

    purpose: Purpose
    number: int  #: Of a ticket, inbound mail, outbox mail or quarantine list.
    mac: str

    def __str__(self) -> str:
        return token_opening(self.purpose, self.number) + self.mac


class Signer:
    """Signs and verifies tokens. `keys`: newest first, each at least 16 bytes."""

    def __init__(self, keys: tuple[bytes, ...], desk: str = "main") -> None:
        if not keys or any(len(key) < 16 for key in keys):
            raise ValueError("a token key needs at least 16 bytes")
        self._keys = keys
        self._desk = desk.encode()

    def sign(self, purpose: Purpose, number: int, person: str = "") -> Token:
        """Return a token for this person (an addr-spec in any case)."""
        return Token(purpose, number, self._mac(self._keys[0], purpose, number, person))

    def belongs_to(self, token: Token, person: str = "") -> bool:
        """Return whether this token was signed for this person."""
        found = False
        for key in self._keys:  # no early exit: the time must not reveal which key matched
            found |= hmac.compare_digest(self._mac(key, token.purpose, token.number, person), token.mac)
        return found

    def _mac(self, key: bytes, purpose: Purpose, number: int, person: str) -> str:
        text = b"\x00".join((purpose.value.encode(), self._desk, str(number).encode(), person.lower().encode()))
        digest = hmac.new(key, text, hashlib.sha256).digest()
        return base64.b32encode(digest).decode("ascii").lower()[:MAC_CHARACTERS]


def read_tokens(text: str) -> list[Token]:
    """Return every token in an address, a Message-ID or a list of them, in order and not verified."""
    return [
        Token(Purpose(purpose), _from_base32(number), mac)
        for purpose, number, mac in _TOKEN.findall(text.lower()[:100_000])
    ]


def token_opening(purpose: Purpose, number: int) -> str:
    """Return the prefix of all tokens of this purpose and number, for look-ups."""
    return f"{purpose.value}0{_to_base32(number)}0"


def signed_address(address: str, token: Token) -> str:
    """Return `support+TOKEN@x` for `support@x`: 36 characters more, of 64 in a local part (RFC 5321 §4.5.3.1.1)."""
    local, _, domain = address.partition("@")
    return f"{local}+{token}@{domain}"


def _to_base32(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 32)
        digits = _BASE32[rest] + digits
        if not number:
            return digits


def _from_base32(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 32 + _BASE32.index(digit)
    return number
