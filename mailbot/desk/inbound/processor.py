"""Stored mail is analysed and handled; one that can't be never stops the rest.

In: ids of inbound rows in state "received". Out: a `ProcessingResult` for each. A fresh batch is handled in one
transaction, each mail in a savepoint; what was left over (by a process that died, or by a fault) is handled one by one.

Whose fault was it? The first row that fits:

    an exception of our code       the mail is quarantined at once, with the traceback ("poison")
    the database can't be used     nobody's: everything stays "received" and is retried, nothing is counted
    the disk is full, SQLite is    nobody's, also where it happens in the middle of a mail
      locked, no file is free
    another OSError, MemoryError,  perhaps the machine's: the mail stays "received" and is retried by itself; an
      PostgreSQL lost in mid-mail  attempt counts only if other mail got through since. Three that count (ten for the
                                   database, which is killed more often than it is killed by a mail): "gave-up"
    the process died               no handler could run. `Inbound.attempts` is counted, durably, before a mail is
                                   handled. An attempt that ended otherwise is taken back (`crash_guard`). After three
                                   deaths another process reads the mail: where that one dies too, it is quarantined
                                   and not parsed again ("killed"). Else ours was killed from outside, or by what comes
                                   after the reading: the mail is retried, ten times in all

The first attempt is counted by `receive`, in the commit that stores the mail: nothing is written for it here. A death
of a batch counts against all in it, so the second and the third time each mail is handled alone.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mailbot.desk.context import Case, Context, HandlingResult, IncomingMail, ProcessingResult
from mailbot.desk.inbound.attachment_screening import explained
from mailbot.desk.inbound.attempts import Attempts, without_attempts
from mailbot.desk.inbound.crash_guard import InFlightMarker
from mailbot.desk.inbound.handler import handle
from mailbot.desk.inbound.quarantining import LONGEST_TRACE, header_only, quarantine_unhandled
from mailbot.errors import StoreUnavailable
from mailbot.mail.analysis import Analysis
from mailbot.mail.fetched import Folder
from mailbot.mail.mime.attachments import drop_contents
from mailbot.runtime.memory import LARGE, one_large_mail
from mailbot.store.cluster.claims import still_claimed as still_claimed
from mailbot.store.engine import Store
from mailbot.store.rows import InboundRow
from mailbot.store.unit_of_work import UnitOfWork, UnitOfWorkFactory
from mailbot.ticket.quarantine import QuarantineReason

log = logging.getLogger(__name__)

BATCH = 20
# So many mails of a backlog are written in one commit: a commit waits for the disk, and others wait for the writer.
MAILS_PER_COMMIT = 50
# Perhaps the machine's faults, not the mail's: they quarantine nothing by themselves.
MACHINE_FAULTS = (StoreUnavailable, MemoryError, OSError)
# Whatever mail was handled: no room, no file descriptors, no memory for the kernel, a broken disk (errno(3)).
NEVER_THE_MAILS_FAULT = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)

Analyse = Callable[[InboundRow, bytes, Analysis | None], IncomingMail]


@dataclass(frozen=True)
class _Read:
    """A mail as far as it could be analysed."""

    mail: IncomingMail
    error: Exception | None = None  #: what our code raised on it


class _FaultInMail(Exception):
    """A machine's fault while this mail was handled, in contrast to one between mails."""

    def __init__(self, inbound_id: int, error: Exception) -> None:
        super().__init__(inbound_id)
        self.inbound_id = inbound_id
        self.error = error


class Processor:
    """Handles stored mail of one desk. Usable from several threads.

    `analyse` writes nothing; `context_of` gives a transaction's surroundings; `crashes_parser` reads a mail in another
    process.
    """

    def __init__(
        self,
        store: Store,
        analyse: Analyse,
        context_of: Callable[[UnitOfWork], Context],
        marker: InFlightMarker,
        crashes_parser: Callable[[bytes], bool],
    ) -> None:
        self._work = UnitOfWorkFactory(store)
        self._is_sqlite = store.is_sqlite
        self._analyse = analyse
        self._context_of = context_of
        self._marker = marker
        self._crashes_parser = crashes_parser
        self._alone = threading.RLock()  # one mail at a time is handled by itself, of all mailboxes' threads
        self._in_flight: set[int] = set()

    def process(
        self,
        ids: Sequence[int],
        raws: Mapping[int, bytes],
        analyses: Mapping[int, Analysis],
        worker: str = "",
    ) -> list[ProcessingResult]:
        """Handle mail that was just stored, in order.

        `raws` spares reading back what is still in memory, `analyses` what another process did already. Raises
        StoreUnavailable where the database can't be used, and then everything not committed is as it was.
        """
        done: list[ProcessingResult] = []
        for start in range(0, len(ids), MAILS_PER_COMMIT):
            batch = ids[start : start + MAILS_PER_COMMIT]
            self._in_flight.update(batch)
            try:
                done += self._process_together(batch, raws, analyses, worker)
                continue
            except _FaultInMail as fault:
                log.warning(
                    "%s while handling mail %d: each mail of its batch is retried by itself",
                    _named(fault.error), fault.inbound_id,
                )  # fmt: skip
            finally:
                self._in_flight.difference_update(batch)
            done += self.process_unprocessed(batch, worker)
        return done

    def expect(self, ids: Iterable[int], *, no_more: bool = False) -> None:
        """Leave these to a `process` that follows at once; `no_more`: it does not follow after all."""
        (self._in_flight.difference_update if no_more else self._in_flight.update)(ids)

    def process_unprocessed(self, ids: Sequence[int], worker: str = "") -> list[ProcessingResult]:
        """Handle mail whose first attempt failed: each in a transaction of its own, counted beforehand."""
        done: list[ProcessingResult] = []
        for inbound_id in ids:
            with self._alone:
                if inbound_id in self._in_flight:
                    continue  # another thread has just stored it: its first attempt is still to come
                may_die = self._marker.take(inbound_id)
                try:
                    done += self._process_alone(inbound_id, worker, may_die)
                finally:
                    self._marker.put_down()
        return done

    def _process_alone(self, inbound_id: int, worker: str, may_die: bool) -> list[ProcessingResult]:
        """Handle one mail; `may_die` False: a death now would say nothing about it."""
        given_up = self._count_attempt(inbound_id, may_die)
        if given_up is not None:
            return [given_up]
        try:
            return self._process_together([inbound_id], {}, {}, worker)
        except _FaultInMail as fault:
            return [self._postpone(inbound_id, fault.error, may_die)]

    def wait_for_other(self, inbound_id: int) -> ProcessingResult:
        """Return what became of a mail that another worker claimed before us, once it did, within ten seconds."""
        for _ in range(200):
            with self._work.reading() as work:
                [row] = work.inbound([inbound_id])
                if row.state != "received":
                    stored = work.ticket_by_id(row.ticket_id)
                    return ProcessingResult.of_row(row, stored.ticket.number if stored else None)
            time.sleep(0.05)
        return ProcessingResult(inbound_id, "received", Folder.PROCESSED, None, "another process takes it")

    def _count_attempt(self, inbound_id: int, may_die: bool) -> ProcessingResult | None:
        """Record that an attempt begins; where there were too many, give the mail up and return what became of it."""
        died = self._marker.died_with(inbound_id)
        with self._work.reading() as work:
            row = _received(work.inbound([inbound_id]))
            if row is None:
                return None
            raw, flags = work.raw_mail(row.raw_sha256) or b"", row.explanation
        attempts = Attempts.from_flags(row.attempts, flags).without_survived(self._marker.name, died=died)
        deaths = attempts.count
        # A death proves nothing: we may be killed from outside, again and again. Outside of any transaction, since it
        # takes a while.
        is_deadly = attempts.may_be_deadly and (attempts.are_too_many or self._crashes_parser(raw))
        with self._work.writing() as work:
            row = _received(work.inbound([inbound_id]))
            if row is None:
                return None
            # with no other mail through since, the machine may be to blame: that attempt does not count
            if attempts.fault_at is not None and work.others_handled_since(attempts.fault_at, inbound_id):
                attempts = attempts.with_counted_fault()
            if is_deadly:
                reason = f"mailbot ended {deaths} times while it had this mail in hand: it was not looked into again"
                return self._give_up(self._context_of(work), row, QuarantineReason.KILLED, reason)
            if attempts.faults_are_too_many:
                reason = f"{row.reason} ({attempts.faults + 1} times, while other mail was handled)"
                return self._give_up(self._context_of(work), row, QuarantineReason.GAVE_UP, reason)
            attempts = attempts.begun(self._marker.name if may_die else None)
            explanation = without_attempts(flags) | attempts.to_flags()
            work.set_inbound(inbound_id, attempts=attempts.count, explanation=explanation)
        return None

    def _postpone(self, inbound_id: int, error: Exception, was_counted: bool) -> ProcessingResult:
        """Leave the mail for a retry; this attempt does not count yet, and some never do."""
        reason = f"tried again later: {_named(error)}"
        is_database = isinstance(error, StoreUnavailable)
        never = (is_database and self._is_sqlite) or getattr(error, "errno", None) in NEVER_THE_MAILS_FAULT
        with self._work.writing() as work:
            for row in work.inbound([inbound_id]):
                attempts = Attempts.from_flags(row.attempts, row.explanation)
                if attempts.fault_at is None:
                    log.warning("mail %s (inbound %d) is %s", row.message_id, row.id, reason, exc_info=error)
                at = None if never else work.now
                attempts = attempts.interrupted(at, of_database=is_database, was_counted=was_counted)
                work.set_inbound(
                    row.id, attempts=attempts.count, reason=_storable(reason)[:2000],
                    traceback=_storable(_trace(error)),
                    explanation=without_attempts(row.explanation) | attempts.to_flags(),
                )  # fmt: skip
        return ProcessingResult(inbound_id, "received", Folder.PROCESSED, None, reason)

    def _give_up(self, context: Context, row: InboundRow, why: QuarantineReason, reason: str) -> ProcessingResult:
        case = Case(context, mail=header_only(row, context.work.raw_mail(row.raw_sha256) or b""))
        log.error("mail %s (inbound %d) is quarantined: %s", row.message_id, row.id, reason)
        return _record(case, row, quarantine_unhandled(case, why, reason, row.traceback))

    # Several mails in one transaction

    def _process_together(
        self, ids: Sequence[int], raws: Mapping[int, bytes], analyses: Mapping[int, Analysis], worker: str
    ) -> list[ProcessingResult]:
        current = 0
        try:
            with self._work.reading() as work:
                found = work.inbound(ids)
            read = []
            for row in found:  # outside of any transaction: a virus scanner may take its time
                with one_large_mail(0 if row.partial else row.size):
                    raw = raws.get(row.id) or self._stored_raw(row)
                    current = row.id
                    read.append(self._read(row, raw, analyses.get(row.id)))
                    current, raw = 0, b""
            done = []
            with self._work.writing() as work:
                context = self._context_of(work)
                mine = still_claimed(work.connection, ids, worker) if worker else ids
                rows = {row.id: row for row in work.inbound(mine)}
                for mail in read:
                    if mail.mail.inbound_id in rows:
                        current = mail.mail.inbound_id
                        done.append(self._handle(context, rows[current], mail))
                        current = 0
        except MACHINE_FAULTS as error:
            if not current:
                raise  # between mails: nobody's fault but the machine's
            raise _FaultInMail(current, error) from error
        return done

    def _stored_raw(self, row: InboundRow) -> bytes:
        with self._work.reading() as work:
            return work.raw_mail(row.raw_sha256) or b""

    def _read(self, row: InboundRow, raw: bytes, known: Analysis | None) -> _Read:
        """Analyse a mail, outside of any write; where our code breaks on it, read its header alone."""
        try:
            mail = self._analyse(row, raw, known)
            # its files were screened; what is done with them later is by size and digest
            return _Read(replace(mail, message=drop_contents(mail.message)) if len(raw) > LARGE else mail)
        except MACHINE_FAULTS:
            raise
        except Exception as error:
            log.exception("mail %s (inbound %d) can't be understood and is quarantined", row.message_id, row.id)
            return _Read(header_only(row, raw), error)

    def _handle(self, context: Context, row: InboundRow, read: _Read) -> ProcessingResult:
        if row.state != "received":
            return ProcessingResult.of_row(row)
        case = Case(context, mail=read.mail)
        return _record(case, row, _handle_or_quarantine(case, row, read.error))

    def process_released(self, context: Context, inbound_id: int) -> ProcessingResult:
        """Handle a mail that was released from quarantine, within a transaction; a fault quarantines it again."""
        [row] = context.work.inbound_unlocked([inbound_id])
        raw = context.work.raw_mail(row.raw_sha256) or b""
        savepoint = context.work.savepoint()
        try:
            done = self._handle(context, row, self._read(row, raw, None))
            savepoint.commit()
            return done
        except (MemoryError, OSError) as error:
            savepoint.rollback()
            log.exception("mail %s (inbound %d) failed again and is quarantined", row.message_id, row.id)
            case = Case(context, mail=header_only(row, raw))
            handled = quarantine_unhandled(case, QuarantineReason.GAVE_UP, _named(error), _trace(error))
            return _record(case, row, handled)


def _received(rows: Sequence[InboundRow]) -> InboundRow | None:
    """Return the row that waits to be handled, None if there is none (any more, or another worker locked it)."""
    return next((row for row in rows if row.state == "received"), None)


def _handle_or_quarantine(case: Case, row: InboundRow, error: Exception | None) -> HandlingResult:
    """Handle one mail in a savepoint: where our code breaks, roll back and quarantine it with the traceback.

    `error`: what it broke on before. Machine's faults pass through.
    """
    if error is None:
        savepoint = case.context.work.savepoint()
        try:
            handled = handle(case)
            savepoint.commit()
            return handled
        except MACHINE_FAULTS:
            raise
        except Exception as fault:
            savepoint.rollback()
            log.exception("mail %s (inbound %d) can't be handled and is quarantined", row.message_id, row.id)
            error = fault
    return quarantine_unhandled(case, QuarantineReason.POISON, _named(error), _trace(error))


def _record(case: Case, row: InboundRow, handled: HandlingResult) -> ProcessingResult:
    """Write what became of a mail into its row."""
    work, mail = case.context.work, case.incoming
    message, verdict = mail.message, mail.verdict
    work.note_folder(row, handled.folder)
    work.set_inbound(
        row.id, state=handled.state, kind=verdict.kind.value, rule=handled.rule or verdict.rule,
        reason=(handled.reason or verdict.reason).replace("\x00", "")[:2000], sender=message.from_addr[:320],
        subject=message.subject[:500], ticket_id=handled.ticket_id, place=handled.folder.value,
        explanation=without_attempts(row.explanation) | dict(handled.explanation) | explained(mail.withheld),
        processed_at=work.now,
    )  # fmt: skip
    return ProcessingResult(row.id, handled.state, handled.folder, handled.number, handled.reason)


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-LONGEST_TRACE:]


def _storable(text: str) -> str:
    return text.replace("\x00", "")  # PostgreSQL refuses NUL
