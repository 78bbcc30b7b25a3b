"""`mailbot run`, `demo`, `init`, `check`: the desk as a whole."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli.options import (
    AsJson,
    ConfigFile,
    alone,
    named_config,
    settings_of,
)


def run(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Take in what waits, run what is due, send what is queued, and end.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Run the desk until SIGTERM or Ctrl-C; SIGHUP reads the configuration anew."""
    settings = settings_of(context, quiet=False)

    # Half of the start is loading code that no mail server waits for.
    from mailbot.transport.imap.mailbox import open_ahead

    mailboxes = open_ahead(settings)

    from mailbot.cli.options import hand_over
    from mailbot.config.layers import config_path
    from mailbot.daemon import app
    from mailbot.daemon import once as one_turn

    path = config_path(named_config(context))
    # A thread that waits for a server gets the interpreter back within a millisecond of the answer, not within five.
    sys.setswitchinterval(0.001)
    try:
        code = one_turn.run_once(settings, mailboxes) if once else app.run(settings, path, mailboxes)
    finally:
        hand_over(settings.storage.data_dir)
    raise typer.Exit(code)


def demo(
    context: typer.Context,
    tour: Annotated[bool, typer.Option("--tour", help="Play a ticket's whole life in the terminal, and end.")] = False,
    page: Annotated[bool, typer.Option("--page", help="With --tour: leave the page open afterwards.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the page is; 0: any free port.")] = 8025,
    speed: Annotated[float, typer.Option(min=1, help="Simulated seconds in each real second.")] = 1.0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Don't open the page by itself.")] = False,
) -> None:
    """Show the whole service on this machine, with no account anywhere: mail server, mailboxes, fast clock."""
    from mailbot.demo.run import run_demo

    raise typer.Exit(run_demo(tour=tour, page=page or not tour, port=port, speed=speed, browser=not no_browser))


def init(
    context: typer.Context,
    address: Annotated[str, typer.Option(metavar="EMAIL", help="The desk's address, which schools write to.")] = "",
    name: Annotated[str, typer.Option(metavar="NAME", help="The sender's name on automatic mail.")] = "",
    brand: Annotated[str, typer.Option(metavar="NAME", help="What stands behind an agent's name.")] = "",
    imap_host: Annotated[str, typer.Option(metavar="HOST", help="Where the inbox is.")] = "",
    imap_user: Annotated[str, typer.Option(metavar="USER", help="Its log-in; default: the address.")] = "",
    smtp_host: Annotated[
        str, typer.Option(metavar="HOST", help="Where mail is handed to; default: the IMAP host.")
    ] = "",
    smtp_user: Annotated[str, typer.Option(metavar="USER", help="Its log-in; default: the same.")] = "",
    data_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="The desk's own folder.")] = None,
    agent: Annotated[list[str] | None, typer.Option(metavar="NAME=EMAIL", help="An agent; may be repeated.")] = None,
    config: ConfigFile = None,
) -> None:
    """Write a commented configuration, asking for what can't be guessed. Never overwrites."""
    from mailbot.cli.init import Answers, write_config
    from mailbot.config.layers import config_path

    given = Answers(address, name, brand, imap_host, imap_user, smtp_host, smtp_user, data_dir, tuple(agent or ()))
    write_config(config_path(named_config(context)), given)


def check(
    context: typer.Context,
    alert: Annotated[bool, typer.Option("--alert", help="Send a trial alert by each way of [alerts].")] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Look whether the desk can work: configuration, templates, database, mail servers. Exit 1 where it can't."""
    settings = settings_of(context)

    from mailbot.cli.check import examine, print_findings, try_alerts

    findings = list(examine(settings))
    if alert:
        findings += try_alerts(settings)
    print_findings(findings, as_json=as_json)
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(1)


run_app = alone("run", run, "mailbot run", "mailbot run --once --config ./mailbot.toml")
demo_app = alone("demo", demo, "mailbot demo", "mailbot demo --tour")
init_app = alone(
    "init", init, "sudo mailbot init", "mailbot init --config ./mailbot.toml --address support@school.example"
)
check_app = alone("check", check, "mailbot check", "mailbot check --alert", "mailbot check --json")
