"""Reading the inbox: from the folder into the desk, and out of the folder to where each mail belongs.

In: an open `Mailbox` and a `Helpdesk`. One `read()` does a whole turn: what a predecessor left half done is finished,
every new mail is stored, handled, and only then moved. Idempotent: killed anywhere, the next turn goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from mailbot.core.arrival import Arrival, Place
from mailbot.mailbox import Mailbox
from mailbot.service import Helpdesk, Processed, Seen

log = logging.getLogger(__name__)


class InboxReader:
    """One folder's way into the desk. `handled` is called after each batch (mail may have to go out)."""

    def __init__(
        self,
        helpdesk: Helpdesk,
        mailbox: Mailbox,
        name: str,
        *,
        handled: Callable[[], None] = lambda: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._helpdesk = helpdesk
        self._mailbox = mailbox
        self._name = name
        self._handled = handled
        self._stopping = stopping

    def read(self) -> int:
        """Take in all that waits; how many mails were new. A network or storage fault passes through."""
        left = self._helpdesk.unprocessed()
        if left:
            self._helpdesk.process(left)
            self._handled()
        uidvalidity, uids = self._mailbox.uids()
        seen = self._helpdesk.seen(self._name, uidvalidity, uids)
        self._file(uidvalidity, {uid: known for uid, known in seen.items() if known.place is not None})
        new = [uid for uid in uids if uid not in seen]
        taken = 0
        for batch in self._mailbox.fetch(new) if new else ():
            self._take(uidvalidity, batch)
            taken += len(batch)
            if self._stopping():
                break  # the mail in hand is finished; the rest waits in the folder
        return taken

    def _take(self, uidvalidity: int, batch: Sequence[Arrival]) -> None:
        """Stored first, then understood, then moved."""
        ids = self._helpdesk.receive(self._name, batch)
        raws = {inbound_id: arrival.raw for inbound_id, arrival in zip(ids, batch, strict=True)}
        processed = {done.inbound_id: done for done in self._helpdesk.process(ids, raws)}
        self._handled()
        by_uid = {
            arrival.uid: Seen(inbound_id, processed[inbound_id].place)
            for inbound_id, arrival in zip(ids, batch, strict=True)
            if inbound_id in processed and _is_decided(processed[inbound_id])
        }
        self._file(uidvalidity, by_uid)

    def _file(self, uidvalidity: int, mails: Mapping[int, Seen]) -> None:
        places = {uid: mail.place or Place.PROCESSED for uid, mail in mails.items()}
        if places:
            self._mailbox.file(places, uidvalidity=uidvalidity)
            self._helpdesk.filed([mail.inbound_id for mail in mails.values()])


def _is_decided(processed: Processed) -> bool:
    return processed.state != "received"
