"""`mailbot ingest`: process mail from files, through the same path as mail from IMAP."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli import output
from mailbot.cli.options import AsJson, ConfigFile, opened_desk, single

if TYPE_CHECKING:
    from mailbot.cli.mail_files import FileMail
    from mailbot.desk.wiring import Desk

# More mails than this are only summed up.
MAX_LISTED = 20


def ingest(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help=".eml, mbox, Maildir or a folder of .eml; - is stdin.", show_default=False),
    ],
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Process mail from files as if it had come by IMAP. A mail that is known already is ignored."""
    from mailbot.cli.mail_files import find_mail_files

    sources = find_mail_files(files)  # before the desk is opened: a mistyped name changes nothing
    results: list[dict[str, Any]] = []
    with opened_desk(context) as desk, sources.progress() as mails:
        for mail in mails:
            results.append(_ingest(desk, mail))
    if as_json:
        output.print_json(results)
        return
    for each in results if len(results) <= MAX_LISTED else ():
        _print_one(each)
    if len(results) != 1:
        counts = Counter(each["outcome"] for each in results)
        tickets = len({each["ticket"] for each in results if each["ticket"] is not None})
        words = ", ".join(f"{number} {outcome}" for outcome, number in counts.most_common())
        output.say(f"{output.count(len(results), 'mail')}: {words or 'none'}; {output.count(tickets, 'ticket')}.")


def _ingest(desk: Desk, mail: FileMail) -> dict[str, Any]:
    done = desk.helpdesk.ingest(mail.raw, "ingest")
    return {
        "file": mail.location,
        "inbound_id": done.inbound_id,
        "outcome": done.outcome,
        "ticket": done.ticket,
        "reason": done.reason,
    }


def _print_one(results: dict[str, Any]) -> None:
    where = f" #{results['ticket']}" if results["ticket"] is not None else ""
    reason = f" ({results['reason']})" if results["reason"] else ""
    output.say(f"{results['file']}: {results['outcome']}{where}{reason}")


app = single(
    "ingest", ingest, "mailbot ingest report.eml", "mailbot ingest ~/Maildir 2024.mbox", "mailbot ingest - < mail"
)
