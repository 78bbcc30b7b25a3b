"""`mailbot run --once`: read what waits in the inboxes, fire what is due, send what is queued, exit.

The outbox is sent while the inboxes are read, as in the daemon. If one of them can't be used, the other is processed
all the same, and the exit code is 1.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from mailbot.config.model import MailboxSettings, Settings
from mailbot.daemon.cluster.work_sharing import WorkSharing
from mailbot.daemon.inbox_loop import make_reader
from mailbot.daemon.inbox_reader import ReaderHooks
from mailbot.desk.wiring import Desk, open_desk
from mailbot.errors import MailboxUnavailable
from mailbot.monitoring.canary import number_of
from mailbot.runtime.memory import tune_memory
from mailbot.transport.imap.mailbox import Mailbox
from mailbot.transport.smtp.pool import SubmissionPool
from mailbot.transport.smtp.submission import Submission

log = logging.getLogger(__name__)


def run_once(settings: Settings, mailboxes: Mapping[str, Mailbox] | None = None) -> int:
    """Run one pass of the desk; return 0, or 1 if a server could not be used.

    `mailboxes`: connections that are already being opened (`mailbox.open_ahead`).
    """
    tune_memory()
    with open_desk(settings, exclusive=True) as desk:
        desk.delivery.take_back()
        sharing = None if desk.store.is_sqlite else WorkSharing(desk, lambda: None)
        if sharing is not None and not sharing.join():
            log.error("this worker could not join those of the desk in %s", desk.store.described())
            return 1
        try:
            return _run_pass(desk, sharing, mailboxes or {})
        finally:
            if sharing is not None:
                sharing.stop()


def _run_pass(desk: Desk, sharing: WorkSharing | None, mailboxes: Mapping[str, Mailbox]) -> int:
    sender = _Sender(desk)
    sender.start()
    boxes = desk.settings.mailboxes
    hooks = ReaderHooks(sender.wake, is_canary=lambda raw: number_of(raw, desk.helpdesk.profile) is not None)
    try:
        begun = desk.clock.now()
        mine = [box for box in boxes if sharing is None or sharing.may_read(box.folder_id)]
        if len(mine) < len(boxes):
            log.info("%d of %d mailboxes are read by other workers", len(boxes) - len(mine), len(boxes))
        largest = desk.settings.inbound.max_size
        found: dict[int, bool | None] = {}
        for box in mine:
            mailbox = mailboxes.get(box.folder_id) or Mailbox(box, max_size=largest)
            found[desk.store.mailbox_id(box.folder_id)] = _read(desk, box, mailbox, hooks, sharing)
        read = {mailbox_id: begun for mailbox_id, all_handled in found.items() if all_handled}
        desk.helpdesk.fire_due_timers(read if sharing is None else sharing.read_by_all(read))
        desk.helpdesk.send_digest()
    finally:
        failure = sender.finish()
    if failure:
        log.error("the outbox was not sent: %s", failure)
    return 1 if failure or None in found.values() else 0


def _read(
    desk: Desk, box: MailboxSettings, mailbox: Mailbox, hooks: ReaderHooks, sharing: WorkSharing | None
) -> bool | None:
    """Read one inbox; return whether all of its mail was handled, None if the inbox can't be used."""
    reader = make_reader(desk, mailbox, box.folder_id, hooks, sharing)
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


class _Sender(threading.Thread):
    """Sends what is queued until nothing more can come."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(name="outbox", daemon=True)
        self._desk = desk
        self._wake = threading.Event()
        self._last = False
        self._failure = ""
        self._error: Exception | None = None

    def wake(self) -> None:
        """Check the outbox: there may be something to send."""
        self._wake.set()

    def finish(self) -> str:
        """Send the rest; return the server's words if it could not be used, else ""."""
        self._last = True
        self._wake.set()
        self.join()
        if self._error is not None:
            raise self._error
        return self._failure

    def run(self) -> None:
        """Send until `finish` was called and the outbox is empty, or the server fails."""
        smtp = self._desk.settings.smtp
        pool = SubmissionPool([Submission(smtp) for _ in range(smtp.connections)])
        try:
            while not self._failure:
                self._wake.wait()
                self._wake.clear()
                last = self._last
                while not self._failure and (done := self._desk.delivery.deliver_due(pool)).tried:
                    self._failure = done.failure
                if last:
                    return
        except Exception as error:  # noqa: BLE001 - raised again in `finish`
            self._error = error
        finally:
            pool.close()
