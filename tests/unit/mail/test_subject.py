"""Ticket numbers, prefixes and plain words of subject lines."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.mail.subject import clean_subject, is_forward_subject, is_reply_subject, status_request, subject_tags

TAGS: list[tuple[str, list[int]]] = [
    # our own form, and what clients put before it
    ("#12345 - Tidak bisa tutup BKU", [12345]),
    ("Re: #12345 - Tidak bisa tutup BKU", [12345]),
    ("RE: #12345 - Tidak bisa tutup BKU", [12345]),
    ("Bls: #12345 - Tidak bisa tutup BKU", [12345]),
    ("Balas: #12345 - Tidak bisa tutup BKU", [12345]),
    ("Fwd: #12345 - Tidak bisa tutup BKU", [12345]),
    ("Trs: #12345 - Tidak bisa tutup BKU", [12345]),
    ("Re[2]: #12345 - Tidak bisa", [12345]),
    ("RE : Re:Bls:Fwd: #12345 - Tidak bisa", [12345]),
    ("Re:#12345 - Tidak bisa", [12345]),
    ("AW: WG: #12345 – Tidak bisa", [12345]),
    ("回复： #12345 - Tidak bisa", [12345]),
    ("[EXTERNAL] Re: #12345 - Tidak bisa", [12345]),
    ("Re: [Eksternal] #12345 - Tidak bisa", [12345]),
    # typed by hand
    ("#12345", [12345]),
    ("# 12345", [12345]),
    ("##12345", [12345]),
    ("[#12345] masih error", [12345]),
    ("(#12345) masih error", [12345]),
    ("masih error #12345", [12345]),
    ("masih error (#12345)", [12345]),
    ("masih error #12345.", [12345]),
    ("masih error #12345, mohon dicek", [12345]),
    ("#12345: masih error", [12345]),
    ("#12345-BKU", [12345]),
    ("#12345 hari ini masih error", [12345]),
    ("＃１２３４５ masih error", [12345]),
    ("masih error ＃12345", [12345]),
    ("masih error ［＃１２３４５］", [12345]),
    ("#\u00a012345", [12345]),
    ("#\u200b12345 - BKU", [12345]),
    ("#12.345 masih error", [12345]),
    ("Bls#12345", [12345]),
    # named in words
    ("no. tiket 12345", [12345]),
    ("no tiket : 12345", [12345]),
    ("nomor tiket: 12345", [12345]),
    ("Nomer Tiket 12345 blm bisa", [12345]),
    ("tiket 12345", [12345]),
    ("ticket 12345", [12345]),
    ("Ticket No. 12345", [12345]),
    ("tiket no.12345", [12345]),
    ("Tiket#12345", [12345]),
    ("Tiket-12345", [12345]),
    ("tiket12345", [12345]),
    ("TIKET = 12345", [12345]),
    ("tiket saya 12345", [12345]),
    ("no tiket saya 12345", [12345]),
    ("tiket kami dengan nomor 12345", [12345]),
    ("laporan #12345", [12345]),
    ("nomor laporan 12345", [12345]),
    ("laporan no 12345 belum bisa", [12345]),
    ("tiket no 7", [7]),
    ("tiket ke-12.345", []),  # "ke-" counts: the twelve thousandth ticket of nobody
    # several
    ("#12346 Re: #12345 - Tidak bisa", [12346, 12345]),
    ("tiket 12346 Re: #12345 - Tidak bisa", [12346, 12345]),
    ("Re: #12346 #12345 - Tidak bisa", [12346, 12345]),
    ("Re: #12345 - Tidak bisa (lanjutan #12001)", [12345, 12001]),
    ("#12345, #12346", [12345, 12346]),
    ("#12345/#12346", [12345, 12346]),
    ("#12345,12346", [12345, 12346]),
    ("tiket 12345 dan 12346", [12345, 12346]),
    ("tiket 12345 & 12346 belum selesai", [12345, 12346]),
    ("tiket 12345 dan 3 lainnya", [12345]),
    ("Re: #12345 - #12345 masih", [12345]),
    ("jumlah #3000 siswa, tiket 12345", [12345, 3000]),
    # the number of a school and others that are no tickets
    ("NPSN #20512345", []),
    ("NPSN 20512345", []),
    ("NPSN: 20512345", []),
    ("NPSN#20512345", []),
    ("NPSN sekolah kami #20512345", []),
    ("#20512345 (NPSN) tidak bisa", []),
    ("Perubahan npsn no. #20512345", []),
    ("NPSN #20512345 tiket #12345", [12345]),
    ("NPSN 20512345 #12345", [12345]),
    ("Re: #12345 - NPSN 20512345", [12345]),
    ("Re: #12345 - NPSN #20512345", [12345]),
    ("Ubah NPSN #12345", [12345]),
    ("tiket 12345 NPSN 20512345", [12345]),
    ("#1 masalah", []),
    ("#2: BKU", []),
    ("Re: #1 masalah", []),
    ("masalah #2 dan #3", []),
    ("Laporan 2024", []),
    ("laporan tahun 2024", []),
    ("#2025 tahap 2", []),
    ("BOSP #2025", []),
    ("kode error #10021 saat tutup BKU", []),
    ("error code: #10021", []),
    ("Error no #10021", []),
    ("versi #412", []),
    ("HP #81234567", []),
    ("#0812-3456-7890", []),
    ("#08123456789", []),
    ("#12345678901234", []),
    ("#12-11-2025", []),
    ("#12345-2", []),
    ("#12345/2024", []),
    ("Rp #12.345.000", []),
    ("#12345abc", []),
    ("#1a2b3c", []),
    ("https://contoh.id/bantuan#12345", []),
    ("x &#12345; y", []),
    ("tiket 3 hari belum dibalas", []),
    ("tiket 100 persen", []),
    ("12345", []),
    ("BKU 12345", []),
    ("Surat no. 12345", []),
    ("Tidak bisa tutup BKU", []),
    ("", []),
    # small numbers, for a desk that counts from 1
    ("#7 - Tidak bisa", [7]),
    ("Re: #7 - Tidak bisa", [7]),
    ("Re: [#7] Tidak bisa", [7]),
    ("Re: #7", [7]),
    ("#2025 - Tidak bisa", [2025]),
    ("tiket #7", [7]),
]


@pytest.mark.parametrize(("subject", "tags"), TAGS, ids=[repr(s) for s, _ in TAGS])
def test_ticket_numbers_in_a_subject(subject: str, tags: list[int]) -> None:
    assert subject_tags(subject) == tags


CLEAN: list[tuple[str, str]] = [
    ("Tidak bisa tutup BKU", "Tidak bisa tutup BKU"),
    ("Re: Bls: RE: Tidak bisa", "Tidak bisa"),
    ("Re: #12345 - Re: Tidak bisa", "Tidak bisa"),
    ("#12346 - #12345 - Tidak bisa", "Tidak bisa"),
    ("[EXTERNAL] Fwd: Tidak bisa", "Tidak bisa"),
    ("Re:Tidak  bisa\t\n tutup", "Tidak bisa tutup"),
    ("RE[3]: Trs: Tidak bisa", "Tidak bisa"),
    ("Re: Tidak bisa #12345", "Tidak bisa #12345"),
    ("#1 masalah", "#1 masalah"),
    ("#2025 tahap 2", "#2025 tahap 2"),
    ("Re: NPSN #20512345", "NPSN #20512345"),
    ("Regarding: BKU", "Regarding: BKU"),
    ("Rekap: BKU", "Rekap: BKU"),
    ("Re:", ""),
    ("#12345", ""),
    ("", ""),
    ("a\x00b\x1b[31mc\u202eD\u200be", "a b [31mcDe"),
    ("＃１２３４５ ： Judul ＡＢ", "Judul ＡＢ"),
    ("Error 👩‍🏫 guru", "Error 👩‍🏫 guru"),
]


@pytest.mark.parametrize(("subject", "plain"), CLEAN)
def test_the_plain_words_of_a_subject(subject: str, plain: str) -> None:
    assert clean_subject(subject) == plain


def test_a_long_subject_is_cut_between_words_and_says_so() -> None:
    cut = clean_subject("Re: " + "kendala " * 100)
    assert len(cut) <= 200
    assert cut.endswith("kendala…")
    assert len(clean_subject("k" * 999)) == 200


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("STATUS #12345", 12345),
        ("status #12345", 12345),
        ("Status#12345", 12345),
        ("Re: STATUS #12345", 12345),
        ("Bls: Fwd: status # 12345", 12345),
        ("status 12345", 12345),
        ("STATUS tiket #12345", 12345),
        ("Status: [#12345]", 12345),
        ("ＳＴＡＴＵＳ ＃１２３４５", 12345),
        ("STATUS #12345 ?", 12345),
        ("STATUS #12345 belum berubah", None),
        ("Re: #12345 - STATUS #12345", None),
        ("#12345", None),
        ("STATUS", None),
        ("STATUS #0", None),
        ("Statusnya #12345", None),
        ("Bagaimana status #12345", None),
        ("", None),
    ],
)
def test_a_request_for_the_status(subject: str, number: int | None) -> None:
    assert status_request(subject) == number


@pytest.mark.parametrize(
    ("subject", "reply", "forward"),
    [
        ("Re: BKU", True, False),
        ("BLS: BKU", True, False),
        ("Balas: BKU", True, False),
        ("Re: Fwd: BKU", True, False),
        ("Fwd: Re: BKU", False, True),
        ("Trs: BKU", False, True),
        ("WG: BKU", False, True),
        ("[EXT] FW: BKU", False, True),
        ("#12345 - Re: BKU", True, False),
        ("转发：BKU", False, True),
        ("返信: BKU", True, False),
        ("BKU", False, False),
        ("Rekap: BKU", False, False),
        ("Fwd BKU", False, False),
        ("", False, False),
    ],
)
def test_replies_and_forwards_are_told_apart(subject: str, reply: bool, forward: bool) -> None:
    assert (is_reply_subject(subject), is_forward_subject(subject)) == (reply, forward)


@given(st.text(max_size=300))
def test_any_text_is_read_without_a_fault(subject: str) -> None:
    assert all(0 < number < 10**9 for number in subject_tags(subject))
    plain = clean_subject(subject)
    assert len(plain) <= 200
    assert plain == plain.strip()
    assert clean_subject(plain) == plain


@pytest.mark.parametrize(
    "hostile",
    ["Re:" * 100_000, "#" * 300_000, "1." * 150_000, "#1 " * 100_000, "\u200b" * 300_000, "a#1" * 100_000],
    ids=["prefixes", "marks", "dots", "tags", "invisible", "glued"],
)
def test_a_hostile_subject_costs_little(hostile: str) -> None:
    before = time.process_time()
    subject_tags(hostile)
    clean_subject(hostile)
    status_request(hostile)
    assert time.process_time() - before < 1
