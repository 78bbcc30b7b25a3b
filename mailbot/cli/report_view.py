"""The report for people: figures, a chart of the days, a row for each agent and program; or CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mailbot.cli import output

CHART_WIDTH = 40
# A longer period is charted by week, to fit a terminal.
MAX_BARS = 31
DAY_COLUMNS = ("day", "opened", "closed", "replies", "answers")


def print_report(report: Mapping[str, Any]) -> None:
    """Print the document of `--json` for people."""
    from rich.text import Text

    out = output.console()
    out.print(Text(f"{report['since'][:10]} to {report['until'][:10]}", style="bold"))
    for label, value in _figures(report):
        out.print(Text.assemble((f"{label:<16}", "dim"), value))
    bars = _bars(report["days"])
    if bars:
        out.print()
        out.print(
            Text("opened, day by day" if len(report["days"]) <= MAX_BARS else "opened, week by week", style="bold")
        )
        most = max(count for _, count in bars) or 1
        for label, count in bars:
            out.print(Text(f"{label}  {('█' * round(count * CHART_WIDTH / most) + ' ').lstrip()}{count}"))
    for key in ("agents", "programs"):
        if report[key]:
            out.print()
            _print_shares(key[:-1], report[key])


def _figures(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the totals, as labels and values."""
    rate = report["follow_up_rate"]
    now = ", ".join(f"{count} {status}" for status, count in report["open_now"].items() if count)
    return [
        ("opened", f"{report['opened']}, of which {report['spam']} spam, {report['merged']} merged"),
        ("closed", str(report["closed"])),
        ("came back", f"{report['follow_ups']}" + (f" ({rate:.0%} of those closed)" if rate is not None else "")),
        ("first response", _times(report["first_response"])),
        ("resolution", _times(report["resolution"])),
        ("open now", now or "none"),
    ]


def _times(times: Mapping[str, Any]) -> str:
    if not times["count"]:
        return "–"
    return f"half within {_span(times['median_seconds'])}, nine of ten within {_span(times['p90_seconds'])}"


def _span(seconds: float | None) -> str:
    """Format seconds as `45 s`, `12 min`, `3.5 h` or `2.1 d`."""
    if seconds is None:
        return "–"
    steps = ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h"))
    size, unit = next(((size, unit) for limit, size, unit in steps if seconds < limit), (86400, "d"))
    value = seconds / size
    return f"{value:.0f} {unit}" if unit in ("s", "min") else f"{value:.1f} {unit}"


def _bars(days: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Return one bar for each day, or for each week."""
    if len(days) <= MAX_BARS:
        return [(day["day"], day["opened"]) for day in days]
    weeks = [days[start : start + 7] for start in range(0, len(days), 7)]
    return [(week[0]["day"], sum(day["opened"] for day in week)) for week in weeks]


def _print_shares(what: str, shares: Sequence[Mapping[str, Any]]) -> None:
    columns = (what, "opened", "closed", "answers", "came back", "first response", "resolution")
    rows = (
        (
            share[what] or "(none)",
            share["opened"],
            share["closed"],
            share["answers"],
            share["follow_ups"],
            _span(share["first_response"]["median_seconds"]),
            _span(share["resolution"]["median_seconds"]),
        )
        for share in shares
    )
    output.print_table(columns, rows, right=columns[1:])


def print_csv(report: Mapping[str, Any]) -> None:
    """Print the days as CSV, a line each (RFC 4180)."""
    writer = csv.writer(sys.stdout)
    writer.writerow(DAY_COLUMNS)
    writer.writerows([day[column] for column in DAY_COLUMNS] for day in report["days"])
