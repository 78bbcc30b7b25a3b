"""Titles and names that are shown in public carry no links and no telephone numbers."""

from __future__ import annotations

import time

import pytest

from mailbot.mail.untrusted_text import safe_name, safe_title


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        ("Tidak bisa tutup BKU 31.12.2025 (NPSN 20512345)", "Tidak bisa tutup BKU 31.12.2025 (NPSN 20512345)"),
        ("laporan.xlsx rusak di ARKAS 4.0", "laporan.xlsx rusak di ARKAS 4.0"),
        ("Rp 12.500.000,00 belum masuk 03-11-2025 10.45", "Rp 12.500.000,00 belum masuk 03-11-2025 10.45"),
        ("arkas.kemdikbud.go.id tidak terbuka", "arkas.kemdikbud.go.id tidak terbuka"),
        ("klik https://judi.top/x?y=1 ya", "klik [tautan] ya"),
        ("https://a.go.id@judi.top/", "[tautan]"),
        ("judi.top, bit.ly/abc dan t.me/x", "[tautan], [tautan] dan [tautan]"),
        ("surat ke a@judi.example", "surat ke [tautan]"),
        ("WA 0812-3456-7890 / +62 812 3456 7890 / (021) 57903020", "WA [nomor] / [nomor] / [nomor]"),
        ("NIK 3201123456789012", "NIK [nomor]"),
    ],
)
def test_a_title_carries_no_advertisement(subject: str, title: str) -> None:
    assert safe_title(subject) == title


def test_a_name_that_says_more_than_a_name_is_left_out() -> None:
    assert safe_name("Acha Lestari, S.Pd.") == "Acha Lestari, S.Pd." and safe_name("Drs. H. Ahmad") == "Drs. H. Ahmad"
    for name in ("Menang di judi.top", "WA 081234567890", "x" * 65, "https://judi.example", "a@b.example"):
        assert safe_name(name) == ""


@pytest.mark.parametrize("piece", ["a.", "www.", "08", "+1 ", "a@", "( 0", "8 ", "1-", "0812 ", "http://", "62 8"])
def test_hostile_subjects_take_no_longer(piece: str) -> None:
    start = time.process_time()
    safe_title(piece * (1000 // len(piece)))
    assert time.process_time() - start < 0.1


@pytest.mark.parametrize(
    ("subject", "title"),
    [("tulis ke admin@judi ya", "tulis ke [tautan] ya"), ("buka https://judi ya", "buka [tautan] ya"), ("a b", "a b")],
)
def test_each_sign_of_a_link_is_enough_by_itself(subject: str, title: str) -> None:
    assert safe_title(subject) == title


def test_a_name_may_have_64_characters_and_no_more() -> None:
    assert safe_name("a" * 64) == "a" * 64 and safe_name("a" * 65) == ""
