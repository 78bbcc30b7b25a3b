"""How often a mail was attempted and how those attempts ended, as `Inbound` keeps it.

In: `Inbound.attempts` and `Inbound.explanation`. Out: the same with what just happened added, and whether it has been
too often. Pure; `processor` has the rules in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

MAX_ATTEMPTS = 3
# Where parsing the mail does not crash a process by itself, and where the database went away each time.
MAX_DEATHS = MAX_LOST = 10

# Keys in `Inbound.explanation`.
FAULT_AT, DATABASE, FAULTS, MARKED_BY = "fault_at", "fault_of_database", "faults", "alone_with"


@dataclass(frozen=True, slots=True)
class Attempts:
    """The attempts at one mail. An attempt that was begun counts as a death until it is known to have ended."""

    count: int  #: `Inbound.attempts`: those begun, less those that ended in another way than by a death
    fault_at: datetime | None = None  #: when a fault of the machine last interrupted one
    of_database: bool = False  #: that fault was the database's
    faults: int = 0  #: such faults that count, since other mail got through
    marked_by: str | None = None  #: whose marker (`crash_guard`) was set beside the last attempt, None if none was

    @classmethod
    def from_flags(cls, count: int, flags: Mapping[str, Any]) -> Attempts:
        """Return the attempts of a row."""
        fault_at = flags.get(FAULT_AT)
        return cls(
            count,
            datetime.fromisoformat(fault_at) if fault_at is not None else None,
            bool(flags.get(DATABASE)),
            int(flags.get(FAULTS, 0)),
            flags.get(MARKED_BY),
        )

    def to_flags(self) -> dict[str, Any]:
        """Return what `Inbound.explanation` keeps beside the count."""
        flags: dict[str, Any] = {}
        if self.fault_at is not None:
            flags |= {FAULT_AT: self.fault_at.isoformat(), DATABASE: self.of_database}
        if self.faults:
            flags[FAULTS] = self.faults
        if self.marked_by is not None:
            flags[MARKED_BY] = self.marked_by
        return flags

    def without_survived(self, marker: str, *, died: bool) -> Attempts:
        """Take back the last attempt if `marker`, which was set beside it, is gone: the process did not die."""
        survived = bool(self.marked_by) and self.marked_by == marker and not died
        return replace(self, count=self.count - survived, marked_by=None)

    @property
    def may_be_deadly(self) -> bool:
        """Whether so many processes died that the mail is suspected."""
        return self.count >= MAX_ATTEMPTS

    @property
    def are_too_many(self) -> bool:
        """Whether so many processes died that nothing else matters."""
        return self.count >= MAX_DEATHS

    def with_counted_fault(self) -> Attempts:
        """Count the last fault: other mail got through since, so the machine is not to blame."""
        return replace(self, count=self.count + 1, faults=self.faults + 1)

    @property
    def faults_are_too_many(self) -> bool:
        """Whether one more attempt would be one too many for the faults that count."""
        return self.faults + 1 >= (MAX_LOST if self.of_database else MAX_ATTEMPTS)

    def begun(self, marker: str | None) -> Attempts:
        """Begin one more; `marker` None: the disk is full, so a death now would say nothing about the mail."""
        return replace(self, count=max(self.count, 1) + (marker is not None), marked_by=marker)

    def interrupted(self, at: datetime | None, *, of_database: bool, was_counted: bool) -> Attempts:
        """End one by a fault of the machine, which does not count yet; `at` None: this fault never will."""
        ended = replace(self, count=max(self.count - was_counted, 1), marked_by=None)
        return ended if at is None else replace(ended, fault_at=at, of_database=of_database)


def without_attempts(explanation: Mapping[str, Any]) -> dict[str, Any]:
    """Return `Inbound.explanation` without what `Attempts` keeps there."""
    return {key: value for key, value in explanation.items() if key not in (FAULT_AT, DATABASE, FAULTS, MARKED_BY)}
