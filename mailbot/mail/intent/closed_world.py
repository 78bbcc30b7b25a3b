"""Thanks is a closed world: every word must be one of thanks, greeting, success or a signature.

In: the clauses of a reply that `mailbot.mail.intent.intent` read as thanks, and their signals. Out: whether nothing in
them is left to doubt. A word that is in no list could be the trouble itself ("notanya lenyap"), so it refuses, unless
it stands where only a name can stand; so do words that narrow what was said ("saja", "sebentar"), small numbers (two of
five) and a contrast that does not lead from a past trouble to success.

Never: turns a reply into thanks. It only takes the reading back, at the price of a follow-up ticket.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailbot.mail.intent.clause import BAD_EMOJI, OPEN_EMOJI, Clause, Signal, Token, is_known
from mailbot.vocabulary import intents as words

LONG_NUMBER = 5  # digits: an NPSN, a telephone number; shorter ones may count what works and what does not
_NUMBERED = words.SIGNATURE | words.SERIES
_AFTER_CAN = frozenset(("bisa", "dapat"))
_MATTERS = words.OBJECTS - words.NEUTRAL | {"bku", "arkas", "akun"}
_FOR_WHAT = words.TOPIC | words.TRIES | words.WHILE | {"atas", "untuk", "telah", "for"}
_CAN_BE_CLOSED = frozenset(("bisa", "dapat", "saja")) | words.PERMITS | words.OBJECTS | words.CASE
_RESTRICTS = words.RESTRICTS | {BAD_EMOJI}


def leaves_no_doubt(parts: Sequence[Clause], found: Sequence[set[Signal]]) -> bool:
    """Tell whether each word of a reply that was read as thanks belongs to thanks."""
    refuses = _RESTRICTS if any(Signal.SOLVED in signals for signals in found) else _RESTRICTS | {OPEN_EMOJI}
    closed_on: int | None = None  # the line of the thanks: a name stands below it
    for index, (part, signals) in enumerate(zip(parts, found, strict=True)):
        is_signature = closed_on is not None and not signals and (part.line > closed_on or _is_office(part))
        if set(part.words) & refuses or not _may_say_only(part) or _is_about_a_part(part):
            return False
        if not _contrast_ends_well(parts, index, found) or not (is_signature or _tells_what_became(part, signals)):
            return False
        if not all(_belongs(part.tokens, at, is_signature) for at in range(len(part.tokens))):
            return False
        if closed_on is None and (signals or part.words[:1] == ("salam",) or "hormat" in part.words):
            closed_on = part.line
    return True


def _is_office(part: Clause) -> bool:
    """Return whether a clause is an office: "Bendahara SMPN 4 Sinjai" on the line of the thanks."""
    if part.words[0] not in words.SIGNATURE:
        return False
    return all(t.word in words.SIGNATURE or t.capital or t.typed.isdigit() for t in part.tokens)


def _belongs(tokens: Sequence[Token], at: int, is_signature: bool) -> bool:
    token = tokens[at]
    before = tokens[at - 1].word if at else ""
    if token.word[0].isdigit():
        return len(token.typed) >= LONG_NUMBER or is_signature or before in _NUMBERED
    if is_known(token.word) or token.word in words.COURTESY or not token.word[0].isalpha():
        return True
    if token.word.startswith("di") and _AFTER_CAN & {each.word for each in tokens[max(0, at - 2) : at]}:
        return True  # "sudah bisa dibuka"
    return is_signature or _is_name(tokens, at)


def _is_name(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a word is a name: "Pak Budi", after a form of address and capitalised, or a known name."""
    if not (tokens[at].capital or tokens[at].word in words.NAMES):
        return False
    return any(each.word in words.HONORIFIC for each in tokens[max(0, at - 2) : at]) or (
        at == len(tokens) - 1 == 0 and tokens[at].word in words.NAMES
    )


def _may_say_only(part: Clause) -> bool:
    """Return whether "saja" and "ditutup" limit nothing: "itu saja", "tutup saja", but not "bisa buka menu saja"."""
    if "ditutup" in part.words and not set(part.words) & _CAN_BE_CLOSED:
        return False
    if "saja" not in part.words:
        return True
    before = part.words[part.words.index("saja") - 1] if part.words.index("saja") else ""
    return before in words.ONLY_THAT


def _is_about_a_part(part: Clause) -> bool:
    """Return whether one of several is told: "yang tahap 1 sudah bisa" leaves out the others."""
    behind = zip(part.words, part.words[1:], strict=False)
    return any(word == "yang" and after in words.SERIES | _MATTERS for word, after in behind)


def _tells_what_became(part: Clause, signals: set[Signal]) -> bool:
    """Return whether a matter is named with its success, or as what the thanks are for, and not by itself."""
    if signals & {Signal.SOLVED, Signal.TRIED, Signal.WAS_BROKEN} or part.words[0] in words.GREETS:
        return True
    if "semula" in part.words:
        return False  # "kembali semula" is as often the trouble's return as its end
    if not set(part.words) & _MATTERS:
        return True
    first = min(at for at, word in enumerate(part.words) if word in _MATTERS)
    named = max((at for at in range(first) if part.words[at] in _FOR_WHAT), default=None)
    return named is not None and not set(part.words[named:first]) & words.HONORIFIC  # else a new sentence begins there


def _contrast_ends_well(parts: Sequence[Clause], index: int, found: Sequence[set[Signal]]) -> bool:
    """Return whether a contrast leads to success: "tadi macet, tapi sekarang lancar", not "sudah jalan, tapi"."""
    part = parts[index]
    if not set(part.words) & words.BUT:
        return True
    before = part.words[: min(part.words.index(word) for word in words.BUT if word in part.words)]
    was_broken = Signal.WAS_BROKEN in found[index] or any(Signal.WAS_BROKEN in each for each in found[:index])
    apologises = "maaf" in (before or parts[index - 1].words if index else before)
    return Signal.SOLVED in found[index] and (was_broken or apologises)
