"""The way out: mail that waits in the outbox is handed to the SMTP server, each once, until it is accepted or refused.

In: a submission (smtp.py). Out: rows that are sent, due again later, or failed, and what that means for the ticket
(timers start, the agent is told). A mail is claimed in one commit, sent outside of any transaction, and its fate
made durable before the next one goes out on the same connection (lanes.py): on a SQLite desk by a line in a journal
(store/sent_journal.py), from which the database learns of several mails in one commit, else by that commit. A kill
between the server's 250 and that line is the one moment in which a mail may go out twice, and then with the same
Message-ID. Where the database fails, the fate is kept, and written before anything else is sent.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mailbot.desk.apply_event import apply_event, report_failure
from mailbot.desk.context import Context
from mailbot.desk.outbound.attachments import AttachmentReader
from mailbot.desk.profile import DeskProfile
from mailbot.errors import StoreUnavailable, TemporaryError
from mailbot.mail.message import MessageKind
from mailbot.runtime.clock import Clock
from mailbot.store import compression
from mailbot.store.engine import Store
from mailbot.store.outbox import bring_forward
from mailbot.store.sent_journal import SentJournal, digest_of
from mailbot.store.statements import Savepoint
from mailbot.store.unit_of_work import UnitOfWork
from mailbot.ticket.events import Delivered
from mailbot.transport.smtp.pool import (
    OutgoingMail,
    SubmissionPool,
    Submitter,
)
from mailbot.transport.smtp.submission import (
    Accepted,
    Deferred,
    Rejected,
    SubmissionResult,
)

log = logging.getLogger(__name__)

CLAIM = 60
# After so many real seconds the rest of a claim is given back: what became of the others is written, and what is more
# urgent by then comes first.
AT_A_TIME = 1.0
LEASE = timedelta(minutes=10)
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(minutes=30)
# A mail over which the connection broke is tried again so many times sooner than one that the server itself put off,
# and at the latest after so long: it was the line most likely, and not the mail.
SOONER, LONGEST_AFTER_BREAK = 6, timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Round:
    """What one pass over the outbox did. `trouble` has the server's words where it could not be used at all,

    `credentials`: because it refuses the password or the token.
    """

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    trouble: str = ""
    credentials: bool = False

    @property
    def tried(self) -> int:
        """How many mails were handed to the server."""
        return self.sent + self.deferred + self.failed


class Delivery:
    """Sends one desk's outbox. One thread uses it. `folder`: where large files lie while they are sent."""

    def __init__(
        self,
        store: Store,
        profile: DeskProfile,
        clock: Clock,
        turn: Callable[[UnitOfWork], Context],
        *,
        owner: str,
        max_per_minute: int = 0,
        journal: SentJournal | None = None,
        folder: Path | None = None,
    ) -> None:
        self._store = store
        self._profile = profile
        self._clock = clock
        self._turn = turn
        self._owner = owner
        self._max_per_minute = max_per_minute
        self._journal = journal
        self.sharers: Callable[[], int] = lambda: 1
        self._sent_at: deque[datetime] = deque()
        self._enclosures = AttachmentReader(store, folder)
        self._in_hand: dict[int, tuple[Any, SubmissionResult | None]] = {}
        self._claiming = False

    def take_back(self) -> None:
        """At the start: what a predecessor was sending is due again."""
        accepted = self._journal.entries() if self._journal else {}
        with self._store.writing() as connection:
            owner = None if self._store.is_sqlite else self._owner
            now = self._clock.now()
            work = UnitOfWork(connection, self._store.desk_id, now)
            for row_id, digest in accepted.items():
                row = work.outbox_row(row_id)
                if row is not None and row.state in ("sending", "pending") and digest_of(row.message_id) == digest:
                    self._record_accepted(work, row)
            work.free_leases(owner)
            # the clock may have been ahead when it was put off; with its jitter, no delay is longer than this
            bring_forward(connection, self._store.desk_id, now, longest=2 * LONGEST_DELAY, lease=LEASE)
        if self._journal and accepted:
            self._journal.clear()

    def take_over(self, other: Delivery, *, has_ended: bool) -> None:
        """Go on for another one, after a reload: what became of mail that it sent, and could not write down.

        `has_ended` False: a thread of it waits for a server still; what that one has in hand is left to it, and to the
        lease.
        """
        known = dict(other._in_hand)
        self._in_hand = {number: kept for number, kept in known.items() if has_ended or kept[1] is not None}
        self._claiming = has_ended and other._claiming
        self._sent_at = deque(other._sent_at)

    def clock_has_jumped(self) -> None:
        """No mail waits because the clock was ahead when it was put off: what waits is due now."""
        with self._store.writing() as connection:
            bring_forward(connection, self._store.desk_id, self._clock.now(), longest=timedelta(0), lease=LEASE)

    def next_attempt(self) -> datetime | None:
        """When the next mail is due; None with an empty outbox."""
        with self._store.reading() as connection:
            return UnitOfWork(connection, self._store.desk_id, self._clock.now()).next_attempt()

    def postpone(self, seconds: float) -> None:
        """The server is gone: what is due now is due again after so many real seconds."""
        with self._store.writing() as connection:
            work = UnitOfWork(connection, self._store.desk_id, self._clock.now())
            work.postpone_outbox(work.now + self._clock.simulated(seconds))

    def deliver_due(
        self, submission: Submitter | SubmissionPool, stopping: Callable[[], bool] = lambda: False
    ) -> Round:
        """Send what is due now, at most `CLAIM` mails; stop early where the server is gone or the daemon ends."""
        lanes = submission if isinstance(submission, SubmissionPool) else SubmissionPool([submission])
        self.settle()
        allowed = self._allowance()
        if allowed == 0:
            return Round()
        self._claiming = True
        # a claim that a power cut takes back means what one means that it finds: `take_back` makes both due again
        with self._store.writing(wait_for_disk=False) as connection:
            now = self._clock.now()
            rows = UnitOfWork(connection, self._store.desk_id, now).claim_outbox(now, allowed, self._owner, LEASE)
        self._claiming = False
        self._in_hand = {row.id: (row, None) for row in rows}
        fates: list[SubmissionResult] = []
        unwritten: list[tuple[Any, SubmissionResult]] = []
        since = now
        try:
            for some in lanes.rounds(rows):
                late = not since <= self._clock.now() < since + self._clock.simulated(AT_A_TIME)
                if stopping() or _trouble(fates) or (fates and late):
                    break
                done = self._send(lanes, some)
                fates += done
                unwritten += zip(some, done, strict=True)
                self._in_hand |= {row.id: (row, fate) for row, fate in zip(some, done, strict=True)}
                if not self._noted(some, done):
                    self._record(unwritten)
                    unwritten = []
        finally:
            self._enclosures.let_go()
        self._record(unwritten)
        self.settle()
        sent = sum(isinstance(fate, Accepted) for fate in fates)
        self._sent_at.extend([self._clock.now()] * sent)
        later = [fate for fate in fates if isinstance(fate, Deferred)]
        credentials = any(fate.credentials for fate in later)
        return Round(sent, len(later), len(fates) - sent - len(later), _trouble(fates), credentials)

    def settle(self) -> None:
        """Write what could not be written when it happened, and give back what was claimed and not sent.

        `deliver_due` does this first; a daemon that ends does it once more. Raises where the database fails still.
        """
        if self._in_hand:
            with self._store.writing() as connection:
                work = UnitOfWork(connection, self._store.desk_id, self._clock.now())
                for row, fate in self._in_hand.values():
                    now = work.outbox_row(row.id)
                    # The commit may have come through though its answer did not; a lease may have run out meanwhile.
                    if now is not None and now.state == "sending" and now.lease_owner == self._owner:
                        self._record_one(work, row, fate)
            self._in_hand = {}
            if self._journal:
                self._journal.clear()
        if self._claiming:  # a claim whose commit nobody confirmed
            with self._store.writing() as connection:
                UnitOfWork(connection, self._store.desk_id, self._clock.now()).free_leases(self._owner)
            self._claiming = False

    def _allowance(self) -> int:
        """How many mails [smtp] max_per_minute lets go now: each of several workers has an equal part of it."""
        if not self._max_per_minute:
            return CLAIM
        limit = max(1, self._max_per_minute // max(1, self.sharers()))
        minute_ago = self._clock.now() - timedelta(minutes=1)
        while self._sent_at and not minute_ago < self._sent_at[0] <= self._clock.now():  # the clock may go back
            self._sent_at.popleft()
        return max(0, min(CLAIM, limit - len(self._sent_at)))

    def _send(self, lanes: SubmissionPool, rows: Sequence[Any]) -> list[SubmissionResult]:
        fates: dict[int, SubmissionResult] = {}
        letters: dict[int, OutgoingMail] = {}
        self._enclosures.keep_only(rows)
        for row in rows:
            try:
                sender = self._profile.at(row.mailbox_id).bounce_address(row.id)
                letters[row.id] = OutgoingMail(sender, row.recipient, self._enclosures.assembled(row))
            except compression.RawMailDamaged as error:
                fates[row.id] = Rejected(0, f"an attachment can't be read any more: {error}")
            except (TemporaryError, OSError, MemoryError):
                raise  # the machine's fault, which every mail would meet
            except Exception as error:
                log.exception("mail %s to %s can't be put together", row.message_id, row.recipient)
                words = f"it can't be put together: {type(error).__name__}: {error}"
                fates[row.id] = Deferred(0, words, server_gone=False)
        if letters:
            fates |= zip(letters, lanes.send_all(list(letters.values())), strict=True)
        return [fates[row.id] for row in rows]

    def _noted(self, rows: Sequence[Any], fates: Sequence[SubmissionResult]) -> bool:
        """Is it durable what the server accepted, without a commit? (The rest of the fates may be met again.)"""
        if self._journal is None:
            return False
        accepted = [
            (row.id, row.message_id) for row, fate in zip(rows, fates, strict=True) if isinstance(fate, Accepted)
        ]
        try:
            self._journal.note(accepted)
        except OSError as error:
            log.warning("what was sent can't be noted at once (%s): each mail's fate is committed by itself", error)
            return False
        return True

    def _record(self, fates: Sequence[tuple[Any, SubmissionResult]]) -> None:
        """Write what became of each, in one commit."""
        if not fates:
            return
        with self._store.writing() as connection:
            work = UnitOfWork(connection, self._store.desk_id, self._clock.now())
            for row, fate in fates:
                self._record_one(work, row, fate)
        for row, _ in fates:
            del self._in_hand[row.id]
        if self._journal:
            self._journal.clear()

    def _record_one(self, work: UnitOfWork, row: Any, fate: SubmissionResult | None) -> None:
        """What became of a mail that was claimed; None: nothing yet."""
        if fate is None:
            work.set_outbox(row.id, state="pending", lease_owner="", lease_until=None)
        elif isinstance(fate, Accepted):
            self._record_accepted(work, row)
        elif isinstance(fate, Deferred) and not fate.tried:
            # No mail waits longer, or dies, because the server could not be used: `postpone` says when it is due.
            work.set_outbox(row.id, state="pending", last_error=_said(fate), lease_owner="", lease_until=None)
        elif isinstance(fate, Deferred) and work.now < row.expires_at:
            self._record_deferred(work, row, fate)
        else:
            self._record_failed(work, row, fate)

    def _record_deferred(self, work: UnitOfWork, row: Any, fate: Deferred) -> None:
        delay = backoff(row.attempts)
        if fate.server_gone:
            delay = min(delay / SOONER, LONGEST_AFTER_BREAK)
        work.set_outbox(
            row.id, state="pending", attempts=row.attempts + 1, next_attempt_at=work.now + delay,
            last_error=_said(fate), lease_owner="", lease_until=None,
        )  # fmt: skip
        if row.attempts == 0 and not fate.server_gone:
            log.info(
                "mail %s to %s: not yet: %s. It is tried again, until %s at most",
                row.message_id, row.recipient, _said(fate), f"{row.expires_at:%d %b %H:%M} UTC",
            )  # fmt: skip

    def _record_accepted(self, work: UnitOfWork, row: Any) -> None:
        work.set_outbox(
            row.id, state="sent", sent_at=work.now, attempts=row.attempts + 1, raw=b"", last_error="",
            lease_owner="", lease_until=None,
        )  # fmt: skip
        if row.cycle and row.ticket_id is not None:
            self._follow(work, row, lambda: self._start_timers(work, row))

    def _follow(self, work: UnitOfWork, row: Any, what: Callable[[], None]) -> None:
        """What follows from a fate. A fault of ours in it changes nothing of the fate: sent mail is not sent again."""
        since = Savepoint(work.connection)
        try:
            what()
            since.commit()
        except StoreUnavailable:
            raise
        except Exception:
            since.rollback()
            log.exception("mail %s: its ticket could not be told what became of it", row.message_id)

    def _start_timers(self, work: UnitOfWork, row: Any) -> None:
        loaded = work.tickets_by_id([row.ticket_id]).get(row.ticket_id)
        if loaded is not None:
            kind = MessageKind(row.kind)
            apply_event(self._turn(work), loaded, Delivered(work.now, kind, row.recipient, row.cycle, row.step))

    def _record_failed(self, work: UnitOfWork, row: Any, fate: Deferred | Rejected) -> None:
        words = _said(fate)
        if isinstance(fate, Deferred):
            words = f"given up after {self._profile.retry_for}: {words}"
        work.set_outbox(
            row.id, state="failed", attempts=row.attempts + 1, last_error=words, lease_owner="", lease_until=None
        )
        log.warning("mail %s to %s was not delivered: %s", row.message_id, row.recipient, words)
        self._follow(work, row, lambda: report_failure(self._turn(work), row, words))


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: doubling from half a minute to half an hour, ± a fifth."""
    delay: timedelta = min(FIRST_DELAY * 2 ** min(attempts, 20), LONGEST_DELAY)
    return delay * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret


def _trouble(fates: Sequence[SubmissionResult]) -> str:
    """The server's words where it could not be used at all."""
    return next((fate.text for fate in fates if isinstance(fate, Deferred) and fate.server_gone), "")


def _said(fate: Deferred | Rejected) -> str:
    return f"{fate.code} {fate.text}".strip()[:2000] if fate.code else fate.text[:2000]
