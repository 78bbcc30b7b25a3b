"""The journal of what was sent: what is read back, whatever a fall or a full disk left of it."""

from __future__ import annotations

import resource
import stat
from pathlib import Path

import pytest

from mailbot.store.sent_journal import SentJournal, digest_of

ONE, TWO = "<satu@helpdesk.example>", "<dua@helpdesk.example>"


def test_what_was_noted_is_read_back_by_whoever_opens_it_next(tmp_path: Path) -> None:
    path = tmp_path / "mailbot.sent"
    journal = SentJournal(path)
    assert journal.entries() == {}
    journal.note([(1, ONE), (2, TWO)])
    journal.note([])
    journal.close()
    assert SentJournal(path).entries() == {1: digest_of(ONE), 2: digest_of(TWO)}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"helpdesk.example" not in path.read_bytes()


def test_what_the_database_knows_is_forgotten(tmp_path: Path) -> None:
    journal = SentJournal(tmp_path / "mailbot.sent")
    journal.note([(1, ONE)])
    journal.clear()
    assert journal.entries() == {}
    journal.note([(2, TWO)])
    assert journal.entries() == {2: digest_of(TWO)}
    journal.close()


@pytest.mark.parametrize("lost", range(1, 28))
def test_a_line_that_was_cut_says_nothing_and_the_next_one_counts(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "mailbot.sent"
    journal = SentJournal(path)
    journal.note([(1, ONE)])
    whole = path.read_bytes()
    journal.note([(2, TWO)])
    path.write_bytes(path.read_bytes()[:-lost])
    assert journal.entries() == {1: digest_of(ONE)}, whole
    journal.note([(3, TWO)])
    assert journal.entries() == {1: digest_of(ONE), 3: digest_of(TWO)}
    journal.close()


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    journal = SentJournal(tmp_path / "mailbot.sent")
    journal.note([(1, ONE)])
    size = (tmp_path / "mailbot.sent").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5, before[1]))  # Python ignores SIGXFSZ
    try:
        with pytest.raises(OSError, match=r"only part of a line|too large"):
            journal.note([(2, TWO)])
        with pytest.raises(OSError, match="too large"):
            journal.note([(2, TWO)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert journal.entries() == {1: digest_of(ONE)}
    journal.note([(2, TWO)])
    assert journal.entries() == {1: digest_of(ONE), 2: digest_of(TWO)}
    journal.close()


def test_noise_is_no_entry(tmp_path: Path) -> None:
    path = tmp_path / "mailbot.sent"
    path.write_bytes(b"\n\n1\n1 2 3\nx y 00000000\n\xff\xfe\n1 0123456789abcdef 00000000")
    assert SentJournal(path).entries() == {}
