"""How texts and queries are cut into words."""

from __future__ import annotations

import doctest
import time

import pytest

from mailbot.store.search import index
from mailbot.store.search.index import (
    MAX_TEXT,
    MAX_WORD,
    tsquery,
    words_of,
    words_of_query,
)
from mailbot.store.search.sqlite import any_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Tidak bisa tutup BKU!", ["tidak", "bisa", "tutup", "bku"]),
        ("acha@sdn1.sch.id", ["acha", "sdn1", "sch", "id"]),
        ("#12345 - Re: bukti_transfer-2025.jpg", ["12345", "re", "bukti", "transfer", "2025", "jpg"]),
        ("bku BKU Bku", ["bku"]),
        ("Café naïve Straße", ["cafe", "naive", "strasse"]),
        ("ｆｕｌｌ　ｗｉｄｔｈ №1", ["full", "width", "no1"]),
        ("Привет 学校", ["привет", "学校"]),
        ("\x00 ~~~ '';-- 🙂", []),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_the_example_in_the_docstring_is_true() -> None:
    assert doctest.testmod(index).failed == 0


def test_words_of_several_texts_come_once() -> None:
    assert words_of("satu dua", "dua tiga") == ["satu", "dua", "tiga"]


def test_what_is_looked_at_is_bounded() -> None:
    assert words_of("x" * 500) == ["x" * MAX_WORD]
    assert "akhir" not in words_of("kata " * MAX_TEXT + "akhir")
    started = time.process_time()
    words_of("\u0301" * 1_000_000)
    words_of("a " * 1_000_000)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("query", "sqlite", "postgresql"),
    [
        ("rekon bku", '("rekon" OR "bku")', "'rekon':* & 'bku':*"),
        ("di 12345", '("di" OR "12345")', "'di' & '12345'"),
        ("a'b\"c *", '("a" OR "b" OR "c")', "'a' & 'b' & 'c'"),
        ("NOT (x) OR y", '("not" OR "x" OR "or" OR "y")', "'not':* & 'x' & 'or' & 'y'"),
    ],
)
def test_a_query_is_words_and_never_syntax(query: str, sqlite: str, postgresql: str) -> None:
    words = words_of_query(query)
    assert any_of(words) == sqlite
    assert tsquery(words) == postgresql


def test_a_query_without_words_is_none() -> None:
    assert words_of_query(" ?! ") == []


def test_a_long_query_is_cut() -> None:
    found = words_of_query(" ".join(f"kata{n}" for n in range(50)))
    assert len(found) == index.MAX_QUERY_WORDS
