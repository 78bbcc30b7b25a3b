"""Logging: text for a terminal, one JSON object a line for journald; and outages logged once.

In: the standard library's log records, from everywhere. Out: lines on stderr, with every configured secret replaced by
`***` and, in text, every control character escaped (a mail's subject can't forge a log line). `Outage` and
`SharedOutage` log a lasting failure when it begins and when it ends, not at each retry.
Never: mail bodies, which no caller logs; libraries that would log them are limited to warnings.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TextIO

from mailbot.runtime.clock import Clock

# At DEBUG, these log what they send and receive: mail and passwords.
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

# The words of a reason. Those with a digit differ between retries: counts, queue numbers, times.
_WORD = re.compile(r"[^\s()\[\]{}<>\"',;]+")
_CHANGING = re.compile(r"#[#+\s]*#")
# Characters of a reason that are compared, and different reasons logged per outage.
_REASON_LENGTH, _MOST_REASONS = 2000, 20
# Wordings of a shared outage that are logged at once: the first, and what it turns out to be; more only this far apart.
_WORDINGS, _APART = 2, timedelta(minutes=1)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Masking(logging.Formatter):
    """A formatter that masks secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        # Longest first: one secret may contain another. Masks of less than four characters would hit ordinary words.
        known = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)
        self._secrets = re.compile("|".join(re.escape(secret) for secret in known)) if known else None

    def masked(self, text: str) -> str:
        """Return the text with every secret replaced."""
        return self._secrets.sub("***", text) if self._secrets else text


class TextFormatter(_Masking):
    """Lines as `12:40:11 warning  imap: the text`, in local time."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        at = datetime.fromtimestamp(record.created, UTC).astimezone()
        name = record.name.removeprefix("mailbot.")
        message = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", record.getMessage())
        text = f"{at:%H:%M:%S} {record.levelname.lower():<8} {name}: {message}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return self.masked(text)


class JsonFormatter(_Masking):
    """One JSON object a line: `at` (RFC 3339, UTC), `level`, `logger`, `message`, all of `extra`, `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
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
    """Send all logging to `stream` (stderr) as `form`: "text", "json", or "auto" (text on a terminal, else JSON).

    May be called again, on a reload; the last call counts.
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
    # At WARNING it logs each run skipped because the last has not ended: twice a second if the database is slow.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.captureWarnings(True)


class Outage:
    """A lasting failure, logged once when it begins, once for each new reason, and once when it ends.

    `what` begins each line ("IMAP mail.example:993"). Reasons that differ only in words with digits (a number of bytes,
    the server's queue number) count as one. Not thread-safe.
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
        """When it began; None if there is none."""
        return self._since

    def failed(self, reason: str, *, level: int = logging.WARNING, traceback: bool = False, compared: str = "") -> None:
        """Report a failed try. Only a reason that is new in this outage is logged.

        `reason` may begin with `what`, which is not repeated. `compared`: the part of it that makes it a new reason.
        """
        self._since = self._since or self._clock.now()
        self._tries += 1
        kind = _CHANGING.sub("#", _WORD.sub(_lasting, (compared or reason)[:_REASON_LENGTH]))
        if kind not in self._reasons and len(self._reasons) < _MOST_REASONS:
            self._reasons.add(kind)
            words = reason.removeprefix(f"{self._what}: ")
            self._log.log(level, "%s: %s", self._what, words, exc_info=traceback)

    def recovered(self) -> None:
        """Report a success, which is logged if it ends an outage."""
        if self._since is None:
            return
        lasted = self._clock.now() - self._since
        tries = "1 try" if self._tries == 1 else f"{self._tries} tries"
        self._log.info("%s: works again, after %s and %s", self._what, in_words(lasted), tries)
        self._since, self._tries = None, 0
        self._reasons.clear()


def _lasting(word: re.Match[str]) -> str:
    """Return a word as it is, or "#" if it contains a digit."""
    return "#" if any(map(str.isdigit, word[0])) else word[0]


def in_words(span: timedelta) -> str:
    """Return a span as `4s`, `3m 20s`, `2h 5m` or `1d 4h`: two units are enough to judge an outage."""
    seconds = max(0, round(span.total_seconds()))
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    first = next((at for at, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count}{unit}" for count, unit in parts[first : first + 2] if count) or "0s"


class SharedOutage:
    """An outage of something that several threads use. `what` begins each line. Thread-safe."""

    def __init__(self, log: logging.Logger, what: str, clock: Clock) -> None:
        self._outage = Outage(log, what, clock)
        self._lock = threading.Lock()
        self._clock = clock
        self._failing: set[str] = set()
        self._logged: dict[str, datetime] = {}
        #: Of the last failure, "" if there is no outage.
        self.reason = ""

    @property
    def since(self) -> datetime | None:
        """When it began; None if there is none."""
        return self._outage.since

    def failed(self, who: str, reason: str) -> None:
        """Report that `who`, a name of the caller's choice, could not use it."""
        with self._lock:
            self._failing.add(who)
            self.reason = reason
            kind = reason.rpartition(" [")[0] or reason  # without the database's own words in brackets
            now = self._clock.now()
            if kind not in self._logged and not self._may_log(now):
                kind = next(iter(self._logged))  # counted as one more try, not logged
            self._logged.setdefault(kind, now)
            self._outage.failed(reason, level=logging.ERROR, compared=kind)

    def works(self, who: str) -> None:
        """Report that `who` could use it. Costs next to nothing if there is no outage."""
        if who not in self._failing:
            return
        with self._lock:
            self._failing.discard(who)
            if not self._failing:
                self.reason = ""
                self._logged.clear()
                self._outage.recovered()

    def _may_log(self, now: datetime) -> bool:
        """Return whether one more wording may be logged, also if the clock was set back."""
        return len(self._logged) < _WORDINGS or abs(now - max(self._logged.values())) >= _APART
