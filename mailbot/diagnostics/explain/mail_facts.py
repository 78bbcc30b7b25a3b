"""What a mail says by itself, with the reason for every conclusion.

In: raw bytes and, with a desk, its identity and what it had sent to the author. Out: `MailFacts`, and its parts as
plain documents (only str, int, bool, None, lists and dicts). Never: an exception because of a mail; a database query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.classify.rules import RuleMatch, classify, matching_rules
from mailbot.mail.intent.intent import intent_of
from mailbot.mail.intent.normalise import clauses
from mailbot.mail.intent.signals import signals_of
from mailbot.mail.message import Address, Classification, InboundMessage, Reply
from mailbot.mail.mime.parser import parse_header_only, parse_message
from mailbot.mail.reply.forward import read_forward
from mailbot.mail.reply.reply_text import new_words
from mailbot.mail.subject import clean_subject, status_request, subject_tags
from mailbot.ticket.command_parser import parse_commands

MAX_CLAUSES_SHOWN = 12
MAX_ADDRESSES_SHOWN = 20


@dataclass(frozen=True)
class MailFacts:
    """A mail and what the rules conclude from it."""

    message: InboundMessage
    own: OwnIdentity
    verdict: Classification
    reply: Reply


def read_mail(raw: bytes, own: OwnIdentity, *, partial: bool = False) -> MailFacts:
    """Parse and classify a mail. `partial`: only its header is there."""
    message = parse_header_only(raw) if partial else parse_message(raw)
    return MailFacts(message, own, classify(message, own), new_words(message))


def facts(message: InboundMessage) -> dict[str, Any]:
    """Return sender, recipients, times, subject, attachments and defects."""
    received = next((hop.at for hop in message.received if hop.at), None)
    return {
        "from": [_address(a) for a in message.from_],
        "sender": _address(message.sender) if message.sender else None,
        "reply_to": [_address(a) for a in message.reply_to],
        "to": [_address(a) for a in message.to[:MAX_ADDRESSES_SHOWN]],
        "cc": [_address(a) for a in message.cc[:MAX_ADDRESSES_SHOWN]],
        "delivered_to": list(message.recipients[:MAX_ADDRESSES_SHOWN]),
        "return_path": message.return_path,
        "subject": message.subject,
        "subject_cleaned": clean_subject(message.subject),
        "date": _moment(message.date),
        "received": _moment(received),
        "message_id": message.message_id or None,
        "in_reply_to": list(message.in_reply_to),
        "references": list(message.references),
        "size": message.size,
        "text_from_html": message.text_from_html,
        "attachments": [
            {"name": a.name, "type": a.content_type, "size": a.size, "inline": a.inline} for a in message.attachments
        ],
        "nested": len(message.nested),
        "security": list(message.security),
        "defects": list(message.defects),
    }


def authentication(message: InboundMessage, own: OwnIdentity) -> dict[str, Any]:
    """Return what mail servers found out about the sender, and what of it counts (RFC 8601)."""
    from mailbot.mail.classify.authentication import dmarc_verdict

    fields = list(message.headers.get_all("Authentication-Results"))
    dmarc = dmarc_verdict(message, own.trusted_authserv_ids)
    if not fields:
        why = "no server wrote Authentication-Results"
    elif not own.trusted_authserv_ids:
        why = "[inbound] trusted_authserv_ids names no server whose word counts"
    elif not dmarc:
        why = f"none of them is a word of {', '.join(own.trusted_authserv_ids)} about the domain in From"
    else:
        why = "the topmost field of a trusted server"
    return {"fields": fields, "dmarc": dmarc or None, "why": why}


def verdict(mail: MailFacts) -> dict[str, Any]:
    """Return the verdict, every rule that fired (also those after the first), and the weighed hints."""
    fired, hints = matching_rules(mail.message, mail.own)
    bounce = mail.verdict.bounce
    return {
        "kind": mail.verdict.kind.value,
        "rule": mail.verdict.rule,
        "reason": mail.verdict.reason,
        "returns_on": mail.verdict.returns_on or None,
        "bounce": None if bounce is None else {
            "hard": bounce.hard, "status": bounce.status or None, "recipient": bounce.recipient or None,
            "diagnostic": bounce.diagnostic or None, "original_message_id": bounce.original_message_id or None,
            "original_subject": bounce.original_subject or None,
        },
        "rules": [_firing(firing, decided=index == 0) for index, firing in enumerate(fired)],
        "hints": [{"weight": hint.weight, "reason": hint.words} for hint in hints],
    }  # fmt: skip


def cut(reply: Reply) -> dict[str, Any]:
    """Return the new words, what is hidden, and which rule made the cut."""
    return {"rule": reply.rule or None, "text": reply.text, "quoted": reply.quoted, "signature": reply.signature}


def intent(text: str) -> dict[str, Any]:
    """Return the intent of the new words, and the signals of each of its clauses."""
    found = [
        {"clause": " ".join(token.typed for token in clause.tokens), "says": sorted(s.name.lower() for s in signals)}
        for clause in clauses(text)[:MAX_CLAUSES_SHOWN]
        if (signals := signals_of(clause))
    ]
    return {"intent": intent_of(text).value, "clauses": found}


def commands(text: str) -> dict[str, Any]:
    """Return the `#` lines at the top of an agent's text."""
    from mailbot.vocabulary.labels import COMMAND_ERRORS

    found = parse_commands(text)
    return {
        "commands": [{"line": c.line_number, "text": c.line, "verb": c.verb.value} for c in found.commands],
        "errors": [
            {
                "line": e.line_number,
                "text": e.line,
                "fault": e.fault.value,
                "why": COMMAND_ERRORS[e.fault].format(found=e.found or e.line, possible=", ".join(e.possible)),
            }
            for e in found.errors
        ],
    }


def subject(message: InboundMessage) -> dict[str, Any]:
    """Return the subject's ticket numbers, whether it asks for a status, and whether the mail is a forward."""
    forward = read_forward(message)
    asked = status_request(message.subject)
    return {
        "tags": list(subject_tags(message.subject)),
        "status_request": asked,
        "forward_of": None if forward is None else {
            "from": _address(forward.author), "subject": forward.subject, "date": _moment(forward.date)
        },
    }  # fmt: skip


def with_sent(mail: MailFacts, sent: Sequence[str]) -> MailFacts:
    """Return the same mail, its text cut by comparison with what the desk had sent to its author."""
    return MailFacts(mail.message, mail.own, mail.verdict, new_words(mail.message, sent)) if sent else mail


def _firing(firing: RuleMatch, *, decided: bool) -> dict[str, Any]:
    return {"rule": firing.rule, "kind": firing.kind.value, "reason": firing.reason, "decided": decided}


def _address(address: Address) -> dict[str, str]:
    return {"email": address.email, "name": address.name}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
