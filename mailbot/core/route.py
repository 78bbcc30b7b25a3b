"""Which ticket a mail belongs to, from the evidence in it (service.md, "Which ticket a mail belongs to").

In: the clues of a mail and the tickets that they name, looked up beforehand and passed in as data. Out: a `Route`.
Evidence, strongest first: the signed reply address, `In-Reply-To`/`References` naming a mail of the ticket, the
`#12345` tag in the subject. The tag alone counts only for somebody who takes part; typed over the quoted subject by
somebody who takes part in that ticket, it names the ticket that they mean. A stranger who knows a number gets a ticket
of their own. No query, no clock, no decision about what happens then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailbot.core.message import InboundMessage
from mailbot.core.subject import subject_tags
from mailbot.core.ticket import Agent, Role, Ticket
from mailbot.core.token import Purpose, Signer, Token, read_tokens

__all__ = ["AgentRoute", "Clues", "Known", "Route", "clues_of", "route", "route_agent", "subject_tags"]

MAX_REFERENCES = 50


@dataclass(frozen=True, slots=True)
class Clues:
    """What a mail says about where it belongs, not yet believed. `references`: newest first, angle brackets kept."""

    sender: str
    tokens: tuple[Token, ...] = ()
    reference_tokens: tuple[Token, ...] = ()
    references: tuple[str, ...] = ()
    tags: tuple[int, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """Every ticket number that a token or a tag names."""
        tokens = (t.number for t in (*self.tokens, *self.reference_tokens) if t.purpose in _TICKET_PURPOSES)
        return tuple(dict.fromkeys((*tokens, *self.tags)))


_TICKET_PURPOSES = (Purpose.REQUESTER, Purpose.AGENT)


@dataclass(frozen=True, slots=True)
class Known:
    """What the desk knows of the clues: tickets by number, and the ticket that each Message-ID belongs to."""

    tickets: Mapping[int, Ticket] = field(default_factory=dict)
    by_reference: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a person's mail goes: into ticket `number`, or (None) into a new one.

    `evidence` names what decided: "token", "reference", "tag", "tag-typed-over", "". `elsewhere`: sound evidence, but
    from an address that does not take part. `named`: an existing ticket whose number a stranger gave.
    """

    number: int | None
    role: Role = Role.REQUESTER
    evidence: str = ""
    elsewhere: bool = False
    named: int | None = None


@dataclass(frozen=True, slots=True)
class AgentRoute:
    """Where an agent's mail goes. `by_token`: it came by a reply address or Message-ID signed for this agent.

    `conflict`: the subject names another existing ticket than the reply address: nobody can tell which is meant.
    """

    number: int | None
    by_token: bool = False
    evidence: str = ""
    conflict: int | None = None


def clues_of(message: InboundMessage) -> Clues:
    """Collect the clues of a mail."""
    newest_first = (*message.in_reply_to, *reversed(message.references))
    references = tuple(dict.fromkeys(newest_first))[:MAX_REFERENCES]
    return Clues(
        sender=message.from_addr,
        tokens=tuple(t for address in message.recipients[:MAX_REFERENCES] for t in read_tokens(address)),
        reference_tokens=tuple(t for reference in references for t in read_tokens(reference)),
        references=references,
        tags=tuple(subject_tags(message.subject)),
    )


def route(clues: Clues, known: Known, signer: Signer) -> Route:
    """Where a requester's, a participant's or a stranger's mail belongs."""
    tagged = _tagged(clues, known)
    for evidence, found in (("token", _by_token(clues, known, signer)), ("reference", _by_reference(clues, known))):
        if found is None:
            continue
        if tagged is not None and tagged.number != found.number:
            return Route(tagged.number, _role(tagged, clues.sender), "tag-typed-over")
        takes_part = found.takes_part(clues.sender)
        return Route(found.number, _role(found, clues.sender), evidence, elsewhere=not takes_part)
    if tagged is not None:
        return Route(tagged.number, _role(tagged, clues.sender), "tag")
    return Route(None, named=next((number for number in clues.tags if number in known.tickets), None))


def route_agent(clues: Clues, known: Known, signer: Signer, agent: Agent) -> AgentRoute:
    """Where a mail that says it is from `agent` belongs, and whether a token proves it."""
    tagged = next((n for n in clues.tags if n in known.tickets), None)
    for token in (*clues.tokens, *clues.reference_tokens):
        if token.purpose is Purpose.AGENT and token.number in known.tickets and signer.belongs_to(token, agent.email):
            other = tagged if tagged not in (None, token.number) else None
            return AgentRoute(token.number, True, "token", conflict=other)
    referenced = _by_reference(clues, known)
    if referenced is not None:
        other = tagged if tagged not in (None, referenced.number) else None
        return AgentRoute(referenced.number, False, "reference", conflict=other)
    return AgentRoute(tagged, False, "tag" if tagged is not None else "")


def _tagged(clues: Clues, known: Known) -> Ticket | None:
    """The first tag that names a ticket in which the sender takes part."""
    for number in clues.tags:
        ticket = known.tickets.get(number)
        if ticket is not None and ticket.takes_part(clues.sender):
            return ticket
    return None


def _by_token(clues: Clues, known: Known, signer: Signer) -> Ticket | None:
    for token in (*clues.tokens, *clues.reference_tokens):
        ticket = known.tickets.get(token.number)
        if token.purpose is not Purpose.REQUESTER or ticket is None:
            continue
        people = (clues.sender, ticket.requester.email, *(p.email for p in ticket.participants))
        if any(signer.belongs_to(token, person) for person in people):
            return ticket
    return None


def _by_reference(clues: Clues, known: Known) -> Ticket | None:
    for reference in clues.references:
        number = known.by_reference.get(reference)
        if number is not None and number in known.tickets:
            return known.tickets[number]
    return None


def _role(ticket: Ticket, sender: str) -> Role:
    return Role.REQUESTER if sender == ticket.requester.email else Role.PARTICIPANT
