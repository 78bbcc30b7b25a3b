"""What a desk holds, and what it should: the comparison that finds whatever was lost or doubled.

In: an open `Store`, the mails that people wrote, what the SMTP server accepted, the folders. Out: `Findings`.
What should be there is not written down by hand: it is what a desk that was never killed made of the same mails.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text

from mailbot.store.engine import Store
from tests.crash.smtp_record import Transaction

# What makes up a desk, without times and random parts: name and query. A row that is there twice counts twice.
HOLDINGS: tuple[tuple[str, str], ...] = (
    ("ticket", "SELECT number, subject, requester_email, status, agent, close_reason, wait_cycle FROM ticket"),
    (
        "message",
        "SELECT t.number, m.direction, m.kind, m.author, m.public, m.text FROM message m "
        "JOIN ticket t ON t.id = m.ticket_id",
    ),
    (
        "history",
        "SELECT t.number, e.kind, e.actor, e.to FROM event e JOIN ticket t ON t.id = e.ticket_id",
    ),
    ("timer", "SELECT t.number, i.kind, i.step FROM timer i JOIN ticket t ON t.id = i.ticket_id"),
    (
        "outgoing mail",
        "SELECT t.number, o.kind, o.recipient, o.subject, o.state FROM outbox o "
        "LEFT JOIN ticket t ON t.id = o.ticket_id",
    ),
    (
        "incoming mail",
        "SELECT i.sender, i.subject, i.state, i.kind, i.place, t.number FROM inbound i "
        "LEFT JOIN ticket t ON t.id = i.ticket_id",
    ),
)  # fmt: skip


@dataclass
class Findings:
    """What is wrong, a line each. `resent`: mails that the SMTP server got again where the promises allow it."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    resent: int = 0

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.wrong)

    def __str__(self) -> str:
        parts = (("lost", self.lost), ("doubled", self.doubled), ("wrong", self.wrong))
        return (
            "\n".join(f"{name}: {line}" for name, lines in parts for line in lines) or "nothing lost, nothing doubled"
        )


Holdings = dict[str, Counter[tuple[object, ...]]]


def holdings(store: Store) -> Holdings:
    """All that a desk holds, comparable with what another desk holds."""
    found: Holdings = {}
    with store.reading() as connection:
        for name, query in HOLDINGS:
            quoted = query.replace("e.to", 'e."to"')
            found[name] = Counter(tuple(row) for row in connection.execute(text(quoted)))
    return found


def compare(expected: Holdings, found: Holdings, findings: Findings) -> None:
    """Note what only one of two desks holds."""
    for name, should in expected.items():
        findings.lost += [f"{name} {row}" for row in (should - found[name]).elements()]
        findings.doubled += [f"{name} {row}" for row in (found[name] - should).elements()]


def compare_folders(written: Sequence[bytes], folders: Mapping[str, Sequence[bytes]], findings: Findings) -> None:
    """Each mail that was delivered lies in exactly one folder, and that is not the inbox."""
    should = Counter(map(_digest, written))
    lie = Counter(_digest(raw) for mails in folders.values() for raw in mails)
    findings.lost += [f"mail {digest} is in no folder" for digest in (should - lie).elements()]
    findings.doubled += [f"mail {digest} is in a folder too many" for digest in (lie - should).elements()]
    if folders.get("INBOX"):
        findings.wrong.append(f"{len(folders['INBOX'])} mails lie in the inbox still")


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw.replace(b"\r\n", b"\n")).hexdigest()[:12]


def compare_sent(store: Store, accepted: Sequence[Transaction], kills: int, findings: Findings) -> None:
    """The SMTP server has each mail of the outbox: the same bytes each time, and again only where a kill excuses it."""
    with store.reading() as connection:
        rows = list(connection.execute(text("SELECT message_id, recipient, state FROM outbox")))
    ids = Counter(row.message_id for row in rows)
    findings.doubled += [f"the Message-ID {which} stands in the outbox {n} times" for which, n in ids.items() if n > 1]
    got: dict[str, list[Transaction]] = {}
    for transaction in accepted:
        got.setdefault(transaction.message_id, []).append(transaction)
    for row in rows:
        if row.state == "sent" and row.message_id not in got:
            findings.lost.append(f"mail {row.message_id} to {row.recipient}: said to be sent, never arrived")
    for message_id, transactions in got.items():
        if message_id not in ids:
            findings.wrong.append(f"mail {message_id} was sent, and the outbox knows nothing of it")
        if len({(t.raw, t.recipient, t.sender) for t in transactions}) > 1:
            findings.wrong.append(f"mail {message_id} was sent in {len(transactions)} different shapes")
    _judge_repeats(accepted, got.values(), kills, findings)


def _judge_repeats(
    accepted: Sequence[Transaction], mails: Iterable[list[Transaction]], kills: int, findings: Findings
) -> None:
    """A mail may come again only if its connection died with it: the last mail of a connection that a kill cut off."""
    last_of_connection = {transaction.connection: transaction for transaction in accepted}
    for transactions in mails:
        for earlier in transactions[:-1]:
            if last_of_connection[earlier.connection] is not earlier or earlier.life >= kills:
                findings.doubled.append(f"mail {earlier.message_id} was sent again without an excuse")
            else:
                findings.resent += 1
