"""Mail in files: one, many, none; nothing is done if a name is wrong."""

from __future__ import annotations

import io
import mailbox
import os
import sys
from pathlib import Path

import pytest

from mailbot.cli.mail_files import find_mail_files
from mailbot.errors import UsageError

FIRST = b"Subject: one\nFrom: a@b.id\n\nFrom here on it fails.\n\nFrom\n"
SECOND = b"Subject: two\n\n>From the start\n"


def raws(*names: Path) -> list[bytes]:
    return [mail.raw for mail in find_mail_files(list(names)).mails()]


def test_a_single_mail_is_taken_byte_for_byte(tmp_path: Path) -> None:
    raw = b"Subject: x\r\n\r\n\x00\xff last line without an end"
    (tmp_path / "x.eml").write_bytes(raw)
    [mail] = find_mail_files([tmp_path / "x.eml"]).mails()
    assert (mail.raw, mail.location, mail.size) == (raw, str(tmp_path / "x.eml"), len(raw))


def test_an_mbox_gives_each_mail_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(
        b"From a@b.id Mon Nov 24 08:00:00 2025\nSubject: one\nFrom: a@b.id\n\n>From here on it fails.\n\nFrom\n\n"
        b"From c@d.id Mon Nov 24 08:00:01 2025\nSubject: two\n\n>>From the start\n\n"
    )
    mails = list(find_mail_files([path]).mails())
    assert [mail.raw for mail in mails] == [FIRST, SECOND]
    assert [mail.location for mail in mails] == [f"{path}:1", f"{path}:2"]
    assert sum(mail.size for mail in mails) == path.stat().st_size


def test_what_pythons_own_mbox_wrote_is_read_back(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box")
    for raw in (FIRST.replace(b"From\n", b"\n"), b"Subject: three\n\nhello\n"):
        box.add(raw)
    box.close()
    assert raws(tmp_path / "box") == [FIRST.replace(b"From\n", b"\n"), b"Subject: three\n\nhello\n"]


def test_a_mail_that_begins_with_a_from_field_is_no_mbox(tmp_path: Path) -> None:
    raw = b"From: a@b.id\nSubject: x\n\nhi\n\nFrom now on\n"
    (tmp_path / "x").write_bytes(raw)
    assert raws(tmp_path / "x") == [raw]


def test_a_maildir_gives_read_and_new_mail_oldest_first(tmp_path: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "cur" / "1700000002.a:2,S").write_bytes(b"Subject: 2\n\n")
    (tmp_path / "new" / "1700000001.b").write_bytes(b"Subject: 1\n\n")
    (tmp_path / "tmp" / "1700000000.c").write_bytes(b"half a mail")
    assert raws(tmp_path) == [b"Subject: 1\n\n", b"Subject: 2\n\n"]


def test_a_folder_gives_every_eml_below_it(tmp_path: Path) -> None:
    (tmp_path / "2025" / "11").mkdir(parents=True)
    (tmp_path / "2025" / "11" / "a.EML").write_bytes(b"Subject: a\n\n")
    (tmp_path / "2025" / "b.eml").write_bytes(b"Subject: b\n\n")
    (tmp_path / "notes.txt").write_text("no mail")
    assert sorted(raws(tmp_path)) == [b"Subject: a\n\n", b"Subject: b\n\n"]


def test_stdin_may_hold_one_mail_or_many(monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BytesIO(b"From x\nSubject: 1\n\na\n\nFrom y\nSubject: 2\n\nb\n\n")

    monkeypatch.setattr(sys, "stdin", Input)
    assert [(mail.raw, mail.location) for mail in find_mail_files([Path("-")]).mails()] == [
        (b"Subject: 1\n\na\n", "stdin:1"),
        (b"Subject: 2\n\nb\n", "stdin:2"),
    ]


def test_an_empty_file_is_no_mail(tmp_path: Path) -> None:
    (tmp_path / "empty.eml").write_bytes(b"\n")
    assert raws(tmp_path / "empty.eml") == []


def test_all_wrong_names_are_said_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "good.eml").write_bytes(FIRST)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError) as error:
        find_mail_files([tmp_path / "good.eml", tmp_path / "none.eml", tmp_path / "folder"])
    assert str(error.value).replace(str(tmp_path), "") == (
        "nothing was read:\n  /none.eml: there is no such file\n"
        "  /folder: is neither a Maildir nor a folder with .eml files"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.eml").write_bytes(FIRST)
    (tmp_path / "x.eml").chmod(0)
    with pytest.raises(UsageError, match=r"x\.eml: may not be read"):
        find_mail_files([tmp_path / "x.eml"])
