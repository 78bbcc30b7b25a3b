"""`mailbot ingest`: mail from files, through the same path as mail from IMAP."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailbot.cli.options import (
    AsJson,
    ConfigFile,
    alone,
    opened_desk,
)

if TYPE_CHECKING:
    from mailbot.cli.mail_files import Mail
    from mailbot.desk.wiring import Desk


# A longer archive is told in sums.
SAID_ONE_BY_ONE = 20


def ingest(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help=".eml, mbox, Maildir or a folder of .eml; - is stdin.", show_default=False),
    ],
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Take in mail from files, as if it had come by IMAP. A mail that is known already does nothing."""
    from mailbot.cli import output
    from mailbot.cli.mail_files import find

    sources = find(files)  # before the desk is opened: a mistyped name changes nothing
    taken: list[dict[str, Any]] = []
    with opened_desk(context) as desk, sources.progress() as mails:
        for mail in mails:
            taken.append(_take_in(desk, mail))
    if as_json:
        output.print_json(taken)
        return
    for each in taken if len(taken) <= SAID_ONE_BY_ONE else ():
        _say_one(each)
    if len(taken) != 1:
        counts = Counter(each["outcome"] for each in taken)
        tickets = len({each["ticket"] for each in taken if each["ticket"] is not None})
        words = ", ".join(f"{number} {outcome}" for outcome, number in counts.most_common())
        output.say(f"{output.count(len(taken), 'mail')}: {words or 'none'}; {output.count(tickets, 'ticket')}.")


def _take_in(desk: Desk, mail: Mail) -> dict[str, Any]:
    done = desk.helpdesk.ingest(mail.raw, "ingest")
    return {
        "file": mail.place,
        "inbound_id": done.inbound_id,
        "outcome": done.outcome,
        "ticket": done.ticket,
        "reason": done.reason,
    }


def _say_one(taken: dict[str, Any]) -> None:
    from mailbot.cli import output

    where = f" #{taken['ticket']}" if taken["ticket"] is not None else ""
    reason = f" ({taken['reason']})" if taken["reason"] else ""
    output.say(f"{taken['file']}: {taken['outcome']}{where}{reason}")


app = alone(
    "ingest", ingest, "mailbot ingest report.eml", "mailbot ingest ~/Maildir 2024.mbox", "mailbot ingest - < mail"
)
