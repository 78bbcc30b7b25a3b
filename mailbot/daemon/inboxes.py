"""The inboxes of one desk, each with a loop in a thread of its own: one that can't be used never stops the others.

In: the desk's [[mailbox]]es (or the one of [imap]). Out: one face for the daemon (wake, interrupt, who is alive) and
for the chores: `read_afresh` reads what can be read and says through which moment each was read, so that a reminder
never overtakes a reply that lies in the inbox of its ticket.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from mailbot.daemon.cluster.work_sharing import WorkSharing
from mailbot.daemon.inbox_loop import InboxLoop
from mailbot.desk.wiring import Desk
from mailbot.transport.imap.mailbox import Mailbox


class Inboxes:
    """All inbox loops of a desk. `handled` is called after each batch that was handled (mail may have to go out).

    `canary`: is this mail one that the desk sent to itself? `sharing`: with other workers, where there may be some.
    `mailboxes`: begun to be opened, by place (`inbox_doors`).
    """

    def __init__(
        self,
        desk: Desk,
        stopping: threading.Event,
        handled: Callable[[], None],
        canary: Callable[[bytes], bool] = lambda raw: False,
        sharing: WorkSharing | None = None,
        mailboxes: Mapping[str, Mailbox] | None = None,
    ) -> None:
        self._desk = desk
        self._stopping = stopping
        self._sharing = sharing
        largest, begun = desk.settings.inbound.max_size, mailboxes or {}
        self.loops = tuple(
            InboxLoop(
                desk,
                box,
                begun.get(box.folder_id) or Mailbox(box, max_size=largest),
                stopping,
                handled,
                canary,
                sharing,
            )
            for box in desk.settings.mailboxes
        )

    def threads(self) -> list[threading.Thread]:
        """A thread for each, not started yet."""
        return [threading.Thread(target=loop.run, name=loop.title, daemon=True) for loop in self.loops]

    def wake(self) -> None:
        """Read all of them now."""
        for loop in self.loops:
            loop.wake()

    def interrupt(self) -> None:
        """End network calls that hang."""
        for loop in self.loops:
            loop.interrupt()

    @property
    def alive_at(self) -> float:
        """When the one that is stillest last showed life, by `time.monotonic`."""
        return min(loop.alive_at for loop in self.loops)

    @property
    def state(self) -> str:
        """How they fare, in words."""
        if len(self.loops) == 1:
            return self.loops[0].state
        return ", ".join(f"{loop.name} {loop.state}" for loop in self.loops)

    def health(self) -> dict[str, bool]:
        """Which of them work: `imap`, or with several `imap:NAME` for each and `imap` for all of them."""
        if len(self.loops) == 1:
            return {"imap": self.loops[0].works}
        each = {f"imap:{loop.name}": loop.works for loop in self.loops}
        return {"imap": all(each.values())} | each

    def read_afresh(self, timeout: float) -> dict[int, datetime]:
        """Read every inbox, all of it, beginning now; those that could be read, by their row's id, and that moment.

        One that is known to be unreachable is not waited for; another at most `timeout` seconds, all together.
        """
        begun = self._desk.clock.now()
        mine = [loop for loop in self.loops if loop.may_read()]
        asked = [(loop, loop.ask()) for loop in mine if loop.works or loop.state == "connecting"]
        ends = time.monotonic() + timeout
        read = [loop for loop, wanted in asked if loop.has_read(wanted, max(0.0, ends - time.monotonic()))]
        found = {self._desk.store.mailbox_id(loop.place): begun for loop in read}
        return found if self._sharing is None else self._sharing.read_by_all(found)
