"""How a database goes about the statements that were run on it: which of them read a whole table.

In: a store, and what is done with it. Out: the steps that go through a table without an index, with the statement.
SQLite: the statements are caught as SQLite itself sees them and EXPLAINed; its plans don't depend on how many rows
there are. PostgreSQL: `auto_explain` hands out the plan of each statement that runs, foreign keys' checks too;
sequential scans are forbidden to it, so that one is left only where no index would do. The store's URL has to be one
that `watching` made.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy import event

from mailbot.store.engine import Store

# Tables of a few rows each, for ever, and the notes of what is to be indexed, which are taken in their order.
# "bounded" is an inner select that ends at its limit; its own look-up stands beside it in the plan.
SMALL = {"desk", "mailbox", "agent", "lease", "to_index", "alembic_version", "quarantine_list", "claim", "bounded"}

_WATCHING = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "notice",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",  # such a join of small tables goes through both, by whatever index
    "enable_mergejoin": "off",
}
_READS_A_TABLE = ("Seq Scan", "Index Scan", "Index Only Scan")  # a bitmap's heap is read for what its index found
_LITERAL = re.compile(r"[xX]?'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")


def watching(url: str) -> str:
    """The URL of a PostgreSQL database whose plans `recorded` shall see."""
    return f"{url}&options={quote(' '.join(f'-c {name}={value}' for name, value in _WATCHING.items()))}"


@contextmanager
def recorded(store: Store) -> Iterator[list[str]]:
    """What is run meanwhile: on SQLite statements with their values in them, on PostgreSQL plans as JSON.

    Statements that differ in their values alone are recorded once.
    """
    found: dict[str, str] = {}

    def record(statement: str) -> None:
        if re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT)", statement) and "'main'.'ticket_search" not in statement:
            # what FTS5 asks of its own tables is its own affair
            found.setdefault(_LITERAL.sub("?", statement), statement)

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        _, plan, words = (diagnostic.message_primary or "").partition("plan:\n")
        if plan:
            found.setdefault(_LITERAL.sub("?", words), words)

    def listen(dbapi: Any, *_: object) -> None:
        if isinstance(dbapi, sqlite3.Connection):
            dbapi.set_trace_callback(record)
        else:
            dbapi.remove_notice_handler(note) if note in dbapi._notice_handlers else None
            dbapi.add_notice_handler(note)

    engines = {store._reader, store._writer}
    said: list[str] = []
    for engine in engines:
        event.listen(engine, "checkout", listen)
    yield said
    for engine in engines:
        event.remove(engine, "checkout", listen)
    said += found.values()


def scans(store: Store, said: list[str]) -> list[str]:
    """Steps of their plans that read a whole table or index."""
    return _scans_of_sqlite(store, said) if store.is_sqlite else _scans_of_postgresql(said)


def _scans_of_sqlite(store: Store, statements: list[str]) -> list[str]:
    found = []
    with store.reading() as connection:
        for statement in list(statements):
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}"):
                table = re.match(r"SCAN (?:TABLE )?(\w+)(?! VIRTUAL TABLE)\b", row[3])
                name = _real_name(table[1], statement) if table else ""
                if table and "VIRTUAL TABLE" not in row[3] and name not in SMALL and name != "CONSTANT":
                    found.append(f"{row[3]}: {statement}")
    return found


def _real_name(alias: str, statement: str) -> str:
    named = re.search(rf"(\w+) (?:AS )?{alias}\b", statement)
    return named[1] if named and len(alias) == 1 else alias


def _scans_of_postgresql(plans: list[str]) -> list[str]:
    found = []
    for plan in map(json.loads, plans):
        for node in _nodes(plan["Plan"]):
            whole = node["Node Type"] in _READS_A_TABLE and "Index Cond" not in node
            if whole and node["Relation Name"] not in SMALL:
                found.append(f"{node['Node Type']} of {node['Relation Name']}: {plan['Query Text']}")
    return found


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
