"""Reading the inbox: from the folder into the desk, and out of the folder to where each mail belongs.

In: an open `Mailbox` and a `Helpdesk`. One `read()` does a whole turn: what a predecessor left half done is finished,
every new mail is stored, handled, and only then moved. Idempotent: killed anywhere, the next turn goes on from there.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from mailbot.desk.context import ProcessingResult
from mailbot.desk.helpdesk import Helpdesk, Seen
from mailbot.desk.inbound.analysis_pool import BACKLOG, Batch
from mailbot.desk.inbound.priority import FIELDS, with_priority
from mailbot.errors import FilingRefused
from mailbot.mail.fetched import FetchedMail, Folder
from mailbot.runtime.memory import one_large_mail, release_memory
from mailbot.runtime.watchdog import no_longer_than
from mailbot.transport.imap.mailbox import Mailbox

log = logging.getLogger(__name__)

# A batch takes a second at most, a mail with hundreds of parts a few; whoever takes longer hangs.
LONGEST_SECONDS = 180.0
# A batch of more bytes is handled before the next is fetched: its mails lie in memory several times over.
LARGE = 10_000_000
# Of a backlog so many heads are looked at before so many mails of each kind are handled, which takes a second or two.
HEADS, STEP = 5000, 100
# And so many are moved out at a time: with a MOVE, Dovecot goes through the whole of a large folder several times.
FILED = 100


class InboxReader:
    """One folder's way into the desk. `handled` is called after each batch (mail may have to go out).

    `canary`: is this mail one that the desk sent to itself to measure the way round? It is filed, and nothing more.
    """

    def __init__(
        self,
        helpdesk: Helpdesk,
        mailbox: Mailbox,
        name: str,
        *,
        handled: Callable[[], None] = lambda: None,
        stopping: Callable[[], bool] = lambda: False,
        canary: Callable[[bytes], bool] = lambda raw: False,
    ) -> None:
        self._helpdesk = helpdesk
        self._mailbox = mailbox
        self._name = name
        self._handled = handled
        self._stopping = stopping
        self._canary = canary
        self._unhandled: set[int] = set()
        self._looked_ahead_in_vain = False
        self.refusal = ""
        """Why mail that was handled stays in the folder, as of the last turn; "" where it was moved."""

    look_again = math.inf
    """After how many seconds to read again at the latest, whether or not mail came."""

    @property
    def all_handled(self) -> bool:
        """Did the last `read` handle all that was taken in? Where not, a person's reply may be among the rest."""
        return not self._unhandled

    def read(self) -> int:
        """Take in all that waits; how many mails were new. A network or storage fault passes through.

        Where the server will not let mail be moved out, it is read and handled all the same; `refusal` says so.
        """
        self.refusal = ""
        uidvalidity, uids = self._mailbox.uids()
        seen, left = self._helpdesk.look(self._name, uidvalidity, uids)
        self._unhandled.clear()
        if left:
            self._take_up(left)
            seen = self._helpdesk.seen(self._name, uidvalidity, uids)
        self._file(uidvalidity, {uid: known for uid, known in seen.items() if known.place is not None})
        new = [uid for uid in uids if uid not in seen]
        taken = self._take_all(uidvalidity, uids, new) if new else 0
        self._retrieve(uidvalidity, uids)
        return taken

    def _take_all(self, uidvalidity: int, uids: Sequence[int], new: Sequence[int]) -> int:
        """While one batch is handled, the next is fetched, and under a backlog understood by another process."""
        taken = 0
        at_once = FILED if len(new) >= BACKLOG else 1
        to_file: dict[int, Seen] = {}
        in_hand: Future[dict[int, Seen]] | None = None
        with ExitStack() as ends:
            hand = ends.enter_context(ThreadPoolExecutor(1, thread_name_prefix="handling"))
            others = ends.enter_context(self._helpdesk.understanding()) if len(new) >= BACKLOG else None
            for fetched in self._fetched(uidvalidity, uids, new):
                batch = self._without_canaries(uidvalidity, fetched)
                begun = others.begin(batch) if others else None
                to_file |= in_hand.result() if in_hand else {}
                in_hand = hand.submit(self._take, batch, begun) if batch else None
                if len(to_file) >= at_once:
                    self._file(uidvalidity, to_file)
                    to_file = {}
                taken += len(batch)
                if in_hand and sum(len(arrival.raw) for arrival in batch) > LARGE:
                    in_hand.exception()  # not two such batches in memory at once
                    fetched = batch = []
                if self._stopping():
                    break  # the mail in hand is finished; the rest waits in the folder
            self._file(uidvalidity, to_file | (in_hand.result() if in_hand else {}))
        if len(new) >= BACKLOG:
            release_memory()
        return taken

    def _fetched(self, uidvalidity: int, uids: Sequence[int], new: Sequence[int]) -> Iterator[list[FetchedMail]]:
        """The mails of `new` (of all `uids`) in batches. Of many, what people write on tickets comes first, also what

        comes meanwhile. Heads are looked at in the order in which mail came: none on a ticket overtakes another on it.
        """
        if len(new) < BACKLOG or self._looked_ahead_in_vain:
            yield from self._mailbox.fetch(new)
            self._looked_ahead_in_vain = False
            return
        unread, first, rest, newest = deque(new), deque[int](), deque[int](), uids[-1]
        while unread or first or rest:
            some = [unread.popleft() for _ in range(min(HEADS, len(unread)))]
            self._looked_ahead_in_vain = True  # a server that fails at this must not keep the mail from us for ever
            early = with_priority(self._helpdesk.store, self._mailbox.heads(some, FIELDS)) if some else set()
            self._looked_ahead_in_vain = False
            first.extend(uid for uid in some if uid in early)
            rest.extend(uid for uid in some if uid not in early)
            for ready in (first, rest):  # some of each: a flood of replies keeps no report back for ever
                yield from self._mailbox.fetch([ready.popleft() for _ in range(min(STEP, len(ready)))])
            now, came = self._mailbox.uids(after=newest)
            if now != uidvalidity:
                return  # the numbers mean other mails: the next turn looks anew
            unread.extend(came)
            newest = came[-1] if came else newest

    def _take_up(self, left: Sequence[int]) -> None:
        """Mail that a predecessor died with, or that met a fault of the machine."""
        for inbound_id in left:
            with no_longer_than(LONGEST_SECONDS):
                done = self._helpdesk.process_left([inbound_id])
            self._note(done)
            self._handled()
            if self._stopping():
                break

    def _note(self, done: Sequence[ProcessingResult]) -> None:
        for mail in done:
            (self._unhandled.discard if _is_decided(mail) else self._unhandled.add)(mail.inbound_id)

    def _without_canaries(self, uidvalidity: int, batch: Sequence[FetchedMail]) -> Sequence[FetchedMail]:
        """The mail of the batch. A canary needs no record: killed here, it is found and filed at the next turn."""
        canaries = [arrival.uid for arrival in batch if self._canary(arrival.raw)]
        if not canaries:
            return batch
        self._move(uidvalidity, dict.fromkeys(canaries, Folder.PROCESSED))
        return [arrival for arrival in batch if arrival.uid not in canaries]

    def _take(self, batch: Sequence[FetchedMail], begun: Batch | None) -> dict[int, Seen]:
        """Stored first, then handled; what is to be moved, by UID."""
        prepared = begun.result() if begun else [None] * len(batch)
        with one_large_mail(max(len(arrival.raw) for arrival in batch)):
            ids = self._helpdesk.receive(self._name, batch, prepared=prepared, stays=True)
        raws = {inbound_id: arrival.raw for inbound_id, arrival in zip(ids, batch, strict=True)}
        understood = {inbound_id: known.understood for inbound_id, known in zip(ids, prepared, strict=True) if known}
        with no_longer_than(LONGEST_SECONDS):
            processed = {done.inbound_id: done for done in self._helpdesk.process(ids, raws, understood)}
        self._note(list(processed.values()))
        self._handled()
        return {
            arrival.uid: Seen(inbound_id, processed[inbound_id].place)
            for inbound_id, arrival in zip(ids, batch, strict=True)
            if inbound_id in processed and _is_decided(processed[inbound_id])
        }

    def _retrieve(self, uidvalidity: int, in_folder: Collection[int]) -> None:
        """Mail that was let in after it had been filed goes from the quarantine folder to where it belongs.

        What lay in the inbox still when this turn began, and is not in quarantine yet, is looked for at the next one.
        """
        waiting = () if self._stopping() else self._helpdesk.astray(self._name)
        if not waiting:
            return
        try:
            found = self._mailbox.retrieve(waiting)
        except FilingRefused as error:
            self.refusal = str(error)
            return
        there = frozenset(in_folder)
        missing = {mail.inbound_id for mail in waiting} - found
        later = {mail.inbound_id for mail in waiting if mail.uidvalidity == uidvalidity and mail.uid in there}
        for inbound_id in sorted(missing - later):
            log.info("mail %d was let in, but its original is not in the quarantine folder any more", inbound_id)
        self._helpdesk.retrieved(sorted(found | (missing - later)))

    def _file(self, uidvalidity: int, mails: Mapping[int, Seen]) -> None:
        places = {uid: mail.place or Folder.PROCESSED for uid, mail in mails.items()}
        if places and self._move(uidvalidity, places):
            self._helpdesk.filed([mail.inbound_id for mail in mails.values()])

    def _move(self, uidvalidity: int, places: Mapping[int, Folder]) -> bool:
        """Out of the folder; False where the server refuses that."""
        try:
            self._mailbox.file(places, uidvalidity=uidvalidity)
        except FilingRefused as error:
            self.refusal = str(error)
            return False
        return True


def _is_decided(processed: ProcessingResult) -> bool:
    return processed.state != "received"
