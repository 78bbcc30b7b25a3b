"""Outlook's RTF: decompressed (MS-OXRTFCP), its text, and the HTML that it wraps (MS-OXRTFEX)."""

from __future__ import annotations

import struct

from mailbot.mail.mime.rtf import decompress_rtf, rtf_to_html_or_text


def _packed(kind: bytes, body: bytes, size: int) -> bytes:
    return struct.pack("<II4sI", len(body) + 12, size, kind, 0) + body


def _literal(text: bytes) -> bytes:
    return b"".join(b"\0" + text[i : i + 8] for i in range(0, len(text), 8))


def test_plain_and_packed_rtf_are_unpacked_and_other_things_are_not() -> None:
    assert decompress_rtf(_packed(b"MELA", b"{\\rtf1 Halo}", 12)) == b"{\\rtf1 Halo}"
    assert decompress_rtf(_packed(b"LZFu", _literal(b"{\\rtf1 Halo guru}"), 17)) == b"{\\rtf1 Halo guru}"
    assert decompress_rtf(_packed(b"XXXX", b"{\\rtf1 Halo}", 12)) == b""
    assert decompress_rtf(b"") == b""


def test_a_reference_repeats_what_came_before_and_one_to_itself_is_the_end() -> None:
    # the dictionary begins with "{\rtf1\ansi": offset 0, ten characters
    from_dictionary = b"\x01" + struct.pack(">H", (0 << 4) | 8) + b"!"
    assert decompress_rtf(_packed(b"LZFu", from_dictionary, 11)) == b"{\\rtf1\\ans!"
    start = len(b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript ")
    start += len(b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n")
    start += len(b"\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx")
    overlapping = b"\x02a" + struct.pack(">H", (start << 4) | 3)
    assert decompress_rtf(_packed(b"LZFu", overlapping, 6)) == b"aaaaaa"
    ended = b"\x02a" + struct.pack(">H", ((start + 1) << 4) | 3) + b"never"
    assert decompress_rtf(_packed(b"LZFu", ended, 100)) == b"a"


def test_the_words_are_read_and_tables_of_fonts_are_not() -> None:
    rtf = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\generator Msftedit}Halo \'e9\par baris\tab dua \{x\}\~y}"
    html, text = rtf_to_html_or_text(rtf)
    assert html == "" and text.startswith("Halo é\nbaris") and "dua {x}" in text and "Arial" not in text
    assert "Msftedit" not in text
    assert rtf_to_html_or_text(b"no rtf") == ("", "")


def test_unicode_takes_the_place_of_its_substitutes() -> None:
    assert rtf_to_html_or_text(rb"{\rtf1\uc1 \u8364 ?uro \u-3913 ?}")[1].startswith("€uro")
    assert rtf_to_html_or_text(rb"{\rtf1\uc2 \u8364 ??uro}") == ("", "€uro")


def test_html_that_it_carries_comes_back_without_the_rtf_that_repeats_it() -> None:
    rtf = rb"{\rtf1\ansi\fromhtml1 {\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 "
    rtf += rb"Halo\par \htmlrtf }\htmlrtf0 {\*\htmltag72 </p>}}"
    html, text = rtf_to_html_or_text(rtf)
    assert text == "" and html.startswith("<p>Halo\n") and html.endswith("</p>")


def test_surrogates_in_two_halves_unknown_signs_and_a_stray_end_of_group() -> None:
    def text(rtf: bytes) -> str:
        return rtf_to_html_or_text(rtf)[1]

    assert text(rb"{\rtf1 a\u-10179 ?\u-8704 ?b}") == "a\U0001f600b"
    assert text(rb"{\rtf1 a\u-10179 ?b}") == "a\ufffdb"  # half a sign is none
    assert text(rb"{\rtf1 a\:b\u0 ?c}") == "abc"
    assert text(rb"{\rtf1 a}}b") == "ab"
