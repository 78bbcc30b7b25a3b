"""What is wrong with a configuration: each fault names its place, the key, what was found and what is allowed."""

# ruff: noqa: E501 - whole lines, as the admin reads them
from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.config.load import load_settings
from mailbot.errors import ConfigError

SALLY = '[[agents]]\nname = "Sally"\nemail = "sally@helpdesk.example"\n'


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [*os.environ]:
        if name.startswith("MAILBOT_") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)


@pytest.fixture
def problems_of(tmp_path: Path):
    """The problems of a configuration, without the folder's name."""

    def found(text: str | bytes) -> list[str]:
        path = tmp_path / "config.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ConfigError) as error:
            load_settings(path)
        assert error.value.exit_code == 2
        return [problem.replace(f"{tmp_path}/", "") for problem in error.value.problems]

    return found


# One fault each: the configuration, and the whole line that the admin reads.
FAULTS: list[tuple[str, str]] = [
    # unknown names, and the nearest known one
    ("[imap]\npol_interval = '2s'", "config.toml, line 2: [imap] pol_interval is not a known key; did you mean poll_interval?"),
    ("[imaps]\nport = 1", "config.toml, line 1: [imaps] is not a known table; did you mean imap?"),
    ("prot = 993", "config.toml, line 1: prot stands outside of any table; a key belongs below a [table]; did you mean port?"),
    ("port = 993", "config.toml, line 1: port stands outside of any table; it belongs below [imap]"),
    (
        "[timers]\nmax_per_minute = 3",
        "config.toml, line 2: [timers] max_per_minute is not a known key; it belongs below [smtp]",
    ),
    (
        "[follow_up]\nzzz = 1",
        "config.toml, line 2: [follow_up] zzz is not a known key; known are on_thanks",
    ),
    # wrong types
    ("[imap]\nport = '993'", 'config.toml, line 2: [imap] port: found "993"; allowed: a whole number from 1 to 65535'),
    ("[imap]\nport = true", "config.toml, line 2: [imap] port: found true; allowed: a whole number from 1 to 65535"),
    ("[imap]\nidle = 1", "config.toml, line 2: [imap] idle: found 1; allowed: true or false"),
    ("[helpdesk]\nname = 5", 'config.toml, line 2: [helpdesk] name: found 5; allowed: text in quotes, "…"'),
    ("[helpdesk]\naliases = 'a@b.id'", 'config.toml, line 2: [helpdesk] aliases: found "a@b.id"; allowed: a list such as ["…", "…"]'),
    ("imap = 'x'", "config.toml, line 1: [imap]: found a text; allowed: a table, that is keys below [imap]"),
    ("[agents]\nname = 'A'", "config.toml, line 1: [[agents]]: found a table; allowed: tables, each below [[agents]]"),
    # impossible values
    ("[imap]\nport = 0", "config.toml, line 2: [imap] port: found 0; allowed: a whole number from 1 to 65535"),
    ("[imap]\nsecurity = 'ssl'", 'config.toml, line 2: [imap] security: found "ssl"; allowed: "tls", "starttls" or "none"'),
    ("[helpdesk]\nlanguage = 'jv'", 'config.toml, line 2: [helpdesk] language: found "jv"; allowed: "id" (Indonesian) or "en" (English)'),
    (
        "[helpdesk]\ntimezone = 'Asia/Jakata'",
        'config.toml, line 2: [helpdesk] timezone: found "Asia/Jakata"; allowed: a time zone that this machine knows, '
        'such as "Asia/Jakarta" (WIB), "Asia/Makassar" (WITA), "Asia/Jayapura" (WIT)',
    ),
    (
        "[helpdesk]\naddress = 'Support <support@b.id>'",
        'config.toml, line 2: [helpdesk] address: found "Support <support@b.id>"; allowed: an e-mail address such as '
        '"support@helpdesk.example"',
    ),
    ("[helpdesk]\nname = \"a\\nBcc: b\"", 'config.toml, line 2: [helpdesk] name: found "a\\nBcc: b"; allowed: text on one line, without control characters'),
    (
        "[imap]\npoll_interval = 30",
        'config.toml, line 2: [imap] poll_interval: found 30; allowed: a duration such as "90s", "15m", "6h" or "2d"',
    ),
    (
        "[timers]\nreminders = ['6h', '1w']",
        'config.toml, line 2: [timers] reminders, item 2: found "1w"; allowed: a duration such as "90s", "15m", "6h" or "2d"',
    ),
    (
        "[inbound]\nmax_size = '900B'",
        'config.toml, line 2: [inbound] max_size: found "900B"; allowed: a size from 1000 to 250000000',
    ),
    (
        "[inbound]\nmax_auto_replies_per_sender = '0/h'",
        'config.toml, line 2: [inbound] max_auto_replies_per_sender: found "0/h"; allowed: a rate such as "20/h", "5/m" '
        'or "100/d", with at least 1',
    ),
    ("[hours]\nopen = '8'", 'config.toml, line 2: [hours] open: found "8"; allowed: a time of day such as "08:00"'),
    (
        "[hours]\nextra_holidays = ['2026-02-30']",
        'config.toml, line 2: [hours] extra_holidays, item 1: found "2026-02-30"; allowed: a date such as "2026-03-20" '
        "(day is out of range for month)",
    ),
    (
        "[hours]\nholidays = 'Indonesia'",
        'config.toml, line 2: [hours] holidays: found "Indonesia"; allowed: the two letters of a country that the package '
        '"holidays" knows, as "ID", or "" for none',
    ),
    ("[web]\nlisten = '8080'", 'config.toml, line 2: [web] listen: found "8080"; allowed: an address and a port such as "127.0.0.1:8080"'),
    (
        "[helpdesk]\nstatus_page = 'bantuan.example'",
        'config.toml, line 2: [helpdesk] status_page: found "bantuan.example"; allowed: a web address such as '
        '"https://bantuan.example/status", or ""',
    ),
    # agents
    (
        SALLY + "[[agents]]\nname = 'Budi'",
        'config.toml, line 4: [[agents]] number 2: email: is missing; allowed: an e-mail address such as '
        '"support@helpdesk.example"',
    ),
    (SALLY + "role = 'boss'", 'config.toml, line 4: [[agents]] number 1: role: found "boss"; allowed: "agent" or "lead"'),
    # rules between keys
    (
        "[imap]\nhost = 'mail.b.id'\nsecurity = 'none'",
        'config.toml, line 3: [imap] security: found "none" with host "mail.b.id", which would show the password and all '
        'mail to the network; allowed: "tls" or "starttls" (or, if the line is safe by other means, allow_insecure = true)',
    ),
    (
        "[imap]\nprocessed_folder = 'inbox'",
        'config.toml, line 2: [imap] processed_folder: found "inbox", which is folder as well; allowed: another folder, or '
        "mail goes round",
    ),
    (
        "[alerts]\naddresses = ['support@helpdesk.example']",
        'config.toml, line 2: [alerts] addresses: found "support@helpdesk.example", which is the desk\'s own; allowed: a '
        "person's, who reads it when the desk can't",
    ),
    (
        "[alerts]\nhost = 'mail.b.id'\nsecurity = 'none'",
        'config.toml, line 3: [alerts] security: found "none" with host "mail.b.id", which would show the password and all '
        'mail to the network; allowed: "tls" or "starttls" (or, if the line is safe by other means, allow_insecure = true)',
    ),
    (
        "[alerts]\nusername = 'alarm'",
        'config.toml, line 1: [alerts] host: found "" with a log-in beside it; allowed: the server that it is for (or no '
        'log-in: then "" is that of [smtp])',
    ),
    (
        "[alerts]\ncommand = \"page 'it\"",
        "config.toml, line 2: [alerts] command: found a text that can't be split (No closing quotation); allowed: a program "
        "and its arguments",
    ),
    (
        "[canary]\nevery = '5m'\n[imap]\nprocessed_folder = ''",
        'config.toml, line 2: [canary] every: found "5m" with imap.processed_folder empty; allowed: only with a '
        "processed_folder, or canaries pile up in the inbox",
    ),
    ("[imap]\npoll_interval = '2h'", 'config.toml, line 2: [imap] poll_interval: found "2h"; allowed: at most "1h", or mail lies unread for long'),
    ("[timers]\nreminders = ['24h', '6h']", 'config.toml, line 2: [timers] reminders: found "1d", "6h"; allowed: each later than the one before it'),
    (
        "[timers]\nreminders = ['6h', '48h']",
        'config.toml, line 2: [timers] reminders: found "6h", "2d" with auto_close = "2d"; allowed: all of them before the '
        "closing",
    ),
    (
        "[timers]\nreminders = []",
        "config.toml, line 2: [timers] reminders: found 0 of them; allowed: 1 to 10 of them (nothing is closed before a "
        "reminder was sent)",
    ),
    ("[hours]\nopen = '17:00'", 'config.toml, line 2: [hours] open: found "17:00" with close = "17:00"; allowed: open before close, on one day'),
    ("[hours]\ndays = []", "config.toml, line 2: [hours] days: found none; allowed: at least one of mon, tue, wed, thu, fri, sat, sun"),
    (
        "[hours]\nextra_holidays = ['2026-03-20']\nextra_workdays = ['2026-03-20']",
        'config.toml, line 3: [hours] extra_workdays: found "2026-03-20", which is in extra_holidays as well; allowed: one '
        "of the two",
    ),
    (
        SALLY + "[[agents]]\nname = 'S'\nemail = 'SALLY@helpdesk.example'",
        'config.toml, line 6: [[agents]] number 2: email: found "sally@helpdesk.example", which Sally has already; '
        "allowed: each address once",
    ),
    (
        SALLY + "aliases = ['support@helpdesk.example']",
        'config.toml, line 4: [[agents]] number 1: aliases: found "support@helpdesk.example", which is the desk\'s own; '
        "allowed: a person's, or the desk writes to itself",
    ),
    (
        "[helpdesk]\naliases = ['support@helpdesk.example']",
        'config.toml, line 2: [helpdesk] aliases: found "support@helpdesk.example" a second time; allowed: each address of '
        "the desk once",
    ),
    (
        "[helpdesk]\naddress = 'support+desk@b.id'",
        'config.toml, line 2: [helpdesk] address: found "support+desk@b.id"; allowed: at most 32 characters and no "+" '
        'before the "@", since replies carry support+TOKEN@… (or plus_addressing = false)',
    ),
    (
        "[imap]\nauth = 'xoauth2'\nusername = 'a@b.id'",
        'config.toml, line 2: [imap] auth: found "xoauth2", but nothing that gives a token; allowed: with token_file or '
        "token_command",
    ),
    (
        "[web]\nenabled = true\n[metrics]\nlisten = '127.0.0.1:8080'",
        'config.toml, line 4: [metrics] listen: found "127.0.0.1:8080", where [web] listens as well; allowed: another port',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), FAULTS, ids=[line[:90] for _, line in FAULTS])
def test_each_fault_is_one_line_that_says_what_to_do(problems_of, text: str, line: str) -> None:
    assert problems_of(text) == [line]


def test_all_faults_are_said_at_once_also_those_between_keys(problems_of) -> None:
    found = problems_of(
        "[imap]\nport = 0\nsecurty = 'tls'\n[smtp]\nhost = 'smtp.b.id'\nsecurity = 'none'\n"
        "[timers]\nreminders = ['6h', '1h']\n" + SALLY + "[[agents]]\nname = 'B'\nrole = 'x'\n" + SALLY
    )
    assert [problem.split(":")[0].split("] ")[-1] for problem in found] == [
        "config.toml, line 2",
        "config.toml, line 3",
        "config.toml, line 12",
        "config.toml, line 14",
        "config.toml, line 6",
        "config.toml, line 8",
        "config.toml, line 17",
    ]


def test_a_rule_is_not_applied_to_a_key_that_is_wrong_by_itself(problems_of) -> None:
    assert len(problems_of("[hours]\nopen = '25:00'\nclose = '01:00'")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[imap]\npassword = 123456789",
        "[imap]\npasword = 'geheim-123'",
        "[smtp]\npassword = ['geheim-123']",
        "[storage]\ndatabase_url = 'mysql://u:geheim-123@h/d'",
        "[storage]\npassword = 'geheim-123'",
        "password = 'geheim-123'",
    ],
)
def test_no_fault_shows_a_secret(problems_of, text: str) -> None:
    said = "\n".join(problems_of(text))
    assert "geheim" not in said
    assert "123" not in said


def test_a_database_of_another_kind_is_refused_by_its_scheme_alone(problems_of) -> None:
    [line] = problems_of("[storage]\ndatabase_url = 'mysql://u:p@h/d'")
    assert line.startswith(
        'config.toml, line 2: [storage] database_url: found a URL that begins with "mysql"; allowed: '
    )


@pytest.mark.parametrize("place", ["x@[::bad/desk", "u:geheim-123@host:port/desk", "host:5432x/desk", "u@::1/desk"])
def test_a_database_url_that_can_t_be_read_is_refused_without_its_password(problems_of, place: str) -> None:
    [line] = problems_of(f"[storage]\ndatabase_url = 'postgresql+psycopg://{place}'")
    assert "database_url: found a URL whose host or port can't be read" in line and "geheim" not in line


@pytest.mark.parametrize(
    "place", ["/desk", "u@h/d", "u:p%5B@h:5432/d", "[::1]:5432/d", "h/d?connect_timeout=3", "u:p[1@h/d"]
)
def test_a_database_url_that_can_be_read_is_accepted(tmp_path: Path, place: str) -> None:
    (tmp_path / "config.toml").write_text(f"[storage]\ndatabase_url = 'postgresql+psycopg://{place}'")
    assert load_settings(tmp_path / "config.toml").storage.database_url.get_secret_value().endswith(place)


def test_broken_toml_names_the_line(problems_of) -> None:
    [line] = problems_of("[imap]\nport = \n")
    assert line == "config.toml: is not valid TOML: invalid value (at line 2, column 8)"


def test_a_file_that_is_no_text_is_refused(problems_of) -> None:
    assert problems_of(b"[imap]\nhost = '\xff'") == ["config.toml: is not UTF-8 text (byte 15), as TOML has to be"]


def test_a_folder_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        load_settings(tmp_path)


def test_a_password_and_a_password_file_are_one_too_many(problems_of, tmp_path: Path) -> None:
    (tmp_path / "p").write_text("x")
    assert problems_of("[imap]\npassword = 'y'\npassword_file = 'p'") == [
        "config.toml, line 3: [imap] password_file: password is given as well; allowed: one of the two"
    ]


def test_a_password_file_that_is_not_there_is_named(problems_of) -> None:
    assert problems_of("[imap]\npassword_file = 'nowhere'") == [
        'config.toml, line 2: [imap] password_file: "nowhere" can\'t be used: No such file or directory'
    ]


def test_a_password_file_with_two_lines_is_a_mistake(problems_of, tmp_path: Path) -> None:
    (tmp_path / "p").write_text("one\ntwo\n")
    [line] = problems_of("[imap]\npassword_file = 'p'")
    assert line.endswith("it holds more than one line of text")


def test_the_environment_is_named_where_the_fault_is_there(problems_of, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILBOT_SMTP__PORT", "abc")
    monkeypatch.setenv("MAILBOT_SMTP__PROT", "25")
    monkeypatch.setenv("MAILBOT_LOGS__LEVEL", "debug")
    monkeypatch.setenv("MAILBOT_TIMERS__REMINDERS", '["6h"')
    assert sorted(problems_of("[smtp]\nport = 25")) == [
        "environment MAILBOT_LOGS__LEVEL: there is no table [logs]; did you mean MAILBOT_LOG__…?",
        'environment MAILBOT_SMTP__PORT: [smtp] port: found "abc"; allowed: a whole number from 1 to 65535',
        "environment MAILBOT_SMTP__PROT: [smtp] prot is not a known key; did you mean port?",
        'environment MAILBOT_TIMERS__REMINDERS: [timers] reminders: found "[\\"6h\\""; allowed: a list such as ["…", "…"]',
    ]


def test_a_mistyped_credential_is_named(problems_of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "imap.pasword").write_text("geheim")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "c"))
    assert problems_of("") == [
        'credential imap.pasword: there is no key "pasword" in [imap]; did you mean imap.password?'
    ]


@pytest.mark.parametrize(
    ("listen", "words"),
    [
        ("0.0.0.0:24", "anybody on the network"),
        ("mail.helpdesk.example:24", "anybody on the network"),
        ("unix:run/lmtp.sock", "unix:/run/mailbot/lmtp.sock"),
        ("unix:/" + "x" * 110, "unix:/run/mailbot/lmtp.sock"),
        ("2424", "127.0.0.1:2424"),
    ],
)
def test_a_door_for_lmtp_is_this_machines_only(problems_of, listen: str, words: str) -> None:
    [problem] = problems_of(f'[lmtp]\nlisten = "{listen}"\n')
    assert "[lmtp] listen" in problem and words in problem


def test_a_door_for_lmtp_has_a_port_of_its_own(problems_of) -> None:
    [problem] = problems_of('[lmtp]\nlisten = "127.0.0.1:9464"\n[metrics]\nlisten = "127.0.0.1:9464"\n')
    assert "[lmtp] listen" in problem and "another port" in problem
