"""Signals of a clause: what its plain words say about the outcome of a case.

In: a `Clause` of `normalise`. Out: a set of `Signal`s; an empty set is courtesy, a form of address, or nothing at all.
"Tapi", "sekarang" and subordinate clauses split it into parts. Each part is read word by word (`word_signals`) and then
judged as a whole. What is not understood signals UNKNOWN, so that no clause is taken for thanks by omission.
"""

from __future__ import annotations

from mailbot.mail.intent.clause import GOOD_EMOJI, Clause, ClausePart, Signal
from mailbot.mail.intent.word_signals import read_words
from mailbot.vocabulary import intents as words

MAX_UNKNOWN_BESIDE_THANKS = 6
MAX_UNKNOWN_BESIDE_SOLVED = 7
MAX_NAMES_IN_GREETING = 3

_BESIDE_CAN = (words.BESIDE_ANSWER | words.TRIES | words.DONE | words.PRAISE | {"bisa", "lagi", "dan", GOOD_EMOJI}) - {
    "proses"
}
_BESIDE_UNDERSTOOD = words.BESIDE_ANSWER | words.INTERJECTIONS | {"paham", "sekarang", "jadi"}
_BESIDE_NOT_AGAIN = words.BESIDE_ANSWER | {
    "tidak", "lagi", "terjadi", "terulang", "kambuh", "timbul", "sekarang", "pernah",
}  # fmt: skip
_ONLY_CLOSING = frozenset(("ditutup", "tutup"))
_BESIDE_CLOSING = words.BESIDE_ANSWER | words.PERMITS | words.CASE | _ONLY_CLOSING | {"saja", "aman", "langsung"}
_PARTING = words.BUT | words.WHILE | {"sekarang"}
_HANDLING = words.HANDLED | words.FINE | words.RESPONSES
_OUTCOME = words.RESPONSES | words.NO_PROGRESS | {"perkembangan", "solusinya"}


def signals_of(clause: Clause) -> set[Signal]:
    """Return the signals of a clause."""
    found: set[Signal] = set()
    for part, after_but in _parts(clause):
        signals = _read(part)
        if Signal.WAS_BROKEN in signals and Signal.SOLVED in found:
            signals = (signals - {Signal.WAS_BROKEN}) | {Signal.BROKEN}  # "tadi sudah bisa, tapi barusan error"
        if after_but and not signals and not part.all <= words.NEUTRAL:
            signals = {Signal.UNKNOWN}
        found |= signals
    return found


def _parts(clause: Clause) -> list[tuple[ClausePart, bool]]:
    """Split a clause into parts, and say of each whether it follows "tapi"."""
    parts: list[tuple[ClausePart, bool]] = []
    everything = clause.words
    start, after_but, subordinate = 0, False, False
    for i, word in enumerate(everything):
        if word in _PARTING:
            if i > start:
                parts.append((ClausePart(everything[start:i], clause.question, subordinate), after_but))
            start = i if word == "sekarang" else i + 1
            after_but = word in words.BUT or (after_but and word == "sekarang")
            subordinate = word in words.WHILE
    if start < len(everything):
        parts.append((ClausePart(everything[start:], clause.question, subordinate), after_but))
    return parts


def _read(part: ClausePart) -> set[Signal]:
    whole = _closing_of_case(part) or _one_word_answer(part)
    if whole is not None:
        return {whole}
    read_words(part)
    return _judge(part)


def _closing_of_case(part: ClausePart) -> Signal | None:
    """Read a part about closing the ticket: "tiket silakan ditutup", "kok tiket ditutup", "jangan ditutup dulu"."""
    if not part.all & words.CLOSES:
        return None
    permitted = part.all & (words.PERMITS | {"saja", "aman"})
    if permitted and part.all & _ONLY_CLOSING and part.all <= _BESIDE_CLOSING - {"kok"} and not part.question:
        return Signal.SOLVED  # "close aja", "tutup saja kak"
    if "jangan" in part.all or (part.all & {"kenapa", "kok"} and not part.all & words.NOT):
        return Signal.BROKEN
    if not part.all & words.CASE or part.all & words.NOT:
        return None
    if part.question:
        return Signal.STATUS
    return Signal.SOLVED if part.all & words.PERMITS else Signal.UNKNOWN


def _one_word_answer(part: ClausePart) -> Signal | None:
    """Read a part that says nothing else: "sudah", "iya sudah pak", "bisa lagi pak"."""
    if part.question or part.subordinate:
        return None
    said = part.all - words.NAMES
    if part.all & {"sudah", "telah"} and said <= words.BESIDE_ANSWER:
        return Signal.SOLVED
    if "bisa" in part.all and said <= _BESIDE_CAN:
        return Signal.SOLVED
    if "alhamdulillah" in part.all and said <= words.BESIDE_ANSWER:
        return Signal.ACKNOWLEDGED
    if "paham" in part.all and said <= _BESIDE_UNDERSTOOD:
        return Signal.ACKNOWLEDGED
    if part.all & {"terjadi", "terulang", "kambuh", "timbul"} and {"tidak", "lagi"} <= said <= _BESIDE_NOT_AGAIN:
        return Signal.SOLVED  # "tidak terjadi lagi", with nothing else named
    return None


def _judge(part: ClausePart) -> set[Signal]:
    found = part.found
    if part.question and not found & {Signal.BROKEN, Signal.STATUS}:
        found.add(Signal.ASKS)
    if Signal.ASKS in found and _asks_for_status(part):
        found.add(Signal.STATUS)
    if not found:
        greeting = bool(part.words) and part.words[0] in words.GREETS and part.unknown <= MAX_NAMES_IN_GREETING
        return {Signal.UNKNOWN} if part.unknown and not greeting else set()
    limit = MAX_UNKNOWN_BESIDE_SOLVED if Signal.SOLVED in found else MAX_UNKNOWN_BESIDE_THANKS
    if part.unknown > (0 if found == {Signal.ACKNOWLEDGED} else limit):
        found.add(Signal.UNKNOWN)
    return found


def _asks_for_status(part: ClausePart) -> bool:
    """Return whether a part that asks is about the status of the case."""
    handling = part.all & _HANDLING
    if "kapan" in part.all:
        return bool(handling) or part.unknown == 0
    if "bagaimana" in part.all and part.all & words.CASE and part.unknown < 2 and "cara" not in part.all:
        return True  # "laporan saya bagaimana?"
    if "ada" in part.all and part.all & _OUTCOME and (part.question or part.all & words.DONE):
        return True  # "sudah ada hasilnya?"
    about = part.all & words.CASE or "apakah" in part.all
    return bool(about and handling and (part.all & words.DONE or part.all & words.CASE))
