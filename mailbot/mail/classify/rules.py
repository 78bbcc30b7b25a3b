"""Classification of a mail: a person's, or which sort of automatic mail (RFC 3834, RFC 5321 §4.5.5, RFC 2919).

In: a parsed mail and the identity of our desk. Out: a `Classification` with the rule that decided and its reason, for
the admin. The rules are an ordered table; the first one with a reason decides. The two kinds of error differ in cost: a
machine taken for a person gets a reply, and two machines can write to each other for ever; a person taken for a machine
only misses automatic mail. So AUTO needs proof (a header that only machines set) or several hints, and a single hint
makes NOACK: people read the mail as a person's, and it gets no automatic reply.

Never: a look into the store, a clock, or a decision about what follows (`ticket.lifecycle`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mailbot.mail.classify.authentication import MISMATCH, dmarc_verdict
from mailbot.mail.classify.auto_reply import Hint, own_text
from mailbot.mail.classify.dsn import is_success_report
from mailbot.mail.classify.facts import MailFacts, OwnIdentity
from mailbot.mail.classify.out_of_office import returns_on
from mailbot.mail.classify.senders import SenderType
from mailbot.mail.domains import is_address_of
from mailbot.mail.message import Classification, InboundMessage, Kind
from mailbot.vocabulary import automatic_headers as names

NO_DESK = OwnIdentity()
ENOUGH_FOR_AUTO = 3
ENOUGH_FOR_NOACK = 2


def classify(message: InboundMessage, own: OwnIdentity = NO_DESK) -> Classification:
    """Classify a mail by the first rule of the table that has a reason."""
    facts = MailFacts(message, own)
    for rule in RULES:
        reason = rule.test(facts)
        if reason:
            return Classification(
                rule.kind,
                rule.name,
                reason,
                bounce=facts.bounce.bounce if rule.kind is Kind.BOUNCE and facts.bounce else None,
                returns_on=_returns_on(message) if rule.kind is Kind.AUTO else "",
            )
    return Classification(Kind.HUMAN, "person", "nothing shows a machine")


def classify_raw(raw: bytes) -> Classification:
    """Classify the bytes of a mail without a desk: for scoring and experiments."""
    from mailbot.mail.mime.parser import parse_message

    return classify(parse_message(raw))


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """A rule that has a reason for a mail; the first of them decided."""

    rule: str
    kind: Kind
    reason: str


def matching_rules(message: InboundMessage, own: OwnIdentity) -> tuple[tuple[RuleMatch, ...], tuple[Hint, ...]]:
    """Return every rule that has a reason, in the table's order, and the weighed hints (for `mailbot explain`)."""
    facts = MailFacts(message, own)
    found = ((rule, rule.test(facts)) for rule in RULES)
    return tuple(RuleMatch(rule.name, rule.kind, reason) for rule, reason in found if reason), facts.hints


def _returns_on(message: InboundMessage) -> str:
    return returns_on(f"{own_text(message)}\n{message.subject}", message.date.date() if message.date else None)


# LOOP: our own mail


def _own_mark(facts: MailFacts) -> str:
    mark = facts.own.instance_id.lower()
    return "X-Mailbot-Instance is ours" if mark and mark in facts.all("x-mailbot-instance") else ""


def _own_address(facts: MailFacts) -> str:
    author = facts.message.from_addr  # not Sender: behind a list, every mail has the desk's address as Sender
    return f"From is our own address {author}" if author and is_address_of(author, facts.own.addresses) else ""


def _own_message_id(facts: MailFacts) -> str:
    domain = facts.own.message_id_domain
    ours = domain and facts.message.message_id.rstrip("> ").endswith("@" + domain)
    return "the Message-ID is one of ours" if ours else ""


# BOUNCE, and reports that are no bounces


def _bounce(facts: MailFacts) -> str:
    return facts.bounce.signs if facts.bounce else ""


def _report(report_type: str) -> Callable[[MailFacts], str]:
    def test(facts: MailFacts) -> str:
        report = facts.message.report
        declared = report is not None and report.report_type == report_type
        part = f"message/{report_type}"
        if declared or any(a.content_type == part for a in facts.message.attachments):
            return f"a report of type {report_type}"
        return ""

    return test


def _success(facts: MailFacts) -> str:
    return "a delivery report that tells of success" if is_success_report(facts.message) else ""


def _calendar_reply(facts: MailFacts) -> str:
    for attachment in facts.message.attachments:
        if attachment.content_type == "text/calendar" and b"METHOD:REPLY" in attachment.content[:4000].upper():
            return "an answer to an invitation (RFC 5546)"
    return ""


# QUARANTINE


def _spam(facts: MailFacts) -> str:
    for name in facts.by_group.get("spam", ()):
        if any(value.startswith(names.SPAM[name]) for value in facts.all(name)):
            return f"marked as spam: {name}"
    return ""


def _dmarc(facts: MailFacts) -> str:
    trusted = facts.own.trusted_authserv_ids
    verdict = dmarc_verdict(facts.message, trusted) if trusted else ""
    if verdict == "fail":
        return f"the domain of {facts.message.from_addr} does not stand by this mail (DMARC)"
    if verdict == MISMATCH:
        return f"our mail server checked another author than {facts.message.from_addr} (DMARC)"
    return ""


# AUTO: proof


def _auto_submitted(facts: MailFacts) -> str:
    for name in ("auto-submitted", "x-auto-submitted"):
        for value in facts.all(name):
            if value not in ("", "no", "auto-forwarded"):  # auto-forwarded: a person wrote it
                return f"Auto-Submitted: {value[:40]}"
    return ""


def _auto_header(facts: MailFacts) -> str:
    for name in facts.by_group.get("auto", ()):
        if facts.get(name) not in names.NO:
            return f"a field {name}"
    for name in facts.by_group.get("machine", ()):
        for value in facts.all(name):
            if any(mark in value for mark in names.MACHINES[name]):
                return f"{name}: {value[:40]}"
    return ""


def _precedence(facts: MailFacts) -> str:
    found = {*facts.all("precedence"), *facts.all("x-precedence")} & {"auto_reply", "auto-reply", "junk"}
    return f"Precedence: {min(found)}" if found and not facts.list_field else ""


def _exchange_rule(facts: MailFacts) -> str:
    by_rule = "x-ms-exchange-inbox-rules-loop" in facts.headers and "x-auto-response-suppress" in facts.headers
    return "written by a rule of Exchange" if by_rule else ""


def _other_desk(facts: MailFacts) -> str:
    kind = facts.get("x-mailbot-kind")
    return f"automatic mail ({kind[:40]}) of another desk" if kind not in ("", "answer") else ""


def _daemon(facts: MailFacts) -> str:
    return f"written by {facts.message.from_addr}" if facts.sender_type is SenderType.DAEMON else ""


def _null_sender(facts: MailFacts) -> str:
    empty = facts.message.return_path == "" and "<>" in facts.message.headers.get("Return-Path")
    return "an empty envelope sender" if empty else ""


def _at_bounce_address(facts: MailFacts) -> str:
    # RFC 3834 §4: automatic replies go to the envelope sender; people's replies go to Reply-To
    return f"came to our envelope sender {facts.bounce_address}" if facts.bounce_address else ""


def _several_hints(facts: MailFacts) -> str:
    return ", ".join(hint.words for hint in facts.hints) if facts.weight >= ENOUGH_FOR_AUTO else ""


# NOACK


def _list(facts: MailFacts) -> str:
    return f"came through a mailing list ({facts.list_field})" if facts.list_field else ""


def _unread_sender(facts: MailFacts) -> str:
    return f"{facts.message.from_addr} does not read mail" if facts.sender_type is not SenderType.ANYBODY else ""


def _no_author(facts: MailFacts) -> str:
    return "" if facts.message.from_addr else "names no author who could get an answer"


def _one_hint(facts: MailFacts) -> str:
    conclusive = any(hint.machine_only for hint in facts.hints)
    return ", ".join(hint.words for hint in facts.hints) if conclusive and facts.weight >= ENOUGH_FOR_NOACK else ""


def _asks_for_silence(facts: MailFacts) -> str:
    return next((hint.words for hint in facts.header_hints), "")


def _forwarded(facts: MailFacts) -> str:
    return "forwarded by a filter" if "auto-forwarded" in facts.all("auto-submitted") else ""


def _person_of_other_desk(facts: MailFacts) -> str:
    return "an answer from another desk" if "x-mailbot-instance" in facts.headers else ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    name: str
    #: What the mail is if the rule decides.
    kind: Kind
    #: Returns the reason, "" where the rule does not apply.
    test: Callable[[MailFacts], str]


RULES: tuple[Rule, ...] = (
    # Our own mail first: any other classification of it could start a loop.
    Rule("own-mark", Kind.LOOP, _own_mark),
    Rule("own-address", Kind.LOOP, _own_address),
    Rule("own-message-id", Kind.LOOP, _own_message_id),
    # Before spam: a bounce quotes the refused mail, which filters score.
    Rule("delivery-report", Kind.BOUNCE, _bounce),
    # Before AUTO: what may be forged must not reach a ticket, not even as a hidden event.
    Rule("spam", Kind.QUARANTINE, _spam),
    Rule("dmarc-fail", Kind.QUARANTINE, _dmarc),
    # Reports that are no bounces (RFC 6522).
    Rule("delivered", Kind.AUTO, _success),
    Rule("read-receipt", Kind.AUTO, _report("disposition-notification")),  # RFC 8098
    Rule("feedback-report", Kind.AUTO, _report("feedback-report")),  # RFC 5965
    Rule("calendar-reply", Kind.AUTO, _calendar_reply),
    # Fields that only machines set.
    Rule("auto-submitted", Kind.AUTO, _auto_submitted),  # RFC 3834 §5
    Rule("auto-header", Kind.AUTO, _auto_header),
    Rule("precedence", Kind.AUTO, _precedence),
    Rule("exchange-rule", Kind.AUTO, _exchange_rule),
    Rule("other-desk", Kind.AUTO, _other_desk),
    # Senders that are not people.
    Rule("daemon", Kind.AUTO, _daemon),
    Rule("null-sender", Kind.AUTO, _null_sender),  # RFC 5321 §4.5.5
    Rule("bounce-address", Kind.AUTO, _at_bounce_address),
    # No proof, but a combination of hints that no person's mail has.
    Rule("hints", Kind.AUTO, _several_hints),
    # Possibly a person, but not one who should get automatic mail.
    Rule("mailing-list", Kind.NOACK, _list),
    Rule("other-desk-person", Kind.NOACK, _person_of_other_desk),
    Rule("auto-forwarded", Kind.NOACK, _forwarded),
    Rule("no-author", Kind.NOACK, _no_author),
    Rule("unread-sender", Kind.NOACK, _unread_sender),
    Rule("asks-for-silence", Kind.NOACK, _asks_for_silence),
    Rule("one-hint", Kind.NOACK, _one_hint),
)
