"""What sort of correspondent wrote: a person, or which sort of machine (RFC 3834, RFC 5321 §4.5.5, RFC 2919).

In: a parsed mail and what is known of our own desk. Out: a `Classification` with the rule that decided and its reason
in words for the admin. The rules are a table in order; the first that has a reason decides. Two kinds of error cost
unlike much: a machine taken for a person is answered, and two machines can write to each other for ever; a person
taken for a machine waits for nothing. So AUTO needs a proof (a header that only machines set) or several hints, and a
single hint makes NOACK: the mail is a person's to all who read it, and only gets no automatic mail.

Never: a look into the store, a clock, or a decision about what happens then (`core.lifecycle`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from mailbot.mail.classify.authentication import MISMATCH, dmarc_verdict
from mailbot.mail.classify.auto_reply import (
    Hint,
    hints_in_words,
    own_words,
)
from mailbot.mail.classify.dsn import (
    BounceEvidence,
    find_bounce,
    is_success_report,
)
from mailbot.mail.classify.out_of_office import returns_on
from mailbot.mail.classify.senders import (
    Grade,
    grade,
    is_list_manager,
)
from mailbot.mail.domains import is_address_of
from mailbot.mail.message import (
    Classification,
    InboundMessage,
    Kind,
)
from mailbot.mail.reply_token import Purpose, read_tokens
from mailbot.vocabulary import robot_headers as names

ENOUGH_FOR_AUTO = 3
ENOUGH_FOR_NOACK = 2


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """Our desk, as far as it must know its own mail again.

    `addresses`: desk address and aliases, lower case. `instance_id`: the value of our `X-Mailbot-Instance`.
    `trusted_authserv_ids`: whose Authentication-Results count. `message_id_domain`: the right side of Message-IDs that
    nobody but this desk makes ("" where people's mail clients share it). `bounce_local_prefix`: how the local part of
    our envelope senders begins ("" : they are known by their token alone).
    """

    addresses: frozenset[str] = frozenset()
    instance_id: str = ""
    trusted_authserv_ids: Sequence[str] = ()
    message_id_domain: str = ""
    bounce_local_prefix: str = ""


def classify(message: InboundMessage, own: OwnIdentity = OwnIdentity()) -> Classification:
    """The verdict on a mail; the first rule of the table that finds a reason decides."""
    facts = _Facts(message, own)
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
    """The verdict on a mail as it came, without a desk: for scoring and for trying things out."""
    from mailbot.mail.mime.parser import parse_message

    return classify(parse_message(raw))


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule that has a reason for this mail; the first of them decided."""

    rule: str
    kind: Kind
    reason: str


def firings(message: InboundMessage, own: OwnIdentity = OwnIdentity()) -> tuple[tuple[Firing, ...], tuple[Hint, ...]]:
    """For `mailbot explain`: every rule that finds a reason, in the table's order, and the hints that were weighed."""
    facts = _Facts(message, own)
    found = ((rule, rule.test(facts)) for rule in RULES)
    return tuple(Firing(rule.name, rule.kind, reason) for rule, reason in found if reason), facts.hints


def _returns_on(message: InboundMessage) -> str:
    return returns_on(f"{own_words(message)}\n{message.subject}", message.date.date() if message.date else None)


class _Facts:
    """What several rules ask of a mail, worked out once and only when asked."""

    def __init__(self, message: InboundMessage, own: OwnIdentity) -> None:
        self.message = message
        self.own = own
        self.headers: dict[str, list[str]] = {}
        self.by_group: dict[str, list[str]] = {}
        for name, value in message.headers.fields:
            key = name.lower()
            if key in self.headers:
                self.headers[key].append(value)
                continue
            self.headers[key] = [value]
            if group := _group(key):
                self.by_group.setdefault(group, []).append(key)

    def get(self, name: str) -> str:
        """The first value of a header field, lower case, without a comment or parameters (RFC 3834 §5)."""
        values = self.headers.get(name)
        return _bare(values[0]) if values else ""

    def all(self, name: str) -> list[str]:
        return [_bare(value) for value in self.headers.get(name, ())]

    @cached_property
    def grade(self) -> Grade:
        return grade(self.message)

    @cached_property
    def bounce(self) -> BounceEvidence | None:
        return find_bounce(self.message, bool(self.bounce_address))

    @cached_property
    def bounce_address(self) -> str:
        """The envelope sender of ours that this mail came to, or ""."""
        own = self.own
        domains = {address.partition("@")[2] for address in own.addresses}
        for address in self.message.recipients[:50]:
            local, _, domain = address.partition("@")
            if domain not in domains:
                continue
            if own.bounce_local_prefix and local.startswith(own.bounce_local_prefix):
                return address
            if "+" in local and any(token.purpose is Purpose.BOUNCE for token in read_tokens(address)):
                return address
        return ""

    @cached_property
    def list_field(self) -> str:
        """The header field of the mailing list that distributed this mail, or ""; a list that is our desk is none."""
        fields = self.by_group.get("list", ())
        if any(self._is_ours(self.headers[name][0]) for name in fields):
            return ""
        if fields:
            return fields[0]
        if "list" in self.all("precedence"):
            return "precedence"
        sender = self.message.sender
        if sender and sender.email != self.message.from_addr and is_list_manager(sender.local_part):
            return "sender"  # Majordomo: "Sender: owner-list@…" is all that shows it
        return ""

    def _is_ours(self, value: str) -> bool:
        """A desk behind a Google Group: every mail comes through a list that is the desk itself."""
        low = value.lower()
        return any(address in low or address.replace("@", ".") in low for address in self.own.addresses)

    @cached_property
    def hints(self) -> tuple[Hint, ...]:
        in_header = self.header_hints
        return (*in_header, *hints_in_words(self.message, bool(in_header)))

    @cached_property
    def header_hints(self) -> tuple[Hint, ...]:
        hints = []
        if self.grade in (Grade.UNREAD, Grade.OFFICE) and self.message.from_addr:
            hints.append(Hint(1, f"written by {self.message.from_addr}"))
        if self.list_field:
            return tuple(hints)  # the other fields are the list's, whoever wrote the mail
        if "bulk" in (*self.all("precedence"), *self.all("x-precedence")):
            hints.append(Hint(2, "Precedence: bulk"))
        if self.get("x-auto-response-suppress") not in ("", "none"):
            hints.append(Hint(1, "asks for no automatic replies"))
        if self.message.return_path == "":
            hints.append(Hint(1, "no envelope sender"))
        if "ticket" in self.by_group:
            hints.append(Hint(1, "comes from a ticket system"))
        return tuple(hints)

    @cached_property
    def weight(self) -> int:
        return sum(hint.weight for hint in self.hints)


def _bare(value: str) -> str:
    return value.partition(";")[0].partition("(")[0].strip().lower()


@lru_cache(maxsize=4096)
def _group(name: str) -> str:
    """To which of the groups that the rules look for a header field belongs; "" for nearly all."""
    if name in names.LISTS:
        return "list"
    if name in names.SPAM:
        return "spam"
    if name in names.MACHINES:
        return "machine"
    squeezed = name.replace("-", "")
    if squeezed.startswith("x") and "suppress" not in name and any(part in squeezed for part in names.AUTO_PARTS):
        return "auto"
    return "ticket" if name.startswith(names.TICKET_SYSTEMS) else ""


# LOOP: our own mail


def _own_mark(facts: _Facts) -> str:
    mark = facts.own.instance_id.lower()
    return "X-Mailbot-Instance is ours" if mark and mark in facts.all("x-mailbot-instance") else ""


def _own_address(facts: _Facts) -> str:
    author = facts.message.from_addr  # not Sender: behind a list, the desk's own address is the sender of every mail
    return f"From is our own address {author}" if author and is_address_of(author, facts.own.addresses) else ""


def _own_message_id(facts: _Facts) -> str:
    domain = facts.own.message_id_domain
    ours = domain and facts.message.message_id.rstrip("> ").endswith("@" + domain)
    return "the Message-ID is one of ours" if ours else ""


# BOUNCE, and reports that are none


def _bounce(facts: _Facts) -> str:
    return facts.bounce.signs if facts.bounce else ""


def _report(report_type: str) -> Callable[[_Facts], str]:
    def test(facts: _Facts) -> str:
        report = facts.message.report
        declared = report is not None and report.report_type == report_type
        part = f"message/{report_type}"
        if declared or any(a.content_type == part for a in facts.message.attachments):
            return f"a report of type {report_type}"
        return ""

    return test


def _success(facts: _Facts) -> str:
    return "a delivery report that tells of success" if is_success_report(facts.message) else ""


def _calendar_reply(facts: _Facts) -> str:
    for attachment in facts.message.attachments:
        if attachment.content_type == "text/calendar" and b"METHOD:REPLY" in attachment.content[:4000].upper():
            return "an answer to an invitation (RFC 5546)"
    return ""


# QUARANTINE


def _spam(facts: _Facts) -> str:
    for name in facts.by_group.get("spam", ()):
        if any(value.startswith(names.SPAM[name]) for value in facts.all(name)):
            return f"marked as spam: {name}"
    return ""


def _dmarc(facts: _Facts) -> str:
    trusted = facts.own.trusted_authserv_ids
    verdict = dmarc_verdict(facts.message, trusted) if trusted else ""
    if verdict == "fail":
        return f"the domain of {facts.message.from_addr} does not stand by this mail (DMARC)"
    if verdict == MISMATCH:
        return f"our mail server checked another author than {facts.message.from_addr} (DMARC)"
    return ""


# AUTO: proofs


def _auto_submitted(facts: _Facts) -> str:
    for name in ("auto-submitted", "x-auto-submitted"):
        for value in facts.all(name):
            if value not in ("", "no", "auto-forwarded"):  # forwarded by a filter: a person wrote it
                return f"Auto-Submitted: {value[:40]}"
    return ""


def _auto_header(facts: _Facts) -> str:
    for name in facts.by_group.get("auto", ()):
        if facts.get(name) not in names.NO:
            return f"a field {name}"
    for name in facts.by_group.get("machine", ()):
        for value in facts.all(name):
            if any(mark in value for mark in names.MACHINES[name]):
                return f"{name}: {value[:40]}"
    return ""


def _precedence(facts: _Facts) -> str:
    found = {*facts.all("precedence"), *facts.all("x-precedence")} & {"auto_reply", "auto-reply", "junk"}
    return f"Precedence: {min(found)}" if found and not facts.list_field else ""


def _exchange_rule(facts: _Facts) -> str:
    by_rule = "x-ms-exchange-inbox-rules-loop" in facts.headers and "x-auto-response-suppress" in facts.headers
    return "written by a rule of Exchange" if by_rule else ""


def _other_desk(facts: _Facts) -> str:
    kind = facts.get("x-mailbot-kind")
    return f"automatic mail ({kind[:40]}) of another desk" if kind not in ("", "answer") else ""


def _daemon(facts: _Facts) -> str:
    return f"written by {facts.message.from_addr}" if facts.grade is Grade.DAEMON else ""


def _null_sender(facts: _Facts) -> str:
    empty = facts.message.return_path == "" and "<>" in facts.message.headers.get("Return-Path")
    return "an empty envelope sender" if empty else ""


def _at_bounce_address(facts: _Facts) -> str:
    # RFC 3834 §4: automatic replies go to the envelope sender; people's replies go to Reply-To
    return f"came to our envelope sender {facts.bounce_address}" if facts.bounce_address else ""


def _several_hints(facts: _Facts) -> str:
    return ", ".join(hint.words for hint in facts.hints) if facts.weight >= ENOUGH_FOR_AUTO else ""


# NOACK


def _list(facts: _Facts) -> str:
    return f"came through a mailing list ({facts.list_field})" if facts.list_field else ""


def _unread_sender(facts: _Facts) -> str:
    return f"{facts.message.from_addr} does not read mail" if facts.grade is not Grade.ANYBODY else ""


def _no_author(facts: _Facts) -> str:
    return "" if facts.message.from_addr else "names no author who could get an answer"


def _one_hint(facts: _Facts) -> str:
    telling = any(hint.telling for hint in facts.hints)
    return ", ".join(hint.words for hint in facts.hints) if telling and facts.weight >= ENOUGH_FOR_NOACK else ""


def _asks_for_silence(facts: _Facts) -> str:
    return next((hint.words for hint in facts.header_hints), "")


def _forwarded(facts: _Facts) -> str:
    return "forwarded by a filter" if "auto-forwarded" in facts.all("auto-submitted") else ""


def _person_of_other_desk(facts: _Facts) -> str:
    return "an answer from another desk" if "x-mailbot-instance" in facts.headers else ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: what it is called, what it makes of the mail, and the test that gives the reason ("" : not this one)."""

    name: str
    kind: Kind
    test: Callable[[_Facts], str]


RULES: tuple[Rule, ...] = (
    # Ourselves first: no other reading of our own mail could end well.
    Rule("own-mark", Kind.LOOP, _own_mark),
    Rule("own-address", Kind.LOOP, _own_address),
    Rule("own-message-id", Kind.LOOP, _own_message_id),
    # Before spam: a bounce quotes the mail that was refused, and filters score it.
    Rule("delivery-report", Kind.BOUNCE, _bounce),
    # Before AUTO: what may be forged must not be put on a ticket, not even as a hidden event.
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
    # Senders that are no persons.
    Rule("daemon", Kind.AUTO, _daemon),
    Rule("null-sender", Kind.AUTO, _null_sender),  # RFC 5321 §4.5.5
    Rule("bounce-address", Kind.AUTO, _at_bounce_address),
    # No proof, but hints that no person's mail has together.
    Rule("hints", Kind.AUTO, _several_hints),
    # A person perhaps, but nobody who should get automatic mail.
    Rule("mailing-list", Kind.NOACK, _list),
    Rule("other-desk-person", Kind.NOACK, _person_of_other_desk),
    Rule("auto-forwarded", Kind.NOACK, _forwarded),
    Rule("no-author", Kind.NOACK, _no_author),
    Rule("unread-sender", Kind.NOACK, _unread_sender),
    Rule("asks-for-silence", Kind.NOACK, _asks_for_silence),
    Rule("one-hint", Kind.NOACK, _one_hint),
)
