"""The tree of commands, built from one table.

A command's module is imported when that command is called, not before: `mailbot --help` needs only the table.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from mailbot import __version__
from mailbot.cli.options import ConfigFile

# name: (module, what it does); the module's `app` is the command
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("mailbot.cli.run", "Run the helpdesk."),
    "demo": ("mailbot.cli.demo", "Show the whole service on this machine, without any account."),
    "init": ("mailbot.cli.init", "Write a commented configuration."),
    "check": ("mailbot.cli.check", "Check that everything works; say how to fix what does not."),
    "ticket": ("mailbot.cli.ticket", "Show tickets; answer, close, assign, merge them."),
    "ingest": ("mailbot.cli.ingest", "Process mail from files."),
    "explain": ("mailbot.cli.explain", "Explain on one screen why a mail was handled as it was."),
    "replay": ("mailbot.cli.replay", "Show what would happen to an archive of mail; nothing is sent."),
    "quarantine": ("mailbot.cli.quarantine", "Quarantined mail: show, release, discard it."),
    "outbox": ("mailbot.cli.outbox", "Undelivered mail: why; retry or cancel it."),
    "agent": ("mailbot.cli.agent", "The helpdesk team: list, add, remove."),
    "key": ("mailbot.cli.key", "The keys of the signed reply addresses: list, rotate, drop."),
    "template": ("mailbot.cli.template", "The texts of outgoing mail: list, preview."),
    "report": ("mailbot.cli.report", "Volumes and times, by agent and program."),
    "db": ("mailbot.cli.database", "The database: upgrade, backup, check."),
    "requester": ("mailbot.cli.requester", "A person's data: export, erase."),
}


class LazyGroup(TyperGroup):
    """The root command: knows every name, and builds a command when it is called."""

    # Any here and below: typer vendors its own copy of click and does not export the types.
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (_, summary) in COMMANDS.items():
            self.add_command(TyperCommand(name, help=summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Replace the placeholder of the called command by the real one, then resolve as usual."""
        if args and args[0] in COMMANDS:
            self.add_command(build(args[0]), args[0])
        return super().resolve_command(ctx, args)


def build(name: str) -> Any:
    """Return the command of that name, with its subcommands."""
    return get_command(import_module(COMMANDS[name][0]).app)


app = typer.Typer(
    name="mailbot",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,  # rich adds a tenth of a second to the help
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Each command has its own help, with an example: mailbot ticket show --help",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mailbot {__version__}")
        raise typer.Exit


@app.callback()
def mailbot(
    config: ConfigFile = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Run a helpdesk that lives in e-mail: an inbox becomes numbered tickets, agents answer by mail."""
