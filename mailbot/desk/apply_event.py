"""Event → decision → rows: the step that every mail, timer and command shares.

In: a case with a ticket, an event. Out: the decision, carried out: the ticket and its history written, the message
recorded, every effect turned into outbox rows, all in the transaction of the case. A decision that refuses, or asks
for something else than this ticket (a follow-up, the quarantine), changes nothing here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mailbot.desk.context import Case, Context
from mailbot.mail.attachments.policy import WithheldFile
from mailbot.mail.message import MessageKind
from mailbot.store.rows import OutboxRow
from mailbot.store.tickets import StoredTicket
from mailbot.ticket.events import Absorb, Absorbed, Decision, DeliveryFailed, Event, OpenFollowUp, Quarantine, Reported
from mailbot.ticket.lifecycle import decide


def apply_event(case: Case, event: Event) -> Decision:
    """Decide and write; refusals, `Quarantine` and `OpenFollowUp` are left to the caller, with nothing written."""
    decision = decide(case.stored.ticket, event, case.context.policy)
    if decision.refusals or any(isinstance(e, Quarantine | OpenFollowUp) for e in decision.effects):
        return decision
    assert decision.ticket is not None
    _write(case.about(case.context.work.save(case.stored, decision.ticket)), decision, event)
    return decision


def open_ticket(case: Case, event: Reported) -> StoredTicket:
    """Open the ticket that a report asks for, in the mailbox of the mail."""
    work, policy = case.context.work, case.context.policy
    if policy.notify == "round_robin":  # read here, not once for the batch: each new ticket moves it on
        policy = replace(policy, in_turn=work.in_turn())
    decision = decide(None, event, policy)
    assert decision.ticket is not None
    mailbox_id = case.mail.mailbox_id if case.mail else 0
    stored = work.open_ticket(decision.ticket, mailbox_id, case.message_id)
    if policy.notify == "round_robin" and len(decision.ticket.notified) == 1 and not decision.ticket.agent:
        work.set_in_turn(policy.in_turn, decision.ticket.notified[0])
    _write(case.about(stored), decision, event)
    return stored


def _write(case: Case, decision: Decision, event: Event) -> None:
    work, mail, words, ticket_id = case.context.work, case.mail, case.words, case.stored.id
    work.add_history(ticket_id, decision.journal)
    if words is not None and decision.recorded_as is not None:
        work.add_message(
            ticket_id,
            direction="in",
            kind=decision.recorded_as.value,
            author=words.author.email,
            author_name=words.author.name,
            author_role=words.role.value,
            public=decision.public,
            message_id=case.message_id,
            subject=words.subject,
            text=words.text,
            attachments=[
                *(
                    {"name": a.name, "type": a.content_type, "size": a.size, "sha256": a.sha256}
                    for a in words.attachments
                ),
                *(_withheld_entry(file) for file in (mail.withheld if mail else ())),
            ],
            raw_sha256=mail.raw_sha256 if mail else "",
            inbound_id=mail.inbound_id if mail else None,
            mark=words.mark,
        )
    for effect in decision.effects:
        if isinstance(effect, Absorb):
            _absorb(case.context, effect, event)
        else:
            case.context.outbound.queue_effect(case, effect)


def _absorb(context: Context, effect: Absorb, event: Event) -> None:
    target = context.work.ticket(effect.target)
    if target is not None:
        agent = getattr(event, "agent", "")
        apply_event(Case(context, target), Absorbed(event.at, agent, effect.source, effect.participants))


def _withheld_entry(file: WithheldFile) -> dict[str, Any]:
    """Return how the ticket's record names a file that was withheld."""
    return {"name": file.name, "type": file.content_type, "size": file.size, "sha256": file.sha256, "held": file.kind}


def report_failure(context: Context, row: OutboxRow, reason: str, *, soft: bool = False) -> None:
    """Apply to its ticket that a mail was not delivered. A failed notice causes no further notice."""
    kind = MessageKind(row.kind)
    stored = context.work.ticket_by_id(row.ticket_id) if kind is not MessageKind.NOTICE else None
    if stored is not None:
        event = DeliveryFailed(context.work.now, kind, row.recipient, row.cycle, reason[:500], soft)
        apply_event(Case(context, stored), event)
