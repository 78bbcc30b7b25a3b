"""`mailbot init`: the first configuration, made from the commented example and a few answers.

In: options; a person at a terminal is asked for the rest. Out: the file with every key and its comment, and two files
for the passwords, mode 0600, empty until they are known. The configuration only names them: it holds no secret, so the
service may read it, and systemd passes the passwords as credentials.
Never: overwrites a file; writes a password into the configuration.
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
from typing import Annotated

import typer

from mailbot.cli.options import ConfigFile, named_config, single
from mailbot.cli.output import say
from mailbot.errors import NotPossible, UsageError


@dataclass(frozen=True, slots=True)
class Answers:
    """What init has to know; "" for what was not given."""

    address: str
    name: str
    brand: str
    imap_host: str
    imap_user: str
    smtp_host: str
    smtp_user: str
    data_dir: Path | None
    agents: tuple[str, ...]  # "Sally=sally@helpdesk.example"


def init(  # noqa: PLR0913 - one parameter per option
    context: typer.Context,
    address: Annotated[str, typer.Option(metavar="EMAIL", help="The address that requesters write to.")] = "",
    name: Annotated[str, typer.Option(metavar="NAME", help="Sender's name on automatic mail.")] = "",
    brand: Annotated[
        str, typer.Option(metavar="NAME", help="Organisation shown behind an agent's name: Sally (BRAND).")
    ] = "",
    imap_host: Annotated[str, typer.Option(metavar="HOST", help="IMAP server of the inbox.")] = "",
    imap_user: Annotated[str, typer.Option(metavar="USER", help="IMAP user; default: the address.")] = "",
    smtp_host: Annotated[str, typer.Option(metavar="HOST", help="SMTP server; default: the IMAP server.")] = "",
    smtp_user: Annotated[str, typer.Option(metavar="USER", help="SMTP user; default: the IMAP user.")] = "",
    data_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for the database.")] = None,
    agent: Annotated[list[str] | None, typer.Option(metavar="NAME=EMAIL", help="An agent; may be repeated.")] = None,
    config: ConfigFile = None,
) -> None:
    """Write a commented configuration, asking for what can't be guessed. Never overwrites."""
    from mailbot.config.layers import config_path

    given = Answers(address, name, brand, imap_host, imap_user, smtp_host, smtp_user, data_dir, tuple(agent or ()))
    write_config(config_path(named_config(context)), given)


app = single("init", init, "sudo mailbot init", "mailbot init --config ./mailbot.toml --address support@school.example")


def write_config(path: Path, given: Answers) -> None:
    """Write the files and say what comes next. NotPossible: a file exists; UsageError: an answer is missing."""
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
            with suppress(FileExistsError):  # one that exists is kept
                _write_new(path.parent / f"{table}.password", password + "\n" if password else "", 0o600)
    except FileExistsError as error:
        raise NotPossible(f"{error.filename} exists already and is left as it is.") from error
    except OSError as error:
        raise NotPossible(f"{error.filename}: can't be written ({error.strerror}).") from error
    _say_next(path, answers)


def _complete(given: Answers, *, ask: bool) -> Answers:
    """Return the answers with defaults, each asked for if there is a terminal; checked."""
    from mailbot.config.values import read_address, words

    address = _Question("address", "The helpdesk's e-mail address", ask, read_address).answer(given.address)
    brand = _Question("brand", "Short name of the organisation, as in “Sally (BOSP)”", ask, words).answer(
        given.brand, "BOSP"
    )
    name = _Question("name", "Sender's name on automatic mail", ask, words).answer(given.name, f"Helpdesk {brand}")
    guess = f"imap.{address.partition('@')[2]}" if ask else ""  # a guess needs a person to confirm it
    imap_host = _Question("imap-host", "IMAP server", ask, words).answer(given.imap_host, guess)
    imap_user = _Question("imap-user", "IMAP user", ask, words).answer(given.imap_user, address)
    guess = re.sub(r"^imap\.", "smtp.", imap_host)
    smtp_host = _Question("smtp-host", "SMTP server", ask, words).answer(given.smtp_host, guess)
    smtp_user = _Question("smtp-user", "SMTP user", ask, words).answer(given.smtp_user, imap_user)
    agent = _Question("agent", "First agent, as Sally=sally@helpdesk.example", ask, _agent)
    agents = tuple(agent.checked(each) for each in given.agents)
    if ask and not agents:
        agents = (agent.answer(""),)
    return Answers(address, name, brand, imap_host, imap_user, smtp_host, smtp_user, given.data_dir, agents)


@dataclass(frozen=True, slots=True)
class _Question:
    """What init asks for, on the command line or at the terminal."""

    option: str  # without its dashes
    words: str
    ask: bool  # whether there is a terminal to ask at
    read: Callable[[str], str]  # checks and normalises; raises ValueError with what is allowed

    def answer(self, given: str, default: str = "") -> str:
        """Return the option's value, else what the person types (asked until it is valid), else the default."""
        if given or not self.ask:
            if not given and not default:
                raise UsageError(f"there is no terminal to ask at: say it with --{self.option}")
            return self.checked(given or default)
        while True:
            typed = str(typer.prompt(self.words, default=default or None, err=True)).strip()
            try:
                return self.read(typed)
            except ValueError as error:
                say(f"  allowed: {error}")

    def checked(self, text: str) -> str:
        """Return the option's value, normalised; UsageError if it is not allowed."""
        try:
            return self.read(text.strip())
        except ValueError as error:
            raise UsageError(f"--{self.option}: found {text!r}; allowed: {error}") from error


def _agent(text: str) -> str:
    """Normalise `Sally=sally@helpdesk.example`."""
    from mailbot.config.values import read_address, words

    name, _, email = text.partition("=")
    try:
        return f"{words(name.strip())}={read_address(email.strip())}"
    except ValueError as error:
        raise ValueError("a name and an address such as Sally=sally@helpdesk.example") from error


def _passwords(answers: Answers) -> dict[str, str]:
    """Ask for the password of each table ("" if it was not typed), once if both have the same user."""
    imap = _ask_hidden(f"IMAP password of {answers.imap_user} (empty: later)")
    if answers.smtp_user == answers.imap_user:
        return {"imap": imap, "smtp": imap}
    return {"imap": imap, "smtp": _ask_hidden(f"SMTP password of {answers.smtp_user} (empty: later)")}


def _ask_hidden(question: str) -> str:
    return str(typer.prompt(question, default="", hide_input=True, show_default=False, err=True))


def _example() -> str:
    """Return the commented example: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "config" / "mailbot.toml"
    return (inside if inside.is_file() else package.parent / "config" / "mailbot.toml").read_text()


def filled(text: str, answers: Answers) -> str:
    """Return the example with the answers filled in; everything else keeps its default and its comment."""
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
    """Return the [[agents]] tables. The first agent is a lead: somebody has to be notified of failures."""
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
    """Return a basic string of TOML 1.0."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'


def _write_new(path: Path, text: str, mode: int) -> None:
    """Create a file, and fsync it; FileExistsError if there is one."""
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
