"""Matching of mail to tickets, by the evidence in it (docs/developer/rules.md).

In: the clues of a mail and the tickets that they name, looked up beforehand. Out: a `Route`. The evidence, strongest
first: the signed reply address, `In-Reply-To`/`References` naming a mail of the ticket, the `#12345` tag in the
subject. The tag alone counts only for somebody who takes part in the ticket; typed over the quoted subject by a
participant of that ticket, it takes precedence. A stranger who knows a number gets a ticket of their own; so does an
ambiguous From, an unverified address (a web form), and a former participant.
Never: a query, a clock, a decision about what follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailbot.mail.classify.authentication import doubtful_author
from mailbot.mail.message import InboundMessage
from mailbot.mail.reply_token import Purpose, Signer, Token, read_tokens
from mailbot.mail.subject import subject_tags
from mailbot.ticket.ticket import Agent, Role, Ticket

MAX_REFERENCES = 50


@dataclass(frozen=True, slots=True)
class Clues:
    """The unverified evidence in a mail."""

    sender: str
    #: Tokens in the recipients' addresses.
    tokens: tuple[Token, ...] = ()
    #: Tokens in `references`.
    reference_tokens: tuple[Token, ...] = ()
    #: Message-IDs of In-Reply-To and References, newest first, angle brackets kept.
    references: tuple[str, ...] = ()
    #: Numbers of the tags in the subject.
    tags: tuple[int, ...] = ()
    #: From is ambiguous, so that participation decides nothing.
    doubtful: bool = False

    @property
    def numbers(self) -> tuple[int, ...]:
        """Every ticket number in a token or a tag."""
        tokens = (t.number for t in (*self.tokens, *self.reference_tokens) if t.purpose in _TICKET_PURPOSES)
        return tuple(dict.fromkeys((*tokens, *self.tags)))


_TICKET_PURPOSES = (Purpose.REQUESTER, Purpose.AGENT)


@dataclass(frozen=True, slots=True)
class Known:
    """The tickets that the clues name."""

    tickets: Mapping[int, Ticket] = field(default_factory=dict)
    #: The number of the ticket that each Message-ID belongs to.
    by_reference: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a person's mail goes."""

    #: The ticket, None for a new one.
    number: int | None
    role: Role = Role.REQUESTER
    #: What decided: "token", "reference", "tag", "tag-typed-over", "".
    evidence: str = ""
    #: Valid evidence, but from an address that takes no part in the ticket.
    elsewhere: bool = False
    #: An existing ticket whose number a stranger gave.
    named: int | None = None
    #: It came by an address or Message-ID signed for its sender on this ticket; anybody can write a From.
    authenticated: bool = False


@dataclass(frozen=True, slots=True)
class AgentRoute:
    """Where an agent's mail goes."""

    #: The ticket, None without one.
    number: int | None
    #: It came by a reply address or Message-ID signed for this agent.
    by_token: bool = False
    #: What decided: "token", "reference", "tag", "".
    evidence: str = ""
    #: Another existing ticket, named by the subject: it is unclear which one is meant.
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
        doubtful=bool(doubtful_author(message)),
    )


def route(clues: Clues, known: Known, signer: Signer) -> Route:
    """Match a requester's, a participant's or a stranger's mail."""
    tagged = _tagged(clues, known)
    for evidence, found in (("token", _by_token(clues, known, signer)), ("reference", _by_reference(clues, known))):
        if found is None or _is_former_participant(found, clues, signer):
            continue
        if tagged is not None and tagged.number != found.number:
            return _to(tagged, "tag-typed-over", clues, signer)
        return _to(found, evidence, clues, signer)
    if tagged is not None:
        return _to(tagged, "tag", clues, signer)
    return Route(None, named=next((number for number in clues.numbers if number in known.tickets), None))


def _to(ticket: Ticket, evidence: str, clues: Clues, signer: Signer) -> Route:
    takes_part = ticket.takes_part(clues.sender)
    authenticated = takes_part and not clues.doubtful and _has_own_token(ticket, clues, signer)
    return Route(
        ticket.number, ticket.role_of(clues.sender), evidence, elsewhere=not takes_part, authenticated=authenticated
    )


def _has_own_token(ticket: Ticket, clues: Clues, signer: Signer) -> bool:
    """Return whether the mail has a token that was signed for its sender on this ticket."""
    return any(
        token.purpose is Purpose.REQUESTER and token.number == ticket.number and signer.belongs_to(token, clues.sender)
        for token in (*clues.tokens, *clues.reference_tokens)
    )


def _is_former_participant(ticket: Ticket, clues: Clues, signer: Signer) -> bool:
    """Return whether the sender was removed from the ticket (`#pelapor`): they still have our mail and its tokens."""
    return not ticket.takes_part(clues.sender) and _has_own_token(ticket, clues, signer)


def route_agent(clues: Clues, known: Known, signer: Signer, agent: Agent) -> AgentRoute:
    """Match a mail with `agent` in From, and say whether a token authenticates it."""
    tagged = next((n for n in clues.tags if n in known.tickets), None)
    for token in (*clues.tokens, *clues.reference_tokens):
        is_theirs = token.purpose is Purpose.AGENT and signer.belongs_to(token, agent.signs_as)
        if is_theirs and token.number in known.tickets:
            other = tagged if tagged not in (None, token.number) else None
            return AgentRoute(token.number, True, "token", conflict=other)
    referenced = _by_reference(clues, known)
    if referenced is not None:
        other = tagged if tagged not in (None, referenced.number) else None
        return AgentRoute(referenced.number, False, "reference", conflict=other)
    return AgentRoute(tagged, False, "tag" if tagged is not None else "")


def _tagged(clues: Clues, known: Known) -> Ticket | None:
    """Return the first ticket named by a tag in which the sender takes part."""
    if clues.doubtful:
        return None
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
        people = (ticket.requester.email, *(p.email for p in ticket.participants))
        if any(signer.belongs_to(token, person) for person in people):
            return ticket
    return None


def _by_reference(clues: Clues, known: Known) -> Ticket | None:
    for reference in clues.references:
        number = known.by_reference.get(reference)
        if number is not None and number in known.tickets:
            return known.tickets[number]
    return None
