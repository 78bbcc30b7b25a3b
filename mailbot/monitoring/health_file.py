"""health.json in data_dir: how the running daemon judges itself, for `mailbot check`, and its memory for a restart.

In: one JSON document, replaced whole (written beside it, then renamed), mode 0600. A file, and not a table, since a
database that is gone is one of the things that it must tell. Where the disk is full it can't be written: then the old
one stays, which says by its own time that it is old.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

FILE = "health.json"
# A daemon that has not written for so long, seconds, does not run, or hangs.
STALE_SECONDS = 90.0
LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Record:
    """What stands in the file. `running`: the daemon had not ended when it wrote this.

    `conditions`: name, severity, since, found, mend of each, in English. `episodes`: see `watch.memory`. `canary`:
    `back_at` and `seconds` of the last one that came back; {} where there is none.
    """

    at: datetime
    pid: int
    running: bool
    status: str = ""
    conditions: tuple[dict[str, Any], ...] = ()
    episodes: tuple[dict[str, Any], ...] = ()
    canary: dict[str, Any] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """All but the time: what tells whether something has changed."""
        return {
            "pid": self.pid,
            "running": self.running,
            "status": self.status,
            "conditions": list(self.conditions),
            "episodes": list(self.episodes),
            "canary": self.canary,
        }


def write(folder: Path, record: Record) -> None:
    """Replace the file. Raises OSError; the old file is then as it was."""
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
    """What a daemon wrote; None where none has, or where it can't be understood. Raises OSError (not readable)."""
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
