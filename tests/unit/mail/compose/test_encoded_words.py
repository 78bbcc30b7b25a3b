"""Encoded words: short enough, ASCII, and decoded to what went in."""

from __future__ import annotations

from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.mail.compose.encoded_words import LONGEST, encoded_words

TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=200)


@given(text=TEXT, taken=st.integers(0, 30))
def test_what_is_encoded_reads_the_same_again(text: str, taken: int) -> None:
    lines = encoded_words(text, 76, taken)
    assert str(make_header(decode_header("\n".join(lines)))) == text
    assert all(line.isascii() and len(line.strip()) <= LONGEST for line in lines)
    assert len(lines[0]) <= 76 - taken
    assert all(line.startswith(" ") and len(line) <= 76 for line in lines[1:])


@given(TEXT)
def test_each_word_is_a_text_by_itself(text: str) -> None:
    """RFC 2047 §5: no character is split between two words."""
    for line in encoded_words(text, 76, 9):
        assert "\ufffd" not in str(make_header(decode_header(line.strip()))).replace(
            "\ufffd" * text.count("\ufffd"), ""
        )


@pytest.mark.parametrize(
    ("text", "kind"), [("Tidak bisa tutup BKU – mohon bantuan", "q"), ("Кириллица", "b"), ("山田", "b")]
)
def test_the_shorter_encoding_is_taken(text: str, kind: str) -> None:
    assert encoded_words(text, 76, 9)[0].startswith(f"=?utf-8?{kind}?")
