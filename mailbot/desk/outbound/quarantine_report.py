"""TODO."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mailbot.desk.context import (
    Context,
)
from mailbot.desk.views import (
    HeldMailView,
)
from mailbot.mail.untrusted_text import one_line
from mailbot.store import quarantine_lists
from mailbot.ticket.quarantine import (
    QuarantinedMail,
    QuarantineReason,
    quarantine_reason,
)

LISTED = 50


# Where the code alone does not say enough, the reason's own words stand beside it.
_TELLING = frozenset(
    (
        QuarantineReason.POISON,
        QuarantineReason.GAVE_UP,
        QuarantineReason.KILLED,
        QuarantineReason.OTHER,
        QuarantineReason.VIRUS,
        QuarantineReason.SPAM,
        QuarantineReason.AUTOMATIC,
        QuarantineReason.BOUNCE,
    )
)


def send_list(turn: Context, opening: datetime) -> bool:
    """Send every lead the list of what is held; False where that was done before, or there is nothing or nobody."""
    rows, total = quarantine_lists.held(turn.work, LISTED)
    if not rows or not turn.policy.leads:
        return False
    list_id = quarantine_lists.add(turn.work, opening, [row.id for row in rows])
    if list_id is None:
        return False
    mails = tuple(_view(number, row) for number, row in enumerate(rows, 1))
    context = {"mails": mails, "more": total - len(mails), "total": total}
    for email in turn.policy.leads:
        turn.post.of_quarantine(turn, email, "agent/quarantine", context, list_id)
    return True


def _view(number: int, row: Any) -> HeldMailView:
    held = QuarantinedMail(
        state=row.state, rule=row.rule, kind=row.kind, partial=row.partial, has_sender="@" in row.sender,
        on_ticket=row.ticket_id is not None,
    )  # fmt: skip
    why = quarantine_reason(held)
    return HeldMailView(
        number=number,
        sender=one_line(row.sender),
        subject=one_line(row.subject),
        size=row.size,
        at=row.received_at,
        why=why.value,
        detail=one_line(row.reason) if why in _TELLING else "",
        can_be_released=why not in (QuarantineReason.TOO_LARGE, QuarantineReason.NO_SENDER),
    )
