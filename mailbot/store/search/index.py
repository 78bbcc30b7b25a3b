"""Word search over a desk's tickets: number, subject, requester, and what people wrote (not what mailbot wrote).

One document per ticket: its distinct words, folded (case, accents), split at anything that is neither letter nor digit.
A ticket matches if it has every word of the query, in any of its messages; a word of three letters or more is a prefix
("rekon" finds "rekonsiliasi"), a number matches only itself. Words are split here, by one rule for both databases.
SQLite keeps them in an FTS5 index (sqlite.org/fts5.html: contentless, detail=none, row id = ticket id, so that the
newest tickets come first without a sort; `search.sqlite` queries it), PostgreSQL in a `tsvector` under a GIN index.

A trigger on `message` queues new messages in `to_index`, so the write side does nothing. `catch_up` indexes them in
batches, which costs a third of indexing each mail in its own commit. Every search catches up first; the daemon does so
when it is idle, so that a search rarely has to.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, select, text

from mailbot.store.engine import Store
from mailbot.store.search import sqlite
from mailbot.store.search.sqlite import (
    filtered,
    fit_few,
    may_continue,
)
from mailbot.store.tables import (
    MESSAGE,
    TICKET,
    TICKET_WORDS,
    TO_INDEX,
    AnyRow,
)

CHUNK = 200
MAX_TEXT = 50_000  # characters of one message that are indexed
MAX_WORDS = 20_000  # of one ticket: PostgreSQL refuses a tsvector over 1 MB
MAX_WORD = 40
MAX_QUERY_WORDS = 10

_WORD = re.compile(r"[^\W_]+")

# Queried by itself: joined with the messages, PostgreSQL may scan all of those.
_QUEUED = select(TO_INDEX.c.message_id).order_by(TO_INDEX.c.message_id).with_for_update(skip_locked=True)
_MESSAGES = (
    select(
        MESSAGE.c.id.label("message_id"),
        MESSAGE.c.ticket_id,
        MESSAGE.c.subject,
        MESSAGE.c.text,
        MESSAGE.c.author,
        MESSAGE.c.author_name,
        MESSAGE.c.attachments,
        TICKET.c.number,
        TICKET.c.subject.label("ticket_subject"),
        TICKET.c.requester_email,
        TICKET.c.requester_name,
    )
    .join(TICKET, TICKET.c.id == MESSAGE.c.ticket_id)
    .where(MESSAGE.c.id.in_(bindparam("queued", expanding=True)))
)
_DONE = delete(TO_INDEX).where(TO_INDEX.c.message_id == bindparam("done"))

_SQLITE_KNOWN = select(TICKET_WORDS.c.ticket_id, TICKET_WORDS.c.words).where(
    TICKET_WORDS.c.ticket_id.in_(bindparam("tickets", expanding=True))
)
_SQLITE_ADD = (
    text("INSERT INTO ticket_search (rowid, words) VALUES (:ticket, :added)"),
    text(
        "INSERT INTO ticket_words (ticket_id, words) VALUES (:ticket, :added) "
        "ON CONFLICT (ticket_id) DO UPDATE SET words = words || ' ' || excluded.words"
    ),
)
_POSTGRESQL_ADD = text(
    "INSERT INTO ticket_words (ticket_id, words) VALUES (:ticket, array_to_tsvector(CAST(:added AS text[]))) "
    "ON CONFLICT (ticket_id) DO UPDATE SET words = CASE WHEN length(ticket_words.words) < :most "
    "THEN ticket_words.words || excluded.words ELSE ticket_words.words END"
)


# PostgreSQL overestimates how common a rare prefix is, and would then scan all tickets for it, newest first. So the
# tickets are counted first, up to this number; only for a really common word are tickets scanned.
_POSTGRESQL_RARE = 2000
_POSTGRESQL_ALL = text("SELECT ticket_id FROM ticket_words WHERE words @@ CAST(:words AS tsquery) LIMIT :most")
_POSTGRESQL_FIND = (
    "SELECT t.id FROM ticket_words s JOIN ticket t ON t.id = s.ticket_id WHERE s.words @@ CAST(:words AS tsquery) "
    "AND t.desk_id = :desk{where} ORDER BY t.number DESC LIMIT :limit"
)
_POSTGRESQL_FIND_RARE = (
    "SELECT t.id FROM ticket t WHERE t.id = ANY(:found) AND t.desk_id = :desk{where} "
    "ORDER BY t.number DESC LIMIT :limit"
)


def words_of(*texts: str) -> list[str]:
    """Return the distinct words of texts as the index keeps them, in order of appearance.

    >>> words_of("Rekonsiliasi BKU, #12345", "bku_final.pdf")
    ['rekonsiliasi', 'bku', '12345', 'final', 'pdf']
    """
    found: dict[str, None] = {}
    for words in texts:
        for word in _WORD.findall(_folded(words[:MAX_TEXT])):
            found[word[:MAX_WORD]] = None
    return list(found)


def words_of_query(query: str) -> list[str]:
    """Return the words of a query, at most `MAX_QUERY_WORDS`."""
    return words_of(query[:1000])[:MAX_QUERY_WORDS]


def tsquery(words: Sequence[str]) -> str:
    """Return PostgreSQL's query for all of these words: letters and digits, so nothing in the quotes is syntax."""
    return " & ".join(f"'{word}':*" if may_continue(word) else f"'{word}'" for word in words)


def find(connection: Connection, desk_id: int, query: str, filters: Mapping[str, str], limit: int) -> list[int]:
    """Return the row ids of the newest `limit` tickets that match the query and the filters, newest first.

    `filters` are values of the columns status, requester_email, agent.
    """
    words = words_of_query(query)
    if not words or limit <= 0:
        return []
    if connection.dialect.name == "sqlite":
        return sqlite.find(connection, desk_id, words, filters, limit)
    return _find_in_postgresql(connection, desk_id, words, filters, limit)


def _find_in_postgresql(
    connection: Connection, desk_id: int, words: Sequence[str], filters: Mapping[str, str], limit: int
) -> list[int]:
    query = tsquery(words)
    values: dict[str, object] = {**filters, "desk": desk_id, "words": query, "limit": limit}
    statement = _POSTGRESQL_FIND
    if not fit_few(filters):
        found = connection.scalars(_POSTGRESQL_ALL, {"words": query, "most": _POSTGRESQL_RARE + 1}).all()
        if len(found) <= _POSTGRESQL_RARE:
            statement = _POSTGRESQL_FIND_RARE
            values["found"] = found
    return [row.id for row in connection.execute(text(statement.format(where=filtered(filters))), values)]


def catch_up(store: Store, at_most: int | None = None) -> int:
    """Index queued messages, in transactions of `CHUNK`; return how many it was.

    `at_most`: stop after about this many (a daemon between two mails), otherwise when the queue is empty.
    """
    done = 0
    while at_most is None or done < at_most:
        with store.reading() as connection:
            if connection.execute(select(TO_INDEX.c.message_id).limit(1)).first() is None:
                break
        with store.writing() as connection:
            taken = index_some(connection, CHUNK)
        done += taken
        if taken < CHUNK:
            break
    return done


def index_some(connection: Connection, limit: int) -> int:
    """Index up to `limit` queued messages within the caller's transaction; return how many it was."""
    queued = connection.scalars(_QUEUED.limit(limit)).all()
    if queued:
        rows = connection.execute(_MESSAGES, {"queued": queued})
        # In the order of tickets: FTS5 wants ascending row ids, and two PostgreSQL workers must not deadlock.
        by_ticket: dict[int, list[AnyRow]] = {}
        for row in sorted(rows, key=lambda row: (row.ticket_id, row.message_id)):
            by_ticket.setdefault(row.ticket_id, []).append(row)
        if by_ticket:
            _add(connection, {ticket: _words_of_ticket(some) for ticket, some in by_ticket.items()})
        connection.execute(_DONE, [{"done": message} for message in queued])
    return len(queued)


def forget(connection: Connection, tickets: Sequence[int]) -> None:
    """Remove tickets (by row id) from the index and from the queue of messages.

    FTS5 hides them at once and drops their words when its segments are merged: see `merge_segments`.
    """
    wanted = {"tickets": list(tickets)}
    connection.execute(delete(TO_INDEX).where(TO_INDEX.c.ticket_id.in_(bindparam("tickets", expanding=True))), wanted)
    if connection.dialect.name == "sqlite":
        # To delete from a contentless FTS5 table takes the words that were inserted.
        gone = [{"ticket": row.ticket_id, "words": row.words} for row in connection.execute(_SQLITE_KNOWN, wanted)]
        if gone:
            statement = "INSERT INTO ticket_search (ticket_search, rowid, words) VALUES ('delete', :ticket, :words)"
            connection.execute(text(statement), gone)
    connection.execute(
        delete(TICKET_WORDS).where(TICKET_WORDS.c.ticket_id.in_(bindparam("tickets", expanding=True))), wanted
    )


def merge_segments(connection: Connection) -> None:
    """Rewrite SQLite's FTS5 index as one segment, without the words of removed tickets. Costs its whole size."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO ticket_search (ticket_search) VALUES ('optimize')"))


def _words_of_ticket(rows: Sequence[AnyRow]) -> list[str]:
    """Return the words of one ticket's new messages, and of the ticket itself as it is now."""
    ticket = rows[-1]
    texts = [str(ticket.number), ticket.ticket_subject, ticket.requester_email, ticket.requester_name]
    for row in rows:
        names = [str(attachment.get("name", "")) for attachment in row.attachments or ()]
        texts += [row.subject, row.author, row.author_name, row.text, *names]
    return words_of(*texts)


def _add(connection: Connection, words: dict[int, list[str]]) -> None:
    if connection.dialect.name != "sqlite":
        rows = [{"ticket": ticket, "added": found[:MAX_WORDS], "most": MAX_WORDS} for ticket, found in words.items()]
        connection.execute(_POSTGRESQL_ADD, rows)
        return
    known = {row.ticket_id: row.words.split(" ") for row in connection.execute(_SQLITE_KNOWN, {"tickets": list(words)})}
    # Each word once per ticket: what is deleted from FTS5 later must be exactly what was inserted.
    fresh = {ticket: _unknown(found, known.get(ticket, ())) for ticket, found in words.items()}
    rows = [{"ticket": ticket, "added": " ".join(added)} for ticket, added in fresh.items() if added]
    for statement in _SQLITE_ADD if rows else ():
        connection.execute(statement, rows)


def _unknown(found: Iterable[str], known: Sequence[str]) -> list[str]:
    have = frozenset(known)
    return [word for word in found if word not in have][: max(0, MAX_WORDS - len(have))]


def _folded(words: str) -> str:
    """Fold case and remove accents (Unicode compatibility decomposition, UAX #15)."""
    if words.isascii():
        return words.lower()
    plain = unicodedata.normalize("NFKD", words)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
