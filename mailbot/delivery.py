"""The way out: mail that waits in the outbox is handed to the SMTP server, each once, until it is accepted or refused.

In: a submission (smtp.py). Out: rows that are sent, due again later, or failed, and what that means for the ticket
(timers start, the agent is told). A mail is claimed in one commit, sent outside of any transaction, and its fate
written in the next: a kill between the server's 250 and that commit is the one moment in which a mail may go out
twice, and then with the same Message-ID. That is why the fate of each mail is written before the next one goes out on
the same connection (lanes.py).
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from mailbot.clock import Clock
from mailbot.core.compose import with_attachments
from mailbot.core.desk import DeskProfile
from mailbot.core.message import Attachment, InboundMessage
from mailbot.core.parse import parse_message
from mailbot.core.relay import mask_tokens
from mailbot.core.ticket import Delivered, MessageKind
from mailbot.errors import StoreUnavailable
from mailbot.intake.carry_out import carry_out
from mailbot.intake.robots import report_failure
from mailbot.intake.turn import Turn
from mailbot.lanes import Fate, Lanes, Letter, Submits
from mailbot.smtp import Accepted, Deferred, Rejected
from mailbot.store import raw_mail
from mailbot.store.engine import Store
from mailbot.store.prepared import Savepoint
from mailbot.store.work import Work

log = logging.getLogger(__name__)

CLAIM = 20
LEASE = timedelta(minutes=10)
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(minutes=30)


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
    """Sends one desk's outbox. One thread uses it."""

    def __init__(
        self,
        store: Store,
        profile: DeskProfile,
        clock: Clock,
        turn: Callable[[Work], Turn],
        *,
        owner: str,
        max_per_minute: int = 0,
    ) -> None:
        self._store = store
        self._profile = profile
        self._clock = clock
        self._turn = turn
        self._owner = owner
        self._max_per_minute = max_per_minute
        self._sent_at: deque[datetime] = deque()
        self._last_parsed: tuple[str, InboundMessage] | None = None

    def take_back(self) -> None:
        """At the start: what a predecessor was sending is due again."""
        with self._store.writing() as connection:
            owner = None if self._store.is_sqlite else self._owner
            Work(connection, self._store.desk_id, self._clock.now()).free_leases(owner)

    def next_attempt(self) -> datetime | None:
        """When the next mail is due; None with an empty outbox."""
        with self._store.reading() as connection:
            return Work(connection, self._store.desk_id, self._clock.now()).next_attempt()

    def postpone(self, seconds: float) -> None:
        """The server is gone: what is due now is due again after so many real seconds."""
        with self._store.writing() as connection:
            work = Work(connection, self._store.desk_id, self._clock.now())
            work.postpone_outbox(work.now + self._clock.simulated(seconds))

    def deliver_due(self, submission: Submits | Lanes, stopping: Callable[[], bool] = lambda: False) -> Round:
        """Send what is due now, at most `CLAIM` mails; stop early where the server is gone or the daemon ends."""
        lanes = submission if isinstance(submission, Lanes) else Lanes([submission])
        allowed = self._allowance()
        if allowed == 0:
            return Round()
        with self._store.writing() as connection:
            now = self._clock.now()
            rows = Work(connection, self._store.desk_id, now).claim_outbox(now, allowed, self._owner, LEASE)
        fates: list[Fate] = []
        for some in lanes.rounds(rows):
            if stopping() or _trouble(fates):
                self._release(rows[len(fates) :])
                break
            done = self._send(lanes, some)
            self._record(some, done)
            fates += done
        sent = sum(isinstance(fate, Accepted) for fate in fates)
        self._sent_at.extend([self._clock.now()] * sent)
        later = [fate for fate in fates if isinstance(fate, Deferred)]
        credentials = any(fate.credentials for fate in later)
        return Round(sent, len(later), len(fates) - sent - len(later), _trouble(fates), credentials)

    def _allowance(self) -> int:
        """How many mails [smtp] max_per_minute lets go now."""
        if not self._max_per_minute:
            return CLAIM
        minute_ago = self._clock.now() - timedelta(minutes=1)
        while self._sent_at and self._sent_at[0] <= minute_ago:
            self._sent_at.popleft()
        return max(0, min(CLAIM, self._max_per_minute - len(self._sent_at)))

    def _send(self, lanes: Lanes, rows: Sequence[Any]) -> list[Fate]:
        fates: dict[int, Fate] = {}
        letters: dict[int, Letter] = {}
        for row in rows:
            try:
                sender = self._profile.at(row.mailbox_id).bounce_address(row.id)
                letters[row.id] = Letter(sender, row.recipient, self._assembled(row))
            except raw_mail.RawMailDamaged as error:
                fates[row.id] = Rejected(0, f"an attachment can't be read any more: {error}")
        if letters:
            fates |= zip(letters, lanes.send_all(list(letters.values())), strict=True)
        return [fates[row.id] for row in rows]

    def _assembled(self, row: Any) -> bytes:
        """The composed mail with its files, which are kept once, in the mail that they came in."""
        if not row.attachments:
            return bytes(row.raw)
        files = [found for wanted in row.attachments if (found := self._file(wanted)) is not None]
        return with_attachments(bytes(row.raw), files)

    def _file(self, wanted: dict[str, str]) -> Attachment | None:
        sha256 = wanted["raw"]
        if self._last_parsed is None or self._last_parsed[0] != sha256:
            with self._store.reading() as connection:
                raw = raw_mail.get(connection, sha256)
            if raw is None:
                return None  # dropped by [storage] keep_raw or erased meanwhile
            self._last_parsed = (sha256, parse_message(raw))
        found = find_file(self._last_parsed[1], wanted["sha256"])
        # A mail of ours that somebody attached, or saved as a page, has its reader's signed address in it.
        masked = mask_tokens(found.content, found.content_type) if found is not None else b""
        return replace(found, content=masked) if found is not None and masked != found.content else found

    def _release(self, rows: list[Any]) -> None:
        with self._store.writing() as connection:
            work = Work(connection, self._store.desk_id, self._clock.now())
            for row in rows:
                work.set_outbox(row.id, state="pending", lease_owner="", lease_until=None)

    def _record(self, rows: Sequence[Any], fates: Sequence[Fate]) -> None:
        """Write what became of each, in one commit."""
        with self._store.writing() as connection:
            work = Work(connection, self._store.desk_id, self._clock.now())
            for row, fate in zip(rows, fates, strict=True):
                self._record_one(work, row, fate)

    def _record_one(self, work: Work, row: Any, fate: Fate) -> None:
        if isinstance(fate, Accepted):
            self._record_accepted(work, row)
        elif isinstance(fate, Deferred) and work.now < row.expires_at:
            work.set_outbox(
                row.id, state="pending", attempts=row.attempts + 1, next_attempt_at=work.now + backoff(row.attempts),
                last_error=_said(fate), lease_owner="", lease_until=None,
            )  # fmt: skip
        else:
            self._record_failed(work, row, fate)

    def _record_accepted(self, work: Work, row: Any) -> None:
        work.set_outbox(
            row.id, state="sent", sent_at=work.now, attempts=row.attempts + 1, raw=b"", last_error="",
            lease_owner="", lease_until=None,
        )  # fmt: skip
        if row.cycle and row.ticket_id is not None:
            since = Savepoint(work.connection)
            try:
                self._start_timers(work, row)
                since.commit()
            except StoreUnavailable:
                raise
            except Exception:  # what was sent must not be sent again for a fault of ours
                since.rollback()
                log.exception("mail %s was sent, but its ticket could not be told", row.message_id)

    def _start_timers(self, work: Work, row: Any) -> None:
        loaded = work.tickets_by_id([row.ticket_id]).get(row.ticket_id)
        if loaded is not None:
            kind = MessageKind(row.kind)
            carry_out(self._turn(work), loaded, Delivered(work.now, kind, row.recipient, row.cycle, row.step))

    def _record_failed(self, work: Work, row: Any, fate: Deferred | Rejected) -> None:
        words = _said(fate)
        if isinstance(fate, Deferred):
            words = f"given up after {self._profile.retry_for}: {words}"
        work.set_outbox(
            row.id, state="failed", attempts=row.attempts + 1, last_error=words, lease_owner="", lease_until=None
        )
        log.warning("mail %s to %s was not delivered: %s", row.message_id, row.recipient, words)
        report_failure(self._turn(work), row, words)


def find_file(message: InboundMessage, sha256: str) -> Attachment | None:
    """The attachment with this digest, in the mail itself or in one that is nested in it."""
    for attachment in message.attachments:
        if attachment.sha256 == sha256:
            return attachment
    for nested in message.nested:
        found = find_file(nested, sha256)
        if found is not None:
            return found
    return None


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: doubling from half a minute to half an hour, ± a fifth."""
    delay: timedelta = min(FIRST_DELAY * 2 ** min(attempts, 20), LONGEST_DELAY)
    return delay * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret


def _trouble(fates: Sequence[Fate]) -> str:
    """The server's words where it could not be used at all."""
    return next((fate.text for fate in fates if isinstance(fate, Deferred) and fate.server_gone), "")


def _said(fate: Deferred | Rejected) -> str:
    return f"{fate.code} {fate.text}".strip()[:2000] if fate.code else fate.text[:2000]
