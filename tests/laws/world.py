"""A desk and everybody around it, for the state machine: who said what, and what the desk sent to whom.

Every mail that is written carries a word that stands nowhere else ("kenari" and a number). Afterwards the world knows
who may read that word: whoever takes part in a ticket that holds it, and the agents; an agent's note, only agents.
Nothing here looks into the desk's memory except by the queries that an admin has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from pathlib import Path
from typing import Any

from mailbot.mail.compose.streaming import Outgoing
from mailbot.mail.fetched import FetchedMail
from mailbot.store.queries import list_tickets, show_ticket
from mailbot.store.tables import (
    INBOUND,
    MESSAGE,
    TICKET,
)
from mailbot.transport.smtp.submission import (
    Accepted,
    Deferred,
    Rejected,
)
from tests.support.people import (
    ADDRESS,
    BUDI,
    SALLY,
    WIRE,
    Sent,
    TryDesk,
)

REQUESTERS = ("acha@sekolah.example", "lain@dinas.example", "dini@gmail.com")
PARTICIPANTS = ("cece@sekolah.example", "kepala@dinas.example")
STRANGER = "orang@asing.example"
AGENTS = (SALLY, BUDI)
CANARY = re.compile(r"kenari\d+x")


class Killed(BaseException):
    """The process dies here: nothing of ours may catch it."""


@dataclass(frozen=True)
class Written:
    """One mail that somebody sent. `robot`: a machine wrote it; `forged`: not by who its From says."""

    sender: str
    canary: str
    raw: bytes
    robot: bool = False
    forged: bool = False


@dataclass
class World:
    """The desk, everything that was written to it, and everything that it sent."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    written: list[Written] = field(default_factory=list)
    waiting: list[Written] = field(default_factory=list)  # in the mailbox, not fetched yet
    notes: set[str] = field(default_factory=set)
    sent: list[Sent] = field(default_factory=list)
    sent_at: list[datetime] = field(default_factory=list)
    statuses: dict[int, str] = field(default_factory=dict)
    shown_to: dict[str, set[str]] = field(default_factory=dict)
    allowed_doubles: set[str] = field(default_factory=set)
    uid: int = 0
    server: str = "accepts"
    late: str = ""  # a recipient whose mail the server takes later
    count: int = 0
    touched: bool = True  # since the laws were checked

    def __post_init__(self) -> None:
        self.desk = TryDesk(self.folder, durable=False)
        self.now = self.desk.clock.now

    # Somebody writes

    def compose(
        self, sender: str, subject: str, text: str, *, to: str = ADDRESS, cc: str = "",
        headers: dict[str, str] | None = None, robot: bool = False, forged: bool = False, with_file: bool = False,
    ) -> Written:  # fmt: skip
        """A mail with a canary in its first line, in the name and the content of its file; it waits for `fetch`."""
        self.count += 1
        canary = f"kenari{self.count}x"
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        if cc:
            mail["Cc"] = cc
        mail["Message-ID"] = f"<{self.count}.surat@{sender.rpartition('@')[2]}>"
        mail["Date"] = format_datetime(self.now())
        for name, value in (headers or {}).items():
            mail[name] = value
        mail.set_content(text.replace("KENARI", canary))
        if with_file:
            mail.add_attachment(f"isi {canary}\n", subtype="csv", filename=f"{canary}.csv")
        made = Written(sender, canary, mail.as_bytes(policy=WIRE), robot, forged)
        self.written.append(made)
        self.waiting.append(made)
        return made

    def reply(self, to: Sent, sender: str, text: str, *, threaded: bool = True, **more: Any) -> Written:
        """A reply to a mail of the desk, as Gmail makes it."""
        quoted = "\n".join("> " + line for line in to.text.splitlines())
        body = f"{text}\n\nPada tanggal Sen, 3 Nov 2025 pukul 15.10 Helpdesk BOSP <{ADDRESS}> menulis:\n\n{quoted}\n"
        headers = dict(more.pop("headers", {}))
        if threaded:
            headers |= {"In-Reply-To": to["Message-ID"], "References": to["Message-ID"]}
        address = more.pop("to", "") or getaddresses([to["Reply-To"]])[0][1]
        return self.compose(sender, f"Re: {to['Subject']}", body, to=address, headers=headers, **more)

    # The mailbox, the server, the process

    def fetch(self, *, mailbox: str = "inbox", uidvalidity: int = 1, die_before_handling: bool = False) -> None:
        """A mailbox is read: all that waits is stored and then handled, in the order in which it lies there."""
        arrivals = []
        for mail in self.waiting:
            self.uid += 1
            arrivals.append(FetchedMail(uidvalidity, self.uid, mail.raw, len(mail.raw), None, False))
        self.touched = True
        helpdesk = self.desk.desk.helpdesk
        ids = helpdesk.receive(mailbox, arrivals) if arrivals else []
        self.waiting.clear()
        if die_before_handling:
            self.crash()
            return
        raws = {one: arrival.raw for one, arrival in zip(ids, arrivals, strict=True)}
        self._leave_out_duplicates(helpdesk.process(ids, raws))

    @staticmethod
    def _leave_out_duplicates(done: Any) -> None:
        assert all(mail.state != "received" for mail in done), "a mail that was handled is decided"

    def die_at_commit(self) -> None:
        """All that waits is stored; the process dies while it is handled, before the commit."""
        store = self.desk.desk.store
        arrivals = []
        for mail in self.waiting:
            self.uid += 1
            arrivals.append(FetchedMail(1, self.uid, mail.raw, len(mail.raw), None, False))
        if not arrivals:
            return
        ids = self.desk.desk.helpdesk.receive("inbox", arrivals)
        self.waiting.clear()
        inner = store.writing

        class Dying:
            def __init__(self, *, wait_for_disk: bool = True) -> None:
                self.transaction = inner(wait_for_disk=wait_for_disk)

            def __enter__(self) -> Any:
                return self.transaction.__enter__()

            def __exit__(self, *_: object) -> None:
                error = Killed()
                self.transaction.__exit__(Killed, error, None)
                raise error

        store.writing = Dying  # type: ignore[method-assign, assignment]
        try:
            self.desk.desk.helpdesk.process(ids)
        except Killed:
            pass
        finally:
            del store.writing
        self.crash()

    def crash(self) -> None:
        """The process is gone without finishing anything; the next one starts from the same folder."""
        self.touched = True
        moment = self.now()
        self.desk.close()
        self.desk = TryDesk(self.folder, start=moment, durable=False, **self.settings)
        self.now = self.desk.clock.now
        self.desk.desk.delivery.take_back()
        for left in self.desk.desk.helpdesk.unprocessed():
            self.desk.desk.helpdesk.process_unprocessed([left])

    def deliver(self, *, die_after_accepting: bool = False) -> None:
        """What is due goes to the SMTP server, who says what it says now."""
        self.touched = True

        def send(envelope_from: str, recipient: str, raw: bytes | Outgoing) -> Accepted | Deferred | Rejected:
            mail = Sent(envelope_from, recipient, bytes(raw))
            if self.server == "defers" or recipient == self.late:
                return Deferred(451, "4.2.2 later", server_gone=False)
            if self.server == "refuses" and recipient not in AGENTS:
                return Rejected(550, "5.1.1 unknown")
            self.sent.append(mail)
            self.sent_at.append(self.now())
            if die_after_accepting:
                self.allowed_doubles.add(mail["Message-ID"])
                raise Killed
            return Accepted("250 ok")

        class Server:
            pass

        server = Server()
        server.send = send  # type: ignore[attr-defined]
        try:
            while self.desk.desk.delivery.deliver_due(server).tried:  # type: ignore[arg-type]
                continue
        except Killed:
            self.crash()

    # What there is

    def tickets(self) -> dict[int, dict[str, Any]]:
        """All tickets, whole, by their numbers."""
        return {number: self.ticket(number) for number in self.numbers()}

    def numbers(self) -> list[int]:
        return sorted(t.as_json()["number"] for t in list_tickets(self.desk.desk.store, limit=1000))

    def ticket(self, number: int) -> dict[str, Any]:
        found = show_ticket(self.desk.desk.store, number)
        assert found is not None
        return found.as_json()

    def inbound(self) -> list[Any]:
        with self.desk.desk.store.reading() as connection:
            return list(connection.execute(INBOUND.select().order_by(INBOUND.c.id)))

    def messages(self) -> list[Any]:
        """Every message, with the number of its ticket."""
        query = MESSAGE.join(TICKET, TICKET.c.id == MESSAGE.c.ticket_id).select().with_only_columns(
            MESSAGE, TICKET.c.number
        )  # fmt: skip
        with self.desk.desk.store.reading() as connection:
            return list(connection.execute(query))
