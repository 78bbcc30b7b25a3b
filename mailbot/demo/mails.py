"""The people's mailboxes: every mail that reached somebody, and every mail that they sent.

In: raw mails from the post office (`deliver`) and from the writers (`keep_sent`). Out: `DemoMail`s, in the order of their
arrival, and a bell that rings at each change. Shared by threads. Never: change or lose a mail.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from mailbot.demo.people import Person
from mailbot.mail.message import InboundMessage
from mailbot.mail.mime.parser import parse_message


@dataclass(frozen=True)
class DemoMail:
    """One mail in one person's mailbox. `sent`: they wrote it themselves. `at`: simulated time, UTC."""

    id: int
    person: Person
    sent: bool
    at: datetime
    raw: bytes

    @cached_property
    def mail(self) -> InboundMessage:
        """The mail, taken apart."""
        return parse_message(self.raw)

    @property
    def kind(self) -> str:
        """`X-Mailbot-Kind`: which sort of mail of the desk it is, "" for people's mails."""
        return self.mail.headers.get("X-Mailbot-Kind").strip().lower()

    @property
    def ticket(self) -> int:
        """`X-Mailbot-Ticket`, 0 where there is none."""
        number = self.mail.headers.get("X-Mailbot-Ticket").strip()
        return int(number) if number.isascii() and number.isdigit() else 0


class Bell:
    """Counts changes and tells whoever listens. Listeners are called in the thread that rings; they must be quick."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._listeners: set[Callable[[], None]] = set()
        self.revision = 0

    def ring(self) -> None:
        """Something changed."""
        with self._changed:
            self.revision += 1
            self._changed.notify_all()
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` at each ring; what is returned ends that."""
        with self._changed:
            self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def wait_for(self, condition: Callable[[], bool], timeout: float, recheck: float = 0.25) -> bool:
        """Wait until the condition is true, looking at each ring and every `recheck` seconds; False after `timeout`."""
        end = time.monotonic() + timeout
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            with self._changed:
                self._changed.wait(min(recheck, left))
        return True


class Letters:
    """Everybody's letters. `bell` rings when one is added or read."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._lock = threading.Lock()
        self._letters: list[DemoMail] = []
        self._read: set[int] = set()

    def deliver(self, person: Person, raw: bytes, at: datetime) -> DemoMail:
        """A mail reached this person."""
        return self._add(person, raw, at, sent=False)

    def keep_sent(self, person: Person, raw: bytes, at: datetime) -> DemoMail:
        """This person sent a mail."""
        return self._add(person, raw, at, sent=True)

    def all(self) -> list[DemoMail]:
        """Every letter, oldest first."""
        with self._lock:
            return list(self._letters)

    def of(self, person: Person) -> list[DemoMail]:
        """One person's letters, oldest first."""
        return [letter for letter in self.all() if letter.person is person]

    def get(self, number: int) -> DemoMail | None:
        """The letter with this id."""
        with self._lock:
            return self._letters[number - 1] if 1 <= number <= len(self._letters) else None

    def mark_read(self, numbers: Iterable[int]) -> None:
        """Somebody looked at these."""
        with self._lock:
            before = len(self._read)
            self._read.update(numbers)
            changed = len(self._read) != before
        if changed:
            self._bell.ring()

    def is_read(self, letter: DemoMail) -> bool:
        """Own letters count as read."""
        with self._lock:
            return letter.sent or letter.id in self._read

    def _add(self, person: Person, raw: bytes, at: datetime, sent: bool) -> DemoMail:
        with self._lock:
            letter = DemoMail(len(self._letters) + 1, person, sent, at, raw)
            self._letters.append(letter)
        self._bell.ring()
        return letter


def threads(letters: Iterable[DemoMail]) -> list[list[DemoMail]]:
    """Group a person's letters as their mail client does: by Message-ID, In-Reply-To and References.

    Each conversation is in order of arrival; the one with the newest letter comes first.
    """
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    letters = list(letters)
    for letter in letters:
        own = letter.mail.message_id or f"letter-{letter.id}"
        for other in (*letter.mail.references, *letter.mail.in_reply_to):
            leader[find(own)] = find(other)
    groups: dict[str, list[DemoMail]] = {}
    for letter in letters:
        groups.setdefault(find(letter.mail.message_id or f"letter-{letter.id}"), []).append(letter)
    return sorted(groups.values(), key=lambda group: group[-1].id, reverse=True)
