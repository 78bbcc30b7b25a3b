"""Stored mail is understood and handled; one that can't be never stops the rest.

In: ids of inbound rows in state "received". Out: `ProcessingResult` for each. A fresh batch is handled in one transaction,
each mail in a savepoint; what was left over (by a process that died, or by a fault) is handled one by one.

Whose fault was it? The first row that fits:

    an exception of our code       the mail is quarantined at once, with the traceback ("poison")
    the database can't be used     nobody's: everything stays "received" and is tried again, nothing is counted
    the disk is full, SQLite is    nobody's, also where it happens in mid-mail
      locked, no file is free
    another OSError, MemoryError,  perhaps the machine's: the mail stays "received" and is tried again by itself; an
      PostgreSQL lost in mid-mail  attempt counts only if other mail got through since. Three that count (ten for the
                                   database, which is killed more often than it is killed by a mail): "gave-up"
    the process died               nobody could catch it. `Inbound.attempts` is counted, durably, before a mail is
                                   taken in hand. An attempt that ended otherwise is taken back (`in_hand`). After three
                                   deaths another process reads the mail (`probation`): where that one dies too, it is
                                   quarantined and not looked into ("killed"). Else ours was killed from outside, or by
                                   what comes after the reading: the mail is tried again, ten times in all

The first attempt is counted by `receive`, in the commit that stores the mail: nothing is written for it here. A death
of a batch counts against all in it, so the second and the third time each mail is in hand alone.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mailbot.desk.context import (
    Context,
    HandlingResult,
    IncomingMail,
    ProcessingResult,
)
from mailbot.desk.inbound.attachment_screening import explained
from mailbot.desk.inbound.crash_guard import InFlightMarker
from mailbot.desk.inbound.handler import handle
from mailbot.desk.inbound.quarantining import (
    LONGEST_TRACE,
    header_only,
    quarantine_unhandled,
)
from mailbot.errors import StoreUnavailable
from mailbot.mail.analysis import Analysis
from mailbot.mail.fetched import Folder
from mailbot.mail.mime.attachments import drop_contents
from mailbot.runtime.clock import Clock
from mailbot.runtime.memory import LARGE, one_large_mail
from mailbot.store import raw_mail
from mailbot.store.cluster.claims import in_hand as in_hand_of
from mailbot.store.engine import Store
from mailbot.store.statements import Savepoint
from mailbot.store.unit_of_work import UnitOfWork
from mailbot.ticket.quarantine import QuarantineReason

log = logging.getLogger(__name__)

BATCH = 20
# So many mails of a backlog are written in one commit: a commit waits for the disk, and others wait for the writer.
IN_ONE_COMMIT = 50
MOST_ATTEMPTS = 3
# Where a mail is not proven to be deadly, and where the database went away each time.
MOST_DEATHS = MOST_LOST = 10
# Perhaps the machine's faults, not the mail's: they quarantine nothing by themselves.
MACHINE_FAULTS = (StoreUnavailable, MemoryError, OSError)
# Whatever mail was in hand: no room, no file descriptors, no memory for the kernel, a broken disk (errno(3)).
SURELY_THE_MACHINES = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)
# In `Inbound.explanation`: when such a fault last came while this mail was in hand, whether it was the database's, how
# many counted.
FAULT_AT, DATABASE, FAULTS = "fault_at", "fault_of_database", "faults"
# Whose mark (`in_hand`) stands beside the last attempt.
ALONE = "alone_with"
_OF_ATTEMPTS = frozenset({FAULT_AT, DATABASE, FAULTS, ALONE})


@dataclass(frozen=True)
class _Read:
    """A mail as far as it could be understood; `error` where our code broke on it."""

    mail: IncomingMail
    error: Exception | None = None


class _InHand(Exception):
    """A machine's fault while this mail was in hand, in contrast to one between mails."""

    def __init__(self, inbound_id: int, error: Exception) -> None:
        super().__init__(inbound_id)
        self.inbound_id = inbound_id
        self.error = error


class Processor:
    """The way of stored mail through one desk. `understand(row, raw)` writes nothing; `turn(work)` gives a

    transaction's surroundings. Usable from several threads.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        understand: Callable[[Any, bytes, Analysis | None], IncomingMail],
        turn: Callable[[UnitOfWork], Context],
        mark: InFlightMarker,
        is_deadly: Callable[[bytes], bool],
    ) -> None:
        self._store = store
        self._clock = clock
        self._understand = understand
        self._turn = turn
        self._mark = mark
        self._is_deadly = is_deadly
        self._alone = threading.RLock()  # one mail at a time is in hand by itself, of all mailboxes' threads
        self._in_hand: set[int] = set()

    def fresh(
        self,
        ids: Sequence[int],
        raws: Mapping[int, bytes],
        understood: Mapping[int, Analysis],
        worker: str = "",
    ) -> list[ProcessingResult]:
        """Handle mail that was just stored, in its order; `raws` spares reading back what is in memory still.

        `understood`: what another process found out about them already.

        Raises StoreUnavailable where the database can't be used, and then everything not committed is as it was.
        """
        done: list[ProcessingResult] = []
        for start in range(0, len(ids), IN_ONE_COMMIT):
            batch = ids[start : start + IN_ONE_COMMIT]
            self._in_hand.update(batch)
            try:
                done += self._together(batch, raws, understood, worker)
                continue
            except _InHand as fault:
                log.warning(
                    "%s while mail %d was in hand: each mail of its batch is tried by itself",
                    _named(fault.error), fault.inbound_id,
                )  # fmt: skip
            finally:
                self._in_hand.difference_update(batch)
            done += self.left(batch, worker)
        return done

    def expect(self, ids: Iterable[int], *, no_more: bool = False) -> None:
        """`fresh` comes for these in a moment; `no_more`: it does not, after all."""
        (self._in_hand.difference_update if no_more else self._in_hand.update)(ids)

    def left(self, ids: Sequence[int], worker: str = "") -> list[ProcessingResult]:
        """Handle mail whose first attempt came to nothing: each in a transaction of its own, counted beforehand."""
        done: list[ProcessingResult] = []
        for inbound_id in ids:
            with self._alone:
                if inbound_id in self._in_hand:
                    continue  # another thread has just stored it: its first attempt has not come to nothing
                may_die = self._mark.take(inbound_id)
                try:
                    done += self._by_itself(inbound_id, worker, may_die)
                finally:
                    self._mark.put_down()
        return done

    def _by_itself(self, inbound_id: int, worker: str, may_die: bool) -> list[ProcessingResult]:
        """`may_die` False: a death now would say nothing about the mail."""
        given_up = self._count_attempt(inbound_id, may_die)
        if given_up is not None:
            return [given_up]
        try:
            return self._together([inbound_id], {}, {}, worker)
        except _InHand as fault:
            return [self._spare(inbound_id, fault.error, may_die)]

    def by_another(self, inbound_id: int) -> ProcessingResult:
        """What became of a mail that another worker took in hand before us: it needs a moment."""
        for _ in range(200):
            with self._store.reading() as connection:
                work = self._work(connection)
                [row] = work.inbound_unlocked([inbound_id])
                if row.state != "received":
                    loaded = work.tickets_by_id([row.ticket_id]).get(row.ticket_id) if row.ticket_id else None
                    number = loaded.ticket.number if loaded else None
                    return ProcessingResult(row.id, row.state, Folder(row.place or "processed"), number, row.reason)
            time.sleep(0.05)
        return ProcessingResult(inbound_id, "received", Folder.PROCESSED, None, "another process takes it")

    def _count_attempt(self, inbound_id: int, may_die: bool) -> ProcessingResult | None:
        """Write down that this mail is taken in hand now; where it was too often, what became of it."""
        died = self._mark.died_with(inbound_id)
        with self._store.reading() as connection:
            [row] = self._work(connection).inbound_unlocked([inbound_id]) or [None]
            if row is None or row.state != "received":
                return None
            raw = raw_mail.get(connection, row.raw_sha256) or b""
        flags = dict(row.explanation or {})
        marked, fault_at = flags.pop(ALONE, ""), flags.get(FAULT_AT)
        # with its mark gone, the last attempt did not end in a death
        before = row.attempts - (marked != "" and marked == self._mark.name and not died)
        # a death is no proof: somebody may kill us again and again. Outside of any transaction, since it takes a while
        is_deadly = before >= MOST_ATTEMPTS and (before >= MOST_DEATHS or self._is_deadly(raw))
        with self._store.writing() as connection:
            work = self._work(connection)
            [row] = work.inbound([inbound_id]) or [None]
            if row is None or row.state != "received":
                return None
            # with nobody else through since, the machine may be to blame: that attempt does not count
            counts = fault_at is not None and work.others_handled_since(datetime.fromisoformat(fault_at), inbound_id)
            faults = int(flags.get(FAULTS, 0)) + counts
            if is_deadly or faults + 1 >= (MOST_LOST if flags.get(DATABASE) else MOST_ATTEMPTS):
                return self._give_up(self._turn(work), row, before if is_deadly else faults + 1, is_deadly)
            flags |= ({FAULTS: faults} if faults else {}) | ({ALONE: self._mark.name} if may_die else {})
            work.set_inbound(inbound_id, attempts=max(before + counts, 1) + may_die, explanation=flags)
        return None

    def _spare(self, inbound_id: int, error: Exception, was_counted: bool) -> ProcessingResult:
        """The mail stays as it is and is tried again; this attempt does not count yet, and some never do."""
        reason = f"tried again later: {_named(error)}"
        is_database = isinstance(error, StoreUnavailable)
        never = (is_database and self._store.is_sqlite) or getattr(error, "errno", None) in SURELY_THE_MACHINES
        with self._store.writing() as connection:
            work = self._work(connection)
            for row in work.inbound([inbound_id]):
                flags = dict(row.explanation or {})
                flags.pop(ALONE, None)
                if FAULT_AT not in flags:
                    log.warning("mail %s (inbound %d) is %s", row.message_id, row.id, reason, exc_info=error)
                if not never:
                    flags |= {FAULT_AT: work.now.isoformat(), DATABASE: is_database}
                work.set_inbound(
                    row.id, attempts=max(row.attempts - was_counted, 1), reason=_storable(reason)[:2000],
                    traceback=_storable(_trace(error)), explanation=flags,
                )  # fmt: skip
        return ProcessingResult(inbound_id, "received", Folder.PROCESSED, None, reason)

    def _give_up(self, turn: Context, row: Any, times: int, is_deadly: bool) -> ProcessingResult:
        mail = header_only(row, raw_mail.get(turn.work.connection, row.raw_sha256) or b"")
        if is_deadly:
            why = QuarantineReason.KILLED
            reason = f"mailbot ended {times} times while it had this mail in hand: it was not looked into again"
        else:
            why, reason = QuarantineReason.GAVE_UP, f"{row.reason} ({times} times, while other mail was handled)"
        log.error("mail %s (inbound %d) is quarantined: %s", row.message_id, row.id, reason)
        return self._write(turn, row, mail, quarantine_unhandled(turn, mail, why, reason, row.traceback))

    # Several mails in one transaction

    def _together(
        self, ids: Sequence[int], raws: Mapping[int, bytes], understood: Mapping[int, Analysis], worker: str
    ) -> list[ProcessingResult]:
        in_hand = 0
        try:
            with self._store.reading() as connection:
                found = self._work(connection).inbound_unlocked(ids)
            read = []
            for row in found:  # outside of any transaction: a virus scanner may take its time
                with one_large_mail(0 if row.partial else row.size):
                    raw = raws.get(row.id) or self._stored(row)
                    in_hand = row.id
                    read.append(self._read(row, raw, understood.get(row.id)))
                    in_hand, raw = 0, b""
            done = []
            with self._store.writing() as connection:
                turn = self._turn(self._work(connection))
                mine = in_hand_of(connection, ids, worker) if worker else ids
                rows = {row.id: row for row in turn.work.inbound(mine)}
                for mail in read:
                    if mail.mail.inbound_id in rows:
                        in_hand = mail.mail.inbound_id
                        done.append(self._handle(turn, rows[in_hand], mail))
                        in_hand = 0
        except MACHINE_FAULTS as error:
            if not in_hand:
                raise  # between mails: nobody's fault but the machine's
            raise _InHand(in_hand, error) from error
        return done

    def _stored(self, row: Any) -> bytes:
        """A mail that is not in memory any more."""
        with self._store.reading() as connection:
            return raw_mail.get(connection, row.raw_sha256) or b""

    def _read(self, row: Any, raw: bytes, known: Analysis | None) -> _Read:
        """Everything that a mail says by itself, outside of any write; where our code breaks on it, its outside."""
        try:
            mail = self._understand(row, raw, known)
            # its files were looked at; what is done with them later is by size and digest
            return _Read(replace(mail, message=drop_contents(mail.message)) if len(raw) > LARGE else mail)
        except MACHINE_FAULTS:
            raise
        except Exception as error:
            log.exception("mail %s (inbound %d) can't be understood and is quarantined", row.message_id, row.id)
            return _Read(header_only(row, raw), error)

    def _handle(self, turn: Context, row: Any, read: _Read) -> ProcessingResult:
        if row.state != "received":
            return ProcessingResult(row.id, row.state, Folder(row.place or "processed"), None, row.reason)
        return self._write(turn, row, read.mail, handle_or_quarantine(turn, row, read.mail, read.error))

    def again(self, turn: Context, inbound_id: int) -> ProcessingResult:
        """Handle a mail that was let out of quarantine, within a transaction; what fails again is set aside again."""
        [row] = turn.work.inbound_unlocked([inbound_id])
        raw = raw_mail.get(turn.work.connection, row.raw_sha256) or b""
        savepoint = Savepoint(turn.work.connection)
        try:
            done = self._handle(turn, row, self._read(row, raw, None))
            savepoint.commit()
            return done
        except (MemoryError, OSError) as error:
            savepoint.rollback()
            log.exception("mail %s (inbound %d) failed again and is quarantined", row.message_id, row.id)
            mail = header_only(row, raw)
            return self._write(
                turn,
                row,
                mail,
                quarantine_unhandled(turn, mail, QuarantineReason.GAVE_UP, _named(error), _trace(error)),
            )

    def _write(self, turn: Context, row: Any, mail: IncomingMail, handled: HandlingResult) -> ProcessingResult:
        record(turn, row, mail, handled)
        return ProcessingResult(row.id, handled.state, Folder(handled.place), handled.number, handled.reason)

    def _work(self, connection: Any) -> UnitOfWork:
        return UnitOfWork(connection, self._store.desk_id, self._clock.now())


def handle_or_quarantine(turn: Context, row: Any, mail: IncomingMail, error: Exception | None = None) -> HandlingResult:
    """Handle one mail in a savepoint: what our code breaks on is rolled back and set aside, with the traceback.

    `error` is what it broke on before. Machine's faults pass through.
    """
    if error is None:
        savepoint = Savepoint(turn.work.connection)
        try:
            handled = handle(turn, mail)
            savepoint.commit()
            return handled
        except MACHINE_FAULTS:
            raise
        except Exception as fault:
            savepoint.rollback()
            log.exception("mail %s (inbound %d) can't be handled and is quarantined", row.message_id, row.id)
            error = fault
    return quarantine_unhandled(turn, mail, QuarantineReason.POISON, _named(error), _trace(error))


def record(turn: Context, row: Any, mail: IncomingMail, handled: HandlingResult) -> None:
    """Write what became of a mail into its row."""
    message, verdict = mail.message, mail.verdict
    turn.work.note_place(row, handled.place)
    known = {key: value for key, value in (row.explanation or {}).items() if key not in _OF_ATTEMPTS}
    turn.work.set_inbound(
        row.id, state=handled.state, kind=verdict.kind.value, rule=handled.rule or verdict.rule,
        reason=(handled.reason or verdict.reason).replace("\x00", "")[:2000], sender=message.from_addr[:320],
        subject=message.subject[:500], ticket_id=handled.ticket_id, place=handled.place,
        explanation=known | handled.explanation | explained(mail.held),
        processed_at=turn.work.now,
    )  # fmt: skip


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-LONGEST_TRACE:]


def _storable(text: str) -> str:
    return text.replace("\x00", "")  # PostgreSQL refuses NUL
