"""`Helpdesk`: what the desk can do, and the only place that opens and commits transactions for it.

A mail's whole way:

    receive    raw bytes and their inbound row, one commit for the batch: from here on nothing can be lost
    process    understand (pure), then in one commit: which ticket, what happened, what comes of it; mail goes to the
               outbox, never straight out. What can't be handled is set aside, the rest goes on (`processing`)
    deliver    the outbox, by `delivery.Delivery`; what the SMTP server says may start timers or tell the agent
    fire_due_timers   the clock's turn: reminders, closing

Nothing here knows IMAP, SMTP, APScheduler or a terminal: `daemon` and `cli` call these methods.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mailbot.desk.apply_event import apply_event
from mailbot.desk.context import (
    Context,
    IncomingMail,
    ProcessingResult,
    Words,
    release_flags,
)
from mailbot.desk.inbound.agents import run_commands
from mailbot.desk.inbound.analysis_pool import AnalysisPool, PreparedMail
from mailbot.desk.inbound.attachment_screening import AttachmentScreening
from mailbot.desk.inbound.crash_guard import InFlightMarker, crashes_parser
from mailbot.desk.inbound.processor import BATCH, Processor
from mailbot.desk.outbound.digest import summarise
from mailbot.desk.outbound.notifications import Notifications
from mailbot.desk.outbound.quarantine_report import send_list
from mailbot.desk.profile import DeskProfile
from mailbot.errors import NotPossible
from mailbot.mail.analysis import Analysis, analyse
from mailbot.mail.attachments.policy import Refusals
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.duplicates import identity
from mailbot.mail.fetched import (
    FetchedMail,
    Folder,
    Misfiled,
)
from mailbot.mail.message import Address, InboundMessage
from mailbot.mail.ordering_keys import order_keys
from mailbot.runtime.clock import Clock
from mailbot.store import quarantine_lists, raw_mail
from mailbot.store.agents import (
    add_agent,
    note_fixed,
    remove_agent,
)
from mailbot.store.cluster.claims import note as note_keys
from mailbot.store.cluster.leases import lease_of, must_hold
from mailbot.store.engine import Store
from mailbot.store.unit_of_work import UnitOfWork
from mailbot.ticket.command_parser import CommandError
from mailbot.ticket.events import TimerFired
from mailbot.ticket.ticket import (
    Agent,
    Policy,
    Role,
)

TIMER_BATCH = 50


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a mail that was fed in by hand. `outcome`: Inbound.state, "duplicate" where it was known."""

    inbound_id: int
    outcome: str
    ticket: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the desk knows of a mail in the folder: its row, and where it belongs (None: not decided yet)."""

    inbound_id: int
    place: Folder | None


class Helpdesk:
    """One desk. Its methods may be called from several threads; each opens its own transaction."""

    def __init__(
        self,
        store: Store,
        profile: DeskProfile,
        policy: Policy,
        correspondence: Notifications,
        clock: Clock,
        own: OwnIdentity,
        in_hand: InFlightMarker,
        screening: AttachmentScreening | None = None,
    ) -> None:
        self.store = store
        self.profile = profile
        self.clock = clock
        self._policy = policy
        self._post = correspondence
        self._own = own
        self._screening = screening or AttachmentScreening(Refusals(), clock)
        self._processing = Processor(
            store, clock, self._screened, self._turn, in_hand, lambda raw: crashes_parser(raw, own)
        )

    @property
    def screening(self) -> AttachmentScreening:
        """What looks at files, and how its virus scanner fares."""
        return self._screening

    # Taking in

    def receive(
        self,
        mailbox: str,
        arrivals: Sequence[FetchedMail],
        source: str = "imap",
        *,
        prepared: Sequence[PreparedMail | None] | None = None,
        reader: str = "",
        leased: bool = True,
        stays: bool = False,
    ) -> list[int]:
        """Store a batch for good; the ids of rows to process. A mail that is known already is marked as a duplicate.

        `prepared`: what another process found out about each of them already. `reader`: on a desk that several workers
        share, the one who reads this mailbox; `LeaseLost` where it is not any more. What it stores any of them may
        handle (`sharing`). `leased` False: the mail came by a door that needs no lease. `stays`: it lies where it came
        from until it was handled, so on SQLite the commit that handles it is the first that waits for the disk.
        """
        mailbox_id = self.store.mailbox_id(mailbox)
        received = []
        with self.store.writing(wait_for_disk=not stays) as connection:
            if reader and leased:
                must_hold(connection, lease_of(mailbox_id), reader)
            work = self._work(connection)
            for arrival, known in zip(arrivals, prepared or [None] * len(arrivals), strict=True):
                received.append(self._receive_one(work, mailbox_id, arrival, source, known))
            if reader:
                keys = {one: order_keys(mail.raw) for one, mail in zip(received, arrivals, strict=True)}
                note_keys(connection, self.store.desk_id, keys)
        return received

    def _receive_one(
        self, work: UnitOfWork, mailbox_id: int, arrival: FetchedMail, source: str, known: PreparedMail | None
    ) -> int:
        who = known.identity if known else identity(arrival.raw)
        packed = (known.sha256, known.packed) if known else None
        earlier = work.seen(who.message_id, who.digest)
        row = {
            "mailbox_id": mailbox_id, "uidvalidity": arrival.uidvalidity, "uid": arrival.uid, "source": source,
            "raw_sha256": raw_mail.put(work.connection, arrival.raw, work.now, packed), "digest": who.digest,
            "message_id": who.message_id, "size": arrival.size, "partial": arrival.partial,
            "attempts": 1,  # `process` follows at once; see `processing`
        }  # fmt: skip
        if earlier is not None:
            row |= {"state": "duplicate", "duplicate_of": earlier, "place": "processed", "reason": f"same as {earlier}"}
        return work.add_inbound(row)

    def understanding(self) -> AnalysisPool:
        """Processes that understand mail for this desk, for as long as a backlog lasts."""
        return AnalysisPool(self._own)

    def look(self, mailbox: str, uidvalidity: int, uids: Collection[int]) -> tuple[dict[int, Seen], list[int]]:
        """(Which of these mails were taken in already, and where they belong; `unprocessed`), as of one moment."""
        mailbox_id = self.store.mailbox_id(mailbox)
        with self.store.reading() as connection:
            work = UnitOfWork(connection, self.store.desk_id, self.clock.now())
            rows = work.seen_uids(mailbox_id, uidvalidity, uids)
            left = _unprocessed(work)
        return {row.uid: Seen(row.id, Folder(row.place) if row.place else None) for row in rows}, left

    def seen(self, mailbox: str, uidvalidity: int, uids: Collection[int]) -> dict[int, Seen]:
        """Which of these mails were taken in already, and where they belong."""
        return self.look(mailbox, uidvalidity, uids)[0]

    def filed(self, ids: Iterable[int]) -> None:
        """These mails were moved to where they belong."""
        with self.store.writing(wait_for_disk=False) as connection:  # what is not known to be filed is filed once more
            self._work(connection).set_filed(list(ids))

    def astray(self, mailbox: str, limit: int = BATCH * 10) -> list[Misfiled]:
        """Mail of this mailbox that was let in after it had been moved to the quarantine folder."""
        mailbox_id = self.store.mailbox_id(mailbox)
        with self.store.reading() as connection:
            return UnitOfWork(connection, self.store.desk_id, self.clock.now()).astray(mailbox_id, limit)

    def retrieved(self, ids: Sequence[int]) -> None:
        """These were moved out of the quarantine folder, or are not there any more."""
        with self.store.writing() as connection:
            self._work(connection).retrieved(ids)

    # Understanding and deciding

    def unprocessed(self) -> list[int]:
        """Mails that were stored but not handled yet, oldest first."""
        with self.store.reading() as connection:
            return _unprocessed(UnitOfWork(connection, self.store.desk_id, self.clock.now()))

    def expect(self, ids: Iterable[int], *, no_more: bool = False) -> None:
        """Another thread handles these at once: `process_left` leaves them to it, until `process` was through."""
        self._processing.expect(ids, no_more=no_more)

    def process(
        self,
        ids: Sequence[int],
        raws: Mapping[int, bytes] | None = None,
        understood: Mapping[int, Analysis] | None = None,
        *,
        worker: str = "",
    ) -> list[ProcessingResult]:
        """Handle stored mails in their order; `raws` spares reading back what is in memory still.

        `understood`: what another process found out about them already. `worker`: only those that were given out to it
        and not taken away again (`store.claims`).

        Raises only for the machine's faults, and then everything not committed is as it was.
        """
        return self._processing.fresh(ids, raws or {}, understood or {}, worker)

    def process_left(self, ids: Sequence[int], *, worker: str = "") -> list[ProcessingResult]:
        """Handle mails whose first attempt came to nothing (`unprocessed`), one by one; see `processing`."""
        return self._processing.left(ids, worker)

    def _understand(self, row: Any, raw: bytes, known: Analysis | None = None) -> IncomingMail:
        """Everything that a mail says by itself. Pure, and outside of any write."""
        found = known or analyse(raw, self._own, partial_size=row.size if row.partial else None)
        flags = row.explanation or {}
        return IncomingMail(
            row.id, row.mailbox_id, row.raw_sha256, found.message, found.verdict, row.partial,
            released=bool(flags.get("released")), proven=bool(flags.get("proven")),
            program=self._program(row, found.message), from_form=row.source == "web", words=found.words,
            received_at=row.received_at,
        )  # fmt: skip

    def _screened(self, row: Any, raw: bytes, known: Analysis | None = None) -> IncomingMail:
        """A mail as it may be acted on. May ask a virus scanner: outside of any transaction."""
        return self._screening.screen(self._understand(row, raw, known), raw)

    def _program(self, row: Any, message: InboundMessage) -> str:
        """What a mail's new ticket is about: the form says so by itself, else the mailbox that it came to."""
        if row.source == "web":
            return message.headers.get("X-Mailbot-Program")[:80]
        return self.profile.program_of(row.mailbox_id)

    # The clock

    def fire_due_timers(self, read: Mapping[int, datetime] | None = None) -> int:
        """Remind and close where it is due; how many tickets were touched. Call only after the inbox was read.

        `read`: the mailboxes that were, by their row's id, and the moment from which; tickets of the desk's other ones
        wait. None: all that is due fires.
        """
        through = self._read_through(read)
        fired = 0
        while True:
            with self.store.writing() as connection:
                turn = self._turn(self._work(connection))
                due = turn.work.due_tickets(turn.work.now, TIMER_BATCH, through)
                for loaded in turn.work.tickets_by_id(due).values():
                    timers = tuple(t for t in loaded.ticket.timers if t.due_at <= turn.work.now)
                    if timers:  # else another worker, whom we waited for here, was faster
                        apply_event(turn, loaded, TimerFired(turn.work.now, timers))
                turn.work.drop_stray_timers(due)
            fired += len(due)
            if len(due) < TIMER_BATCH:
                return fired

    def _read_through(self, read: Mapping[int, datetime] | None) -> dict[int, datetime | None] | None:
        """For each mailbox of the desk when its reading began, None for never; 0: for mail that came otherwise."""
        if read is None:
            return None
        mailboxes = self.profile.mailboxes
        through: dict[int, datetime | None] = {box: read.get(box) for box in mailboxes}
        return through | {0: through[mailboxes[0]] if mailboxes else self.clock.now()}

    def summarise(self) -> int:
        """Tell agents in one mail what was not announced one by one, where it is time; how many mails that were."""
        with self.store.writing() as connection:
            return summarise(self._turn(self._work(connection)))

    def tell_of_quarantine(self) -> bool:
        """Once a day, when the desk has opened: list for the leads what is held. Was something queued?"""
        now = self.clock.now()
        opening = self._policy.hours.opened_at(now)
        if opening is None:
            return False
        with self.store.reading() as connection:
            due = quarantine_lists.is_due(UnitOfWork(connection, self.store.desk_id, now), opening)
        if not due:
            return False
        with self.store.writing() as connection:
            return send_list(self._turn(self._work(connection)), opening)

    def next_due(self) -> Any:
        """The earliest deadline of all tickets, or None."""
        with self.store.reading() as connection:
            return UnitOfWork(connection, self.store.desk_id, self.clock.now()).next_due()

    # What people at a shell or a page can do

    def ingest(self, raw: bytes, source: str = "ingest") -> Ingested:
        """Feed one mail through the same path as IMAP; the same mail twice is known the second time."""
        who = identity(raw)
        with self.store.reading() as connection:
            work = UnitOfWork(connection, self.store.desk_id, self.clock.now())
            earlier = work.seen(who.message_id, who.digest)
            waits = earlier is not None and any(row.state == "received" for row in work.inbound_unlocked([earlier]))
        if earlier is not None and waits:  # whoever took it in died before it was handled
            return self._ingested(earlier)
        if earlier is not None:
            return Ingested(earlier, "duplicate", None, f"taken in before as mail {earlier}")
        is_partial = len(raw) > self.profile.max_size
        # repeatable, so that two commands at once can't take the same mail in twice
        uid = int(hashlib.sha256(f"{who.message_id} {who.digest}".encode()).hexdigest()[:13], 16)
        kept = raw.split(b"\r\n\r\n", 1)[0].split(b"\n\n", 1)[0] + b"\r\n\r\n" if is_partial else raw
        arrival = FetchedMail(0, uid, kept, len(raw), None, is_partial)
        [inbound_id] = self.receive(source, [arrival], source)
        return self._ingested(inbound_id, {inbound_id: kept})

    def _ingested(self, inbound_id: int, raws: Mapping[int, bytes] | None = None) -> Ingested:
        [processed] = self.process([inbound_id], raws) or [self._processing.by_another(inbound_id)]
        return Ingested(inbound_id, processed.state, processed.number, processed.reason)

    def agent_acts(self, number: int, *, agent: str, text: str) -> None:
        """What an agent could write in a mail about this ticket, commands first. NotPossible says what is wrong."""
        with self.store.writing() as connection:
            turn = self._turn(self._work(connection))
            who = turn.policy.agent(agent.lower())
            if who is None:
                known = ", ".join(a.email for a in turn.policy.agents) or "nobody (add one: mailbot agent add EMAIL)"
                raise NotPossible(f"{agent} is no agent of this desk. Agents are: {known}")
            loaded = turn.work.ticket(number)
            if loaded is None:
                raise NotPossible(f"There is no ticket #{number}. `mailbot ticket list` shows those that there are.")
            source = Words(Address(who.email, who.name), Role.AGENT, text)
            errors = run_commands(turn, loaded, who, source)
            if errors:
                raise NotPossible("\n".join(_in_words(error) for error in errors))

    def release(self, ids: Sequence[int]) -> list[ProcessingResult]:
        """Let held mail in as if it had just come and were trusted; see `release_flags`."""
        with self.store.writing() as connection:
            work = self._work(connection)
            for row in self._held(work, ids):
                flags = release_flags(row)
                work.set_inbound(row.id, state="received", explanation=flags, traceback="", attempts=1)
                work.audit("admin", "quarantine release", f"mail {row.id} from {row.sender}")
        return self.process(list(ids))

    def discard(self, ids: Sequence[int]) -> None:
        """Give up held mail: it stays in the quarantine folder and in the store, but is no longer listed."""
        with self.store.writing() as connection:
            work = self._work(connection)
            for row in self._held(work, ids):
                work.set_inbound(row.id, state="discarded", processed_at=work.now)
                work.audit("admin", "quarantine discard", f"mail {row.id} from {row.sender}")

    def _held(self, work: UnitOfWork, ids: Sequence[int]) -> list[Any]:
        rows = work.inbound(ids)
        wrong = sorted(set(ids) - {row.id for row in rows if row.state in ("quarantined", "held")})
        if wrong:
            named = ", ".join(map(str, wrong))
            raise NotPossible(f"Not in quarantine: {named}. `mailbot quarantine list` shows what is.")
        return rows

    def retry_outbox(self, ids: Sequence[int] | None = None) -> int:
        """Make undelivered mail due now, failed mail too, the back-off forgotten; how many."""
        with self.store.writing() as connection:
            work = self._work(connection)
            return work.retry_outbox(ids, work.now + self.profile.retry_for)

    def cancel_outbox(self, ids: Sequence[int]) -> int:
        """Take undelivered mail out of the queue; how many."""
        with self.store.writing() as connection:
            work = self._work(connection)
            cancelled = work.cancel_outbox(ids)
            work.audit("admin", "outbox cancel", " ".join(map(str, ids)))
            return cancelled

    def agents(self) -> tuple[Agent, ...]:
        """All agents: of the configuration first, then those added by command."""
        with self.store.reading() as connection:
            return self._agents(UnitOfWork(connection, self.store.desk_id, self.clock.now()))

    def add_agent(
        self, email: str, name: str, role: str = "agent", aliases: Sequence[str] = (), programs: Sequence[str] = ()
    ) -> None:
        """Add an agent beside those of the configuration."""
        agent = Agent(email.lower(), name, tuple(a.lower() for a in aliases), role, tuple(programs))
        with self.store.writing() as connection:
            work = self._work(connection)
            known = self._policy_with(self._agents(work))
            for address in (agent.email, *agent.aliases):
                if known.agent(address) or self.profile.is_own(address):
                    raise NotPossible(f"{address} is an agent's or the desk's own address already.")
            add_agent(connection, self.store.desk_id, agent, work.now)
            work.audit("admin", "agent add", agent.email)

    def remove_agent(self, email: str) -> None:
        """Take away an agent who was added by command; their reply addresses stop working at once."""
        with self.store.writing() as connection:
            work = self._work(connection)
            if not remove_agent(connection, self.store.desk_id, email.lower()):
                where = "in the configuration file: take the [[agents]] entry out there" if any(
                    a.email == email.lower() for a in self._policy.agents
                ) else "no agent of this desk"  # fmt: skip
                raise NotPossible(f"{email} is {where}.")
            work.audit("admin", "agent remove", email.lower())

    def note_team(self) -> None:
        """Take down who stands in the configuration; what was signed for who stood there and left is worth nothing."""
        with self.store.writing() as connection:
            work = self._work(connection)
            for email in note_fixed(connection, self.store.desk_id, self._policy.agents, work.now):
                work.audit("configuration", "agent remove", email)

    def export_requester(self, email: str) -> dict[str, Any]:
        """Everything that the desk holds about a person."""
        from mailbot.store.privacy.export import export_requester

        return export_requester(self.store, email.lower())

    def erase_requester(self, email: str) -> Any:
        """Remove a person's data; numbers and an audit line stay."""
        from mailbot.store.privacy.erasure import erase_requester

        return erase_requester(self.store, email.lower(), now=self.clock.now(), actor="admin")

    # Surroundings

    def turn(self, work: UnitOfWork) -> Context:
        """The surroundings of a transaction (for `Delivery`)."""
        return self._turn(work)

    def _work(self, connection: Any) -> UnitOfWork:
        return UnitOfWork(connection, self.store.desk_id, self.clock.now())

    def _turn(self, work: UnitOfWork) -> Context:
        policy = self._policy_with(self._agents(work))
        turn = Context(
            work, self.profile, policy, self._post, lambda row: self._reread(work, row),
            lambda digest: raw_mail.get(work.connection, digest),
            lambda inbound_id: self._processing.again(turn, inbound_id),
        )  # fmt: skip
        return turn

    def _reread(self, work: UnitOfWork, row: Any) -> IncomingMail:
        mail = self._understand(row, raw_mail.get(work.connection, row.raw_sha256) or b"")
        return replace(self._screening.screen_again(mail, row.explanation or {}), proven=True)

    def _agents(self, work: UnitOfWork) -> tuple[Agent, ...]:
        return work.team(self._policy.agents)

    def _policy_with(self, agents: tuple[Agent, ...]) -> Policy:
        return replace(self._policy, agents=agents)


def _unprocessed(work: UnitOfWork) -> list[int]:
    return work.inbound_in_state("received", BATCH * 50)


def _in_words(error: CommandError) -> str:
    """Why a command was refused, for somebody at a shell; without a choice no choice is announced."""
    from mailbot.vocabulary.labels import COMMAND_ERRORS

    sentence = COMMAND_ERRORS[error.fault]
    if not error.possible:
        sentence = sentence.partition(" {possible}")[0].removesuffix(" Possible:")
    return sentence.format(found=error.found or error.line, possible=", ".join(error.possible))
