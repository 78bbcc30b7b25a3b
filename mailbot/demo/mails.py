"""The people's mailboxes: every mail that was delivered to somebody, and every mail that they sent.

In: raw mails from the SMTP server (`deliver`) and from the writers (`keep_sent`). Out: `DemoMail`s in order of
arrival, and a notification at each change. Thread-safe. Never: changes or loses a mail.
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
    """One mail in one person's mailbox."""

    id: int
    person: Person  # whose mailbox it is in
    sent: bool  # whether they wrote it themselves
    at: datetime  # simulated time, UTC
    raw: bytes

    @cached_property
    def message(self) -> InboundMessage:
        """The parsed mail."""
        return parse_message(self.raw)

    @property
    def kind(self) -> str:
        """`X-Mailbot-Kind` of the desk's mail, "" for people's mail."""
        return self.message.headers.get("X-Mailbot-Kind").strip().lower()

    @property
    def ticket(self) -> int:
        """`X-Mailbot-Ticket`, 0 if there is none."""
        number = self.message.headers.get("X-Mailbot-Ticket").strip()
        return int(number) if number.isascii() and number.isdigit() else 0


class ChangeNotifier:
    """Counts changes and calls listeners, in the thread that notifies; they must be quick."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._listeners: set[Callable[[], None]] = set()
        self.revision = 0

    def notify(self) -> None:
        """Report a change."""
        with self._changed:
            self.revision += 1
            self._changed.notify_all()
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` at each change; return the function that removes it."""
        with self._changed:
            self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def wait_for(self, condition: Callable[[], bool], timeout: float, recheck: float = 0.25) -> bool:
        """Wait until the condition is true, testing it at each change and every `recheck` s; False after `timeout`."""
        end = time.monotonic() + timeout
        while not condition():
            remaining = end - time.monotonic()
            if remaining <= 0:
                return False
            with self._changed:
                self._changed.wait(min(recheck, remaining))
        return True


class Mailboxes:
    """Everybody's mail. `changes` is notified when a mail is added or read."""

    def __init__(self, changes: ChangeNotifier) -> None:
        self._changes = changes
        self._lock = threading.Lock()
        self._mails: list[DemoMail] = []
        self._read: set[int] = set()

    def deliver(self, person: Person, raw: bytes, at: datetime) -> DemoMail:
        """Add a mail that was delivered to this person."""
        return self._add(person, raw, at, sent=False)

    def keep_sent(self, person: Person, raw: bytes, at: datetime) -> DemoMail:
        """Add a mail that this person sent."""
        return self._add(person, raw, at, sent=True)

    def all(self) -> list[DemoMail]:
        """Return every mail, oldest first."""
        with self._lock:
            return list(self._mails)

    def of(self, person: Person) -> list[DemoMail]:
        """Return one person's mail, oldest first."""
        return [mail for mail in self.all() if mail.person is person]

    def get(self, number: int) -> DemoMail | None:
        """Return the mail with this id."""
        with self._lock:
            return self._mails[number - 1] if 1 <= number <= len(self._mails) else None

    def mark_read(self, numbers: Iterable[int]) -> None:
        """Mark these mails as read."""
        with self._lock:
            before = len(self._read)
            self._read.update(numbers)
            changed = len(self._read) != before
        if changed:
            self._changes.notify()

    def is_read(self, mail: DemoMail) -> bool:
        """Whether the mail was read; sent mail counts as read."""
        with self._lock:
            return mail.sent or mail.id in self._read

    def _add(self, person: Person, raw: bytes, at: datetime, sent: bool) -> DemoMail:
        with self._lock:
            mail = DemoMail(len(self._mails) + 1, person, sent, at, raw)
            self._mails.append(mail)
        self._changes.notify()
        return mail


def threads(mails: Iterable[DemoMail]) -> list[list[DemoMail]]:
    """Group a person's mail as a mail client does: by Message-ID, In-Reply-To and References.

    Each conversation is in order of arrival; the one with the newest mail comes first.
    """
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    mails = list(mails)
    for mail in mails:
        own = mail.message.message_id or f"mail-{mail.id}"
        for other in (*mail.message.references, *mail.message.in_reply_to):
            leader[find(own)] = find(other)
    groups: dict[str, list[DemoMail]] = {}
    for mail in mails:
        groups.setdefault(find(mail.message.message_id or f"mail-{mail.id}"), []).append(mail)
    return sorted(groups.values(), key=lambda group: group[-1].id, reverse=True)
