"""`mailbot explain` on a desk: what was verified, why this ticket, what came of it, what went out. It only looks."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest

from mailbot.cli.exit_codes import run_to_exit
from mailbot.diagnostics.explain.evidence import PURPOSES
from mailbot.mail.reply_token import Purpose
from mailbot.transport.smtp.submission import Deferred
from tests.support.people import (
    ACHA,
    BUDI,
    SALLY,
    TryDesk,
)

Explain = Callable[..., Any]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TryDesk]:
    desk = TryDesk(tmp_path / "data")
    yield desk
    desk.close()


@pytest.fixture
def explain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    for name in [*os.environ]:
        if name.startswith("MAILBOT") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)
    config = tmp_path / "config.toml"
    config.write_text(
        '[helpdesk]\nfirst_ticket_number = 12345\n[storage]\ndata_dir = "data"\n[imap]\nsecurity = "none"\n'
        f'[smtp]\nsecurity = "none"\n[[agents]]\nname = "Sally"\nemail = "{SALLY}"\n'
    )

    def run(what: object, *arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run_to_exit(["explain", str(what), *arguments, "--config", str(config)])
        return (code, *capfd.readouterr())

    return run


def document(explain: Explain, what: object) -> Any:
    code, out, err = explain(what, "--json")
    assert code == 0, err
    return json.loads(out)


def clue(found: Any, kind: str) -> Any:
    return next(each for each in found["evidence"]["clues"] if each["kind"] == kind)


def test_a_reply_is_explained_from_clue_to_what_went_out(desk: TryDesk, explain: Explain) -> None:
    desk.opened()
    answer = desk.answered()
    desk.pass_time(minutes=5)
    desk.reply(answer, ACHA, "NPSN kami 20512345.")
    found = document(explain, "<3.surat@sekolah.example>")
    token = clue(found, "token")
    assert (token["ticket"], token["counts"]) == (12345, True)
    assert f"signed for {ACHA}" in token["why"]
    assert clue(found, "reference") | {"value": ""} == {
        "kind": "reference", "value": "", "ticket": 12345, "counts": True, "why": "a mail of #12345"
    }  # fmt: skip
    assert found["evidence"]["route"]["words"] == f"#12345 by token; {ACHA} is requester"
    outcome = found["outcome"]
    assert (outcome["state"], outcome["ticket"], outcome["recorded_as"]) == ("processed", 12345, "reply")
    assert [(event["kind"], event["to"]) for event in outcome["events"]] == [("reply", None), ("status", "in_progress")]
    assert [(mail["kind"], mail["to"], mail["state"]) for mail in outcome["sent"]] == [("notification", SALLY, "sent")]
    assert found["words"]["text"] == "NPSN kami 20512345."


def test_a_forged_reply_address_is_named_as_such(desk: TryDesk, explain: Explain) -> None:
    desk.opened()
    local, _, domain = getaddresses([desk.answered()["Reply-To"]])[0][1].rpartition("@")
    desk.write("mallory@else.example", "Re: #12345", "Halo", to=f"{local[:-6]}aaaaaa@{domain}")
    found = document(explain, "3.surat@sekolah.example")
    assert clue(found, "token")["counts"] is False
    assert "not signed by this desk" in clue(found, "token")["why"]
    assert clue(found, "tag")["counts"] is False
    assert "takes no part" in clue(found, "tag")["why"]
    assert found["evidence"]["route"]["words"] == "no clue that counts: a ticket of its own; a stranger named #12345"
    assert found["outcome"]["ticket"] == 12346


def test_an_agents_unproven_mail_says_what_is_missing(desk: TryDesk, explain: Explain) -> None:
    desk.opened()
    desk.write(SALLY, "Re: #12345 - BKU", "#selesai\nSudah.")
    found = document(explain, "2.surat@sekolah.example")
    assert found["evidence"]["agent"] == SALLY
    assert "not proven by a token ([agent_mail] trust = token)" in found["evidence"]["route"]["words"]
    assert found["outcome"]["state"] == "held"
    assert [command["verb"] for command in found["commands"]["commands"]] == ["solve"]
    assert [(mail["kind"], mail["to"]) for mail in found["outcome"]["sent"]] == [("notice", SALLY)]


def test_an_answer_to_the_list_of_the_quarantine_is_explained(desk: TryDesk, explain: Explain) -> None:
    desk.write(ACHA, "Menang undian", headers={"X-Spam-Flag": "YES"})
    desk.pass_time(hours=24)
    assert desk.desk.helpdesk.send_quarantine_list()
    desk.deliver()
    listed = [mail for mail in desk.to(BUDI, "notice") if "karantina" in mail["Subject"]][-1]
    desk.reply(listed, BUDI, "lepas 1")
    found = document(explain, "2.surat@sekolah.example")
    token = clue(found, "token")
    assert "on one list of the quarantine" in token["why"] and token["counts"] is True
    assert found["outcome"]["reason"] == "orders on 1 mails of the quarantine"


def test_every_signed_address_has_a_name() -> None:
    assert set(PURPOSES) == set(Purpose)


def test_why_nobody_was_answered_is_said_where_the_answers_would_stand(desk: TryDesk, explain: Explain) -> None:
    desk.write(ACHA, "BKU", headers={"Reply-To": "orang.lain@rumah.example"})
    assert desk.to(ACHA) == []
    code, shown, _ = explain("1.surat@sekolah.example")
    assert code == 0
    sent = shown.partition("Sent because of it")[2]
    assert "no automatic answer, since it could reach somebody who did not write: asks for replies to" in sent
    assert "not_answered" not in shown


def test_the_servers_words_are_shown_for_mail_that_did_not_go_out(desk: TryDesk, explain: Explain) -> None:
    desk.verdict = lambda mail: Deferred(451, "greylisted, come back", server_gone=False)
    desk.opened()
    found = document(explain, "1.surat@sekolah.example")
    assert {mail["said"] for mail in found["outcome"]["sent"]} == {"451 greylisted, come back"}
    assert {mail["state"] for mail in found["outcome"]["sent"]} == {"pending"}
    _, out, _ = explain("1.surat@sekolah.example")
    assert "pending, 1 attempt, next attempt" in out
    assert "451 greylisted, come back" in out


def test_a_file_is_looked_up_in_the_desk(desk: TryDesk, explain: Explain, tmp_path: Path) -> None:
    raw = f"From: {ACHA}\r\nTo: support@helpdesk.example\r\nSubject: BKU\r\nMessage-ID: <f@x>\r\n\r\nHalo\r\n".encode()
    path = tmp_path / "12345"  # a file whose name is a number is a file
    path.write_bytes(raw)
    assert document(explain, path)["outcome"] is None
    desk.feed(raw)
    assert document(explain, path)["outcome"]["ticket"] == 12345


def test_a_ticket_tells_its_story_in_order(desk: TryDesk, explain: Explain) -> None:
    desk.opened()
    desk.answered()
    desk.pass_time(hours=6)
    found = document(explain, "#12345")
    assert [mail["outcome"]["recorded_as"] for mail in found["mails"]] == ["report", "answer"]
    assert [mail["kind"] for mail in found["sent"]] == [
        "acknowledgement", "notification", "notification", "answer", "reminder"
    ]  # fmt: skip
    code, out, _ = explain("12345")
    assert code == 0
    places = [out.index(words) for words in (f"→ {ACHA}", f"→ {SALLY}", "answer to", "reminder 1", "reminder to")]
    assert places == sorted(places)


def test_a_mail_of_ours_leads_to_the_one_that_it_answers(desk: TryDesk, explain: Explain) -> None:
    desk.opened()
    found = document(explain, desk.last(ACHA, "acknowledgement")["Message-ID"])
    assert found["ours"]["kind"] == "acknowledgement"
    assert found["because_of"] == "<1.surat@sekolah.example>"


def test_explaining_changes_nothing(desk: TryDesk, explain: Explain, tmp_path: Path) -> None:
    desk.opened()
    desk.close()
    database = tmp_path / "data" / "mailbot.db"
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    for what in ("12345", "1.surat@sekolah.example"):
        assert explain(what)[0] == 0
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before


def test_where_there_is_no_desk_yet_none_is_made(explain: Explain, tmp_path: Path) -> None:
    code, _, err = explain("12345")
    assert (code, "no database yet" in err) == (1, True)
    (tmp_path / "x.eml").write_bytes(b"From: a@b.example\n\nhi\n")
    assert explain(tmp_path / "x.eml")[0] == 0
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("99999", 1, "There is no ticket #99999"),
        ("<no@such>", 1, "knows no mail <no@such>"),
        ("nonsense", 2, "is no file"),
    ],
)
def test_what_is_not_there_is_said(desk: TryDesk, explain: Explain, what: str, code: int, words: str) -> None:
    found = explain(what)
    assert (found[0], words in found[2]) == (code, True)


def test_escape_sequences_of_a_mail_reach_no_terminal(desk: TryDesk, explain: Explain) -> None:
    desk.write(ACHA, "BKU \x1b[31mmerah", "isi \x1b]0;x\x07 surat")
    _, out, _ = explain("1.surat@sekolah.example")
    assert "\x1b" not in out
