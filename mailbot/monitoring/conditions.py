"""Is the desk well? Facts in, a list of conditions out: pure, decided by one ordered table with a row for each.

In: `Facts` (what loops, probes and the canary know at this moment) and `Limits` ([alerts] and [canary]). Out: a
`Judgement`: which conditions hold, each with its severity, since when, and the values behind its words; and which can't
be told at the moment, so that nobody calls something mended because nobody has looked yet. `in_words` puts a condition
into Indonesian or English: what is wrong, and the mend.

A desk that is silent looks like a desk without mail. Hence every row is about something that did not happen, or that
will soon not happen any more.
Never: I/O, a clock, a log; a decision about who is told (`watch.memory`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

from mailbot.desk.outbound.formats import format_size, format_stamp
from mailbot.runtime.status import ConnectionStatus, DiskSpace, QueueStatus
from mailbot.vocabulary.conditions import WORDS

# A disk with less than this part of [alerts] disk_free is no warning any more: the next mail may not fit.
NEARLY_NOTHING = 5
# Due mail is sent within seconds; where it still waits after this part of [alerts] outbox_age, nobody sends it.
DUE_PART = 4
LONGEST_REASON = 600


class Severity(IntEnum):
    """How bad. CRITICAL: mail is not handled now; WARNING: it soon will not be, or somebody should look."""

    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class CanaryFacts:
    """The canary: the last one that came back and how long it took (seconds); the oldest one that has not.

    `waiting_since`: when that one was sent, or was to be sent where the server did not take it (`reason`).
    """

    back_at: datetime | None = None
    seconds: float | None = None
    waiting_since: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known at `now`. `hanging`: loops that show no life, by name, and since when.

    `inboxes`: each with its name, "" for the only one. `queue`, `spaces`: None and () until they were looked at.
    `canary` None: it is off.
    """

    now: datetime
    started_at: datetime
    inboxes: tuple[tuple[str, ConnectionStatus], ...] = (("", ConnectionStatus()),)
    outbox: ConnectionStatus = ConnectionStatus()
    database: ConnectionStatus = ConnectionStatus()
    hanging: tuple[tuple[str, datetime], ...] = ()
    spaces: tuple[DiskSpace, ...] = ()
    queue: QueueStatus | None = None
    canary: CanaryFacts | None = None
    lmtp: ConnectionStatus | None = None
    """None: this door is shut."""
    scanner: ConnectionStatus | None = None
    """None: no virus scanner is asked for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something counts: bytes, inodes, mails, spans. `oauth`: the sections that log in by a token."""

    inbox_silent: timedelta = timedelta(minutes=10)
    outbox_age: timedelta = timedelta(hours=1)
    disk_free: int = 500_000_000
    inodes_free: int = 1000
    quarantine: int = 10
    automatic: int = 2000
    certificate: timedelta = timedelta(days=7)
    canary_within: timedelta = timedelta(minutes=5)
    oauth: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is not well. `words`: the key of its words; `values` fill them; `at_once`: tell without delay."""

    name: str
    severity: Severity
    since: datetime
    words: str
    values: tuple[tuple[str, str | int | datetime], ...] = ()
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """The conditions that hold, in the order of the table, and the names of those that can't be told now."""

    conditions: tuple[Condition, ...]
    unknown: frozenset[str]

    @property
    def worst(self) -> Severity | None:
        """The worst severity, None where all is well."""
        return max((condition.severity for condition in self.conditions), default=None)


class _Unknown:
    """A row's answer where the facts don't tell yet."""


UNKNOWN = _Unknown()
Answer = Condition | _Unknown | None


@dataclass(frozen=True, slots=True)
class Row:
    """One condition. `find` looks at the facts as a whole, `find_inbox` at one inbox, for each of them.

    `unless`: those that explain it; while one of them holds, this one is not said.
    """

    name: str
    find: Callable[[Facts, Limits], Answer] | None = None
    find_inbox: Callable[[Facts, Limits, str, ConnectionStatus], Answer] | None = None
    unless: tuple[str, ...] = ()


def judge(facts: Facts, limits: Limits) -> Judgement:
    """Every row of the table, in order."""
    found: list[Condition] = []
    unknown: set[str] = set()
    for row in ROWS:
        answers: list[tuple[str, Answer]] = []
        if row.find is not None:
            answers.append(("", row.find(facts, limits)))
        if row.find_inbox is not None:
            answers += [(name, row.find_inbox(facts, limits, name, line)) for name, line in facts.inboxes]
        for inbox, answer in answers:
            if isinstance(answer, _Unknown) or _explained(row, inbox, found):
                unknown.add(_named(row.name, inbox))
            elif answer is not None:
                found.append(answer)
    return Judgement(tuple(found), frozenset(unknown))


def _explained(row: Row, inbox: str, found: list[Condition]) -> bool:
    """Does a condition that was found stand behind this one? What ails one inbox explains nothing of another."""
    for condition in found:
        kind, _, its_inbox = condition.name.partition(":")
        if kind in row.unless and (not inbox or not its_inbox or inbox == its_inbox):
            return True
    return False


def _named(name: str, inbox: str) -> str:
    """A condition's name; that of one inbox among several says which."""
    return f"{name}:{inbox}" if inbox else name


def in_words(condition: Condition, language: str, zone: ZoneInfo) -> tuple[str, str]:
    """What is wrong, and the mend, in the words of `language`; times in `zone`."""
    values: dict[str, str | int] = {}
    for key, value in condition.values:
        if isinstance(value, datetime):
            values[key] = format_stamp(value, language, zone)
        else:
            values[key] = format_size(value, language) if key == "free" and isinstance(value, int) else value
    found, mend = WORDS[language][condition.words]
    return found.format(**values), mend.format(**values)


def title(name: str, language: str) -> str:
    """A condition's name for people, a few words."""
    kind, _, inbox = name.partition(":")
    words = WORDS[language][f"title.{kind}"][0]
    return f"{words} ({inbox})" if inbox else words


# The rows


def _hanging(facts: Facts, limits: Limits) -> Answer:
    if not facts.hanging:
        return None
    names = ", ".join(name for name, _ in facts.hanging)
    since = min(since for _, since in facts.hanging)
    return Condition("hanging", Severity.CRITICAL, since, "hanging", (("names", names),), at_once=True)


def _database(facts: Facts, limits: Limits) -> Answer:
    line = facts.database
    if line.failing_since is not None:
        return Condition("database", Severity.CRITICAL, line.failing_since, "database", _reason(line))
    return None if line.worked_at else UNKNOWN


def _disk(facts: Facts, limits: Limits) -> Answer:
    if not facts.spaces:
        return UNKNOWN
    for space in sorted(facts.spaces, key=lambda space: space.free):
        if space.free < limits.disk_free:
            critical = space.free < limits.disk_free // NEARLY_NOTHING
            severity = Severity.CRITICAL if critical else Severity.WARNING
            values = (("folder", space.folder), ("free", space.free))
            return Condition("disk", severity, facts.now, "disk", values)
        if space.inodes is not None and space.inodes < limits.inodes_free:
            severity = Severity.CRITICAL if space.inodes < limits.inodes_free // NEARLY_NOTHING else Severity.WARNING
            values = (("folder", space.folder), ("inodes", space.inodes))
            return Condition("disk", severity, facts.now, "disk.inodes", values)
    return None


def _inbox_login(facts: Facts, limits: Limits, inbox: str, line: ConnectionStatus) -> Answer:
    section = f"mailbox.{inbox}" if inbox else "imap"
    return _login(_named("inbox_login", inbox), line, section, "IMAP", limits)


def _outbox_login(facts: Facts, limits: Limits) -> Answer:
    return _login("outbox_login", facts.outbox, "smtp", "SMTP", limits)


def _login(name: str, line: ConnectionStatus, section: str, server: str, limits: Limits) -> Answer:
    if line.failing_since is None:
        return None if line.worked_at else UNKNOWN
    if not line.credentials:
        return UNKNOWN  # the server is not reached at all: what it thinks of us is not known
    words = "login.token" if section in limits.oauth else "login.password"
    values = (("section", section), ("server", server), *_reason(line))
    return Condition(name, Severity.CRITICAL, line.failing_since, words, values)


def _inbox(facts: Facts, limits: Limits, inbox: str, line: ConnectionStatus) -> Answer:
    name = _named("inbox", inbox)
    if line.failing_since is not None:
        return Condition(name, Severity.CRITICAL, line.failing_since, "inbox", _reason(line))
    last = max(line.worked_at or facts.started_at, facts.started_at)
    if facts.now - last > limits.inbox_silent:
        return Condition(name, Severity.CRITICAL, last, "inbox.silent")
    return None if line.worked_at else UNKNOWN


def _lmtp(facts: Facts, limits: Limits) -> Answer:
    return _of_line("lmtp", Severity.CRITICAL, facts.lmtp)


def _of_line(name: str, severity: Severity, line: ConnectionStatus | None) -> Answer:
    """A part that works or fails, and need not be there."""
    if line is None:
        return None
    if line.failing_since is not None:
        return Condition(name, severity, line.failing_since, name, _reason(line))
    return None if line.worked_at else UNKNOWN


def _outbox(facts: Facts, limits: Limits) -> Answer:
    line = facts.outbox
    if line.failing_since is not None:
        return Condition("outbox", Severity.CRITICAL, line.failing_since, "outbox", _reason(line))
    return None if line.worked_at else UNKNOWN


def _outbox_old(facts: Facts, limits: Limits) -> Answer:
    queue = facts.queue
    if queue is None:
        return UNKNOWN
    values: tuple[tuple[str, str | int | datetime], ...] = (("count", queue.waiting),)
    started = facts.started_at  # what waited while nobody was there to send it, is sent now
    if queue.oldest_due and facts.now - max(queue.oldest_due, started) > limits.outbox_age / DUE_PART:
        return Condition("outbox_old", Severity.CRITICAL, queue.oldest_due, "outbox_old.due", values)
    # One mail that its recipient's server does not take yet is that mail's matter, and the agent is told of it. But
    # where nothing at all has left since it was queued, it may be ours.
    idle_since = facts.outbox.worked_at
    if (
        queue.oldest
        and facts.now - max(queue.oldest, started) > limits.outbox_age
        and (idle_since is None or idle_since <= queue.oldest)
    ):
        return Condition("outbox_old", Severity.CRITICAL, queue.oldest, "outbox_old", values)
    return None


def _canary(facts: Facts, limits: Limits) -> Answer:
    canary = facts.canary
    if canary is None:
        return None
    if canary.waiting_since and facts.now - canary.waiting_since > limits.canary_within:
        if canary.reason:
            reason = (("reason", canary.reason[:LONGEST_REASON]),)
            return Condition("canary", Severity.CRITICAL, canary.waiting_since, "canary.unsent", reason)
        return Condition("canary", Severity.CRITICAL, canary.waiting_since, "canary")
    return None if canary.back_at else UNKNOWN


def _quarantine(facts: Facts, limits: Limits) -> Answer:
    queue = facts.queue
    if queue is None:
        return UNKNOWN
    if queue.quarantined < limits.quarantine:
        return None
    values = (("count", queue.quarantined), ("held", queue.held))
    return Condition("quarantine", Severity.WARNING, queue.quarantined_since or facts.now, "quarantine", values)


def _automatic(facts: Facts, limits: Limits) -> Answer:
    queue = facts.queue
    if queue is None:
        return UNKNOWN
    if queue.automatic < limits.automatic:
        return None
    values = (("count", queue.automatic), ("alike", queue.alike or "?"))
    return Condition("automatic", Severity.WARNING, facts.now, "automatic", values)


def _scanner(facts: Facts, limits: Limits) -> Answer:
    return _of_line("scanner", Severity.WARNING, facts.scanner)


def _certificate(facts: Facts, limits: Limits) -> Answer:
    ends = [
        (line.certificate_ends, server)
        for line, server in (*((line, "IMAP") for _, line in facts.inboxes), (facts.outbox, "SMTP"))
        if line.certificate_ends is not None
    ]
    if not ends:
        return UNKNOWN  # nothing connected by TLS so far
    end, server = min(ends)
    if end - facts.now > limits.certificate:
        return None
    values = (("ends", end), ("server", server))
    return Condition("certificate", Severity.WARNING, end - limits.certificate, "certificate", values)


def _reason(line: ConnectionStatus) -> tuple[tuple[str, str | int | datetime], ...]:
    return (("reason", " ".join(line.reason.split())[:LONGEST_REASON]),)


ROWS: tuple[Row, ...] = (
    # A loop that shows no life: a fault of ours. systemd restarts it by its watchdog; elsewhere a person must.
    Row("hanging", _hanging),
    # Without the database nothing can be taken in and nothing sent.
    Row("database", _database),
    # Soon nothing can be stored: bytes, or inodes where the file system counts them.
    Row("disk", _disk),
    # The server says no to us: waiting mends nothing, a person must (RFC 6749 §5.2: a consent that ended).
    Row("inbox_login", find_inbox=_inbox_login),
    # No mail comes in: unreachable, refusing, or no whole turn for long. Each of several inboxes for itself.
    Row("inbox", find_inbox=_inbox, unless=("inbox_login", "database", "hanging")),
    # The other door can't be opened: the servers that deliver through it keep their mail.
    Row("lmtp", _lmtp, unless=("hanging",)),
    Row("outbox_login", _outbox_login),
    # No mail goes out.
    Row("outbox", _outbox, unless=("outbox_login",)),
    # The server is there, and yet mail stays.
    Row("outbox_old", _outbox_old, unless=("outbox_login", "outbox", "database", "hanging")),
    # The whole way round is broken somewhere, and none of the above says where.
    Row("canary", _canary, unless=("inbox_login", "inbox", "outbox_login", "outbox", "database", "hanging")),
    # Much mail can't be handled: a fault of ours, or an attack.
    Row("quarantine", _quarantine),
    # A fault that hits all schools, or a robot that answers ours: long before any cap, a person should look.
    Row("automatic", _automatic),
    # Words go on; files are held back, or go on unscanned.
    Row("scanner", _scanner),
    # In some days the above will happen.
    Row("certificate", _certificate),
)
NAMES = tuple(row.name for row in ROWS)
# Found in the database, so that all workers of a desk see them; the rest is of one host, or of who reads an inbox.
OF_THE_DESK = frozenset({"outbox_old", "quarantine", "automatic"})
