"""The leads and the quarantine: the list that they get once a day, and what they answer to it.

In: the turn; for an answer the mail, its agent, the token of the list. Out: mail of kind `notice`, rows written, the
audit line in the lead's name. A number means the mail that had it in the list that was answered, whatever newer lists
say. All of a mail's orders are carried out, or, where one can't be, none. What was let in or dropped meanwhile is told.

An answer counts when it is proven as any agent's mail must be (`intake.agents`), from a lead, and by the token that was
signed for this lead and this list. Mail of others is untrusted text: one line each, cut, without control characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mailbot.desk.context import (
    Context,
    HandlingResult,
    IncomingMail,
    release_flags,
)
from mailbot.desk.inbound.requesters import words_of
from mailbot.desk.views import (
    FaultView,
    OutcomeView,
)
from mailbot.mail.reply_token import (
    Purpose,
    Signer,
    Token,
)
from mailbot.mail.untrusted_text import one_line
from mailbot.store import quarantine_lists
from mailbot.ticket.matching import Clues
from mailbot.ticket.quarantine import (
    QuarantineCommand,
    QuarantineError,
    QuarantineFault,
    QuarantineVerb,
    parse_quarantine_commands,
    resolve,
)
from mailbot.ticket.ticket import Agent

# The list


# The answer


def list_token(clues: Clues, signer: Signer, agent: Agent) -> Token | None:
    """The token of the list that this mail answers, signed for this agent or not; None where it answers none."""
    tokens = [t for t in (*clues.tokens, *clues.reference_tokens) if t.purpose in (Purpose.QUARANTINE, Purpose.AGENT)]
    if not tokens or tokens[0].purpose is not Purpose.QUARANTINE:
        return None
    of_lists = [t for t in tokens if t.purpose is Purpose.QUARANTINE]
    return next((t for t in of_lists if signer.belongs_to(t, agent.signs_as)), of_lists[0])


def carry_out_orders(turn: Context, mail: IncomingMail, agent: Agent, token: Token) -> HandlingResult:
    """A proven agent's answer to a list."""
    listed = quarantine_lists.mails_of(turn.work, token.number)
    if agent.email not in turn.policy.leads:
        return _refuse(turn, mail, agent, None, (QuarantineError(QuarantineFault.NOT_LEAD),))
    if listed is None or not turn.profile.signer.belongs_to(token, agent.signs_as):
        return _refuse(turn, mail, agent, None, (QuarantineError(QuarantineFault.OTHERS_LIST),))
    reply = words_of(turn, mail, None)
    parsed = parse_quarantine_commands("" if reply.nothing_new else reply.text)
    orders, strange = resolve(parsed.commands, len(listed))
    rows = {row.id: row for row in turn.work.inbound([listed[number - 1] for number in orders])}
    too_large = tuple(
        QuarantineError(QuarantineFault.TOO_LARGE, order.line, order.line_number, str(number))
        for number, order in orders.items()
        if not order.everything and _is_beyond_release(order, rows.get(listed[number - 1]))
    )
    errors = (*parsed.errors, *strange, *too_large)
    if errors:
        return _refuse(turn, mail, agent, token.number, errors)
    outcomes = [_carry_out(turn, agent, n, order, rows.get(listed[n - 1])) for n, order in orders.items()]
    context = {"outcomes": tuple(outcomes), "errors": ()}
    turn.post.of_quarantine(turn, agent.email, "agent/quarantine_done", context, token.number, mail)
    return HandlingResult("processed", f"orders on {len(outcomes)} mails of the quarantine")


def _refuse(
    turn: Context, mail: IncomingMail, agent: Agent, list_id: int | None, errors: Sequence[QuarantineError]
) -> HandlingResult:  # fmt: skip
    faults = tuple(FaultView(e.fault.value, one_line(e.line), e.line_number, one_line(e.found)) for e in errors)
    context = {"outcomes": (), "errors": faults}
    turn.post.of_quarantine(turn, agent.email, "agent/quarantine_done", context, list_id, mail)
    reasons = "; ".join(f"line {e.line_number}: {e.fault}" for e in errors)
    return HandlingResult("processed", f"nothing was done in the quarantine: {reasons}")


def _is_beyond_release(order: QuarantineCommand, row: Any) -> bool:
    return (
        row is not None and order.verb is QuarantineVerb.RELEASE and row.partial and row.state in quarantine_lists.HELD
    )


def _carry_out(turn: Context, agent: Agent, number: int, order: QuarantineCommand, row: Any) -> OutcomeView:
    """One number's order."""
    if row is None:  # locked: somebody has it in hand at this moment
        return OutcomeView(number, "", "", "busy")
    outcome = OutcomeView(number, one_line(row.sender), one_line(row.subject), "left")
    # as it is now: an order before this one may have changed it
    [now] = turn.work.inbound_unlocked([row.id])
    if now.state not in quarantine_lists.HELD:
        state = "dropped_before" if now.state == "discarded" else "let_in_before"
        return replace(outcome, outcome=state, ticket=_number(turn, now.ticket_id))
    if _is_beyond_release(order, now):
        return outcome
    turn.work.audit(agent.email, f"quarantine {order.verb.value}", f"mail {row.id} from {row.sender}")
    if order.verb is QuarantineVerb.DISCARD:
        turn.work.set_inbound(row.id, state="discarded", processed_at=turn.work.now)
        return replace(outcome, outcome="dropped")
    turn.work.set_inbound(row.id, state="received", explanation=release_flags(now), traceback="", attempts=1)
    done = turn.admit(row.id)
    if done.state in quarantine_lists.HELD:
        return replace(outcome, outcome="held_again", reason=one_line(done.reason))
    return replace(outcome, outcome="let_in", ticket=done.number, reason=one_line(done.reason))


def _number(turn: Context, ticket_id: int | None) -> int | None:
    if ticket_id is None:
        return None
    loaded = turn.work.tickets_by_id([ticket_id]).get(ticket_id)
    return loaded.ticket.number if loaded else None
