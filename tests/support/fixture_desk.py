"""The desk of a fixture: read from its JSON, walked by its mail, and told in the JSON's own words.

`read_desk(json)` builds tickets and sent mail; `walk(raw, desk)` takes a mail the pure way, step by step as
`desk/inbound/handler.py` does inside a transaction (parse, classify, match, new words, intent or commands, decide), and
gives what came of it as a dict of the same form as `expect` (fixtures/emails/README.md has every key). What is empty is
left out of it, so two such dicts are equal exactly when nothing came of the mail that was not expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mailbot.desk.profile import DeskProfile
from mailbot.mail.classify.authentication import dmarc_passes
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.classify.reply_conflict import OwnAddresses, conflict
from mailbot.mail.classify.rules import classify
from mailbot.mail.classify.senders import is_automatic_address
from mailbot.mail.compose.composer import is_usable
from mailbot.mail.intent.intent import intent_of
from mailbot.mail.message import (
    Address,
    Attachment,
    Bounce,
    Classification,
    Forward,
    InboundMessage,
    Kind,
    MessageKind,
    Reply,
)
from mailbot.mail.mime.parser import parse_message
from mailbot.mail.redaction import without_tokens
from mailbot.mail.reply.forward import read_forward
from mailbot.mail.reply.reply_text import new_words
from mailbot.mail.reply_token import (
    Purpose,
    Signer,
    read_tokens,
)
from mailbot.mail.subject import clean_subject, status_request
from mailbot.mail.untrusted_text import safe_title
from mailbot.ticket.command_parser import Command, parse_commands
from mailbot.ticket.events import (
    Absorb,
    Answered,
    AutoReplied,
    Decision,
    DeliveryFailed,
    Effect,
    Event,
    OpenFollowUp,
    Origin,
    Quarantine,
    Replied,
    Reported,
    SendClosure,
    SendHelp,
    SendNotice,
    Target,
)
from mailbot.ticket.lifecycle import decide
from mailbot.ticket.matching import (
    Clues,
    Known,
    Route,
    clues_of,
    route,
    route_agent,
)
from mailbot.ticket.ticket import (
    Agent,
    CloseReason,
    Participant,
    Policy,
    Role,
    Status,
    Ticket,
)
from tests.support.desk_values import POLICY

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "emails"
ADDRESS = "support@helpdesk.example"
SIGNER = Signer((b"k" * 32,))
INSTANCE = "f00dcafe"
NOW = "2025-11-24T10:30:00+07:00"  # a Monday, within service hours
NEXT_NUMBER = 12999

Seen = dict[str, Any]


@dataclass(frozen=True)
class SentMail:
    """A mail of ours that this desk remembers: outbox number, what it was, to whom, its plain text."""

    ticket: int
    outbox: int
    kind: MessageKind
    to: str
    text: str


@dataclass(frozen=True)
class FixtureDesk:
    """The desk as it stands before the mail comes."""

    now: datetime
    trust: str
    trusted: tuple[str, ...]
    tickets: Mapping[int, Ticket]
    by_message_id: Mapping[str, int]
    sent: Mapping[str, SentMail]
    policy: Policy = POLICY
    profile: DeskProfile = field(
        default=DeskProfile("Helpdesk BOSP", "BOSP", ADDRESS, ZoneInfo("Asia/Jakarta"), SIGNER, INSTANCE)
    )

    def known(self, clues: Clues) -> Known:
        """What the store would look up for these clues."""
        by_reference = {r: self.by_message_id[r] for r in clues.references if r in self.by_message_id}
        numbers = {*clues.numbers, *by_reference.values()}
        return Known({n: self.tickets[n] for n in numbers if n in self.tickets}, by_reference)

    def resolved(self, number: int) -> Ticket:
        """The ticket, or the one that it was merged into."""
        ticket = self.tickets[number]
        return self.resolved(ticket.merged_into) if ticket.merged_into is not None else ticket

    def newest_of_chain(self, ticket: Ticket) -> Ticket:
        """The follow-up at the end of the chain; an open one before a closed one."""
        children = [t for t in self.tickets.values() if t.follow_up_of == ticket.number]
        if not children or ticket.status is not Status.CLOSED:
            return ticket
        still_open = [t for t in children if t.status is not Status.CLOSED]
        return self.newest_of_chain(max(still_open or children, key=lambda t: t.number))

    def texts(self, message: InboundMessage, ticket: Ticket | None) -> list[str]:
        """Our mails that this one may quote: by reference, else those that its author got about the ticket."""
        named = [self.sent[r].text for r in (*message.in_reply_to, *message.references) if r in self.sent]
        if named or ticket is None:
            return named
        return [s.text for s in self.sent.values() if s.ticket == ticket.number and s.to == message.from_addr]


# Reading the desk


DESK_KEYS = {"now", "trust", "trusted_authserv_ids", "tickets"}
TICKET_KEYS = {
    "number", "subject", "status", "requester", "participants", "agent", "close_reason", "follow_up_of", "merged_into",
    "told", "sent", "received",
}  # fmt: skip
SENT_KEYS = {"message_id", "kind", "to", "text", "outbox"}


def read_desk(given: Mapping[str, Any]) -> FixtureDesk:
    """The `desk` of a fixture; an unknown key is an error."""
    refuse_unknown(given, DESK_KEYS, "desk")
    tickets: dict[int, Ticket] = {}
    by_message_id: dict[str, int] = {}
    sent: dict[str, SentMail] = {}
    now = datetime.fromisoformat(given.get("now", NOW))
    for each in given.get("tickets", ()):
        refuse_unknown(each, TICKET_KEYS, "ticket")
        ticket = _ticket(each, now)
        tickets[ticket.number] = ticket
        by_message_id.update(dict.fromkeys(each.get("received", ()), ticket.number))
        for mail in each.get("sent", ()):
            refuse_unknown(mail, SENT_KEYS, "sent")
            by_message_id[mail["message_id"]] = ticket.number
            text = (FIXTURES / "sent" / f"{mail['text']}.txt").read_text("utf-8") if "text" in mail else ""
            sent[mail["message_id"]] = SentMail(
                ticket.number, mail.get("outbox", 0), MessageKind(mail["kind"]), mail["to"], text
            )
    trusted = tuple(given.get("trusted_authserv_ids", ()))
    return FixtureDesk(now, given.get("trust", "token"), trusted, tickets, by_message_id, sent)


def refuse_unknown(given: Mapping[str, Any], known: Iterable[str], place: str) -> None:
    """A misspelt key would expect nothing."""
    unknown = sorted(set(given) - set(known))
    assert not unknown, f"unknown keys in {place}: {unknown}"


def _ticket(given: Mapping[str, Any], now: datetime) -> Ticket:
    status = Status(given["status"])
    reason = CloseReason(given["close_reason"]) if "close_reason" in given else None
    assert (status is Status.CLOSED) == (reason is not None), "a ticket is closed for a reason"
    return Ticket(
        number=given["number"],
        subject=given["subject"],
        requester=Address(given["requester"]),
        status=status,
        created_at=now,
        updated_at=now,
        participants=tuple(Participant(email) for email in given.get("participants", ())),
        agent=given.get("agent", ""),
        closed_at=now if reason else None,
        close_reason=reason,
        follow_up_of=given.get("follow_up_of"),
        merged_into=given.get("merged_into"),
        notified=tuple(given.get("told", (a.email for a in POLICY.agents))),
    )


# The walk


def walk(raw: bytes, desk: FixtureDesk) -> Seen:
    """What comes of the mail, in the words of `expect`."""
    message = parse_message(raw)
    own = OwnIdentity(frozenset((ADDRESS,)), INSTANCE, desk.trusted)
    verdict = classify(message, own)
    seen = _parsed(message) | _judged(verdict) | _handled(message, verdict, desk)
    return {key: value for key, value in seen.items() if value not in ("", [], None, False)}


def _parsed(message: InboundMessage) -> Seen:
    return {
        "from": message.from_addr,
        "from_name": message.from_address.name,
        "subject": message.subject,
        "message_id": message.message_id,
        "date": message.date.astimezone(UTC).isoformat() if message.date else "",
        "attachments": [_attachment(a) for a in message.attachments],
        "nested": [nested.subject for nested in message.nested],
        "security": list(message.security),
        "defects": list(message.defects),
    }


def _attachment(attachment: Attachment) -> Seen:
    shown: Seen = {"name": attachment.name, "type": attachment.content_type, "size": attachment.size}
    return shown | ({"inline": True} if attachment.inline else {})


def _judged(verdict: Classification) -> Seen:
    seen: Seen = {"kind": verdict.kind.value, "rule": verdict.rule, "returns_on": verdict.returns_on}
    if verdict.bounce is not None:
        b = verdict.bounce
        told = {"hard": b.hard, "status": b.status, "recipient": b.recipient, "original": b.original_message_id}
        seen["bounce"] = {key: value for key, value in told.items() if value != ""}
    return seen


def _handled(message: InboundMessage, verdict: Classification, desk: FixtureDesk) -> Seen:
    """The order of `mailbot.desk.inbound.handler.handle`."""
    if verdict.kind is Kind.LOOP:
        return {"fate": "nothing"}
    if verdict.kind is Kind.BOUNCE:
        return _bounce(message, verdict.bounce or Bounce(hard=False), desk)
    if verdict.kind is Kind.AUTO:
        return _robot(message, verdict, desk)
    if not is_usable(message.from_addr):
        return {"fate": "quarantined"}
    if verdict.kind is Kind.QUARANTINE:
        return _unread(message, desk)
    agent = desk.policy.agent(message.from_addr)
    if agent is not None:
        return _agent(message, verdict, desk, agent)
    return _person(message, verdict, desk)


# Automatic replies


def _bounce(message: InboundMessage, bounce: Bounce, desk: FixtureDesk) -> Seen:
    mail = _mail_that_came_back(message, bounce, desk)
    if mail is None:
        return {"fate": "quarantined"}
    reason = " ".join(part for part in (bounce.status, bounce.diagnostic) if part)
    event = DeliveryFailed(desk.now, mail.kind, mail.to, 0, reason, soft=not bounce.hard)
    return _decided(decide(desk.tickets[mail.ticket], event, desk.policy), event, desk)


def _mail_that_came_back(message: InboundMessage, bounce: Bounce, desk: FixtureDesk) -> SentMail | None:
    for address in message.recipients:
        for token in read_tokens(address):
            if token.purpose is Purpose.BOUNCE and SIGNER.belongs_to(token):
                return next((s for s in desk.sent.values() if s.outbox == token.number), None)
    return desk.sent.get(bounce.original_message_id)


def _robot(message: InboundMessage, verdict: Classification, desk: FixtureDesk) -> Seen:
    clues = clues_of(message)
    found = route(clues, desk.known(clues), SIGNER)
    if found.number is None:
        return {"fate": "quarantined"}
    event = AutoReplied(desk.now, message.from_address, verdict.returns_on)
    decision = decide(desk.resolved(found.number), event, desk.policy)
    return _routed(found) | _decided(decision, event, desk)


# Persons


def _unread(message: InboundMessage, desk: FixtureDesk) -> Seen:
    """Held; where evidence and sender fit, the timers of the ticket stop all the same."""
    clues = clues_of(message)
    found = route(clues, desk.known(clues), SIGNER)
    if found.number is None or found.elsewhere:
        return {"fate": "quarantined"}
    ticket = desk.resolved(found.number)
    event = Replied(desk.now, message.from_address, _role(ticket, message.from_addr), unread="quarantined")
    return _routed(found) | _decided(decide(ticket, event, desk.policy), event, desk) | {"fate": "quarantined"}


def _person(message: InboundMessage, verdict: Classification, desk: FixtureDesk) -> Seen:
    agents = [address for agent in desk.policy.agents for address in (agent.email, *agent.aliases)]
    names = ["Helpdesk BOSP", *(f"{agent.name} (BOSP)" for agent in desk.policy.agents)]
    own = message.from_addr in agents
    if not own and conflict(message, OwnAddresses([ADDRESS], agents, names)):
        verdict = replace(verdict, kind=Kind.NOACK)
    number = status_request(message.subject)
    if number is not None:
        return _status(message, verdict, desk, number)
    clues = clues_of(message)
    found = route(clues, desk.known(clues), SIGNER)
    ticket = desk.resolved(found.number) if found.number is not None else None
    stranger = found.elsewhere and found.evidence == "reference"
    if ticket is None or (stranger and ticket.status is Status.CLOSED):
        return _report(message, verdict, desk, found.named or found.number)
    return _routed(found) | _reply(message, verdict, desk, ticket, found)


def _status(message: InboundMessage, verdict: Classification, desk: FixtureDesk, number: int) -> Seen:
    if verdict.kind is Kind.NOACK:
        return {"fate": "nothing"}
    ticket = desk.tickets.get(number)
    takes_part = ticket is not None and ticket.takes_part(message.from_addr)
    effect = {"TellStatus" if takes_part else "TellNothing": [message.from_addr]}
    return {"fate": "processed", "effects": [effect], "ticket": number if takes_part else None}


def _report(message: InboundMessage, verdict: Classification, desk: FixtureDesk, named: int | None) -> Seen:
    reply = _cut(message, desk, None)
    event = Reported(
        at=desk.now,
        number=NEXT_NUMBER,
        subject=safe_title(clean_subject(message.subject) or _first_line(reply.text)),
        requester=message.from_address,
        author=message.from_address,
        participants=_people(message, verdict, desk),
        acknowledge=verdict.kind is not Kind.NOACK,
        named=named,
    )
    return _words(reply) | {"named": named} | _decided(decide(None, event, desk.policy), event, desk)


def _reply(message: InboundMessage, verdict: Classification, desk: FixtureDesk, ticket: Ticket, found: Route) -> Seen:
    reply = _cut(message, desk, ticket)
    author = message.from_address
    role = _role(ticket, author.email)
    event = Replied(
        at=desk.now,
        author=author,
        role=role,
        intent=intent_of("" if reply.nothing_new else reply.text),
        elsewhere=found.elsewhere,
        participants=_people(message, verdict, desk) if role is Role.REQUESTER else (),
        acknowledge=verdict.kind is not Kind.NOACK,
    )
    closed = ticket.status is Status.CLOSED  # elsewhere nothing hangs on it
    return _words(reply) | {"intent": event.intent.value if closed else ""} | _replied(desk, ticket, event)


def _replied(desk: FixtureDesk, ticket: Ticket, event: Replied) -> Seen:
    decision = decide(ticket, event, desk.policy)
    if any(isinstance(effect, Quarantine) for effect in decision.effects):
        return {"fate": "quarantined"}
    if not any(isinstance(effect, OpenFollowUp) for effect in decision.effects):
        return _decided(decision, event, desk)
    newest = desk.newest_of_chain(ticket)
    if newest.status is not Status.CLOSED:
        return _replied(desk, newest, event)
    reported = Reported(
        at=event.at,
        number=NEXT_NUMBER,
        subject=newest.subject,
        requester=newest.requester,
        author=newest.requester if event.elsewhere else event.author,
        participants=(*newest.participants, *event.participants),
        acknowledge=event.acknowledge,
        follow_up_of=Origin(newest.number, newest.agent, newest.program, newest.priority),
    )
    return _decided(decide(None, reported, desk.policy), reported, desk)


def _cut(message: InboundMessage, desk: FixtureDesk, ticket: Ticket | None) -> Reply:
    return new_words(message, desk.texts(message, ticket))


def _words(reply: Reply) -> Seen:
    if reply.nothing_new:
        return {"nothing_new": bool(reply.text)}
    return {
        "words": lines_of(reply.text),
        "quoted": bool(reply.quoted.strip()),
        "signature": lines_of(reply.signature),
    }


def lines_of(text: str) -> list[str]:
    """The lines that have words, each without the blanks around it: what a client puts between them is layout."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _people(message: InboundMessage, verdict: Classification, desk: FixtureDesk) -> tuple[Participant, ...]:
    if verdict.kind is Kind.NOACK:
        return ()  # beside a mailing list or a robot nobody takes part
    return tuple(
        Participant(a.email, a.name)
        for a in (*message.cc, *message.to)
        if a.email != message.from_addr
        and not desk.profile.is_own(a.email)
        and desk.policy.agent(a.email) is None
        and is_usable(a.email)
        and not is_automatic_address(a.local_part)
    )


def _first_line(text: str) -> str:
    return clean_subject(next((line.strip() for line in text.splitlines() if line.strip()), ""))[:80]


def _role(ticket: Ticket, email: str) -> Role:
    return Role.REQUESTER if email == ticket.requester.email else Role.PARTICIPANT


# Agents


def _agent(message: InboundMessage, verdict: Classification, desk: FixtureDesk, agent: Agent) -> Seen:
    clues = clues_of(message)
    as_person = any(t.purpose is Purpose.REQUESTER and SIGNER.belongs_to(t, clues.sender) for t in clues.tokens)
    if as_person or status_request(message.subject) is not None:
        return _person(message, verdict, desk)
    found = route_agent(clues, desk.known(clues), SIGNER, agent)
    if not _is_proven(message, desk, by_token=found.by_token):
        return {"fate": "held", "effects": [{"AskToConfirm": [agent.email]}]}
    if found.conflict is not None:
        return {"fate": "processed", "refusals": ["two_tickets"], "effects": [{"Refuse": [agent.email]}]}
    if found.number is not None:
        ticket = desk.resolved(found.number)
        reply = _cut(message, desk, ticket)
        acted = _acted("" if reply.nothing_new else reply.text, message.attachments, desk, ticket, agent)
        return {"evidence": found.evidence} | _words(reply) | acted
    forward = read_forward(message, desk.profile.zone)
    if forward is not None and forward.author.email and not desk.policy.agent(forward.author.email):
        return _forwarded(forward, message, desk, agent)
    return _report(message, verdict, desk, None)


def _is_proven(message: InboundMessage, desk: FixtureDesk, *, by_token: bool) -> bool:
    if "duplicate-from" in message.defects or len(message.from_) > 1:
        return False
    by_dmarc = desk.trust != "token" and dmarc_passes(message, desk.trusted)
    either = {"token": by_token, "dmarc": by_dmarc, "either": by_token or by_dmarc, "both": by_token and by_dmarc}
    return either[desk.trust]


def _acted(text: str, files: tuple[Attachment, ...], desk: FixtureDesk, ticket: Ticket, agent: Agent) -> Seen:
    parsed = parse_commands(text)
    if parsed.errors:
        refusals = [error.fault.value for error in parsed.errors]
        return {"fate": "processed", "refusals": refusals, "effects": [{"Refuse": [agent.email]}]}
    words = without_tokens(parsed.words).strip()
    event = Answered(
        at=desk.now,
        agent=agent.email,
        commands=parsed.commands,
        has_words=bool(words or files),
        targets={n: Target(n, t.requester.email, t.status, t.merged_into) for n, t in desk.tickets.items()},
    )
    decision = decide(ticket, event, desk.policy)
    seen: Seen = {"commands": [_command(c) for c in parsed.commands], "to_requester": lines_of(words)}
    if decision.refusals:
        refusals = [error.fault.value for error in decision.refusals]
        return seen | {"fate": "processed", "refusals": refusals, "effects": [{"Refuse": [agent.email]}]}
    return seen | _decided(decision, event, desk)


def _command(command: Command) -> str:
    parts = (command.verb.value, command.email, str(command.number or ""), command.value, *command.values)
    return " ".join(part for part in (*parts, "force" if command.force else "") if part)


def _forwarded(forward: Forward, message: InboundMessage, desk: FixtureDesk, agent: Agent) -> Seen:
    event = Reported(
        at=desk.now,
        number=NEXT_NUMBER,
        subject=clean_subject(forward.subject or message.subject),
        requester=forward.author,
        author=forward.author,
        by_agent=agent.email,
    )
    told: Seen = {
        "author": forward.author.email,
        "name": forward.author.name,
        "subject": forward.subject,
        "date": forward.date.astimezone(UTC).isoformat() if forward.date else "",
        "words": lines_of(forward.text),
        "comment": lines_of(forward.comment),
        "files": [a.name for a in forward.attachments],
    }
    opened = decide(None, event, desk.policy)
    seen = {"forward": {key: value for key, value in told.items() if value}} | _decided(opened, event, desk)
    if forward.comment.strip() and opened.ticket is not None:
        comment = forward.comment if forward.comment.lstrip().startswith("#") else f"#catatan\n{forward.comment}"
        acted = _acted(comment, (), desk, opened.ticket, agent)
        seen |= {key: acted[key] for key in ("commands", "status", "agent", "priority", "tags")}
    return seen


# Decisions, told


def _routed(found: Route) -> Seen:
    return {"evidence": found.evidence, "elsewhere": found.elsewhere}


def _decided(decision: Decision, event: Event, desk: FixtureDesk) -> Seen:
    ticket = decision.ticket
    assert ticket is not None
    before = desk.tickets.get(ticket.number)
    seen: Seen = {
        "fate": "processed",
        "event": type(event).__name__,
        "ticket": "new" if ticket.number == NEXT_NUMBER else ticket.number,
        "status": ticket.status.value,
        "close_reason": ticket.close_reason.value if ticket.close_reason else None,
        "recorded_as": decision.recorded_as.value if decision.recorded_as else None,
        "hidden": decision.recorded_as is not None and not decision.public,
        "effects": [_effect(effect) for effect in decision.effects],
    }
    if before is None:
        seen |= {"title": ticket.subject, "requester": ticket.requester.email, "follow_up_of": ticket.follow_up_of}
    seen |= {"participants": [p.email for p in ticket.participants], "agent": ticket.agent}
    return seen | {"priority": "" if ticket.priority == "normal" else ticket.priority, "tags": list(ticket.tags)}


def _effect(effect: Effect) -> dict[str, list[Any]]:
    name = type(effect).__name__
    if isinstance(effect, SendNotice):
        return {f"{name} {effect.topic.value}": list(effect.to)}
    if isinstance(effect, SendHelp):
        return {name: [effect.to]}
    if isinstance(effect, Absorb):
        return {name: [effect.source, effect.target]}
    assert not isinstance(effect, OpenFollowUp | Quarantine)
    if isinstance(effect, SendClosure):
        name += f" {effect.reason.value}"
    return {name: [person if isinstance(person, str) else person.email for person in effect.to]}
