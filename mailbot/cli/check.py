"""`mailbot check`: probe each part as the daemon would use it, and change nothing.

In: settings that were loaded already (an unusable configuration ends the command before). Out: results, in the order in
which a new installation meets the problems; each says what was found and, if that is not well, how to fix it.
Never: a mail sent (except by --alert) or moved, a database created, a DNS query other than for the servers' names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.cli import output
from mailbot.cli.options import AsJson, ConfigFile, settings_of, single

if TYPE_CHECKING:
    from mailbot.cli.checks.result import CheckResult
    from mailbot.config.model import Settings

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def check(
    context: typer.Context,
    alert: Annotated[bool, typer.Option("--alert", help="Send a trial alert by each channel of [alerts].")] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Check configuration, templates, database and mail servers. Exit 1 if something fails."""
    settings = settings_of(context)

    from mailbot.cli.checks.service import send_trial_alerts

    results = list(run_checks(settings))
    if alert:
        results += send_trial_alerts(settings)
    print_results(results, as_json=as_json)
    if any(result.state == "fail" for result in results):
        raise typer.Exit(1)


def run_checks(settings: Settings) -> Iterator[CheckResult]:
    """Run every probe in order; yield each result as soon as there is one."""
    from mailbot.cli.checks.result import CheckResult
    from mailbot.errors import ConfigError, MailbotError

    for part, probe in probes():
        try:
            yield from probe(settings)
        except ConfigError as error:
            yield from (CheckResult(part, "fail", problem) for problem in error.problems)
        except (MailbotError, OSError) as error:
            yield CheckResult(part, "fail", str(error))


def probes() -> tuple[tuple[str, Callable[[Settings], Iterator[CheckResult]]], ...]:
    """Return each part with its probe, in the order in which a new installation meets the problems."""
    from mailbot.cli.checks import configuration, machine, servers, service

    return (
        ("configuration", configuration.configuration),
        ("agents", configuration.agents),
        ("agents' mail", configuration.agent_authentication),
        ("templates", configuration.templates),
        ("clock", machine.clock),
        ("service hours", machine.service_hours),
        ("data folder", machine.data_folder),
        ("database", machine.database),
        ("IMAP", servers.imap),
        ("SMTP", servers.smtp),
        ("virus scanner", servers.virus_scanner),
        ("LMTP", servers.lmtp),
        ("alerts", service.alerts),
        ("daemon", service.daemon),
    )


def print_results(results: Sequence[CheckResult], *, as_json: bool) -> None:
    """Print one line for each result, with the remedy below it."""
    if as_json:
        ok = all(result.state != "fail" for result in results)
        output.print_json({"ok": ok, "findings": [result.as_json() for result in results]})
        return
    from rich.text import Text

    out = output.console()
    for result in results:
        state = (f"{result.state:<5}", _STYLES[result.state])
        out.print(Text.assemble(state, f"{result.part:<14} {output.cell(result.found)}"), soft_wrap=True)
        if result.remedy:
            out.print(Text(f"{'':<20} → {output.cell(result.remedy)}", style="dim"), soft_wrap=True)


app = single("check", check, "mailbot check", "mailbot check --alert", "mailbot check --json")
