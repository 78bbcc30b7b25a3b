"""A desk with a little of everything, written by `store.work`: for tests of what is read, given out and erased.

`Sample` names what is where. Each text holds words that occur nowhere else, so that they can be looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailbot.mail.message import Address
from mailbot.store import raw_mail
from mailbot.store.engine import Store
from mailbot.store.tickets import StoredTicket
from mailbot.store.unit_of_work import UnitOfWork
from mailbot.ticket.events import JournalEntry
from mailbot.ticket.ticket import (
    CloseReason,
    Participant,
    Status,
    Ticket,
    Timer,
    TimerKind,
)

ACHA = Address("acha@sdn1.example", "Acha Rahmawati")
BUDI = Address("budi@smpn2.example", "Budi Santoso")
CITRA = Address("citra@sdn1.example", "Citra Lestari")
SALLY = "sally@helpdesk.example"

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Sample:
    """Ticket numbers: Acha's, the follow-up of it, Budi's (Acha takes part), and one that nobody shares."""

    acha: int
    follow_up: int
    budi: int
    other: int
    held: int


class Writer:
    """Puts tickets and mail into a desk, one hour after the other."""

    def __init__(self, store: Store, work: UnitOfWork, mailbox_id: int, uidvalidity: int = 1) -> None:
        self.store = store
        self.work = work
        self.mailbox_id = mailbox_id
        self.uidvalidity = uidvalidity
        self.uid = 0
        self.last_inbound = 0

    def ticket(
        self, requester: Address, subject: str, *, agent: str = "", program: str = "", **more: object
    ) -> StoredTicket:
        now = self.work.now
        ticket = Ticket(
            self.work.next_number(), subject, requester, Status.QUEUED, now, now, agent=agent, program=program
        )
        return self.work.open_ticket(
            ticket, self.mailbox_id, f"<root{ticket.number}@{requester.email.partition('@')[2]}>"
        )

    def mail(self, sender: Address, body: str, ticket: StoredTicket | None = None, **more: object) -> int:
        """An inbound row with its raw mail."""
        self.uid += 1
        raw = f"From: {sender.name} <{sender.email}>\r\nSubject: {body[:20]}\r\n\r\n{body}\r\n".encode()
        row = {
            "mailbox_id": self.mailbox_id, "uidvalidity": self.uidvalidity, "uid": self.uid, "source": "imap",
            "raw_sha256": raw_mail.put(self.work.connection, raw, self.work.now), "digest": f"digest{self.uid}",
            "message_id": f"<m{self.uid}.{sender.email}>", "size": len(raw), "sender": sender.email,
            "subject": body[:20], "ticket_id": ticket.id if ticket else None, "state": "processed",
            "explanation": {"from": sender.email},
        }  # fmt: skip
        self.last_inbound = self.work.add_inbound(row | more)
        return self.last_inbound

    def message(
        self, ticket: StoredTicket, author: Address, role: str, text: str, kind: str = "reply", **more: object
    ) -> int:
        inbound_id = self.mail(author, text, ticket)
        [row] = self.work.inbound([inbound_id])
        return self.work.add_message(
            ticket.id, direction="in", kind=kind, author=author.email, author_name=author.name, author_role=role,
            message_id=row.message_id, subject=row.subject, text=text, raw_sha256=row.raw_sha256, inbound_id=inbound_id,
            **more,
        )  # fmt: skip

    def sent(
        self, ticket: StoredTicket | None, to: Address, text: str, kind: str = "acknowledgement", **more: object
    ) -> int:
        now = self.work.now
        row = {
            "mailbox_id": self.mailbox_id, "ticket_id": ticket.id if ticket else None, "kind": kind,
            "recipient": to.email, "role": "requester", "message_id": f"<out{self.uid}.{to.email}.{kind}@desk>",
            "subject": text[:20], "text": text, "raw": text.encode(), "expires_at": now + 48 * HOUR,
        }  # fmt: skip
        return self.work.enqueue(row | more)

    def close(self, loaded: StoredTicket, at: datetime, reason: CloseReason) -> StoredTicket:

        closed = replace(
            loaded.ticket, status=Status.CLOSED, closed_at=at, close_reason=reason, updated_at=at, timers=()
        )
        return self.work.save(loaded, closed)


def fill(store: Store) -> Sample:
    """Write the sample; the store's clock tells when."""

    mailbox_id = store.mailbox_id("INBOX")
    now = store.clock.now()
    attachment = {"name": "bukti-transfer.jpg", "type": "image/jpeg", "size": 20481, "sha256": "ab" * 32}
    with store.writing() as connection:
        desk = Writer(store, UnitOfWork(connection, store.desk_id, now), mailbox_id)
        work = desk.work

        acha = desk.ticket(ACHA, "Tidak bisa tutup BKU", agent=SALLY, program="ARKAS")
        desk.message(
            acha, ACHA, "requester", "Kolom saldo merah, rekonsiliasi gagal.", "report", attachments=[attachment]
        )
        desk.sent(acha, ACHA, "Laporan Ibu Acha kami terima.")
        work.add_history(acha.id, [JournalEntry(now, ACHA.email, "created", "", "queued")])
        work.now = now + HOUR
        desk.message(acha, Address(SALLY, "Sally"), "agent", "Mohon kirim tangkapan layar.", "answer")
        desk.sent(acha, ACHA, "Mohon kirim tangkapan layar, Ibu Acha.", "answer", cycle=1)
        work.add_message(
            acha.id, direction="out", kind="notification", author="support@helpdesk.example", author_role="system",
            public=False,
        )  # fmt: skip
        desk.sent(acha, Address(SALLY), "Acha Rahmawati menulis: saldo merah", "notification", role="agent")
        work.now = now + 2 * HOUR
        with_citra = replace(acha.ticket, participants=(Participant(CITRA.email, CITRA.name),), updated_at=work.now)
        acha = work.save(acha, with_citra)
        desk.message(acha, CITRA, "participant", "Saya operator, nomornya enam-tujuh.")
        work.add_history(acha.id, [JournalEntry(work.now, CITRA.email, "reply"), JournalEntry(work.now, SALLY, "note")])
        acha = desk.close(acha, work.now, CloseReason.SOLVED)

        work.now = now + 26 * HOUR
        follow_up = desk.ticket(ACHA, "Tidak bisa tutup BKU lagi", agent=SALLY, program="ARKAS")
        waiting = replace(
            follow_up.ticket,
            follow_up_of=acha.ticket.number,
            status=Status.WAITING,
            waiting_since=work.now,
            updated_at=work.now,
            timers=(
                Timer(work.now + 6 * HOUR, TimerKind.REMINDER, 1),
                Timer(work.now + 48 * HOUR, TimerKind.CLOSE),
            ),
        )
        follow_up = work.save(follow_up, waiting)
        desk.message(follow_up, ACHA, "requester", "Kendala masih terjadi, penutupan macet.", "report")

        budi = desk.ticket(BUDI, "Laporan BOSP tahap dua", program="SIPLah")
        budi = work.save(budi, replace(budi.ticket, participants=(Participant(ACHA.email, ACHA.name),)))
        desk.message(budi, BUDI, "requester", "Unggahan terhenti di halaman tujuh.", "report")
        desk.message(budi, ACHA, "participant", "Sekolah kami mengalami gerhana juga.")
        desk.sent(budi, BUDI, "Laporan Bapak Budi kami terima.")
        desk.sent(budi, ACHA, "Salinan untuk Ibu Acha.")
        desk.sent(
            budi, Address(SALLY), "Acha menulis: gerhana", "notification", role="agent", inbound_id=desk.last_inbound
        )  # fmt: skip
        work.add_history(budi.id, [JournalEntry(work.now, ACHA.email, "reply", "", f"by {ACHA.email}")])

        other = desk.ticket(CITRA, "Lupa sandi akun dinas", agent="rudi@helpdesk.example")
        desk.message(other, CITRA, "requester", "Akun dinas terkunci sejak kemarin.", "report")
        other = desk.close(other, work.now, CloseReason.SPAM)

        # The same mail came to two tickets: what is left of one of them still needs it.
        desk.mail(BUDI, "Surat edaran bersama", acha)
        desk.mail(BUDI, "Surat edaran bersama", budi)
        held = desk.mail(
            ACHA, "Dokumen yang ditahan", state="quarantined", reason="no From", traceback=f"boom {ACHA.email}"
        )
        work.audit("admin", "quarantine show", f"mail 3 from {ACHA.email}")
    return Sample(acha.ticket.number, follow_up.ticket.number, budi.ticket.number, other.ticket.number, held)
