"""The write side: what one transaction does to the desk, in the words of the desk.

In: a connection of `Store.writing()` and the moment. Out: tickets as `ticket.ticket.Ticket` snapshots with their row
ids, rows as values (`store.rows`), and rows written. Nothing is decided here and nothing is committed here:
`UnitOfWorkFactory` opens a transaction and ends it. Every statement is SQLAlchemy Core, compiled once; every look-up
has its index (models.py names it).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import insert

from mailbot.store.agents import team_of
from mailbot.store.engine import Store
from mailbot.store.inbound import InboundWork
from mailbot.store.messages import MessageWork
from mailbot.store.outbox import OutboxWork
from mailbot.store.statements import Savepoint
from mailbot.store.tables import AUDIT
from mailbot.store.tickets import TicketWork
from mailbot.ticket.ticket import Agent


class UnitOfWork(TicketWork, MessageWork, InboundWork, OutboxWork):
    """One transaction on one desk. Not shared between threads. `locking` False: for one that only reads."""

    def team(self, configured: Sequence[Agent]) -> tuple[Agent, ...]:
        """Return the agents of the configuration, then those added by command, each with their current term."""
        return team_of(self.connection, self.desk_id, configured)

    def audit(self, actor: str, action: str, detail: str) -> None:
        """Record what an admin did."""
        row = {"desk_id": self.desk_id, "at": self.now, "actor": actor, "action": action, "detail": detail}
        self.connection.execute(insert(AUDIT), row)

    def savepoint(self) -> Savepoint:
        """Set a point that can be rolled back to."""
        return Savepoint(self.connection)


class UnitOfWorkFactory:
    """Opens transactions on one desk, at the time of the store's clock. Usable from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextmanager
    def writing(self, *, wait_for_disk: bool = True) -> Iterator[UnitOfWork]:
        """Open one that may write; see `Store.writing`."""
        desk_id = self._store.desk_id
        with self._store.writing(wait_for_disk=wait_for_disk) as connection:
            yield UnitOfWork(connection, desk_id, self._store.clock.now())

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        """Open one that only reads: everything in it comes from the same moment."""
        desk_id = self._store.desk_id
        with self._store.reading() as connection:
            yield UnitOfWork(connection, desk_id, self._store.clock.now(), locking=False)
