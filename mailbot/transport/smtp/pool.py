"""Several connections to one mail server, each sending one mail at a time.

In: a few mails. Out: the result for each. A round ends when all have their result, so that one commit records them
together: a kill before it leaves at most one mail per connection that may be sent twice. A server that takes fifty
milliseconds per mail (it writes it to its own disk first) is saturated by four connections, not by one.

Never: two mails of one ticket to one recipient at the same time, since they could overtake each other; files of two
large mails in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from mailbot.mail.compose.streaming import Outgoing
from mailbot.runtime.memory import LARGE
from mailbot.transport.smtp.submission import Submission, SubmissionResult


class OutgoingMail(NamedTuple):
    """One composed mail to one recipient."""

    envelope_from: str
    recipient: str
    raw: bytes | Outgoing


class QueuedMail(Protocol):
    """A mail of the outbox, as far as its order matters."""

    @property
    def recipient(self) -> str:
        """The address."""

    @property
    def ticket_id(self) -> int | None:
        """The ticket it belongs to."""

    @property
    def attachments(self) -> Sequence[Mapping[str, Any]]:
        """Its files: `raw`, the digest of the mail that a file is part of, and `size` (JSON from the database)."""


_Queued = TypeVar("_Queued", bound=QueuedMail)


class Submitter(Protocol):
    """Hands composed mail to a server, as `Submission` does."""

    def send(self, envelope_from: str, recipient: str, raw: bytes | Outgoing) -> SubmissionResult:
        """Submit one mail; one with large files comes in pieces."""


class SubmissionPool:
    """Connections to one server, used concurrently. One thread uses the pool; `interrupt` may come from another."""

    def __init__(self, submitters: Sequence[Submitter]) -> None:
        self._submitters = tuple(submitters)
        # Tests and replays submit to something else; only a Submission has a connection to care for.
        self._connections = tuple(one for one in submitters if isinstance(one, Submission))
        self._threads: ThreadPoolExecutor | None = None

    @property
    def width(self) -> int:
        """How many mails may be sent at a time."""
        return len(self._submitters)

    @property
    def active_at(self) -> float:
        """When one of them last heard from the server (time.monotonic)."""
        return max((connection.active_at for connection in self._connections), default=0.0)

    def rounds(self, rows: Sequence[_Queued]) -> Iterator[list[_Queued]]:
        """Group rows of the outbox into rounds of at most `width`, in order; no ticket twice to one recipient in each.

        A round holds the large files of one mail at most; mails that carry the same files share them.
        """
        some: list[_Queued] = []
        for row in rows:
            large = _large_files(row)
            if len(some) == self.width or any(
                _is_same_thread(row, other) or (large and _large_files(other) - large) for other in some
            ):
                yield some
                some = []
            some.append(row)
        if some:
            yield some

    def send_all(self, mails: Sequence[OutgoingMail]) -> list[SubmissionResult]:
        """Send at most `width` mails concurrently; return their results, in order."""
        if len(mails) == 1:
            return [self._submitters[0].send(*mails[0])]
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.width - 1, thread_name_prefix="outbox")
        others = [
            self._threads.submit(submitter.send, *mail)
            for submitter, mail in zip(self._submitters[1:], mails[1:], strict=False)
        ]
        first = self._submitters[0].send(*mails[0])
        return [first, *(other.result() for other in others)]

    @property
    def certificate_ends(self) -> datetime | None:
        """When the server's certificate expires, as of the last connections."""
        return max((one.certificate_ends for one in self._connections if one.certificate_ends), default=None)

    def check(self) -> None:
        """Check that the server accepts a connection and the log-in. Raises as `Submission.check`."""
        if self._connections:
            self._connections[0].check()

    def interrupt(self) -> None:
        """Abort whatever the connections wait for."""
        for connection in self._connections:
            connection.interrupt()

    def close(self) -> None:
        """Close every connection."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None
        for connection in self._connections:
            connection.close()


def _large_files(row: QueuedMail) -> set[str]:
    """Return the mails (by digest) whose files make this one large."""
    return {file["raw"] for file in row.attachments if file.get("size", 0) > LARGE}


def _is_same_thread(one: QueuedMail, other: QueuedMail) -> bool:
    return one.recipient == other.recipient and one.ticket_id == other.ticket_id
