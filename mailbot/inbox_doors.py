"""The connections to the desk's inboxes, begun before the rest of mailbot is loaded.

In: the settings. Out: a `Mailbox` for each inbox, by the name of its place, which is being opened already; whoever
reads the inbox opens it as usual, and has the outcome. Where several workers share a desk, who reads is not known yet,
and nothing is begun.
"""

from __future__ import annotations

from mailbot.config import Settings
from mailbot.mailbox import Mailbox


def open_ahead(settings: Settings) -> dict[str, Mailbox]:
    """Begin to open every inbox of a SQLite desk; returns at once."""
    if settings.database_url.startswith("postgres"):
        return {}
    found = {box.place: Mailbox(box, max_size=settings.inbound.max_size) for box in settings.mailboxes}
    for mailbox in found.values():
        mailbox.open_ahead()
    return found
