"""`mailbot init`: the first configuration, out of the commented example and a few answers.

In: what the options say; a person at a terminal is asked for the rest. Out: the file with every key and its comment,
and two files for the passwords, mode 0600, empty until they are known. The configuration only names them: it holds no
secret, so the service may read it, and systemd hands the passwords over as credentials.
Never: a file that exists is overwritten; a password in the configuration.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import typer

from mailbot.cli.output import say
from mailbot.config.values import read_address, words
from mailbot.errors import NotPossible, UsageError


@dataclass(frozen=True, slots=True)
class Answers:
    """What init has to know; "" where it was not said."""

    address: str
    name: str
    brand: str
    imap_host: str
    imap_user: str
    smtp_host: str
    smtp_user: str
    data_dir: Path | None
    agents: tuple[str, ...]


def write_config(path: Path, given: Answers) -> None:
    """Write the files and say what comes next. NotPossible: there is one already; UsageError: an answer lacks."""
    if path.exists():
        raise NotPossible(f"{path} exists already and is left as it is; --config FILE names another one.")
    asked = sys.stdin.isatty()
    answers = _complete(given, ask=asked)
    passwords = _passwords(answers) if asked else dict.fromkeys(("imap", "smtp"), "")
    text = filled(_example(), answers)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _write_new(path, text, 0o644)
        for table, password in passwords.items():
            with suppress(FileExistsError):  # one that is there already is the right one
                _write_new(path.parent / f"{table}.password", password + "\n" if password else "", 0o600)
    except FileExistsError as error:
        raise NotPossible(f"{error.filename} exists already and is left as it is.") from error
    except OSError as error:
        raise NotPossible(f"{error.filename}: can't be written ({error.strerror}).") from error
    _say_next(path, answers)


def _complete(given: Answers, *, ask: bool) -> Answers:
    """The answers with defaults, each asked for where there is somebody to ask; checked."""
    address = _answer(
        given.address, "The desk's e-mail address, which schools write to", "", ask, "address", read_address
    )
    brand = _answer(given.brand, "Short name of the organisation, as in “Sally (BOSP)”", "BOSP", ask, "brand", words)
    name = _answer(given.name, "Sender's name on automatic mail", f"Helpdesk {brand}", ask, "name", words)
    guess = f"imap.{address.partition('@')[2]}" if ask else ""  # a guess is for a person to confirm
    imap_host = _answer(given.imap_host, "IMAP server", guess, ask, "imap-host", words)
    imap_user = _answer(given.imap_user, "IMAP user", address, ask, "imap-user", words)
    guess = re.sub(r"^imap\.", "smtp.", imap_host)
    smtp_host = _answer(given.smtp_host, "SMTP server", guess, ask, "smtp-host", words)
    smtp_user = _answer(given.smtp_user, "SMTP user", imap_user, ask, "smtp-user", words)
    agents = tuple(_checked(agent, "agent", _agent) for agent in given.agents)
    if ask and not agents:
        agents = (_answer("", "First agent, as Sally=sally@helpdesk.example", "", ask, "agent", _agent),)
    return Answers(address, name, brand, imap_host, imap_user, smtp_host, smtp_user, given.data_dir, agents)


def _answer(given: str, question: str, default: str, ask: bool, option: str, read: Callable[[str], str]) -> str:
    """What the option said; else what the person at the terminal says, asked until it can be used; else the default."""
    if given or not ask:
        if not given and not default:
            raise UsageError(f"there is no terminal to ask at: say it with --{option}")
        return _checked(given or default, option, read)
    while True:
        typed = str(typer.prompt(question, default=default or None, err=True)).strip()
        try:
            return read(typed)
        except ValueError as error:
            say(f"  allowed: {error}")


def _checked(text: str, option: str, read: Callable[[str], str]) -> str:
    try:
        return read(text.strip())
    except ValueError as error:
        raise UsageError(f"--{option}: found {text!r}; allowed: {error}") from error


def _agent(text: str) -> str:
    """`Sally=sally@helpdesk.example`"""
    name, _, email = text.partition("=")
    try:
        return f"{words(name.strip())}={read_address(email.strip())}"
    except ValueError as error:
        raise ValueError("a name and an address such as Sally=sally@helpdesk.example") from error


def _passwords(answers: Answers) -> dict[str, str]:
    """The password for each table, "" where it was not typed; one log-in is asked for once."""
    imap = _ask_hidden(f"IMAP password of {answers.imap_user} (empty: later)")
    if answers.smtp_user == answers.imap_user:
        return {"imap": imap, "smtp": imap}
    return {"imap": imap, "smtp": _ask_hidden(f"SMTP password of {answers.smtp_user} (empty: later)")}


def _ask_hidden(question: str) -> str:
    return str(typer.prompt(question, default="", hide_input=True, show_default=False, err=True))


def _example() -> str:
    """The commented example: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "config" / "mailbot.toml"
    return (inside if inside.is_file() else package.parent / "config" / "mailbot.toml").read_text()


def filled(text: str, answers: Answers) -> str:
    """The example with the answers in their places; everything else keeps its default and its comment."""
    values = {
        ("helpdesk", "name"): answers.name,
        ("helpdesk", "brand"): answers.brand,
        ("helpdesk", "address"): answers.address,
        ("imap", "host"): answers.imap_host,
        ("imap", "username"): answers.imap_user,
        ("imap", "password_file"): "imap.password",
        ("smtp", "host"): answers.smtp_host,
        ("smtp", "username"): answers.smtp_user,
        ("smtp", "password_file"): "smtp.password",
    }
    if answers.data_dir is not None:
        values["storage", "data_dir"] = str(answers.data_dir.absolute())
    lines, table = [], ""
    for line in text.splitlines():
        header = re.match(r"\[([a-z_]+)\]", line)
        table = header[1] if header else table
        key = re.match(r"([a-z_]+) = (?:\"[^\"]*\")( *)(.*)", line)
        if key and (table, key[1]) in values:
            start = f"{key[1]} = {quoted(values.pop((table, key[1])))}"
            line = f"{start:<42}{key[3]}".rstrip()
        lines.append(line)
        if line.startswith("# role"):
            lines += _agent_blocks(answers.agents)
    written = "\n".join(lines) + "\n"
    tomllib.loads(written)  # whatever was typed, the file is valid
    return written


def _agent_blocks(agents: tuple[str, ...]) -> list[str]:
    """The first agent is a lead: somebody has to hear of what goes wrong."""
    lines = []
    for position, agent in enumerate(agents):
        name, _, email = agent.partition("=")
        role = "agent" if position else "lead"
        lines += [
            "",
            "[[agents]]",
            f"name = {quoted(name.strip())}",
            f"email = {quoted(email.strip())}",
            f'role = "{role}"',
        ]
    return lines


def quoted(text: str) -> str:
    """A basic string of TOML 1.0."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'


def _write_new(path: Path, text: str, mode: int) -> None:
    """A file that did not exist, complete and on the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        os.fchmod(out.fileno(), mode)  # whatever the umask
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def _say_next(path: Path, answers: Answers) -> None:
    say(f"Written: {path}")
    for table in ("imap", "smtp"):
        file = path.parent / f"{table}.password"
        empty = file.stat().st_size == 0
        say(f"Written: {file}" + (f" (empty: put the password of {table.upper()} in)" if empty else ""))
    if not answers.agents:
        say(f"Add the team: [[agents]] in {path}, or `mailbot agent add`.")
    say(f"Then: mailbot check --config {path}")
