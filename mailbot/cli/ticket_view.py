"""A ticket for a person at a terminal: facts, messages, history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mailbot.cli import output

if TYPE_CHECKING:
    from rich.console import Console

    from mailbot.store.engine import Store
    from mailbot.store.queries import TicketDetail

_ARROWS = {"in": "→ desk", "out": "desk →"}


def hidden_parts(store: Store, ticket: TicketDetail) -> dict[int, str]:
    """Return, for each message that came by mail, what was cut from its text: the quotation and the signature."""
    from mailbot.mail.reply.reply_text import extract_reply
    from mailbot.store import raw_mail

    hidden = {}
    with store.reading() as connection:
        for message in ticket.messages:
            raw = raw_mail.get(connection, message.raw_sha256) if message.raw_sha256 else None
            if raw is not None:
                reply = extract_reply(raw)
                hidden[message.id] = "\n\n".join(part for part in (reply.quoted, reply.signature) if part)
    return hidden


def print_ticket(ticket: Mapping[str, Any], zone: ZoneInfo, hidden: Mapping[int, str]) -> None:
    """Print the document of `--json` for people; `hidden`: by message id, what was cut from its text."""
    from rich.text import Text

    out = output.console()
    out.print(Text(f"#{ticket['number']}  {output.cell(ticket['subject'])}", style="bold"))
    for label, value in _facts(ticket, zone):
        out.print(Text.assemble((f"{label:<13}", "dim"), output.cell(value)))
    for message in ticket["messages"]:
        _print_message(out, message, zone, hidden.get(message["id"], ""))
    out.print()
    out.print(Text("History", style="bold"))
    for event in ticket["events"]:
        change = " → ".join(output.cell(event[side]) for side in ("from", "to") if event[side])
        line = f"  {output.moment(event['at'], zone)}  {output.cell(event['actor'])}  {event['kind']}  {change}"
        out.print(Text(line.rstrip(), style="dim"))


def _facts(ticket: Mapping[str, Any], zone: ZoneInfo) -> list[tuple[str, str]]:
    """Return labels and values, the most important first; empty values are left out."""
    requester, timer = ticket["requester"], ticket["next_timer"]
    status = f"{ticket['status']} ({ticket['close_reason']})" if ticket["close_reason"] else ticket["status"]
    facts = [
        ("status", status),
        ("requester", f"{requester['name']} <{requester['email']}>" if requester["name"] else requester["email"]),
        ("participants", ", ".join(ticket["participants"])),
        ("agent", ticket["agent"] or "nobody yet"),
        ("program", ticket["program"] or ""),
        ("tags", ", ".join(ticket["tags"])),
        ("priority", "" if ticket["priority"] == "normal" else ticket["priority"]),
        ("language", ticket["language"]),
        ("opened", output.moment(ticket["created_at"], zone)),
        ("updated", output.moment(ticket["updated_at"], zone)),
        ("closed", output.moment(ticket["closed_at"], zone)),
        ("follow-up of", f"#{ticket['follow_up_of']}" if ticket["follow_up_of"] else ""),
        ("follow-ups", ", ".join(f"#{number}" for number in ticket["follow_ups"])),
        ("merged into", f"#{ticket['merged_into']}" if ticket["merged_into"] else ""),
        ("next", f"{timer['kind']} on {output.moment(timer['at'], zone)}" if timer else ""),
    ]
    return [(label, value) for label, value in facts if value]


def _print_message(out: Console, message: Mapping[str, Any], zone: ZoneInfo, hidden: str) -> None:
    """Print one message: when, who, what kind; the new words; the hidden part dimmed; attachments."""
    from rich.text import Text

    private = "" if message["public"] else ", only for agents"
    arrow = _ARROWS.get(message["direction"], "")
    head = f"{output.moment(message['at'], zone)}  {arrow}  {output.cell(message['author'])}"
    out.print()
    out.print(Text.assemble((head, "bold"), (f"  {message['kind']}{private}", "dim")))
    for line in message["text"].splitlines():
        out.print(Text(f"  {output.safe(line)}"), soft_wrap=True)
    for line in hidden.splitlines():
        out.print(Text(f"  {output.safe(line)}", style="dim"), soft_wrap=True)
    for file in message["attachments"]:
        held = f", WITHHELD: {file['held']}" if file.get("held") else ""
        out.print(Text(f"  [{output.cell(file['name'])}, {file['type']}, {_bytes(file['size'])}{held}]", style="dim"))


def _bytes(size: int) -> str:
    return f"{size} B" if size < 1000 else f"{size / 1000:.0f} KB" if size < 1_000_000 else f"{size / 1e6:.1f} MB"
