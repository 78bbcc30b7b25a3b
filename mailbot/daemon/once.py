"""`mailbot run --once`: take in what waits in the inboxes, fire what is due, send what is queued, end.

The outbox is sent while the inbox is read, as in the daemon. One that can't be used makes the exit code 1; the other is
worked through all the same.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from mailbot.config.model import MailboxSettings, Settings
from mailbot.daemon.cluster.shared_reader import SharedReader
from mailbot.daemon.cluster.work_sharing import WorkSharing
from mailbot.daemon.inbox_reader import InboxReader
from mailbot.desk.wiring import Desk, open_desk
from mailbot.errors import MailboxUnavailable
from mailbot.monitoring.canary import number_of
from mailbot.runtime.memory import tune_memory
from mailbot.transport.imap.mailbox import Mailbox
from mailbot.transport.smtp.pool import SubmissionPool
from mailbot.transport.smtp.submission import Submission

log = logging.getLogger(__name__)


def run_once(settings: Settings, mailboxes: Mapping[str, Mailbox] | None = None) -> int:
    """One turn of the desk; 0, or 1 where a server could not be used. `mailboxes`: begun to be opened, by place."""
    tune_memory()
    with open_desk(settings, exclusive=True) as desk:
        desk.delivery.take_back()
        sharing = None if desk.store.is_sqlite else WorkSharing(desk, lambda: None)
        if sharing is not None and not sharing.join():
            log.error("this worker found no place among those of the desk in %s", desk.store.described())
            return 1
        try:
            return _turn(desk, sharing, mailboxes or {})
        finally:
            if sharing is not None:
                sharing.stop()


def _turn(desk: Desk, sharing: WorkSharing | None, mailboxes: Mapping[str, Mailbox]) -> int:
    outgoing = _Outgoing(desk)
    outgoing.start()
    boxes = desk.settings.mailboxes
    try:
        begun = desk.clock.now()
        mine = [box for box in boxes if sharing is None or sharing.may_read(box.place)]
        if len(mine) < len(boxes):
            log.info("%d of %d mailboxes are read by other workers", len(boxes) - len(mine), len(boxes))
        largest = desk.settings.inbound.max_size
        found = {
            desk.store.mailbox_id(box.place): _read(
                desk, box, mailboxes.get(box.place) or Mailbox(box, max_size=largest), outgoing.wake, sharing
            )
            for box in mine
        }
        read = {mailbox: begun for mailbox, handled in found.items() if handled}
        desk.helpdesk.fire_due_timers(read if sharing is None else sharing.read_by_all(read))
        desk.helpdesk.summarise()
    finally:
        trouble = outgoing.finish()
    if trouble:
        log.error("the outbox was not sent: %s", trouble)
    return 1 if trouble or None in found.values() else 0


def _read(
    desk: Desk, box: MailboxSettings, mailbox: Mailbox, handled: Callable[[], None], sharing: WorkSharing | None
) -> bool | None:
    """Take in what waits in one inbox: was all of it handled? None where the inbox can't be used."""
    profile = desk.helpdesk.profile
    options: dict[str, Any] = {"handled": handled, "canary": lambda raw: number_of(raw, profile) is not None}
    if sharing is None:
        reader = InboxReader(desk.helpdesk, mailbox, box.place, **options)
    else:
        reader = SharedReader(desk.helpdesk, mailbox, box.place, sharing=sharing, **options)
    try:
        mailbox.open()
        reader.read()
    except MailboxUnavailable as error:
        log.error("the inbox was not read, so no timer of its tickets fired: %s", error)
        return None
    finally:
        mailbox.close()
    if reader.refusal:
        log.error("%s", reader.refusal)
    return reader.all_handled


class _Outgoing(threading.Thread):
    """Sends what is queued until nothing more can come."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(name="outbox", daemon=True)
        self._desk = desk
        self._more = threading.Event()
        self._last = False
        self._trouble = ""
        self._fault: Exception | None = None

    def wake(self) -> None:
        """There may be something to send."""
        self._more.set()

    def finish(self) -> str:
        """Nothing more is queued: send the rest. The server's words where it could not be used."""
        self._last = True
        self._more.set()
        self.join()
        if self._fault is not None:
            raise self._fault
        return self._trouble

    def run(self) -> None:
        smtp = self._desk.settings.smtp
        lanes = SubmissionPool([Submission(smtp) for _ in range(smtp.connections)])
        try:
            while not self._trouble:
                self._more.wait()
                self._more.clear()
                last = self._last
                while not self._trouble and (done := self._desk.delivery.deliver_due(lanes)).tried:
                    self._trouble = done.trouble
                if last:
                    return
        except Exception as fault:  # noqa: BLE001 - raised again where the result is asked for
            self._fault = fault
        finally:
            lanes.close()
