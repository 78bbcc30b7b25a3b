"""Intent of a reply: still broken, thanks (or solved), a question about the status, or something else.

In: the new words only (without quotation and signature, by `mail.reply`), for our own closure notice contains "Kendala
masih terjadi". Out: an `Intent`. The text is split into clauses of plain words (`normalise`), each clause gives signals
(`signals`), and the most serious of all decides:

    broken > status > a question, a request, news or anything not understood > thanks, solved, "ok"

so THANKS needs every clause to be thanks, solved, acknowledgement, greeting, closing or a name. When in doubt it is not
thanks: a needless follow-up ticket costs little, a school left alone costs much. "Solved" cancels a problem in the past
("kemarin error, sekarang sudah bisa"), the steps that led to it ("sudah saya coba, dan berhasil") and courtesies about
the future; nothing else cancels anything.

`answer_of` reads the answer to a confirmation request.
Never: reads quotations, or decides about tickets.
"""

from __future__ import annotations

import re
from enum import StrEnum

from mailbot.mail.classify.auto_reply import hints_in_text
from mailbot.mail.intent.clause import Clause, Signal
from mailbot.mail.intent.closed_world import leaves_no_doubt
from mailbot.mail.intent.normalise import clauses
from mailbot.mail.intent.signals import signals_of
from mailbot.mail.message import Classification, InboundMessage, Intent, Kind
from mailbot.vocabulary import intents
from mailbot.vocabulary.commands import NO, YES

MAX_CLAUSES = 60  # a longer text is a report, whatever its courtesies
MAX_NAME_WORDS = 12
MIN_FACT_DIGITS = 5  # an NPSN, an amount, a telephone number
MAX_ANSWER = 2000  # characters: whoever denies a mail does so at once

_OPEN = {Signal.ASKS, Signal.NEWS, Signal.TRIED, Signal.SOFT, Signal.UNKNOWN}
_CLOSING = {Signal.THANKS, Signal.SOLVED, Signal.ACKNOWLEDGED}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def intent_of(text: str) -> Intent:
    """Return the meaning of a person's new words."""
    read = clauses(text)
    if not read or len(read) > MAX_CLAUSES:
        return Intent.OTHER
    found = [signals_of(clause) for clause in read]
    _ignore_signature(read, found)
    _note_facts(read, found)
    signals = _without_resolved(found)
    if Signal.BROKEN in signals:
        return Intent.STILL_BROKEN
    if Signal.STATUS in signals:
        return Intent.STATUS
    if signals & _OPEN or not signals & _CLOSING or not leaves_no_doubt(read, found):
        return Intent.OTHER
    return Intent.THANKS


def _without_resolved(found: list[set[Signal]]) -> set[Signal]:
    """Return all signals but those that a later "sudah bisa" resolves."""
    every: set[Signal] = set()
    for signals in reversed(found):
        every |= signals
        if Signal.WAS_BROKEN in signals:
            every.discard(Signal.WAS_BROKEN)
            if Signal.SOLVED not in every:
                every.add(Signal.BROKEN)
    return every - {Signal.TRIED, Signal.SOFT} if Signal.SOLVED in every else every


def _ignore_signature(read: list[Clause], found: list[set[Signal]]) -> None:
    """Clear the signals of unknown clauses after the thanks that look like the name of a person or a school."""
    closed_on: int | None = None
    for index, (clause, signals) in enumerate(zip(read, found, strict=True)):
        if signals & _CLOSING or clause.words[:1] == ("salam",) or "hormat" in clause.words:
            closed_on = clause.line if closed_on is None else closed_on
        elif signals == {Signal.UNKNOWN} and closed_on is not None and clause.line > closed_on:
            last = all(later.line > clause.line or later is clause for later in read[index:])
            if _is_name(clause, alone_on_last_line=last and clause.line == read[-1].line):
                signals.clear()


def _note_facts(read: list[Clause], found: list[set[Signal]]) -> None:
    """Add SOFT to a number above the thanks, which an agent asked for ("NPSN 20512345, terima kasih").

    Not more than SOFT, because in a solved case it only says which school or ticket is meant.
    """
    for clause, signals in zip(read, found, strict=True):
        if signals & _CLOSING:
            return
        number = any(token.typed.isdigit() and len(token.typed) >= MIN_FACT_DIGITS for token in clause.tokens)
        if number and not signals and not set(clause.words) & intents.CASE:
            signals.add(Signal.SOFT)


def _is_name(clause: Clause, alone_on_last_line: bool) -> bool:
    if len(clause.tokens) > MAX_NAME_WORDS or set(clause.words) & intents.REST:
        return False
    if len(clause.tokens) == 1 and alone_on_last_line:
        return clause.tokens[0].typed.isalpha()
    return all(
        token.capital or token.typed.isdigit() or token.word in intents.SIGNATURE or token.word in intents.HONORIFIC
        for token in clause.tokens
    )


class Answer(StrEnum):
    """The meaning of a reply to a confirmation request."""

    YES = "yes"
    NO = "no"
    NONE = "none"  # written by a machine


def answer_of(message: InboundMessage, verdict: Classification, words: str) -> Answer:
    """Return the answer. `words` are the reply's new words ("" where it only quotes)."""
    if verdict.kind is not Kind.HUMAN or hints_in_text(message, suspected=True):
        return Answer.NONE
    lines = [line for line in words[:MAX_ANSWER].lower().replace("’", "'").splitlines() if line.strip()]
    first = _WORD.findall(lines[0]) if lines else []
    if first and first[0] in YES:
        return Answer.YES
    return Answer.NO if not NO.isdisjoint(first) else Answer.YES
