"""The outbox of a replay: every mail counts as accepted by the SMTP server at once, and nothing is sent.

Mail that a ticket's timers wait for (an answer, a reminder: `cycle`) goes through the desk's own delivery, so that the
timers start. Delivering any other mail changes nothing else: it is marked as sent in one statement.
"""

from __future__ import annotations

from mailbot.desk.outbound.delivery import CLAIM
from mailbot.desk.wiring import Desk
from mailbot.mail.compose.streaming import Outgoing
from mailbot.store.replay import mark_sent
from mailbot.transport.smtp.submission import Accepted


class NothingIsSent:
    """An SMTP server that accepts every mail and drops it."""

    def send(self, envelope_from: str, recipient: str, raw: bytes | Outgoing) -> Accepted:
        """Accept the mail."""
        return Accepted("250 2.0.0 replay: nothing is sent")


def deliver(desk: Desk) -> None:
    """Empty the outbox."""
    with desk.store.writing() as connection:
        is_left = mark_sent(connection, desk.store.desk_id, desk.clock.now())
    while is_left:
        is_left = desk.delivery.deliver_due(NothingIsSent()).tried == CLAIM  # a full batch: there may be more
