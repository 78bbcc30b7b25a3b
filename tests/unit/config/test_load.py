"""The configuration: what is read from where, and what a good one turns into."""

from __future__ import annotations

import re
import tomllib
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from mailbot.config.layers import config_path, tables
from mailbot.config.load import load_settings
from mailbot.config.model import Settings
from mailbot.config.values import Listen, Rate
from mailbot.errors import ConfigError

EXAMPLE = Path(__file__).parents[3] / "config" / "mailbot.toml"


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the configuration of the machine it runs on."""
    import os

    for name in [*os.environ]:
        if name.startswith("MAILBOT_") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text)
        return path

    return written


def example_with_agent() -> str:
    """The example, with its commented agent and mailbox made real."""
    text = EXAMPLE.read_text()
    for table in ("# [[agents]]", "# [[mailbox]]"):
        start = text.index(table)
        end = text.index("\n\n", start)
        text = text[:start] + re.sub(r"^# ", "", text[start:end], flags=re.MULTILINE) + text[end:]
    return text


def test_the_example_has_exactly_the_defaults() -> None:
    assert load_settings(EXAMPLE).model_dump() == Settings().model_dump()


def test_the_example_and_the_model_know_the_same_keys() -> None:
    written = tomllib.loads(example_with_agent())
    for table in ("agents", "mailbox"):
        written[table] = written[table][0]
    assert {table: set(keys) for table, keys in written.items()} == {t: set(keys) for t, keys in tables().items()}


def test_the_examples_agent_has_the_defaults_of_an_agent(write) -> None:
    [agent] = load_settings(write(example_with_agent())).agents
    assert (agent.name, agent.email, agent.aliases, agent.role) == ("Sally", "sally@helpdesk.example", (), "agent")


def test_every_line_of_the_example_fits_a_screen_and_explains_itself() -> None:
    for number, line in enumerate(EXAMPLE.read_text().splitlines(), 1):
        assert len(line) <= 130, f"line {number} is {len(line)} long"


def test_values_become_what_they_mean(write) -> None:
    settings = load_settings(
        write("""
        [helpdesk]
        address = "Support@Helpdesk.Example"
        status_page = "https://bantuan.example/status/"
        [storage]
        data_dir = "/srv/desk"
        keep_raw = "400d"
        [imap]
        poll_interval = "2s"
        [timers]
        reminders = ["90s", "1h30m"]
        auto_close = "2d"
        [hours]
        days = ["sat", "sun"]
        open = "7:30"
        close = 12:00:00
        holidays = "us"
        extra_holidays = ["2026-03-20", 2026-03-21]
        [inbound]
        max_size = "25MB"
        max_auto_replies_per_sender = "5/15m"
        [web]
        listen = "[::1]:8081"
        [metrics]
        listen = "127.0.0.1:9464"
        """)
    )
    assert settings.helpdesk.address == "support@helpdesk.example"
    assert settings.helpdesk.status_page == "https://bantuan.example/status"
    assert settings.database_url == "sqlite:////srv/desk/mailbot.db"
    assert settings.storage.keep_raw == timedelta(days=400)
    assert settings.imap.poll_interval == timedelta(seconds=2)
    assert settings.timers.reminders == (timedelta(seconds=90), timedelta(minutes=90))
    assert settings.timers.auto_close == timedelta(hours=48)
    assert (settings.hours.open, settings.hours.close, settings.hours.holidays) == (time(7, 30), time(12), "US")
    assert settings.hours.extra_holidays == (date(2026, 3, 20), date(2026, 3, 21))
    assert settings.inbound.max_size == 25_000_000
    assert settings.inbound.max_auto_replies_per_sender == Rate(5, timedelta(minutes=15))
    assert settings.web.listen == Listen("::1", 8081)
    assert str(settings.web.listen) == "[::1]:8081"
    assert settings.metrics.listen == Listen("127.0.0.1", 9464)


def test_empty_texts_mean_not_set() -> None:
    settings = Settings()
    assert (settings.helpdesk.secret_file, settings.helpdesk.templates_dir, settings.metrics.listen) == (
        None,
        None,
        None,
    )
    assert settings.storage.keep_raw is None
    assert settings.imap.ca_file == ""


def test_settings_can_be_made_without_a_file_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILBOT_IMAP__PORT", "1")
    assert Settings(smtp={"port": 25}).imap.port == 993


def test_nothing_changes_after_it_was_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().imap.port = 1  # type: ignore[misc]


def test_relative_file_names_count_from_the_configurations_folder(write, tmp_path: Path) -> None:
    (tmp_path / "imap.password").write_text("geheim\n")
    settings = load_settings(
        write('[helpdesk]\ntemplates_dir = "ours"\n[imap]\npassword_file = "imap.password"\nca_file = "ca.pem"\n')
    )
    assert settings.helpdesk.templates_dir == tmp_path / "ours"
    assert settings.imap.ca_file == str(tmp_path / "ca.pem")
    assert settings.imap.password.get_secret_value() == "geheim"


def test_the_file_is_the_named_one_else_the_environments_else_the_systems(
    write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert config_path(None) == Path("/etc/mailbot/config.toml")
    monkeypatch.setenv("MAILBOT_CONFIG", str(write('[log]\nlevel = "debug"')))
    assert load_settings().log.level == "debug"
    other = tmp_path / "other.toml"
    other.write_text('[log]\nlevel = "error"')
    settings = load_settings(other)
    assert (settings.log.level, settings.config_file) == ("error", other)


def test_the_environment_wins_over_the_file(write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('[imap]\nport = 143\nidle = true\npassword = "of the file"\n[timers]\nreminders = ["1h"]\n')
    monkeypatch.setenv("MAILBOT_IMAP__PORT", "1143")
    monkeypatch.setenv("MAILBOT_IMAP__IDLE", "no")
    monkeypatch.setenv("MAILBOT_IMAP__PASSWORD", "12345")  # a password of digits is a text still
    monkeypatch.setenv("MAILBOT_TIMERS__REMINDERS", "2h, 3h")
    monkeypatch.setenv("MAILBOT_HOURS__DAYS", '["sun"]')
    monkeypatch.setenv("MAILBOT_AGENTS", '[{"name": "Sally", "email": "sally@helpdesk.example"}]')
    settings = load_settings(path)
    assert (settings.imap.port, settings.imap.idle) == (1143, False)
    assert settings.imap.password.get_secret_value() == "12345"
    assert settings.timers.reminders == (timedelta(hours=2), timedelta(hours=3))
    assert settings.hours.days == ("sun",)
    assert settings.agents[0].email == "sally@helpdesk.example"


def test_a_credential_wins_over_the_file_and_loses_to_the_environment(
    write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "imap.password").write_text("of systemd\n")
    (credentials / "smtp.password").write_text("of systemd too")
    (credentials / "storage.database_url").write_text("postgresql://u:p@h/d\n")
    (credentials / "some.certificate").write_text("not ours")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    monkeypatch.setenv("MAILBOT_SMTP__PASSWORD", "of the environment")
    # A password_file that only root may read is not even looked at where a credential stands in for it.
    settings = load_settings(write('[imap]\npassword_file = "/nowhere/imap.password"\n'))
    assert settings.imap.password.get_secret_value() == "of systemd"
    assert settings.smtp.password.get_secret_value() == "of the environment"
    assert settings.database_url == "postgresql://u:p@h/d"


def test_an_empty_credential_is_none(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "smtp.password").write_text("")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    settings = load_settings(write('[smtp]\npassword = "of the file"\n'))
    assert settings.smtp.password.get_secret_value() == "of the file"


def test_a_password_file_of_the_environment_wins_over_a_password_of_the_file(
    write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p").write_text("of its own file")
    monkeypatch.setenv("MAILBOT_IMAP__PASSWORD_FILE", str(tmp_path / "p"))
    settings = load_settings(write('[imap]\npassword = "of the configuration"\n'))
    assert settings.imap.password.get_secret_value() == "of its own file"


def test_secrets_stay_hidden_when_settings_are_shown(write) -> None:
    settings = load_settings(
        write('[storage]\ndatabase_url = "postgresql://u:geheim1@h/d"\n[imap]\npassword = "geheim2"\n')
    )
    assert "geheim" not in repr(settings)
    assert "geheim" not in str(settings.model_dump())


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml: there is no such file; `mailbot init` writes one"):
        load_settings(tmp_path / "no.toml")


# Several mailboxes

BOXES = """
[helpdesk]
address = "support@helpdesk.example"
[imap]
host = "mail.helpdesk.example"
username = "support"
password_file = "imap.password"
poll_interval = "15s"
[[mailbox]]
name = "bosp"
[[mailbox]]
name = "dapo-dik"
username = "dapodik"
password_file = "dapodik.password"
address = "dapodik@helpdesk.example"
program = "Dapodik"
idle = false
"""


def test_without_a_mailbox_block_imap_is_the_one_mailbox() -> None:
    [box] = Settings(imap={"username": "support", "port": 143}).mailboxes
    assert (box.name, box.section, box.username, box.port, box.address) == ("", "imap", "support", 143, "")


def test_a_mailbox_inherits_what_it_leaves_out(write, tmp_path: Path) -> None:
    (tmp_path / "imap.password").write_text("rahasia\n")
    (tmp_path / "dapodik.password").write_text("lain\n")
    settings = load_settings(write(BOXES))
    bosp, dapodik = settings.mailboxes
    assert (bosp.host, bosp.username, bosp.password.get_secret_value()) == (settings.imap.host, "support", "rahasia")
    assert (dapodik.host, dapodik.username, dapodik.password.get_secret_value()) == (bosp.host, "dapodik", "lain")
    assert dapodik.poll_interval == bosp.poll_interval and bosp.idle and not dapodik.idle
    assert settings.addresses == ("support@helpdesk.example", "dapodik@helpdesk.example")
    assert dapodik.section == "mailbox.dapo-dik" and dapodik.folder_id == "dapodik@mail.helpdesk.example/INBOX"


def test_a_mailbox_with_its_own_proof_inherits_no_other() -> None:
    imap = {"auth": "xoauth2", "token_command": "oama", "username": "a"}
    [box] = Settings(imap=imap, mailbox=[{"name": "b", "auth": "password", "password": "lain"}]).mailboxes
    assert (box.token_command, box.password.get_secret_value(), box.username) == ("", "lain", "a")


def test_one_mailboxs_key_from_credentials_and_environment(write, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "imap.password").write_text("rahasia\n")
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "mailbox.dapo-dik.password").write_text("dari systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    monkeypatch.setenv("MAILBOT_MAILBOX__DAPO_DIK__PORT", "1993")
    bosp, dapodik = load_settings(write(BOXES.replace('password_file = "dapodik.password"', ""))).mailboxes
    assert (bosp.port, bosp.password.get_secret_value()) == (993, "rahasia")
    assert (dapodik.port, dapodik.password.get_secret_value()) == (1993, "dari systemd")


def test_faults_of_a_mailbox_name_their_place(write, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "imap.password").write_text("rahasia\n")
    monkeypatch.setenv("MAILBOT_MAILBOX__DAPO_DIK__PORT", "0")
    monkeypatch.setenv("MAILBOT_MAILBOX__ANOTHER__PORT", "143")
    text = BOXES + '[[mailbox]]\nname = "bosp"\n[[mailbox]]\nname = "Ö"\n[[mailbox]]\nname = "x"\npasword = "p"\n'
    with pytest.raises(ConfigError) as caught:
        load_settings(write(text))
    said = "\n".join(caught.value.problems)
    for wanted in (
        "environment MAILBOT_MAILBOX__DAPO_DIK__PORT: [[mailbox]] number 2: port: found 0; allowed: a whole number",
        "environment MAILBOT_MAILBOX__ANOTHER__PORT: there is no [[mailbox]] of that name; known: bosp, dapo-dik",
        'config.toml, line 14: [[mailbox]] number 2: password_file: "',
        'config.toml, line 19: [[mailbox]] number 3: name: found "bosp" a second time; allowed: each name once',
        'config.toml, line 21: [[mailbox]] number 4: name: found "Ö"; allowed: a short name',
        "config.toml, line 24: [[mailbox]] number 5: pasword is not a known key; did you mean password?",
    ):
        assert wanted in said, said


def test_two_mailboxes_never_read_one_folder(write) -> None:
    text = '[imap]\nusername = "a"\n[[mailbox]]\nname = "x"\n[[mailbox]]\nname = "y"\n'
    with pytest.raises(
        ConfigError, match=r'number 2: username: found INBOX of "a" on 127.0.0.1, which "x" reads already'
    ):
        load_settings(write(text))


@pytest.mark.parametrize("listen", ["127.0.0.1:2424", "[::1]:2424", "localhost:2424", "unix:/run/mailbot/lmtp.sock"])
def test_doors_for_lmtp(tmp_path: Path, listen: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[lmtp]\nlisten = "{listen}"\n')
    assert str(load_settings(file).lmtp.listen) == listen
    file.write_text('[lmtp]\nlisten = "0.0.0.0:2424"\nallow_insecure = true\n')
    assert str(load_settings(file).lmtp.listen) == "0.0.0.0:2424"
