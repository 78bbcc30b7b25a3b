"""The reference pages say what the code does: `make reference` writes them, and nobody edits them by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.config.layers import tables
from tools import reference


@pytest.mark.parametrize("page", reference.PAGES, ids=lambda page: page.name)
def test_a_page_is_current(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == reference.PAGES[page](), "run `make reference`"


def test_every_key_has_a_meaning() -> None:
    classes = reference.classes()
    missing = [
        f"[{name}] {key}"
        for name, keys in tables().items()
        for key in keys
        if not reference.meanings(reference.declaring(classes[name], key))[key]
    ]
    assert missing == []


def test_a_comment_that_was_edited_in_the_example_is_put_right_and_its_value_kept() -> None:
    edited = '[imap]\nhost = "mail.example"  # somewhere else\n                         #   and more of it\n\n# ours\n'
    found = reference.example(edited).splitlines()
    assert found[1] == 'host = "mail.example"'.ljust(42) + "# name or address of the server"
    assert found[2:] == ["", "# ours"]


def test_a_key_without_a_page_entry_would_be_seen() -> None:
    page = reference.configuration()
    for name, keys in tables().items():
        section = page.partition(f"[{name}]" + ("]" if name in reference.LISTS else "") + "`\n")[2].partition("\n## ")[
            0
        ]
        own = keys if name != "mailbox" else ("name", "address", "program")
        assert [key for key in own if f"| `{key}` |" not in section] == []
