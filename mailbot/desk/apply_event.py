"""Event → decision → rows: the step that every mail, timer and command shares.

In: a loaded ticket, an event, the words behind it. Out: the decision, carried out: the ticket written, its history,
the message put on record, every effect turned into outbox rows, all in the transaction of the turn. A decision that
asks for something else than this ticket (a follow-up, the quarantine), or refuses, changes nothing here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mailbot.desk.context import (
    Context,
    Words,
)
from mailbot.mail.attachments.policy import WithheldFile
from mailbot.mail.message import MessageKind
from mailbot.store.unit_of_work import StoredTicket
from mailbot.ticket.events import (
    Absorb,
    Absorbed,
    Decision,
    DeliveryFailed,
    Event,
    OpenFollowUp,
    Quarantine,
    Reported,
)
from mailbot.ticket.lifecycle import decide


def apply_event(turn: Context, loaded: StoredTicket, event: Event, source: Words | None = None) -> Decision:
    """Decide and write. `decision.refusals`, `Quarantine` and `OpenFollowUp` are left to the caller, nothing written."""
    decision = decide(loaded.ticket, event, turn.policy)
    if decision.refusals or any(isinstance(e, Quarantine | OpenFollowUp) for e in decision.effects):
        return decision
    assert decision.ticket is not None
    _write(turn, turn.work.save(loaded, decision.ticket), decision, event, source)
    return decision


def open_new(turn: Context, event: Reported, source: Words, mailbox_id: int) -> StoredTicket:
    """Open the ticket that a report makes."""
    policy = turn.policy
    if policy.notify == "round_robin":  # read here, not once for the batch: each new ticket moves it on
        policy = replace(policy, in_turn=turn.work.in_turn())
    decision = decide(None, event, policy)
    assert decision.ticket is not None
    loaded = turn.work.open_ticket(decision.ticket, mailbox_id, source.message_id)
    if policy.notify == "round_robin" and len(decision.ticket.notified) == 1 and not decision.ticket.agent:
        turn.work.set_in_turn(policy.in_turn, decision.ticket.notified[0])
    _write(turn, loaded, decision, event, source)
    return loaded


def _write(turn: Context, loaded: StoredTicket, decision: Decision, event: Event, source: Words | None) -> None:
    turn.work.add_history(loaded.id, decision.journal)
    if source is not None and decision.recorded_as is not None:
        turn.work.add_message(
            loaded.id,
            direction="in",
            kind=decision.recorded_as.value,
            author=source.author.email,
            author_name=source.author.name,
            author_role=source.role.value,
            public=decision.public,
            message_id=source.message_id,
            subject=source.subject,
            text=source.words,
            attachments=[
                *(
                    {"name": a.name, "type": a.content_type, "size": a.size, "sha256": a.sha256}
                    for a in source.attachments
                ),
                *(on_record(held) for held in (source.mail.held if source.mail else ())),
            ],
            raw_sha256=source.mail.raw_sha256 if source.mail else "",
            inbound_id=source.mail.inbound_id if source.mail else None,
            mark=source.mark,
        )
    for effect in decision.effects:
        if isinstance(effect, Absorb):
            _absorb(turn, effect, event)
        else:
            turn.post.carry(turn, loaded, effect, source)


def _absorb(turn: Context, effect: Absorb, event: Event) -> None:
    target = turn.work.ticket(effect.target)
    if target is not None:
        agent = getattr(event, "agent", "")
        apply_event(turn, target, Absorbed(event.at, agent, effect.source, effect.participants))


def on_record(held: WithheldFile) -> dict[str, Any]:
    """A file that was held, as the ticket's record names it beside those that were passed on."""
    return {"name": held.name, "type": held.content_type, "size": held.size, "sha256": held.sha256, "held": held.kind}


def report_failure(turn: Context, row: Any, reason: str, *, soft: bool = False) -> None:
    """Tell the ticket that a mail of the outbox did not reach its reader. A failed notice makes no further notice."""
    if row.ticket_id is None or row.kind == MessageKind.NOTICE.value:
        return
    loaded = turn.work.tickets_by_id([row.ticket_id]).get(row.ticket_id)
    if loaded is not None:
        kind = MessageKind(row.kind)
        apply_event(turn, loaded, DeliveryFailed(turn.work.now, kind, row.recipient, row.cycle, reason[:500], soft))
