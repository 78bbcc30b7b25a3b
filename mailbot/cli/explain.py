"""`mailbot explain`: why a mail was handled as it was. Read-only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli import output
from mailbot.cli.options import AsJson, ConfigFile, settings_if_any, settings_of, single
from mailbot.errors import UsageError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_TICKET = re.compile(r"#?([0-9]{1,9})")


def explain(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE.eml|MESSAGE-ID|TICKET", help="A mail in a file (- is stdin), or a mail or ticket of the desk."
        ),
    ],
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Show what a mail says, which rules fired, what was cut, why this ticket, and what was sent because of it.

    A file needs no desk; with one, its reply addresses are verified and its references looked up.
    """
    document, zone = _of_desk(context, what) if _is_known_to_desk(what) else _of_file(context, Path(what))
    from mailbot.cli.explain_view import print_explanation

    if as_json:
        output.print_json(document)
        return
    for each in document if isinstance(document, list) else [document]:
        print_explanation(each, zone)


def _is_known_to_desk(what: str) -> bool:
    """Whether it is a ticket's number or a Message-ID (`x@y`), and not the name of a file."""
    if what == "-" or Path(what).is_file():
        return False
    if _TICKET.fullmatch(what.strip()) or "@" in what:
        return True
    raise UsageError(f"{what}: is no file, no Message-ID (left@right) and no ticket's number")


def _of_desk(context: typer.Context, what: str) -> tuple[Any, ZoneInfo]:
    settings = settings_of(context)

    from mailbot.diagnostics.explain.document import explain_message_id, explain_ticket
    from mailbot.diagnostics.explain.read_only_desk import open_read_only

    ticket = _TICKET.fullmatch(what.strip())
    with open_read_only(settings) as desk:
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
    from mailbot.diagnostics.explain.read_only_desk import open_read_only

    with open_read_only(settings) as desk:
        return explain_raw(raw, desk), settings.helpdesk.zone


def _only_mail(file: Path) -> bytes:
    from mailbot.cli.mail_files import find_mail_files

    mails = find_mail_files([file]).mails()
    first = next(mails, None)
    if first is None:
        raise UsageError(f"{file}: has no mail")
    if next(mails, None) is not None:
        raise UsageError(f"{file}: has several mails; use `mailbot replay {file}`")
    return first.raw


app = single(
    "explain", explain, "mailbot explain report.eml", "mailbot explain '<CAF…@mail.gmail.com>'", "mailbot explain 12345"
)
