"""The tree of commands. Every module below imports no more than typer: a command fetches what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from mailbot import __version__
from mailbot.cli import agent, database, desk, ingest, outbox, quarantine, report, requester, template, ticket
from mailbot.cli.options import ConfigFile

app = typer.Typer(
    name="mailbot",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich costs the help a tenth of a second
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Each command has its own help: mailbot ticket --help, mailbot ticket show --help",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mailbot {__version__}")
        raise typer.Exit


@app.callback()
def mailbot(
    config: ConfigFile = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Which version.")
    ] = False,
) -> None:
    """A helpdesk that lives in e-mail: an inbox becomes numbered tickets, agents answer from their own mail client."""


desk.add_to(app)
app.add_typer(ticket.app)
ingest.add_to(app)
app.add_typer(quarantine.app)
app.add_typer(outbox.app)
app.add_typer(agent.app)
app.add_typer(template.app)
report.add_to(app)
app.add_typer(database.app)
app.add_typer(requester.app)
