"""Mails as real clients make them, each with what must come of it: fixtures/emails, run through the pure path.

fixtures/emails/README.md says how to read one and how to add one.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.fixture_desk import FIXTURES, read_desk, refuse_unknown, walk

MAILS = sorted(FIXTURES.glob("*/*.eml"))
CLASSES = {
    "report", "reply", "follow_up", "answer", "forward", "bounce", "auto", "list", "forged", "status", "attachment",
    "malformed",
}  # fmt: skip
FACTS = {
    "from", "from_name", "subject", "message_id", "date", "attachments", "nested", "security", "defects",
    "kind", "rule", "returns_on", "bounce",
    "words", "nothing_new", "quoted", "signature", "intent", "commands", "to_requester", "refusals", "forward",
    "evidence", "elsewhere", "named",
    "fate", "event", "ticket", "status", "close_reason", "recorded_as", "hidden", "effects", "title", "requester",
    "follow_up_of", "participants", "agent", "priority", "tags",
}  # fmt: skip


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", MAILS, ids=name_of)
def test_what_comes_of_a_mail(path: Path) -> None:
    case = json.loads(path.with_suffix(".json").read_text("utf-8"))
    refuse_unknown(case, {"about", "client", "desk", "expect"}, "the fixture")
    refuse_unknown(case["expect"], FACTS, "expect")
    assert walk(path.read_bytes(), read_desk(case.get("desk", {}))) == case["expect"]


def test_each_mail_has_its_expectation_and_each_expectation_its_mail() -> None:
    mails = {name_of(path) for path in MAILS}
    assert mails == {name_of(path) for path in FIXTURES.glob("*/*.json")}


def test_every_class_is_there() -> None:
    assert {path.parent.name for path in MAILS} == CLASSES
