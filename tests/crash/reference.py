"""The desk that is never killed: what it makes of a plan is what the others have to hold as well."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from mailbot.mail.fetched import FetchedMail
from mailbot.runtime.clock import SystemClock
from tests.crash.ledger import Holdings, holdings
from tests.crash.load import Action, World
from tests.support.people import Sent, TryDesk


class Reference:
    """A whole desk in this process, left in peace. Use it in a `with`."""

    def __init__(self, folder: Path, name: str, **tables: Any) -> None:
        self.folder = folder
        self._desk = TryDesk(folder, start=SystemClock().now(), **tables)
        self.world = World(self, name)
        self._uid = 0

    def __enter__(self) -> Reference:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._desk.close()

    def last_sent(self, recipient: str, kind: str, subject: str) -> Sent:
        """See `load.Post`."""
        return [mail for mail in self._desk.to(recipient, kind) if subject in mail["Subject"]][-1]

    def play(self, burst: list[Action]) -> Holdings:
        """Everything happens as it should; what the desk then holds."""
        helpdesk = self._desk.desk.helpdesk
        for raw in self.world.letters(burst):
            self._uid += 1
            helpdesk.process(helpdesk.receive("reference", [FetchedMail(1, self._uid, raw, len(raw), None, False)]))
            self._desk.deliver()
        return holdings(self._desk.desk.store)

    @property
    def sent(self) -> list[Sent]:
        """All mail that has left it."""
        return self._desk.sent

    def after(self, **span: float) -> Holdings:
        """Time goes by; what the desk holds when everything due has happened."""
        self._desk.pass_time(**span)
        return holdings(self._desk.desk.store)

    def release(self, inbound_id: int) -> Holdings:
        """A held mail is let in."""
        self._desk.desk.helpdesk.release([inbound_id])
        self._desk.deliver()
        return holdings(self._desk.desk.store)
