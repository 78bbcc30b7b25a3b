"""health.json in data_dir: the running daemon's health, for `mailbot check`, and the alert history, for a restart.

In, out: one JSON document, replaced atomically (written beside the old one, fsynced, renamed), mode 0600. It is a file,
not a table, since a lost database is one of the things it reports. If the disk is full it can't be written: the old one
stays, and its timestamp shows that it is stale.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

FILE = "health.json"
# A daemon that has not written for this many seconds is not running, or hangs.
STALE_SECONDS = 90.0
LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Record:
    """The content of the file."""

    at: datetime
    pid: int
    running: bool  #: The daemon had not stopped when it wrote this.
    status: str = ""  #: The conditions on one line.
    #: name, severity, since, found, mend of each condition, in English.
    conditions: tuple[dict[str, Any], ...] = ()
    episodes: tuple[dict[str, Any], ...] = ()  #: See `alert_history`.
    #: `back_at` and `seconds` of the last canary that came back; {} if there is none.
    canary: dict[str, Any] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return everything but the time; if it differs, something has changed."""
        return {
            "pid": self.pid,
            "running": self.running,
            "status": self.status,
            "conditions": list(self.conditions),
            "episodes": list(self.episodes),
            "canary": self.canary,
        }


def write(folder: Path, record: Record) -> None:
    """Replace the file. On OSError the old file is unchanged."""
    text = json.dumps({"at": record.at.isoformat(), **record.content()}, ensure_ascii=False, indent=1)
    draft = folder / f".{FILE}.{os.getpid()}"
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(folder / FILE)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def read(folder: Path) -> Record | None:
    """Return what a daemon wrote; None if there is no file or it is invalid. Raises OSError if it is not readable."""
    try:
        with (folder / FILE).open("rb") as file:
            found = json.loads(file.read(LARGEST))
        return Record(
            at=datetime.fromisoformat(found["at"]),
            pid=int(found["pid"]),
            running=bool(found["running"]),
            status=str(found["status"]),
            conditions=tuple(dict(entry) for entry in found["conditions"]),
            episodes=tuple(dict(entry) for entry in found["episodes"]),
            canary=dict(found["canary"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError):
        return None
