"""What the new words of a reply mean: still broken, thanks (or solved), a question about the status, or something else.

In: the new words only (quotation and signature cut by `core.body`); our closure notice itself contains "Kendala masih
terjadi". Out: an `Intent`. The text is taken apart into clauses of plain words (`core.colloquial`); each clause gives
signals (`core.clause_signals`); the worst of all decides:

    broken > status > a question, a request, news or anything not understood > thanks, solved, "ok"

so THANKS needs every clause to be thanks, solved, acknowledgement, greeting, closing or a name. Where in doubt it is
not thanks: the price of a needless follow-up ticket is small, that of a school left alone is not. "Solved" cancels a
trouble that the writer puts into the past ("kemarin error, sekarang sudah bisa"), the steps that led to it ("sudah
saya coba, dan berhasil") and courtesies about the future; nothing else cancels anything.

Never: the body of a mail with its quotation, or a decision about tickets.
"""

from __future__ import annotations

import re
from enum import StrEnum

from mailbot.mail.classify.auto_reply import hints_in_words
from mailbot.mail.intent.clause import Signal
from mailbot.mail.intent.closed_world import leaves_no_doubt
from mailbot.mail.intent.normalise import Clause, clauses
from mailbot.mail.intent.signals import signals_of
from mailbot.mail.message import (
    Classification,
    InboundMessage,
    Intent,
    Kind,
)
from mailbot.vocabulary import intents as words
from mailbot.vocabulary.commands import NO, YES

MAX_CLAUSES = 60  # a longer text is a report, whatever its courtesies
MAX_NAME_WORDS = 12
MIN_FACT_DIGITS = 5  # an NPSN, an amount, a telephone number

_OPEN = {Signal.ASKS, Signal.NEWS, Signal.TRIED, Signal.SOFT, Signal.UNKNOWN}
_CLOSING = {Signal.THANKS, Signal.SOLVED, Signal.ACKNOWLEDGED}


def intent_of(text: str) -> Intent:
    """The meaning of a person's new words."""
    parts = clauses(text)
    if not parts or len(parts) > MAX_CLAUSES:
        return Intent.OTHER
    found = [signals_of(part) for part in parts]
    _forgive_names(parts, found)
    _note_facts(parts, found)
    every = _made_good(found)
    if Signal.BROKEN in every:
        return Intent.STILL_BROKEN
    if Signal.STATUS in every:
        return Intent.STATUS
    if every & _OPEN or not every & _CLOSING or not leaves_no_doubt(parts, found):
        return Intent.OTHER
    return Intent.THANKS


def _made_good(found: list[set[Signal]]) -> set[Signal]:
    """All signals, less those that a later "sudah bisa" makes good."""
    every: set[Signal] = set()
    for signals in reversed(found):
        every |= signals
        if Signal.WAS_BROKEN in signals:
            every.discard(Signal.WAS_BROKEN)
            if Signal.SOLVED not in every:
                every.add(Signal.BROKEN)
    return every - {Signal.TRIED, Signal.SOFT} if Signal.SOLVED in every else every


def _forgive_names(parts: list[Clause], found: list[set[Signal]]) -> None:
    """A clause not understood that stands after thanks and has the form of a name or a school is a signature."""
    closed_on: int | None = None
    for index, (part, signals) in enumerate(zip(parts, found, strict=True)):
        if signals & _CLOSING or part.words[:1] == ("salam",) or "hormat" in part.words:
            closed_on = part.line if closed_on is None else closed_on
        elif signals == {Signal.UNKNOWN} and closed_on is not None and part.line > closed_on:
            last = all(later.line > part.line or later is part for later in parts[index:])
            if _is_name(part, alone_on_last_line=last and part.line == parts[-1].line):
                signals.clear()


def _note_facts(parts: list[Clause], found: list[set[Signal]]) -> None:
    """A number above the thanks is what the agent had asked for ("NPSN 20512345, terima kasih"), not a courtesy.

    Soft, for where the matter is solved it only says which school, or which ticket.
    """
    for part, signals in zip(parts, found, strict=True):
        if signals & _CLOSING:
            return
        number = any(token.typed.isdigit() and len(token.typed) >= MIN_FACT_DIGITS for token in part.tokens)
        if number and not signals and not set(part.words) & words.CASE:
            signals.add(Signal.SOFT)


def _is_name(part: Clause, alone_on_last_line: bool) -> bool:
    if len(part.tokens) > MAX_NAME_WORDS or set(part.words) & words.REST:
        return False
    if len(part.tokens) == 1 and alone_on_last_line:
        return part.tokens[0].typed.isalpha()
    return all(
        token.capital or token.typed.isdigit() or token.word in words.SIGNATURE or token.word in words.HONORIFIC
        for token in part.tokens
    )


_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


_READ = 2000  # characters: whoever denies does so at once


class Answer(StrEnum):
    """What a reply to the request for confirmation means."""

    YES = "yes"
    NO = "no"
    NONE = "none"  # of a machine


def answer_of(message: InboundMessage, verdict: Classification, words: str) -> Answer:
    """The answer. `words` are the reply's new words ("" where it only quotes)."""
    if verdict.kind is not Kind.HUMAN or hints_in_words(message, suspected=True):
        return Answer.NONE
    lines = [line for line in words[:_READ].lower().replace("’", "'").splitlines() if line.strip()]
    first = _WORD.findall(lines[0]) if lines else []
    if first and first[0] in YES:
        return Answer.YES
    return Answer.NO if not NO.isdisjoint(first) else Answer.YES
