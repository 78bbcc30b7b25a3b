"""Delivery: mail that waits in the outbox is handed to the SMTP server, each once, until it is accepted or refused.

In: a submission (`transport.smtp`). Out: rows that are sent, due again later, or failed, and what that means for the
ticket (timers start, the agent is notified). A mail is claimed in one commit, sent outside of any transaction, and its
result made durable before the next one is sent on the same connection (`transport.smtp.pool`): on a SQLite desk by a
line in a journal (`store.sent_journal`), from which the database gets several results in one commit, else by that
commit. A kill between the server's 250 and that line is the one moment in which a mail may be sent twice, and then with
the same Message-ID. Where the database fails, the result is kept, and written before anything else is sent.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mailbot.desk.apply_event import apply_event, report_failure
from mailbot.desk.context import Case, Context
from mailbot.desk.outbound.attachments import AttachmentReader
from mailbot.desk.profile import DeskProfile
from mailbot.errors import StoreUnavailable, TemporaryError
from mailbot.mail.message import MessageKind
from mailbot.store import compression
from mailbot.store.engine import Store
from mailbot.store.rows import OutboxRow
from mailbot.store.sent_journal import SentJournal, digest_of
from mailbot.store.unit_of_work import UnitOfWork, UnitOfWorkFactory
from mailbot.ticket.events import Delivered
from mailbot.transport.smtp.pool import OutgoingMail, SubmissionPool, Submitter
from mailbot.transport.smtp.submission import Accepted, Deferred, Rejected, SubmissionResult

log = logging.getLogger(__name__)

CLAIM = 60
# After so many real seconds the rest of a claim is given back: the results so far are written, and what is more urgent
# by then comes first.
MAX_ROUND_SECONDS = 1.0
LEASE = timedelta(minutes=10)
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(minutes=30)
# A mail over which the connection broke is retried so many times sooner than one that the server itself deferred, and
# at the latest after so long: most likely it was the connection, and not the mail.
SOONER, LONGEST_AFTER_BREAK = 6, timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Round:
    """What one pass over the outbox did."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    failure: str = ""  #: the server's words, where it could not be used at all
    credentials: bool = False  #: because it refuses the password or the token

    @property
    def tried(self) -> int:
        """How many mails were handed to the server."""
        return self.sent + self.deferred + self.failed


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """How one process delivers."""

    owner: str  #: of its leases
    max_per_minute: int = 0  #: [smtp] max_per_minute, 0 for no limit
    journal: SentJournal | None = None
    folder: Path | None = None  #: where large files are kept while they are sent; None: in memory


class Delivery:
    """Sends one desk's outbox. One thread uses it. `context_of` gives a transaction's surroundings."""

    def __init__(
        self,
        store: Store,
        profile: DeskProfile,
        context_of: Callable[[UnitOfWork], Context],
        settings: DeliverySettings,
    ) -> None:
        self._work = UnitOfWorkFactory(store)
        self._clock = store.clock
        self._is_sqlite = store.is_sqlite
        self._profile = profile
        self._context_of = context_of
        self._owner = settings.owner
        self._max_per_minute = settings.max_per_minute
        self._journal = settings.journal
        self.sharers: Callable[[], int] = lambda: 1
        self._sent_at: deque[datetime] = deque()
        self._files = AttachmentReader(store, settings.folder)
        self._in_flight: dict[int, tuple[OutboxRow, SubmissionResult | None]] = {}
        self._claiming = False

    def take_back(self) -> None:
        """Make due what a predecessor was sending; called once, at the start."""
        accepted = self._journal.entries() if self._journal else {}
        with self._work.writing() as work:
            for row_id, digest in accepted.items():
                row = work.outbox_row(row_id)
                if row is not None and row.state in ("sending", "pending") and digest_of(row.message_id) == digest:
                    self._record_accepted(work, row)
            work.free_leases(None if self._is_sqlite else self._owner)
            # the clock may have been ahead when a mail was deferred; with its jitter, no delay is longer than this
            work.bring_forward(longest=2 * LONGEST_DELAY, lease=LEASE)
        if self._journal and accepted:
            self._journal.clear()

    def take_over(self, other: Delivery, *, has_ended: bool) -> None:
        """Continue for another one, after a reload: take the results that it could not write.

        `has_ended` False: a thread of it still waits for a server; the mail that it is sending is left to it, and to
        the lease.
        """
        known = dict(other._in_flight)
        self._in_flight = {number: kept for number, kept in known.items() if has_ended or kept[1] is not None}
        self._claiming = has_ended and other._claiming
        self._sent_at = deque(other._sent_at)

    def clock_has_jumped(self) -> None:
        """Make deferred mail due now: its time may have been set by a clock that was ahead."""
        with self._work.writing() as work:
            work.bring_forward(longest=timedelta(0), lease=LEASE)

    def next_attempt(self) -> datetime | None:
        """Return when the next mail is due."""
        with self._work.reading() as work:
            return work.next_attempt()

    def postpone(self, seconds: float) -> None:
        """Put off what is due now by so many real seconds: the server is unavailable."""
        with self._work.writing() as work:
            work.postpone_outbox(work.now + self._clock.simulated(seconds))

    def deliver_due(
        self, submission: Submitter | SubmissionPool, stopping: Callable[[], bool] = lambda: False
    ) -> Round:
        """Send what is due now, at most `CLAIM` mails; stop early where the server is gone or the daemon ends."""
        pool = submission if isinstance(submission, SubmissionPool) else SubmissionPool([submission])
        self.settle()
        allowed = self._allowance()
        if allowed == 0:
            return Round()
        since, rows = self._claim(allowed)
        results: list[SubmissionResult] = []
        unwritten: list[tuple[OutboxRow, SubmissionResult]] = []
        try:
            for some in pool.rounds(rows):
                late = not since <= self._clock.now() < since + self._clock.simulated(MAX_ROUND_SECONDS)
                if stopping() or _failure(results) or (results and late):
                    break
                done = self._send(pool, some)
                results += done
                unwritten += zip(some, done, strict=True)
                self._in_flight |= {row.id: (row, result) for row, result in zip(some, done, strict=True)}
                if not self._note(some, done):
                    self._record(unwritten)
                    unwritten = []
        finally:
            self._files.drop_all()
        self._record(unwritten)
        self.settle()
        sent = sum(isinstance(result, Accepted) for result in results)
        self._sent_at.extend([self._clock.now()] * sent)
        deferred = [result for result in results if isinstance(result, Deferred)]
        credentials = any(result.credentials for result in deferred)
        failed = len(results) - sent - len(deferred)
        return Round(sent, len(deferred), failed, _failure(results), credentials)

    def _claim(self, allowed: int) -> tuple[datetime, Sequence[OutboxRow]]:
        """Claim due mail; return when, and the rows."""
        self._claiming = True
        # A claim that a power cut undoes has the same effect as one that it leaves: `take_back` makes both due again.
        with self._work.writing(wait_for_disk=False) as work:
            rows = work.claim_outbox(work.now, allowed, self._owner, LEASE)
        self._claiming = False
        self._in_flight = {row.id: (row, None) for row in rows}
        return work.now, rows

    def settle(self) -> None:
        """Write results that could not be written when they came, and give back what was claimed and not sent.

        `deliver_due` does this first; a daemon that ends does it once more. Raises where the database still fails.
        """
        if self._in_flight:
            with self._work.writing() as work:
                for row, result in self._in_flight.values():
                    now = work.outbox_row(row.id)
                    # The commit may have succeeded though its answer was lost; a lease may have expired meanwhile.
                    if now is not None and now.state == "sending" and now.lease_owner == self._owner:
                        self._record_one(work, row, result)
            self._in_flight = {}
            if self._journal:
                self._journal.clear()
        if self._claiming:  # a claim whose commit was not confirmed
            with self._work.writing() as work:
                work.free_leases(self._owner)
            self._claiming = False

    def _allowance(self) -> int:
        """Return how many mails [smtp] max_per_minute allows now: each of several workers has an equal share of it."""
        if not self._max_per_minute:
            return CLAIM
        limit = max(1, self._max_per_minute // max(1, self.sharers()))
        minute_ago = self._clock.now() - timedelta(minutes=1)
        while self._sent_at and not minute_ago < self._sent_at[0] <= self._clock.now():  # the clock may go back
            self._sent_at.popleft()
        return max(0, min(CLAIM, limit - len(self._sent_at)))

    def _send(self, pool: SubmissionPool, rows: Sequence[OutboxRow]) -> list[SubmissionResult]:
        results: dict[int, SubmissionResult] = {}
        mails: dict[int, OutgoingMail] = {}
        self._files.keep_only(rows)
        for row in rows:
            try:
                sender = self._profile.at(row.mailbox_id).bounce_address(row.id)
                mails[row.id] = OutgoingMail(sender, row.recipient, self._files.assembled(row))
            except compression.RawMailDamaged as error:
                results[row.id] = Rejected(0, f"an attachment can't be read any more: {error}")
            except (TemporaryError, OSError, MemoryError):
                raise  # the machine's fault, which every mail would meet
            except Exception as error:
                log.exception("mail %s to %s can't be put together", row.message_id, row.recipient)
                words = f"it can't be put together: {type(error).__name__}: {error}"
                results[row.id] = Deferred(0, words, server_gone=False)
        if mails:
            results |= zip(mails, pool.send_all(list(mails.values())), strict=True)
        return [results[row.id] for row in rows]

    def _note(self, rows: Sequence[OutboxRow], results: Sequence[SubmissionResult]) -> bool:
        """Make durable without a commit what the server accepted; return False where that needs the commit.

        Other results need not be durable: a retry gets them again.
        """
        if self._journal is None:
            return False
        accepted = [
            (row.id, row.message_id) for row, result in zip(rows, results, strict=True) if isinstance(result, Accepted)
        ]
        try:
            self._journal.note(accepted)
        except OSError as error:
            log.warning("the journal of sent mail can't be written (%s): each result is committed by itself", error)
            return False
        return True

    def _record(self, results: Sequence[tuple[OutboxRow, SubmissionResult]]) -> None:
        """Write what became of each, in one commit."""
        if not results:
            return
        with self._work.writing() as work:
            for row, result in results:
                self._record_one(work, row, result)
        for row, _ in results:
            del self._in_flight[row.id]
        if self._journal:
            self._journal.clear()

    def _record_one(self, work: UnitOfWork, row: OutboxRow, result: SubmissionResult | None) -> None:
        """Write what became of a mail that was claimed; None: nothing yet."""
        if result is None:
            work.set_outbox(row.id, state="pending", lease_owner="", lease_until=None)
        elif isinstance(result, Accepted):
            self._record_accepted(work, row)
        elif isinstance(result, Deferred) and not result.tried:
            # No mail waits longer, or fails, because the server could not be used: `postpone` says when it is due.
            work.set_outbox(row.id, state="pending", last_error=_said(result), lease_owner="", lease_until=None)
        elif isinstance(result, Deferred) and work.now < row.expires_at:
            self._record_deferred(work, row, result)
        else:
            self._record_failed(work, row, result)

    def _record_deferred(self, work: UnitOfWork, row: OutboxRow, result: Deferred) -> None:
        delay = backoff(row.attempts)
        if result.server_gone:
            delay = min(delay / SOONER, LONGEST_AFTER_BREAK)
        work.set_outbox(
            row.id, state="pending", attempts=row.attempts + 1, next_attempt_at=work.now + delay,
            last_error=_said(result), lease_owner="", lease_until=None,
        )  # fmt: skip
        if row.attempts == 0 and not result.server_gone:
            log.info(
                "mail %s to %s: not yet: %s. It is tried again, until %s at most",
                row.message_id, row.recipient, _said(result), f"{row.expires_at:%d %b %H:%M} UTC",
            )  # fmt: skip

    def _record_accepted(self, work: UnitOfWork, row: OutboxRow) -> None:
        work.set_outbox(
            row.id, state="sent", sent_at=work.now, attempts=row.attempts + 1, raw=b"", last_error="",
            lease_owner="", lease_until=None,
        )  # fmt: skip
        if row.cycle and row.ticket_id is not None:
            self._follow(work, row, lambda: self._start_timers(work, row))

    def _follow(self, work: UnitOfWork, row: OutboxRow, step: Callable[[], None]) -> None:
        """Do what follows from a result. A fault of ours in it changes nothing: sent mail is not sent again."""
        savepoint = work.savepoint()
        try:
            step()
            savepoint.commit()
        except StoreUnavailable:
            raise
        except Exception:
            savepoint.rollback()
            log.exception("mail %s: what became of it could not be recorded on its ticket", row.message_id)

    def _start_timers(self, work: UnitOfWork, row: OutboxRow) -> None:
        stored = work.ticket_by_id(row.ticket_id)
        if stored is not None:
            event = Delivered(work.now, MessageKind(row.kind), row.recipient, row.cycle, row.step)
            apply_event(Case(self._context_of(work), stored), event)

    def _record_failed(self, work: UnitOfWork, row: OutboxRow, result: Deferred | Rejected) -> None:
        words = _said(result)
        if isinstance(result, Deferred):
            words = f"given up after {self._profile.retry_for}: {words}"
        work.set_outbox(
            row.id, state="failed", attempts=row.attempts + 1, last_error=words, lease_owner="", lease_until=None
        )
        log.warning("mail %s to %s was not delivered: %s", row.message_id, row.recipient, words)
        self._follow(work, row, lambda: report_failure(self._context_of(work), row, words))


def backoff(attempts: int) -> timedelta:
    """Return how long to wait after so many failed attempts: doubling from 30 s to 30 min, plus or minus a fifth."""
    delay: timedelta = min(FIRST_DELAY * 2 ** min(attempts, 20), LONGEST_DELAY)
    return delay * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret


def _failure(results: Sequence[SubmissionResult]) -> str:
    """Return the server's words where it could not be used at all."""
    return next((result.text for result in results if isinstance(result, Deferred) and result.server_gone), "")


def _said(result: Deferred | Rejected) -> str:
    return f"{result.code} {result.text}".strip()[:2000] if result.code else result.text[:2000]
