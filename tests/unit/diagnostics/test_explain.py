"""What a mail says by itself: facts, every rule that fired, the cut, intent, commands, clues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.diagnostics.explain.document import explain_raw
from mailbot.diagnostics.explain.mail_facts import authentication, read_mail
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.reply_token import Purpose, Signer

SIGNER = Signer((b"k" * 32,))
TOKEN = str(SIGNER.sign(Purpose.REQUESTER, 12345, "acha@sekolah.example"))
REPLY = (
    "From: Acha <acha@sekolah.example>\r\n"
    f"To: Helpdesk <support+{TOKEN}@helpdesk.example>\r\n"
    "Subject: Re: #12345 - BKU terkunci\r\nMessage-ID: <r1@sekolah.example>\r\nReferences: <a@x> <b@x>\r\n"
    "Date: Mon, 03 Nov 2025 10:00:00 +0700\r\n\r\n"
    "Kendala masih terjadi.\r\n\r\n"
    "Pada tanggal Sen, 3 Nov 2025 pukul 09.00 Sally <support@helpdesk.example> menulis:\r\n\r\n"
    "> Sudah kami perbaiki.\r\n"
).encode()


def test_without_a_desk_a_clue_is_neither_believed_nor_refused() -> None:
    found = explain_raw(REPLY)
    clues = [(clue["kind"], clue["ticket"], clue["counts"]) for clue in found["evidence"]["clues"]]
    assert clues == [
        ("token", 12345, None), ("reference", None, None), ("reference", None, None), ("tag", 12345, None)
    ]  # fmt: skip
    assert found["evidence"]["route"] is None
    assert found["outcome"] is None
    assert [clue["value"] for clue in found["evidence"]["clues"]][1:3] == ["<b@x>", "<a@x>"]  # newest first


def test_the_cut_shows_what_is_hidden_and_which_rule_cut() -> None:
    words = explain_raw(REPLY)["words"]
    assert words["text"] == "Kendala masih terjadi."
    assert "Sudah kami perbaiki" in words["quoted"]
    assert words["rule"] == "attribution:id"


def test_the_intent_comes_with_what_each_clause_says() -> None:
    intent = explain_raw(REPLY)["intent"]
    assert intent["intent"] == "still_broken"
    assert intent["clauses"] == [{"clause": "Kendala masih terjadi", "says": ["broken"]}]


def test_every_rule_that_has_a_reason_is_told_and_the_first_decided() -> None:
    raw = (
        b"From: mailer-daemon@x.example\r\nTo: support@helpdesk.example\r\nReturn-Path: <>\r\nSubject: away\r\n"
        b"Auto-Submitted: auto-replied\r\nPrecedence: junk\r\n\r\nI am away.\r\n"
    )
    verdict = explain_raw(raw)["verdict"]
    rules = [rule["rule"] for rule in verdict["rules"]]
    assert rules[:2] == ["auto-submitted", "precedence"]
    assert {"daemon", "null-sender"} < set(rules)
    assert [rule["decided"] for rule in verdict["rules"]] == [True] + [False] * (len(rules) - 1)
    assert (verdict["kind"], verdict["rule"]) == ("auto", "auto-submitted")
    assert explain_raw(raw)["intent"] is None  # an automatic mail has no intent


def test_a_persons_mail_fires_no_rule() -> None:
    verdict = explain_raw(REPLY)["verdict"]
    assert (verdict["kind"], verdict["rules"]) == ("human", [])


def test_commands_and_their_faults_name_their_lines() -> None:
    raw = REPLY.replace(b"Kendala masih terjadi.", b"#selesai\r\n#slesai\r\nSudah.")
    commands = explain_raw(raw)["commands"]
    assert [(each["line"], each["verb"]) for each in commands["commands"]] == [(1, "solve")]
    assert [(each["line"], each["fault"]) for each in commands["errors"]] == [(2, "unknown")]
    assert explain_raw(REPLY)["commands"] is None


@pytest.mark.parametrize(
    ("trusted", "why"),
    [((), "names no server"), (("mx.other.example",), "none of them"), (("mx.helpdesk.example",), "topmost field")],
)
def test_whose_word_on_the_sender_counts(trusted: tuple[str, ...], why: str) -> None:
    field = b"Authentication-Results: mx.helpdesk.example; dmarc=pass header.from=sekolah.example\r\n"
    own = OwnIdentity(frozenset({"support@helpdesk.example"}), "", trusted)
    mail = read_mail(field + REPLY, own)
    found = authentication(mail.message, own)
    assert why in found["why"]
    assert found["dmarc"] == ("pass" if why == "topmost field" else None)
    assert len(found["fields"]) == 1


def test_defects_are_facts() -> None:
    raw = REPLY.replace(b"From: Acha", b"From: other@x.example\r\nFrom: Acha", 1)
    assert "duplicate-from" in explain_raw(raw)["mail"]["defects"]


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_bytes_can_be_explained(raw: bytes) -> None:
    found: dict[str, Any] = explain_raw(raw)
    assert json.loads(json.dumps(found)) == found  # a plain document, whatever the mail was


def test_fixtures_are_explained(request: pytest.FixtureRequest) -> None:
    mails = sorted((Path(str(request.config.rootpath)) / "fixtures" / "emails").rglob("*.eml"))
    assert len(mails) > 20
    for path in mails:
        found = explain_raw(path.read_bytes())
        decided = [rule["rule"] for rule in found["verdict"]["rules"] if rule["decided"]]
        assert decided == ([] if found["verdict"]["rule"] == "person" else [found["verdict"]["rule"]]), path.name
