"""The command line from outside the desk: names, help, exit codes, stdout and stderr."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup

from mailbot import __version__
from mailbot.cli.app import COMMANDS, build
from mailbot.cli.exit_codes import run_to_exit
from mailbot.errors import ConfigError, MailbotError, NotPossible, UsageError

ROOT = Path(__file__).parents[3]

# docs/operator/commands.md
PROMISED = {
    "run": [],
    "demo": [],
    "init": [],
    "check": [],
    "ticket": ["list", "show", "reply", "note", "close", "assign", "merge", "spam"],
    "ingest": [],
    "explain": [],
    "replay": [],
    "quarantine": ["list", "show", "release", "discard"],
    "outbox": ["list", "retry", "cancel"],
    "agent": ["list", "add", "remove"],
    "template": ["list", "preview"],
    "report": [],
    "db": ["upgrade", "backup", "check"],
    "requester": ["export", "erase"],
}


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith("MAILBOT") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)


def every_command() -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in COMMANDS:
        command = build(name)
        yield (name,), command
        if isinstance(command, TyperGroup):
            yield from (((name, sub), below) for sub, below in command.commands.items())


TREE = dict(every_command())


def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run `mailbot ARGUMENTS` in a process of its own."""
    command = [sys.executable, "-m", "mailbot", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, **more)


def test_every_promised_command_is_there() -> None:
    found: dict[str, list[str]] = {name: [] for name in COMMANDS}
    for words in TREE:
        found[words[0]] += words[1:]
    assert {name: set(found.get(name, ())) >= set(below) for name, below in PROMISED.items()} == dict.fromkeys(
        PROMISED, True
    )


@pytest.mark.parametrize("words", TREE, ids=" ".join)
def test_each_help_says_what_it_does_with_an_example(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_to_exit([*words, "--help"]) == 0
    said = capsys.readouterr().out
    command = TREE[words]
    assert command.help
    if not isinstance(command, TyperGroup):
        assert re.search(rf"Example:\n    .*mailbot {' '.join(words)}\b", said), said
        assert " --config FILE" in said or words == ("demo",)


def test_the_first_page_shows_all_commands_with_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_to_exit(["--help"]) == 0
    said = capsys.readouterr().out
    for name, (_, words) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(words)}$", said, re.MULTILINE), name


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    watched = "pydantic", "sqlalchemy", "sqlmodel", "rich", "jinja2", "holidays", "imapclient", "asyncio"
    code = (
        "import sys\nfrom mailbot.cli.exit_codes import run_to_exit\nrun_to_exit(['--help'])\n"
        f"sys.stderr.write(' '.join(name for name in {watched!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr == ""


def test_the_version_is_printed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version").stdout == f"mailbot {__version__}\n"
    assert run_to_exit(["--config", "x", "--version"]) == 0  # through the whole command tree
    assert capsys.readouterr().out == f"mailbot {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tickt"], "No such command 'tickt'. Did you mean 'ticket'?"),
        (["ticket", "shwo", "5"], "Did you mean 'show'?"),
        (["ticket", "show", "abc"], "N': Input should be a valid integer"),
        (["ticket", "show", "0"], "N': Input should be greater than or equal to 1"),
        (["ticket", "list", "--status", "done"], "'done' is no status; one of queued, in_progress, waiting, closed"),
        (["ticket", "reply", "5"], "--text-file"),
        (["run", "--twice"], "--twice"),
        (["report", "--since", "soon"], 'allowed: a duration such as "90s", "15m", "6h" or "2d"'),
        (["ingest", "/nowhere/at-all.eml"], "/nowhere/at-all.eml: there is no such file"),
        (["agent", "add", "no address", "--name", "X"], "allowed: an e-mail address"),
        (["template", "preview", "x", "--form", "pdf"], "allowed: id/en, eml/txt/html"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_possible(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_to_exit(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in " ".join(captured.err.split())


@pytest.mark.parametrize("place", range(3), ids=["before", "between", "after"])
def test_config_may_stand_anywhere(place: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "mine.toml"
    broken.write_text("[imap]\npol_interval = 1\nport = 'x'\n")
    words = ["ticket", "list"]
    words[place:place] = ["--config", str(broken)]
    assert run_to_exit(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "mailbot: the configuration can't be used:",
        f'  {broken}, line 3: [imap] port: found "x"; allowed: a whole number from 1 to 65535',
        f"  {broken}, line 2: [imap] pol_interval is not a known key; did you mean poll_interval?",
    ]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (NotPossible("There is no ticket #5."), 1, "mailbot: There is no ticket #5.\n"),
        (UsageError("two at once"), 2, "mailbot: two at once\n"),
        (ConfigError(["a", "b"]), 2, "mailbot: the configuration can't be used:\n  a\n  b\n"),
        (MailbotError("so it is"), 1, "mailbot: so it is\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 1, ""),
    ],
)
def test_how_each_error_ends(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("mailbot.cli.check.print_results", fail)
    monkeypatch.setattr("mailbot.cli.check.probes", tuple)
    empty = ROOT / "config" / "mailbot.toml"
    assert run_to_exit(["check", "--config", str(empty)]) == code
    assert capfd.readouterr().err == said


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m mailbot ticket --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_ctrl_c_ends_with_130_and_without_a_traceback(tmp_path: Path) -> None:
    fifo = tmp_path / "slow.toml"
    os.mkfifo(fifo)  # reading the configuration blocks for ever
    process = subprocess.Popen(
        [sys.executable, "-m", "mailbot", "check", "--config", str(fifo)], stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    writer = os.open(fifo, os.O_WRONLY)  # returns when the command has opened it to read
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    os.close(writer)
    assert process.returncode == 130
    assert said == ""


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_the_shell_is_taught_the_words() -> None:
    environment = {**os.environ, "_MAILBOT_COMPLETE": "complete_bash", "COMP_WORDS": "mailbot ti", "COMP_CWORD": "1"}
    assert run(env=environment).stdout.split() == ["ticket"]
    environment |= {"COMP_WORDS": "mailbot ticket s", "COMP_CWORD": "2"}
    assert run(env=environment).stdout.split() == ["show", "spam"]


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_no_letter_of_a_mail_ends_a_command(locale: str, tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    broken = tmp_path / "Tidak bisa “tutup” BKU 🙏.toml"
    command = [sys.executable, "-m", "mailbot", "check", "--config", str(broken)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, cwd=ROOT, env=environment)
    assert done.returncode == 2
    assert b"there is no such file" in done.stderr
    assert b"Traceback" not in done.stderr
