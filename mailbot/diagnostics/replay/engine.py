"""A throw-away desk that an archive is run through: real path, simulated time, nothing sent.

In: settings (a real desk's, or none), an archive's letters in the order of their time. Out: a desk in a temporary
folder whose database has all that would have happened; `findings` reads it. Before each mail the clock goes to every
deadline that lies before it, so that reminders and closings come at their own time; after the last mail those that are
left.

What differs from a real desk: its key is new (a reply address of the archive proves nothing: threads are found by
References and numbers); an agent's mail is believed without proof, for nothing goes out; the SMTP server takes all mail
at once; the database doesn't wait for the disk.
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

from mailbot.config.model import (
    AgentSettings,
    HelpdeskSettings,
    Settings,
    StorageSettings,
)
from mailbot.desk.helpdesk import Receipt
from mailbot.desk.wiring import Desk, open_desk
from mailbot.diagnostics.replay.answers import (
    believe,
    keep_their_message_id,
    speak_for_the_desk,
)
from mailbot.diagnostics.replay.letters import ArchivedMail
from mailbot.diagnostics.replay.post import deliver
from mailbot.mail.fetched import FetchedMail
from mailbot.runtime.clock import ManualClock
from mailbot.ticket.ticket import Agent

log = logging.getLogger(__name__)

MAILBOX = "replay"
# Who answers where the archive has the desk's own answers and nobody was named (RFC 2606: nobody has this address).
STAND_IN = AgentSettings(name="Agent", email="agent@replay.invalid")
# A desk whose timers never end would be a fault of ours; a replay must end all the same.
MAX_ROUNDS = 10_000


@dataclass
class Tally:
    """What only the run itself knows. `unreadable`: places of mails that could not be read from the disk."""

    mails: int = 0
    answers_of_desk: int = 0
    unreadable: list[str] = field(default_factory=list)


def settings_for_replay(
    base: Settings | None, folder: Path, *, address: str = "", agents: Sequence[str] = ()
) -> Settings:
    """The desk's settings with a place, a key and a pace of their own; `address` and `agents` come on top."""
    base = base or Settings(helpdesk=HelpdeskSettings())
    known = {each for agent in base.agents for each in agent.addresses}
    added = tuple(AgentSettings(name=email.partition("@")[0], email=email) for email in agents if email not in known)
    helpdesk = base.helpdesk.model_copy(update={"secret_file": None} | ({"address": address} if address else {}))
    return base.model_copy(
        update={
            "helpdesk": helpdesk,
            "storage": StorageSettings(data_dir=folder),
            "smtp": base.smtp.model_copy(update={"max_per_minute": 0}),
            "agents": (*base.agents, *added) or (STAND_IN,),
        }
    )


class Replay:
    """One run. Use it in a `with`: the desk and its folder are gone at the end."""

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

    def take(self, letter: ArchivedMail, raw: bytes) -> None:
        """One mail comes; before it, what was due."""
        self._live_until(letter.at)
        self.clock.set(max(self.clock.now(), letter.at))
        [inbound_id] = self.desk.helpdesk.receive(MAILBOX, [self._arrival(raw)], Receipt(MAILBOX))
        self.tally.mails += 1
        by_agent = letter.author in self._agents
        by_desk = not by_agent and self.desk.helpdesk.profile.is_own(letter.author)
        if by_desk and speak_for_the_desk(self.desk, inbound_id, raw, self._speaker()):
            self.tally.answers_of_desk += 1
        else:
            if by_agent:
                believe(self.desk, inbound_id)
            self.desk.helpdesk.process([inbound_id], {inbound_id: raw})
        if by_agent or by_desk:
            keep_their_message_id(self.desk, inbound_id)
        deliver(self.desk)
        self.ended_at = self.clock.now()

    def skip(self, letter: ArchivedMail) -> None:
        """A mail that can't be read from the disk; its number stays free."""
        self.tally.unreadable.append(letter.place)
        self.tally.mails += 1

    def finish(self) -> None:
        """No mail comes any more: what is still due happens, reminders and closings."""
        self._live_until(None)

    def _arrival(self, raw: bytes) -> FetchedMail:
        """As the inbox reader would get it: of a mail that is too large, only the header."""
        is_partial = len(raw) > self.settings.inbound.max_size
        kept = raw.split(b"\r\n\r\n", 1)[0].split(b"\n\n", 1)[0] + b"\r\n\r\n" if is_partial else raw
        return FetchedMail(1, self.tally.mails, kept, len(raw), self.clock.now(), is_partial)

    def _speaker(self) -> Agent:
        """Who is taken to have written what went out in the desk's name, where the ticket is nobody's yet."""
        first = self.settings.agents[0]
        return Agent(first.email, first.name, first.aliases, first.role)

    def _live_until(self, end: datetime | None) -> None:
        """Let every deadline up to `end` (None: all) come at its own time."""
        for _ in range(MAX_ROUNDS):
            due = self.desk.helpdesk.next_due()
            if due is None or (end is not None and due > end):
                return
            self.clock.set(max(self.clock.now(), due))
            fired = self.desk.helpdesk.fire_due_timers()
            deliver(self.desk)
            if not fired:
                self.clock.advance(timedelta(seconds=1))  # a deadline between two microseconds of the database
        log.warning("more than %d deadlines between two mails: the rest is left out", MAX_ROUNDS)
