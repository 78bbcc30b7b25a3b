"""Bounces and automatic replies: recorded on the ticket that they belong to, never answered."""

from __future__ import annotations

from mailbot.desk.apply_event import apply_event, report_failure
from mailbot.desk.context import Case, HandlingResult, Words
from mailbot.desk.inbound.ticket_lookup import look_up, resolve_merged
from mailbot.mail.message import Bounce, MessageKind
from mailbot.mail.reply_token import Purpose, read_tokens
from mailbot.store.rows import OutboxRow
from mailbot.ticket.events import AutoReplied
from mailbot.ticket.matching import clues_of, route
from mailbot.ticket.ticket import Role

SHOWN_CHARACTERS = 4000


def handle_automatic_reply(case: Case) -> HandlingResult:
    """Record an automatic reply on its ticket, where it is hidden; without one it goes into quarantine."""
    context, message, verdict = case.context, case.incoming.message, case.incoming.verdict
    clues = clues_of(message)
    tickets = look_up(context, clues)
    found = route(clues, tickets.known, context.profile.signer)
    if found.number is None and any(t.purpose is Purpose.QUARANTINE for t in clues.tokens):
        return HandlingResult.processed("an automatic reply to the list of the quarantine")  # not on the next list
    if found.number is None:
        return HandlingResult.quarantined(f"automatic mail that belongs to no ticket: {verdict.reason}")
    stored = resolve_merged(context, tickets[found.number])
    author = message.from_address
    role = stored.ticket.role_of(author.email)
    words = Words(author, role, message.text[:SHOWN_CHARACTERS], (), message.subject, "auto")
    apply_event(case.about(stored).saying(words), AutoReplied(context.work.now, author, verdict.returns_on))
    return HandlingResult.processed(verdict.reason, stored, {"evidence": found.evidence})


def handle_bounce(case: Case) -> HandlingResult:
    """Record a delivery report on the ticket of the mail that it is about, and what follows from it."""
    work, mail = case.context.work, case.incoming
    bounce = mail.verdict.bounce or Bounce(hard=False)
    row = _returned_mail(case, bounce)
    if row is None:
        return HandlingResult.quarantined(f"a delivery report on no mail of ours: {mail.verdict.reason}")
    reason = " ".join(part for part in (bounce.status, bounce.diagnostic) if part) or mail.verdict.reason
    first_time = row.state != "failed"
    if bounce.hard and first_time:
        work.set_outbox(row.id, state="failed", last_error=f"came back: {reason}"[:2000])
    if row.ticket_id is None:
        return HandlingResult.processed(f"delivery report: {reason}")
    stored = work.tickets_by_id([row.ticket_id])[row.ticket_id]
    work.add_message(
        stored.id, direction="in", kind=MessageKind.BOUNCE.value, author=mail.message.from_addr,
        author_role=Role.SYSTEM.value, public=False, message_id=mail.message.message_id, subject=mail.message.subject,
        text=reason, raw_sha256=mail.raw_sha256, inbound_id=mail.inbound_id,
    )  # fmt: skip
    if first_time:
        report_failure(case.context, row, reason, soft=not bounce.hard)
    return HandlingResult.processed(f"delivery report: {reason}", stored)


def _returned_mail(case: Case, bounce: Bounce) -> OutboxRow | None:
    """Return the mail that a report is about, by the signed bounce address, else by our Message-ID in it."""
    for address in case.incoming.message.recipients:
        for token in read_tokens(address):
            if token.purpose is Purpose.BOUNCE and case.context.profile.signer.belongs_to(token):
                return case.context.work.outbox_row(token.number)
    if bounce.original_message_id:
        return case.context.work.outbox_by_message_id(bounce.original_message_id)
    return None
