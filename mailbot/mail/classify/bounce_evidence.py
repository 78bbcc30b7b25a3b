"""Weighed evidence for and against a mail being a bounce.

In: a mail. Out: the evidence, each piece with its weight. A report in the format of RFC 3464 needs hardly more than
itself; the many that mail systems write in prose are recognised by their author (a mail system), the subject, the first
lines, an SMTP reply code, and the returned mail. No single one of these proves a bounce: a person may write from
postmaster@, quote a reply code, or ask about a mail "could not be delivered". Together they do: four points make a
bounce (`ENOUGH`).

Never: determines the recipient or the original mail; `dsn` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailbot.mail.classify.senders import SenderType, is_daemon, is_list_manager, sender_type
from mailbot.mail.message import Address, InboundMessage
from mailbot.mail.subject import is_forward_subject, is_reply_subject
from mailbot.vocabulary import bounces, senders

ENOUGH = 4
MAX_PROSE = 6000  # characters of the body that are examined
START = 300  # a report states the failure here; a person begins with a greeting

_CODE = re.compile(
    r"(?<![\d.])[45]\d{2}[ -][45]\.\d{1,3}\.\d{1,3}(?![\d.])"  # "550 5.1.1" (RFC 2034)
    r"|\(?#[45]\.\d{1,3}\.\d{1,3}\)?"  # "(#5.1.1)", qmail
    r"|(?:said|says|error|response|reply|code|returned|rcpt to|mail from|data|status|responded)\b"
    r"[^\n]{0,40}[\s:>(\"][45]\d\d\b"
    r"|(?:^|\n)[\s>*<-]{0,8}(?:smtp;? ?)?[45][0-5]\d[ -]"
    r"|smtp; ?[45]\d\d",
    re.IGNORECASE,
)
_RETURNED_FIELD = re.compile(
    r"(?:^|\n)[ >|]{0,4}(received|message-id|return-path|from|to|subject|date|mime-version):", re.IGNORECASE
)
_SEPARATORS = re.compile(r"[._\s-]+")
# Header fields of list software: with the list's own address in From it is the software that writes.
_LIST_SOFTWARE = (
    "X-MLServer", "X-Mailman-Version", "X-List-Administrivia", "X-Listserver", "Mailing-List", "X-Sympa-To",
)  # fmt: skip
_TRACE_FIELDS = {"received", "message-id", "return-path"}


@dataclass(frozen=True, slots=True)
class Sign:
    """One piece of evidence."""

    #: Below 0: evidence against a bounce.
    weight: int
    #: For the admin.
    words: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All signs of a mail."""

    signs: tuple[Sign, ...]
    #: The examined text, at most MAX_PROSE characters, line ends kept.
    prose: str

    @property
    def enough(self) -> bool:
        """Whether the signs make a bounce."""
        return sum(sign.weight for sign in self.signs) >= ENOUGH

    def __str__(self) -> str:
        return ", ".join(sign.words for sign in self.signs)


def evidence(message: InboundMessage, at_bounce_address: bool = False) -> Evidence | None:
    """Return the evidence for a bounce, or None without any (nearly every person's mail, after a few look-ups).

    `at_bounce_address`: the mail came to one of our own envelope senders (VERP).
    """
    structure = _structure_signs(message)
    author = _author_signs(message, at_bounce_address)
    subject = _subject_signs(message.subject)
    if not (structure or author) and (not subject or is_reply_subject(message.subject)):
        return None  # without a sign of a mail system, a reply can't reach ENOUGH
    prose = message.text[:MAX_PROSE]
    body = _body_signs(message, prose)
    if not (structure or subject or body):
        return None
    signs = (*structure, *author, *subject, *body)
    # status fields alone may be part of a bounce that a person forwards
    machine = sum(sign.weight for sign in (*structure, *author) if sign.words != _STATUS_FIELDS)
    return Evidence((*signs, *_counter_signs(message, prose, signs, machine)), prose)


def fold(text: str) -> str:
    """Return the text as the vocabulary has it: lower case, single spaces, straight apostrophes."""
    return " ".join(text.split()).lower().replace("’", "'").replace("`", "'")


# The signs, one function for each kind


def _structure_signs(message: InboundMessage) -> tuple[Sign, ...]:
    """Weigh the structure: RFC 3464, RFC 6522, X-Failed-Recipients (Exim, Gmail)."""
    signs = []
    report = message.report
    if report is not None and report.report_type in ("", "delivery-status"):  # not a read receipt's fields
        declared = "/report" in message.headers.get("Content-Type")[:200].lower()  # RFC 6522 §3
        if declared and report.status:
            signs.append(Sign(4, "a delivery report (RFC 3464)"))
        elif report.status:
            signs.append(Sign(3, _STATUS_FIELDS))
        elif declared:
            signs.append(Sign(3, "declared a delivery report"))
    if "@" in message.headers.get("X-Failed-Recipients"):
        signs.append(Sign(3, "X-Failed-Recipients"))
    return tuple(signs)


def _author_signs(message: InboundMessage, at_bounce_address: bool) -> tuple[Sign, ...]:
    """Weigh author, envelope sender and recipient address; the strongest of them counts."""
    author = max(int(sender_type(message)), _gateway(message.from_address.local_part))
    signs = []
    if at_bounce_address:
        signs.append(Sign(3, "came to our bounce address"))
    if author:
        signs.append(Sign(author, f"written by {message.from_addr or 'nobody'}"))
    if is_list_manager(message.from_address.local_part) and any(name in message.headers for name in _LIST_SOFTWARE):
        signs.append(Sign(2, "written by list software"))
    if message.return_path == "" and "<>" in message.headers.get("Return-Path"):
        signs.append(Sign(2, "empty envelope sender"))  # RFC 5321 §6.1
    elif message.return_path and is_daemon(Address(message.return_path)):
        signs.append(Sign(2, f"envelope sender {message.return_path}"))
    return (max(signs, key=lambda sign: sign.weight),) if signs else ()


def _gateway(local_part: str) -> int:
    """Return the weight of a filter's or an administrator's name, which only counts together with other signs."""
    squeezed = _SEPARATORS.sub("", local_part[:100])
    return 2 if squeezed.startswith(senders.GATEWAYS) else int(squeezed in senders.ADMINS)


def _subject_signs(subject: str) -> tuple[Sign, ...]:
    low = fold(subject[:300])
    if any(phrase in low for phrase in bounces.NO_BOUNCE_SUBJECTS):
        return ()
    phrase = next((p for p in bounces.BOUNCE_SUBJECTS if p in low), "")
    return (Sign(1, f"subject “{phrase}”"),) if phrase else ()


def _body_signs(message: InboundMessage, prose: str) -> tuple[Sign, ...]:
    """Weigh the text and the returned mail."""
    low = fold(prose)
    signs = []
    if statement := next((p for p in bounces.NOT_DELIVERED if p in low), ""):
        signs.append(Sign(2, f"says “{statement}”"))
    elif refusal := next((p for p in bounces.REFUSALS if p in low), ""):
        signs.append(Sign(1, f"says “{refusal}”"))
    if _CODE.search(prose):
        signs.append(Sign(1, _REPLY_CODE))
    if message.nested or (message.report is not None and message.report.original_headers):
        signs.append(Sign(1, _RETURNED_MAIL))
    elif _names_trace_fields(prose) or any(p in low for p in bounces.RETURNED):
        signs.append(Sign(1, "quotes a mail"))
    return tuple(signs)


def _names_trace_fields(prose: str) -> bool:
    found = {name.lower() for name in _RETURNED_FIELD.findall(prose)}
    return len(found) >= 3 and bool(found & _TRACE_FIELDS)


def _counter_signs(message: InboundMessage, prose: str, signs: tuple[Sign, ...], machine: int) -> tuple[Sign, ...]:
    """Weigh what points to a person writing *about* a bounce. `machine`: the weight of structure and author."""
    start = fold(prose[:START])
    greets = start.startswith(bounces.GREETINGS)
    if machine > SenderType.POSTMASTER:
        return ()
    if machine == SenderType.POSTMASTER:  # may be a person
        return (Sign(-2, "a person speaks"),) if greets else ()
    against = []
    if is_reply_subject(message.subject) or is_forward_subject(message.subject):
        against.append(Sign(-3, "a person replies or forwards"))
    found = {sign.words for sign in signs}
    if not found & {_REPLY_CODE, _RETURNED_MAIL}:
        against.append(Sign(-2, "no reply code and no mail in it"))
    if machine == 0:
        against.append(Sign(-1, "nothing shows a mail system"))
        if greets or any(myself in start for myself in bounces.MYSELF):
            against.append(Sign(-2, "a person speaks"))
        if not any(p in start for p in bounces.NOT_DELIVERED):
            against.append(Sign(-2, "does not begin with the failure"))
    return tuple(against)


_STATUS_FIELDS = "delivery status fields"
_REPLY_CODE = "quotes an SMTP reply code"
_RETURNED_MAIL = "holds the mail that came back"
