"""`mailbot requester …`: what the desk knows of a person, given out or erased."""

from __future__ import annotations

from typing import Annotated

import typer

from mailbot.cli.options import (
    ConfigFile,
    example,
    group,
    opened_desk,
)

app = group("requester", "A person's data: given out, or erased.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", show_default=False)]


@app.command(epilog=example("mailbot requester export guru@sekolah.example > guru.json"))
def export(context: typer.Context, email: Email, config: ConfigFile = None) -> None:
    """Print everything that the desk keeps of a person, as one JSON document."""
    from mailbot.cli import output

    with opened_desk(context) as desk:
        output.print_json(desk.helpdesk.export_requester(email.strip().lower()))


@app.command(
    epilog=example("mailbot requester erase guru@sekolah.example", "mailbot requester erase guru@sekolah.example --yes")
)
def erase(
    context: typer.Context,
    email: Email,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    config: ConfigFile = None,
) -> None:
    """Erase a person: tickets, messages, mail. A line that says so stays in the audit."""
    from mailbot.cli import output

    address = email.strip().lower()
    with opened_desk(context) as desk:
        if not yes:
            typer.confirm(f"Erase everything of {address}? It can't be brought back.", abort=True, err=True)
        erased = desk.helpdesk.erase_requester(address)
    parts = ((erased.tickets, "ticket"), (erased.messages, "message"), (erased.mails, "mail"))
    output.say(f"Erased: {', '.join(output.count(number, what) for number, what in parts)}.")
