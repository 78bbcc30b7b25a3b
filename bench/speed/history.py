"""A desk with a long history, made in one go: for measuring whether its length costs anything.

    python -m bench.speed.history 1000000 --into FOLDER [--seed 1]      FOLDER/mailbot.db, as `[storage] data_dir`

1,000 tickets a day, the last ones just now, each with five messages: report, acknowledgement, answer, reply, answer.
Rows are consistent with each other as far as the daemon and the command line look: mail taken in and its raw bytes,
outbox rows that were sent, history, the words of each ticket under the search index. In every desk, of whatever size,
the last 200 tickets are open, and 100 before them wait with a timer that is due (those before that are closed; in a
desk of more than 10,000 tickets, 5,000 wait with a timer in the future). Raw mail is there for the last
20,000 tickets, genuine frames of a few mails; that of older ones is gone as under `[storage] keep_raw = "20d"`.
Reports repeat: there are 4,000 of them.

Indexes are taken away and made anew when most of the tickets are there, and nothing is written durably: a million
tickets take minutes. The rest is added to the indexes row by row, so that their pages are as full as those of an index
that grew, some two thirds: in one that was just made every page is full, and each mail would split another one.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import random
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.speed import corpus
from mailbot.runtime.clock import SystemClock
from mailbot.store import schema
from mailbot.store.compression import pack
from mailbot.store.engine import Store, StoreOptions
from mailbot.store.search import index

MAILBOX = "bench@127.0.0.1/INBOX"
AGENTS = ("sally@bench.local", "budi@bench.local", "citra@bench.local")
TICKETS_A_DAY = 1000
TICKETS_A_PERSON = 20
OPEN, DUE, WAITING = 200, 100, 5000
RAW_KEPT = 20_000
CHUNK = 2000
INDEXED_FROM = 0.7  # of the tickets

Row = tuple[Any, ...]


@dataclass
class Rows:
    """What is written together, by table."""

    ticket: list[Row] = field(default_factory=list)
    inbound: list[Row] = field(default_factory=list)
    raw: list[Row] = field(default_factory=list)
    message: list[Row] = field(default_factory=list)
    outbox: list[Row] = field(default_factory=list)
    event: list[Row] = field(default_factory=list)
    timer: list[Row] = field(default_factory=list)
    words: list[Row] = field(default_factory=list)
    automatic: list[Row] = field(default_factory=list)


class Writer:
    """Makes the rows of one ticket after the other."""

    def __init__(self, count: int, seed: int, now: datetime) -> None:
        self.count = count
        self.now = now
        self.dice = random.Random(seed)
        self.people = [corpus.person(self.dice, nth) for nth in range(max(1, count // TICKETS_A_PERSON))]
        self.frames = [
            (len(mail.raw), pack(mail.raw)[1]) for mail in corpus.mails(60, seed=seed) if len(mail.raw) < 20_000
        ]
        self.reports = [self._report() for _ in range(4000)]
        self.texts = [corpus.reply_words(self.dice) for _ in range(500)]
        self.inbound = self.message = self.outbox = 0
        self.folded: dict[str, list[str]] = {}

    def _report(self) -> tuple[str, str, frozenset[str]]:
        """Subject, text, and their words."""
        subject, text = corpus.subject_and_text(self.dice, self.dice.choice(self.people))
        return subject, text, frozenset(index.words_of(subject, text))

    def rows(self, numbers: range) -> Rows:
        """Tickets of these numbers (and row ids)."""
        rows = Rows()
        for number in numbers:
            self._ticket(rows, number)
        return rows

    def _ticket(self, rows: Rows, number: int) -> None:
        dice, from_end = self.dice, self.count - number
        who = dice.choice(self.people)
        subject, text, words = dice.choice(self.reports)
        agent = dice.choice(AGENTS)
        opened = self.now - timedelta(days=from_end / TICKETS_A_DAY, seconds=60)
        at = [_stamp(opened + timedelta(seconds=nth)) for nth in (0, 1, 20, 40, 50)]
        status = self._status(from_end)
        root = self._message_id(number)
        waiting = status == "waiting"
        closed = at[4] if status == "closed" else None
        reason = "solved" if closed else None
        rows.ticket.append((
            number, number, subject, who.email, who.name, status, agent, at[0], at[4], closed, reason, int(waiting),
            at[4] if waiting else None, root,
        ))  # fmt: skip
        first = self._in(rows, number, at[0], "report", who.email, who.name, "requester", subject, text, root)
        answer, reply, last = dice.choice(self.texts), dice.choice(self.texts), dice.choice(self.texts)
        self._out(rows, number, at[1], "acknowledgement", who.email, subject, text[:300], first, with_message=True)
        for nth, kind, said in ((2, "answer", answer), (3, "reply", reply), (4, "answer", last)):
            if kind == "reply":
                mid = self._message_id(number)
                self._in(rows, number, at[nth], kind, who.email, who.name, "requester", subject, said, mid)
                continue
            mid = self._message_id(number)
            inbound = self._in(rows, number, at[nth], kind, agent, "Agent", "agent", subject, said, mid)
            self._out(rows, number, at[nth], kind, who.email, subject, said, inbound, with_message=False)
        rows.event += [(number, at[0], who.email, "created", "", "queued"), (number, at[2], agent, "answer", "", "")]
        rows.event += [(number, at[3], who.email, "reply", "", ""), (number, at[4], agent, "status", "queued", status)]
        if waiting:
            due = self.now - timedelta(minutes=5) if from_end < OPEN + DUE else self.now + timedelta(days=30)
            rows.timer.append((number, "reminder", 1, _stamp(due)))
        rows.words.append((number, " ".join({*words, str(number), *self._names(who.email, who.name, agent)})))
        if from_end < 2 * TICKETS_A_DAY:
            hashed = hash((who.email, "bench")) >> 1
            rows.automatic.append((at[1], self.outbox, hashed, number, dice.getrandbits(62), dice.getrandbits(62)))

    def _message_id(self, number: int) -> str:
        """As mail programs make them: at random, so that neighbours in time are none in an index.

        Of the letters that corpus.py makes them of, or what comes later would fall between these.
        """
        letters = base64.b64encode(self.dice.randbytes(30), b"Aa").decode()
        return f"<CA{letters[:38]}.{number}@mail.example>"

    def _names(self, *names: str) -> Iterator[str]:
        for name in names:
            known = self.folded.get(name)
            if known is None:
                known = self.folded[name] = index.words_of(name)
            yield from known

    def _status(self, from_end: int) -> str:
        if from_end < OPEN:
            return "in_progress"
        if from_end < OPEN + DUE or (self.count > 2 * WAITING and from_end < OPEN + DUE + WAITING):
            return "waiting"
        return "closed"

    def _in(
        self, rows: Rows, ticket: int, at: str, kind: str, author: str, name: str, role: str, subject: str, text: str,
        message_id: str,
    ) -> int:  # fmt: skip
        self.inbound += 1
        self.message += 1
        sha256 = hashlib.sha256(message_id.encode()).hexdigest()
        size, frame = self.frames[self.inbound % len(self.frames)]
        is_kept = self.count - ticket < RAW_KEPT
        if is_kept:
            rows.raw.append((self.inbound, sha256, size, at, frame))
        rows.inbound.append((
            self.inbound, self.inbound, sha256, self.inbound if is_kept else None, sha256[::-1], message_id, at, size,
            author, subject, ticket, at,
        ))  # fmt: skip
        rows.message.append((
            self.message, ticket, at, "in", kind, author, name, role, message_id, subject, text, sha256, self.inbound,
            int(role != "requester"),
        ))  # fmt: skip
        return self.inbound

    def _out(
        self, rows: Rows, ticket: int, at: str, kind: str, recipient: str, subject: str, text: str, inbound: int, *,
        with_message: bool,
    ) -> None:  # fmt: skip
        self.outbox += 1
        message_id = f"<o{self.outbox}.{self.outbox * 7919:x}@bench.local>"
        if with_message:
            self.message += 1
            rows.message.append((
                self.message, ticket, at, "out", kind, corpus.DESK, "", "system", message_id, subject, text, "", None,
                0,
            ))  # fmt: skip
        rows.outbox.append((
            self.outbox, ticket, self.message, inbound, kind, recipient, message_id, f"#{ticket} - {subject}", text,
            int(with_message), at, at, at, at,
        ))  # fmt: skip


_INSERTS = {
    "ticket": "INSERT INTO ticket (id, desk_id, mailbox_id, number, subject, requester_email, requester_name, status, "
    "language, agent, priority, program, tags, created_at, updated_at, closed_at, close_reason, wait_cycle, "
    "waiting_since, reminders_sent, told, root_message_id) "
    "VALUES (?,1,1,?,?,?,?,?,'id',?,'normal','','[]',?,?,?,?,?,?,0,'[]',?)",
    "inbound": "INSERT INTO inbound (id, desk_id, mailbox_id, uidvalidity, uid, source, raw_sha256, raw_id, digest, "
    "message_id, received_at, size, partial, state, kind, rule, reason, sender, subject, ticket_id, traceback, "
    "explanation, attempts, place, filed, processed_at) VALUES (?,1,1,1,?,'imap',?,?,?,?,?,?,0,'processed','human',"
    "'person','nothing shows a machine',?,?,?,'','{}',1,'processed',1,?)",
    "raw": "INSERT INTO raw_mail (id, sha256, size, stored_at, body) VALUES (?,?,?,?,?)",
    "message": "INSERT INTO message (id, desk_id, ticket_id, at, direction, kind, author, author_name, author_role, "
    "public, message_id, subject, text, attachments, raw_sha256, inbound_id, mark, id_here, by_other) "
    "VALUES (?,1,?,?,?,?,?,?,?,1,?,?,?,'[]',?,?,'',0,?)",
    "outbox": "INSERT INTO outbox (id, desk_id, mailbox_id, ticket_id, message_row_id, inbound_id, kind, recipient, "
    "role, message_id, subject, text, raw, attachments, automatic, cycle, step, state, turn, attempts, "
    "created_at, next_attempt_at, expires_at, sent_at, last_error, lease_owner) "
    "VALUES (?,1,1,?,?,?,?,?,'person',?,?,?,x'','[]',?,0,0,'sent',10,1,?,?,?,?,'','')",
    "event": 'INSERT INTO event (desk_id, ticket_id, at, actor, kind, "from", "to") VALUES (1,?,?,?,?,?,?)',
    "timer": "INSERT INTO timer (ticket_id, kind, step, desk_id, due_at) VALUES (?,?,?,1,?)",
    "automatic": "INSERT INTO automatic_mail (desk_id, at, number, mailbox, ticket, alike_a, alike_b, domain_turn, "
    "alike_turn, sort) VALUES (1,?,?,?,?,?,?,0,0,'')",
}


def make(count: int, folder: Path, seed: int = 1, *, tell: bool = False) -> Path:
    """Make the desk; returns its database."""
    folder.mkdir(parents=True, exist_ok=True)
    with Store("", clock=SystemClock(), data_dir=folder, options=StoreOptions(first_ticket_number=1)) as store:
        schema.upgrade(store)
        assert (store.desk_id, store.mailbox_id(MAILBOX)) == (1, 1)
    path = folder / "mailbot.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-2000000; PRAGMA temp_store=MEMORY; "
        "PRAGMA threads=2; PRAGMA secure_delete=OFF"
    )
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type='index' AND sql IS NOT NULL"
    ).fetchall()
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'").fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    begun = time.monotonic()
    writer = Writer(count, seed, datetime.now(UTC))
    first = int(INDEXED_FROM * count)
    for numbers in (range(1, first + 1), range(first + 1, count + 1)):
        for done in _fill(connection, writer, numbers):
            if tell and done % (50 * CHUNK) == 0:
                print(f"{done} tickets, {time.monotonic() - begun:.0f} s", flush=True)
        for _, sql in indexes if numbers.start == 1 else triggers:
            connection.execute(sql)
    connection.execute("UPDATE desk SET next_number = ?", (count + 1,))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    if tell:
        print(f"{count} tickets in {time.monotonic() - begun:.0f} s, {path.stat().st_size / 1e9:.2f} GB", flush=True)
    return path


def _fill(connection: sqlite3.Connection, writer: Writer, wanted: range) -> Iterator[int]:
    for start in wanted[::CHUNK]:
        numbers = range(start, min(start + CHUNK, wanted.stop))
        rows = writer.rows(numbers)
        connection.execute("BEGIN")
        for table, statement in _INSERTS.items():
            connection.executemany(statement, getattr(rows, table))
        connection.executemany("INSERT INTO ticket_words (ticket_id, words) VALUES (?,?)", rows.words)
        connection.executemany("INSERT INTO ticket_search (rowid, words) VALUES (?,?)", rows.words)
        connection.execute("COMMIT")
        yield numbers[-1]


def _stamp(at: datetime) -> str:
    """As SQLAlchemy writes an aware UTC time into SQLite."""
    return at.isoformat(" ", "microseconds")[:26]


def main() -> None:
    """Make one from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    make(given.count, given.into, given.seed, tell=True)


if __name__ == "__main__":
    main()
