"""Reads one folder into a desk that several workers share: mail is stored here, handled by any worker, filed here.

In: an open `Mailbox`, a `Helpdesk`, this worker's `WorkSharing`. Out: as `InboxReader`. Mail that another worker has
claimed keeps the pass open: the folder is read again soon, to move out what was handled meanwhile.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

from mailbot.daemon.cluster.work_sharing import WorkSharing
from mailbot.daemon.inbox_reader import InboxFolder, ReaderHooks
from mailbot.desk.helpdesk import Helpdesk, Receipt
from mailbot.mail.fetched import FetchedMail
from mailbot.runtime.memory import one_large_mail
from mailbot.transport.imap.mailbox import Mailbox

# While other workers handle mail of the folder, it is read at this interval, to move out what they have done.
FILE_SECONDS = 1.0


class SharedReader:
    """Reads one folder and handles mail along with the other workers."""

    def __init__(
        self, helpdesk: Helpdesk, mailbox: Mailbox, place: str, sharing: WorkSharing, hooks: ReaderHooks
    ) -> None:
        self._helpdesk = helpdesk
        self._hooks = hooks
        self._folder = InboxFolder(helpdesk, mailbox, place, hooks)
        self._sharing = sharing
        self._mailbox_id = sharing.mailbox_id(place)
        self._open: set[int] = set()  # UIDs of stored mail that is still in the folder
        self._filed_at = 0.0
        self.all_handled = False

    @property
    def refusal(self) -> str:
        """Why the server refused to move handled mail out in the last pass; "" if it did not."""
        return self._folder.refusal

    @property
    def look_again(self) -> float:
        """Seconds after which to read again: few while other workers handle mail of this folder."""
        return FILE_SECONDS if self._open or not self.all_handled else math.inf

    def read(self) -> int:
        """Read everything that waits; return how many mails were new. Network and storage failures propagate."""
        folder = self._folder
        uidvalidity, uids = folder.begin()
        seen = self._helpdesk.seen(folder.place, uidvalidity, uids)
        self._open = set(seen) - folder.file_decided(uidvalidity, seen)
        count = 0
        for fetched in folder.fetched(uidvalidity, uids, [uid for uid in uids if uid not in seen]):
            batch = folder.without_canaries(uidvalidity, fetched)
            if batch:
                self._store_and_handle(uidvalidity, batch)
            count += len(batch)
            if self._hooks.stopping():
                break
        while not self._hooks.stopping() and self._work_off({}):
            self._file_open(uidvalidity)
        self._file_open(uidvalidity, now=True)
        folder.retrieve_released(uidvalidity, uids)
        self.all_handled = self._sharing.is_settled(self._mailbox_id)
        return count

    def _store_and_handle(self, uidvalidity: int, batch: Sequence[FetchedMail]) -> None:
        """Store the batch; then handle as much mail as was stored, unless other workers do so meanwhile."""
        with one_large_mail(max(len(mail.raw) for mail in batch)):
            ids = self._helpdesk.receive(self._folder.place, batch, Receipt(reader=self._sharing.owner))
        self._open |= {mail.uid for mail in batch}
        raws = {inbound_id: mail.raw for inbound_id, mail in zip(ids, batch, strict=True)}
        self._work_off(raws)
        if self._sharing.member.count == 1:
            while not self._hooks.stopping() and self._work_off(raws):
                pass
        self._file_open(uidvalidity)

    def _work_off(self, raws: Mapping[int, bytes]) -> bool:
        results = self._sharing.work_off(raws)
        if results:
            self._hooks.handled()
        return any(result.state != "received" for result in results)

    def _file_open(self, uidvalidity: int, *, now: bool = False) -> None:
        """Move out what any worker has handled by now."""
        if self._open and (now or time.monotonic() - self._filed_at > FILE_SECONDS) and not self._hooks.stopping():
            self._open -= self._folder.file_decided(
                uidvalidity, self._helpdesk.seen(self._folder.place, uidvalidity, self._open)
            )
            self._filed_at = time.monotonic()
