"""`mailbot requester …`: export or erase a person's data."""

from __future__ import annotations

from typing import Annotated

import typer

from mailbot.cli import output
from mailbot.cli.options import ConfigFile, example, group, opened_desk

app = group("requester", "A person's data: export or erase it.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", show_default=False)]


@app.command(epilog=example("mailbot requester export guru@sekolah.example > guru.json"))
def export(context: typer.Context, email: Email, config: ConfigFile = None) -> None:
    """Print everything that is stored about a person, as one JSON document."""
    with opened_desk(context) as desk:
        output.print_json(desk.helpdesk.export_requester(email.strip().lower()))


@app.command(
    epilog=example("mailbot requester erase guru@sekolah.example", "mailbot requester erase guru@sekolah.example --yes")
)
def erase(
    context: typer.Context,
    email: Email,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask for confirmation.")] = False,
    config: ConfigFile = None,
) -> None:
    """Erase a person's tickets, messages and mail. The audit log keeps one line about it."""
    address = email.strip().lower()
    with opened_desk(context) as desk:
        if not yes:
            typer.confirm(f"Erase everything about {address}? This can't be undone.", abort=True, err=True)
        erased = desk.helpdesk.erase_requester(address)
    parts = ((erased.tickets, "ticket"), (erased.messages, "message"), (erased.mails, "mail"))
    output.say(f"Erased: {', '.join(output.count(number, what) for number, what in parts)}.")
