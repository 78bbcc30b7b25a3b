"""How SQLite's full-text index is asked for the newest tickets that have some words.

In: folded words (`search.words_of`), filters. Out: row ids of tickets, newest first, in a time that does not depend on
how many tickets there are or have the words. FTS5 goes through the tickets of one word newest first and stops when
there are enough; but for a beginning of a word it first merges the tickets of all words that begin so, which took
0.3 s for two words that every second of a million tickets had. So a beginning is first replaced by the words that
begin so (fts5vocab: sqlite.org/fts5.html, each a look-up of its own). Where they are too many to be named, many tickets
have one of them, and the newest tickets are looked through for it; only where that finds too few is FTS5 left to merge,
which costs as much as there are tickets with such a word: few.

Filters that few tickets fit (one person's, those that are open) turn it round: those tickets' words are read, for to
ask the index about one ticket costs as much as to ask it about all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

MOST_CONTINUATIONS = 64
LOOKED_THROUGH = 5000  # tickets, of which 20 take a millisecond or less

_LAST_LETTER = "\U0010ffff"
_BEFORE_ANY_LETTER = "\x01"

# `term > …` would go through all tickets of the word before; what follows it immediately is looked up instead.
_NEXT_WORD = text("SELECT term FROM ticket_search_words WHERE term >= :first AND term <= :last LIMIT 1")

# CROSS JOIN is SQLite's way to say which table is read first: the index, newest first, until there are enough …
_FIND = (
    "SELECT t.id FROM ticket_search s CROSS JOIN ticket t WHERE s.ticket_search MATCH :words AND t.id = s.rowid "
    "AND t.desk_id = :desk{where} ORDER BY s.rowid DESC LIMIT :limit"
)
# … or the tickets where few fit the filters …
_FIND_AMONG_FEW = (
    "SELECT t.id FROM ticket t CROSS JOIN ticket_words w WHERE t.desk_id = :desk{where} AND w.ticket_id = t.id{having} "
    "ORDER BY t.number DESC LIMIT :limit"
)
# … or the newest tickets, each with an answer to whether it is one.
_LOOK_THROUGH = (
    "SELECT t.id, (t.desk_id = :desk{where}{having}) AS fits FROM ticket_search s CROSS JOIN ticket_words w "
    "CROSS JOIN ticket t WHERE s.ticket_search MATCH :words AND w.ticket_id = s.rowid AND t.id = s.rowid "
    "ORDER BY s.rowid DESC LIMIT :looked"
)
_LOOK_THROUGH_ALL = (
    "SELECT t.id, (t.desk_id = :desk{where}{having}) AS fits FROM ticket_words w CROSS JOIN ticket t "
    "WHERE t.id = w.ticket_id ORDER BY w.ticket_id DESC LIMIT :looked"
)


def may_continue(word: str) -> bool:
    """Does a word of a query also find its continuations?"""
    return len(word) >= 3 and not word.isdigit()


def filtered(filters: Mapping[str, str]) -> str:
    """SQL for the filters, on a ticket `t`; the values' names are the columns'."""
    return "".join(f" AND t.{name} = :{name}" for name in ("status", "requester_email", "agent") if name in filters)


def fit_few(filters: Mapping[str, str]) -> bool:
    """One person's tickets, or those that are still open, are few enough to be looked through."""
    return "requester_email" in filters or filters.get("status", "closed") != "closed"


def find(
    connection: Connection, desk_id: int, words: Sequence[str], filters: Mapping[str, str], limit: int
) -> list[int]:
    """The newest `limit` tickets that have all of the words and fit the filters."""
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
        looked_in = _LOOK_THROUGH if named else _LOOK_THROUGH_ALL
        having = _having(unnamed, values)
        found = _look_through(connection, looked_in.format(where=where, having=having), values, limit)
        if found is not None:
            return found
        values["words"] = " AND ".join([*named, *(f'"{word}"*' for word in unnamed)])
    return _ids(connection, _FIND.format(where=where), values)


def continuations(connection: Connection, word: str) -> list[str] | None:
    """The indexed words that begin so, in their order; None if they are more than `MOST_CONTINUATIONS`."""
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
    """One of these words, for FTS5. They hold letters and digits only: nothing that is syntax inside the quotes."""
    return "(" + " OR ".join(f'"{word}"' for word in words) + ")"


def _having(words: Sequence[str], values: dict[str, object]) -> str:
    """SQL for tickets `w` that have the words; their values are put in."""
    for number, word in enumerate(words):
        values[f"word{number}"] = f" {word}" if may_continue(word) else f" {word} "
    return "".join(f" AND instr(' ' || w.words || ' ', :word{number}) > 0" for number in range(len(words)))


def _look_through(connection: Connection, statement: str, values: dict[str, object], limit: int) -> list[int] | None:
    """What is found among the newest; None if there may be more."""
    found: list[int] = []
    looked = 0
    with connection.execute(text(statement), values | {"looked": LOOKED_THROUGH}) as rows:
        for ticket, fits in rows:
            looked += 1
            if fits:
                found.append(ticket)
                if len(found) == limit:
                    return found
    return found if looked < LOOKED_THROUGH else None


def _ids(connection: Connection, statement: str, values: Mapping[str, object]) -> list[int]:
    return [row.id for row in connection.execute(text(statement), values)]
