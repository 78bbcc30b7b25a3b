"""The write side: what one transaction does to the desk, in the words of the desk.

In: a connection of `Store.writing()` and the moment. Out: tickets as `core.ticket.Ticket` snapshots with their row ids,
and rows written. Nothing is decided here and nothing is committed here: `service` opens the transaction and ends it.
Every statement is SQLAlchemy Core, compiled once; every look-up has its index (models.py names it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    delete,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from mailbot.mail.message import Address
from mailbot.store.agents import team_of
from mailbot.store.inbound import InboundWork
from mailbot.store.outbox import OutboxWork
from mailbot.store.statements import (
    CompiledStatement,
    add_row,
    add_rows,
    named,
    one_of,
    set_row,
)
from mailbot.store.tables import (
    AUDIT,
    DESK,
    EVENT,
    INBOUND,
    MESSAGE,
    OUTBOX,
    PARTICIPANT,
    TICKET,
    TIMER,
)
from mailbot.ticket.events import JournalEntry
from mailbot.ticket.ticket import (
    Agent,
    CloseReason,
    Participant,
    Role,
    Status,
    Ticket,
    Timer,
    TimerKind,
)


@dataclass(frozen=True, slots=True)
class StoredTicket:
    """A ticket as it stands in the database. `root` is the Message-ID of the mail that opened it, or "".

    `mailbox_id` is the mailbox that it came to.
    """

    id: int
    ticket: Ticket
    root: str = ""
    mailbox_id: int = 0

    def now(self, ticket: Ticket) -> StoredTicket:
        """The same row with another snapshot."""
        return replace(self, ticket=ticket)


class UnitOfWork(InboundWork, OutboxWork):
    """One transaction on one desk. Not shared between threads. `locking` False: for one that only reads."""

    # Tickets

    def ticket(self, number: int) -> StoredTicket | None:
        """The ticket with this number, its row locked until the transaction ends."""
        return next(iter(self.tickets([number]).values()), None)

    def tickets(self, numbers: Iterable[int]) -> dict[int, StoredTicket]:
        """Tickets by number; numbers that don't exist are left out."""
        wanted = sorted({n for n in numbers if 0 < n < 2**31})
        if not wanted:
            return {}
        query = _tickets_by("number", len(wanted), self._for_update)
        rows = query.rows(self.connection, {"desk": self.desk_id} | named(wanted))
        return {loaded.ticket.number: loaded for loaded in self._loaded(rows)}

    def tickets_by_id(self, ids: Iterable[int]) -> dict[int, StoredTicket]:
        """Tickets by row id."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        query = _tickets_by("id", len(wanted), self._for_update)
        rows = query.rows(self.connection, {"desk": self.desk_id} | named(wanted))
        return {loaded.id: loaded for loaded in self._loaded(rows)}

    def _load(self, query: Any) -> list[StoredTicket]:
        if self._for_update:
            query = query.order_by(TICKET.c.id).with_for_update()
        return self._loaded(self.connection.execute(query).all())

    def _loaded(self, rows: Sequence[Any]) -> list[StoredTicket]:
        """Rows of `TicketRow` with their people and their timers."""
        ids = [row.id for row in rows]
        if not ids:
            return []
        people: dict[int, list[Participant]] = {}
        for p in _people_of(len(ids)).rows(self.connection, named(ids)):
            people.setdefault(p.ticket_id, []).append(Participant(p.email, p.name, p.visible))
        timers: dict[int, list[Timer]] = {}
        waiting = [row.id for row in rows if row.status == Status.WAITING]
        if waiting:  # only a waiting ticket has deadlines
            for t in _timers_of(len(waiting)).rows(self.connection, named(waiting)):
                timers.setdefault(t.ticket_id, []).append(Timer(t.due_at, TimerKind(t.kind), t.step))
        return [_loaded(row, people.get(row.id, []), timers.get(row.id, [])) for row in rows]

    def numbers_by_message_id(self, message_ids: Sequence[str], *, of_agents: bool = False) -> dict[str, int]:
        """The ticket that each Message-ID belongs to, ours and theirs.

        Mail between the desk and its agents counts only `of_agents`: whoever it was passed on to has no part in it.
        """
        if not message_ids:
            return {}
        parameters = {"desk": self.desk_id} | named(message_ids)
        *theirs, ours = _numbers_by_message_id(len(message_ids), of_agents)
        came = [row for query in theirs for row in query.rows(self.connection, parameters)]
        # an agent's mail may be on several tickets: it belongs to that which it came to last
        found = {row.message_id: row.number for row in sorted(came, key=lambda row: int(row.id))}
        return found | {row.message_id: row.number for row in ours.rows(self.connection, parameters)}

    def follow_ups_of(self, number: int) -> list[StoredTicket]:
        """The follow-ups of a ticket, newest first."""
        query = select(TICKET).where(TICKET.c.desk_id == self.desk_id, TICKET.c.follow_up_of == number)
        return sorted(self._load(query), key=lambda loaded: -loaded.ticket.number)

    def merged_into(self, number: int) -> list[StoredTicket]:
        """The tickets that went into this one, newest first."""
        query = select(TICKET).where(TICKET.c.desk_id == self.desk_id, TICKET.c.merged_into == number)
        return sorted(self._load(query), key=lambda loaded: -loaded.ticket.number)

    def next_number(self) -> int:
        """Take the next ticket number. On SQLite the desk's row stays locked until the transaction ends.

        On PostgreSQL it is taken in a commit of its own, or several workers would wait here for each other's whole
        transactions; what is rolled back afterwards leaves a gap. That commit needs no flush: the ticket's commit,
        which comes after it in the same log, flushes both.
        """
        if self.connection.dialect.name == "postgresql":
            with self.connection.engine.connect() as own:
                own = own.execution_options(isolation_level="AUTOCOMMIT")
                return int(own.execute(_TAKE_NUMBER_ALONE, {"desk": self.desk_id}).scalar_one())
        return int(_TAKE_NUMBER.scalar(self.connection, {"desk": self.desk_id})) - 1

    def in_turn(self) -> tuple[str, ...]:
        """The agents whom new tickets went to (round robin), the last one last; locked until the transaction ends."""
        query = select(DESK.c.round_robin).where(DESK.c.id == self.desk_id)
        if self._for_update:
            query = query.with_for_update()
        return tuple(str(self.connection.execute(query).scalar_one()).split())

    def set_in_turn(self, before: Sequence[str], email: str) -> None:
        """Remember whose turn it was."""
        after = " ".join((*(known for known in before if known != email), email))
        self.connection.execute(update(DESK).where(DESK.c.id == self.desk_id).values(round_robin=after))

    def open_ticket(self, ticket: Ticket, mailbox_id: int, root: str) -> StoredTicket:
        """Write a new ticket."""
        values = _columns(ticket) | {"desk_id": self.desk_id, "mailbox_id": mailbox_id, "root_message_id": root}
        ticket_id = add_row(self.connection, TICKET, values)
        self._write_people(ticket_id, (), ticket.participants)
        return StoredTicket(ticket_id, ticket, root, mailbox_id)

    def save(self, loaded: StoredTicket, ticket: Ticket) -> StoredTicket:
        """Write what has changed between two snapshots; returns the new one."""
        before, after = _columns(loaded.ticket), _columns(ticket)
        changed = {key: value for key, value in after.items() if before[key] != value}
        if changed:
            set_row(self.connection, TICKET, loaded.id, changed)
        if loaded.ticket.participants != ticket.participants:
            self._write_people(loaded.id, loaded.ticket.participants, ticket.participants)
        if loaded.ticket.requester.email != ticket.requester.email:
            _BY_OTHER.run(self.connection, {"ticket": loaded.id})
        if loaded.ticket.timers != ticket.timers:
            self._write_timers(loaded.id, ticket.timers)
        return loaded.now(ticket)

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
        """Row ids of tickets with a deadline at or before `now`, the most overdue first.

        `read`: for each mailbox when its last reading began (None: it can't be read); a deadline after that waits. 0
        stands for tickets of no mailbox.
        """
        due = and_(TIMER.c.desk_id == self.desk_id, TIMER.c.due_at <= now)
        if read is not None:
            due = and_(due, _read_since(read))
        query = (
            select(TIMER.c.ticket_id)
            .where(due)
            .group_by(TIMER.c.ticket_id)
            .order_by(func.min(TIMER.c.due_at))
            .limit(limit)
        )
        return [row.ticket_id for row in self.connection.execute(query)]

    def drop_stray_timers(self, ticket_ids: Sequence[int]) -> None:
        """Deadlines of tickets that don't wait any more (none, unless somebody edited the database): away with them."""
        if ticket_ids:
            waiting = select(TICKET.c.id).where(
                TICKET.c.id.in_(list(ticket_ids)), TICKET.c.status == Status.WAITING.value
            )
            self.connection.execute(
                delete(TIMER).where(TIMER.c.ticket_id.in_(list(ticket_ids)), TIMER.c.ticket_id.not_in(waiting))
            )

    def next_due(self) -> datetime | None:
        """The earliest deadline of all."""
        return self.connection.execute(select(func.min(TIMER.c.due_at)).where(TIMER.c.desk_id == self.desk_id)).scalar()

    # Messages and history

    def add_message(self, ticket_id: int, **values: Any) -> int:
        """Put a message on a ticket; its row id. `values` are columns of `MessageRow`."""
        row = {
            "desk_id": self.desk_id, "ticket_id": ticket_id, "at": self.now, "author_name": "", "public": True,
            "message_id": "", "subject": "", "text": "", "attachments": [], "raw_sha256": "", "inbound_id": None,
            "mark": "", "id_here": False, "by_other": False,
        } | values  # fmt: skip
        if row["direction"] == "in":
            row["by_other"] = row["author_role"] != Role.REQUESTER.value
            if row["message_id"]:
                known_by = _ID_OF_INBOUND.scalar(self.connection, {"inbound": row["inbound_id"]})
                row["id_here"] = row["message_id"] != known_by
        return add_row(self.connection, MESSAGE, row)

    def add_history(self, ticket_id: int, entries: Sequence[JournalEntry]) -> None:
        """Append lines to a ticket's history."""
        if entries:
            key = {"desk_id": self.desk_id, "ticket_id": ticket_id}
            rows = [key | {"at": e.at, "actor": e.actor, "kind": e.kind, "from": e.from_, "to": e.to} for e in entries]
            add_rows(self.connection, EVENT, rows)

    def messages(self, ticket_id: int) -> Sequence[Any]:
        """Every message of a ticket in its order, rows of `MessageRow`."""
        return _MESSAGES.rows(self.connection, {"ticket": ticket_id})

    def last_words(self, ticket_id: int, limit: int) -> list[Any]:
        """The last messages that people wrote (reports, replies, answers, notes), in their order."""
        return _LAST_WORDS.rows(self.connection, {"ticket": ticket_id, "most": limit})[::-1]

    def thread(self, ticket_id: int, person: str, *, alone: bool, unseen: Sequence[str] = ()) -> list[str]:
        """The Message-IDs that this person has of the ticket, oldest first: what they wrote and what they got.

        What other people wrote counts too, unless this person reads `alone`; what the `unseen` wrote never does.
        """
        parameters = {"ticket": ticket_id, "person": person}
        theirs = (_WROTE if alone else _PEOPLE_WROTE).rows(self.connection, parameters)
        rows = [row for row in theirs if alone or row.author not in unseen] + _GOT.rows(self.connection, parameters)
        return [row.message_id for row in sorted(rows, key=lambda row: (row.at, row.id))]

    def sent_texts(self, message_ids: Sequence[str], limit: int = 10) -> list[str]:
        """The plain texts of mails of ours, by Message-ID: what a reply may quote."""
        if not message_ids:
            return []
        parameters = {"desk": self.desk_id} | named(message_ids)
        return [row.text for row in _sent_texts(len(message_ids)).rows(self.connection, parameters)][:limit]

    def sent_to(self, ticket_id: int, person: str, limit: int = 6) -> list[str]:
        """The plain texts of the last mails that went to this person about a ticket."""
        parameters = {"ticket": ticket_id, "to": person, "most": limit}
        return [row.text for row in _SENT_TO.rows(self.connection, parameters)]

    # Agents and the audit

    def team(self, fixed: Sequence[Agent]) -> tuple[Agent, ...]:
        """The agents of the configuration, then those added by command, each with the term that they serve."""
        return team_of(self.connection, self.desk_id, fixed)

    def audit(self, actor: str, action: str, detail: str) -> None:
        """Write down what an admin did."""
        row = {"desk_id": self.desk_id, "at": self.now, "actor": actor, "action": action, "detail": detail}
        self.connection.execute(insert(AUDIT), row)


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
_WORDS = [literal(kind) for kind in ("report", "reply", "answer", "note")]
_PEOPLE = [literal(role) for role in ("requester", "participant")]
_OF_TICKET = MESSAGE.c.ticket_id == bindparam("ticket")
_BY_OTHER = CompiledStatement(
    update(MESSAGE)
    .where(_OF_TICKET, MESSAGE.c.direction == "in", MESSAGE.c.author_role == Role.REQUESTER.value)
    .values(by_other=True)
)
_ID_OF_INBOUND = CompiledStatement(select(INBOUND.c.message_id).where(INBOUND.c.id == bindparam("inbound")))
_MESSAGES = CompiledStatement(select(MESSAGE).where(_OF_TICKET).order_by(MESSAGE.c.id))
_LAST_WORDS = CompiledStatement(
    select(MESSAGE)
    .where(_OF_TICKET, MESSAGE.c.kind.in_(_WORDS), MESSAGE.c.direction == "in")
    .order_by(MESSAGE.c.id.desc())
    .limit(bindparam("most"))
)
_CAME = select(MESSAGE.c.at, MESSAGE.c.id, MESSAGE.c.message_id, MESSAGE.c.author).where(
    _OF_TICKET, MESSAGE.c.direction == "in", MESSAGE.c.message_id != ""
)
_WROTE = CompiledStatement(_CAME.where(MESSAGE.c.author == bindparam("person")))
_PEOPLE_WROTE = CompiledStatement(_CAME.where(MESSAGE.c.author_role.in_(_PEOPLE)))
_GOT = CompiledStatement(
    select(OUTBOX.c.created_at.label("at"), OUTBOX.c.id, OUTBOX.c.message_id).where(
        OUTBOX.c.ticket_id == bindparam("ticket"), OUTBOX.c.recipient == bindparam("person"),
        OUTBOX.c.state != "suppressed",
    )
)  # fmt: skip
_SENT_TO = CompiledStatement(
    select(OUTBOX.c.text)
    .where(OUTBOX.c.ticket_id == bindparam("ticket"), OUTBOX.c.recipient == bindparam("to"), OUTBOX.c.text != "")
    .order_by(OUTBOX.c.id.desc())
    .limit(bindparam("most"))
)


@lru_cache(maxsize=256)
def _tickets_by(key: str, count: int, locking: bool) -> CompiledStatement:
    # By id, the desk is looked at in the row (`+ 0`): SQLite otherwise reads the desk's every ticket out of an index
    # once there are a few dozen ids, which took half a second with a million tickets.
    desk = TICKET.c.desk_id + 0 if key == "id" else TICKET.c.desk_id
    query = select(TICKET).where(desk == bindparam("desk"), one_of(TICKET.c[key], count))
    return CompiledStatement(query.order_by(TICKET.c.id).with_for_update() if locking else query)


@lru_cache(maxsize=256)
def _people_of(count: int) -> CompiledStatement:
    return CompiledStatement(select(PARTICIPANT).where(one_of(PARTICIPANT.c.ticket_id, count)))


@lru_cache(maxsize=256)
def _timers_of(count: int) -> CompiledStatement:
    return CompiledStatement(select(TIMER).where(one_of(TIMER.c.ticket_id, count)))


@lru_cache(maxsize=64)
def _sent_texts(count: int) -> CompiledStatement:
    return CompiledStatement(
        select(OUTBOX.c.text).where(
            OUTBOX.c.desk_id == bindparam("desk"), one_of(OUTBOX.c.message_id, count), OUTBOX.c.text != ""
        )
    )


@lru_cache(maxsize=128)
def _numbers_by_message_id(
    count: int, of_agents: bool
) -> tuple[CompiledStatement, CompiledStatement, CompiledStatement]:
    on_ticket = select(MESSAGE.c.id, MESSAGE.c.message_id, TICKET.c.number).where(TICKET.c.id == MESSAGE.c.ticket_id)
    by_inbound = on_ticket.where(
        INBOUND.c.desk_id == bindparam("desk"),
        one_of(INBOUND.c.message_id, count),
        MESSAGE.c.inbound_id == INBOUND.c.id,
        MESSAGE.c.message_id == INBOUND.c.message_id,
    )
    by_themselves = on_ticket.where(
        MESSAGE.c.id_here, MESSAGE.c.desk_id == bindparam("desk"), one_of(MESSAGE.c.message_id, count)
    )
    ours = select(OUTBOX.c.message_id, TICKET.c.number).where(
        OUTBOX.c.desk_id == bindparam("desk"), one_of(OUTBOX.c.message_id, count), TICKET.c.id == OUTBOX.c.ticket_id
    )
    if not of_agents:
        by_inbound, by_themselves = (
            query.where(MESSAGE.c.author_role != Role.AGENT.value) for query in (by_inbound, by_themselves)
        )
        ours = ours.where(OUTBOX.c.role != "agent")
    return CompiledStatement(by_inbound), CompiledStatement(by_themselves), CompiledStatement(ours)


def _read_since(read: Mapping[int, datetime | None]) -> ColumnElement[bool]:
    """Was the mailbox of a timer's ticket read since the timer was due?"""
    if len(set(read.values())) == 1:
        return TIMER.c.due_at <= read[0] if read[0] is not None else false()
    mailbox = select(TICKET.c.mailbox_id).where(TICKET.c.id == TIMER.c.ticket_id).scalar_subquery()
    known = [box for box in read if box]
    each = [and_(mailbox == box, TIMER.c.due_at <= read[box]) for box in known if read[box] is not None]
    others = [and_(mailbox.not_in(known), TIMER.c.due_at <= read[0])] if read[0] is not None else []
    return or_(*each, *others)


def _columns(ticket: Ticket) -> dict[str, Any]:
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


def _loaded(row: Any, people: list[Participant], timers: list[Timer]) -> StoredTicket:
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
