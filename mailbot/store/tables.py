"""The tables of `store.models` as SQLAlchemy Core sees them: for inserts and queries without the ORM.

The ORM costs more than twice as much for each row as Core (docs/performance.md), and the path of a mail writes nine.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import Column, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import SQLModel

from mailbot.store import models

METADATA: MetaData = SQLModel.metadata


def _table(model: type[SQLModel]) -> Table:
    return cast(Table, vars(model)["__table__"])


DESK = _table(models.Desk)
MAILBOX = _table(models.Mailbox)
RAW_MAIL = _table(models.RawMail)
INBOUND = _table(models.Inbound)
TICKET = _table(models.TicketRow)
PARTICIPANT = _table(models.ParticipantRow)
MESSAGE = _table(models.MessageRow)
EVENT = _table(models.EventRow)
TIMER = _table(models.TimerRow)
OUTBOX = _table(models.OutboxRow)
AGENT = _table(models.AgentRow)
AUDIT = _table(models.AuditRow)
LEASE = _table(models.LeaseRow)

# The distinct words of a ticket, for `store.search`: on SQLite separated by blanks (an FTS5 index points at them).
TICKET_WORDS = Table(
    "ticket_words",
    METADATA,
    Column("ticket_id", models.Id, primary_key=True, autoincrement=False),
    Column("words", Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
)
