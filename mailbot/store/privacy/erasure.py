"""Erasure of a person's data: Article 17 of the GDPR, Article 8 of Indonesia's UU 27/2022.

In: an address. Afterwards the database holds neither it nor their name, words and files, nor what was written to them.
What stays: the tickets' numbers, times, statuses and agents (so that reports stay correct), closed and empty; and an
audit line, which identifies the address only by the beginning of its SHA-256. What they did as an agent stays too.

On SQLite the files are rewritten, so that no deleted text remains in them: the search index as one segment, the
database by VACUUM, the write-ahead log truncated. (PRAGMA secure_delete alone was measured to leave one erased row in
three hundred in the unused part of a page that was split.) On PostgreSQL the tables are vacuumed: their space may be
overwritten then. Archived WAL, backups and the mail account's own folders are out of reach: the admin has to clear
those.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, case, delete, func, insert, select, update

from mailbot.errors import StoreUnavailable
from mailbot.store import raw_mail
from mailbot.store.engine import Store
from mailbot.store.privacy.redact import Mentions
from mailbot.store.privacy.traces import (
    Traces,
    find_traces,
    in_parts,
)
from mailbot.store.search import index
from mailbot.store.tables import (
    AUDIT,
    EVENT,
    INBOUND,
    MESSAGE,
    OUTBOX,
    PARTICIPANT,
    RAW_MAIL,
    TICKET,
    TICKET_WORDS,
    TIMER,
    TO_INDEX,
)
from mailbot.ticket.ticket import Role, Status

NOBODY = "(erased)"

_WAITING_FOR_US = ("received", "quarantined", "held")
_TOUCHED = (TICKET, PARTICIPANT, MESSAGE, EVENT, TIMER, OUTBOX, INBOUND, RAW_MAIL, TICKET_WORDS, AUDIT)


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased."""

    tickets: int  #: of which they were the requester
    messages: int  #: including those on tickets of others
    mails: int  #: raw mails

    def audit_detail(self, email: str, numbers: Iterable[int]) -> str:
        """Return the text of the audit line."""
        who = hashlib.sha256(email.encode()).hexdigest()[:12]
        tickets = " ".join(f"#{number}" for number in numbers) or "no tickets"
        return f"address with SHA-256 {who}…: {tickets}; {self.messages} messages, {self.mails} mails"


def erase_requester(store: Store, email: str, *, now: datetime, actor: str) -> Erased:
    """Erase a person in one transaction, then from the files. Repeating it finds nothing and rewrites the files."""
    email = email.strip().lower()
    with store.writing() as connection:
        traces = find_traces(connection, store.desk_id, email)
        mentions = _mentions(connection, traces)
        numbers = _empty_tickets(connection, traces, now)
        _empty_messages(connection, traces)
        _empty_history(connection, traces)
        _empty_inbound(connection, traces)
        _delete(connection, OUTBOX, traces.outbox)
        mails = _delete_raw_mail(connection, traces)
        _forget_mentions(connection, traces, mentions, now)
        _forget_words(connection, traces)
        _empty_audit(connection, store.desk_id, email)
        erased = Erased(len(traces.own), len(traces.messages), mails)
        audit = {"desk_id": store.desk_id, "at": now, "actor": actor, "action": "requester erase"}
        connection.execute(insert(AUDIT), audit | {"detail": erased.audit_detail(email, numbers)})
        index.merge_segments(connection)
    _sweep(store)
    return erased


def _empty_tickets(connection: Connection, traces: Traces, now: datetime) -> list[int]:
    """Close and empty their tickets and remove them from those of others; return the numbers of theirs."""
    values: dict[str, Any] = {
        "subject": "",
        "requester_email": "",
        "requester_name": "",
        "root_message_id": "",
        "tags": [],
        "status": Status.CLOSED.value,
        "closed_at": case((TICKET.c.closed_at.is_(None), now), else_=TICKET.c.closed_at),
    }
    numbers: list[int] = []
    for some in in_parts(traces.own):
        connection.execute(delete(TIMER).where(TIMER.c.ticket_id.in_(some)))
        connection.execute(delete(PARTICIPANT).where(PARTICIPANT.c.ticket_id.in_(some)))
        connection.execute(update(TICKET).where(TICKET.c.id.in_(some)).values(**values))
        numbers += connection.scalars(select(TICKET.c.number).where(TICKET.c.id.in_(some)))
    for some in in_parts(traces.shared):
        theirs = PARTICIPANT.c.ticket_id.in_(some) & (PARTICIPANT.c.email == traces.email)
        connection.execute(delete(PARTICIPANT).where(theirs))
    return sorted(numbers)


def _empty_messages(connection: Connection, traces: Traces) -> None:
    """Keep a message's time and kind and, where an agent or the desk wrote it, its author."""
    ours = MESSAGE.c.author_role.in_((Role.AGENT.value, Role.SYSTEM.value))
    values: dict[str, Any] = {
        "author": case((ours, MESSAGE.c.author), else_=NOBODY),
        "author_name": case((ours, MESSAGE.c.author_name), else_=""),
        "message_id": "",
        "subject": "",
        "text": "",
        "attachments": [],
        "raw_sha256": "",
        "mark": "",
    }
    for some in in_parts(traces.messages):
        connection.execute(update(MESSAGE).where(MESSAGE.c.id.in_(some)).values(**values))


def _empty_history(connection: Connection, traces: Traces) -> None:
    """Remove addresses from the history: on their own tickets those of all participants, elsewhere theirs."""
    for tickets, addresses in ((traces.own, traces.addresses), (traces.shared, frozenset({traces.email}))):
        for some in in_parts(tickets):
            for row in connection.execute(select(EVENT).where(EVENT.c.ticket_id.in_(some))).all():
                before = {name: row._mapping[name] for name in ("actor", "from", "to")}
                after = {name: _without(value, addresses) for name, value in before.items()}
                if after != before:
                    connection.execute(update(EVENT).where(EVENT.c.id == row.id).values(**after))


def _empty_inbound(connection: Connection, traces: Traces) -> None:
    """Keep the folder and UID of each mail, so that it is not received again; discard unprocessed mail."""
    values: dict[str, Any] = {
        "raw_sha256": "",
        "raw_id": None,
        "digest": "",
        "message_id": "",
        "sender": "",
        "subject": "",
        "reason": "",
        "traceback": "",
        "explanation": {},
        "state": case((INBOUND.c.state.in_(_WAITING_FOR_US), "discarded"), else_=INBOUND.c.state),
    }
    for some in in_parts(traces.inbound):
        connection.execute(update(INBOUND).where(INBOUND.c.id.in_(some)).values(**values))
        # A message that remains on a ticket (an agent forwarded the mail) is still found by its Message-ID.
        stays = MESSAGE.c.inbound_id.in_(some) & (MESSAGE.c.message_id != "")
        connection.execute(update(MESSAGE).where(stays).values(id_here=True))


def _delete_raw_mail(connection: Connection, traces: Traces) -> int:
    """Delete raw mail that nothing else refers to (the same mail may have opened another person's ticket)."""
    deleted = 0
    for some in in_parts(traces.raws):
        known = set(connection.scalars(select(RAW_MAIL.c.id).where(RAW_MAIL.c.sha256.in_(some))))
        wanted = set(connection.scalars(select(INBOUND.c.raw_id).where(INBOUND.c.raw_id.in_(known))))
        deleted += connection.execute(delete(RAW_MAIL).where(RAW_MAIL.c.id.in_(known - wanted))).rowcount
    return deleted


def _mentions(connection: Connection, traces: Traces) -> Mentions:
    """Return how others' mail may mention them: address, names, texts that may be quoted."""
    names: set[str] = set()
    texts: list[str] = []
    for some in in_parts(traces.own):
        names |= set(connection.scalars(select(TICKET.c.requester_name).where(TICKET.c.id.in_(some))))
    for some in in_parts(traces.shared):
        theirs = PARTICIPANT.c.ticket_id.in_(some) & (PARTICIPANT.c.email == traces.email)
        names |= set(connection.scalars(select(PARTICIPANT.c.name).where(theirs)))
    for some in in_parts(traces.messages):
        query = select(MESSAGE.c.author_name, MESSAGE.c.text)
        for row in connection.execute(query.where(MESSAGE.c.id.in_(some), MESSAGE.c.author == traces.email)):
            names.add(row.author_name)
            texts.append(row.text)
    return Mentions(traces.email, names, texts)


def _forget_mentions(connection: Connection, traces: Traces, mentions: Mentions, now: datetime) -> None:
    """Mask mentions of them in others' mail on shared tickets; the rest of that mail stays as it is."""
    for some in in_parts(traces.shared):
        for table, columns in ((MESSAGE, ("text", "subject")), (OUTBOX, ("text", "subject"))):
            for row in connection.execute(select(table).where(table.c.ticket_id.in_(some))).all():
                before: dict[str, Any] = {name: row._mapping[name] for name in columns}
                after: dict[str, Any] = {name: mentions.masked_in(value) for name, value in before.items()}
                if table is OUTBOX and row.raw:  # not sent yet
                    before["raw"], after["raw"] = bytes(row.raw), mentions.masked_in_mail(bytes(row.raw))
                if after != before:
                    connection.execute(update(table).where(table.c.id == row.id).values(**after))
        digests = set(connection.scalars(select(INBOUND.c.raw_sha256).where(INBOUND.c.ticket_id.in_(some))))
        digests |= set(connection.scalars(select(MESSAGE.c.raw_sha256).where(MESSAGE.c.ticket_id.in_(some))))
        for digest in sorted(digests - {""}):
            _rewrite_raw_mail(connection, digest, mentions, now)


def _rewrite_raw_mail(connection: Connection, digest: str, mentions: Mentions, now: datetime) -> None:
    raw = raw_mail.get(connection, digest)
    changed = mentions.masked_in_mail(raw) if raw is not None else raw
    if raw is None or changed is None or changed == raw:
        return
    before, new = raw_mail.row_of(connection, digest), raw_mail.put(connection, changed, now)
    having = list(connection.scalars(select(INBOUND.c.id).where(INBOUND.c.raw_id == before)))
    for some in in_parts(having):
        values = {"raw_sha256": new, "raw_id": raw_mail.row_of(connection, new)}
        connection.execute(update(MESSAGE).where(MESSAGE.c.inbound_id.in_(some)).values(raw_sha256=new))
        connection.execute(update(INBOUND).where(INBOUND.c.id.in_(some)).values(**values))
    for row in connection.execute(select(OUTBOX).where(OUTBOX.c.raw != b"")).all():  # attachments of queued mail
        files = [file | {"raw": new} if file.get("raw") == digest else file for file in row.attachments]
        if files != row.attachments:
            connection.execute(update(OUTBOX).where(OUTBOX.c.id == row.id).values(attachments=files))
    connection.execute(delete(RAW_MAIL).where(RAW_MAIL.c.sha256 == digest))


def _forget_words(connection: Connection, traces: Traces) -> None:
    """Remove their tickets from the search index; shared ones are indexed again from what remains on them."""
    for some in in_parts(traces.own + traces.shared):
        index.forget(connection, some)
    for some in in_parts(traces.shared):
        remaining = select(MESSAGE.c.id, MESSAGE.c.ticket_id).where(
            MESSAGE.c.ticket_id.in_(some), MESSAGE.c.direction == "in"
        )
        connection.execute(insert(TO_INDEX).from_select(["message_id", "ticket_id"], remaining))


def _empty_audit(connection: Connection, desk_id: int, email: str) -> None:
    """Remove the address from earlier audit lines."""
    named = func.lower(AUDIT.c.detail).contains(email, autoescape=True)
    for row in connection.execute(select(AUDIT).where(AUDIT.c.desk_id == desk_id, named)).all():
        connection.execute(
            update(AUDIT).where(AUDIT.c.id == row.id).values(detail=_without(row.detail, frozenset({email})))
        )


def _without(words: str, addresses: frozenset[str]) -> str:
    """Replace these addresses, in any case, by `NOBODY`."""
    lower = words.lower()
    for address in addresses:
        while (start := lower.find(address)) >= 0:
            words = words[:start] + NOBODY + words[start + len(address) :]
            lower = words.lower()
    return words


def _delete(connection: Connection, table: Table, ids: tuple[int, ...]) -> None:
    for some in in_parts(ids):
        connection.execute(delete(table).where(table.c.id.in_(some)))


def _sweep(store: Store) -> None:
    """Rewrite the database files without the deleted content."""
    with store.outside_transactions() as bare:
        cursor = bare.cursor()
        if not store.is_sqlite:
            cursor.execute(f"VACUUM {', '.join(table.name for table in _TOUCHED)}")
            return
        cursor.execute("VACUUM")
        end = time.monotonic() + store.lock_wait
        # The log can be truncated only while no reader uses an older snapshot.
        while cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] != 0:
            if time.monotonic() > end:
                raise StoreUnavailable(
                    f"The data is erased, but the log of {store.described()} still has traces of it, because readers "
                    "keep it in use: run the command again."
                )
            time.sleep(0.05)
