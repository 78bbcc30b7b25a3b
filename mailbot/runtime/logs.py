"""Logging: text for a person at a terminal, one JSON object a line for journald and whatever reads it.

In: the standard library's log records, from everywhere. Out: lines on stderr, with every configured secret replaced by
`***` and, in text, every control character made visible (a mail's subject can't write a log line of its own). `Outage`
says a lasting fault once when it begins and once when it ends. Never: mail bodies, which no caller logs, and which the
libraries that would are kept from saying.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TextIO

from mailbot.runtime.clock import Clock

if TYPE_CHECKING:  # the settings' type is a large import, and the demo logs without any
    pass
import threading

# These log what they send and receive where they may speak at DEBUG: mail, and log-ins.
QUIET = (
    "imapclient",
    "imaplib",
    "mail.log",
    "mail.debug",
    "mailparser",
    "apscheduler",
    "sqlalchemy",
    "alembic",
    "asyncio",
)

# The words of a reason. Those with a digit differ from try to try: counts, queue numbers, times.
_WORD = re.compile(r"[^\s()\[\]{}<>\"',;]+")
_CHANGING = re.compile(r"#[#+\s]*#")
# A reason is compared by so many characters, and one outage says so many different ones.
_REASON_LENGTH, _MOST_REASONS = 2000, 20
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Masking(logging.Formatter):
    """A formatter that never lets a secret out."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        # Longest first: one secret may hold another. Under four characters, a mask would eat ordinary words.
        known = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)
        self._secrets = re.compile("|".join(re.escape(secret) for secret in known)) if known else None

    def masked(self, text: str) -> str:
        return self._secrets.sub("***", text) if self._secrets else text


class TextFormatter(_Masking):
    """`12:40:11 warning  imap: the text`, local time, for eyes."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).astimezone()
        name = record.name.removeprefix("mailbot.")
        message = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", record.getMessage())
        text = f"{at:%H:%M:%S} {record.levelname.lower():<8} {name}: {message}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return self.masked(text)


class JsonFormatter(_Masking):
    """One object a line: `at` (RFC 3339, UTC), `level`, `logger`, `message`, all of `extra`, `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.masked(record.getMessage()),
        }
        for key, value in vars(record).items():
            if key not in _STANDARD:
                line[key] = value if isinstance(value, (int, float, bool)) or value is None else self.masked(str(value))
        if record.exc_info:
            line["traceback"] = self.masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def configure(
    level: str = "info", form: str = "auto", *, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Send all logging to `stream` (stderr). `form`: "text", "json", or "auto": text on a terminal, JSON elsewhere.

    May be called again (a reload): the last call counts.
    """
    out = stream or sys.stderr
    text = form == "text" or (form == "auto" and out.isatty())
    handler = logging.StreamHandler(out)
    handler.setFormatter(TextFormatter(secrets) if text else JsonFormatter(secrets))
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known.formatter, _Masking)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # At WARNING it tells of each bell that rings while its chore still runs, twice a second with a slow database.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.captureWarnings(True)


class Outage:
    """A fault that lasts: said once when it begins, once for each new reason, and once when it is over.

    `what` begins each line ("IMAP mail.example:993"). Reasons that differ only in words with digits (a count of bytes,
    the server's queue number) are one reason. Time comes from `clock`. Not thread-safe: one owner, one thread.
    """

    def __init__(self, log: logging.Logger, what: str, clock: Clock) -> None:
        self._log = log
        self._what = what
        self._clock = clock
        self._since: datetime | None = None
        self._reasons: set[str] = set()
        self._tries = 0

    @property
    def since(self) -> datetime | None:
        """When it began, None while all is well."""
        return self._since

    def failed(self, reason: str, *, level: int = logging.WARNING, traceback: bool = False, compared: str = "") -> None:
        """One more failed try. Only a reason that this outage has not had yet is logged, with the traceback if asked.

        `reason` may begin with `what`; it is not said twice. `compared`: the part of it that makes it another reason.
        """
        self._since = self._since or self._clock.now()
        self._tries += 1
        sort = _CHANGING.sub("#", _WORD.sub(_lasting, (compared or reason)[:_REASON_LENGTH]))
        if sort not in self._reasons and len(self._reasons) < _MOST_REASONS:
            self._reasons.add(sort)
            words = reason.removeprefix(f"{self._what}: ")
            self._log.log(level, "%s: %s", self._what, words, exc_info=traceback)

    def recovered(self) -> None:
        """It works. Logged only where it did not before."""
        if self._since is None:
            return
        lasted = self._clock.now() - self._since
        tries = "1 try" if self._tries == 1 else f"{self._tries} tries"
        self._log.info("%s: works again, after %s and %s", self._what, in_words(lasted), tries)
        self._since, self._tries = None, 0
        self._reasons.clear()


def _lasting(word: re.Match[str]) -> str:
    """A word as it is, "#" for one that the next try may say otherwise."""
    return "#" if any(map(str.isdigit, word[0])) else word[0]


def in_words(span: timedelta) -> str:
    """`4s`, `3m 20s`, `2h 5m`, `1d 4h`: two units are enough to judge an outage."""
    seconds = max(0, round(span.total_seconds()))
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    first = next((at for at, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count}{unit}" for count, unit in parts[first : first + 2] if count) or "0s"


# How many wordings of one outage are said at once: the first, and what it turns out to be. More follow so far apart.
_WORDINGS, _APART = 2, timedelta(minutes=1)


class SharedOutage:
    """One thing that several threads use. `what` begins each line. Thread-safe."""

    def __init__(self, log: logging.Logger, what: str, clock: Clock) -> None:
        self._outage = Outage(log, what, clock)
        self._lock = threading.Lock()
        self._clock = clock
        self._failing: set[str] = set()
        self._said: dict[str, datetime] = {}
        self.reason = ""
        """What the newest failure said; "" while all is well."""

    @property
    def since(self) -> datetime | None:
        """When it began, None while all is well."""
        return self._outage.since

    def failed(self, who: str, reason: str) -> None:
        """`who` (a name of the caller's choice) could not use it."""
        with self._lock:
            self._failing.add(who)
            self.reason = reason
            sort = reason.rpartition(" [")[0] or reason  # what stands in brackets are the database's own words
            now = self._clock.now()
            if sort not in self._said and not self._may_say(now):
                sort = next(iter(self._said))  # counted as one more try, and not said
            self._said.setdefault(sort, now)
            self._outage.failed(reason, level=logging.ERROR, compared=sort)

    def works(self, who: str) -> None:
        """`who` could use it. Costs next to nothing where all was well."""
        if who not in self._failing:
            return
        with self._lock:
            self._failing.discard(who)
            if not self._failing:
                self.reason = ""
                self._said.clear()
                self._outage.recovered()

    def _may_say(self, now: datetime) -> bool:
        """Is there room for one more wording? A clock that was set back keeps nothing quiet for long."""
        return len(self._said) < _WORDINGS or abs(now - max(self._said.values())) >= _APART
