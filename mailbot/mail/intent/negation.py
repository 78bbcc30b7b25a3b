"""Signals of "tidak", "belum", "masih" and the like, from the words after them.

In: a `ClausePart` whose current word is one of those. Out: a signal added to it, and its position after what was read.
"Tidak" inverts: good becomes broken ("tidak bisa"), a problem becomes solved ("tidak ada kendala"), a missing answer
becomes a question about the status ("belum ada balasan"). "Masih" makes everything but a process broken. Where it is
unclear what is negated, it counts as broken, which can do no harm.
"""

from __future__ import annotations

from mailbot.mail.intent.clause import ClausePart, Signal
from mailbot.vocabulary import intents as words

_CAN_BE_ASKED = words.FINE | words.FINE_IF_DONE | words.TRIES | words.PROBLEM | words.NO_REPLY | {"atau"}
_GOOD = words.FINE | words.FINE_IF_DONE
_GOOD_OR_NOT = _GOOD | words.GOOD_WITHOUT
_NOT_DONE_YET = (words.TRIES | words.SENDS) - words.FINE_IF_DONE
_STEPS_OF_MINE = words.TRIES - words.UNDERWAY
_PROBLEM = words.BAD | words.PROBLEM


def read_not(part: ClausePart, word: str) -> None:
    """Read "tidak", "belum", "bukan", "tanpa", "jangan"."""
    at, about = part.next_word(part.at + 1)
    if at is None:
        asked = set(part.preceding(1)) & _CAN_BE_ASKED  # "sudah bisa belum", "bisa tidak"
        if asked:
            part.add(Signal.STATUS if asked & words.NO_REPLY else Signal.ASKS)
        else:
            part.add(Signal.BROKEN if word == "belum" else Signal.UNKNOWN)
    elif about == "ada":
        _read_there_is_not(part, at)
    elif word in {"bukan", "jangan"} or (word == "tanpa" and about not in _GOOD_OR_NOT):
        part.add(Signal.UNKNOWN)
        part.at = at
    else:
        part.add(_without(part, word, about, at))
        part.at = max(part.at, at)


def _without(part: ClausePart, word: str, about: str, at: int) -> Signal:
    if about in words.GOOD_WITHOUT:
        between = words.HONORIFIC & set(part.words[part.at : at])  # "g pak error": two statements
        doubtful = word == "belum" or between or "terus" in part.words[at : at + 2]
        return Signal.UNKNOWN if doubtful else Signal.SOLVED
    after, problem = part.next_word(at + 1)
    if about in words.APPEAR and after is not None and problem in words.GOOD_WITHOUT:
        part.at = after
        return Signal.UNKNOWN if word == "belum" else Signal.SOLVED  # "tidak muncul error lagi"
    if about in words.APPEAR and part.problem_is_subject():
        over = "lagi" in part.words[at : at + 3] or "sudah" in part.preceding(3)
        return Signal.SOLVED if over else Signal.BROKEN
    if about in words.NO_REPLY or (word == "belum" and about in words.RESPONSES):
        return Signal.STATUS
    if about in words.NO_PROBLEM or (word == "belum" and about in _NOT_DONE_YET):
        return Signal.NEWS
    return Signal.BROKEN


def _read_there_is_not(part: ClausePart, at: int) -> None:
    """Read "tidak ada kendala", "belum ada perubahan", "belum ada balasan", "menunya tidak ada"."""
    after, about = part.next_word(at + 1)
    problem_is_gone = after is None and part.problem_is_subject()
    part.at = after if after is not None else len(part.words)
    if about in words.GOOD_WITHOUT or problem_is_gone:
        part.add(Signal.SOLVED)
    elif about in words.NO_PROGRESS:
        part.add(Signal.BROKEN)
    elif about in words.RESPONSES:
        part.add(Signal.STATUS)
    elif about not in {"pertanyaan", "ditanyakan", "tambahan"}:
        something = about or part.unknown or part.all & words.OBJECTS
        part.add(Signal.BROKEN if something else Signal.UNKNOWN)


def read_still(part: ClausePart, word: str) -> None:
    """Read "masih", "tetap"."""
    at, about = part.next_word(part.at + 1)
    if about in words.NOT and at is not None:
        before = set(part.found)
        part.at = at
        read_not(part, about)
        if Signal.SOLVED in part.found - before:  # "masih tidak error": ambiguous
            part.found = (part.found - {Signal.SOLVED}) | {Signal.UNKNOWN}
        return
    signal = _still(part, about, at)
    if signal is not None:
        part.add(signal)
    part.at = at if at is not None else part.at


def _still(part: ClausePart, about: str, at: int | None) -> Signal | None:
    if about == "ada" and at is not None:
        rest = set(part.words[at + 1 :])
        return Signal.ASKS if rest & words.ASKS and not rest & _PROBLEM else Signal.BROKEN
    if about == "lama":
        return Signal.STATUS  # "masih lama?"
    if about in words.UNDERWAY:
        mine = part.all & _STEPS_OF_MINE  # "masih proses download"
        return Signal.NEWS if mine else Signal.STATUS
    if about in words.APPEAR or about in words.BAD or about in words.PROBLEM:
        return Signal.BROKEN
    if about in words.ASKS:
        return Signal.ASKS
    if about in words.TRIES:
        return Signal.NEWS
    if about in _GOOD:
        return Signal.UNKNOWN
    return None if about in {"semangat", "sehat", "jaya"} else Signal.BROKEN
