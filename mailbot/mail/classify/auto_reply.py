"""Is this an automatic reply without a header that says so? The words of its subject and of its first lines, weighed.

In: a mail. Out: hints, each with its weight and in words for the admin. Old vacation programmes, ticket systems and
challenges write replies that look like a person's; a person, in turn, writes *about* automatic replies ("balasan
otomatis sudah kami terima, tetapi …") or tells by hand that they are on leave. So no word decides alone: what stands
here is added to the hints of the header in `core.classify`.

Only the writer's own first lines count: below a quote mark, a rule or "… menulis:" stands what somebody else wrote,
our own automatic mail for instance.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailbot.mail.classify.bounce_evidence import folded
from mailbot.mail.message import InboundMessage
from mailbot.vocabulary import auto_replies, out_of_office, quoting

MAX_OWN_WORDS = 800
_LABEL_END = (":", "：", "(", "[", "]", "/")
# A line that begins somebody else's text: quote mark, rule, header block of Outlook.
_QUOTES = (">", "----", "______", "======", "******", *quoting.HEADER_BLOCK_STARTS)
_BLOCK_AROUND = "*-=_[(<#~!|•· \t"


@dataclass(frozen=True, slots=True)
class Hint:
    """One hint: its weight, in words, and whether it is a machine's word on itself (not one that people use too)."""

    weight: int
    words: str
    telling: bool = True


def hints_in_words(message: InboundMessage, suspected: bool = False) -> tuple[Hint, ...]:
    """What subject and first lines say: at most 2 for the subject, 3 for the body.

    `suspected`: the header has given a hint already. What people write as well ("saya sedang cuti") is looked for only
    where something else points to a machine, for alone it means nothing.
    """
    found = _subject(message.subject)
    low = folded(own_words(message))
    if any(stem in low for stem in auto_replies.MACHINE_STEMS):
        if machine := next((p for p in (*auto_replies.I_AM_A_MACHINE, *auto_replies.TICKET_SYSTEMS) if p in low), ""):
            found.append(Hint(2, f"says “{machine}”"))
        elif headline := _headline(low):
            found.append(Hint(2, f"begins “{headline}”"))
    if found or suspected:
        found.extend(_away(low, alone=not any(hint.telling for hint in found)))
    return tuple(found)


def own_words(message: InboundMessage) -> str:
    """The first lines of the body up to the first quotation, line ends kept."""
    own: list[str] = []
    for line in message.text[:MAX_OWN_WORDS].split("\n"):
        low = line.lstrip().lower()
        if own and (low.startswith(_QUOTES) or low.rstrip().endswith(quoting.ATTRIBUTION_ENDS)):
            break
        if low:
            own.append(line)
    return "\n".join(own)


def _subject(subject: str) -> list[Hint]:
    low = folded(subject[:300]).lstrip("[(*")
    if low.startswith(auto_replies.AUTO_SUBJECTS):
        phrase = max((p for p in auto_replies.AUTO_SUBJECTS if low.startswith(p)), key=len)
        rest = low[len(phrase) :].lstrip()
        if rest[:1].isalpha() and low[len(phrase) : len(phrase) + 1].isalpha() and phrase.isascii():
            return []  # "Automasi", "Cutie": another word
        label = rest.startswith(_LABEL_END) or (not rest and (" " in phrase or "-" in phrase or not phrase.isascii()))
        return [Hint(2 if label else 1, f"subject “{phrase}”", telling=label)]
    if low.startswith(auto_replies.SYSTEM_SUBJECTS):
        phrase = next(p for p in auto_replies.SYSTEM_SUBJECTS if low.startswith(p))
        return [Hint(1, f"subject “{phrase}”", telling=False)]
    return []


def _away(low: str, alone: bool) -> list[Hint]:
    """What an absence note or an acknowledgement says; two different statements weigh more where nothing else does."""
    away = [p for p in out_of_office.I_AM_AWAY if p in low]
    if not away:
        return []
    several = any(a not in b and b not in a for i, a in enumerate(away) for b in away[:i])
    return [Hint(2 if several and alone else 1, f"says “{away[0]}”", telling=False)]


def _headline(low: str) -> str:
    start = low.lstrip(_BLOCK_AROUND)
    for phrase in auto_replies.MACHINE_HEADLINES:
        if start.startswith(phrase):
            after = start[len(phrase) :].lstrip(" ")
            if not after or after[0] in ":：.*-=_])>#~!|。" or start is not low:
                return phrase
    return ""
