"""One pass over an inbox: its mail is stored, handled, and only then moved to where it belongs.

In: an open `Mailbox` and a `Helpdesk`. One `read()` is one pass: what a previous process left unfinished is completed,
every new mail is stored, handled, moved out. Idempotent: killed at any point, the next pass continues from there.

`InboxFolder` is the folder's side of a pass, shared by both readers: `InboxReader`, which handles all mail itself, and
`cluster.shared_reader.SharedReader`, for a desk with several workers.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from mailbot.desk.context import ProcessingResult
from mailbot.desk.helpdesk import Helpdesk, Receipt, Seen
from mailbot.desk.inbound.analysis_pool import BACKLOG, Batch
from mailbot.desk.inbound.priority import FIELDS, with_priority
from mailbot.errors import FilingRefused
from mailbot.mail.fetched import FetchedMail, Folder
from mailbot.runtime.memory import one_large_mail, release_memory
from mailbot.runtime.watchdog import no_longer_than
from mailbot.transport.imap.mailbox import Mailbox

log = logging.getLogger(__name__)

# A batch takes a second at most, a mail with hundreds of parts a few seconds; whatever takes longer hangs.
LONGEST_SECONDS = 180.0
# A batch of more bytes is handled before the next is fetched: its mails are in memory several times over.
LARGE = 10_000_000
# Under a backlog, this many headers are read at a time, then this many mails of each priority are handled, which takes
# a second or two.
HEADS, STEP = 5000, 100
# And this many are moved out at a time: for a MOVE, Dovecot scans the whole of a large folder several times.
FILED = 100


@dataclass(frozen=True, slots=True)
class ReaderHooks:
    """What a reader asks and reports during a pass."""

    handled: Callable[[], None] = lambda: None  #: Called after each batch: mail may have to be sent.
    stopping: Callable[[], bool] = lambda: False  #: Whether to end after the current mail.
    #: Whether a mail is a canary of this desk (`monitoring.canary`): it is filed, and nothing else.
    is_canary: Callable[[bytes], bool] = lambda raw: False


NO_HOOKS = ReaderHooks()


class Reader(Protocol):
    """Reads one folder into the desk."""

    @property
    def refusal(self) -> str:
        """Why the server refused to move handled mail out in the last pass; "" if it did not."""

    @property
    def all_handled(self) -> bool:
        """Whether everything that the last pass found is handled; if not, a requester's reply may be among the rest."""

    @property
    def look_again(self) -> float:
        """Seconds after which to read again at the latest, even if no mail arrives."""

    def read(self) -> int:
        """Read everything that waits; return how many mails were new. Network and storage failures propagate."""


class InboxFolder:
    """The folder's side of a pass: which mail is new, in which order it is fetched, and where it is moved."""

    def __init__(self, helpdesk: Helpdesk, mailbox: Mailbox, place: str, hooks: ReaderHooks) -> None:
        self.helpdesk = helpdesk
        self.mailbox = mailbox
        self.place = place
        self.hooks = hooks
        self.refusal = ""
        self._failed_looking_ahead = False

    def begin(self) -> tuple[int, list[int]]:
        """Begin a pass: (UIDVALIDITY, UIDs of all mail in the folder that is not done)."""
        self.refusal = ""
        return self.mailbox.uids()

    def fetched(self, uidvalidity: int, uids: Sequence[int], new: Sequence[int]) -> Iterator[list[FetchedMail]]:
        """Fetch the mails of `new` (among all `uids`) in batches.

        Under a backlog, what people write on existing tickets comes first, including what arrives meanwhile. Headers
        are read in the order of arrival: no mail on a ticket overtakes another one on it.
        """
        if len(new) < BACKLOG or self._failed_looking_ahead:
            yield from self.mailbox.fetch(new)
            self._failed_looking_ahead = False
            return
        unread, first, rest, newest = deque(new), deque[int](), deque[int](), uids[-1]
        while unread or first or rest:
            some = [unread.popleft() for _ in range(min(HEADS, len(unread)))]
            self._failed_looking_ahead = True  # a server that fails at this must not block its mail for ever
            early = with_priority(self.helpdesk.store, self.mailbox.heads(some, FIELDS)) if some else set()
            self._failed_looking_ahead = False
            first.extend(uid for uid in some if uid in early)
            rest.extend(uid for uid in some if uid not in early)
            for ready in (first, rest):  # some of each: a flood of replies must not block new reports for ever
                yield from self.mailbox.fetch([ready.popleft() for _ in range(min(STEP, len(ready)))])
            now, arrived = self.mailbox.uids(after=newest)
            if now != uidvalidity:
                return  # the numbers mean other mails now: the next pass starts over
            unread.extend(arrived)
            newest = arrived[-1] if arrived else newest

    def without_canaries(self, uidvalidity: int, batch: Sequence[FetchedMail]) -> Sequence[FetchedMail]:
        """File the canaries; return the other mail. If killed here, they are found and filed in the next pass."""
        canaries = [mail.uid for mail in batch if self.hooks.is_canary(mail.raw)]
        if not canaries:
            return batch
        self._move(uidvalidity, dict.fromkeys(canaries, Folder.PROCESSED))
        return [mail for mail in batch if mail.uid not in canaries]

    def file(self, uidvalidity: int, mails: Mapping[int, Seen]) -> None:
        """Move handled mails, by UID, out of the folder, and record it."""
        targets = {uid: mail.folder or Folder.PROCESSED for uid, mail in mails.items()}
        if targets and self._move(uidvalidity, targets):
            self.helpdesk.set_filed([mail.inbound_id for mail in mails.values()])

    def file_decided(self, uidvalidity: int, seen: Mapping[int, Seen]) -> set[int]:
        """File those of `seen` that are handled; return their UIDs."""
        decided = {uid: known for uid, known in seen.items() if known.folder is not None}
        self.file(uidvalidity, decided)
        return set(decided)

    def _move(self, uidvalidity: int, targets: Mapping[int, Folder]) -> bool:
        """Move mails out of the folder; return False if the server refuses."""
        try:
            self.mailbox.file(targets, uidvalidity=uidvalidity)
        except FilingRefused as error:
            self.refusal = str(error)
            return False
        return True

    def retrieve_released(self, uidvalidity: int, in_folder: Collection[int]) -> None:
        """Move mail released from quarantine out of the quarantine folder.

        What was still in the inbox when this pass began, and so is not in quarantine yet, is looked for in the next.
        """
        waiting = () if self.hooks.stopping() else self.helpdesk.misfiled(self.place)
        if not waiting:
            return
        try:
            found = self.mailbox.retrieve(waiting)
        except FilingRefused as error:
            self.refusal = str(error)
            return
        there = frozenset(in_folder)
        missing = {mail.inbound_id for mail in waiting} - found
        later = {mail.inbound_id for mail in waiting if mail.uidvalidity == uidvalidity and mail.uid in there}
        for inbound_id in sorted(missing - later):
            log.info("mail %d was released, but its original is no longer in the quarantine folder", inbound_id)
        self.helpdesk.set_refiled(sorted(found | (missing - later)))


class InboxReader:
    """Reads one folder into a desk, and handles its mail."""

    look_again = math.inf

    def __init__(self, helpdesk: Helpdesk, mailbox: Mailbox, place: str, hooks: ReaderHooks = NO_HOOKS) -> None:
        self._helpdesk = helpdesk
        self._hooks = hooks
        self._folder = InboxFolder(helpdesk, mailbox, place, hooks)
        self._unhandled: set[int] = set()

    @property
    def refusal(self) -> str:
        """Why the server refused to move handled mail out in the last pass; "" if it did not."""
        return self._folder.refusal

    @property
    def all_handled(self) -> bool:
        """Whether the last pass handled all that was stored."""
        return not self._unhandled

    def read(self) -> int:
        """Read everything that waits; return how many mails were new. Network and storage failures propagate.

        If the server refuses to move mail out, it is handled all the same; `refusal` has the reason.
        """
        folder = self._folder
        uidvalidity, uids = folder.begin()
        seen, unprocessed = self._helpdesk.seen_and_unprocessed(folder.place, uidvalidity, uids)
        self._unhandled.clear()
        if unprocessed:
            self._process_unprocessed(unprocessed)
            seen = self._helpdesk.seen(folder.place, uidvalidity, uids)
        folder.file_decided(uidvalidity, seen)
        new = [uid for uid in uids if uid not in seen]
        count = self._read_new(uidvalidity, uids, new) if new else 0
        folder.retrieve_released(uidvalidity, uids)
        return count

    def _read_new(self, uidvalidity: int, uids: Sequence[int], new: Sequence[int]) -> int:
        """While one batch is handled, fetch the next; under a backlog, another process analyses it."""
        count = 0
        at_once = FILED if len(new) >= BACKLOG else 1
        to_file: dict[int, Seen] = {}
        handling: Future[dict[int, Seen]] | None = None
        with ExitStack() as stack:
            handler = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="handling"))
            pool = stack.enter_context(self._helpdesk.analysis_pool()) if len(new) >= BACKLOG else None
            for fetched in self._folder.fetched(uidvalidity, uids, new):
                batch = self._folder.without_canaries(uidvalidity, fetched)
                analysis = pool.begin(batch) if pool else None
                to_file |= handling.result() if handling else {}
                handling = handler.submit(self._handle, batch, analysis) if batch else None
                if len(to_file) >= at_once:
                    self._folder.file(uidvalidity, to_file)
                    to_file = {}
                count += len(batch)
                if handling and sum(len(mail.raw) for mail in batch) > LARGE:
                    handling.exception()  # not two such batches in memory at once
                    fetched = batch = []
                if self._hooks.stopping():
                    break  # the current batch is finished; the rest waits in the folder
            self._folder.file(uidvalidity, to_file | (handling.result() if handling else {}))
        if len(new) >= BACKLOG:
            release_memory()
        return count

    def _process_unprocessed(self, inbound_ids: Sequence[int]) -> None:
        """Process stored mail that a previous process died with, or that failed for a temporary reason."""
        for inbound_id in inbound_ids:
            with no_longer_than(LONGEST_SECONDS):
                results = self._helpdesk.process_unprocessed([inbound_id])
            self._note(results)
            self._hooks.handled()
            if self._hooks.stopping():
                break

    def _note(self, results: Sequence[ProcessingResult]) -> None:
        for result in results:
            (self._unhandled.discard if _is_decided(result) else self._unhandled.add)(result.inbound_id)

    def _handle(self, batch: Sequence[FetchedMail], analysis: Batch | None) -> dict[int, Seen]:
        """Store the batch, then process it; return what is to be moved, by UID."""
        prepared = analysis.result() if analysis else [None] * len(batch)
        with one_large_mail(max(len(mail.raw) for mail in batch)):
            ids = self._helpdesk.receive(self._folder.place, batch, Receipt(prepared=prepared, stays=True))
        raws = {inbound_id: mail.raw for inbound_id, mail in zip(ids, batch, strict=True)}
        understood = {inbound_id: known.analysis for inbound_id, known in zip(ids, prepared, strict=True) if known}
        with no_longer_than(LONGEST_SECONDS):
            results = {result.inbound_id: result for result in self._helpdesk.process(ids, raws, understood)}
        self._note(list(results.values()))
        self._hooks.handled()
        return {
            mail.uid: Seen(inbound_id, results[inbound_id].folder)
            for inbound_id, mail in zip(ids, batch, strict=True)
            if inbound_id in results and _is_decided(results[inbound_id])
        }


def _is_decided(result: ProcessingResult) -> bool:
    return result.state != "received"
