"""A quarantined mail for a person at a terminal: the reason, and enough of it to decide."""

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

# Header fields that show who wrote to whom, when and by which route.
FIELDS = ("from", "sender", "reply-to", "to", "cc", "date", "subject", "message-id", "authentication-results")
LONGEST_TEXT = 4000
_HEADER_ONLY = frozenset({QuarantineReason.POISON.value, QuarantineReason.GAVE_UP.value, QuarantineReason.KILLED.value})


def print_quarantined(mail: Mapping[str, Any], raw: bytes, zone: ZoneInfo) -> None:
    """Print the facts, the header fields, the beginning of the text, and the traceback if there is one."""
    from rich.text import Text

    out = output.console()
    out.print(Text(f"{mail['id']}  {output.cell(mail['subject'])}", style="bold"))
    facts = [
        ("quarantined", mail["reason"]),
        ("rule", mail["rule"]),
        ("received", f"{output.moment(mail['received_at'], zone)} into {mail['mailbox']}"),
        ("size", f"{mail['size']} bytes" + (", of which only the header is here" if mail["partial"] else "")),
        ("ticket", f"#{mail['ticket']}" if mail["ticket"] else ""),
    ]
    message = _parsed(mail, raw)
    facts += [(name, value) for name in FIELDS for value in message.headers.get_all(name)]
    for label, value in facts:
        if value:
            out.print(Text.assemble((f"{label:<13}", "dim"), output.cell(value)), soft_wrap=True)
    text = message.text[:LONGEST_TEXT]
    if text.strip():
        out.print()
        for line in text.strip("\n").splitlines():
            out.print(Text(f"  {output.safe(line)}"), soft_wrap=True)
    if mail["traceback"]:
        out.print()
        out.print(Text(output.safe(mail["traceback"]), style="dim"), soft_wrap=True)


def _parsed(mail: Mapping[str, Any], raw: bytes) -> InboundMessage:
    """Parse the mail; only its header if parsing it failed, crashed or hung before."""
    from mailbot.mail.mime.minimal_parser import parse_minimal
    from mailbot.mail.mime.parser import parse_message

    if mail["rule"] in _HEADER_ONLY:
        return parse_minimal(raw, mail["size"])
    return parse_message(raw)


def write_raw(raw: bytes, to: Path) -> None:
    """Write the mail byte for byte into a new file, or to stdout for "-"."""
    if str(to) == "-":
        sys.stdout.buffer.write(raw)
        return
    try:
        with to.open("xb") as out:
            out.write(raw)
    except OSError as error:
        raise NotPossible(f"{to}: can't be written ({error.strerror})") from error
    output.say(f"{to}: {len(raw)} bytes.")
