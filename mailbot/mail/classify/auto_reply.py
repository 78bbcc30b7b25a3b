"""Hints in subject and text that a mail without a telling header is an automatic reply.

In: a mail. Out: hints, each with its weight and a text for the admin. Old vacation programs, ticket systems and
challenge-response systems write replies that look like a person's; people, in turn, write *about* automatic replies
("balasan otomatis sudah kami terima, tetapi …") or write by hand that they are on leave. So no phrase decides alone:
`rules` adds these hints to those of the header.

Only the author's own first lines count: below a quote mark, a drawn line or "… menulis:" is somebody else's text, our
own automatic mail for instance.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailbot.mail.classify.bounce_evidence import fold
from mailbot.mail.message import InboundMessage
from mailbot.vocabulary import auto_replies, out_of_office, quoting

MAX_OWN_TEXT = 800  # characters
_LABEL_END = (":", "：", "(", "[", "]", "/")
# Starts of a line that introduces somebody else's text: quote mark, drawn line, Outlook's header block.
_QUOTES = (">", "----", "______", "======", "******", *quoting.HEADER_BLOCK_STARTS)
_DECORATION = "*-=_[(<#~!|•· \t"


@dataclass(frozen=True, slots=True)
class Hint:
    """One hint that a mail is automatic."""

    weight: int
    #: For the admin.
    words: str
    #: Only machines write this (people write "saya sedang cuti" as well).
    machine_only: bool = True


def hints_in_text(message: InboundMessage, suspected: bool = False) -> tuple[Hint, ...]:
    """Return the hints of subject and first lines: at most 2 points for the subject, 3 for the body.

    `suspected`: the header has given a hint already. Phrases that people write as well ("saya sedang cuti") are only
    looked for where something else points to a machine; alone they mean nothing.
    """
    found = _subject_hints(message.subject)
    low = fold(own_text(message))
    if any(stem in low for stem in auto_replies.MACHINE_STEMS):
        if machine := next((p for p in (*auto_replies.I_AM_A_MACHINE, *auto_replies.TICKET_SYSTEMS) if p in low), ""):
            found.append(Hint(2, f"says “{machine}”"))
        elif headline := _headline(low):
            found.append(Hint(2, f"begins “{headline}”"))
    if found or suspected:
        found.extend(_absence_hints(low, alone=not any(hint.machine_only for hint in found)))
    return tuple(found)


def own_text(message: InboundMessage) -> str:
    """Return the first lines of the body up to the first quotation, line ends kept."""
    own: list[str] = []
    for line in message.text[:MAX_OWN_TEXT].split("\n"):
        low = line.lstrip().lower()
        if own and (low.startswith(_QUOTES) or low.rstrip().endswith(quoting.ATTRIBUTION_ENDS)):
            break
        if low:
            own.append(line)
    return "\n".join(own)


def _subject_hints(subject: str) -> list[Hint]:
    low = fold(subject[:300]).lstrip("[(*")
    if low.startswith(auto_replies.AUTO_SUBJECTS):
        phrase = max((p for p in auto_replies.AUTO_SUBJECTS if low.startswith(p)), key=len)
        rest = low[len(phrase) :].lstrip()
        if rest[:1].isalpha() and low[len(phrase) : len(phrase) + 1].isalpha() and phrase.isascii():
            return []  # "Automasi", "Cutie": another word
        label = rest.startswith(_LABEL_END) or (not rest and (" " in phrase or "-" in phrase or not phrase.isascii()))
        return [Hint(2 if label else 1, f"subject “{phrase}”", machine_only=label)]
    if low.startswith(auto_replies.SYSTEM_SUBJECTS):
        phrase = next(p for p in auto_replies.SYSTEM_SUBJECTS if low.startswith(p))
        return [Hint(1, f"subject “{phrase}”", machine_only=False)]
    return []


def _absence_hints(low: str, alone: bool) -> list[Hint]:
    """Return the hint of an absence note or acknowledgement; two statements weigh 2 where no other hint does."""
    away = [p for p in out_of_office.I_AM_AWAY if p in low]
    if not away:
        return []
    several = any(a not in b and b not in a for i, a in enumerate(away) for b in away[:i])
    return [Hint(2 if several and alone else 1, f"says “{away[0]}”", machine_only=False)]


def _headline(low: str) -> str:
    start = low.lstrip(_DECORATION)
    for phrase in auto_replies.MACHINE_HEADLINES:
        if start.startswith(phrase):
            after = start[len(phrase) :].lstrip(" ")
            if not after or after[0] in ":：.*-=_])>#~!|。" or start is not low:
                return phrase
    return ""
