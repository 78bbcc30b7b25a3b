"""Every command on a real desk: SQLite in a folder, no mail server except where the command asks for one."""

from __future__ import annotations

import io
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mailbot.cli.exit_codes import run_to_exit
from tests.support.dovecot import PASSWORD, Dovecot
from tests.support.loopback import free_port
from tests.support.smtp_sink import Sink

SALLY, BUDI, ACHA = "sally@helpdesk.example", "budi@helpdesk.example", "acha@sekolah.example"
TEAM = f"""
[[agents]]
name = "Sally"
email = "{SALLY}"
[[agents]]
name = "Budi"
email = "{BUDI}"
role = "lead"
"""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout, which is one document."""
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[storage]\ndata_dir = "data"\n[imap]\nport = {free_port()}\nsecurity = "none"\n'
        f'[smtp]\nport = {free_port()}\nsecurity = "none"\n{TEAM}'
    )
    return path


@pytest.fixture
def mailbot(config: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """`mailbot ARGUMENTS --config …`"""
    for name in [*os.environ]:
        if name.startswith("MAILBOT") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)

    def run(*arguments: str, code: int = 0) -> Ended:
        capfd.readouterr()
        found = run_to_exit([*arguments, "--config", str(config)])
        ended = Ended(found, *capfd.readouterr())
        assert ended.code == code, f"mailbot {' '.join(arguments)}: exit {ended.code}\n{ended.out}\n{ended.err}"
        return ended

    return run


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text("Boleh infokan NPSN sekolah?\n")
    return path


def report(number: int = 1, sender: str = ACHA, text: str = "BKU tidak bisa ditutup.", subject: str = "BKU") -> bytes:
    return (
        f"From: Acha <{sender}>\r\nTo: support@helpdesk.example\r\nSubject: {subject} {number}\r\n"
        f"Message-ID: <{number}@sekolah.example>\r\nDate: Mon, 24 Nov 2025 08:00:00 +0700\r\n\r\n{text}\r\n"
    ).encode()


@pytest.fixture
def ticket(mailbot: Run, tmp_path: Path) -> int:
    """A desk with one report on it; the ticket's number."""
    (tmp_path / "1.eml").write_bytes(report(text="BKU tidak bisa ditutup.\r\n\r\n-- \r\nAcha, bendahara"))
    [taken] = mailbot("ingest", str(tmp_path / "1.eml"), "--json").json
    assert taken["outcome"] == "processed"
    return int(taken["ticket"])


def state(mailbot: Run, number: int) -> tuple[str, str | None, str | None]:
    shown = mailbot("ticket", "show", str(number), "--json").json
    return shown["status"], shown["close_reason"], shown["agent"]


def test_a_report_is_taken_in_once_and_shown(mailbot: Run, ticket: int, tmp_path: Path) -> None:
    again = mailbot("ingest", str(tmp_path / "1.eml"), "--json").json
    assert [(each["outcome"], each["ticket"]) for each in again] == [("duplicate", None)]
    [listed] = mailbot("ticket", "list", "--json").json
    shown = mailbot("ticket", "show", str(ticket), "--json").json
    assert listed == {key: value for key, value in shown.items() if key not in ("messages", "events")}
    assert (shown["number"], shown["status"], shown["requester"]) == (10001, "queued", {"email": ACHA, "name": "Acha"})
    assert shown["messages"][0]["text"] == "BKU tidak bisa ditutup."


def test_people_see_the_new_words_and_on_request_the_rest(mailbot: Run, ticket: int) -> None:
    brief, full = mailbot("ticket", "show", str(ticket)).out, mailbot("ticket", "show", str(ticket), "--full").out
    assert brief.startswith("#10001  BKU 1\nstatus       queued\nrequester    Acha <acha@sekolah.example>\n")
    assert "  BKU tidak bisa ditutup.\n" in brief
    assert "bendahara" not in brief
    assert "Acha, bendahara" in full


def test_many_mails_are_told_in_sums(mailbot: Run, tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number:02}.eml").write_bytes(report(number, f"guru{number % 3}@sekolah.example"))
    ended = mailbot("ingest", str(tmp_path))
    assert (ended.out, ended.err) == ("", "25 mails: 25 processed; 25 tickets.\n")
    assert len(mailbot("ticket", "list", "--limit", "7", "--json").json) == 7
    assert len(mailbot("ticket", "list", "--requester", "GURU1@sekolah.example", "--json").json) == 8
    assert mailbot("ticket", "list", "--limit", "7").err == "The newest 7; --limit N shows more.\n"
    assert [t["number"] for t in mailbot("ticket", "list", "--search", "ditutup", "--limit", "2", "--json").json] == [
        10025,
        10024,
    ]


def test_filters_that_fit_nothing_say_so(mailbot: Run, ticket: int) -> None:
    ended = mailbot("ticket", "list", "--status", "closed")
    assert ended.out.split() == ["number", "status", "updated", "agent", "requester", "subject"]
    assert ended.err == "No ticket matches.\n"
    assert mailbot("ticket", "list", "--agent", SALLY, "--json").json == []


def test_an_admin_does_what_an_agent_does_by_mail(mailbot: Run, ticket: int, words: Path) -> None:
    number = str(ticket)
    said = mailbot("ticket", "reply", number, "--text-file", str(words), "--as", SALLY.upper())
    assert said.err == f"Done as {SALLY}: #10001 is waiting, with {SALLY}.\n"
    mailbot("ticket", "note", number, "--text-file", str(words))
    assert state(mailbot, ticket) == ("waiting", None, SALLY)
    mailbot("ticket", "assign", number, BUDI)
    assert state(mailbot, ticket) == ("waiting", None, BUDI)
    mailbot("ticket", "close", number, "--text-file", str(words))
    assert state(mailbot, ticket) == ("closed", "solved", BUDI)
    kinds = [
        (m["kind"], m["author"], m["public"]) for m in mailbot("ticket", "show", number, "--json").json["messages"]
    ]
    assert ("answer", SALLY, True) in kinds
    assert ("note", BUDI, False) in kinds


def test_a_merge_and_spam(mailbot: Run, ticket: int, tmp_path: Path) -> None:
    for number in (2, 3):
        (tmp_path / f"{number}.eml").write_bytes(report(number, ACHA if number == 2 else "lain@sekolah.example"))
        mailbot("ingest", str(tmp_path / f"{number}.eml"))
    mailbot("ticket", "merge", "10002", "10001")
    assert state(mailbot, 10002)[:2] == ("closed", "merged")
    refused = mailbot("ticket", "merge", "10003", "10001", code=1)
    assert refused.err.startswith("mailbot: ")
    mailbot("ticket", "merge", "10003", "10001", "--force")
    assert mailbot("ticket", "show", "10003", "--json").json["merged_into"] == 10001
    mailbot("ticket", "spam", "10001")
    assert state(mailbot, 10001)[:2] == ("closed", "spam")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ticket", "show", "4711"], "There is no ticket #4711"),
        (["ticket", "close", "4711"], "There is no ticket #4711"),
        (
            ["ticket", "close", "10001", "--as", "x@y.id"],
            f"x@y.id is no agent of this desk; agents are: {SALLY}, {BUDI}.",
        ),
        (["ticket", "assign", "10001", "x@y.id"], "x@y.id is no agent of this desk"),
        (["ticket", "merge", "10001", "10001"], "#10001 is the same ticket"),
        (["quarantine", "show", "9"], "No mail with the ID 9 is in quarantine"),
        (["quarantine", "release", "9"], "Not in quarantine: 9"),
        (["outbox", "retry", "99"], "Done for 0 of 1"),
        (["outbox", "cancel", "99"], "Done for 0 of 1"),
        (["agent", "remove", SALLY], "is in the configuration file"),
        (["agent", "add", "support@helpdesk.example", "--name", "X"], "the desk's own address"),
        (
            ["template", "preview", "requester/nothing"],
            "There is no template requester/nothing; there are: requester/ack",
        ),
    ],
)
def test_what_can_not_be_done_ends_with_1_and_says_why(
    mailbot: Run, ticket: int, arguments: list[str], said: str
) -> None:
    ended = mailbot(*arguments, code=1)
    assert ended.out == ""
    assert ended.err.startswith("mailbot: ")
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_the_outbox_shows_what_waits_and_gives_it_up(mailbot: Run, ticket: int) -> None:
    waiting = mailbot("outbox", "list", "--json").json
    assert {mail["recipient"] for mail in waiting} == {ACHA, SALLY, BUDI}
    assert "acknowledgement" in mailbot("outbox", "list").out
    first = str(waiting[0]["id"])
    assert mailbot("outbox", "cancel", first).err == "1 mail will not be sent.\n"
    assert mailbot("outbox", "retry").err == f"{len(waiting) - 1} mails will be sent now.\n"
    assert first not in [str(mail["id"]) for mail in mailbot("outbox", "list", "--json").json]


def test_held_mail_is_shown_and_let_in(mailbot: Run, tmp_path: Path) -> None:
    spam = b"X-Spam-Flag: YES\r\n" + report(2, text="Masih belum bisa.\x1b[2J")
    (tmp_path / "2.eml").write_bytes(spam)
    [taken] = mailbot("ingest", str(tmp_path / "2.eml"), "--json").json
    assert taken["outcome"] == "quarantined"
    [held] = mailbot("quarantine", "list", "--json").json
    assert held["sender"] == ACHA
    number = str(held["id"])
    assert mailbot("quarantine", "show", number, "--json").json["id"] == held["id"]
    shown = mailbot("quarantine", "show", number).out
    assert f"quarantined  {held['reason']}" in shown
    assert "  Masih belum bisa." in shown
    assert "\x1b" not in shown
    mailbot("quarantine", "show", number, "--raw", str(tmp_path / "raw.eml"))
    assert (tmp_path / "raw.eml").read_bytes() == spam
    assert "can't be written" in mailbot("quarantine", "show", number, "--raw", str(tmp_path / "raw.eml"), code=1).err
    assert mailbot("quarantine", "release", number).err == f"{number}: processed #10001\n"
    assert mailbot("quarantine", "list").err == "The quarantine is empty.\n"


def test_held_mail_is_dropped(mailbot: Run, ticket: int, tmp_path: Path) -> None:
    mailbot("ticket", "spam", str(ticket))
    (tmp_path / "2.eml").write_bytes(report(2, text="lagi", subject="Re: #10001 - BKU"))
    mailbot("ingest", str(tmp_path / "2.eml"))
    [held] = mailbot("quarantine", "list", "--json").json
    mailbot("quarantine", "discard", str(held["id"]))
    assert mailbot("quarantine", "list", "--json").json == []


def test_agents_come_and_go(mailbot: Run, ticket: int) -> None:
    mailbot("agent", "add", "Ani@helpdesk.example", "--name", "Ani", "--alias", "ani@rumah.example", "--lead",
            "--program", "Dapodik", "--program", "BOSP")  # fmt: skip
    found = {agent["email"]: agent for agent in mailbot("agent", "list", "--json").json}
    assert found["ani@helpdesk.example"] == {
        "email": "ani@helpdesk.example",
        "name": "Ani",
        "role": "lead",
        "aliases": ["ani@rumah.example"],
        "programs": ["Dapodik", "BOSP"],
        "source": "added",
    }
    assert found[SALLY]["source"] == "configuration"
    mailbot("ticket", "assign", str(ticket), "ani@helpdesk.example", "--as", "ani@rumah.example")
    assert state(mailbot, ticket)[2] == "ani@helpdesk.example"
    mailbot("agent", "remove", "ANI@helpdesk.example")
    assert "ani@helpdesk.example" not in mailbot("agent", "list").out


def test_where_nobody_leads_the_agent_has_to_be_named(mailbot: Run, ticket: int, config: Path) -> None:
    config.write_text(config.read_text().replace('role = "lead"', ""))
    assert f"--as AGENT; agents are: {SALLY}, {BUDI}" in mailbot("ticket", "close", str(ticket), code=2).err


def test_a_persons_data_goes_out_and_away(mailbot: Run, ticket: int, config: Path) -> None:
    given = mailbot("requester", "export", ACHA.upper()).json
    assert given["email"] == ACHA
    assert "BKU" in json.dumps(given)
    erased = mailbot("requester", "erase", ACHA, "--yes")
    assert erased.err.startswith("Erased: 1 ticket, ")
    assert ACHA not in mailbot("ticket", "list", "--json").out
    database = sqlite3.connect(config.parent / "data" / "mailbot.db")
    assert database.execute("SELECT count(*) FROM audit WHERE action LIKE '%erase%'").fetchone() == (1,)
    database.close()


def test_an_erasure_is_asked_for_first(mailbot: Run, ticket: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    mailbot("requester", "erase", ACHA, code=1)
    assert state(mailbot, ticket)[0] == "queued"


def test_the_database_is_copied_and_looked_through(mailbot: Run, ticket: int, tmp_path: Path) -> None:
    mailbot("db", "upgrade")
    copy = tmp_path / "copy.db"
    mailbot("db", "backup", str(copy))
    database = sqlite3.connect(copy)
    assert database.execute("SELECT number FROM ticket").fetchall() == [(ticket,)]
    database.close()
    assert mailbot("db", "check", "--json").json["ok"] is True
    with sqlite3.connect(tmp_path / "data" / "mailbot.db") as broken:
        broken.execute("PRAGMA foreign_keys=OFF")
        broken.execute("UPDATE message SET ticket_id = 4711")
    broken.close()
    found = mailbot("db", "check", "--json", code=1).json
    assert found["ok"] is False
    assert found["problems"]


def test_the_report_in_its_three_forms(mailbot: Run, ticket: int) -> None:
    assert mailbot("report", "--json").json["opened"] == 1
    assert mailbot("report", "--since", "2d", "--csv").out.splitlines()[0] == "day,opened,closed,replies,answers"
    assert "opened          1, of which 0 spam" in mailbot("report").out


def test_every_template_can_be_looked_at(mailbot: Run, tmp_path: Path) -> None:
    names = [entry["name"] for entry in mailbot("template", "list", "--json").json]
    assert {"requester/acknowledgement", "requester/reminder_1", "agent/notification"} <= set(names)
    for name in names:
        mail = mailbot("template", "preview", name, "--language", "en").out
        assert mail.startswith("From: ")
        assert "multipart/alternative" in mail
    page = tmp_path / "page.html"
    mailbot("template", "preview", "requester/answer", "--form", "html", "--out", str(page))
    assert page.read_text().lstrip().lower().startswith("<!doctype html")


def test_the_doctor_names_what_is_wrong(mailbot: Run, config: Path) -> None:
    before = set(config.parent.iterdir())
    ended = mailbot("check", "--json", code=1)
    states = {(finding["part"], finding["state"]) for finding in ended.json["findings"]}
    assert {("templates", "ok"), ("database", "ok"), ("IMAP", "fail"), ("SMTP", "fail")} <= states
    assert ended.json["ok"] is False
    assert set(config.parent.iterdir()) == before, "looking made something"


@pytest.mark.parametrize(
    ("trust", "more", "state", "words"),
    [
        ("token", "", "ok", "signed reply address"),
        ("dmarc", "", "warn", "all of it is held until its agent confirms"),
        ("either", "", "warn", "only the signed reply address can prove it"),
        ("both", "", "warn", "even a confirmation is held"),
        ("dmarc", '[inbound]\ntrusted_authserv_ids = ["mx.kota.example"]\n', "ok", "by mx.kota.example"),
    ],
)
def test_the_doctor_says_where_nothing_can_prove_an_agent(
    mailbot: Run, config: Path, trust: str, more: str, state: str, words: str
) -> None:
    config.write_text(f'{config.read_text()}\n[agent_mail]\ntrust = "{trust}"\n{more}')
    findings = mailbot("check", "--json", code=1).json["findings"]
    [found] = [finding for finding in findings if finding["part"] == "agents' mail"]
    assert (found["state"], words in found["found"]) == (state, True), found
    assert ("trusted_authserv_ids" in found["mend"]) is (state == "warn")


def test_the_doctor_sees_who_may_read_a_password(mailbot: Run, config: Path) -> None:
    config.write_text(config.read_text().replace("[smtp]", 'password = "geheim"\n[smtp]'))
    config.chmod(0o644)
    said = mailbot("check", code=1).out
    assert "holds a password and others may read it (0644)" in said
    assert "geheim" not in said
    config.chmod(0o600)
    assert "others may read" not in mailbot("check", code=1).out


def test_the_doctor_does_not_touch_a_desk_of_another_version(mailbot: Run, ticket: int, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "data" / "mailbot.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    findings = mailbot("check", "--json", code=1).json["findings"]
    [found] = [finding for finding in findings if finding["part"] == "database"]
    assert (found["state"], "9999" in found["found"]) == ("warn", True)


@pytest.mark.dovecot
def test_the_doctor_finds_a_desk_in_good_health(mailbot: Run, config: Path, server_home: Callable[[], Path]) -> None:
    with Dovecot(server_home()) as dovecot, Sink() as sink:
        dovecot.append("support", report())
        config.write_text(
            f'[storage]\ndata_dir = "data"\n[imap]\nport = {dovecot.port}\nsecurity = "none"\nusername = "support"\n'
            f'password = "{PASSWORD}"\n[smtp]\nport = {sink.port}\nsecurity = "none"\n'
            f'[alerts]\naddresses = ["admin@kota.example"]\nhost = "localhost"\nport = {sink.port}\nsecurity = "none"\n'
            f"{TEAM}"
        )
        config.chmod(0o600)
        findings = mailbot("check", "--json").json["findings"]
        assert [finding["state"] for finding in findings] == ["ok"] * len(findings), findings
        [imap] = [finding for finding in findings if finding["part"] == "IMAP"]
        assert imap["found"].endswith("INBOX, Mailbot/Processed, Mailbot/Quarantine are there; 1 mail waits in INBOX")
        assert dovecot.count("support") == 1
        assert sink.envelopes == []
        [told] = [
            each for each in mailbot("check", "--alert", "--json").json["findings"] if each["part"] == "trial alert"
        ]
        assert told["state"] == "ok" and "[Uji coba]" in told["found"]
        [envelope] = sink.envelopes
        assert (
            envelope.rcpt_tos == ["admin@kota.example"]
            and b"Auto-Submitted: auto-generated" in envelope.original_content
        )
        sink.envelopes.clear()
        mailbot("run", "--once")
        assert (dovecot.count("support"), dovecot.count("support", "Mailbot/Processed")) == (0, 1)
        assert {recipient for envelope in sink.envelopes for recipient in envelope.rcpt_tos} == {ACHA, SALLY, BUDI}
        config.write_text(config.read_text().replace(PASSWORD, "wrong"))
        [refused] = [each for each in mailbot("check", "--json", code=1).json["findings"] if each["part"] == "IMAP"]
        assert refused["state"] == "fail"
