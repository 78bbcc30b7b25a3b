"""One clause of plain words → what it signals about the outcome of a matter.

In: a `Clause` of `core.colloquial`. Out: a set of `Signal`s; an empty set is courtesy, an address or nothing at all.
The clause is read from left to right, a word a step (`_STEPS`); what a word signals hangs on the few words around it:

- "tidak", "belum", "masih" turn what follows (`core.negation`);
- a trouble is broken, unless the clause says that it is over ("masalah sudah teratasi", "error tidak muncul lagi") or
  only names it ("terima kasih atas penyelesaian masalah kami");
- good words count after "sudah" or alone; after "agar", "akan", "semoga", "kalau", "seharusnya" they count for nothing.

What is not understood signals UNKNOWN, so that no clause is taken for thanks by neglect.
"""

from __future__ import annotations

from collections.abc import Callable

from mailbot.mail.intent.clause import (
    Part,
    Signal,
    is_known,
    means_nothing,
)
from mailbot.mail.intent.negation import read_not, read_still
from mailbot.mail.intent.normalise import (
    BAD_EMOJI,
    GOOD_EMOJI,
    Clause,
)
from mailbot.vocabulary import intents as words

MAX_UNKNOWN_BESIDE_THANKS = 6
MAX_UNKNOWN_BESIDE_SOLVED = 7
MAX_NAMES_IN_GREETING = 3


def signals_of(clause: Clause) -> set[Signal]:
    """The signals of a clause, "tapi", "sekarang" and the like parting it."""
    found: set[Signal] = set()
    for part, after_but in _parts(clause):
        signals = _read(part)
        if Signal.WAS_BROKEN in signals and Signal.SOLVED in found:
            signals = (signals - {Signal.WAS_BROKEN}) | {Signal.BROKEN}  # "tadi sudah bisa, tapi barusan error"
        if after_but and not signals and not part.all <= words.NEUTRAL:
            signals = {Signal.UNKNOWN}
        found |= signals
    return found


def _parts(clause: Clause) -> list[tuple[Part, bool]]:
    """The parts, and whether they stand after "tapi"."""
    parts: list[tuple[Part, bool]] = []
    everything = clause.words
    start, after_but, while_ = 0, False, False
    for i, word in enumerate(everything):
        if word in _PARTING:
            if i > start:
                parts.append((Part(everything[start:i], clause.question, while_), after_but))
            start = i if word == "sekarang" else i + 1
            after_but = word in words.BUT or (after_but and word == "sekarang")
            while_ = word in words.WHILE
    if start < len(everything):
        parts.append((Part(everything[start:], clause.question, while_), after_but))
    return parts


def _read(part: Part) -> set[Signal]:
    whole = _closing_of_case(part) or _one_word_answer(part)
    if whole is not None:
        return {whole}
    while part.at < len(part.words):
        word = part.words[part.at]
        _STEP_OF.get(word, _other)(part, word)
        part.at += 1
    return _judged(part)


# Whole parts


def _closing_of_case(part: Part) -> Signal | None:
    """ "Tiket silakan ditutup"; "kok tiket ditutup"; "jangan ditutup dulu" """
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


def _one_word_answer(part: Part) -> Signal | None:
    """ "Sudah", "iya sudah pak", "bisa lagi pak": all that is said, but for addresses"""
    if part.question or part.while_:
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


# Trouble


def _trouble(part: Part, word: str) -> None:
    before = part.words[part.at - 1] if part.at else ""
    part.trouble_at = part.at if part.trouble_at is None else part.trouble_at
    if _is_over(part):
        return
    if before in words.TOPIC or (before in words.NEUTRAL and part.thanked and part.all & words.TOPIC):
        return  # it is only named
    _broken(part)


def _is_over(part: Part) -> bool:
    """Read on to "sudah teratasi"; True where that, or another word, decides what became of the trouble."""
    done = False
    for at in range(part.at + 1, len(part.words)):
        about = part.words[at]
        if about in words.NOT or about in words.STILL:
            return True  # these say what became of it
        sure = part.words[at - 1] in words.DONE
        if about in words.OVER and (sure or done or at == len(part.words) - 1 or part.next(part.at + 1)[0] == at):
            part.add(Signal.SOLVED if sure or part.known(part.at + 1, at) else Signal.UNKNOWN)
            part.at = at
            return True
        if about in words.APPEAR or about in words.BAD or about in words.PURPOSE:
            return False
        done = done or about in words.DONE
    return False


def _bad(part: Part, word: str) -> None:
    if word == "terkunci" and part.words[0] in words.LOCKED_WHEN_DONE and set(part.held(1)) & {"sudah", "telah"}:
        part.add(Signal.SOLVED)  # "BKU sudah terkunci": a book is closed by locking it
        return
    if word == "salah" and part.words[0] == "ternyata" and set(part.held()) & {"saya", "kami"}:
        part.add(Signal.TRIED)  # "ternyata saya salah ketik": why it failed before
        part.at = len(part.words)
        return
    slip = word == "salah" and part.following() & {"satu", "kirim", "dikirim", "ketik", "tulis", "alamat", "email"}
    if slip:
        part.add(Signal.NEWS)
    else:
        _broken(part)


def _broken(part: Part) -> None:
    if part.following() & {"lagi", "kembali"}:
        part.found.add(Signal.BROKEN)  # "ternyata error lagi": not over, whatever else is said
    else:
        part.add(Signal.BROKEN)


def _same(part: Part, word: str) -> None:
    """ "Hasilnya sama", "sama pak"; but "dibantu sama teman" is "by a friend" """
    if part.all & {"hasil", "hasilnya"} or part.all <= _BESIDE_SAME:
        part.add(Signal.BROKEN)
    elif part.at and not is_known(part.words[part.at - 1]):
        part.add(Signal.UNKNOWN)  # "maih sama"
    else:
        part.unknown += 1


def _appears(part: Part, word: str) -> None:
    """ "Muncul lagi", "terjadi"; but "menu sudah muncul" """
    again = part.following() & {"lagi", "kembali"} and not set(part.held()) & {"sudah", "telah"}
    if again or word in {"terjadi", "terulang", "kambuh", "kumat", "timbul"}:
        part.add(Signal.BROKEN)
    else:
        _good_if_done(part, word)


# Good


def _good(part: Part, word: str) -> None:
    """Good whether or not "sudah" is there, unless something before it takes it back."""
    done = part.last_done()
    if words.PURPOSE & set(part.held(2)) or _TAKES_BACK & set(part.held()):
        part.unknown += 1
    elif part.while_ and not set(part.held(3)) & {"sudah", "telah"}:
        part.add(Signal.TRIED)  # "setelah selesai update"
    else:
        part.add(Signal.SOLVED if part.known(done or 0, part.at) else Signal.UNKNOWN)


def _good_if_done(part: Part, word: str) -> None:
    done = part.last_done(4)
    if done is not None and part.known(done, part.at) and not _HOLDS_BACK & set(part.held()):
        part.add(Signal.SOLVED)
        while any(w in _OBJECTS_OF_CAN or _is_passive(w) for w in part.following()):
            part.at += 1  # "sudah bisa dibuka", "sudah bisa kirim"
    elif word == "bisa" and part.next(part.at + 1)[1] in words.ASKS:
        part.add(Signal.ASKS)
    elif word in words.ASKS:
        _asks(part, word)
    elif word in words.TRIES:
        _tries(part, word)
    elif word in words.PRAISED_WITH_VERY and "sekali" in part.all:
        part.add(Signal.THANKS)
    elif word in words.PRAISE:
        _praise(part, word)
    elif word in words.ACKNOWLEDGED:
        _acknowledges(part, word)
    elif word in {"bisa", "dapat"}:
        part.add(Signal.UNKNOWN)  # without "sudah" it may be anything
    elif word not in words.NEUTRAL:
        part.unknown += 1


def _is_passive(word: str) -> bool:
    return word.startswith("di") and len(word) > 5 and not is_known(word)


def _thanks(part: Part, word: str) -> None:
    part.thanked = True
    part.add(Signal.THANKS)


def _praise(part: Part, word: str) -> None:
    part.add(Signal.THANKS if part.known(0, part.at) else Signal.UNKNOWN)


def _acknowledges(part: Part, word: str) -> None:
    part.add(Signal.ACKNOWLEDGED)


def _good_emoji(part: Part, word: str) -> None:
    part.add(Signal.THANKS)


# Questions, news, doubts


def _asks(part: Part, word: str) -> None:
    given = part.thanked or Signal.SOLVED in part.found or set(part.held(2)) & {"sudah", "telah"}
    if word in words.GIVEN and given:
        return  # "terima kasih sudah dibantu"
    if part.thanked and word in words.RESPONSES:
        return  # "terima kasih atas konfirmasinya"
    if word == "cara" and part.following(2) & words.FINE:
        return  # "caranya berhasil"
    if word in {"mau", "ingin", "hendak"} and part.following(2) & _GRATITUDE:
        return  # "ingin mengucapkan terima kasih"
    part.add(Signal.ASKS)


def _kok(part: Part, word: str) -> None:
    """ "Kok ditutup?" asks; "sudah bisa kok" stresses"""
    if part.next(part.at + 1)[0] is not None or part.question:
        part.add(Signal.ASKS)


def _status(part: Part, word: str) -> None:
    if part.thanked and word not in words.STATUS_ALWAYS and not part.all & words.ASKS:
        return  # "terima kasih atas tindak lanjutnya"
    asked = part.question or part.all & _ASKS_OR_KOK or (part.all & words.CASE and not part.all & words.FINE)
    asked = asked or part.all <= _ALONE_ASKS or (word == "lama" and part.all & _SLOW)  # "update dong", "responnya lama"
    if word == "tunggu" and part.all & words.SENDS:
        part.add(Signal.NEWS)
    elif word in words.STATUS_ALWAYS or (asked and not part.following() & words.PROGRAMS):
        part.add(Signal.STATUS)
    elif word in words.TRIES:
        _tries(part, word)
    else:
        part.unknown += 1


def _news(part: Part, word: str) -> None:
    part.add(Signal.NEWS)


def _tries(part: Part, word: str) -> None:
    if not (part.thanked and set(part.held(2)) & {"sudah", "telah"}):  # "terima kasih sudah cek"
        part.add(Signal.TRIED)


def _later(part: Part, word: str) -> None:
    if part.all & words.REPORTS_BACK:
        part.add(Signal.SOFT)  # "nanti kami hubungi lagi"
        part.at = len(part.words)
    else:
        part.add(Signal.NEWS)


def _reports(part: Part, word: str) -> None:
    if not part.all & words.THANKS:  # "kami sampaikan terima kasih"
        part.add(Signal.SOFT if part.all & _ANOTHER_TIME else Signal.UNKNOWN)


def _if(part: Part, word: str) -> None:
    rest = set(part.words[part.at + 1 :])
    trouble = rest & _TROUBLE_OR_BAD
    happens = rest & words.TRIES and trouble and not rest & words.REPORTS_BACK  # "kalau saya klik simpan muncul error"
    part.add(Signal.BROKEN if happens else Signal.SOFT if trouble else Signal.NEWS)
    part.at = len(part.words)


def _wish(part: Part, word: str) -> None:
    if set(part.words[part.at + 1 :]) & _WISHED_OF_US:
        part.add(Signal.SOFT)
    part.at = len(part.words)


def _needless(part: Part, word: str) -> None:
    part.at += 1  # "tidak perlu ditindaklanjuti": what is not wanted any more


def _unsure(part: Part, word: str) -> None:
    part.add(Signal.UNKNOWN)


def _named(part: Part, word: str) -> None:
    following = part.words[part.at + 1 : part.at + 2]
    if following and not is_known(following[0]) and not _is_glued(following[0]):
        part.at += 1  # "Pak Budi"


def _other(part: Part, word: str) -> None:
    if means_nothing(word):
        return
    part.unknown += 1
    if is_known(word):
        return
    partly = Signal.SOLVED in part.found and "yang" in part.held()  # "yang satu sudah bisa yang satu beum"
    if partly or _is_glued(word) or part.following() & words.AGAIN:
        part.add(Signal.UNKNOWN)


def _is_glued(word: str) -> bool:
    return any(glued in word for glued in words.GLUED)


# The whole part, once all its words are read


def _judged(part: Part) -> set[Signal]:
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


def _asks_for_status(part: Part) -> bool:
    """Of a part that asks: does it ask where the matter stands?"""
    handling = part.all & _HANDLING
    if "kapan" in part.all:
        return bool(handling) or part.unknown == 0
    if "bagaimana" in part.all and part.all & words.CASE and part.unknown < 2 and "cara" not in part.all:
        return True  # "laporan saya bagaimana?"
    if "ada" in part.all and part.all & _OUTCOME and (part.question or part.all & words.DONE):
        return True  # "sudah ada hasilnya?"
    about = part.all & words.CASE or "apakah" in part.all
    return bool(about and handling and (part.all & words.DONE or part.all & words.CASE))


_BESIDE_CAN = (words.BESIDE_ANSWER | words.TRIES | words.DONE | words.PRAISE | {"bisa", "lagi", "dan", GOOD_EMOJI}) - {
    "proses"
}
_BESIDE_UNDERSTOOD = words.BESIDE_ANSWER | words.INTERJECTIONS | {"paham", "sekarang", "jadi"}
_BESIDE_NOT_AGAIN = words.BESIDE_ANSWER | {
    "tidak",
    "lagi",
    "terjadi",
    "terulang",
    "kambuh",
    "timbul",
    "sekarang",
    "pernah",
}
_ONLY_CLOSING = frozenset(("ditutup", "tutup"))
_BESIDE_CLOSING = words.BESIDE_ANSWER | words.PERMITS | words.CASE | _ONLY_CLOSING | {"saja", "aman", "langsung"}
_PARTING = words.BUT | words.WHILE | {"sekarang"}
_BESIDE_SAME = words.BESIDE_ANSWER | {"sama"}
_TAKES_BACK = words.LATER | words.DOUBT | (words.ASKS - words.GIVEN)
_HOLDS_BACK = words.PURPOSE | words.LATER | words.DOUBT
_GRATITUDE = words.SAYING | words.THANKS
_ASKS_OR_KOK = words.ASKS | {"kok"}
_ANOTHER_TIME = words.AGAIN | words.LATER | words.IF
_TROUBLE_OR_BAD = words.TROUBLE | words.BAD
_HANDLING = words.HANDLED | words.FINE | words.RESPONSES
_OUTCOME = words.RESPONSES | words.NO_PROGRESS | {"perkembangan", "solusinya"}
_ALONE_ASKS = words.BESIDE_ANSWER | words.STATUS_NOUNS | {"dong"}
_SLOW = words.RESPONSES | {"responnya", "responsnya", "balasannya", "jawabannya", "proses", "prosesnya", "sekali"}
_OBJECTS_OF_CAN = words.TRIES | words.SENDS | words.GIVEN | words.FINE_IF_DONE | words.STATUS_NOUNS
_WISHED_OF_US = (words.TROUBLE | words.BAD | words.OVER | words.FINE_IF_DONE | words.LATER) - {
    "lancar", "sukses", "aman",
}  # fmt: skip
# Which reading a word gets: the first row that has it.
_STEPS: tuple[tuple[frozenset[str], Callable[[Part, str], None]], ...] = (
    (words.NOT, read_not),
    (words.STILL, read_still),
    (frozenset(("tidakperlu",)), _needless),
    (words.IF, _if),
    (words.WISH, _wish),
    (words.TROUBLE, _trouble),
    (words.BAD, _bad),
    (frozenset(("sama",)), _same),
    (words.APPEAR, _appears),
    (words.THANKS, _thanks),
    (words.DOUBT, _news),
    (words.LATER - words.ASKS, _later),
    (words.STATUS_NOUNS | words.STATUS_ALWAYS, _status),
    (words.FINE, _good),
    (words.FINE_IF_DONE, _good_if_done),
    (words.REPORTS_BACK - words.ASKS - words.NEUTRAL, _reports),
    (words.ASKS, _asks),
    (frozenset(("kok",)), _kok),
    (words.SENDS, _news),
    (words.TRIES, _tries),
    (words.REST, _unsure),
    (words.PRAISE, _praise),
    (words.ACKNOWLEDGED, _acknowledges),
    (frozenset((GOOD_EMOJI,)), _good_emoji),
    (frozenset((BAD_EMOJI,)), _unsure),
    (words.HONORIFIC, _named),
)
_STEP_OF = {word: step for group, step in reversed(_STEPS) for word in group}
