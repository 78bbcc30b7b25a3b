"""Bounces and automatic replies: put where they belong, never answered."""

from __future__ import annotations

from typing import Any

from mailbot.desk.apply_event import apply_event, report_failure
from mailbot.desk.context import (
    Context,
    HandlingResult,
    IncomingMail,
    Words,
)
from mailbot.desk.inbound.ticket_lookup import (
    as_known,
    look_up,
    resolve_merged,
)
from mailbot.mail.message import Bounce, MessageKind
from mailbot.mail.reply_token import Purpose, read_tokens
from mailbot.ticket.events import AutoReplied
from mailbot.ticket.matching import clues_of, route
from mailbot.ticket.ticket import Role

SHOWN_CHARACTERS = 4000


def handle_robot(turn: Context, mail: IncomingMail) -> HandlingResult:
    """An automatic reply: on its ticket as a hidden event; without one, held where the admin sees it."""
    clues = clues_of(mail.message)
    known = look_up(turn, clues)
    found = route(clues, as_known(known), turn.profile.signer)
    if found.number is None and any(t.purpose is Purpose.QUARANTINE for t in clues.tokens):
        return HandlingResult(
            "processed", "an automatic reply to the list of the quarantine"
        )  # not a line of the next one
    if found.number is None:
        return HandlingResult("quarantined", f"automatic mail that belongs to no ticket: {mail.verdict.reason}")
    loaded = resolve_merged(turn, known[found.number])
    author = mail.message.from_address
    role = Role.REQUESTER if author.email == loaded.ticket.requester.email else Role.PARTICIPANT
    source = Words(author, role, mail.message.text[:SHOWN_CHARACTERS], mail, (), mail.message.subject, "auto")
    apply_event(turn, loaded, AutoReplied(turn.work.now, author, mail.verdict.returns_on), source)
    return HandlingResult(
        "processed", mail.verdict.reason, loaded.id, loaded.ticket.number, {"evidence": found.evidence}
    )


def handle_bounce(turn: Context, mail: IncomingMail) -> HandlingResult:
    """A delivery report: found by the signed bounce address, else by our Message-ID in it."""
    bounce = mail.verdict.bounce or Bounce(hard=False)
    row = _mail_that_came_back(turn, mail, bounce)
    if row is None:
        return HandlingResult("quarantined", f"a delivery report on no mail of ours: {mail.verdict.reason}")
    reason = " ".join(part for part in (bounce.status, bounce.diagnostic) if part) or mail.verdict.reason
    first_time = row.state != "failed"
    if bounce.hard and first_time:
        turn.work.set_outbox(row.id, state="failed", last_error=f"came back: {reason}"[:2000])
    if row.ticket_id is None:
        return HandlingResult("processed", f"delivery report: {reason}")
    loaded = turn.work.tickets_by_id([row.ticket_id])[row.ticket_id]
    turn.work.add_message(
        loaded.id, direction="in", kind=MessageKind.BOUNCE.value, author=mail.message.from_addr,
        author_role=Role.SYSTEM.value, public=False, message_id=mail.message.message_id, subject=mail.message.subject,
        text=reason, raw_sha256=mail.raw_sha256, inbound_id=mail.inbound_id,
    )  # fmt: skip
    if first_time:
        report_failure(turn, row, reason, soft=not bounce.hard)
    return HandlingResult("processed", f"delivery report: {reason}", loaded.id, loaded.ticket.number)


def _mail_that_came_back(turn: Context, mail: IncomingMail, bounce: Bounce) -> Any | None:
    for address in mail.message.recipients:
        for token in read_tokens(address):
            if token.purpose is Purpose.BOUNCE and turn.profile.signer.belongs_to(token):
                return turn.work.outbox_row(token.number)
    if bounce.original_message_id:
        return turn.work.outbox_by_message_id(bounce.original_message_id)
    return None
