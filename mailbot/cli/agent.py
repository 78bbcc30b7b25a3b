"""`mailbot agent …`: the agents of the configuration and those added by command."""

from __future__ import annotations

from typing import Annotated

import typer

from mailbot.cli import output
from mailbot.cli.options import AsJson, ConfigFile, example, group, opened_desk
from mailbot.errors import UsageError

app = group("agent", "The helpdesk team: agents besides those in the configuration.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", show_default=False)]


@app.command("list", epilog=example("mailbot agent list"))
def list_(context: typer.Context, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """List all agents, and where each was defined."""
    with opened_desk(context) as desk:
        configured = {agent.email for agent in desk.settings.agents}
        found = [
            {
                "email": agent.email,
                "name": agent.name,
                "role": agent.role,
                "aliases": list(agent.aliases),
                "programs": list(agent.programs),
                "source": "configuration" if agent.email in configured else "added",
            }
            for agent in desk.helpdesk.agents()
        ]
    if as_json:
        output.print_json(found)
        return
    columns = ("email", "name", "role", "aliases", "programs", "source")
    if not output.print_table(columns, ([agent[column] for column in columns] for agent in found)):
        output.say("There is no agent yet: nobody is notified of tickets. Add one with `mailbot agent add`.")


@app.command(epilog=example("mailbot agent add budi@helpdesk.example --name Budi --lead"))
def add(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    email: Email,
    name: Annotated[
        str, typer.Option(help="Name shown to requesters: `Budi` becomes “Budi (BOSP)”.", show_default=False)
    ],
    lead: Annotated[
        bool, typer.Option("--lead", help="Also gets notices of delivery failures, quarantine and alerts.")
    ] = False,
    alias: Annotated[
        list[str] | None, typer.Option(metavar="EMAIL", help="Another address of this agent; may be repeated.")
    ] = None,
    program: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Gets only this program's new tickets; may be repeated.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Add an agent."""
    from mailbot.config.values import read_address, words

    try:
        address, aliases = read_address(email.strip()), tuple(read_address(other.strip()) for other in alias or ())
        display_name, programs = words(name.strip()), tuple(words(each.strip()) for each in program or ())
    except ValueError as error:
        raise UsageError(f"{email}, {name}: allowed: {error}") from error
    with opened_desk(context) as desk:
        desk.helpdesk.add_agent(address, display_name, "lead" if lead else "agent", aliases, programs)
    output.say(f"Added {display_name} <{address}>.")


@app.command(epilog=example("mailbot agent remove budi@helpdesk.example"))
def remove(context: typer.Context, email: Email, config: ConfigFile = None) -> None:
    """Remove an agent that was added by command; remove the others from the configuration."""
    with opened_desk(context) as desk:
        desk.helpdesk.remove_agent(email.strip().lower())
    output.say(f"Removed {email}.")
