"""What a probe of `mailbot check` found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of the report."""

    part: str  # what was checked, e.g. "IMAP"
    state: State
    found: str
    remedy: str = ""  # what to do about it; "" if all is well

    def as_json(self) -> dict[str, str]:
        """Return the entry of `--json`."""
        return {"part": self.part, "state": self.state, "found": self.found, "mend": self.remedy}
