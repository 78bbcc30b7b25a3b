"""A lead's answer to a quarantine list: commands that release or discard mail.

In: a case with the mail, its agent, the token of the list. Out: mail of kind `notice`, rows written, the audit line in
the lead's name. A number means the mail that had it in the list that was answered, whatever newer lists say. All of a
mail's commands are carried out, or, where one can't be, none; mail that was released or discarded meanwhile is named.

An answer counts when it is authenticated as any agent's mail must be (`agents`), from a lead, and by the token that was
signed for this lead and this list. Mail of others is untrusted text: one line each, cut, without control characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mailbot.desk.context import Case, Context, HandlingResult, release_flags
from mailbot.desk.inbound.new_words import new_words_of, spoken
from mailbot.desk.views import FaultView, OutcomeView
from mailbot.mail.reply_token import Purpose, Signer, Token
from mailbot.mail.untrusted_text import one_line
from mailbot.store import quarantine_lists
from mailbot.store.quarantine_lists import HELD
from mailbot.store.rows import InboundRow
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


def list_token(clues: Clues, signer: Signer, agent: Agent) -> Token | None:
    """Return the token of the list that this mail answers, signed for this agent or not; None if it answers none."""
    tokens = [t for t in (*clues.tokens, *clues.reference_tokens) if t.purpose in (Purpose.QUARANTINE, Purpose.AGENT)]
    if not tokens or tokens[0].purpose is not Purpose.QUARANTINE:
        return None
    of_lists = [t for t in tokens if t.purpose is Purpose.QUARANTINE]
    return next((t for t in of_lists if signer.belongs_to(t, agent.signs_as)), of_lists[0])


def run_quarantine_commands(case: Case, agent: Agent, token: Token) -> HandlingResult:
    """Carry out an authenticated agent's answer to a list."""
    context = case.context
    listed = quarantine_lists.mails_of(context.work, token.number)
    if agent.email not in context.policy.leads:
        return _refuse(case, agent, None, (QuarantineError(QuarantineFault.NOT_LEAD),))
    if listed is None or not context.profile.signer.belongs_to(token, agent.signs_as):
        return _refuse(case, agent, None, (QuarantineError(QuarantineFault.OTHERS_LIST),))
    parsed = parse_quarantine_commands(spoken(new_words_of(case)))
    commands, strange = resolve(parsed.commands, len(listed))
    rows = {row.id: row for row in context.work.inbound([listed[number - 1] for number in commands])}
    too_large = tuple(
        QuarantineError(QuarantineFault.TOO_LARGE, command.line, command.line_number, str(number))
        for number, command in commands.items()
        if not command.everything and _is_too_large_to_release(command, rows.get(listed[number - 1]))
    )
    errors = (*parsed.errors, *strange, *too_large)
    if errors:
        return _refuse(case, agent, token.number, errors)
    outcomes = [
        _run_command(context, agent, number, command, rows.get(listed[number - 1]))
        for number, command in commands.items()
    ]
    context.outbound.quarantine_outcomes(case, agent, token.number, outcomes)
    return HandlingResult.processed(f"orders on {len(outcomes)} mails of the quarantine")


def _refuse(case: Case, agent: Agent, list_id: int | None, errors: Sequence[QuarantineError]) -> HandlingResult:
    faults = [FaultView(e.fault.value, one_line(e.line), e.line_number, one_line(e.found)) for e in errors]
    case.context.outbound.quarantine_outcomes(case, agent, list_id, (), faults)
    reasons = "; ".join(f"line {e.line_number}: {e.fault}" for e in errors)
    return HandlingResult.processed(f"nothing was done in the quarantine: {reasons}")


def _is_too_large_to_release(command: QuarantineCommand, row: InboundRow | None) -> bool:
    return row is not None and command.verb is QuarantineVerb.RELEASE and row.partial and row.state in HELD


def _run_command(
    context: Context, agent: Agent, number: int, command: QuarantineCommand, row: InboundRow | None
) -> OutcomeView:
    """Carry out the command on one number of the list."""
    work = context.work
    if row is None:  # locked: another worker is handling it at this moment
        return OutcomeView(number, "", "", "busy")
    outcome = OutcomeView(number, one_line(row.sender), one_line(row.subject), "left")
    # as it is now: a command before this one may have changed it
    [now] = work.inbound_unlocked([row.id])
    if now.state not in HELD:
        state = "dropped_before" if now.state == "discarded" else "let_in_before"
        stored = work.ticket_by_id(now.ticket_id)
        return replace(outcome, outcome=state, ticket=stored.ticket.number if stored else None)
    if _is_too_large_to_release(command, now):
        return outcome
    work.audit(agent.email, f"quarantine {command.verb.value}", f"mail {row.id} from {row.sender}")
    if command.verb is QuarantineVerb.DISCARD:
        work.set_inbound(row.id, state="discarded", processed_at=work.now)
        return replace(outcome, outcome="dropped")
    work.set_inbound(row.id, state="received", explanation=release_flags(now), traceback="", attempts=1)
    done = context.release(row.id)
    if done.state in HELD:
        return replace(outcome, outcome="held_again", reason=one_line(done.reason))
    return replace(outcome, outcome="let_in", ticket=done.number, reason=one_line(done.reason))
