"""Signals of single words in a part of a clause, from the few words around them.

In: a `ClausePart`. Out: signals added to it. It is read from left to right, one step per word (`_STEPS`):

- "tidak", "belum", "masih" invert what follows (`negation`);
- a problem is BROKEN, unless the part says that it is over ("masalah sudah teratasi", "error tidak muncul lagi") or
  only mentions it ("terima kasih atas penyelesaian masalah kami");
- good words count after "sudah" or alone; after "agar", "akan", "semoga", "kalau", "seharusnya" they count for nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from mailbot.mail.intent.clause import BAD_EMOJI, GOOD_EMOJI, ClausePart, Signal, is_known, means_nothing
from mailbot.mail.intent.negation import read_not, read_still
from mailbot.vocabulary import intents as words

_BESIDE_SAME = words.BESIDE_ANSWER | {"sama"}
_WITHDRAWS = words.LATER | words.DOUBT | (words.ASKS - words.GIVEN)
_PREVENTS = words.PURPOSE | words.LATER | words.DOUBT
_GRATITUDE = words.SAYING | words.THANKS
_ASKS_OR_KOK = words.ASKS | {"kok"}
_ANOTHER_TIME = words.AGAIN | words.LATER | words.IF
_PROBLEM_OR_BAD = words.PROBLEM | words.BAD
_ALONE_ASKS = words.BESIDE_ANSWER | words.STATUS_NOUNS | {"dong"}
_SLOW = words.RESPONSES | {"responnya", "responsnya", "balasannya", "jawabannya", "proses", "prosesnya", "sekali"}
_OBJECTS_OF_CAN = words.TRIES | words.SENDS | words.GIVEN | words.FINE_IF_DONE | words.STATUS_NOUNS
_WISHED_OF_US = (words.PROBLEM | words.BAD | words.OVER | words.FINE_IF_DONE | words.LATER) - {
    "lancar", "sukses", "aman",
}  # fmt: skip


def read_words(part: ClausePart) -> None:
    """Read a part word by word and add the signals of its words."""
    while part.at < len(part.words):
        word = part.words[part.at]
        _STEP_OF.get(word, _other)(part, word)
        part.at += 1


# Problems


def _problem(part: ClausePart, word: str) -> None:
    before = part.words[part.at - 1] if part.at else ""
    part.problem_at = part.at if part.problem_at is None else part.problem_at
    if _is_over(part):
        return
    if before in words.TOPIC or (before in words.NEUTRAL and part.thanked and part.all & words.TOPIC):
        return  # it is only mentioned
    _broken(part)


def _is_over(part: ClausePart) -> bool:
    """Read on to "sudah teratasi"; return whether a later word decides what became of the problem."""
    done = False
    for at in range(part.at + 1, len(part.words)):
        about = part.words[at]
        if about in words.NOT or about in words.STILL:
            return True  # decided by the negation
        sure = part.words[at - 1] in words.DONE
        if about in words.OVER and (sure or done or at == len(part.words) - 1 or part.next_word(part.at + 1)[0] == at):
            part.add(Signal.SOLVED if sure or part.known(part.at + 1, at) else Signal.UNKNOWN)
            part.at = at
            return True
        if about in words.APPEAR or about in words.BAD or about in words.PURPOSE:
            return False
        done = done or about in words.DONE
    return False


def _bad(part: ClausePart, word: str) -> None:
    if word == "terkunci" and part.words[0] in words.LOCKED_WHEN_DONE and set(part.preceding(1)) & {"sudah", "telah"}:
        part.add(Signal.SOLVED)  # "BKU sudah terkunci": a book is closed by locking it
        return
    if word == "salah" and part.words[0] == "ternyata" and set(part.preceding()) & {"saya", "kami"}:
        part.add(Signal.TRIED)  # "ternyata saya salah ketik": why it failed before
        part.at = len(part.words)
        return
    slip = word == "salah" and part.following() & {"satu", "kirim", "dikirim", "ketik", "tulis", "alamat", "email"}
    if slip:
        part.add(Signal.NEWS)
    else:
        _broken(part)


def _broken(part: ClausePart) -> None:
    if part.following() & {"lagi", "kembali"}:
        part.found.add(Signal.BROKEN)  # "ternyata error lagi": not over, whatever the tense
    else:
        part.add(Signal.BROKEN)


def _same(part: ClausePart, word: str) -> None:
    """Read "hasilnya sama", "sama pak"; but "dibantu sama teman" means "by a friend"."""
    if part.all & {"hasil", "hasilnya"} or part.all <= _BESIDE_SAME:
        part.add(Signal.BROKEN)
    elif part.at and not is_known(part.words[part.at - 1]):
        part.add(Signal.UNKNOWN)  # "maih sama"
    else:
        part.unknown += 1


def _appears(part: ClausePart, word: str) -> None:
    """Read "muncul lagi", "terjadi"; but "menu sudah muncul" is good."""
    again = part.following() & {"lagi", "kembali"} and not set(part.preceding()) & {"sudah", "telah"}
    if again or word in {"terjadi", "terulang", "kambuh", "kumat", "timbul"}:
        part.add(Signal.BROKEN)
    else:
        _good_if_done(part, word)


# Good


def _good(part: ClausePart, word: str) -> None:
    """Read a word that is good with or without "sudah", unless a word before it withdraws it."""
    done = part.last_done()
    if words.PURPOSE & set(part.preceding(2)) or _WITHDRAWS & set(part.preceding()):
        part.unknown += 1
    elif part.subordinate and not set(part.preceding(3)) & {"sudah", "telah"}:
        part.add(Signal.TRIED)  # "setelah selesai update"
    else:
        part.add(Signal.SOLVED if part.known(done or 0, part.at) else Signal.UNKNOWN)


def _good_if_done(part: ClausePart, word: str) -> None:
    done = part.last_done(4)
    if done is not None and part.known(done, part.at) and not _PREVENTS & set(part.preceding()):
        part.add(Signal.SOLVED)
        while any(w in _OBJECTS_OF_CAN or _is_passive(w) for w in part.following()):
            part.at += 1  # "sudah bisa dibuka", "sudah bisa kirim"
    elif word == "bisa" and part.next_word(part.at + 1)[1] in words.ASKS:
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


def _thanks(part: ClausePart, word: str) -> None:
    part.thanked = True
    part.add(Signal.THANKS)


def _praise(part: ClausePart, word: str) -> None:
    part.add(Signal.THANKS if part.known(0, part.at) else Signal.UNKNOWN)


def _acknowledges(part: ClausePart, word: str) -> None:
    part.add(Signal.ACKNOWLEDGED)


def _good_emoji(part: ClausePart, word: str) -> None:
    part.add(Signal.THANKS)


# Questions, news, doubts


def _asks(part: ClausePart, word: str) -> None:
    given = part.thanked or Signal.SOLVED in part.found or set(part.preceding(2)) & {"sudah", "telah"}
    if word in words.GIVEN and given:
        return  # "terima kasih sudah dibantu"
    if part.thanked and word in words.RESPONSES:
        return  # "terima kasih atas konfirmasinya"
    if word == "cara" and part.following(2) & words.FINE:
        return  # "caranya berhasil"
    if word in {"mau", "ingin", "hendak"} and part.following(2) & _GRATITUDE:
        return  # "ingin mengucapkan terima kasih"
    part.add(Signal.ASKS)


def _kok(part: ClausePart, word: str) -> None:
    """Read "kok": "kok ditutup?" asks, "sudah bisa kok" stresses."""
    if part.next_word(part.at + 1)[0] is not None or part.question:
        part.add(Signal.ASKS)


def _status(part: ClausePart, word: str) -> None:
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


def _news(part: ClausePart, word: str) -> None:
    part.add(Signal.NEWS)


def _tries(part: ClausePart, word: str) -> None:
    if not (part.thanked and set(part.preceding(2)) & {"sudah", "telah"}):  # "terima kasih sudah cek"
        part.add(Signal.TRIED)


def _later(part: ClausePart, word: str) -> None:
    if part.all & words.REPORTS_BACK:
        part.add(Signal.SOFT)  # "nanti kami hubungi lagi"
        part.at = len(part.words)
    else:
        part.add(Signal.NEWS)


def _reports(part: ClausePart, word: str) -> None:
    if not part.all & words.THANKS:  # "kami sampaikan terima kasih"
        part.add(Signal.SOFT if part.all & _ANOTHER_TIME else Signal.UNKNOWN)


def _if(part: ClausePart, word: str) -> None:
    rest = set(part.words[part.at + 1 :])
    problem = rest & _PROBLEM_OR_BAD
    happens = rest & words.TRIES and problem and not rest & words.REPORTS_BACK  # "kalau saya klik simpan muncul error"
    part.add(Signal.BROKEN if happens else Signal.SOFT if problem else Signal.NEWS)
    part.at = len(part.words)


def _wish(part: ClausePart, word: str) -> None:
    if set(part.words[part.at + 1 :]) & _WISHED_OF_US:
        part.add(Signal.SOFT)
    part.at = len(part.words)


def _needless(part: ClausePart, word: str) -> None:
    part.at += 1  # "tidak perlu ditindaklanjuti": no longer wanted


def _unsure(part: ClausePart, word: str) -> None:
    part.add(Signal.UNKNOWN)


def _named(part: ClausePart, word: str) -> None:
    following = part.words[part.at + 1 : part.at + 2]
    if following and not is_known(following[0]) and not _is_glued(following[0]):
        part.at += 1  # "Pak Budi"


def _other(part: ClausePart, word: str) -> None:
    if means_nothing(word):
        return
    part.unknown += 1
    if is_known(word):
        return
    partly = Signal.SOLVED in part.found and "yang" in part.preceding()  # "yang satu sudah bisa yang satu beum"
    if partly or _is_glued(word) or part.following() & words.AGAIN:
        part.add(Signal.UNKNOWN)


def _is_glued(word: str) -> bool:
    return any(glued in word for glued in words.GLUED)


# The reader of each word: the first row that has it.
_STEPS: tuple[tuple[frozenset[str], Callable[[ClausePart, str], None]], ...] = (
    (words.NOT, read_not),
    (words.STILL, read_still),
    (frozenset(("tidakperlu",)), _needless),
    (words.IF, _if),
    (words.WISH, _wish),
    (words.PROBLEM, _problem),
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
