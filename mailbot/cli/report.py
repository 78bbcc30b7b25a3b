"""`mailbot report`: volumes and times of a period."""

from __future__ import annotations

from typing import Annotated

import typer

from mailbot.cli import output
from mailbot.cli.options import AsJson, ConfigFile, opened_store, single
from mailbot.errors import UsageError


def report(
    context: typer.Context,
    since: Annotated[str, typer.Option(metavar="D", help='How far back: "7d", "12h".')] = "30d",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Report volumes, first-response and resolution times and follow-ups, by agent and program."""
    from mailbot.cli.report_view import print_csv, print_report
    from mailbot.config.values import read_duration
    from mailbot.store import queries

    try:
        span = read_duration(since)
    except ValueError as error:
        raise UsageError(f"--since: found {since!r}; allowed: {error}") from error
    with opened_store(context) as (store, zone):
        found = queries.report(store, store.clock.now() - span, zone=zone).as_json()
    if as_json:
        output.print_json(found)
    elif as_csv:
        print_csv(found)
    else:
        print_report(found)


app = single("report", report, "mailbot report", "mailbot report --since 7d --csv > week.csv")
