"""`mailbot explain`: why a mail was handled as it was. Looks, and changes nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.options import (
    AsJson,
    ConfigFile,
    alone,
    settings_if_any,
    settings_of,
)
from mailbot.errors import UsageError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_TICKET = re.compile(r"#?([0-9]{1,9})")


def explain(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE.eml|MESSAGE-ID|TICKET", help="A mail in a file (- is stdin), or one the desk knows."
        ),
    ],
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """One screen: what a mail says, every rule that fired, the cut, why this ticket, what came of it, what went out.

    A file needs no desk; with one, its reply addresses are verified and its references looked up.
    """
    document, zone = _of_desk(context, what) if _is_known_to_desk(what) else _of_file(context, Path(what))
    from mailbot.cli import output
    from mailbot.cli.explain_view import print_explanation

    if as_json:
        output.print_json(document)
        return
    for each in document if isinstance(document, list) else [document]:
        print_explanation(each, zone)


def _is_known_to_desk(what: str) -> bool:
    """A number is a ticket and `x@y` a Message-ID, unless a file has that name."""
    if what == "-" or Path(what).is_file():
        return False
    if _TICKET.fullmatch(what.strip()) or "@" in what:
        return True
    raise UsageError(f"{what}: is no file, no Message-ID (left@right) and no ticket's number")


def _of_desk(context: typer.Context, what: str) -> tuple[Any, ZoneInfo]:
    settings = settings_of(context)

    from mailbot.diagnostics.explain.document import explain_message_id, explain_ticket
    from mailbot.diagnostics.explain.read_only_desk import opened_to_look

    ticket = _TICKET.fullmatch(what.strip())
    with opened_to_look(settings) as desk:
        if ticket:
            return explain_ticket(int(ticket[1]), desk), settings.helpdesk.zone
        found = explain_message_id(what.strip(), desk)
        return found[0] if len(found) == 1 else found, settings.helpdesk.zone


def _of_file(context: typer.Context, file: Path) -> tuple[Any, ZoneInfo]:
    from zoneinfo import ZoneInfo

    raw = _only_mail(file)
    settings = settings_if_any(context)

    from mailbot.diagnostics.explain.document import explain_raw

    if settings is None:
        return explain_raw(raw), ZoneInfo("UTC")
    from mailbot.diagnostics.explain.read_only_desk import opened_to_look

    with opened_to_look(settings) as desk:
        return explain_raw(raw, desk), settings.helpdesk.zone


def _only_mail(file: Path) -> bytes:
    from mailbot.cli.mail_files import find

    mails = find([file]).mails()
    first = next(mails, None)
    if first is None:
        raise UsageError(f"{file}: holds no mail")
    if next(mails, None) is not None:
        raise UsageError(f"{file}: holds several mails; `mailbot replay {file}` tells what becomes of all of them")
    return first.raw


app = alone(
    "explain", explain, "mailbot explain report.eml", "mailbot explain '<CAF…@mail.gmail.com>'", "mailbot explain 12345"
)
