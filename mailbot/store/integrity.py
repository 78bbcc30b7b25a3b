"""The integrity check of a database: its files, its schema, its references, and a sample of the raw mail.

In: a `Store`. Out: one line for each fault, with its remedy; none where the database is sound. Nothing is changed. It
takes as long as reading the whole file.
"""

from __future__ import annotations

import secrets
import sqlite3
import stat
from collections.abc import Callable, Iterator

from sqlalchemy import Connection, bindparam, select, text

from mailbot.errors import StoreUnavailable
from mailbot.store import compression
from mailbot.store.engine import Store
from mailbot.store.schema_version import HEAD, version
from mailbot.store.tables import RAW_MAIL

SAMPLE = 200

_RESTORE = "restore the last `mailbot db backup`"

# Queries that must find nothing. mailbot itself causes none of these faults: the database was edited or damaged.
_ORPHANS = (
    (
        "messages of no mail that is known",
        "SELECT m.id FROM message m LEFT JOIN inbound i ON i.id = m.inbound_id "
        "WHERE m.inbound_id IS NOT NULL AND i.id IS NULL",
    ),
    (
        "mails of no ticket that is known",
        "SELECT i.id FROM inbound i LEFT JOIN ticket t ON t.id = i.ticket_id "
        "WHERE i.ticket_id IS NOT NULL AND t.id IS NULL",
    ),
    (
        "outgoing mails of no ticket that is known",
        "SELECT o.id FROM outbox o LEFT JOIN ticket t ON t.id = o.ticket_id "
        "WHERE o.ticket_id IS NOT NULL AND t.id IS NULL",
    ),
    (
        "mails that wait to be handled, but whose text is gone",
        "SELECT i.id FROM inbound i LEFT JOIN raw_mail r ON r.sha256 = i.raw_sha256 "
        "WHERE i.state IN ('received', 'quarantined', 'held') AND r.sha256 IS NULL",
    ),
    (
        "mails whose raw mail is another's",
        "SELECT i.id FROM inbound i JOIN raw_mail r ON r.id = i.raw_id WHERE r.sha256 <> i.raw_sha256",
    ),
    (
        "raw mails that nothing refers to",
        "SELECT r.sha256 FROM raw_mail r WHERE NOT EXISTS (SELECT 1 FROM inbound i WHERE i.raw_id = r.id)",
    ),
    (
        "follow-ups of no ticket that is known",
        "SELECT t.number FROM ticket t LEFT JOIN ticket o ON o.desk_id = t.desk_id AND o.number = t.follow_up_of "
        "WHERE t.follow_up_of IS NOT NULL AND o.id IS NULL",
    ),
    (
        "tickets merged into none that is known",
        "SELECT t.number FROM ticket t LEFT JOIN ticket o ON o.desk_id = t.desk_id AND o.number = t.merged_into "
        "WHERE t.merged_into IS NOT NULL AND o.id IS NULL",
    ),
    (
        "tickets with a number that will be given again",
        "SELECT t.number FROM ticket t JOIN desk d ON d.id = t.desk_id WHERE t.number >= d.next_number",
    ),
)

_FIRST_RAW_MAILS = select(RAW_MAIL).order_by(RAW_MAIL.c.sha256).limit(SAMPLE)
_NEXT_RAW_MAIL = select(RAW_MAIL).where(RAW_MAIL.c.sha256 >= bindparam("start")).order_by(RAW_MAIL.c.sha256).limit(1)


class InUse(StoreUnavailable):
    """Another process holds the write lock of a SQLite database, which is sound as far as it was checked."""


def check(store: Store) -> list[str]:
    """Return the faults of the database, one line each; [] where it is sound.

    Raises `InUse` where no fault was found but the search index was not checked, because that takes the write lock.
    """
    found: list[str] = []
    steps: tuple[Callable[[Store], Iterator[str]], ...] = (_files, _schema, _pages, _references, _raw_mail, _search)
    for step in steps:
        try:
            for problem in step(store):
                found.append(problem)
        except InUse:
            if not found:
                raise
        except StoreUnavailable as error:
            found.append(str(error))
        if found and step in {_schema, _pages}:
            break  # the remaining checks would report the same fault again
    return found


def _files(store: Store) -> Iterator[str]:
    if store.path is None:
        return
    for path in (store.path, *sorted(store.path.parent.glob(f"{store.path.name}-*"))):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            yield f"{path} can be read by others (mode {mode:o}): chmod 600 {path}"


def _schema(store: Store) -> Iterator[str]:
    with store.reading() as connection:
        found = version(connection)
        if found is None:
            yield "there are no tables yet: mailbot db upgrade"
        elif found != HEAD:
            yield f"the schema is {found}, this mailbot has {HEAD}: mailbot db upgrade"
        elif not _has_trigger(connection):
            yield f"new messages are not noted for search (the trigger message_to_index is gone): {_RESTORE}"


def _pages(store: Store) -> Iterator[str]:
    if not store.is_sqlite:
        return
    with store.reading() as connection:
        for fault in connection.scalars(text("PRAGMA integrity_check(20)")):
            if fault != "ok":
                yield f"the file is damaged ({fault}): {_RESTORE}"
        for row in connection.execute(text("PRAGMA foreign_key_check")):
            yield f"row {row[1]} of {row[0]} refers to no {row[2]}: {_RESTORE}"


def _references(store: Store) -> Iterator[str]:
    with store.reading() as connection:
        for words, query in _ORPHANS:
            rows = connection.execute(text(f"{query} LIMIT 1001")).all()
            if rows:
                count = "over 1000" if len(rows) > 1000 else str(len(rows))
                yield f"{count} {words} (first: {rows[0][0]}): {_RESTORE}"


def _search(store: Store) -> Iterator[str]:
    if store.is_sqlite:
        try:
            with store.writing() as connection:
                connection.execute(text("INSERT INTO ticket_search (ticket_search) VALUES ('integrity-check')"))
        except StoreUnavailable as error:
            if getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                raise InUse(str(error)) from error
            yield f"the index of words is damaged ({error.__cause__ or error}): {_RESTORE}"


def _raw_mail(store: Store) -> Iterator[str]:
    """Decompress raw mails: all of a small desk, otherwise the first ones and a random sample of all digests."""
    with store.reading() as connection:
        rows = list(connection.execute(_FIRST_RAW_MAILS))
        if len(rows) == SAMPLE:
            starts = [{"start": secrets.token_hex(32)} for _ in range(SAMPLE)]
            rows += [row for start in starts for row in connection.execute(_NEXT_RAW_MAIL, start)]
        for sha256, row in {row.sha256: row for row in rows}.items():
            try:
                compression.unpack(sha256, row.size, row.body)
            except compression.RawMailDamaged as error:
                yield str(error)


def _has_trigger(connection: Connection) -> bool:
    name = "message_to_index"
    if connection.dialect.name == "sqlite":
        query = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = :name"
    else:
        query = "SELECT 1 FROM pg_trigger WHERE tgname = :name AND tgenabled <> 'D'"
    return connection.execute(text(query), {"name": name}).first() is not None
