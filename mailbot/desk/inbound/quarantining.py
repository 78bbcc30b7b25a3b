"""Mail whose words can't be read, and mail that mailbot itself can't handle; what the header alone says is still done.

In: a case with as much of the mail as could be read. Out: its ticket with the timers stopped, for mail that mailbot
can't handle a `HandlingResult` as well. A person's mail stops the timers of its ticket also where its words could not
be read (docs/developer/rules.md): the sender is evidence enough that they answered. A machine's does not.
"""

from __future__ import annotations

import logging

from mailbot.desk.apply_event import apply_event
from mailbot.desk.context import Case, HandlingResult, IncomingMail
from mailbot.desk.inbound.ticket_lookup import look_up, resolve_merged
from mailbot.errors import StoreUnavailable
from mailbot.mail.message import Classification, Kind
from mailbot.mail.mime.minimal_parser import is_automatic, parse_minimal
from mailbot.store.rows import InboundRow
from mailbot.ticket.events import Replied
from mailbot.ticket.matching import clues_of, route
from mailbot.ticket.quarantine import QuarantineReason

log = logging.getLogger(__name__)

_PERSONS = (Kind.HUMAN, Kind.NOACK, Kind.QUARANTINE)
LONGEST_TRACE = 8000


def handle_unread(case: Case, why: str) -> None:
    """Stop the timers of the mail's ticket; notify the sender where the mail is too large. `why`: `Replied.unread`."""
    context, mail = case.context, case.incoming
    if why == "too_large" and mail.may_be_answered:
        context.outbound.too_large(case)
    clues = clues_of(mail.message)
    tickets = look_up(context, clues)
    found = route(clues, tickets.known, context.profile.signer)
    if found.number is None or found.elsewhere:
        return
    if why == "quarantined" and mail.verdict.rule == "dmarc-fail" and found.evidence == "tag":
        return  # a number and a From that DMARC refutes: evidence of nothing
    stored = resolve_merged(context, tickets[found.number])
    role = stored.ticket.role_of(mail.message.from_addr)
    # without the mail: the notice that follows answers nothing of it
    apply_event(Case(context, stored), Replied(context.work.now, mail.message.from_address, role, unread=why))


def quarantine_unhandled(case: Case, why: QuarantineReason, reason: str, trace: str = "") -> HandlingResult:
    """Quarantine the mail. `why` is kept in `Inbound.rule`, `trace` for `mailbot quarantine show`."""
    work, mail = case.context.work, case.incoming
    work.set_inbound(mail.inbound_id, traceback=trace.replace("\x00", "")[-LONGEST_TRACE:])
    if mail.verdict.kind in _PERSONS and mail.message.from_addr:
        savepoint = work.savepoint()
        try:
            handle_unread(case, "quarantined")
            savepoint.commit()
        except StoreUnavailable:
            raise  # the transaction is gone with the database: nothing of it counts
        except Exception:
            savepoint.rollback()
            log.exception("the ticket of quarantined mail %d can't be found either", mail.inbound_id)
    return HandlingResult("quarantined", reason, rule=why.value)


def header_only(row: InboundRow, raw: bytes) -> IncomingMail:
    """Return a mail by its header alone, read by code that shares nothing with what the mail may have broken."""
    message = parse_minimal(raw, row.size)
    return IncomingMail.of_row(row, message, Classification(Kind.AUTO if is_automatic(message) else Kind.HUMAN))
