"""Files that go no further: what an agent is told of those that they sent, and what is kept on record of others'."""

from __future__ import annotations

from typing import Any

from mailbot.core.attachment_rules import Held
from mailbot.core.commands import CommandError, Fault
from mailbot.core.message import InboundMessage
from mailbot.intake.turn import Arrived
from mailbot.vocabulary.refused_files import INFECTED, OWN_MAIL, UNSCANNED

_FAULTS = {INFECTED: Fault.INFECTED_FILE, UNSCANNED: Fault.UNSCANNED_FILE, OWN_MAIL: Fault.OWN_MAIL}


def refused_files(mail: Arrived, instance_id: str) -> tuple[CommandError, ...]:
    """Why an agent's mail can't go to the requester as it is: a fault for each of its files that may not."""
    own = (name for name in _own_mails(mail.message, instance_id))
    found = [*((held.kind, held.to_blame) for held in mail.held), *((OWN_MAIL, name) for name in own)]
    return tuple(CommandError(_FAULTS.get(kind, Fault.REFUSED_FILE), "", 0, name) for kind, name in found)


def _own_mails(message: InboundMessage, instance_id: str) -> list[str]:
    """Attached mails that the desk wrote to agents: with history, notes and a signed address that are theirs alone."""
    names = [each.name for each in message.attachments if each.content_type == "message/rfc822"]
    found = []
    for position, nested in enumerate(message.nested):
        kind = nested.headers.get("X-Mailbot-Kind").strip().lower()
        is_ours = nested.headers.get("X-Mailbot-Instance").strip() == instance_id
        if (is_ours and kind in ("notification", "notice", "")) or _own_mails(nested, instance_id):
            found.append(names[position] if position < len(names) else nested.subject)
    return found


def on_record(held: Held) -> dict[str, Any]:
    """A file that was held, as the ticket's record names it beside those that were passed on."""
    return {"name": held.name, "type": held.content_type, "size": held.size, "sha256": held.sha256, "held": held.kind}
