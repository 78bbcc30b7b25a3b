"""`mailbot outbox …`: outgoing mail that is pending or has failed."""

from __future__ import annotations

from typing import Annotated

import typer

from mailbot.cli import output
from mailbot.cli.options import AsJson, ConfigFile, example, group, opened_desk, opened_store
from mailbot.errors import NotPossible

app = group("outbox", "Undelivered mail: why; retry or cancel it.")

_ID = "From `mailbot outbox list`"


@app.command("list", epilog=example("mailbot outbox list"))
def list_(context: typer.Context, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """List mail that is pending or has failed: attempts, the server's last response, the next attempt."""
    from mailbot.store import queries

    with opened_store(context) as (store, zone):
        found = [mail.as_json() for mail in queries.list_outbox(store)]
    if as_json:
        output.print_json(found)
        return
    columns = ("id", "state", "kind", "to", "ticket", "attempts", "next attempt", "last error")
    keys = ("id", "state", "kind", "recipient", "ticket", "attempts", "next_attempt_at", "last_error")
    flat = (mail | {"next_attempt_at": output.moment(mail["next_attempt_at"], zone)} for mail in found)
    if not output.print_table(
        columns, ([mail[key] for key in keys] for mail in flat), right=("id", "ticket", "attempts")
    ):
        output.say("Everything was sent.")


@app.command(epilog=example("mailbot outbox retry", "mailbot outbox retry 41 42"))
def retry(
    context: typer.Context,
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="ID", help=f"{_ID}; default: all.", show_default=False)
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Retry mail now, resetting its back-off; a running daemon sends it within two seconds."""
    with opened_desk(context) as desk:
        count = desk.helpdesk.retry_outbox(ids or None)
    if ids:
        _refuse_missing(ids, count)
    output.say(f"{output.count(count, 'mail')} will be sent now." if count else "There is nothing to retry.")


@app.command(epilog=example("mailbot outbox cancel 41"))
def cancel(
    context: typer.Context,
    ids: Annotated[list[int], typer.Argument(metavar="ID", min=1, help=f"{_ID}.", show_default=False)],
    config: ConfigFile = None,
) -> None:
    """Cancel mail: it is never sent."""
    with opened_desk(context) as desk:
        count = desk.helpdesk.cancel_outbox(ids)
    _refuse_missing(ids, count)
    output.say(f"{output.count(count, 'mail')} will not be sent.")


def _refuse_missing(ids: list[int], done: int) -> None:
    """Raise NotPossible if an ID has no pending mail; the others are done all the same."""
    if done < len(set(ids)):
        raise NotPossible(f"Done for {done} of {len(set(ids))}; the others are not pending (`mailbot outbox list`).")
