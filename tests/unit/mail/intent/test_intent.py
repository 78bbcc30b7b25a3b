"""What the new words of a reply mean."""

from __future__ import annotations

import json
import random
import string
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.mail.intent.intent import intent_of
from mailbot.mail.intent.normalise import clauses, plain_word
from mailbot.mail.message import Intent

SENTENCES = [
    (row["text"], Intent(row["intent"]))
    for row in map(
        json.loads,
        (Path(__file__).parents[4] / "fixtures" / "intents" / "sentences.jsonl").read_text("utf-8").splitlines(),
    )
]

# What is easily taken for something else; each must be right.
ADVERSARIAL: list[tuple[str, Intent]] = [
    # thanks first, trouble after
    ("Selamat siang, terima kasih atas bantuannya. Tapi masih belum bisa", Intent.STILL_BROKEN),
    ("Terima kasih atas responnya, namun kendala belum teratasi.", Intent.STILL_BROKEN),
    ("makasih. tdk bs jg", Intent.STILL_BROKEN),
    ("terima kasih pak tidak bisa juga", Intent.STILL_BROKEN),
    ("terima kasih tidak membantu", Intent.STILL_BROKEN),
    ("👍 tapi masih error", Intent.STILL_BROKEN),
    ("Thanks! It worked yesterday but today it fails again", Intent.STILL_BROKEN),
    ("Kendala masih terjadi\n\nTerima kasih\nSiti Aminah", Intent.STILL_BROKEN),
    # solved in part, or for a while
    ("sudah bisa tapi sekarang muncul error lain", Intent.STILL_BROKEN),
    ("Alhamdulillah sudah bisa login, tapi datanya hilang", Intent.STILL_BROKEN),
    ("Yang tahap 1 sudah bisa, tapi tahap 2 belum", Intent.STILL_BROKEN),
    ("hanya sebagian yang berhasil", Intent.STILL_BROKEN),
    ("kemarin sudah bisa, sekarang error lagi", Intent.STILL_BROKEN),
    ("ternyata error lagi, padahal tadi sudah bisa", Intent.STILL_BROKEN),
    ("lancar sebentar lalu error lagi", Intent.STILL_BROKEN),
    ("sudah bisa, tinggal BKU November", Intent.OTHER),
    # negation
    ("sudah tidak bisa lagi", Intent.STILL_BROKEN),
    ("sudah tidak ada kendala", Intent.THANKS),
    ("tidak ada masalah lagi", Intent.THANKS),
    ("Errornya tidak muncul lagi, makasih", Intent.THANKS),
    ("kendala tombol tidak muncul lagi", Intent.STILL_BROKEN),
    ("menu laporan masalah sudah tidak muncul", Intent.STILL_BROKEN),
    ("kendalanya belum hilang", Intent.STILL_BROKEN),
    ("belum ada perubahan", Intent.STILL_BROKEN),
    ("belum ada balasan", Intent.STATUS),
    ("sudah bisa belum?", Intent.OTHER),
    # the ticket itself
    ("Tiketnya boleh ditutup, terima kasih", Intent.THANKS),
    ("kenapa tiket saya ditutup padahal belum selesai", Intent.STILL_BROKEN),
    ("jangan ditutup dulu tiketnya", Intent.STILL_BROKEN),
    ("BKU sudah bisa ditutup", Intent.THANKS),
    ("BKU masih belum bisa ditutup", Intent.STILL_BROKEN),
    # thanks with something that wants an answer
    ("Terima kasih. Mohon info cara ubah data", Intent.OTHER),
    ("terima kasih, terlampir tangkapan layarnya", Intent.OTHER),
    ("npsn nya 20512345 bu. makasih ya", Intent.OTHER),
    ("NPSN 20512345, sudah bisa. Terima kasih", Intent.THANKS),
    ("Terima kasih\nSDN 1 Wates\nNPSN 20512345", Intent.THANKS),
    ("terima kasih akan kami coba", Intent.OTHER),
    ("Terima kasih sebelumnya", Intent.OTHER),
    ("terima kasih, bagaimana kelanjutan laporan kami?", Intent.STATUS),
    ("terima kasih sudah dibantu", Intent.THANKS),
    ("terima kasih atas tindak lanjutnya", Intent.THANKS),
    ("Terima kasih atas penyelesaian masalah BKU kami", Intent.THANKS),
    # not said to be so
    ("semoga bisa", Intent.OTHER),
    ("sepertinya sudah bisa", Intent.OTHER),
    ("kalau sudah bisa saya kabari", Intent.OTHER),
    ("statusnya dinyatakan selesai", Intent.OTHER),
    ("Sudah bisa. Kalau ada kendala lagi akan saya hubungi. Terima kasih", Intent.THANKS),
    ("jika masih error saya lapor lagi, terima kasih", Intent.OTHER),
    # the past
    ("kemarin sempat error, sekarang sudah normal. Terima kasih", Intent.THANKS),
    ("awalnya tidak bisa, setelah restart sudah bisa", Intent.THANKS),
    ("sudah saya coba", Intent.OTHER),
    ("sudah saya coba dan berhasil", Intent.THANKS),
    # still, of what
    ("masih ada yang bisa dibantu?", Intent.OTHER),
    ("masih lama pak?", Intent.STATUS),
    ("masih proses download", Intent.OTHER),
    ("masih diproses ya bu?", Intent.STATUS),
    ("masih saya coba dulu", Intent.OTHER),
    ("masih tidak error", Intent.OTHER),
    ("masih bagaimana caranya", Intent.OTHER),
    ("masih berhasil", Intent.OTHER),
    # run together, or mistyped
    ("terima kasihtidak bisa", Intent.OTHER),
    ("blm beres pak", Intent.STILL_BROKEN),
    ("eblu beres", Intent.OTHER),
    ("agk berhasil pak", Intent.OTHER),
    ("> Kendala masih terjadi\nSudah bisa, terima kasih", Intent.THANKS),
]


@pytest.mark.parametrize(("text", "intent"), ADVERSARIAL, ids=[repr(t) for t, _ in ADVERSARIAL])
def test_what_is_easily_misunderstood(text: str, intent: Intent) -> None:
    assert intent_of(text) is intent


def test_the_sentences_are_understood() -> None:
    assert len(SENTENCES) > 1000
    wrong = [(text, intent.value, intent_of(text).value) for text, intent in SENTENCES if intent_of(text) is not intent]
    assert len(wrong) <= len(SENTENCES) * 0.02, wrong


def test_nothing_but_thanks_is_taken_for_thanks() -> None:
    taken = [text for text, intent in SENTENCES if intent is not Intent.THANKS and intent_of(text) is Intent.THANKS]
    assert taken == []


def test_a_typing_mistake_hardly_ever_turns_a_problem_into_thanks() -> None:
    letters = random.Random(20251124)
    turned = []  # "Not resolved" → "Nota resolved": nobody could tell
    for text, intent in SENTENCES:
        if intent is not Intent.STILL_BROKEN:
            continue
        for _ in range(8):
            at = letters.randrange(len(text))
            letter = letters.choice(string.ascii_lowercase)
            middle = letters.choice(("", letter, letter + text[at], text[at + 1 : at + 2] + text[at]))
            mistyped = text[:at] + middle + text[at + 1 :]
            if intent_of(mistyped) is Intent.THANKS:
                turned.append((text, mistyped))
    assert len(turned) <= 1, turned


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("sdh", "sudah"), ("udah", "sudah"), ("udh", "sudah"), ("blm", "belum"), ("blom", "belum"), ("msh", "masih"),
        ("bs", "bisa"), ("bsa", "bisa"), ("gak", "tidak"), ("nggak", "tidak"), ("ndak", "tidak"), ("tdk", "tidak"),
        ("gabisa", "tidak bisa"), ("can't", "tidak bisa"), ("trmksh", "terimakasih"), ("makasiiih", "terimakasih"),
        ("thx", "terimakasih"), ("errornya", "error"), ("kendalanya", "kendala"), ("kendlaa", "kendala"),
        ("selesia", "selesai"), ("belumm", "belum"), ("sama2", "sama sama"), ("bisaaa", "bisa"), ("masing", "masing"),
        ("kelas", "kelas"), ("bilang", "bilang"), ("tindak", "tindak"), ("majalah", "majalah"), ("qwerty", "qwerty"),
    ],
)  # fmt: skip
def test_the_plain_word_behind_what_was_typed(typed: str, plain: str) -> None:
    assert plain_word(typed) == plain


def test_clauses_know_their_line_and_whether_they_ask() -> None:
    found = clauses("Terima kasih, sudah bisa.\nKapan selesai?")
    assert [(c.words, c.question, c.line) for c in found] == [
        (("terimakasih",), False, 0),
        (("sudah", "bisa"), False, 0),
        (("kapan", "selesai"), True, 1),
    ]


@given(st.text(max_size=400))
def test_any_text_has_an_intent(text: str) -> None:
    assert intent_of(text) in Intent


@pytest.mark.parametrize(
    "hostile",
    ["a" * 500_000, "tidak " * 80_000, "a.a" * 150_000, "!?" * 200_000, "terima kasih " * 40_000, "🙏" * 200_000],
    ids=["one word", "no", "dots", "stops", "thanks", "emoji"],
)
def test_a_hostile_text_costs_little(hostile: str) -> None:
    before = time.process_time()
    intent_of(hostile)
    assert time.process_time() - before < 1
