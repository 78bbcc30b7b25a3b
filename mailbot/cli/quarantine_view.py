"""A held mail for a person at a terminal: why it is held, and enough of it to judge."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mailbot.cli import output
from mailbot.errors import NotPossible
from mailbot.mail.message import InboundMessage
from mailbot.ticket.quarantine import QuarantineReason

# Header fields that tell who, to whom, when and by which way, in the order in which one asks.
TELLING = ("from", "sender", "reply-to", "to", "cc", "date", "subject", "message-id", "authentication-results")
LONGEST_TEXT = 4000
_NOT_TO_BE_READ = frozenset(
    {QuarantineReason.POISON.value, QuarantineReason.GAVE_UP.value, QuarantineReason.KILLED.value}
)


def print_held(held: Mapping[str, Any], raw: bytes, zone: ZoneInfo) -> None:
    """Print what is known, the telling header fields, the beginning of the text, the traceback where there is one."""
    from rich.text import Text

    out = output.console()
    out.print(Text(f"{held['id']}  {output.cell(held['subject'])}", style="bold"))
    facts = [
        ("held because", held["reason"]),
        ("rule", held["rule"]),
        ("received", f"{output.moment(held['received_at'], zone)} into {held['mailbox']}"),
        ("size", f"{held['size']} bytes" + (", of which only the header is here" if held["partial"] else "")),
        ("ticket", f"#{held['ticket']}" if held["ticket"] else ""),
    ]
    message = _looked_at(held, raw)
    facts += [(name, value) for name in TELLING for value in message.headers.get_all(name)]
    for label, value in facts:
        if value:
            out.print(Text.assemble((f"{label:<13}", "dim"), output.cell(value)), soft_wrap=True)
    text = message.text[:LONGEST_TEXT]
    if text.strip():
        out.print()
        for line in text.strip("\n").splitlines():
            out.print(Text(f"  {output.safe(line)}"), soft_wrap=True)
    if held["traceback"]:
        out.print()
        out.print(Text(output.safe(held["traceback"]), style="dim"), soft_wrap=True)


def _looked_at(held: Mapping[str, Any], raw: bytes) -> InboundMessage:
    """The mail understood, or where that is what broke (or ended) mailbot, its header alone."""
    from mailbot.mail.mime.minimal_parser import parse_minimal
    from mailbot.mail.mime.parser import parse_message

    if held["rule"] in _NOT_TO_BE_READ:
        return parse_minimal(raw, held["size"])
    return parse_message(raw)


def write_raw(raw: bytes, to: Path) -> None:
    """The mail byte for byte into a new file, or to stdout for "-"."""
    if str(to) == "-":
        sys.stdout.buffer.write(raw)
        return
    try:
        with to.open("xb") as out:
            out.write(raw)
    except OSError as error:
        raise NotPossible(f"{to}: can't be written ({error.strerror})") from error
    output.say(f"{to}: {len(raw)} bytes.")
