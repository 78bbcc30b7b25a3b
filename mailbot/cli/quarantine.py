"""`mailbot quarantine …`: quarantined mail, why it is there, and what to do with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailbot.cli import output
from mailbot.cli.options import AsJson, ConfigFile, example, group, opened_desk, opened_store
from mailbot.errors import NotPossible

app = group("quarantine", "Quarantined mail: show, release or discard it.")

Ids = Annotated[
    list[int], typer.Argument(metavar="ID", min=1, help="From `mailbot quarantine list`.", show_default=False)
]


@app.command("list", epilog=example("mailbot quarantine list"))
def list_(context: typer.Context, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """List quarantined mail, newest first, with the reason."""
    from mailbot.store import queries

    with opened_store(context) as (store, zone):
        found = [mail.as_json() for mail in queries.list_quarantine(store)]
    if as_json:
        output.print_json(found)
        return
    rows = ((h["id"], output.moment(h["received_at"], zone), h["sender"], h["subject"], h["reason"]) for h in found)
    if not output.print_table(("id", "received", "from", "subject", "reason"), rows, right=("id",)):
        output.say("The quarantine is empty.")


@app.command(epilog=example("mailbot quarantine show 17", "mailbot quarantine show 17 --raw mail.eml"))
def show(
    context: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", min=1, show_default=False)],
    raw: Annotated[
        Path | None, typer.Option("--raw", metavar="FILE", help="Write the original mail into this file; - is stdout.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Show one quarantined mail: the reason, its header fields, the beginning of its text."""
    from mailbot.cli.quarantine_view import print_quarantined, write_raw
    from mailbot.store import queries, raw_mail

    with opened_store(context) as (store, zone):
        found = queries.show_quarantine(store, id_)
        if found is None:
            raise NotPossible(f"No mail with the ID {id_} is in quarantine; see `mailbot quarantine list`.")
        with store.reading() as connection:
            mail = raw_mail.get(connection, found.raw_sha256) or b""
    if raw is not None:
        write_raw(mail, raw)
    elif as_json:
        output.print_json(found.as_json())
    else:
        print_quarantined(found.as_json(), mail, zone)


@app.command(epilog=example("mailbot quarantine release 17 18"))
def release(context: typer.Context, ids: Ids, config: ConfigFile = None) -> None:
    """Release mail: it is processed like any other, by today's rules."""
    with opened_desk(context) as desk:
        for done in desk.helpdesk.release(ids):
            ticket = f" #{done.number}" if done.number is not None else ""
            reason = f" ({done.reason})" if done.reason else ""
            output.say(f"{done.inbound_id}: {done.state}{ticket}{reason}")


@app.command(epilog=example("mailbot quarantine discard 17"))
def discard(context: typer.Context, ids: Ids, config: ConfigFile = None) -> None:
    """Discard mail: it stays in the mailbox's quarantine folder, but never becomes a ticket."""
    with opened_desk(context) as desk:
        desk.helpdesk.discard(ids)
    output.say(f"Discarded: {', '.join(map(str, ids))}.")
