"""`Helpdesk`: what the desk can do, and the only place that opens and commits transactions for it.

A mail's whole way:

    receive    raw bytes and their inbound row, one commit for the batch: from here on nothing can be lost
    process    analyse (pure), then in one commit: which ticket, what happened, what follows; mail goes to the outbox,
               never straight out. What can't be handled is quarantined, the rest goes on (`inbound.processor`)
    deliver    the outbox, by `outbound.delivery`; what the SMTP server answers may start timers or notify the agent
    fire_due_timers   the clock: reminders, closing

Nothing here knows IMAP, SMTP, APScheduler or a terminal: `daemon` and `cli` call these methods.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mailbot.desk import admin_actions, timers
from mailbot.desk.context import Context, IncomingMail, ProcessingResult
from mailbot.desk.inbound.analysis_pool import AnalysisPool, PreparedMail
from mailbot.desk.inbound.attachment_screening import AttachmentScreening
from mailbot.desk.inbound.crash_guard import InFlightMarker, crashes_parser
from mailbot.desk.inbound.processor import BATCH, Processor
from mailbot.desk.outbound.digest import send_digest
from mailbot.desk.outbound.notifications import Notifications
from mailbot.desk.outbound.quarantine_report import send_list
from mailbot.desk.profile import DeskProfile
from mailbot.mail.analysis import Analysis, analyse
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.duplicates import identity
from mailbot.mail.fetched import FetchedMail, Folder, Misfiled
from mailbot.mail.message import InboundMessage
from mailbot.mail.ordering_keys import order_keys
from mailbot.store import quarantine_lists
from mailbot.store.cluster.claims import add as note_keys
from mailbot.store.cluster.leases import lease_of, must_hold
from mailbot.store.engine import Store
from mailbot.store.rows import InboundRow
from mailbot.store.unit_of_work import UnitOfWork, UnitOfWorkFactory
from mailbot.ticket.ticket import Agent, Policy

if TYPE_CHECKING:
    from mailbot.store.privacy.erasure import Erased


@dataclass(frozen=True)
class DeskParts:
    """What a `Helpdesk` is made of; `wiring` builds it from the settings."""

    store: Store
    profile: DeskProfile
    policy: Policy  #: with the agents of the configuration only
    notifications: Notifications
    own: OwnIdentity
    marker: InFlightMarker
    screening: AttachmentScreening


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a batch of mail reached the desk."""

    source: str = "imap"  #: `Inbound.source`
    #: For each mail what another process found out already.
    prepared: Sequence[PreparedMail | None] | None = None
    #: On a desk that several workers share, the one that reads this mailbox; any of them may handle its mail.
    reader: str = ""
    #: Reading the mailbox needs a lease: `LeaseLost` where `reader` no longer has it.
    leased: bool = True
    #: It stays where it was until it is handled, so on SQLite the commit that handles it is the first to fsync.
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a mail that was fed in by hand."""

    inbound_id: int
    outcome: str  #: `Inbound.state`, "duplicate" where it was known
    ticket: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the desk knows of a mail in the folder."""

    inbound_id: int
    folder: Folder | None  #: where it belongs, None if that is not decided yet


class Helpdesk:
    """One desk. Its methods may be called from several threads; each opens its own transaction."""

    def __init__(self, parts: DeskParts) -> None:
        self.store = parts.store
        self.profile = parts.profile
        self._clock = parts.store.clock
        self._policy = parts.policy
        self._notifications = parts.notifications
        self._own = parts.own
        self._screening = parts.screening
        self._work = UnitOfWorkFactory(parts.store)
        self._processor = Processor(
            parts.store, self._screened, self.context_of, parts.marker, lambda raw: crashes_parser(raw, parts.own)
        )

    @property
    def screening(self) -> AttachmentScreening:
        """What screens files, and the status of its virus scanner."""
        return self._screening

    # Receiving

    def receive(self, mailbox: str, mails: Sequence[FetchedMail], receipt: Receipt = Receipt()) -> list[int]:
        """Store a batch durably; return the ids of rows to process. A known mail is marked as a duplicate."""
        mailbox_id = self.store.mailbox_id(mailbox)
        received = []
        with self._work.writing(wait_for_disk=not receipt.stays) as work:
            if receipt.reader and receipt.leased:
                must_hold(work.connection, lease_of(mailbox_id), receipt.reader)
            for mail, known in zip(mails, receipt.prepared or [None] * len(mails), strict=True):
                row = {"mailbox_id": mailbox_id, "source": receipt.source}
                received.append(_receive_one(work, mail, known, row))
            if receipt.reader:
                keys = {one: order_keys(mail.raw) for one, mail in zip(received, mails, strict=True)}
                note_keys(work.connection, work.desk_id, keys)
        return received

    def analysis_pool(self) -> AnalysisPool:
        """Start processes that analyse mail for this desk, for as long as a backlog lasts."""
        return AnalysisPool(self._own)

    def seen_and_unprocessed(
        self, mailbox: str, uidvalidity: int, uids: Collection[int]
    ) -> tuple[dict[int, Seen], list[int]]:
        """Return `seen` and `unprocessed`, as of the same moment."""
        mailbox_id = self.store.mailbox_id(mailbox)
        with self._work.reading() as work:
            rows = work.seen_uids(mailbox_id, uidvalidity, uids)
            unprocessed = _unprocessed(work)
        return {row.uid: Seen(row.id, Folder(row.place) if row.place else None) for row in rows}, unprocessed

    def seen(self, mailbox: str, uidvalidity: int, uids: Collection[int]) -> dict[int, Seen]:
        """Return which of these mails were received already, and where they belong."""
        return self.seen_and_unprocessed(mailbox, uidvalidity, uids)[0]

    def set_filed(self, ids: Iterable[int]) -> None:
        """Record that these mails were moved to where they belong."""
        with self._work.writing(wait_for_disk=False) as work:  # a lost record only makes them be moved once more
            work.set_filed(list(ids))

    def misfiled(self, mailbox: str, limit: int = BATCH * 10) -> list[Misfiled]:
        """Return mail of this mailbox that was released after it had been moved to the quarantine folder."""
        mailbox_id = self.store.mailbox_id(mailbox)
        with self._work.reading() as work:
            return work.misfiled(mailbox_id, limit)

    def set_refiled(self, ids: Sequence[int]) -> None:
        """Record that these were moved out of the quarantine folder, or are not there any more."""
        with self._work.writing() as work:
            work.set_refiled(ids)

    # Processing

    def unprocessed(self) -> list[int]:
        """Return mails that were stored but not handled yet, oldest first."""
        with self._work.reading() as work:
            return _unprocessed(work)

    def expect(self, ids: Iterable[int], *, no_more: bool = False) -> None:
        """Reserve these for a `process` that another thread calls at once: `process_unprocessed` skips them."""
        self._processor.expect(ids, no_more=no_more)

    def process(
        self,
        ids: Sequence[int],
        raws: Mapping[int, bytes] | None = None,
        analyses: Mapping[int, Analysis] | None = None,
        *,
        worker: str = "",
    ) -> list[ProcessingResult]:
        """Handle stored mails in order; `raws` spares reading back what is still in memory.

        `analyses`: what another process found out already. `worker`: only those that this worker has claimed
        (`store.cluster.claims`). Raises only for the machine's faults, and then everything not committed is as it was.
        """
        return self._processor.process(ids, raws or {}, analyses or {}, worker)

    def process_unprocessed(self, ids: Sequence[int], *, worker: str = "") -> list[ProcessingResult]:
        """Handle mails whose first attempt failed (`unprocessed`), one by one; see `inbound.processor`."""
        return self._processor.process_unprocessed(ids, worker)

    def _analyse(self, row: InboundRow, raw: bytes, known: Analysis | None = None) -> IncomingMail:
        """Return everything that a mail says by itself. Pure, and outside of any write."""
        found = known or analyse(raw, self._own, partial_size=row.size if row.partial else None)
        return replace(
            IncomingMail.of_row(row, found.message, found.verdict),
            released=bool(row.explanation.get("released")),
            authenticated=bool(row.explanation.get("proven")),
            program=self._program(row, found.message),
            from_form=row.source == "web",
            reply=found.words,
            received_at=row.received_at,
        )

    def _screened(self, row: InboundRow, raw: bytes, known: Analysis | None = None) -> IncomingMail:
        """Return a mail as it may be acted on. May ask a virus scanner: outside of any transaction."""
        return self._screening.screen(self._analyse(row, raw, known), raw)

    def _program(self, row: InboundRow, message: InboundMessage) -> str:
        """Return what a new ticket is about: the form names it, else the mailbox has one."""
        if row.source == "web":
            return message.headers.get("X-Mailbot-Program")[:80]
        return self.profile.program_of(row.mailbox_id)

    # The clock

    def fire_due_timers(self, read: Mapping[int, datetime] | None = None) -> int:
        """Send reminders and close tickets where it is due; return how many. Call only after the inbox was read.

        `read`: the mailboxes that were read, as `timers.fire_due` takes it.
        """
        fired = 0
        while True:
            with self._writing() as context:
                count = timers.fire_due(context, read)
            fired += count
            if count < timers.BATCH:
                return fired

    def send_digest(self) -> int:
        """Notify agents of what was digested, where it is time; return how many notifications that stands for."""
        with self._writing() as context:
            return send_digest(context, self._notifications)

    def send_quarantine_list(self) -> bool:
        """Once a day, after opening, send the leads the list of the quarantine; return whether it was sent."""
        opening = self._policy.hours.opened_at(self._clock.now())
        if opening is None:
            return False
        with self._work.reading() as work:
            due = quarantine_lists.is_due(work, opening)
        if not due:
            return False
        with self._writing() as context:
            return send_list(context, self._notifications, opening)

    def next_due(self) -> datetime | None:
        """Return the earliest deadline of all tickets."""
        with self._work.reading() as work:
            return work.next_due()

    # What people at a shell or a page can do

    def ingest(self, raw: bytes, source: str = "ingest") -> Ingested:
        """Feed one mail through the same path as IMAP; the same mail is recognised the second time."""
        who = identity(raw)
        with self._work.reading() as work:
            earlier = work.seen(who.message_id, who.digest)
            waits = earlier is not None and any(row.state == "received" for row in work.inbound([earlier]))
        if earlier is not None and waits:  # the process that stored it died before it was handled
            return self._ingested(earlier)
        if earlier is not None:
            return Ingested(earlier, "duplicate", None, f"taken in before as mail {earlier}")
        is_partial = len(raw) > self.profile.max_size
        # repeatable, so that two commands at once can't store the same mail twice
        uid = int(hashlib.sha256(f"{who.message_id} {who.digest}".encode()).hexdigest()[:13], 16)
        kept = raw.split(b"\r\n\r\n", 1)[0].split(b"\n\n", 1)[0] + b"\r\n\r\n" if is_partial else raw
        mail = FetchedMail(0, uid, kept, len(raw), None, is_partial)
        [inbound_id] = self.receive(source, [mail], Receipt(source))
        return self._ingested(inbound_id, {inbound_id: kept})

    def _ingested(self, inbound_id: int, raws: Mapping[int, bytes] | None = None) -> Ingested:
        [processed] = self.process([inbound_id], raws) or [self._processor.wait_for_other(inbound_id)]
        return Ingested(inbound_id, processed.state, processed.number, processed.reason)

    def act_as_agent(self, number: int, *, agent: str, text: str) -> None:
        """Do what an agent could write in a mail about this ticket, commands first. Raises NotPossible."""
        with self._writing() as context:
            admin_actions.act_as_agent(context, number, agent, text)

    def release(self, ids: Sequence[int]) -> list[ProcessingResult]:
        """Release mail from quarantine and handle it as if it had just come and were trusted. Raises NotPossible."""
        with self._writing() as context:
            admin_actions.release(context, ids)
        return self.process(list(ids))

    def discard(self, ids: Sequence[int]) -> None:
        """Discard mail in quarantine. Raises NotPossible."""
        with self._writing() as context:
            admin_actions.discard(context, ids)

    def retry_outbox(self, ids: Sequence[int] | None = None) -> int:
        """Make undelivered mail due now, failed mail too, with its back-off reset; return how many."""
        with self._work.writing() as work:
            return work.retry_outbox(ids, work.now + self.profile.retry_for)

    def cancel_outbox(self, ids: Sequence[int]) -> int:
        """Take undelivered mail out of the queue; return how many."""
        with self._work.writing() as work:
            cancelled = work.cancel_outbox(ids)
            work.audit("admin", "outbox cancel", " ".join(map(str, ids)))
            return cancelled

    def agents(self) -> tuple[Agent, ...]:
        """Return all agents: of the configuration first, then those added by command."""
        with self._work.reading() as work:
            return work.team(self._policy.agents)

    def add_agent(
        self, email: str, name: str, role: str = "agent", aliases: Sequence[str] = (), programs: Sequence[str] = ()
    ) -> None:
        """Add an agent beside those of the configuration. Raises NotPossible."""
        agent = Agent(email.lower(), name, tuple(a.lower() for a in aliases), role, tuple(programs))
        with self._writing() as context:
            admin_actions.add_agent(context, agent)

    def remove_agent(self, email: str) -> None:
        """Remove an agent who was added by command; their reply addresses stop working at once. Raises NotPossible."""
        with self._writing() as context:
            admin_actions.remove_agent(context, self._policy, email.lower())

    def record_agents(self) -> None:
        """Record the configured agents and revoke the tokens of removed ones."""
        with self._writing() as context:
            admin_actions.record_agents(context, self._policy)

    def export_requester(self, email: str) -> dict[str, Any]:
        """Return everything that the desk stores about a person."""
        from mailbot.store.privacy.export import export_requester

        return export_requester(self.store, email.lower())

    def erase_requester(self, email: str) -> Erased:
        """Remove a person's data; ticket numbers and an audit line stay."""
        from mailbot.store.privacy.erasure import erase_requester

        return erase_requester(self.store, email.lower(), now=self._clock.now(), actor="admin")

    # Surroundings

    @contextmanager
    def _writing(self) -> Iterator[Context]:
        with self._work.writing() as work:
            yield self.context_of(work)

    def context_of(self, work: UnitOfWork) -> Context:
        """Return the surroundings of a transaction."""
        policy = replace(self._policy, agents=work.team(self._policy.agents))
        context = Context(
            work, self.profile, policy, self._notifications, lambda row: self._reread(work, row),
            lambda inbound_id: self._processor.process_released(context, inbound_id),
        )  # fmt: skip
        return context

    def _reread(self, work: UnitOfWork, row: InboundRow) -> IncomingMail:
        mail = self._analyse(row, work.raw_mail(row.raw_sha256) or b"")
        return replace(self._screening.screen_again(mail, row.explanation), authenticated=True)


def _receive_one(work: UnitOfWork, mail: FetchedMail, known: PreparedMail | None, row: dict[str, Any]) -> int:
    who = known.identity if known else identity(mail.raw)
    earlier = work.seen(who.message_id, who.digest)
    row |= {
        "uidvalidity": mail.uidvalidity, "uid": mail.uid,
        "raw_sha256": work.put_raw_mail(mail.raw, (known.sha256, known.packed) if known else None),
        "digest": who.digest, "message_id": who.message_id, "size": mail.size, "partial": mail.partial,
        "attempts": 1,  # `process` follows at once; see `inbound.processor`
    }  # fmt: skip
    if earlier is not None:
        row |= {"state": "duplicate", "duplicate_of": earlier, "place": "processed", "reason": f"same as {earlier}"}
    return work.add_inbound(row)


def _unprocessed(work: UnitOfWork) -> list[int]:
    return work.inbound_in_state("received", BATCH * 50)
