"""`mailbot ticket …`: show tickets, and do with them what an agent does by mail."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.cli import output
from mailbot.cli.options import AsJson, ConfigFile, example, group, opened_desk, opened_store, read_text
from mailbot.errors import NotPossible, UsageError

if TYPE_CHECKING:
    from mailbot.desk.wiring import Desk
    from mailbot.ticket.ticket import Agent

app = group("ticket", "Show tickets, and do with them what an agent does by mail.")

Number = Annotated[int, typer.Argument(metavar="N", min=1, help="The ticket's number.", show_default=False)]
As = Annotated[
    str, typer.Option("--as", metavar="AGENT", help="The agent to act as (e-mail); default: the first lead.")
]
TextFile = Annotated[
    Path, typer.Option("--text-file", metavar="FILE", help="A file with the text; - is stdin.", show_default=False)
]
STATUSES = ("queued", "in_progress", "waiting", "closed")


def _status(given: str | None) -> str | None:
    if given is not None and given not in STATUSES:
        raise typer.BadParameter(f"{given!r} is no status; one of {', '.join(STATUSES)}")
    return given


@app.command("list", epilog=example("mailbot ticket list --status waiting", "mailbot ticket list --search BKU --json"))
def list_(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    status: Annotated[
        str | None, typer.Option(metavar="S", callback=_status, help=f"One of {', '.join(STATUSES)}.")
    ] = None,
    requester: Annotated[
        str | None, typer.Option(metavar="E", help="The requester's or a participant's e-mail.")
    ] = None,
    agent: Annotated[str | None, typer.Option(metavar="E", help="The agent's e-mail.")] = None,
    search: Annotated[str | None, typer.Option(metavar="TEXT", help="Words in subject or messages.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Show at most N.")] = 50,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """List tickets, newest first."""
    from mailbot.store import queries

    with opened_store(context) as (store, zone):
        wanted = queries.TicketFilter(status=status, requester=requester, agent=agent, search=search)
        found = [ticket.as_json() for ticket in queries.list_tickets(store, wanted, limit=limit)]
    if as_json:
        output.print_json(found)
        return
    columns = ("number", "status", "updated", "agent", "requester", "subject")
    flat = (t | {"updated": output.moment(t["updated_at"], zone), "requester": t["requester"]["email"]} for t in found)
    if not output.print_table(columns, ([t[column] for column in columns] for t in flat), right=("number",)):
        output.say("No ticket matches.")
    elif len(found) == limit:
        output.say(f"The newest {limit}; --limit N shows more.")


@app.command(
    epilog=example("mailbot ticket show 12345", "mailbot ticket show 12345 --full", "mailbot ticket show 12345 --json")
)
def show(
    context: typer.Context,
    number: Number,
    full: Annotated[bool, typer.Option("--full", help="Show messages with quotation and signature.")] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Show one ticket with its messages and its history."""
    from mailbot.cli.ticket_view import hidden_parts, print_ticket
    from mailbot.store import queries

    with opened_store(context) as (store, zone):
        found = queries.show_ticket(store, number)
        if found is None:
            raise NotPossible(f"There is no ticket #{number}; see `mailbot ticket list`.")
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
        typer.Option(metavar="FOLDER", help="Write them into this folder; a withheld file gets the suffix .held."),
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """List a ticket's files, including withheld ones, or write them into a folder."""
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
    """Add an internal note to a ticket; only agents see it."""
    _act(context, number, f"#note\n{read_text(text_file)}", as_agent)


@app.command(epilog=example("mailbot ticket close 12345", "mailbot ticket close 12345 --text-file solved.txt"))
def close(
    context: typer.Context,
    number: Number,
    text_file: Annotated[
        Path | None,
        typer.Option("--text-file", metavar="FILE", help="Text of the closure notice; - is stdin.", show_default=False),
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
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The new agent.", show_default=False)],
    as_agent: As = "",
    config: ConfigFile = None,
) -> None:
    """Assign a ticket to an agent."""
    _act(context, number, f"#assign {_one_word(email)}", as_agent)


@app.command(epilog=example("mailbot ticket merge 12346 12345"))
def merge(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    number: Number,
    into: Annotated[int, typer.Argument(metavar="INTO", min=1, help="The ticket to merge into.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Even if they have different requesters.")] = False,
    as_agent: As = "",
    config: ConfigFile = None,
) -> None:
    """Merge ticket N into ticket INTO."""
    _act(context, number, f"#merge {into}{' force' if force else ''}", as_agent)


@app.command(epilog=example("mailbot ticket spam 12345"))
def spam(context: typer.Context, number: Number, as_agent: As = "", config: ConfigFile = None) -> None:
    """Close a ticket as spam: nobody is notified, and replies to it are quarantined."""
    _act(context, number, "#spam", as_agent)


def _act(context: typer.Context, number: int, text: str, as_agent: str) -> None:
    """Pass an agent's text and commands to the desk, then report the ticket's status."""
    from mailbot.store import queries

    with opened_desk(context) as desk:
        agent = _agent(desk, as_agent)
        desk.helpdesk.act_as_agent(number, agent=agent, text=text)
        ticket = queries.show_ticket(desk.store, number)
        state = ticket.as_json() if ticket else {}
    about = f"{state['status']} ({state['close_reason']})" if state.get("close_reason") else state.get("status", "")
    owner = f", with {state['agent']}" if state.get("agent") else ""
    output.say(f"Done as {agent}: #{number} is {about}{owner}.")


def _agent(desk: Desk, given: str) -> str:
    """Return who acts: the named agent, else the first lead, else the only agent."""
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
        raise UsageError(f"Name an agent with --as AGENT; agents are: {_names(agents)}.")
    return chosen.email


def _names(agents: Iterable[Agent]) -> str:
    return ", ".join(agent.email for agent in agents) or "none yet (`mailbot agent add`)"


def _one_word(text: str) -> str:
    """Check an argument that becomes part of a `#` command line: no blanks, no line breaks."""
    if not text.strip() or len(text.split()) != 1:
        raise UsageError(f"{text!r} is no e-mail address")
    return text.strip()
