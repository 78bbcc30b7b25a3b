"""Normalisation of colloquial Indonesian and English: a text → clauses of plain words.

In: a person's words, as typed on a phone ("sdh bs tutup bku trmksh 🙏"). Out: clauses of tokens, each with its plain
word ("sudah", "bisa", "tutup", "bku", "terimakasih") and what was typed. Normalised are abbreviations and slang
(`vocabulary.spellings`), repeated letters ("makasiiih"), the numeral of reduplication ("sama2"), endings ("errornya",
"bisakah"), regional languages, and one wrong, missing, doubled or swapped letter in words of five letters and more.

Linear in the length of the text, which is cut at MAX_TEXT. Never: interprets the words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from mailbot.mail.intent.clause import BAD_EMOJI, GOOD_EMOJI, OPEN_EMOJI, Clause, Token
from mailbot.vocabulary import intents as classes
from mailbot.vocabulary.spellings import PHRASES, SPELLINGS

MAX_TEXT = 4000
MAX_WORD = 30

_TOKEN = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*|[^\w\s]")
_REPEATED = re.compile(r"(.)\1{2,}")
_DOUBLED = re.compile(r"(.)\1")
_ENDS = frozenset('.!?;,:…()\n"“”•|')
_ENDINGS = ("nya", "lah", "kah", "pun", "ny", "na")  # "na" is Sundanese for "nya"
_HAPPY = re.compile(r"[:;=][-']?[)D]|\^_*\^")
_UNHAPPY = re.compile(r"[:;=][-']?[(]|T_T|:'\(")


def clauses(text: str) -> list[Clause]:
    """Split a text into its clauses, in order; empty ones are left out."""
    found: list[Clause] = []
    lines = _UNHAPPY.sub(f" {BAD_EMOJI} ", _HAPPY.sub(f" {GOOD_EMOJI} ", text[:MAX_TEXT])).splitlines()
    for number, line in enumerate(lines):
        if line.lstrip().startswith(">"):
            continue  # a quotation
        sentence: list[list[str]] = [[]]
        for match in _TOKEN.finditer(line):
            piece = match.group()
            if piece in _ENDS:
                if piece == "?":
                    found.extend(_clause(part, True, number) for part in sentence if part)
                    sentence = [[]]
                elif piece in ".!…":
                    found.extend(_clause(part, False, number) for part in sentence if part)
                    sentence = [[]]
                else:
                    sentence.append([])
            elif piece[0].isalnum() or piece in classes.EMOJI:
                sentence[-1].append(piece[:MAX_WORD])
        found.extend(_clause(part, False, number) for part in sentence if part)
    return [clause for clause in found if clause.tokens]


def _clause(pieces: list[str], question: bool, line: int) -> Clause:
    tokens = [token for piece in pieces for token in _plain(piece)]
    asks = question or any(token.word in classes.ASKING for token in tokens)
    joined = tuple(_joined(_joined(tokens)))  # twice: "terima kasih" + "sebelumnya"
    return Clause(joined, tuple(token.word for token in joined), asks, line)


# One word


@lru_cache(maxsize=8192)
def _plain(typed: str) -> tuple[Token, ...]:
    if typed in classes.EMOJI:
        kind = GOOD_EMOJI if typed in classes.EMOJI_GOOD else BAD_EMOJI if typed in classes.EMOJI_BAD else OPEN_EMOJI
        return (Token(kind, typed),)
    return tuple(Token(word, typed) for word in plain_word(typed.lower()).split())


def plain_word(word: str) -> str:
    """Return the plain word (or two) of a word in lower case; unknown words are returned unchanged."""
    word = unicodedata.normalize("NFKC", word).replace("’", "'")
    if word.endswith("2") and len(word) > 3:  # "sama2": the numeral of reduplication
        once = plain_word(word[:-1])
        return f"{once} {once}" if (once, once) in _PHRASES else once
    for form in _forms(word):
        if " " in form:
            return form
        if form in _TYPED_FORMS:
            return _TYPED_FORMS[form]
        if form in _KNOWN:
            return form
    once = _REPEATED.sub(r"\1", word)
    return _corrected(once) or _corrected(_DOUBLED.sub(r"\1", once)) or word


def _forms(word: str) -> Iterable[str]:
    """Yield the word and its possible base forms, the most likely first."""
    yield word
    short = word.rstrip(".'-")
    if short != word:
        yield short
    if "." in short or "'" in short:
        yield short.replace(".", "").replace("'", "")
    once = _REPEATED.sub(r"\1", short)
    bases = [short] if once == short else [once, _REPEATED.sub(r"\1\1", short)]
    if "-" in short:
        first, _, second = short.partition("-")
        if first == second:
            bases.append(first)
            once = plain_word(first)
            if (once, once) in _PHRASES:
                yield f"{once} {once}"
    single = _DOUBLED.sub(r"\1", once)
    if single != once:
        bases.append(single)
    for base in bases:
        yield base
        for ending in _ENDINGS:
            if base.endswith(ending) and len(base) > len(ending) + 2:
                yield base[: -len(ending)]


# Typing mistakes


def _corrected(word: str) -> str:
    """Return the one known word of five letters or more that is one mistake away, or ""."""
    if len(word) < 5 or not word.isalpha() or word in classes.NOT_TYPOS:
        return ""
    for ending in ("", "nya"):
        base = word.removesuffix(ending) if ending else word
        if len(base) < 5 or (ending and base == word):
            continue
        near: set[str] = set(_deletions().get(base, ()))
        for i in range(len(base)):
            shorter = base[:i] + base[i + 1 :]
            if shorter in _KNOWN_LONG:
                near.add(shorter)
            near.update(k for k in _deletions().get(shorter, ()) if len(k) == len(base) and _one_mistake(base, k))
        plain = {_TYPED_FORMS.get(k, k) for k in near}
        worst = {w for w in plain if w in _GRAVE} or plain  # of two candidates, the one that changes the meaning
        if len(worst) == 1:
            return worst.pop()
    return ""


def _one_mistake(one: str, other: str) -> bool:
    """Return whether words of equal length differ by one replaced letter or two swapped neighbours."""
    differ = [i for i in range(len(one)) if one[i] != other[i]]
    if len(differ) == 1:
        return True
    return (
        len(differ) == 2
        and differ[1] == differ[0] + 1
        and one[differ[0]] == other[differ[1]]
        and one[differ[1]] == other[differ[0]]
    )


@lru_cache(maxsize=1)
def _deletions() -> dict[str, tuple[str, ...]]:
    """Index the long known words by each form with one letter deleted."""
    index: dict[str, set[str]] = defaultdict(set)
    for word in _KNOWN_LONG:
        for i in range(len(word)):
            index[word[:i] + word[i + 1 :]].add(word)
    return {shorter: tuple(sorted(known)) for shorter, known in index.items()}


# Several words


def _joined(tokens: list[Token]) -> list[Token]:
    """Replace phrases by their plain words, the longest at each position."""
    if not any(token.word in _PHRASE_LENGTHS for token in tokens):
        return tokens
    joined: list[Token] = []
    i = 0
    while i < len(tokens):
        for length in _PHRASE_LENGTHS.get(tokens[i].word, ()):
            words = tuple(token.word for token in tokens[i : i + length])
            if len(words) == length and words in _PHRASES:
                typed = " ".join(token.typed for token in tokens[i : i + length])
                joined.extend(Token(word, typed) for word in _PHRASES[words])
                i += length
                break
        else:
            joined.append(tokens[i])
            i += 1
    return joined


_TYPED_FORMS = {form: plain for plain, forms in SPELLINGS.items() for form in forms.split()}
_KNOWN = frozenset(w for group in classes.ALL for w in group) | {w for plain in SPELLINGS for w in plain.split()}
_KNOWN |= {w for phrase, plain in PHRASES.items() for w in (*phrase.split(), *plain.split())} | classes.NOT_TYPOS
_KNOWN_LONG = frozenset(w for w in classes.MISTYPED if len(w) >= 5)
# The words of a phrase are compared in their plain form.
_PHRASES = {
    tuple(w for typed in phrase.split() for w in _TYPED_FORMS.get(typed, typed).split()): tuple(plain.split())
    for phrase, plain in PHRASES.items()
}
_GRAVE = classes.NOT | classes.STILL | classes.PROBLEM | classes.BAD | classes.REST | {"tidak bisa", "belum bisa"}
_PHRASE_LENGTHS: dict[str, list[int]] = {}
for _phrase in sorted(_PHRASES, key=len, reverse=True):
    _lengths = _PHRASE_LENGTHS.setdefault(_phrase[0], [])
    if len(_phrase) not in _lengths:
        _lengths.append(len(_phrase))
