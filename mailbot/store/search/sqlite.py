"""Queries of SQLite's full-text index for the newest tickets that have all of some words.

In: folded words (`index.words_of`), filters. Out: row ids of tickets, newest first, in a time that depends neither on
the number of tickets nor on how many match. FTS5 walks through the tickets of one word newest first and stops when it
has enough; for a prefix it first merges the tickets of all words that begin with it, which took 0.3 s for two words
that every second of a million tickets had. So a prefix is expanded to the words that begin with it (fts5vocab:
sqlite.org/fts5.html, each a look-up of its own). Where there are too many of them, many tickets have one, and the
newest tickets are scanned for it; only where that finds too few is FTS5 left to merge, which then concerns few tickets.

With filters that few tickets pass (one person's tickets, open ones) it is the other way round: the words of those
tickets are read, because querying the index for one ticket costs as much as for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

MOST_CONTINUATIONS = 64
MAX_SCANNED = 5000  # tickets, at 20 or more per millisecond

_LAST_LETTER = "\U0010ffff"
_BEFORE_ANY_LETTER = "\x01"

# `term > …` would walk through all tickets of the previous word; its immediate successor is looked up instead.
_NEXT_WORD = text("SELECT term FROM ticket_search_words WHERE term >= :first AND term <= :last LIMIT 1")

# CROSS JOIN fixes in SQLite which table is read first: the index, newest first, until there are enough …
_FIND = (
    "SELECT t.id FROM ticket_search s CROSS JOIN ticket t WHERE s.ticket_search MATCH :words AND t.id = s.rowid "
    "AND t.desk_id = :desk{where} ORDER BY s.rowid DESC LIMIT :limit"
)
# … or the tickets where few pass the filters …
_FIND_AMONG_FEW = (
    "SELECT t.id FROM ticket t CROSS JOIN ticket_words w WHERE t.desk_id = :desk{where} AND w.ticket_id = t.id{having} "
    "ORDER BY t.number DESC LIMIT :limit"
)
# … or the newest tickets, each with whether it matches.
_SCAN = (
    "SELECT t.id, (t.desk_id = :desk{where}{having}) AS fits FROM ticket_search s CROSS JOIN ticket_words w "
    "CROSS JOIN ticket t WHERE s.ticket_search MATCH :words AND w.ticket_id = s.rowid AND t.id = s.rowid "
    "ORDER BY s.rowid DESC LIMIT :scanned"
)
_SCAN_ALL = (
    "SELECT t.id, (t.desk_id = :desk{where}{having}) AS fits FROM ticket_words w CROSS JOIN ticket t "
    "WHERE t.id = w.ticket_id ORDER BY w.ticket_id DESC LIMIT :scanned"
)


def may_continue(word: str) -> bool:
    """Tell whether a word of a query is a prefix."""
    return len(word) >= 3 and not word.isdigit()


def filtered(filters: Mapping[str, str]) -> str:
    """Return the SQL of the filters on a ticket `t`; parameters have the names of the columns."""
    return "".join(f" AND t.{name} = :{name}" for name in ("status", "requester_email", "agent") if name in filters)


def fit_few(filters: Mapping[str, str]) -> bool:
    """Tell whether few tickets pass the filters: one person's, or open ones."""
    return "requester_email" in filters or filters.get("status", "closed") != "closed"


def find(
    connection: Connection, desk_id: int, words: Sequence[str], filters: Mapping[str, str], limit: int
) -> list[int]:
    """Return the newest `limit` tickets that have all of the words and pass the filters."""
    values: dict[str, object] = {**filters, "desk": desk_id, "limit": limit}
    where = filtered(filters)
    if fit_few(filters):
        having = _having(words, values)
        return _ids(connection, _FIND_AMONG_FEW.format(where=where, having=having), values)
    named: list[str] = []
    unnamed: list[str] = []
    for word in words:
        known = continuations(connection, word) if may_continue(word) else [word]
        if known is None:
            unnamed.append(word)
        else:
            named.append(any_of(known))
        if known == []:
            return []
    values["words"] = " AND ".join(named)
    if unnamed:
        scan = _SCAN if named else _SCAN_ALL
        having = _having(unnamed, values)
        found = _scan(connection, scan.format(where=where, having=having), values, limit)
        if found is not None:
            return found
        values["words"] = " AND ".join([*named, *(f'"{word}"*' for word in unnamed)])
    return _ids(connection, _FIND.format(where=where), values)


def continuations(connection: Connection, word: str) -> list[str] | None:
    """Return the indexed words with this prefix, sorted; None if there are more than `MOST_CONTINUATIONS`."""
    found: list[str] = []
    first = word
    while len(found) <= MOST_CONTINUATIONS:
        following: str | None = connection.scalar(_NEXT_WORD, {"first": first, "last": word + _LAST_LETTER})
        if following is None:
            return found
        found.append(following)
        first = following + _BEFORE_ANY_LETTER
    return None


def any_of(words: Sequence[str]) -> str:
    """Return FTS5's query for any of these words: letters and digits, so nothing in the quotes is syntax."""
    return "(" + " OR ".join(f'"{word}"' for word in words) + ")"


def _having(words: Sequence[str], values: dict[str, object]) -> str:
    """Return the SQL condition that a ticket `w` has the words, whose parameters are added to `values`."""
    for number, word in enumerate(words):
        values[f"word{number}"] = f" {word}" if may_continue(word) else f" {word} "
    return "".join(f" AND instr(' ' || w.words || ' ', :word{number}) > 0" for number in range(len(words)))


def _scan(connection: Connection, statement: str, values: dict[str, object], limit: int) -> list[int] | None:
    """Return the matches among the newest tickets; None if there may be more."""
    found: list[int] = []
    scanned = 0
    with connection.execute(text(statement), values | {"scanned": MAX_SCANNED}) as rows:
        for ticket, fits in rows:
            scanned += 1
            if fits:
                found.append(ticket)
                if len(found) == limit:
                    return found
    return found if scanned < MAX_SCANNED else None


def _ids(connection: Connection, statement: str, values: Mapping[str, object]) -> list[int]:
    return [row.id for row in connection.execute(text(statement), values)]
