"""The quarantine list that leads are sent once a day: what is in quarantine, and why.

In: a context, the opening of the desk that the list is for. Out: a notice to each lead, and a record of which mail has
which number in it. Mail of others is untrusted text: one line each, cut, without control characters.
"""

from __future__ import annotations

from datetime import datetime

from mailbot.desk.context import Context
from mailbot.desk.outbound.notifications import Notifications
from mailbot.desk.views import HeldMailView
from mailbot.mail.untrusted_text import one_line
from mailbot.store import quarantine_lists
from mailbot.store.rows import QuarantinedRow
from mailbot.ticket.quarantine import QuarantinedMail, QuarantineReason, quarantine_reason

LISTED = 50
# Where the code does not say enough, the reason's own words are shown beside it.
_EXPLAINED = frozenset(
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


def send_list(context: Context, notifications: Notifications, opening: datetime) -> bool:
    """Send every lead the list; return False if that was done before, or there is no mail or no lead."""
    rows, total = quarantine_lists.quarantined(context.work, LISTED)
    if not rows or not context.policy.leads:
        return False
    list_id = quarantine_lists.add(context.work, opening, [row.id for row in rows])
    if list_id is None:
        return False
    mails = tuple(_view(number, row) for number, row in enumerate(rows, 1))
    variables = {"mails": mails, "more": total - len(mails), "total": total}
    for email in context.policy.leads:
        notifications.quarantine_list(context, email, list_id, variables)
    return True


def _view(number: int, row: QuarantinedRow) -> HeldMailView:
    mail = QuarantinedMail(
        row.state, row.rule, row.kind, row.partial, has_sender="@" in row.sender, on_ticket=row.ticket_id is not None
    )
    why = quarantine_reason(mail)
    return HeldMailView(
        number=number,
        sender=one_line(row.sender),
        subject=one_line(row.subject),
        size=row.size,
        at=row.received_at,
        why=why.value,
        detail=one_line(row.reason) if why in _EXPLAINED else "",
        can_be_released=why not in (QuarantineReason.TOO_LARGE, QuarantineReason.NO_SENDER),
    )
