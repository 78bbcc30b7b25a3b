"""Replies put together by a grammar, thousands: trouble is never taken for thanks, and thanks mostly is.

The meaning of each sentence is known from its parts. Many words of the troubles stand in no vocabulary of mailbot's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from mailbot.mail.intent.intent import intent_of
from mailbot.mail.message import Intent

COUNT = 4000
MOST_NEEDLESS_FOLLOW_UPS = 0.08

THANKS = (
    "terima kasih", "Terima kasih banyak", "makasih", "mksh", "trims", "tks", "makasih banyak", "matur nuwun",
    "hatur nuhun", "terimakasih atas bantuannya", "Terima kasih atas respon cepatnya", "thanks", "tengkyu", "suwun",
)  # fmt: skip
ADDRESS = ("", "", "", "pak", "bu", "kak", "min", "mas", "mbak", "admin", "pak Budi", "bu Ratna", "kak Sally")
GREETING = ("", "", "", "Selamat pagi", "Assalamualaikum", "Siang", "Halo", "Yth. Helpdesk BOSP", "met pagi")
SIGNATURE = (
    "", "", "", "\n\nSiti Aminah", "\n\nHormat kami,\nSDN 2 Cibadak", "\n\nSalam,\nDewi", "\nOperator SMPN 4 Palu",
    "\n\nWassalam\nAhmad Fauzi, S.Pd\nNPSN 20512345",
)  # fmt: skip
SUBJECT = (
    "BKU", "ARKAS", "aplikasinya", "laporannya", "menu cetak", "kertas kerja", "sinkronisasi", "login", "datanya",
    "RKAS", "tombol simpan", "akun saya", "saldonya", "notanya", "dashboard", "kuitansi",
)  # fmt: skip
SUCCESS = (
    "{s} sudah bisa", "{s} sudah normal kembali", "sudah bisa", "alhamdulillah sudah lancar", "{s} sudah lancar lagi",
    "sdh bs", "udah bisa", "sudah beres", "masalah sudah teratasi", "sudah tidak ada kendala", "{s} berhasil",
    "sudah tidak error lagi", "wis iso", "so bisa", "sudahmi", "tos tiasa", "akhirnya bisa", "{s} sudah bisa dibuka",
    "tadi masih macet, tapi sekarang sudah lancar", "kemarin error, sekarang sudah bisa", "aman", "sudah selesai",
    "sudah saya coba dan berhasil", "tidak terjadi lagi", "all good now", "it works now", "solved",
)  # fmt: skip
# Trouble in words that are known, and in many that are not.
TROUBLE = (
    "{s} masih error", "{s} belum bisa", "{s} tidak muncul", "{s} lenyap", "{s} raib", "{s} amburadul", "{s} ngadat",
    "{s} berantakan", "{s} zonk", "{s} kacau balau", "{s} hangus", "{s} tercecer", "{s} ngaco", "{s} ambyar",
    "{s} nggak nongol", "{s} blm masuk", "{s} ttp gagal", "{s} msh sama", "{s} makin parah", "{s} tetap begitu",
    "{s} muter terus", "{s} keluar sendiri", "{s} acak-acakan", "{s} tertukar", "{s} meleset", "{s} kembali semula",
    "{s} jadi nol", "{s} kebalik", "{s} ga mau jalan", "{s} tak kunjung tampil", "{s} melulu loading",
    "{s} putus nyambung", "gak ada perubahan", "masih sama seperti kemarin", "nihil", "percuma",
    "kendala masih terjadi",
    "belum ada hasil", "muncul error baru", "malah tambah lambat", "still broken", "it keeps crashing", "no luck",
    "{s} won't open", "durung iso", "teu acan tiasa", "{s} terkunci sendiri", "tetap saja", "{s} menghilang",
)  # fmt: skip
LIMITED = (
    "sudah bisa, kecuali {s}", "sudah bisa tapi {s} belum", "cuma {s} yang bisa", "hanya bisa {s}",
    "sudah bisa sebentar", "{s} bisa dibuka doang", "sebagian sudah bisa", "sudah bisa, tinggal {s}",
    "kadang bisa kadang tidak", "yang tahap 1 sudah bisa", "2 dari 5 sudah bisa", "{s} saja yang bisa",
    "setengah jalan",
    "sudah bisa, selain {s}", "sudah jalan, tapi", "baru {s} yang lancar", "sempat bisa",
    "bisa sih bisa, namun {s} aneh",
)  # fmt: skip
ASKING = (
    "apa sudah bisa?", "sudah lancar kah", "{s} sudah bisa belum ya", "kapan {s} bisa", "sudah diperbaiki?",
    "kok {s} ditutup", "kenapa ditutup", "bagaimana {s}", "mohon dicek {s}", "tolong {s}",
)  # fmt: skip
SARCASTIC = ("terima kasih sudah mengabaikan kami", "luar biasa cepat ditutup", "makasih buat jawaban yang basi")


def _typo(text: str, chance: random.Random) -> str:
    """Two neighbours swapped in one long word, in one sentence of six."""
    long = [word for word in text.split() if len(word) > 5 and word.isalpha()]
    if not long or chance.random() > 1 / 6:
        return text
    word = chance.choice(long)
    at = chance.randrange(1, len(word) - 2)
    return text.replace(word, word[:at] + word[at + 1] + word[at] + word[at + 2 :], 1)


def _sentence(core: str, chance: random.Random, *, typos: bool) -> str:
    said = core.replace("{s}", chance.choice(SUBJECT))
    thanks = chance.choice((*THANKS, "", "") if said else THANKS)
    address = chance.choice(ADDRESS)
    order = [f"{said} {address}".strip(), thanks] if chance.random() < 0.6 else [f"{thanks} {address}".strip(), said]
    joint = chance.choice((", ", ". ", " ", "\n"))
    text = joint.join(part for part in order if part)
    greeting = chance.choice(GREETING)
    text = f"{greeting}\n{text}" if greeting else text
    if typos:
        text = _typo(text, chance)
    text = chance.choice((str, str, str.lower, str.capitalize))(text)
    return text + chance.choice(SIGNATURE)


def _many(cores: tuple[str, ...], seed: int, *, typos: bool) -> Iterator[str]:
    chance = random.Random(seed)
    for number in range(COUNT):
        yield _sentence(cores[number % len(cores)], chance, typos=typos)


@pytest.mark.parametrize(
    "cores", [TROUBLE, LIMITED, ASKING, SARCASTIC], ids=["trouble", "limited", "asking", "sarcastic"]
)
def test_what_says_trouble_is_never_thanks(cores: tuple[str, ...]) -> None:
    taken: list[str] = [text for text in _many(cores, 1, typos=True) if intent_of(text) is Intent.THANKS]
    assert not taken, f"{len(taken)}: {taken[:12]}"


def test_thanks_rarely_opens_a_follow_up() -> None:
    said = list(_many((*SUCCESS, ""), 2, typos=False))
    missed = [text for text in said if intent_of(text) is not Intent.THANKS]
    assert len(missed) / len(said) < MOST_NEEDLESS_FOLLOW_UPS, f"{len(missed)}: {missed[:12]}"
