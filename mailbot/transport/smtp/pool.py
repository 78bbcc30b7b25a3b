"""Several connections to one mail server, each with one mail in hand.

In: a few mails. Out: what became of each. The round is done when all have their answer, so that one commit records all
of their fates: a kill before it leaves at most one mail for each connection that may go out twice. A server that takes
fifty milliseconds for a mail (it puts it on its own disk first) is kept busy by four connections, by one it is not.

Never: two mails of one ticket to one recipient at the same time; they would overtake each other. Never files of two
large mails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from mailbot.mail.compose.streaming import Outgoing
from mailbot.runtime.memory import LARGE
from mailbot.transport.smtp.submission import Submission, SubmissionResult


class OutgoingMail(NamedTuple):
    """One mail to one recipient, ready to go."""

    envelope_from: str
    recipient: str
    raw: bytes | Outgoing


class Submitter(Protocol):
    """What delivers one composed mail (smtp.Submission)."""

    def send(self, envelope_from: str, recipient: str, raw: bytes | Outgoing) -> SubmissionResult:
        """Hand one mail to the server; one with large files comes in pieces."""


class SubmissionPool:
    """So many ways out side by side. One thread uses it; `interrupt` may come from another."""

    def __init__(self, ways: Sequence[Submitter]) -> None:
        self._ways = tuple(ways)
        self._threads: ThreadPoolExecutor | None = None

    @property
    def width(self) -> int:
        """How many mails may go at a time."""
        return len(self._ways)

    @property
    def active_at(self) -> float:
        """When one of them last heard from the server (time.monotonic)."""
        return max(getattr(way, "active_at", 0.0) for way in self._ways)

    def rounds(self, rows: Sequence[Any]) -> Iterator[list[Any]]:
        """Outbox rows in rounds of at most `width`, in their order, no ticket twice to one recipient in a round.

        Large files of one mail only, of which all in the round have the same copy.
        """
        some: list[Any] = []
        for row in rows:
            large = _large(row)
            if len(some) == self.width or any(
                _is_same_thread(row, other) or (large and _large(other) - large) for other in some
            ):
                yield some
                some = []
            some.append(row)
        if some:
            yield some

    def send_all(self, letters: Sequence[OutgoingMail]) -> list[SubmissionResult]:
        """Hand over at most `width` mails at the same time; the fate of each, in their order."""
        if len(letters) == 1:
            return [self._ways[0].send(*letters[0])]
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.width - 1, thread_name_prefix="outbox")
        others = [
            self._threads.submit(way.send, *letter) for way, letter in zip(self._ways[1:], letters[1:], strict=False)
        ]
        first = self._ways[0].send(*letters[0])
        return [first, *(other.result() for other in others)]

    @property
    def certificate_ends(self) -> datetime | None:
        """When the server's certificate ends, as the last connections saw it."""
        ends = [way.certificate_ends for way in self._ways if isinstance(way, Submission) and way.certificate_ends]
        return max(ends, default=None)

    def check(self) -> None:
        """Does the server still take us? Raises as `Submission.check`."""
        way = self._ways[0]
        if isinstance(way, Submission):
            way.check()

    def interrupt(self) -> None:
        """End what they wait for."""
        for way in self._ways:
            if isinstance(way, Submission):
                way.interrupt()

    def close(self) -> None:
        """Say goodbye on every connection."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None
        for way in self._ways:
            if isinstance(way, Submission):
                way.close()


def _large(row: Any) -> set[str]:
    """The mails (by digest) whose files make this one a large one."""
    return {file["raw"] for file in row.attachments if file.get("size", 0) > LARGE}


def _is_same_thread(one: Any, other: Any) -> bool:
    return bool(one.recipient == other.recipient and one.ticket_id == other.ticket_id)
