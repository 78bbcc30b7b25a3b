"""The inboxes of one desk, each with a loop in a thread of its own: one that fails never stops the others.

In: the desk's [[mailbox]]es (or the one of [imap]). Out: one interface for the daemon (wake, interrupt, sign of life),
and for the scheduler: `read_afresh` reads what can be read and returns as of which moment each was read, so that a
reminder never overtakes a reply that waits in the inbox of its ticket.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime

from mailbot.daemon.inbox_loop import InboxLoop, LoopContext
from mailbot.transport.imap.mailbox import Mailbox


class Inboxes:
    """All inbox loops of a desk. `mailboxes`: connections that are already being opened (`mailbox.open_ahead`)."""

    def __init__(self, context: LoopContext, mailboxes: Mapping[str, Mailbox]) -> None:
        self._context = context
        largest = context.desk.settings.inbound.max_size
        self.loops = tuple(
            InboxLoop(context, box, mailboxes.get(box.folder_id) or Mailbox(box, max_size=largest))
            for box in context.desk.settings.mailboxes
        )

    def threads(self) -> list[threading.Thread]:
        """Return a thread for each, not started yet."""
        return [threading.Thread(target=loop.run, name=loop.title, daemon=True) for loop in self.loops]

    def wake(self) -> None:
        """Read all of them now."""
        for loop in self.loops:
            loop.wake()

    def interrupt(self) -> None:
        """Abort network calls that hang."""
        for loop in self.loops:
            loop.interrupt()

    @property
    def alive_at(self) -> float:
        """Time of the oldest last sign of life among them (time.monotonic)."""
        return min(loop.alive_at for loop in self.loops)

    @property
    def state(self) -> str:
        """Their states, in words."""
        if len(self.loops) == 1:
            return self.loops[0].state
        return ", ".join(f"{loop.name} {loop.state}" for loop in self.loops)

    def health(self) -> dict[str, bool]:
        """Return which of them work: `imap`, or if there are several, `imap:NAME` for each and `imap` for all."""
        if len(self.loops) == 1:
            return {"imap": self.loops[0].works}
        each = {f"imap:{loop.name}": loop.works for loop in self.loops}
        return {"imap": all(each.values())} | each

    def read_afresh(self, timeout: float) -> dict[int, datetime]:
        """Read every inbox completely, beginning now; return those that could be read, by id, and as of when.

        One that is known to be unreachable is not waited for; the others at most `timeout` seconds in total.
        """
        desk, sharing = self._context.desk, self._context.sharing
        begun = desk.clock.now()
        mine = [loop for loop in self.loops if loop.may_read()]
        passes = [(loop, loop.request_pass()) for loop in mine if loop.works or loop.state == "connecting"]
        ends = time.monotonic() + timeout
        read = [loop for loop, number in passes if loop.has_read(number, max(0.0, ends - time.monotonic()))]
        found = {desk.store.mailbox_id(loop.place): begun for loop in read}
        return found if sharing is None else sharing.read_by_all(found)
