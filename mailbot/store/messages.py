"""The write side of messages on tickets, their history and their threads.

Part of `store.unit_of_work.UnitOfWork`; the same rules hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, literal, select

from mailbot.store.rows import MessageRow, columns_of
from mailbot.store.statements import CompiledStatement, Transaction, add_row, add_rows, named, one_of
from mailbot.store.tables import EVENT, INBOUND, MESSAGE, OUTBOX, TICKET
from mailbot.ticket.events import JournalEntry
from mailbot.ticket.ticket import Role


class MessageWork(Transaction):
    """Rows of `MessageRow` and `EventRow`."""

    def add_message(self, ticket_id: int, **values: Any) -> int:
        """Put a message on a ticket; return its row id. `values` are columns of `models.MessageRow`."""
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

    def messages(self, ticket_id: int) -> list[MessageRow]:
        """Return every message of a ticket in order."""
        return [MessageRow.from_row(row) for row in _MESSAGES.rows(self.connection, {"ticket": ticket_id})]

    def last_words(self, ticket_id: int, limit: int) -> list[MessageRow]:
        """Return the last messages that people wrote (reports, replies, answers, notes), in order."""
        rows = _LAST_WORDS.rows(self.connection, {"ticket": ticket_id, "most": limit})
        return [MessageRow.from_row(row) for row in reversed(rows)]

    def thread(self, ticket_id: int, person: str, *, alone: bool, unseen: Sequence[str] = ()) -> list[str]:
        """Return the Message-IDs of the ticket that this person has, oldest first: those they wrote and received.

        What other people wrote counts too, unless this person reads `alone`; what the `unseen` wrote never does.
        """
        parameters = {"ticket": ticket_id, "person": person}
        theirs = (_WROTE if alone else _PEOPLE_WROTE).rows(self.connection, parameters)
        rows = [row for row in theirs if alone or row.author not in unseen] + _GOT.rows(self.connection, parameters)
        return [row.message_id for row in sorted(rows, key=lambda row: (row.at, row.id))]

    def sent_texts(self, message_ids: Sequence[str], limit: int = 10) -> list[str]:
        """Return the plain texts of mails of ours, by Message-ID: what a reply may quote."""
        if not message_ids:
            return []
        parameters = {"desk": self.desk_id} | named(message_ids)
        return [row.text for row in _sent_texts(len(message_ids)).rows(self.connection, parameters)][:limit]

    def sent_to(self, ticket_id: int, person: str, limit: int = 6) -> list[str]:
        """Return the plain texts of the last mails that went to this person about a ticket."""
        parameters = {"ticket": ticket_id, "to": person, "most": limit}
        return [row.text for row in _SENT_TO.rows(self.connection, parameters)]

    def numbers_by_message_id(self, message_ids: Sequence[str], *, of_agents: bool = False) -> dict[str, int]:
        """Return the ticket number of each Message-ID, whoever wrote that mail.

        Mail between the desk and its agents counts only `of_agents`: a forwarded copy makes nobody a participant.
        """
        if not message_ids:
            return {}
        parameters = {"desk": self.desk_id} | named(message_ids)
        *theirs, ours = _numbers_by_message_id(len(message_ids), of_agents)
        came = [row for query in theirs for row in query.rows(self.connection, parameters)]
        # an agent's mail may be on several tickets: the last of them counts
        found = {row.message_id: row.number for row in sorted(came, key=lambda row: int(row.id))}
        return found | {row.message_id: row.number for row in ours.rows(self.connection, parameters)}


_WORDS = [literal(kind) for kind in ("report", "reply", "answer", "note")]
_PEOPLE = [literal(role) for role in ("requester", "participant")]
_COLUMNS = columns_of(MESSAGE, MessageRow)
_OF_TICKET = MESSAGE.c.ticket_id == bindparam("ticket")
_ID_OF_INBOUND = CompiledStatement(select(INBOUND.c.message_id).where(INBOUND.c.id == bindparam("inbound")))
_MESSAGES = CompiledStatement(select(*_COLUMNS).where(_OF_TICKET).order_by(MESSAGE.c.id))
_LAST_WORDS = CompiledStatement(
    select(*_COLUMNS)
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
