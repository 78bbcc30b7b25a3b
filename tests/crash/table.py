"""The table of `make chaos`: what was done to the desk, how often, and what came of it.

    python -m tests.crash.table RESULTS [--into docs/developer/reliability.md --command "make chaos"]

In: the lines that `record` has written. Out: the table on stdout; with `--into` also between the markers of that file,
with the day and the machine. Exit 1 where anything was lost, or doubled beyond what the promises allow.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.support.chaos_results import Outcome, read

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
HEAD = ("fault", "times", "recovered in (s), median", "longest", "lost", "doubled", "of these allowed")


def rows(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, ...]]:
    """One row for each fault, in the order in which they first came; sums last."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.fault, []).append(outcome)
    for fault, group in sorted(groups.items()):
        yield _row(fault, group)
    yield _row("all", [outcome for group in groups.values() for outcome in group])


def _row(name: str, group: list[Outcome]) -> tuple[str, ...]:
    seconds = [outcome.recovered_in for outcome in group]
    return (
        name, str(len(group)), f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}",
        str(sum(outcome.lost for outcome in group)), str(sum(outcome.doubled for outcome in group)),
        str(sum(outcome.allowed for outcome in group)),
    )  # fmt: skip


def markdown(lines: Iterable[tuple[str, ...]]) -> str:
    """The rows as a table that is also legible as text."""
    cells = [HEAD, *lines]
    widths = [max(len(row[at]) for row in cells) for at in range(len(HEAD))]

    def line(row: tuple[str, ...]) -> str:
        first, *rest = row
        numbers = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        return f"| {' | '.join((first.ljust(widths[0]), *numbers))} |"

    rule = f"|{'-' * (widths[0] + 2)}|{'|'.join('-' * (width + 1) + ':' for width in widths[1:])}|"
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])


def notes(outcomes: Iterable[Outcome]) -> list[str]:
    """What the tests remarked, each remark once."""
    return sorted({f"{outcome.fault}: {outcome.note}" for outcome in outcomes if outcome.note})


def write_into(file: Path, table: str, remarks: list[str], command: str) -> None:
    """Replace what stands between the markers."""
    words = file.read_text(encoding="utf-8")
    before, begin, rest = words.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{file} has no markers {BEGIN} and {END}")
    when = datetime.now(UTC).strftime("%-d %B %Y, %H:%M UTC")
    where = f"Linux {platform.release()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    remarked = "".join(f"\n- {remark}" for remark in remarks)
    listed = f"\n\nRemarks:\n{remarked}" if remarks else ""
    file.write_text(
        f"{before}{BEGIN}\n`{command}`, {when}; {where}.\n\n{table}{listed}\n{END}{after}", encoding="utf-8"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--into", type=Path)
    parser.add_argument("--command", default="make chaos")
    chosen = parser.parse_args()
    outcomes = list(read(chosen.results))
    if not outcomes:
        raise SystemExit(f"{chosen.results} is empty: no test has recorded anything")
    table, remarks = markdown(rows(outcomes)), notes(outcomes)
    sys.stdout.write(table + "\n" + "".join(f"  {remark}\n" for remark in remarks))
    if chosen.into is not None:
        write_into(chosen.into, table, remarks, chosen.command)
    return 1 if is_beyond(outcomes) else 0


def is_beyond(outcomes: Iterable[Outcome]) -> bool:
    """Whether a mail was lost, or more were doubled than a kill may double; one test's savings excuse no other."""
    return any(outcome.lost or outcome.doubled > outcome.allowed for outcome in outcomes)


if __name__ == "__main__":
    sys.exit(main())
