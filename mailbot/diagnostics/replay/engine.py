"""A temporary desk that an archive is run through: the real code, simulated time, nothing sent.

In: settings (a real desk's, or none), an archive's mails in the order of their time. Out: a desk in a temporary folder
whose database has all that would have happened; `findings` reads it. Before each mail the clock is set to every
deadline before it, so that reminders and closings happen at their own time; after the last mail, to those left.

Differences from a real desk: its key is new (a reply address of the archive proves nothing: threads are found by
References and numbers); an agent's mail is trusted without authentication, as nothing is sent; the SMTP server accepts
all mail at once; the database doesn't fsync.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from mailbot.config.model import AgentSettings, HelpdeskSettings, Settings, StorageSettings
from mailbot.desk.helpdesk import Receipt
from mailbot.desk.wiring import Desk, open_desk
from mailbot.diagnostics.replay.archive import ArchivedMail
from mailbot.diagnostics.replay.recorded_answers import keep_archived_message_id, mark_authenticated, record_desk_answer
from mailbot.diagnostics.replay.simulated_delivery import deliver
from mailbot.mail.fetched import FetchedMail
from mailbot.runtime.clock import ManualClock
from mailbot.ticket.ticket import Agent

log = logging.getLogger(__name__)

MAILBOX = "replay"
# The agent behind the desk's own answers in the archive if none was named (RFC 2606: nobody has this address).
DEFAULT_AGENT = AgentSettings(name="Agent", email="agent@replay.invalid")
# A bound against timers that never end, which would be a bug; a replay must end nevertheless.
MAX_ROUNDS = 10_000


@dataclass
class Tally:
    """What is not in the temporary desk's database."""

    mails: int = 0
    unreadable: list[str] = field(default_factory=list)  # locations of mails that could not be read from the disk


def settings_for_replay(
    base: Settings | None, folder: Path, *, address: str = "", agents: Sequence[str] = ()
) -> Settings:
    """Return the desk's settings with another folder, a new key, no send limit, and `address` and `agents` added."""
    base = base or Settings(helpdesk=HelpdeskSettings())
    known = {each for agent in base.agents for each in agent.addresses}
    added = tuple(AgentSettings(name=email.partition("@")[0], email=email) for email in agents if email not in known)
    helpdesk = base.helpdesk.model_copy(update={"secret_file": None} | ({"address": address} if address else {}))
    return base.model_copy(
        update={
            "helpdesk": helpdesk,
            "storage": StorageSettings(data_dir=folder),
            "smtp": base.smtp.model_copy(update={"max_per_minute": 0}),
            "agents": (*base.agents, *added) or (DEFAULT_AGENT,),
        }
    )


class Replay:
    """One run, as a context manager: the desk and its folder are removed at the end."""

    def __init__(self, settings: Callable[[Path], Settings], start: datetime) -> None:
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mailbot-replay-")))
        self.clock = ManualClock(start)
        self.tally = Tally()
        try:
            self.settings = settings(self.folder)
            self.desk: Desk = self._stack.enter_context(open_desk(self.settings, clock=self.clock, durable=False))
        except BaseException:
            self._stack.close()
            raise
        self._agents: frozenset[str] = frozenset(address for a in self.settings.agents for address in a.addresses)
        self.ended_at = start

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def receive(self, mail: ArchivedMail, raw: bytes) -> None:
        """Fire the timers that are due before this mail, then process it."""
        self._run_until(mail.at)
        self.clock.set(max(self.clock.now(), mail.at))
        [inbound_id] = self.desk.helpdesk.receive(MAILBOX, [self._fetched(raw)], Receipt(MAILBOX))
        self.tally.mails += 1
        by_agent = mail.author in self._agents
        by_desk = not by_agent and self.desk.helpdesk.profile.is_own(mail.author)
        if not (by_desk and record_desk_answer(self.desk, inbound_id, raw, self._desk_author())):
            if by_agent:
                mark_authenticated(self.desk, inbound_id)
            self.desk.helpdesk.process([inbound_id], {inbound_id: raw})
        if by_agent or by_desk:
            keep_archived_message_id(self.desk, inbound_id)
        deliver(self.desk)
        self.ended_at = self.clock.now()

    def skip(self, mail: ArchivedMail) -> None:
        """Skip a mail that can't be read from the disk; its number stays unused."""
        self.tally.unreadable.append(mail.location)
        self.tally.mails += 1

    def finish(self) -> None:
        """Fire the remaining timers, after the last mail."""
        self._run_until(None)

    def _fetched(self, raw: bytes) -> FetchedMail:
        """Return the mail as the inbox reader would fetch it: only the header if it is too large."""
        is_partial = len(raw) > self.settings.inbound.max_size
        kept = raw.split(b"\r\n\r\n", 1)[0].split(b"\n\n", 1)[0] + b"\r\n\r\n" if is_partial else raw
        return FetchedMail(1, self.tally.mails, kept, len(raw), self.clock.now(), is_partial)

    def _desk_author(self) -> Agent:
        """Return the assumed author of answers from the desk's address, for tickets without an agent."""
        first = self.settings.agents[0]
        return Agent(first.email, first.name, first.aliases, first.role)

    def _run_until(self, end: datetime | None) -> None:
        """Fire every timer up to `end` (None: all) at its own time."""
        for _ in range(MAX_ROUNDS):
            due = self.desk.helpdesk.next_due()
            if due is None or (end is not None and due > end):
                return
            self.clock.set(max(self.clock.now(), due))
            fired = self.desk.helpdesk.fire_due_timers()
            deliver(self.desk)
            if not fired:
                self.clock.advance(
                    timedelta(seconds=1)
                )  # a deadline between two microseconds, the resolution of the database
        log.warning("more than %d deadlines between two mails: skipping the rest", MAX_ROUNDS)
