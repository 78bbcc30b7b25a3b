"""`mailbot init`: a first configuration that works, and nothing overwritten."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import tomllib
from pathlib import Path

import pytest

from mailbot.cli.exit_codes import run_to_exit
from mailbot.cli.init import quoted
from mailbot.config.load import load_settings

ANSWERS = ["--address", "bantuan@sekolah.example", "--imap-host", "mail.sekolah.example"]


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith("MAILBOT") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)


def test_options_are_enough_where_nobody_can_be_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "etc" / "config.toml"
    agents = ["--agent", "Sally=sally@sekolah.example", "--agent", 'Budi "B"=budi@sekolah.example']
    before = os.umask(0o077)
    try:
        assert (
            run_to_exit(["init", "--config", str(path), *ANSWERS, *agents, "--data-dir", str(tmp_path / "data")]) == 0
        )
    finally:
        os.umask(before)
    (path.parent / "imap.password").write_text("geheim\n")
    settings = load_settings(path)
    assert settings.helpdesk.address == "bantuan@sekolah.example"
    assert (settings.helpdesk.name, settings.helpdesk.brand) == ("Helpdesk BOSP", "BOSP")
    assert (settings.imap.host, settings.imap.username) == ("mail.sekolah.example", "bantuan@sekolah.example")
    assert (settings.smtp.host, settings.smtp.username) == ("mail.sekolah.example", "bantuan@sekolah.example")
    assert settings.imap.password.get_secret_value() == "geheim"
    assert [(agent.name, agent.role) for agent in settings.agents] == [("Sally", "lead"), ('Budi "B"', "agent")]
    assert settings.storage.data_dir == tmp_path / "data"
    assert path.stat().st_mode & 0o777 == 0o644  # the service's own user has to read it; it holds no secret
    assert (path.parent / "smtp.password").stat().st_mode & 0o777 == 0o600
    said = capsys.readouterr()
    assert said.out == ""
    assert f"Then: mailbot check --config {path}" in said.err


def test_every_comment_of_the_example_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert run_to_exit(["init", "--config", str(path), *ANSWERS]) == 0
    example = (Path(__file__).parents[3] / "config" / "mailbot.toml").read_text()

    def comments(text: str) -> list[str]:
        return re.findall(r"#.*", text)

    assert comments(path.read_text()) == comments(example)
    assert tomllib.loads(path.read_text()).keys() == tomllib.loads(example).keys()


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.toml"
    path.write_text("mine")
    assert run_to_exit(["init", "--config", str(path), *ANSWERS]) == 1
    assert path.read_text() == "mine"
    assert f"{path} exists already and is left as it is" in capsys.readouterr().err


def test_a_password_that_is_there_already_is_kept(tmp_path: Path) -> None:
    (tmp_path / "imap.password").write_text("geheim")
    assert run_to_exit(["init", "--config", str(tmp_path / "config.toml"), *ANSWERS]) == 0
    assert (tmp_path / "imap.password").read_text() == "geheim"


def test_a_missing_answer_names_its_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_to_exit(["init", "--config", str(tmp_path / "c.toml"), "--address", "a@b.id"]) == 2
    assert "say it with --imap-host" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--address", "nobody"], "--address: found 'nobody'; allowed: an e-mail address"),
        (
            [*ANSWERS, "--agent", "Sally=nowhere"],
            "--agent: found 'Sally=nowhere'; allowed: a name and an address such as",
        ),
        ([*ANSWERS, "--agent", "sally@sekolah.example"], "--agent: found 'sally@sekolah.example'; allowed: a name and"),
        ([*ANSWERS, "--brand", "a\nb"], "--brand: found 'a\\nb'; allowed: text on one line"),
    ],
)
def test_a_wrong_answer_writes_nothing(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_to_exit(["init", "--config", str(tmp_path / "c.toml"), *options]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ['a "b" \\ c', "tab\tend", "Bel\x07", "ü ”"])
def test_any_text_becomes_a_toml_string(text: str) -> None:
    assert tomllib.loads(f"key = {quoted(text)}") == {"key": text}


def test_a_person_is_asked_and_the_password_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    typed = {
        "e-mail address": "bantuan",
        "allowed: an e-mail address": "bantuan@sekolah.example",
        "Short name": "",
        "Sender's name": "",
        "IMAP server": "",
        "IMAP user": "",
        "SMTP server": "",
        "SMTP user": "",
        "First agent": "Sally=sally@sekolah.example",
        "IMAP password": "sangat-geheim",
    }
    code, screen = on_a_terminal([sys.executable, "-m", "mailbot", "init", "--config", str(path)], typed)
    assert code == 0, screen
    assert "sangat-geheim" not in screen
    settings = load_settings(path)
    assert (settings.imap.host, settings.smtp.host) == ("imap.sekolah.example", "smtp.sekolah.example")
    assert settings.imap.password.get_secret_value() == settings.smtp.password.get_secret_value() == "sangat-geheim"
    assert "geheim" not in path.read_text()
    assert settings.agents[0].role == "lead"


def on_a_terminal(command: list[str], typed: dict[str, str]) -> tuple[int, str]:
    """Run a command on a pseudo-terminal and answer each question when it appears; return exit code and screen."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(Path(__file__).parents[3])
        os.execv(command[0], command)
    screen, questions = "", list(typed.items())
    while select.select([terminal], [], [], 30)[0]:
        try:
            got = os.read(terminal, 4096)
        except OSError:  # Linux: the other side is closed
            break
        if not got:
            break
        screen += got.decode(errors="replace")
        if questions and questions[0][0] in screen and screen.endswith(": "):
            os.write(terminal, questions.pop(0)[1].encode() + b"\n")
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen
