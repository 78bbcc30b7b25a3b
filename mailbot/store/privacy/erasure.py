"""A person's data, removed: Article 17 of the GDPR, Article 8 of Indonesia's UU 27/2022.

In: an address. Afterwards nothing in the database has it, their name, their words, their files, or what was written
to them. What stays: the tickets' numbers, times, statuses and agents (so that the reports stay true), closed and empty;
and an audit line, which names the address only by the beginning of its SHA-256. What they did as an agent stays too.

On SQLite the files are rewritten, so that the words are nowhere in them: the search index as one segment, the database
by VACUUM, the write-ahead log cut to nothing. (PRAGMA secure_delete alone was measured to leave one erased row in three
hundred behind, in the unused part of a page that was split.) On PostgreSQL the tables are vacuumed: the bytes may be
overwritten then, and archived WAL is beyond our reach. So are backups, and the mail account's own folders: the admin
has to see to those.
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
    """How much it was: tickets of theirs, messages (also on tickets of others), raw mails."""

    tickets: int
    messages: int
    mails: int


def erase_requester(store: Store, email: str, *, now: datetime, actor: str) -> Erased:
    """Remove a person, in one transaction, and then from the files. Doing it again finds nothing and sweeps again."""
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
        connection.execute(insert(AUDIT), _audit_row(store.desk_id, email, now, actor, numbers, erased))
        index.merge_segments(connection)
    _sweep(store)
    return erased


def _empty_tickets(connection: Connection, traces: Traces, now: datetime) -> list[int]:
    """Close and empty their tickets, take them out of those of others; the numbers of theirs."""
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
    """Keep that a message came, when, of which kind and, where an agent or the desk wrote it, by whom."""
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
    """Take addresses out of the history: on their own tickets those of all who took part, elsewhere theirs."""
    for tickets, addresses in ((traces.own, traces.addresses), (traces.shared, frozenset({traces.email}))):
        for some in in_parts(tickets):
            for row in connection.execute(select(EVENT).where(EVENT.c.ticket_id.in_(some))).all():
                before = {name: row._mapping[name] for name in ("actor", "from", "to")}
                after = {name: _without(value, addresses) for name, value in before.items()}
                if after != before:
                    connection.execute(update(EVENT).where(EVENT.c.id == row.id).values(**after))


def _empty_inbound(connection: Connection, traces: Traces) -> None:
    """Keep which mail of which folder it was, so that it is not taken in again. What waits is given up."""
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
        # what stays of such a mail on a ticket (an agent passed it on) is still found by its Message-ID
        stays = MESSAGE.c.inbound_id.in_(some) & (MESSAGE.c.message_id != "")
        connection.execute(update(MESSAGE).where(stays).values(id_here=True))


def _delete_raw_mail(connection: Connection, traces: Traces) -> int:
    """Delete raw mail that nothing else refers to (the same mail may have opened a ticket of somebody else's)."""
    deleted = 0
    for some in in_parts(traces.raws):
        known = set(connection.scalars(select(RAW_MAIL.c.id).where(RAW_MAIL.c.sha256.in_(some))))
        wanted = set(connection.scalars(select(INBOUND.c.raw_id).where(INBOUND.c.raw_id.in_(known))))
        deleted += connection.execute(delete(RAW_MAIL).where(RAW_MAIL.c.id.in_(known - wanted))).rowcount
    return deleted


def _mentions(connection: Connection, traces: Traces) -> Mentions:
    """How others' mail may speak of them: by address, by name, by quoting what they wrote."""
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
    """Write over what others' mail on shared tickets says of them; the rest of it stays where it is."""
    for some in in_parts(traces.shared):
        for table, columns in ((MESSAGE, ("text", "subject")), (OUTBOX, ("text", "subject"))):
            for row in connection.execute(select(table).where(table.c.ticket_id.in_(some))).all():
                before: dict[str, Any] = {name: row._mapping[name] for name in columns}
                after: dict[str, Any] = {name: mentions.out_of(value) for name, value in before.items()}
                if table is OUTBOX and row.raw:  # not sent yet
                    before["raw"], after["raw"] = bytes(row.raw), mentions.out_of_mail(bytes(row.raw))
                if after != before:
                    connection.execute(update(table).where(table.c.id == row.id).values(**after))
        digests = set(connection.scalars(select(INBOUND.c.raw_sha256).where(INBOUND.c.ticket_id.in_(some))))
        digests |= set(connection.scalars(select(MESSAGE.c.raw_sha256).where(MESSAGE.c.ticket_id.in_(some))))
        for digest in sorted(digests - {""}):
            _rewrite_raw_mail(connection, digest, mentions, now)


def _rewrite_raw_mail(connection: Connection, digest: str, mentions: Mentions, now: datetime) -> None:
    raw = raw_mail.get(connection, digest)
    changed = mentions.out_of_mail(raw) if raw is not None else raw
    if raw is None or changed is None or changed == raw:
        return
    before, new = raw_mail.row_of(connection, digest), raw_mail.put(connection, changed, now)
    having = list(connection.scalars(select(INBOUND.c.id).where(INBOUND.c.raw_id == before)))
    for some in in_parts(having):
        values = {"raw_sha256": new, "raw_id": raw_mail.row_of(connection, new)}
        connection.execute(update(MESSAGE).where(MESSAGE.c.inbound_id.in_(some)).values(raw_sha256=new))
        connection.execute(update(INBOUND).where(INBOUND.c.id.in_(some)).values(**values))
    for row in connection.execute(select(OUTBOX).where(OUTBOX.c.raw != b"")).all():  # files of mail that waits to go
        files = [file | {"raw": new} if file.get("raw") == digest else file for file in row.attachments]
        if files != row.attachments:
            connection.execute(update(OUTBOX).where(OUTBOX.c.id == row.id).values(attachments=files))
    connection.execute(delete(RAW_MAIL).where(RAW_MAIL.c.sha256 == digest))


def _forget_words(connection: Connection, traces: Traces) -> None:
    """Take their tickets out of the search index; those of others are indexed again, from what is left on them."""
    for some in in_parts(traces.own + traces.shared):
        index.forget(connection, some)
    for some in in_parts(traces.shared):
        left = select(MESSAGE.c.id, MESSAGE.c.ticket_id).where(
            MESSAGE.c.ticket_id.in_(some), MESSAGE.c.direction == "in"
        )
        connection.execute(insert(TO_INDEX).from_select(["message_id", "ticket_id"], left))


def _empty_audit(connection: Connection, desk_id: int, email: str) -> None:
    """Take the address out of what admins did before."""
    named = func.lower(AUDIT.c.detail).contains(email, autoescape=True)
    for row in connection.execute(select(AUDIT).where(AUDIT.c.desk_id == desk_id, named)).all():
        connection.execute(
            update(AUDIT).where(AUDIT.c.id == row.id).values(detail=_without(row.detail, frozenset({email})))
        )


def _audit_row(
    desk_id: int, email: str, now: datetime, actor: str, numbers: Iterable[int], erased: Erased
) -> dict[str, Any]:
    who = hashlib.sha256(email.encode()).hexdigest()[:12]
    tickets = " ".join(f"#{number}" for number in numbers) or "no tickets"
    detail = f"address with SHA-256 {who}…: {tickets}; {erased.messages} messages, {erased.mails} mails"
    return {"desk_id": desk_id, "at": now, "actor": actor, "action": "requester erase", "detail": detail}


def _without(words: str, addresses: frozenset[str]) -> str:
    """The same words with `NOBODY` in place of these addresses, in any case."""
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
    """Rewrite the files without what was deleted."""
    with store.outside_transactions() as bare:
        cursor = bare.cursor()
        if not store.is_sqlite:
            cursor.execute(f"VACUUM {', '.join(table.name for table in _TOUCHED)}")
            return
        cursor.execute("VACUUM")
        end = time.monotonic() + store.lock_wait
        # The log can be cut only in a moment when nobody reads an older state of the database.
        while cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] != 0:
            if time.monotonic() > end:
                raise StoreUnavailable(
                    f"The data is erased, but the log of {store.described()} still has traces of it, because somebody "
                    "reads the database all the time: do it again."
                )
            time.sleep(0.05)
