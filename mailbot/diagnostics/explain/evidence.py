"""Why this ticket: everything in a mail that points to one, and the desk's judgement of each clue.

In: a mail and, if there is one, the desk. Out: a plain document with each token, reference and tag (the ticket that it
names, whether it counts, why) and the resulting route. The lookups are those of `desk.inbound`, on tickets as they are
now: if a ticket was merged or closed since, the route is today's, not that of the day.
"""

from __future__ import annotations

from typing import Any

from mailbot.diagnostics.explain.mail_facts import MailFacts
from mailbot.diagnostics.explain.read_only_desk import ReadOnlyDesk
from mailbot.mail.message import Kind
from mailbot.mail.reply_token import Purpose, Token
from mailbot.mail.subject import status_request
from mailbot.store.queries.explain import sent_by_message_id
from mailbot.store.unit_of_work import UnitOfWork
from mailbot.ticket.matching import Clues, Known, Route, clues_of, route, route_agent
from mailbot.ticket.ticket import Agent, Ticket

PURPOSES = {
    Purpose.REQUESTER: "reply address of a requester or participant",
    Purpose.AGENT: "reply address of an agent",
    Purpose.CONFIRM: "confirmation of a held mail",
    Purpose.BOUNCE: "envelope sender of one of our mails",
    Purpose.STATUS: "link to the status page",
    Purpose.CANARY: "mark of a mail by which the desk measures its way round",
    Purpose.QUARANTINE: "reply address of a lead, on one list of the quarantine",
}
MAX_SHOWN = 20


def evidence(mail: MailFacts, desk: ReadOnlyDesk | None) -> dict[str, Any]:
    """Return each clue, and where the mail goes because of them."""
    clues = clues_of(mail.message)
    agent = desk.policy.agent(mail.message.from_addr) if desk else None
    known = _look_up(desk, clues, of_agents=agent is not None) if desk else Known()
    found = [
        *(_token(token, where, clues, known, desk) for token, where in _tokens(clues)),
        *(_reference(reference, known, desk) for reference in clues.references[:MAX_SHOWN]),
        *(_tag(tag, clues, known, desk) for tag in clues.tags),
        *_returned(mail, desk),
    ]
    return {"agent": agent.email if agent else None, "clues": found, "route": _route(mail, clues, known, desk, agent)}


def sent_to_author(mail: MailFacts, desk: ReadOnlyDesk, number: int | None) -> list[str]:
    """Return the sent texts that the author may quote, looked up as for incoming mail."""
    message = mail.message
    if desk.store is None:
        return []
    with desk.store.reading() as connection:
        work = UnitOfWork(connection, desk.store.desk_id, desk.store.clock.now(), locking=False)
        sent = work.sent_texts((*message.in_reply_to, *message.references[-5:]))
        stored = work.ticket(number) if number is not None and not sent else None
        return work.sent_to(stored.id, message.from_addr) if stored else sent


def _look_up(desk: ReadOnlyDesk, clues: Clues, *, of_agents: bool) -> Known:
    if desk.store is None:
        return Known()
    with desk.store.reading() as connection:
        work = UnitOfWork(connection, desk.store.desk_id, desk.store.clock.now(), locking=False)
        by_reference = work.numbers_by_message_id(clues.references, of_agents=of_agents)
        tickets = work.tickets({*clues.numbers, *by_reference.values()})
    return Known({number: stored.ticket for number, stored in tickets.items()}, by_reference)


def _tokens(clues: Clues) -> list[tuple[Token, str]]:
    addressed = [(token, "address") for token in clues.tokens]
    return [*addressed, *((token, "message-id") for token in clues.reference_tokens)][:MAX_SHOWN]


def _clue(kind: str, value: str, ticket: int | None, counts: bool | None, why: str) -> dict[str, Any]:
    """Return one clue; `counts` is None if that can't be judged without a desk."""
    return {"kind": kind, "value": value, "ticket": ticket, "counts": counts, "why": why}


def _token(token: Token, where: str, clues: Clues, known: Known, desk: ReadOnlyDesk | None) -> dict[str, Any]:
    about = token.number if token.purpose in (Purpose.REQUESTER, Purpose.AGENT, Purpose.STATUS) else None
    what = f"{PURPOSES[token.purpose]}, in the {'address' if where == 'address' else 'Message-ID that it answers'}"
    if desk is None:
        return _clue("token", str(token), about, None, f"{what}; only the desk with its key can verify it")
    if not desk.has_key:
        return _clue("token", str(token), about, False, f"{what}; this desk has no key yet")
    signed_for = _signed_for(token, clues, known.tickets.get(token.number), desk)
    if signed_for is None:
        return _clue("token", str(token), about, False, f"{what}; not signed by this desk for anybody concerned")
    if about is not None and about not in known.tickets:
        return _clue("token", str(token), about, False, f"{what}; signed for {signed_for}, but there is no such ticket")
    return _clue("token", str(token), about, True, f"{what}; signed for {signed_for or f'mail {token.number}'}")


def _signed_for(token: Token, clues: Clues, ticket: Ticket | None, desk: ReadOnlyDesk) -> str | None:
    """Return for whom this desk signed the token ("": nobody in particular); None: it did not sign it."""
    people = [clues.sender]
    if token.purpose is Purpose.BOUNCE:
        people = [""]
    elif token.purpose in (Purpose.AGENT, Purpose.CONFIRM, Purpose.QUARANTINE):
        people += [agent.signs_as for agent in desk.policy.agents]
    elif ticket is not None:
        people += [ticket.requester.email, *(p.email for p in ticket.participants)]
    return next((person for person in people if desk.profile.signer.belongs_to(token, person)), None)


def _reference(reference: str, known: Known, desk: ReadOnlyDesk | None) -> dict[str, Any]:
    if desk is None:
        return _clue("reference", reference, None, None, "only the desk knows its mails")
    number = known.by_reference.get(reference)
    if number is None:
        return _clue("reference", reference, None, False, "no mail of a ticket has this Message-ID")
    return _clue("reference", reference, number, True, f"a mail of #{number}")


def _tag(tag: int, clues: Clues, known: Known, desk: ReadOnlyDesk | None) -> dict[str, Any]:
    if desk is None:
        return _clue("tag", f"#{tag}", tag, None, "counts only where the sender takes part in that ticket")
    ticket = known.tickets.get(tag)
    if ticket is None:
        return _clue("tag", f"#{tag}", tag, False, "there is no such ticket")
    if desk.policy.agent(clues.sender):
        return _clue("tag", f"#{tag}", tag, True, "names the ticket, but proves nothing about an agent")
    if not ticket.takes_part(clues.sender):
        return _clue("tag", f"#{tag}", tag, False, f"{clues.sender or 'nobody'} takes no part in that ticket")
    return _clue("tag", f"#{tag}", tag, True, f"{clues.sender} takes part in that ticket")


def _returned(mail: MailFacts, desk: ReadOnlyDesk | None) -> list[dict[str, Any]]:
    """Return the mail that a delivery report is about, as a clue."""
    message_id = mail.verdict.bounce.original_message_id if mail.verdict.bounce else ""
    if not message_id:
        return []
    if desk is None or desk.store is None:
        return [_clue("returned-mail", message_id, None, None, "only the desk knows its mails")]
    ours = sent_by_message_id(desk.store, message_id)
    if not ours:
        return [_clue("returned-mail", message_id, None, False, "no mail of ours has this Message-ID")]
    return [_clue("returned-mail", message_id, ours[0].ticket, True, f"our {ours[0].kind} to {ours[0].recipient}")]


def _route(
    mail: MailFacts, clues: Clues, known: Known, desk: ReadOnlyDesk | None, agent: Agent | None
) -> dict[str, Any] | None:
    """Return where today's rules would route the mail; None without a desk."""
    if desk is None:
        return None
    if mail.verdict.kind in (Kind.LOOP, Kind.BOUNCE, Kind.QUARANTINE):
        return {
            "ticket": None,
            "evidence": None,
            "words": f"not by these clues: the mail is a {mail.verdict.kind.value}",
        }
    if agent is not None and status_request(mail.message.subject) is None:
        found = route_agent(clues, known, desk.profile.signer, agent)
        proof = (
            "proven by a token"
            if found.by_token
            else f"not proven by a token ([agent_mail] trust = {desk.profile.trust})"
        )
        named = f"#{found.number} by {found.evidence}" if found.number is not None else "no ticket is named"
        conflict = f"; the subject names another, #{found.conflict}" if found.conflict is not None else ""
        return {"ticket": found.number, "evidence": found.evidence or None, "words": f"{named}, {proof}{conflict}"}
    by_person = route(clues, known, desk.profile.signer)
    return {"ticket": by_person.number, "evidence": by_person.evidence or None, "words": _in_words(by_person, clues)}


def _in_words(found: Route, clues: Clues) -> str:
    if found.number is None:
        named = f"; a stranger named #{found.named}" if found.named is not None else ""
        return f"no clue that counts: a ticket of its own{named}"
    where = f"; {clues.sender} takes no part in it" if found.elsewhere else f"; {clues.sender} is {found.role.value}"
    return f"#{found.number} by {found.evidence}{where}"
