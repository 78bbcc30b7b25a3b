"""The write side of tickets: their rows, people and deadlines.

Part of `store.unit_of_work.UnitOfWork`; the same rules hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, false, func, or_, select, text, update

from mailbot.mail.message import Address
from mailbot.store.rows import TicketRow, columns_of
from mailbot.store.statements import CompiledStatement, Transaction, add_row, add_rows, in_steps, named, one_of, set_row
from mailbot.store.tables import DESK, MESSAGE, PARTICIPANT, TICKET, TIMER
from mailbot.ticket.ticket import CloseReason, Participant, Role, Status, Ticket, Timer, TimerKind


@dataclass(frozen=True, slots=True)
class StoredTicket:
    """A ticket as it is in the database."""

    id: int  #: of its row
    ticket: Ticket
    root: str = ""  #: Message-ID of the mail that opened it, "" if none did
    mailbox_id: int = 0  #: the mailbox that it came to

    def now(self, ticket: Ticket) -> StoredTicket:
        """Return the same row with another snapshot."""
        return replace(self, ticket=ticket)


class TicketWork(Transaction):
    """Rows of `TicketRow`, `ParticipantRow` and `TimerRow`."""

    def ticket(self, number: int) -> StoredTicket | None:
        """Return the ticket with this number, its row locked until the transaction ends."""
        return next(iter(self.tickets([number]).values()), None)

    def tickets(self, numbers: Iterable[int]) -> dict[int, StoredTicket]:
        """Return tickets by number; numbers that don't exist are left out."""
        wanted = sorted({n for n in numbers if 0 < n < 2**31})
        if not wanted:
            return {}
        query = _tickets_by("number", len(wanted), self._for_update)
        rows = query.rows(self.connection, {"desk": self.desk_id} | named(wanted))
        return {stored.ticket.number: stored for stored in self._stored(rows)}

    def tickets_by_id(self, ids: Iterable[int]) -> dict[int, StoredTicket]:
        """Return tickets by row id."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        query = _tickets_by("id", len(wanted), self._for_update)
        rows = query.rows(self.connection, {"desk": self.desk_id} | named(wanted))
        return {stored.id: stored for stored in self._stored(rows)}

    def ticket_by_id(self, ticket_id: int | None) -> StoredTicket | None:
        """Return the ticket of this row; None if there is none, or no id."""
        return self.tickets_by_id([ticket_id]).get(ticket_id) if ticket_id is not None else None

    def existing_numbers(self, numbers: Iterable[int]) -> set[int]:
        """Return those of the numbers that tickets have."""
        found: set[int] = set()
        for some in in_steps(number for number in numbers if 0 < number < 2**31):
            rows = _existing(len(some)).rows(self.connection, {"desk": self.desk_id} | named(some))
            found.update(row.number for row in rows)
        return found

    def _load(self, query: Select[Any]) -> list[StoredTicket]:
        if self._for_update:
            query = query.order_by(TICKET.c.id).with_for_update()
        return self._stored(self.connection.execute(query).all())

    def _stored(self, rows: Sequence[Any]) -> list[StoredTicket]:
        """Return the tickets of rows of `_COLUMNS`, with their people and their timers."""
        found = [TicketRow.from_row(row) for row in rows]
        if not found:
            return []
        ids = [row.id for row in found]
        people: dict[int, list[Participant]] = {}
        for p in _people_of(len(ids)).rows(self.connection, named(ids)):
            people.setdefault(p.ticket_id, []).append(Participant(p.email, p.name, p.visible))
        timers: dict[int, list[Timer]] = {}
        waiting = [row.id for row in found if row.status == Status.WAITING]
        if waiting:  # only a waiting ticket has deadlines
            for t in _timers_of(len(waiting)).rows(self.connection, named(waiting)):
                timers.setdefault(t.ticket_id, []).append(Timer(t.due_at, TimerKind(t.kind), t.step))
        return [_stored_ticket(row, people.get(row.id, []), timers.get(row.id, [])) for row in found]

    def follow_ups_of(self, number: int) -> list[StoredTicket]:
        """Return the follow-ups of a ticket, newest first."""
        query = select(*_COLUMNS).where(TICKET.c.desk_id == self.desk_id, TICKET.c.follow_up_of == number)
        return sorted(self._load(query), key=lambda stored: -stored.ticket.number)

    def merged_into(self, number: int) -> list[StoredTicket]:
        """Return the tickets that were merged into this one, newest first."""
        query = select(*_COLUMNS).where(TICKET.c.desk_id == self.desk_id, TICKET.c.merged_into == number)
        return sorted(self._load(query), key=lambda stored: -stored.ticket.number)

    def next_number(self) -> int:
        """Take the next ticket number. On SQLite the desk's row stays locked until the transaction ends.

        On PostgreSQL it is taken in a commit of its own, or several workers would wait here for each other's whole
        transactions; a rollback afterwards leaves a gap. That commit needs no flush: the ticket's commit, which comes
        after it in the same log, flushes both.
        """
        if self.connection.dialect.name == "postgresql":
            with self.connection.engine.connect() as own:
                own = own.execution_options(isolation_level="AUTOCOMMIT")
                return int(own.execute(_TAKE_NUMBER_ALONE, {"desk": self.desk_id}).scalar_one())
        return int(_TAKE_NUMBER.scalar(self.connection, {"desk": self.desk_id})) - 1

    def in_turn(self) -> tuple[str, ...]:
        """Return whom new tickets went to (round robin), the last one last; locked until the transaction ends."""
        query = select(DESK.c.round_robin).where(DESK.c.id == self.desk_id)
        if self._for_update:
            query = query.with_for_update()
        return tuple(str(self.connection.execute(query).scalar_one()).split())

    def set_in_turn(self, before: Sequence[str], email: str) -> None:
        """Record that the last new ticket was assigned to this agent."""
        after = " ".join((*(known for known in before if known != email), email))
        self.connection.execute(update(DESK).where(DESK.c.id == self.desk_id).values(round_robin=after))

    def open_ticket(self, ticket: Ticket, mailbox_id: int, root: str) -> StoredTicket:
        """Write a new ticket."""
        values = _values(ticket) | {"desk_id": self.desk_id, "mailbox_id": mailbox_id, "root_message_id": root}
        ticket_id = add_row(self.connection, TICKET, values)
        self._write_people(ticket_id, (), ticket.participants)
        return StoredTicket(ticket_id, ticket, root, mailbox_id)

    def save(self, stored: StoredTicket, ticket: Ticket) -> StoredTicket:
        """Write what has changed between two snapshots; return the new one."""
        before, after = _values(stored.ticket), _values(ticket)
        changed = {key: value for key, value in after.items() if before[key] != value}
        if changed:
            set_row(self.connection, TICKET, stored.id, changed)
        if stored.ticket.participants != ticket.participants:
            self._write_people(stored.id, stored.ticket.participants, ticket.participants)
        if stored.ticket.requester.email != ticket.requester.email:
            _BY_OTHER.run(self.connection, {"ticket": stored.id})
        if stored.ticket.timers != ticket.timers:
            self._write_timers(stored.id, ticket.timers)
        return stored.now(ticket)

    def _write_people(self, ticket_id: int, before: Sequence[Participant], after: Sequence[Participant]) -> None:
        gone = [p.email for p in before if p not in after]
        if gone:
            condition = and_(PARTICIPANT.c.ticket_id == ticket_id, PARTICIPANT.c.email.in_(gone))
            self.connection.execute(delete(PARTICIPANT).where(condition))
        new = [p for p in after if p not in before]
        if new:
            key = {"ticket_id": ticket_id, "desk_id": self.desk_id}
            rows = [key | {"email": p.email, "name": p.name, "visible": p.visible} for p in new]
            add_rows(self.connection, PARTICIPANT, rows)

    def _write_timers(self, ticket_id: int, timers: Sequence[Timer]) -> None:
        self.connection.execute(delete(TIMER).where(TIMER.c.ticket_id == ticket_id))
        if timers:
            key = {"ticket_id": ticket_id, "desk_id": self.desk_id}
            rows = [key | {"kind": t.kind.value, "step": t.step, "due_at": t.due_at} for t in timers]
            add_rows(self.connection, TIMER, rows)

    def due_tickets(self, now: datetime, limit: int, read: Mapping[int, datetime | None] | None = None) -> list[int]:
        """Return row ids of tickets with a deadline at or before `now`, the most overdue first.

        `read`: for each mailbox when its last reading began (None: it can't be read); later deadlines wait. Key 0
        stands for tickets of no mailbox.
        """
        due = and_(TIMER.c.desk_id == self.desk_id, TIMER.c.due_at <= now)
        if read is not None:
            due = and_(due, _was_read_since(read))
        query = (
            select(TIMER.c.ticket_id)
            .where(due)
            .group_by(TIMER.c.ticket_id)
            .order_by(func.min(TIMER.c.due_at))
            .limit(limit)
        )
        return [row.ticket_id for row in self.connection.execute(query)]

    def drop_stray_timers(self, ticket_ids: Sequence[int]) -> None:
        """Delete deadlines of tickets that are not waiting (there are none unless the database was edited by hand)."""
        if ticket_ids:
            waiting = select(TICKET.c.id).where(
                TICKET.c.id.in_(list(ticket_ids)), TICKET.c.status == Status.WAITING.value
            )
            self.connection.execute(
                delete(TIMER).where(TIMER.c.ticket_id.in_(list(ticket_ids)), TIMER.c.ticket_id.not_in(waiting))
            )

    def next_due(self) -> datetime | None:
        """Return the earliest deadline of all tickets."""
        return self.connection.execute(select(func.min(TIMER.c.due_at)).where(TIMER.c.desk_id == self.desk_id)).scalar()


_COLUMNS = columns_of(TICKET, TicketRow)
_TAKE_NUMBER_ALONE = text(
    "WITH unflushed AS (SELECT set_config('synchronous_commit', 'off', true)) "
    "UPDATE desk SET next_number = next_number + 1 FROM unflushed WHERE id = :desk RETURNING next_number - 1"
)
_TAKE_NUMBER = CompiledStatement(
    update(DESK)
    .where(DESK.c.id == bindparam("desk"))
    .values(next_number=DESK.c.next_number + 1)
    .returning(DESK.c.next_number)
)
_BY_OTHER = CompiledStatement(
    update(MESSAGE)
    .where(
        MESSAGE.c.ticket_id == bindparam("ticket"),
        MESSAGE.c.direction == "in",
        MESSAGE.c.author_role == Role.REQUESTER.value,
    )
    .values(by_other=True)
)


@lru_cache(maxsize=256)
def _tickets_by(key: str, count: int, locking: bool) -> CompiledStatement:
    # By id, the desk is compared in the row (`+ 0`): SQLite otherwise reads the desk's every ticket out of an index
    # once there are a few dozen ids, which took half a second with a million tickets.
    desk = TICKET.c.desk_id + 0 if key == "id" else TICKET.c.desk_id
    query = select(*_COLUMNS).where(desk == bindparam("desk"), one_of(TICKET.c[key], count))
    return CompiledStatement(query.order_by(TICKET.c.id).with_for_update() if locking else query)


@lru_cache(maxsize=16)
def _existing(count: int) -> CompiledStatement:
    return CompiledStatement(
        select(TICKET.c.number).where(TICKET.c.desk_id == bindparam("desk"), one_of(TICKET.c.number, count))
    )


@lru_cache(maxsize=256)
def _people_of(count: int) -> CompiledStatement:
    return CompiledStatement(select(PARTICIPANT).where(one_of(PARTICIPANT.c.ticket_id, count)))


@lru_cache(maxsize=256)
def _timers_of(count: int) -> CompiledStatement:
    return CompiledStatement(select(TIMER).where(one_of(TIMER.c.ticket_id, count)))


def _was_read_since(read: Mapping[int, datetime | None]) -> ColumnElement[bool]:
    """Return the condition that the mailbox of a timer's ticket was read since the timer was due."""
    if len(set(read.values())) == 1:
        return TIMER.c.due_at <= read[0] if read[0] is not None else false()
    mailbox = select(TICKET.c.mailbox_id).where(TICKET.c.id == TIMER.c.ticket_id).scalar_subquery()
    known = [box for box in read if box]
    each = [and_(mailbox == box, TIMER.c.due_at <= read[box]) for box in known if read[box] is not None]
    others = [and_(mailbox.not_in(known), TIMER.c.due_at <= read[0])] if read[0] is not None else []
    return or_(*each, *others)


def _values(ticket: Ticket) -> dict[str, Any]:
    return {
        "number": ticket.number,
        "subject": ticket.subject,
        "requester_email": ticket.requester.email,
        "requester_name": ticket.requester.name,
        "status": ticket.status.value,
        "language": ticket.language,
        "agent": ticket.agent,
        "priority": ticket.priority,
        "program": ticket.program,
        "tags": list(ticket.tags),
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
        "closed_at": ticket.closed_at,
        "close_reason": ticket.close_reason.value if ticket.close_reason else None,
        "follow_up_of": ticket.follow_up_of,
        "merged_into": ticket.merged_into,
        "wait_cycle": ticket.wait_cycle,
        "waiting_since": ticket.waiting_since,
        "reminders_sent": ticket.reminders_sent,
        "last_reminder_at": ticket.last_reminder_at,
        "told": list(ticket.notified),
    }


def _stored_ticket(row: TicketRow, people: list[Participant], timers: list[Timer]) -> StoredTicket:
    ticket = Ticket(
        number=row.number,
        subject=row.subject,
        requester=Address(row.requester_email, row.requester_name),
        status=Status(row.status),
        created_at=row.created_at,
        updated_at=row.updated_at,
        language=row.language,
        participants=tuple(people),
        agent=row.agent,
        priority=row.priority,
        program=row.program,
        tags=tuple(row.tags),
        closed_at=row.closed_at,
        close_reason=CloseReason(row.close_reason) if row.close_reason else None,
        follow_up_of=row.follow_up_of,
        merged_into=row.merged_into,
        wait_cycle=row.wait_cycle,
        waiting_since=row.waiting_since,
        reminders_sent=row.reminders_sent,
        last_reminder_at=row.last_reminder_at,
        timers=tuple(sorted(timers)),
        notified=tuple(row.told),
    )
    return StoredTicket(row.id, ticket, row.root_message_id, row.mailbox_id)
