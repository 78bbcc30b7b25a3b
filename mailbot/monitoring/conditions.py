"""Is the desk healthy? Facts in, a list of conditions out: pure, decided by one ordered table of rules.

In: `Facts` (what loops, probes and the canary know at this moment) and `Thresholds` ([alerts] and [canary]). Out: a
`Judgement`: which conditions hold, each with its severity, its beginning, and the values for its text; and which are
unknown at the moment, so that none counts as resolved because it was not checked yet. `in_words` puts a condition into
Indonesian or English: what is wrong, and the remedy.

A desk that fails silently looks like a desk without mail. Hence every rule is about something that did not happen, or
soon will not happen any more.
Never: I/O, a clock, a log; a decision about who is notified (`alert_history`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

from mailbot.desk.outbound.formats import format_size, format_stamp
from mailbot.runtime.status import ConnectionStatus, DiskSpace, QueueStatus
from mailbot.vocabulary.conditions import WORDS

# Below this fraction (1/n) of [alerts] disk_free the condition is critical: the next mail may not fit.
NEARLY_NOTHING = 5
# Due mail is sent within seconds; if it still waits after this fraction (1/n) of [alerts] outbox_age, nothing is sent.
DUE_PART = 4
LONGEST_REASON = 600


class Severity(IntEnum):
    """CRITICAL: mail is not handled now; WARNING: soon it will not be, or somebody should have a look."""

    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class CanaryFacts:
    """The state of the canary."""

    back_at: datetime | None = None  #: When the last one came back.
    seconds: float | None = None  #: Its round-trip time.
    waiting_since: datetime | None = None  #: When the oldest one that is missing was sent, or first failed to be sent.
    reason: str = ""  #: Why the server did not accept it.


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known at `now`."""

    now: datetime
    started_at: datetime
    #: Each inbox by its name, "" for the only one.
    inboxes: tuple[tuple[str, ConnectionStatus], ...] = field(default_factory=lambda: (("", ConnectionStatus()),))
    outbox: ConnectionStatus = field(default_factory=ConnectionStatus)
    database: ConnectionStatus = field(default_factory=ConnectionStatus)
    hanging: tuple[tuple[str, datetime], ...] = ()  #: Loops without a sign of life, by name, and since when.
    spaces: tuple[DiskSpace, ...] = ()  #: () until measured.
    queue: QueueStatus | None = None  #: None until measured.
    canary: CanaryFacts | None = None  #: None if it is disabled.
    lmtp: ConnectionStatus | None = None  #: None if it is disabled.
    scanner: ConnectionStatus | None = None  #: None if no virus scanner is configured.


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which values on a condition holds: bytes, inodes, mails, durations."""

    inbox_silent: timedelta = timedelta(minutes=10)
    outbox_age: timedelta = timedelta(hours=1)
    disk_free: int = 500_000_000
    inodes_free: int = 1000
    quarantine: int = 10
    automatic: int = 2000
    certificate: timedelta = timedelta(days=7)
    canary_within: timedelta = timedelta(minutes=5)
    oauth: frozenset[str] = frozenset()  #: Sections of the configuration that log in with a token.


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is wrong."""

    name: str
    severity: Severity
    since: datetime
    words: str  #: The key of its text in `vocabulary.conditions`.
    values: tuple[tuple[str, str | int | datetime], ...] = ()  #: Placeholders of the text.
    at_once: bool = False  #: Reported without delay.


@dataclass(frozen=True, slots=True)
class Judgement:
    """The result of `judge`."""

    conditions: tuple[Condition, ...]  #: Those that hold, in the order of the table.
    unknown: frozenset[str]  #: Names of those that can't be decided now.

    @property
    def worst(self) -> Severity | None:
        """The highest severity; None if all is well."""
        return max((condition.severity for condition in self.conditions), default=None)


class _Unknown:
    """A rule's answer if the facts do not decide it yet."""


UNKNOWN = _Unknown()
Answer = Condition | _Unknown | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition and how it is decided."""

    name: str
    find: Callable[[Facts, Thresholds], Answer] | None = None
    #: Decides it for each inbox separately.
    find_inbox: Callable[[Facts, Thresholds, str, ConnectionStatus], Answer] | None = None
    unless: tuple[str, ...] = ()  #: Conditions that explain it; while one of them holds, this one is not reported.


def judge(facts: Facts, thresholds: Thresholds) -> Judgement:
    """Apply every rule of the table, in order."""
    found: list[Condition] = []
    unknown: set[str] = set()
    for rule in RULES:
        answers: list[tuple[str, Answer]] = []
        if rule.find is not None:
            answers.append(("", rule.find(facts, thresholds)))
        if rule.find_inbox is not None:
            answers += [(name, rule.find_inbox(facts, thresholds, name, status)) for name, status in facts.inboxes]
        for inbox, answer in answers:
            if isinstance(answer, _Unknown) or _explained(rule, inbox, found):
                unknown.add(_named(rule.name, inbox))
            elif answer is not None:
                found.append(answer)
    return Judgement(tuple(found), frozenset(unknown))


def _explained(rule: Rule, inbox: str, found: list[Condition]) -> bool:
    """Return whether a condition already found explains this one; one inbox explains nothing about another."""
    for condition in found:
        kind, _, its_inbox = condition.name.partition(":")
        if kind in rule.unless and (not inbox or not its_inbox or inbox == its_inbox):
            return True
    return False


def _named(name: str, inbox: str) -> str:
    """Return a condition's name, with the inbox if there are several."""
    return f"{name}:{inbox}" if inbox else name


def in_words(condition: Condition, language: str, zone: ZoneInfo) -> tuple[str, str]:
    """Return what is wrong and the remedy, in `language`; times in `zone`."""
    values: dict[str, str | int] = {}
    for key, value in condition.values:
        if isinstance(value, datetime):
            values[key] = format_stamp(value, language, zone)
        else:
            values[key] = format_size(value, language) if key == "free" and isinstance(value, int) else value
    found, remedy = WORDS[language][condition.words]
    return found.format(**values), remedy.format(**values)


def title(name: str, language: str) -> str:
    """Return a condition's title for people, a few words."""
    kind, _, inbox = name.partition(":")
    words = WORDS[language][f"title.{kind}"][0]
    return f"{words} ({inbox})" if inbox else words


# The rules


def _hanging(facts: Facts, thresholds: Thresholds) -> Answer:
    if not facts.hanging:
        return None
    names = ", ".join(name for name, _ in facts.hanging)
    since = min(since for _, since in facts.hanging)
    return Condition("hanging", Severity.CRITICAL, since, "hanging", (("names", names),), at_once=True)


def _database(facts: Facts, thresholds: Thresholds) -> Answer:
    status = facts.database
    if status.failing_since is not None:
        return Condition("database", Severity.CRITICAL, status.failing_since, "database", _reason(status))
    return None if status.worked_at else UNKNOWN


def _disk(facts: Facts, thresholds: Thresholds) -> Answer:
    if not facts.spaces:
        return UNKNOWN
    for space in sorted(facts.spaces, key=lambda space: space.free):
        if space.free < thresholds.disk_free:
            critical = space.free < thresholds.disk_free // NEARLY_NOTHING
            severity = Severity.CRITICAL if critical else Severity.WARNING
            values = (("folder", space.folder), ("free", space.free))
            return Condition("disk", severity, facts.now, "disk", values)
        if space.inodes is not None and space.inodes < thresholds.inodes_free:
            severity = (
                Severity.CRITICAL if space.inodes < thresholds.inodes_free // NEARLY_NOTHING else Severity.WARNING
            )
            values = (("folder", space.folder), ("inodes", space.inodes))
            return Condition("disk", severity, facts.now, "disk.inodes", values)
    return None


def _inbox_login(facts: Facts, thresholds: Thresholds, inbox: str, status: ConnectionStatus) -> Answer:
    section = f"mailbox.{inbox}" if inbox else "imap"
    return _login(_named("inbox_login", inbox), status, section, "IMAP", thresholds)


def _outbox_login(facts: Facts, thresholds: Thresholds) -> Answer:
    return _login("outbox_login", facts.outbox, "smtp", "SMTP", thresholds)


def _login(name: str, status: ConnectionStatus, section: str, server: str, thresholds: Thresholds) -> Answer:
    if status.failing_since is None:
        return None if status.worked_at else UNKNOWN
    if not status.credentials:
        return UNKNOWN  # the server is not reached at all: whether it accepts the credentials is unknown
    words = "login.token" if section in thresholds.oauth else "login.password"
    values = (("section", section), ("server", server), *_reason(status))
    return Condition(name, Severity.CRITICAL, status.failing_since, words, values)


def _inbox(facts: Facts, thresholds: Thresholds, inbox: str, status: ConnectionStatus) -> Answer:
    name = _named("inbox", inbox)
    if status.failing_since is not None:
        return Condition(name, Severity.CRITICAL, status.failing_since, "inbox", _reason(status))
    last = max(status.worked_at or facts.started_at, facts.started_at)
    if facts.now - last > thresholds.inbox_silent:
        return Condition(name, Severity.CRITICAL, last, "inbox.silent")
    return None if status.worked_at else UNKNOWN


def _lmtp(facts: Facts, thresholds: Thresholds) -> Answer:
    return _of_status("lmtp", Severity.CRITICAL, facts.lmtp)


def _of_status(name: str, severity: Severity, status: ConnectionStatus | None) -> Answer:
    """Decide about an optional part, which works or fails."""
    if status is None:
        return None
    if status.failing_since is not None:
        return Condition(name, severity, status.failing_since, name, _reason(status))
    return None if status.worked_at else UNKNOWN


def _outbox(facts: Facts, thresholds: Thresholds) -> Answer:
    status = facts.outbox
    if status.failing_since is not None:
        return Condition("outbox", Severity.CRITICAL, status.failing_since, "outbox", _reason(status))
    return None if status.worked_at else UNKNOWN


def _outbox_old(facts: Facts, thresholds: Thresholds) -> Answer:
    queue = facts.queue
    if queue is None:
        return UNKNOWN
    values: tuple[tuple[str, str | int | datetime], ...] = (("count", queue.waiting),)
    started = facts.started_at  # what was queued while the daemon was down is sent now
    if queue.oldest_due and facts.now - max(queue.oldest_due, started) > thresholds.outbox_age / DUE_PART:
        return Condition("outbox_old", Severity.CRITICAL, queue.oldest_due, "outbox_old.due", values)
    # One mail that the recipient's server defers concerns that mail only, and the agent is notified of it. But if
    # nothing at all has left since it was queued, the cause may be on this side.
    idle_since = facts.outbox.worked_at
    if (
        queue.oldest
        and facts.now - max(queue.oldest, started) > thresholds.outbox_age
        and (idle_since is None or idle_since <= queue.oldest)
    ):
        return Condition("outbox_old", Severity.CRITICAL, queue.oldest, "outbox_old", values)
    return None


def _canary(facts: Facts, thresholds: Thresholds) -> Answer:
    canary = facts.canary
    if canary is None:
        return None
    if canary.waiting_since and facts.now - canary.waiting_since > thresholds.canary_within:
        if canary.reason:
            reason = (("reason", canary.reason[:LONGEST_REASON]),)
            return Condition("canary", Severity.CRITICAL, canary.waiting_since, "canary.unsent", reason)
        return Condition("canary", Severity.CRITICAL, canary.waiting_since, "canary")
    return None if canary.back_at else UNKNOWN


def _quarantine(facts: Facts, thresholds: Thresholds) -> Answer:
    queue = facts.queue
    if queue is None:
        return UNKNOWN
    if queue.quarantined < thresholds.quarantine:
        return None
    values = (("count", queue.quarantined), ("held", queue.held))
    return Condition("quarantine", Severity.WARNING, queue.quarantined_since or facts.now, "quarantine", values)


def _automatic(facts: Facts, thresholds: Thresholds) -> Answer:
    queue = facts.queue
    if queue is None:
        return UNKNOWN
    if queue.automatic < thresholds.automatic:
        return None
    values = (("count", queue.automatic), ("alike", queue.alike or "?"))
    return Condition("automatic", Severity.WARNING, facts.now, "automatic", values)


def _scanner(facts: Facts, thresholds: Thresholds) -> Answer:
    return _of_status("scanner", Severity.WARNING, facts.scanner)


def _certificate(facts: Facts, thresholds: Thresholds) -> Answer:
    ends = [
        (status.certificate_ends, server)
        for status, server in (*((status, "IMAP") for _, status in facts.inboxes), (facts.outbox, "SMTP"))
        if status.certificate_ends is not None
    ]
    if not ends:
        return UNKNOWN  # nothing connected by TLS so far
    end, server = min(ends)
    if end - facts.now > thresholds.certificate:
        return None
    values = (("ends", end), ("server", server))
    return Condition("certificate", Severity.WARNING, end - thresholds.certificate, "certificate", values)


def _reason(status: ConnectionStatus) -> tuple[tuple[str, str | int | datetime], ...]:
    return (("reason", " ".join(status.reason.split())[:LONGEST_REASON]),)


RULES: tuple[Rule, ...] = (
    # A loop without a sign of life: a bug. systemd restarts the daemon by its watchdog; elsewhere a person must.
    Rule("hanging", _hanging),
    # Without the database nothing can be received and nothing sent.
    Rule("database", _database),
    # Soon nothing can be stored: bytes, or inodes if the file system counts them.
    Rule("disk", _disk),
    # The server refuses the credentials: a person must act (RFC 6749 §5.2: a consent that ended).
    Rule("inbox_login", find_inbox=_inbox_login),
    # No mail is read: unreachable, refusing, or no complete pass for long. Each of several inboxes by itself.
    Rule("inbox", find_inbox=_inbox, unless=("inbox_login", "database", "hanging")),
    # LMTP can't listen: the delivering servers keep their mail.
    Rule("lmtp", _lmtp, unless=("hanging",)),
    Rule("outbox_login", _outbox_login),
    # No mail is sent.
    Rule("outbox", _outbox, unless=("outbox_login",)),
    # The server works, and yet mail stays in the outbox.
    Rule("outbox_old", _outbox_old, unless=("outbox_login", "outbox", "database", "hanging")),
    # The round trip is broken somewhere, and none of the above says where.
    Rule("canary", _canary, unless=("inbox_login", "inbox", "outbox_login", "outbox", "database", "hanging")),
    # Much mail can't be handled: a bug, or an attack.
    Rule("quarantine", _quarantine),
    # A problem of many requesters, or a robot that answers the desk: a person should look long before a limit is hit.
    Rule("automatic", _automatic),
    # Mail is handled; its files are withheld, or pass unscanned.
    Rule("scanner", _scanner),
    # In some days one of the above will happen.
    Rule("certificate", _certificate),
)
NAMES = tuple(rule.name for rule in RULES)
# Found in the database, so all workers of a desk see them; the others concern one host, or the reader of an inbox.
OF_THE_DESK = frozenset({"outbox_old", "quarantine", "automatic"})
