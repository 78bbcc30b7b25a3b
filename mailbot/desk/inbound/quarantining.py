"""A mail that mailbot itself can't handle goes into quarantine; what its header alone says is still done.

In: the turn, the mail's row and as much of the mail as could be read. Out: `HandlingResult`. A person's reply stops the timers
of its ticket also where its words could not be read: its sender is evidence enough (service.md 4). A robot's does not.
"""

from __future__ import annotations

import logging
from typing import Any

from mailbot.desk.context import (
    Context,
    HandlingResult,
    IncomingMail,
)
from mailbot.desk.inbound.requesters import handle_unread
from mailbot.errors import StoreUnavailable
from mailbot.mail.message import Classification, Kind
from mailbot.mail.mime.minimal_parser import is_automatic, parse_minimal
from mailbot.store.statements import Savepoint
from mailbot.ticket.quarantine import QuarantineReason

log = logging.getLogger(__name__)

_PERSONS = (Kind.HUMAN, Kind.NOACK, Kind.QUARANTINE)
LONGEST_TRACE = 8000


def quarantine_unhandled(
    turn: Context, mail: IncomingMail, why: QuarantineReason, reason: str, trace: str = ""
) -> HandlingResult:
    """Quarantine it. `why` stands in `Inbound.rule`, `trace` the traceback for `mailbot quarantine show`."""
    turn.work.set_inbound(mail.inbound_id, traceback=trace.replace("\x00", "")[-LONGEST_TRACE:])
    if mail.verdict.kind in _PERSONS and mail.message.from_addr:
        savepoint = Savepoint(turn.work.connection)
        try:
            handle_unread(turn, mail, "quarantined")
            savepoint.commit()
        except StoreUnavailable:
            raise  # the transaction is gone with the database: nothing of it counts
        except Exception:
            savepoint.rollback()
            log.exception("the ticket of quarantined mail %d can't be found either", mail.inbound_id)
    return HandlingResult("quarantined", reason, rule=why.value)


def header_only(row: Any, raw: bytes) -> IncomingMail:
    """A mail of which only the outside is looked at, by code that shares nothing with what it may have broken."""
    message = parse_minimal(raw, row.size)
    kind = Kind.AUTO if is_automatic(message) else Kind.HUMAN
    return IncomingMail(row.id, row.mailbox_id, row.raw_sha256, message, Classification(kind), row.partial)
