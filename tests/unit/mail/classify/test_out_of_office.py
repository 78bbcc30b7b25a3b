"""Return dates in out-of-office replies."""

from __future__ import annotations

import time
from datetime import date

import pytest

from mailbot.mail.classify.out_of_office import returns_on

WRITTEN = date(2025, 11, 24)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("Saya sedang cuti sampai dengan tanggal 5 Desember 2025.", "2025-12-05"),
        ("Cuti sampai 5 Desember 2025 dan akan kembali bekerja pada Senin, 8 Desember 2025.", "2025-12-08"),
        ("Saya cuti s/d 3 Jan", "2026-01-03"),
        ("cuti dari 1 sd 5 Desember", "2025-12-05"),
        ("Saya di luar kantor hingga Jumat, 28 Nopember 2025", "2025-11-28"),
        ("Sampai tgl. 5 Des saya tidak di tempat", "2025-12-05"),
        ("Kembali masuk kantor hari Senin", "Senin"),
        ("Kembali Senin depan ya", "Senin depan"),
        ("Saya kembali minggu depan", "minggu depan"),
        ("I am out of the office until Monday, December 1st.", "2025-12-01"),
        ("I will be back on 26/12/2025", "2025-12-26"),
        ("I will be back in the office on Jan 5, 2026.", "2026-01-05"),
        ("returning on the 5th of January 2026", "2026-01-05"),
        ("away from 2025-12-24 through 2025-12-31", "2025-12-31"),
        ("from 24.11. to 28.11.2025", "2025-11-28"),
        ("I'll be back tomorrow", "tomorrow"),
        ("I will be back on 5/6/2025.", "5/6/2025"),  # June or May: nobody can tell
        ("until 31 Feb", "31 Feb"),  # no such day: as written
        ("Saya kembali ke menu utama", ""),
        ("Sampai jumpa", ""),
        ("Terima kasih", ""),
        ("", ""),
    ],
)
def test_the_day_that_an_absence_note_names(words: str, day: str) -> None:
    assert returns_on(words, WRITTEN) == day


def test_without_a_year_and_a_day_of_writing_the_words_stay() -> None:
    assert returns_on("sampai 5 Desember") == "5 Desember"


@pytest.mark.parametrize("hostile", ["to " * 200_000, "kembali pada pada " * 50_000, "1 " * 300_000, "İ" * 300_000])
def test_a_hostile_note_costs_little(hostile: str) -> None:
    before = time.process_time()
    assert returns_on(hostile, WRITTEN) == ""
    assert time.process_time() - before < 1
