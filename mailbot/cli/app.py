"""The tree of commands, by one table. A command's module is imported when that command is called, not before:

`mailbot --help` shows what stands in the table.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from mailbot import __version__
from mailbot.cli.options import ConfigFile

# name: (module, attribute that is its Typer, what it does)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "run": ("mailbot.cli.run", "run_app", "Run the desk."),
    "demo": ("mailbot.cli.run", "demo_app", "Show the whole service on this machine, without any account."),
    "init": ("mailbot.cli.run", "init_app", "Write a commented configuration."),
    "check": ("mailbot.cli.run", "check_app", "Look whether the desk can work, and what to mend."),
    "ticket": ("mailbot.cli.ticket", "app", "Look at tickets; answer, close, assign, merge them."),
    "ingest": ("mailbot.cli.ingest", "app", "Take in mail from files."),
    "explain": ("mailbot.cli.explain", "app", "Why a mail was handled as it was, on one screen."),
    "replay": ("mailbot.cli.replay", "app", "Try mailbot on an archive: what would happen, nothing is sent."),
    "quarantine": ("mailbot.cli.quarantine", "app", "Mail that was held: look at it, let it in, drop it."),
    "outbox": ("mailbot.cli.outbox", "app", "Mail that is not delivered: why; try again, or give up."),
    "agent": ("mailbot.cli.agent", "app", "The helpdesk team: list, add, remove."),
    "key": ("mailbot.cli.key", "app", "The keys of the signed reply addresses: list, rotate, drop."),
    "template": ("mailbot.cli.template", "app", "The mails that go out: list, preview."),
    "report": ("mailbot.cli.report", "app", "Volumes and times, by agent and program."),
    "db": ("mailbot.cli.database", "app", "The database: upgrade, backup, check."),
    "requester": ("mailbot.cli.requester", "app", "A person's data: export, erase."),
}


class LazyGroup(TyperGroup):
    """The root: it knows every name, and builds a command when it is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (_, _, words) in COMMANDS.items():
            self.add_command(TyperCommand(name, help=words))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Put the real command in its name's place, then go on as usual."""
        if args and args[0] in COMMANDS:
            self.add_command(build(args[0]), args[0])
        return super().resolve_command(ctx, args)


def build(name: str) -> Any:
    """The command of that name, with everything below it."""
    module, attribute, _ = COMMANDS[name]
    return get_command(getattr(import_module(module), attribute))


app = typer.Typer(
    name="mailbot",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,  # rich costs the help a tenth of a second
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
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Which version.")
    ] = False,
) -> None:
    """A helpdesk that lives in e-mail: an inbox becomes numbered tickets, agents answer from their own mail client."""
