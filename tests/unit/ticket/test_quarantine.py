"""A lead's commands in answer to the list of the quarantine, and what is refused."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.ticket.quarantine import (
    QuarantineCommand,
    QuarantineFault,
    QuarantineVerb,
    parse_quarantine_commands,
    resolve,
)

R, D = QuarantineVerb.RELEASE, QuarantineVerb.DISCARD


def settled(text: str, listed: int = 9) -> tuple[dict[int, QuarantineVerb], list[QuarantineFault]]:
    parsed = parse_quarantine_commands(text)
    commands, errors = resolve(parsed.commands, listed)
    return {n: command.verb for n, command in commands.items()}, [e.fault for e in (*parsed.errors, *errors)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lepas 3", {3: R}),
        ("hapus 1 2", {1: D, 2: D}),
        ("#lepas #3\n#hapus #1, #2", {1: D, 2: D, 3: R}),
        ("Release 3\r\nDISCARD 1,2;4", {1: D, 2: D, 3: R, 4: D}),
        ("lepas 1-3 dan 5", {1: R, 2: R, 3: R, 5: R}),
        ("lepas 1 – 3", {1: R, 2: R, 3: R}),
        ("lepas 2 sampai 3", {2: R, 3: R}),
        ("hapus 2 s/d 3.", {2: D, 3: D}),
        ("lepas email nomor 3 ya", {3: R}),
        ("*lepas* [3]", {3: R}),
        ("lepas\u00a03\u200b", {3: R}),
        ("lepas ３", {3: R}),
        ("lepas 3, hapus 1 2", {1: D, 2: D, 3: R}),
        ("lepas 3\nlepas 3", {3: R}),
        ("\n\n lepas: 3\n\nTerima kasih,\nBudi\nRuang dua", {3: R}),
        ("lepas 3\n\n-- \nBudi 0812-3456-7890", {3: R}),
        ("lepas # 3", {3: R}),
        ("\n" * 299 + "lepas 3", {3: R}),
    ],
)
def test_commands(text: str, expected: dict[int, QuarantineVerb]) -> None:
    assert settled(text) == (expected, [])


@pytest.mark.parametrize("word", ["semua", "all", "Semuanya"])
def test_everything(word: str) -> None:
    assert settled(f"hapus {word}", 3) == ({1: D, 2: D, 3: D}, [])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", QuarantineFault.NO_COMMAND),
        ("Siapa yang mengirim ini?", QuarantineFault.NO_COMMAND),
        ("hpaus 2", QuarantineFault.UNKNOWN),
        ("#tutup 2", QuarantineFault.UNKNOWN),
        ("3", QuarantineFault.NO_COMMAND),
        ("1 2", QuarantineFault.UNKNOWN),
        ("lepas", QuarantineFault.NO_NUMBER),
        ("lepas hapus 3", QuarantineFault.NO_NUMBER),
        ("lepas tiga", QuarantineFault.BAD_NUMBER),
        ("lepas 5-2", QuarantineFault.BAD_NUMBER),
        ("lepas 1-999999", QuarantineFault.BAD_NUMBER),
        ("lepas 12345678", QuarantineFault.BAD_NUMBER),
        ("hapus semua kecuali 3", QuarantineFault.BAD_NUMBER),
        ("lepas X3", QuarantineFault.BAD_NUMBER),
        ("lepas 1-1002", QuarantineFault.BAD_NUMBER),
        ("lepas 1-1001", QuarantineFault.NOT_LISTED),
        ("hpaus satu 2", QuarantineFault.NO_COMMAND),
        ("Halo,\nlepas", QuarantineFault.NO_COMMAND),
        ("Halo,\nlepas dulu 3", QuarantineFault.NO_COMMAND),
        ("\n" * 300 + "lepas 3", QuarantineFault.NO_COMMAND),
        ("lepas 10", QuarantineFault.NOT_LISTED),
        ("lepas 0", QuarantineFault.NOT_LISTED),
        ("lepas 3\nhapus 3", QuarantineFault.CONFLICT),
        ("lepas 3\nhapus semua", QuarantineFault.CONFLICT),
        ("Halo,\nlepas 3", QuarantineFault.NOT_AT_TOP),
        ("lepas 3\nTolong juga:\nhapus 2", QuarantineFault.NOT_AT_TOP),
    ],
)
def test_what_is_refused(text: str, fault: QuarantineFault) -> None:
    assert settled(text)[1] == [fault]


def test_an_error_names_its_line() -> None:
    [error] = parse_quarantine_commands("lepas 1\n\nhapus dua").errors
    assert (error.line_number, error.line, error.found) == (3, "hapus dua", "dua")


@given(st.text(max_size=400) | st.from_regex(r"((lepas|hapus|#|all|[0-9]{1,7}|-| |\n){1,30})", fullmatch=True))
def test_any_text_gives_commands_or_errors(text: str) -> None:
    parsed = parse_quarantine_commands(text)
    assert bool(parsed.commands) or bool(parsed.errors)
    commands, errors = resolve(parsed.commands, 5)
    assert errors or all(1 <= number <= 5 for number in commands)


def test_a_hostile_mail_is_read_in_no_time() -> None:
    begun = time.process_time()
    for text in ("lepas " + "1 sampai " * 100_000, "lepas 1-1000 " * 30_000, "#" * 500_000, "a 1\n" * 100_000):
        parse_quarantine_commands(text)
    assert time.process_time() - begun < 2


def test_what_is_wrong_is_shown_as_it_was_meant_and_cut() -> None:
    [error] = parse_quarantine_commands("lepas X3").errors
    assert error.found == "x3"
    [nothing] = parse_quarantine_commands("").errors
    assert (nothing.line, nothing.line_number, nothing.found) == ("", 0, "")
    long = "lepas 3".ljust(499) + "45"  # the 500th character is the 4
    assert [command.numbers for command in parse_quarantine_commands(long).commands] == [(3, 4)]
    [strange] = parse_quarantine_commands("lepas x" + "y" * 600).errors
    assert len(strange.line) == 500
    assert not QuarantineCommand(QuarantineVerb.RELEASE, "lepas", 1).everything
