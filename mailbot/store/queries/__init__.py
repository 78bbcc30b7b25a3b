"""The read side: what the command line, the pages and the reports ask a desk.

Each function takes a `Store`, reads one snapshot, and returns frozen values that know their JSON. Nothing here writes
(a search first catches up with its index) and nothing locks. Every query has its index; a test reads the query plans.
"""

from mailbot.store.queries.mail import (
    HeldMail,
    QueuedMail,
    list_outbox,
    list_quarantine,
    show_quarantine,
)
from mailbot.store.queries.report import (
    Report,
    Times,
    report,
)
from mailbot.store.queries.ticket import (
    Event,
    Message,
    TicketDetail,
    TicketFilter,
    TicketSummary,
    list_tickets,
    show_ticket,
)

__all__ = [
    "Event",
    "HeldMail",
    "Message",
    "QueuedMail",
    "Report",
    "TicketDetail",
    "TicketFilter",
    "TicketSummary",
    "Times",
    "list_outbox",
    "list_quarantine",
    "list_tickets",
    "report",
    "show_quarantine",
    "show_ticket",
]
