"""TODO."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mailbot.daemon.inbox_reader import InboxReader
from mailbot.mail.fetched import FetchedMail
from mailbot.runtime.memory import one_large_mail

if TYPE_CHECKING:
    pass
from mailbot.daemon.cluster.work_sharing import WorkSharing

# While mail of a folder is in other workers' hands, the folder is looked at so often, to move out what they handled.
FILE_SECONDS = 1.0


class SharedReader(InboxReader):
    """One folder's way into a desk that several workers share: stored here, handled anywhere, filed here."""

    def __init__(self, *arguments: Any, sharing: WorkSharing, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._sharing = sharing
        self._mailbox_id = sharing._ids[self._name]
        self._open: set[int] = set()
        self._filed_at = 0.0
        self._settled = False

    @property
    def all_handled(self) -> bool:
        """Was all mail handled that the last `read` found in the folder?"""
        return self._settled

    @property
    def look_again(self) -> float:  # type: ignore[override]
        """Soon, while others have mail of this folder in hand."""
        return FILE_SECONDS if self._open or not self._settled else float("inf")

    def read(self) -> int:
        """Take in all that waits; how many mails were new. A network or storage fault passes through."""
        self.refusal = ""
        uidvalidity, uids = self._mailbox.uids()
        seen = self._helpdesk.seen(self._name, uidvalidity, uids)
        self._file(uidvalidity, {uid: known for uid, known in seen.items() if known.place is not None})
        self._open = {uid for uid, known in seen.items() if known.place is None}
        taken = 0
        new = [uid for uid in uids if uid not in seen]
        for batch in self._fetched(uidvalidity, uids, new):
            mail = self._without_canaries(uidvalidity, batch)
            if mail:
                self._store_and_help(uidvalidity, mail)
            taken += len(mail)
            if self._stopping():
                break
        while not self._stopping() and self._work_off({}):
            self._file_open(uidvalidity)
        self._file_open(uidvalidity, now=True)
        self._retrieve(uidvalidity, uids)
        self._settled = self._sharing.is_settled(self._mailbox_id)
        return taken

    def _store_and_help(self, uidvalidity: int, batch: Sequence[FetchedMail]) -> None:
        """Stored; then as much is handled as was stored, unless others are there who do it meanwhile."""
        with one_large_mail(max(len(arrival.raw) for arrival in batch)):
            ids = self._helpdesk.receive(self._name, batch, reader=self._sharing.owner)
        self._open |= {arrival.uid for arrival in batch}
        raws = {inbound_id: arrival.raw for inbound_id, arrival in zip(ids, batch, strict=True)}
        self._work_off(raws)
        if self._sharing.worker.count == 1:
            while not self._stopping() and self._work_off(raws):
                pass
        self._file_open(uidvalidity)

    def _work_off(self, raws: Mapping[int, bytes]) -> bool:
        done = self._sharing.work_off(raws)
        if done:
            self._handled()
        return any(mail.state != "received" for mail in done)

    def _file_open(self, uidvalidity: int, *, now: bool = False) -> None:
        """Move out what was handled by now, by anybody."""
        if self._open and (now or time.monotonic() - self._filed_at > FILE_SECONDS) and not self._stopping():
            seen = self._helpdesk.seen(self._name, uidvalidity, self._open)
            decided = {uid: known for uid, known in seen.items() if known.place is not None}
            self._file(uidvalidity, decided)
            self._open -= decided.keys()
            self._filed_at = time.monotonic()
