"""Reader of bounces (delivery status notifications): which mail failed, to whom, why, and whether permanently.

In: a mail. Out: a `Bounce`, or None. Reports in the format of RFC 3464 are read field by field; reports in prose
(qmail, Exim, Exchange, Notes, mobile operators, …) are recognised by `bounce_evidence` and then searched for what every
mail system writes: an address, an RFC 3463 status or an SMTP reply, the header of the returned mail.

A report that a mail was delivered, relayed or expanded (RFC 3464 §2.3.3) is no bounce. `hard` means that the mail will
not be delivered: its `Action` is failed, whatever the class of its status, because a server that gave up after five
days says 4.4.7. Never: a look at our outbox; whether the mail was ours is decided where tickets are known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailbot.mail.classify.bounce_evidence import evidence, fold
from mailbot.mail.classify.senders import is_automatic_address
from mailbot.mail.message import Bounce, InboundMessage
from mailbot.mail.mime.header import decode_words
from mailbot.vocabulary import bounces as words

MAX_STATUS = 64_000  # characters of delivery-status fields
MAX_RECIPIENTS = 1000
MAX_FIELD = 2000  # characters of one of those fields
MAX_DIAGNOSTIC = 500
MAX_RETURNED = 32_000  # characters of prose that are searched for the header of the returned mail

_FIELD = re.compile(r"([!-9;-~]{1,80})[ \t]*:[ \t]*(.*)")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")  # RFC 3463 §2
_REPLY = re.compile(r"(?<![\d.])([45])\d\d(?![\d.])")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,255}")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")
_RETURNED_FIELD = re.compile(r"^[ \t>|]{0,8}(message-id|subject)[ \t]*:[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE)
_CODE_LINE = re.compile(r"(?<![\d.])[45][0-5]\d(?:[ -](?!\d{3}\b)|[:)>]|$)|(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![\d.])")
_LISTED_ADDRESS = re.compile(
    rf"^[\s>*\"'(-]{{0,12}}<?(?:[a-z0-9]{{2,10}}[:;] ?)?({_ADDRESS.pattern})", re.IGNORECASE | re.MULTILINE
)
# Starts of header and trace lines, in which numbers are no SMTP replies.
_TRACE = ("received:", "message-id:", "date:", "x-", "by ", "with ", "from ", "for ", "id ", "arrival-date:")
_GOOD_ACTIONS = {"delivered", "relayed", "expanded"}


@dataclass(frozen=True, slots=True)
class BounceEvidence:
    """A bounce, and why it was taken for one."""

    bounce: Bounce
    #: For the admin.
    signs: str


def read_bounce(message: InboundMessage) -> Bounce | None:
    """Return what a delivery report says about the first failed recipient, or None where the mail is no bounce."""
    found = find_bounce(message)
    return found.bounce if found else None


def find_bounce(message: InboundMessage, at_bounce_address: bool = False) -> BounceEvidence | None:
    """Do the same as `read_bounce`, with the reasons. `at_bounce_address`: it came to our envelope sender (VERP)."""
    found = evidence(message, at_bounce_address)
    if found is None or not found.enough or is_success_report(message):
        return None
    fields = _worst_recipient(message)
    delayed = _is_delay(message, fields, found.prose)
    diagnostic = _diagnostic(fields, found.prose)
    message_id, subject = _returned_mail(message)
    bounce = Bounce(
        hard=not delayed,
        status=_status(fields, diagnostic, found.prose),
        recipient=_recipient(message, fields, found.prose),
        diagnostic=diagnostic,
        original_message_id=message_id,
        original_subject=subject,
    )
    return BounceEvidence(bounce, str(found))


def is_success_report(message: InboundMessage) -> bool:
    """Return whether an RFC 3464 report has only successful actions (delivered, relayed, expanded)."""
    if message.report is None or message.report.report_type not in ("", "delivery-status"):
        return False
    actions = {_word(r.get("action", "")) for r in _recipients(message.report.status)} - {""}
    return bool(actions) and actions <= _GOOD_ACTIONS


# RFC 3464


def _recipients(status: str) -> list[dict[str, str]]:
    """Return the per-recipient blocks (§2.3), names in lower case, without the per-message block (§2.2)."""
    blocks: list[dict[str, str]] = [{}]
    name = ""
    for line in status[:MAX_STATUS].split("\n"):
        if not line.strip():
            blocks.append({})
            name = ""
        elif line[0] in " \t" and name:
            if len(blocks[-1][name]) < MAX_FIELD:
                blocks[-1][name] += " " + line.strip()
        elif field := _FIELD.match(line):
            name = field.group(1).lower()
            if name in {"final-recipient", "original-recipient"} and name in blocks[-1]:
                blocks.append({})  # no blank line between the recipients
            blocks[-1].setdefault(name, field.group(2).strip())
    per_recipient = {"final-recipient", "original-recipient", "action", "status"}
    return [block for block in blocks if block.keys() & per_recipient][:MAX_RECIPIENTS]


def _worst_recipient(message: InboundMessage) -> dict[str, str]:
    """Return the block of the first failed recipient, else of the first delayed one, else the first."""
    if message.report is None or not message.report.status:
        return {}
    blocks = _recipients(message.report.status)
    for wanted in (("fail", "expir", "reject"), ("delay",), ("",)):
        for block in blocks:
            action = _word(block.get("action", ""))
            if action not in _GOOD_ACTIONS and action.startswith(wanted):
                return block
    return {}


def _word(value: str) -> str:
    return value.lower().split(maxsplit=1)[0].strip("();,") if value.strip() else ""


def _typed(value: str) -> str:
    """Strip the type from a value: `rfc822; <budi@x.id>` → `<budi@x.id>`, `smtp; 550 …` → `550 …` (§2.1.2)."""
    kind, separator, rest = value.partition(";")
    return (rest if separator and len(kind) < 40 and "@" not in kind else value).strip()


# The parts of a Bounce, from the fields where there are any, else from the prose


def _is_delay(message: InboundMessage, fields: dict[str, str], prose: str) -> bool:
    action = _word(fields.get("action", ""))
    if action:
        return action.startswith("delay")
    low = fold(message.subject + "\n" + prose[:2000])
    return any(phrase in low for phrase in words.DELAYED)


def _status(fields: dict[str, str], diagnostic: str, prose: str) -> str:
    """Return the most specific RFC 3463 status (`5.1.1` before `5.0.0`), or the class of an SMTP reply (`5.0.0`)."""
    given = [s for text in (fields.get("status", ""), diagnostic) for s in _STATUS.findall(text)]
    found = [s for s in given or _STATUS.findall(prose) if not s.startswith("2")]
    specific = next((s for s in found if not s.endswith(".0.0") and s[0] == found[0][0]), "")
    if specific or found:
        return str(specific or found[0])
    reply = _REPLY.search(diagnostic)
    return f"{reply.group(1)}.0.0" if reply else ""


def _recipient(message: InboundMessage, fields: dict[str, str], prose: str) -> str:
    """Return the address that we wrote to (Original-Recipient, §2.3.1), else the final one (§2.3.2)."""
    for text in (
        _typed(fields.get("original-recipient", "")),
        _typed(fields.get("final-recipient", "")),
        message.headers.get("X-Failed-Recipients")[:MAX_FIELD],
    ):
        if address := _ADDRESS.search(text):
            return address.group().strip("'.").lower()
    ours = {a.email for a in (*message.to, *message.cc)} | {message.from_addr}
    for address in (*_LISTED_ADDRESS.findall(prose), *_ADDRESS.findall(prose)):
        plain = str(address).strip("'.").lower()
        if plain not in ours and not is_automatic_address(plain.partition("@")[0]):
            return plain
    return ""


def _diagnostic(fields: dict[str, str], prose: str) -> str:
    """Return the server's text: Diagnostic-Code (§2.3.6), else the line with a reply code, else the statement."""
    given = _typed(fields.get("diagnostic-code", ""))
    if given:
        return " ".join(given.split())[:MAX_DIAGNOSTIC]
    lines = [line for line in (" ".join(line.split()) for line in prose.split("\n")) if line]
    for line in lines:
        if _CODE_LINE.search(line) and not line.lower().startswith(_TRACE):
            return line[:MAX_DIAGNOSTIC]
    for index, line in enumerate(lines):
        low = fold(line)
        if any(phrase in low for phrase in (*words.REFUSALS, *words.NOT_DELIVERED)):
            return " ".join(lines[index : index + 3])[:MAX_DIAGNOSTIC]
    return " ".join(lines[:3])[:MAX_DIAGNOSTIC]


def _returned_mail(message: InboundMessage) -> tuple[str, str]:
    """Return Message-ID and subject of the returned mail: from its header, a copy, or the report's In-Reply-To."""
    message_id = subject = ""
    texts = [message.report.original_headers] if message.report and message.report.original_headers else []
    if message.nested:
        message_id, subject = message.nested[0].message_id, message.nested[0].subject
        texts.append(message.nested[0].text[:MAX_RETURNED])  # a blank line may precede its header
    texts.append(message.text[:MAX_RETURNED])
    for text in texts:
        for name, value in _RETURNED_FIELD.findall(text):
            if name.lower() == "subject" and not subject:
                subject = decode_words(value.strip())[:MAX_DIAGNOSTIC]
            elif name.lower() == "message-id" and not message_id and (found := _MESSAGE_ID.search(value)):
                message_id = found.group()
    if not message_id:
        # RFC 3464 does not require it, but many mail systems refer to the returned mail in these fields
        message_id = next(iter((*message.in_reply_to, *reversed(message.references))), "")
    return message_id, subject
