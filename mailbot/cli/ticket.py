"""`mailbot ticket …`: look at tickets, and do on them what an agent does by mail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.cli.options import (
    AsJson,
    ConfigFile,
    example,
    group,
    opened_desk,
    opened_store,
    read_text,
)
from mailbot.errors import NotPossible, UsageError

if TYPE_CHECKING:
    from mailbot.desk.wiring import Desk

app = group("ticket", "Look at tickets, and do on them what an agent does by mail.")

Number = Annotated[int, typer.Argument(metavar="N", min=1, help="The ticket's number.", show_default=False)]
As = Annotated[
    str,
    typer.Option("--as", metavar="AGENT", help="The agent in whose name it is done (e-mail); default: the first lead."),
]
TextFile = Annotated[
    Path, typer.Option("--text-file", metavar="FILE", help="A file with the words; - is stdin.", show_default=False)
]
STATUSES = ("queued", "in_progress", "waiting", "closed")


def _status(given: str | None) -> str | None:
    if given is not None and given not in STATUSES:
        raise typer.BadParameter(f"{given!r} is no status; one of {', '.join(STATUSES)}")
    return given


@app.command("list", epilog=example("mailbot ticket list --status waiting", "mailbot ticket list --search BKU --json"))
def list_(
    context: typer.Context,
    status: Annotated[
        str | None, typer.Option(metavar="S", callback=_status, help=f"One of {', '.join(STATUSES)}.")
    ] = None,
    requester: Annotated[
        str | None, typer.Option(metavar="E", help="The requester's or a participant's e-mail.")
    ] = None,
    agent: Annotated[str | None, typer.Option(metavar="E", help="The agent's e-mail.")] = None,
    search: Annotated[str | None, typer.Option(metavar="TEXT", help="Words in subject or messages.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """List tickets, newest first."""
    from mailbot.cli import output
    from mailbot.store import queries

    with opened_store(context) as (store, zone):
        found = [
            ticket.as_json()
            for ticket in queries.list_tickets(
                store,
                status=status,
                requester=requester,
                agent=agent,
                search=search,
                limit=limit,
            )
        ]
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ("number", "status", "updated", "agent", "requester", "subject"),
        (
            (
                t["number"],
                t["status"],
                output.moment(t["updated_at"], zone),
                t["agent"],
                t["requester"]["email"],
                t["subject"],
            )
            for t in found
        ),
        right=("number",),
    )
    if not found:
        output.say("No ticket is like that.")
    elif len(found) == limit:
        output.say(f"The newest {limit}; --limit N shows more.")


@app.command(
    epilog=example("mailbot ticket show 12345", "mailbot ticket show 12345 --full", "mailbot ticket show 12345 --json")
)
def show(
    context: typer.Context,
    number: Number,
    full: Annotated[bool, typer.Option("--full", help="The messages whole, with what was quoted and signed.")] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Show one ticket with its messages and its history."""
    from mailbot.cli import output
    from mailbot.cli.ticket_view import hidden_parts, print_ticket
    from mailbot.store import queries

    with opened_store(context) as (store, zone):
        found = queries.show_ticket(store, number)
        if found is None:
            raise NotPossible(f"There is no ticket #{number}; `mailbot ticket list` shows those there are.")
        if as_json:
            output.print_json(found.as_json())
        else:
            print_ticket(found.as_json(), zone, hidden_parts(store, found) if full else {})


@app.command(epilog=example("mailbot ticket files 12345", "mailbot ticket files 12345 --to /tmp/berkas"))
def files(
    context: typer.Context,
    number: Number,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write them into this folder; one that was held back ends in .held."),
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """List a ticket's files, also those that were held back, and take them out."""
    from mailbot.cli.ticket_files import list_files, write_files

    with opened_store(context) as (store, _):
        if to is None:
            list_files(store, number, as_json=as_json)
        else:
            write_files(store, number, to)


@app.command(epilog=example("mailbot ticket reply 12345 --text-file answer.txt --as sally@helpdesk.example"))
def reply(
    context: typer.Context, number: Number, text_file: TextFile, as_agent: As = "", config: ConfigFile = None
) -> None:
    """Answer the requester. Lines at the top that begin with # are commands, as in an agent's mail."""
    _act(context, number, read_text(text_file), as_agent)


@app.command(epilog=example("echo 'Sudah ditelepon.' | mailbot ticket note 12345 --text-file -"))
def note(
    context: typer.Context, number: Number, text_file: TextFile, as_agent: As = "", config: ConfigFile = None
) -> None:
    """Put an internal note on a ticket; only agents see it."""
    _act(context, number, f"#note\n{read_text(text_file)}", as_agent)


@app.command(epilog=example("mailbot ticket close 12345", "mailbot ticket close 12345 --text-file solved.txt"))
def close(
    context: typer.Context,
    number: Number,
    text_file: Annotated[
        Path | None,
        typer.Option(
            "--text-file", metavar="FILE", help="Words for the closure notice; - is stdin.", show_default=False
        ),
    ] = None,
    as_agent: As = "",
    config: ConfigFile = None,
) -> None:
    """Close a ticket as solved; the requester gets a closure notice."""
    words = read_text(text_file) if text_file else ""
    _act(context, number, f"#solved\n{words}", as_agent)


@app.command(epilog=example("mailbot ticket assign 12345 budi@helpdesk.example"))
def assign(
    context: typer.Context,
    number: Number,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The agent who gets it.", show_default=False)],
    as_agent: As = "",
    config: ConfigFile = None,
) -> None:
    """Give a ticket to an agent."""
    _act(context, number, f"#assign {_one_word(email)}", as_agent)


@app.command(epilog=example("mailbot ticket merge 12346 12345"))
def merge(
    context: typer.Context,
    number: Number,
    into: Annotated[
        int, typer.Argument(metavar="INTO", min=1, help="The ticket that it goes into.", show_default=False)
    ],
    force: Annotated[bool, typer.Option("--force", help="Although they are of two requesters.")] = False,
    as_agent: As = "",
    config: ConfigFile = None,
) -> None:
    """Merge ticket N into ticket INTO."""
    _act(context, number, f"#merge {into}{' force' if force else ''}", as_agent)


@app.command(epilog=example("mailbot ticket spam 12345"))
def spam(context: typer.Context, number: Number, as_agent: As = "", config: ConfigFile = None) -> None:
    """Close a ticket as spam; nobody is written to, and replies to it are held."""
    _act(context, number, "#spam", as_agent)


def _act(context: typer.Context, number: int, text: str, as_agent: str) -> None:
    """Hand an agent's words and commands to the desk, and say where the ticket stands then."""
    from mailbot.cli import output
    from mailbot.store import queries

    with opened_desk(context) as desk:
        agent = _agent(desk, as_agent)
        desk.helpdesk.act_as_agent(number, agent=agent, text=text)
        now = queries.show_ticket(desk.store, number)
        state = now.as_json() if now else {}
    about = f"{state['status']} ({state['close_reason']})" if state.get("close_reason") else state.get("status", "")
    owner = f", with {state['agent']}" if state.get("agent") else ""
    output.say(f"Done in the name of {agent}: #{number} is {about}{owner}.")


def _agent(desk: Desk, given: str) -> str:
    """Who acts: the agent that was named, else the first lead, else the only agent."""
    agents = desk.helpdesk.agents()
    wanted = given.strip().lower()
    if wanted:
        found = next((a for a in agents if wanted == a.email or wanted in a.aliases), None)
        if found is None:
            raise NotPossible(f"{given} is no agent of this desk; agents are: {_names(agents)}.")
        return found.email
    leads = [a for a in agents if a.is_lead]
    chosen = leads[0] if leads else agents[0] if len(agents) == 1 else None
    if chosen is None:
        raise UsageError(f"Say in whose name, with --as AGENT; agents are: {_names(agents)}.")
    return chosen.email


def _names(agents: tuple[object, ...]) -> str:
    return ", ".join(getattr(a, "email", "") for a in agents) or "none yet (`mailbot agent add`)"


def _one_word(text: str) -> str:
    """An argument that becomes part of a command line of the mail language: no blanks, no line breaks."""
    if not text.strip() or len(text.split()) != 1:
        raise UsageError(f"{text!r} is no e-mail address")
    return text.strip()
