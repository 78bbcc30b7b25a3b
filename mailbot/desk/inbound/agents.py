"""Agents' mail: authenticated or held, then an answer, a note, commands, a forward; all of a mail or nothing of it.

A From alone proves nothing: `sender_proof` says what does. What is not authenticated is held, and the agent is asked
at their known address; only a person's reply to that confirms, and only the mail that it was asked about.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.desk.apply_event import apply_event, open_ticket
from mailbot.desk.context import Case, HandlingResult, IncomingMail, Words
from mailbot.desk.inbound.new_words import new_words_of, spoken, title_of
from mailbot.desk.inbound.quarantine_replies import list_token, run_quarantine_commands
from mailbot.desk.inbound.requesters import handle_person, report
from mailbot.desk.inbound.sender_proof import domain_vouches, is_authenticated
from mailbot.desk.inbound.ticket_lookup import look_up, resolve_merged
from mailbot.mail.intent.intent import Answer, answer_of
from mailbot.mail.message import Address, Forward, InboundMessage, Kind
from mailbot.mail.redaction import strip_internal_quotes, without_tokens
from mailbot.mail.reply.forward import read_forward
from mailbot.mail.reply_token import Purpose, Token
from mailbot.mail.subject import status_request
from mailbot.store.rows import InboundRow
from mailbot.store.tickets import StoredTicket
from mailbot.ticket.command_parser import CommandError, Fault, Verb, parse_commands
from mailbot.ticket.events import Answered, Reported, Target
from mailbot.ticket.matching import AgentRoute, Clues, clues_of, route_agent
from mailbot.ticket.ticket import Agent, Role
from mailbot.vocabulary.refused_files import INFECTED, OWN_MAIL, UNSCANNED


def handle_agent(case: Case, agent: Agent) -> HandlingResult:
    """Handle a mail whose From is an agent's."""
    context, message = case.context, case.incoming.message
    clues = clues_of(message)
    awaiting = _mail_to_confirm(case, clues, agent)
    if awaiting is not None:
        return _confirm(case, awaiting, agent)
    token = list_token(clues, context.profile.signer, agent)
    if token is not None:
        return _answer_to_list(case, agent, token)
    if _writes_as_person(case, clues) or status_request(message.subject) is not None:
        return handle_person(case)
    tickets = look_up(context, clues, of_agents=True)
    found = route_agent(clues, tickets.known, context.profile.signer, agent)
    if held := _hold_doubtful(case, agent, found):
        return held
    if found.conflict is not None and found.number is not None:
        stored = tickets[found.number]
        error = CommandError(Fault.TWO_TICKETS, message.subject, 0, f"#{found.conflict}", (f"#{found.number}",))
        context.outbound.refuse(case.about(stored), agent, (error,))
        return HandlingResult("processed", "the subject names another ticket than the reply address", stored.id)
    if found.number is not None:
        return _act(case.about(resolve_merged(context, tickets[found.number])), agent, found)
    forward = read_forward(message, context.profile.zone)
    if forward is not None and forward.author.email and not context.is_ours(forward.author.email):
        return _open_for_requester(case, agent, forward)
    return report(case)


def _hold_doubtful(case: Case, agent: Agent, found: AgentRoute) -> HandlingResult | None:
    """Hold the mail and ask the agent whether they wrote it, where that is not certain; else return None."""
    context, mail = case.context, case.incoming
    if not is_authenticated(case, found):
        asked = context.outbound.ask_to_confirm(case, agent)
        how = "asked to confirm" if asked else "asked too often: not again"
        return HandlingResult("held", f"not proven to be from {agent.email} (trust = {context.profile.trust}); {how}")
    if _looks_automatic(mail):
        context.outbound.ask_to_confirm(case, agent)
        return HandlingResult("held", f"looks like an automatic reply of {agent.email}: {mail.verdict.reason}")
    return None


def _answer_to_list(case: Case, agent: Agent, token: Token) -> HandlingResult:
    found = AgentRoute(None, by_token=case.context.profile.signer.belongs_to(token, agent.signs_as))
    return _hold_doubtful(case, agent, found) or run_quarantine_commands(case, agent, token)


def _looks_automatic(mail: IncomingMail) -> bool:
    """Return whether it may be an out-of-office note without the fields of one, which comes like an answer."""
    verdict = mail.verdict
    return verdict.kind is Kind.NOACK and verdict.rule == "one-hint" and not (mail.authenticated or mail.released)


def _writes_as_person(case: Case, clues: Clues) -> bool:
    """Return whether an agent who is a requester or participant replies to mail that they got as such."""
    signer = case.context.profile.signer
    return any(token.purpose is Purpose.REQUESTER and signer.belongs_to(token, clues.sender) for token in clues.tokens)


# Mail that awaits confirmation


def _mail_to_confirm(case: Case, clues: Clues, agent: Agent) -> InboundRow | None:
    """Return the held mail that this one confirms, if it does."""
    for token in (*clues.tokens, *clues.reference_tokens):
        if token.purpose is not Purpose.CONFIRM or not case.context.profile.signer.belongs_to(token, agent.signs_as):
            continue
        if case.context.profile.trust == "both" and not domain_vouches(case):
            return None
        return next(iter(case.context.work.inbound([token.number])), None)
    return None


def _confirm(case: Case, awaiting: InboundRow, agent: Agent) -> HandlingResult:
    context, mail, number = case.context, case.incoming, awaiting.id
    if awaiting.state != "held":
        return HandlingResult.processed(f"confirms mail {number}, which is no longer held ({awaiting.state})")
    answer = answer_of(mail.message, mail.verdict, spoken(new_words_of(case)))
    if answer is not Answer.YES:
        what = "says that it is not theirs" if answer is Answer.NO else "is an automatic reply, which confirms nothing"
        return HandlingResult.processed(f"the answer about held mail {number} {what}")
    original = context.reread(awaiting)
    if context.policy.agent(original.message.from_addr) != agent:
        return HandlingResult.processed(f"held mail {number} is not in the name of {agent.email}")
    handled = handle_agent(Case(context, mail=original), agent)
    context.work.note_folder(awaiting, handled.folder)
    context.work.set_inbound(
        number, state=handled.state, reason=f"confirmed by {agent.email}", ticket_id=handled.ticket_id,
        place=handled.folder.value, processed_at=context.work.now,
    )  # fmt: skip
    return HandlingResult("processed", f"confirms mail {number}", handled.ticket_id, handled.number)


# Words and commands on a ticket


def _act(case: Case, agent: Agent, found: AgentRoute) -> HandlingResult:
    context, mail, stored = case.context, case.incoming, case.stored
    earlier = context.work.same_text_on_ticket(mail.inbound_id, stored.id)
    if earlier is not None and not mail.released:  # sent again by hand, or by a mail program that got no response
        what = f"the same as mail {earlier} under another Message-ID: not carried out again"
        return HandlingResult.processed(what, stored)
    reply = new_words_of(case)
    # A quotation with nothing above it is our own notification: what it says to agents must not go to the requester.
    text = "" if reply.nothing_new else _words_to_relay(case, reply.text)
    author = Address(agent.email, agent.name)
    words = Words(author, Role.AGENT, text, mail.message.attachments, mail.message.subject)
    errors = _refused_files(mail, context.profile.instance_id) or run_commands(case.saying(words), agent)
    if errors:
        context.outbound.refuse(case, agent, errors)
        reasons = "; ".join(f"line {e.line_number}: {e.fault}" for e in errors)
        return HandlingResult.processed(f"nothing was carried out: {reasons}", stored)
    return HandlingResult.processed("", stored, {"evidence": found.evidence, "cut": reply.rule})


def _words_to_relay(case: Case, text: str) -> str:
    """Return the agent's own words, without remains of quoted mail that only agents may see."""

    def public() -> list[str]:
        if any(not person.visible for person in case.stored.ticket.participants):
            return []  # after a forced merge one side's words are not for the other
        return [row.text for row in case.context.work.messages(case.stored.id) if row.public]

    return strip_internal_quotes(case.incoming.message, text, public, case.context.is_ours)


def run_commands(case: Case, agent: Agent) -> tuple[CommandError, ...]:
    """Carry out an agent's words, which may begin with commands; return the errors, and then nothing was done."""
    assert case.words is not None
    work, parsed = case.context.work, parse_commands(case.words.text)
    if parsed.errors:
        return parsed.errors
    numbers = [c.number for c in parsed.commands if c.verb is Verb.MERGE]
    words = replace(case.words, text=without_tokens(parsed.words).strip(), mark="")
    event = Answered(
        at=work.now,
        agent=agent.email,
        commands=parsed.commands,
        has_words=bool(words.text or words.attachments),
        targets={n: _target(found) for n, found in work.tickets(numbers).items()},
    )
    return apply_event(case.saying(words), event).refusals


def _target(stored: StoredTicket) -> Target:
    ticket = stored.ticket
    return Target(ticket.number, ticket.requester.email, ticket.status, ticket.merged_into)


# A forwarded report


def _open_for_requester(case: Case, agent: Agent, forward: Forward) -> HandlingResult:
    """Open a ticket for the requester whose mail an agent forwarded, and carry out the commands above it."""
    context, mail = case.context, case.incoming
    parsed = parse_commands(forward.comment)
    if parsed.errors:
        context.outbound.refuse(case, agent, parsed.errors)
        return HandlingResult.processed("nothing was carried out: a command above the forwarded mail is wrong")
    event = Reported(
        at=context.work.now,
        number=context.work.next_number(),
        subject=title_of(forward.subject or mail.message.subject, forward.text, context.profile.language),
        requester=forward.author,
        author=forward.author,
        language=context.profile.language,
        program=mail.program,
        by_agent=agent.email,
    )
    words = Words(
        forward.author, Role.REQUESTER, without_tokens(forward.text), forward.attachments, forward.subject,
        f"forwarded:{agent.email}",
    )  # fmt: skip
    opened = case.about(open_ticket(case.saying(words), event))
    if forward.comment.strip():
        text = _as_note(forward.comment, parsed.words)
        errors = run_commands(opened.saying(Words(Address(agent.email, agent.name), Role.AGENT, text)), agent)
        if errors:
            context.outbound.refuse(opened, agent, errors)
    return HandlingResult.processed("", opened.ticket, {"forwarded_by": agent.email})


def _as_note(comment: str, words: str) -> str:
    """Return a comment above a forwarded mail as a note for colleagues, unless commands say otherwise."""
    is_note = words.strip() and not comment.lstrip().startswith("#")
    return f"#catatan\n{comment}" if is_note else comment


# Files that an agent may not pass on

_FAULTS = {INFECTED: Fault.INFECTED_FILE, UNSCANNED: Fault.UNSCANNED_FILE, OWN_MAIL: Fault.OWN_MAIL}


def _refused_files(mail: IncomingMail, instance_id: str) -> tuple[CommandError, ...]:
    """Return an error for each file that keeps an agent's mail from going to the requester."""
    own = (name for name in _own_mails(mail.message, instance_id))
    found = [*((file.kind, file.to_blame) for file in mail.withheld), *((OWN_MAIL, name) for name in own)]
    return tuple(CommandError(_FAULTS.get(kind, Fault.REFUSED_FILE), "", 0, name) for kind, name in found)


def _own_mails(message: InboundMessage, instance_id: str) -> list[str]:
    """Return attached mails that the desk sent to agents: with history, notes and a signed address of theirs alone."""
    names = [each.name for each in message.attachments if each.content_type == "message/rfc822"]
    found = []
    for position, nested in enumerate(message.nested):
        kind = nested.headers.get("X-Mailbot-Kind").strip().lower()
        is_ours = nested.headers.get("X-Mailbot-Instance").strip() == instance_id
        if (is_ours and kind in ("notification", "notice", "")) or _own_mails(nested, instance_id):
            found.append(names[position] if position < len(names) else nested.subject)
    return found
