"""Parsing of the `#…` lines of an agent's mail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.ticket.command_parser import (
    CommandError,
    Commands,
    Fault,
    Verb,
    parse_commands,
)
from mailbot.vocabulary.commands import SUGGESTED, VERBS


def one_error(words: str) -> CommandError:
    parsed = parse_commands(words)
    assert len(parsed.errors) == 1, parsed
    return parsed.errors[0]


@pytest.mark.parametrize(
    ("line", "verb"),
    [
        ("#selesai", Verb.SOLVE), ("#solved", Verb.SOLVE), ("#tunggu", Verb.WAIT), ("#pending", Verb.WAIT),
        ("#proses", Verb.PROCEED), ("#open", Verb.PROCEED), ("#catatan", Verb.NOTE), ("#note", Verb.NOTE),
        ("#ambil", Verb.TAKE), ("#take", Verb.TAKE), ("#spam", Verb.SPAM), ("#bantuan", Verb.HELP),
        ("#help", Verb.HELP), ("#SELESAI", Verb.SOLVE), ("#Selesai", Verb.SOLVE), ("# selesai", Verb.SOLVE),
        ("＃selesai", Verb.SOLVE), ("\xa0#selesai", Verb.SOLVE), ("#selesai\xa0", Verb.SOLVE),
        ("   #selesai", Verb.SOLVE),
        ("\ufeff#selesai", Verb.SOLVE), ("\u200b#selesai", Verb.SOLVE), ("#\u200bselesai", Verb.SOLVE),
        ("#selesai.", Verb.SOLVE), ("#selesai!", Verb.SOLVE), ("*#selesai*", Verb.SOLVE), ("\\#selesai", Verb.SOLVE),
        ("##selesai", Verb.SOLVE), ("#selesai\r", Verb.SOLVE), ("#help gabung", Verb.HELP),
    ],
)  # fmt: skip
def test_a_command_without_argument(line: str, verb: Verb) -> None:
    parsed = parse_commands(f"{line}\nSudah kami perbaiki.")
    assert [c.verb for c in parsed.commands] == [verb]
    assert parsed.errors == ()
    assert parsed.words == "Sudah kami perbaiki."


@pytest.mark.parametrize(
    "argument",
    [
        "budi@x.sch.id", "BUDI@X.sch.id", "<budi@x.sch.id>", "mailto:budi@x.sch.id", "<mailto:budi@x.sch.id>",
        "budi@x.sch.id<mailto:budi@x.sch.id>", "budi@x.sch.id <mailto:budi@x.sch.id>",
        "[budi@x.sch.id](mailto:budi@x.sch.id)",
        "Budi Santoso <budi@x.sch.id>", '"Santoso, Budi" <budi@x.sch.id>', "ke budi@x.sch.id", "to budi@x.sch.id",
        ": budi@x.sch.id", "= budi@x.sch.id", "budi@x.sch.id.", "budi@x.sch.id,", "\xa0budi@x.sch.id",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("word", "verb"), [("#oper", Verb.ASSIGN), ("#assign", Verb.ASSIGN), ("#pelapor", Verb.REQUESTER)]
)
def test_an_address_in_every_form_that_mail_clients_make_of_it(word: str, verb: Verb, argument: str) -> None:
    parsed = parse_commands(f"{word} {argument}")
    assert parsed.errors == ()
    assert [(c.verb, c.email) for c in parsed.commands] == [(verb, "budi@x.sch.id")]


@pytest.mark.parametrize(
    ("line", "number", "force"),
    [
        ("#gabung 12001", 12001, False), ("#merge #12001", 12001, False), ("#gabung # 12001", 12001, False),
        ("#gabung ke 12001", 12001, False), ("#gabung ke tiket #12001", 12001, False),
        ("#merge into #12001.", 12001, False),
        ("#gabung 12001 paksa", 12001, True), ("#gabung #12001 PAKSA", 12001, True),
        ("#merge 12001 force", 12001, True),
        ("#gabung #１２００１", 12001, False),
    ],
)  # fmt: skip
def test_a_merge(line: str, number: int, force: bool) -> None:
    parsed = parse_commands(line)
    assert parsed.errors == ()
    assert [(c.verb, c.number, c.force) for c in parsed.commands] == [(Verb.MERGE, number, force)]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("#prioritas rendah", "low"), ("#prioritas Normal", "normal"), ("#prioritas tinggi", "high"),
        ("#prioritas MENDESAK", "urgent"), ("#priority low", "low"), ("#priority: high", "high"),
        ("#priority urgent.", "urgent"),
    ],
)  # fmt: skip
def test_a_priority(line: str, value: str) -> None:
    assert [(c.verb, c.value) for c in parse_commands(line).commands] == [(Verb.PRIORITY, value)]


def test_tags_programs_and_macros_take_the_rest_of_the_line() -> None:
    parsed = parse_commands("#tag BKU, arkas #sinkron bku\n#tag dapodik\n#program BOSP Reguler\n#makro minta-npsn")
    assert parsed.errors == ()
    assert [(c.verb, c.value, c.values) for c in parsed.commands] == [
        (Verb.TAG, "", ("bku", "arkas", "sinkron", "dapodik")),
        (Verb.PROGRAM, "BOSP Reguler", ()),
        (Verb.MACRO, "minta-npsn", ()),
    ]


def test_the_block_ends_at_the_first_line_of_words() -> None:
    parsed = parse_commands(
        "\n \xa0\n#ambil\n\n  #tag bku\n\nHalo Bapak/Ibu,\n#selesai tidak dibaca di sini\n\nHormat\n\n"
    )
    assert [(c.verb, c.line, c.line_number) for c in parsed.commands] == [
        (Verb.TAKE, "#ambil", 3),
        (Verb.TAG, "#tag bku", 5),
    ]
    assert parsed.words == "Halo Bapak/Ibu,\n#selesai tidak dibaca di sini\n\nHormat"


@pytest.mark.parametrize("words", ["Halo\n#selesai", "> #selesai\n", "", "   \n\n", "Nomor #12345", "|#selesai"])
def test_words_alone_hold_no_command(words: str) -> None:
    parsed = parse_commands(words)
    assert (parsed.commands, parsed.errors) == ((), ())
    assert parsed.words == words.strip()


def test_several_commands_may_share_a_line() -> None:
    parsed = parse_commands("#oper budi@x.id #prioritas tinggi #catatan tolong dicek\nDari telepon.")
    assert [c.verb for c in parsed.commands] == [Verb.ASSIGN, Verb.PRIORITY, Verb.NOTE]
    assert parsed.errors == ()
    assert parsed.words == "tolong dicek\nDari telepon."


def test_the_words_on_the_line_of_a_note_belong_to_it() -> None:
    parsed = parse_commands("#catatan: sudah saya telepon\n#ambil\n\nBesok lagi.")
    assert [c.verb for c in parsed.commands] == [Verb.NOTE, Verb.TAKE]
    assert parsed.words == "sudah saya telepon\nBesok lagi."


@pytest.mark.parametrize(
    ("line", "found", "first"),
    [
        ("#selsai", "#selsai", "#selesai"), ("#gabing 12001", "#gabing", "#gabung"),
        ("#asign budi@x.id", "#asign", "#assign"),
        ("#prioriti tinggi", "#prioriti", "#prioritas"), ("#qwerty", "#qwerty", "#selesai"),
        ("#12345 mohon dicek", "#12345", "#selesai"), ("#", "#", "#selesai"), ("#1. Buka ARKAS", "#1", "#selesai"),
    ],
)  # fmt: skip
def test_an_unknown_command_is_never_lost(line: str, found: str, first: str) -> None:
    error = one_error(f"\n{line}\nwords")
    assert (error.fault, error.line, error.line_number, error.found) == (Fault.UNKNOWN, line, 2, found)
    assert first in error.possible


@pytest.mark.parametrize(
    ("line", "fault", "found"),
    [
        ("#oper", Fault.MISSING_ARGUMENT, ""),
        ("#oper sally", Fault.BAD_ARGUMENT, "sally"),
        ("#oper budi@", Fault.BAD_ARGUMENT, "budi@"),
        ("#oper budi@localhost", Fault.BAD_ARGUMENT, "budi@localhost"),
        ("#oper budi@x.id dan sally@x.id", Fault.SURPLUS_ARGUMENT, "sally@x.id"),
        ("#oper budi@x.id segera", Fault.SURPLUS_ARGUMENT, "segera"),
        ("#oper saudara budi@x.id", Fault.SURPLUS_ARGUMENT, "saudara"),
        ("#pelapor", Fault.MISSING_ARGUMENT, ""),
        ("#gabung", Fault.MISSING_ARGUMENT, ""),
        ("#gabung paksa", Fault.MISSING_ARGUMENT, ""),
        ("#gabung dua", Fault.BAD_ARGUMENT, "dua"),
        ("#gabung 0", Fault.BAD_ARGUMENT, "0"),
        ("#gabung 12001 12002", Fault.SURPLUS_ARGUMENT, "12002"),
        ("#prioritas", Fault.MISSING_ARGUMENT, ""),
        ("#prioritas tingi", Fault.BAD_ARGUMENT, "tingi"),
        ("#prioritas tinggi sekali", Fault.SURPLUS_ARGUMENT, "sekali"),
        ("#tag", Fault.MISSING_ARGUMENT, ""),
        ("#tag ,", Fault.MISSING_ARGUMENT, ""),
        ("#makro", Fault.MISSING_ARGUMENT, ""),
        ("#program", Fault.MISSING_ARGUMENT, ""),
        ("#selesai terima kasih", Fault.SURPLUS_ARGUMENT, "terima kasih"),
        ("#spam ya", Fault.SURPLUS_ARGUMENT, "ya"),
    ],
)
def test_an_argument_that_cannot_be_read(line: str, fault: Fault, found: str) -> None:
    error = one_error(line)
    assert (error.fault, error.line, error.line_number, error.found) == (fault, line, 1, found)
    assert parse_commands(line).commands == ()


def test_a_bad_priority_names_the_near_ones() -> None:
    assert one_error("#prioritas tingi").possible == ("tinggi",)
    assert set(one_error("#prioritas xyz").possible) >= {"rendah", "tinggi", "urgent"}


@pytest.mark.parametrize(
    ("block", "line_number", "found"),
    [
        ("#selesai\n#tunggu", 2, "#selesai"),
        ("#proses\n#ambil\n#selesai", 3, "#proses"),
        ("#spam\n#selesai", 2, "#spam"),
        ("#gabung 12001\n#selesai", 2, "#gabung 12001"),
        ("#gabung 12001\n#gabung 12002", 2, "#gabung 12001"),
        ("#ambil\n#oper budi@x.id", 2, "#ambil"),
        ("#oper budi@x.id\n#assign sally@x.id", 2, "#oper budi@x.id"),
        ("#prioritas tinggi\n#priority low", 2, "#prioritas tinggi"),
        ("#pelapor a@x.id\n#pelapor b@x.id", 2, "#pelapor a@x.id"),
        ("#program A\n#program B", 2, "#program A"),
    ],
)
def test_what_contradicts_is_an_error_of_the_later_line(block: str, line_number: int, found: str) -> None:
    error = one_error(block)
    assert (error.fault, error.line_number, error.found) == (Fault.CONFLICT, line_number, found)


@pytest.mark.parametrize(
    ("block", "verbs"),
    [
        ("#selesai\n#solved\n#SELESAI", [Verb.SOLVE]),
        ("#catatan\n#selesai", [Verb.NOTE, Verb.SOLVE]),
        ("#catatan\n#tunggu", [Verb.NOTE, Verb.WAIT]),
        ("#ambil\n#selesai\n#tag a\n#prioritas rendah", [Verb.TAKE, Verb.SOLVE, Verb.TAG, Verb.PRIORITY]),
        ("#oper budi@x.id\n#assign BUDI@x.id", [Verb.ASSIGN]),
        ("#prioritas tinggi\n#priority high", [Verb.PRIORITY]),
    ],
)
def test_what_goes_together(block: str, verbs: list[Verb]) -> None:
    parsed = parse_commands(block)
    assert parsed.errors == ()
    assert [c.verb for c in parsed.commands] == verbs


def test_good_lines_are_read_beside_bad_ones_and_errors_keep_their_order() -> None:
    parsed = parse_commands("#tunggu\n#oper\n#selesai\n#apa\nHalo")
    assert [(e.fault, e.line_number) for e in parsed.errors] == [
        (Fault.MISSING_ARGUMENT, 2),
        (Fault.CONFLICT, 3),
        (Fault.UNKNOWN, 4),
    ]
    assert parsed.words == "Halo"


def test_every_suggested_word_is_known_and_every_verb_has_one() -> None:
    assert set(SUGGESTED) <= set(VERBS)
    assert {VERBS[w] for w in SUGGESTED} == {v.value for v in Verb}


@given(st.text(alphabet=st.sampled_from("#＃ \n\xa0abceilnops@.<>[]()'\"1:mt-"), max_size=120))
def test_any_text_is_parsed_without_an_exception(words: str) -> None:
    parsed = parse_commands(words)
    for command in parsed.commands:
        assert command.line in words
    for error in parsed.errors:
        assert words.split("\n")[error.line_number - 1].strip() == error.line


def test_no_letter_at_the_end_of_an_argument_is_taken_for_a_sign() -> None:
    def only(line: str) -> object:
        [command] = parse_commands(line).commands
        return command.email or command.value or command.values

    assert only("#tag X1X abc_") == ("x1x", "abc_")
    assert only("*#tag abcX*") == ("abcx",)
    assert only("#program XBOSX") == "XBOSX"
    assert only("#oper Xena@x.sch.idX") == "xena@x.sch.idx"
    assert parse_commands("XX\nXX").words == "XX\nXX" and parse_commands("X#selesai").commands == ()
    assert (one_error("#selesai X").found, one_error("#gabung X12001X").found) == ("X", "X12001X")
    assert one_error("#oper budi@x.sch.id segeraX").found == "segeraX"


def test_what_is_too_much_is_shown_as_it_was_typed() -> None:
    assert one_error("#gabung 12001 ya segera").found == "ya segera"
    assert one_error("#prioritas tinggi sekali ya").found == "sekali ya"
    assert one_error("#gabung").found == "" and parse_commands("").words == Commands().words == ""


def test_a_name_may_stand_before_an_address_in_square_brackets() -> None:
    assert [c.email for c in parse_commands("#oper Budi [budi@x.sch.id]").commands] == ["budi@x.sch.id"]


def test_of_an_endless_line_the_first_five_hundred_characters_are_read() -> None:
    [command] = parse_commands("#tag " + "x" * 494 + "yz").commands
    assert command.values == ("x" * 494 + "y",)


def test_of_many_words_that_are_like_it_three_are_suggested() -> None:
    assert one_error("#pror").possible == ("#program", "#priority", "#prioritas")
