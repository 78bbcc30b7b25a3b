"""The sources of settings: the TOML file, systemd's credentials, the environment. Later ones win, key by key.

In: a path and the process's environment. Out: `Layer`s, each with its data as nested dicts of what was written there,
and a function that describes where a value was written. Never: validates a value, beyond whether it can be read.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from mailbot.config.model import Settings
from mailbot.config.values import read_file_name
from mailbot.errors import ConfigError

#: Table, key, and position in a list, as far as each applies; for a list of tables: table, position, key.
KeyPath = tuple[str | int, ...]
Data = dict[str, Any]

# Tables in double brackets, which may be repeated.
LISTS = ("agents", "mailbox")
DEFAULT_PATH = Path("/etc/mailbot/config.toml")
_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclass(slots=True)
class Layer:
    """One source of settings."""

    data: Data
    where: Callable[[KeyPath], str]  #: describes where a value was written, as the start of a sentence
    problems: list[str] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)  #: its names of mailboxes, by their position in the file

    def gives(self, table: KeyPath, key: str) -> bool:
        """Tell whether this layer has a value, not "", for a key of the table (("imap",), ("mailbox", 0))."""
        found = self.at(table)
        return isinstance(found, dict) and found.get(key, "") != ""

    def at(self, key_path: KeyPath) -> Any:
        """Return what was written there, None where nothing was."""
        found: Any = self.data
        for part in key_path:
            if isinstance(found, dict):
                found = found.get(part)
            else:
                is_item = isinstance(found, (list, tuple)) and isinstance(part, int) and part < len(found)
                found = found[part] if is_item else None
        return found

    def named(self, key_path: KeyPath) -> KeyPath:
        """Replace the position of a mailbox by its name as this layer writes it."""
        if len(key_path) > 2 and isinstance(key_path[1], int) and key_path[1] in self.names:
            return (key_path[0], self.names[key_path[1]], *key_path[2:])
        return key_path

    def has(self, key_path: KeyPath) -> bool:
        """Tell whether this layer has a value there."""
        found = self.data.get(str(key_path[0])) if key_path else None
        if len(key_path) == 1 or (key_path[0] in LISTS and isinstance(found, (list, tuple))):
            return found is not None
        if key_path[0] in LISTS:  # keys of single mailboxes, by name
            return len(key_path) > 2 and isinstance(found, dict) and key_path[2] in found.get(key_path[1], {})
        return isinstance(found, dict) and key_path[1] in found


@cache
def tables() -> dict[str, dict[str, FieldInfo]]:
    """Return every table with its keys ("agents" has those of one agent, "mailbox" those of one mailbox)."""
    found = {}
    for name, info in Settings.model_fields.items():
        model = next((arg for arg in get_args(info.annotation) if arg is not Ellipsis), info.annotation)
        assert isinstance(model, type) and issubclass(model, BaseModel)
        found[name] = dict(model.model_fields)
    return found


def holds(info: FieldInfo, kind: type) -> bool:
    """Tell whether a key has that type, optional or not."""
    return any(part is kind or get_args(part)[:1] == (kind,) for part in (info.annotation, *get_args(info.annotation)))


@cache
def secrets() -> frozenset[tuple[str, str]]:
    """Return (table, key) of every value that is never shown."""
    return frozenset(
        (table, key) for table, keys in tables().items() for key, info in keys.items() if holds(info, SecretStr)
    )


@cache
def file_names() -> frozenset[tuple[str, str]]:
    """Return (table, key) of every value that names a file or folder."""
    return frozenset(
        (table, key)
        for table, keys in tables().items()
        for key, info in keys.items()
        if holds(info, Path) or any(getattr(rule, "func", None) is read_file_name for rule in info.metadata)
    )


def config_path(given: Path | None) -> Path:
    """Return the file to read: the given one, else $MAILBOT_CONFIG, else /etc/mailbot/config.toml."""
    if given is not None:
        return given
    named = os.environ.get("MAILBOT_CONFIG", "")
    return Path(named) if named else DEFAULT_PATH


def file_layer(path: Path) -> Layer:
    """Read the TOML file; raises ConfigError where it can't be read or parsed: nothing else can be checked then."""
    try:
        text = path.read_bytes().decode()
        data = tomllib.loads(text)
    except FileNotFoundError as error:
        remedy = "`mailbot init` writes one, `--config FILE` or $MAILBOT_CONFIG names another"
        raise ConfigError([f"{path}: there is no such file; {remedy}"]) from error
    except OSError as error:
        raise ConfigError(
            [f"{path}: can't be read ({error.strerror}); mailbot runs as user id {os.geteuid()}"]
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 text (byte {error.start}), as TOML has to be"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not valid TOML: {str(error)[:1].lower()}{str(error)[1:]}"]) from error
    _anchor_paths(data, path.absolute().parent)
    return Layer(data, lambda key_path: _in_file(path, text, key_path))


def _anchor_paths(data: Data, folder: Path) -> None:
    """Resolve relative file names against the configuration's folder, not the working directory."""
    for table, key in file_names():
        found = data.get(table)
        for written in found if isinstance(found, list) else [found]:
            name = written.get(key) if isinstance(written, dict) else None
            if isinstance(written, dict) and isinstance(name, str) and name and not name.startswith("~"):
                written[key] = str(folder / name)


def _in_file(path: Path, text: str, key_path: KeyPath) -> str:
    """Return "FILE, line 12", the line of a key or at least of its table."""
    line = _line_of(text, key_path)
    return f"{path}, line {line}" if line else str(path)


def _line_of(text: str, key_path: KeyPath) -> int:
    """Return the line of a key, 0 where it was written in a form that this simple search doesn't know."""
    table = str(key_path[0]) if key_path else ""
    nth = key_path[1] if len(key_path) > 1 and isinstance(key_path[1], int) else 0
    key = next((str(part) for part in key_path[1:] if isinstance(part, str)), "")
    current, seen, header = "", -1, 0
    for number, line in enumerate(text.splitlines(), start=1):
        opened = re.match(r"\s*\[\[?\s*([A-Za-z0-9_\"'-]{1,80})\s*\]\]?", line)
        if opened:
            current = opened[1].strip("\"'")
            seen += current == table
            header = number if current == table and seen == nth and not header else header
        inside = current == table and seen == nth
        written = re.match(r"\s*([A-Za-z0-9_.\"'-]{1,120})\s*=", line)
        name = written[1].replace('"', "").replace("'", "") if written else ""
        if name and ((inside and name == key) or (not current and name in (table, f"{table}.{key}"))):
            return number
    return header


def credentials_layer() -> Layer:
    """Read files TABLE.KEY and mailbox.NAME.KEY in $CREDENTIALS_DIRECTORY (systemd.exec(5), LoadCredential=)."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    data: Data = {}
    problems: list[str] = []
    try:
        names = sorted(path.name for path in Path(folder).iterdir()) if folder else []
    except OSError as error:
        names, problems = [], [f"$CREDENTIALS_DIRECTORY {folder}: can't be read ({error.strerror})"]
    for name in names:
        table, _, key = name.partition(".")
        keys, box = tables().get(table, {}), ""
        if table == "mailbox":
            box, _, key = key.rpartition(".")
        if key not in keys or table == "agents" or (table == "mailbox" and not box):
            near = difflib.get_close_matches(key, keys, 1, 0.8) if table not in LISTS else []
            if near:  # other files of the unit, a certificate for example, are ignored
                problems.append(
                    f'credential {name}: there is no key "{key}" in [{table}]; did you mean {table}.{near[0]}?'
                )
            continue
        try:
            written = first_line(Path(folder, name))
            if written:  # an empty one is a password that is unknown yet, or not needed
                into = data.setdefault(table, {})
                (into.setdefault(box, {}) if box else into)[key] = _as_written(keys[key], written)
        except (OSError, ValueError) as error:
            problems.append(f"credential {name}: can't be read ({error})")
    layer = Layer(data, lambda key_path: _named_credential(layer.named(key_path)), problems)
    return layer


def _named_credential(key_path: KeyPath) -> str:
    return f"credential {'.'.join(map(str, key_path[: 3 if key_path[0] in LISTS else 2]))}"


def first_line(path: Path) -> str:
    """Return the one line of a text file; raises ValueError where it is not text, or has several lines."""
    try:
        text = path.read_bytes().decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error
    if "\n" in text or "\0" in text or len(text) > 100_000:
        raise ValueError("it holds more than one line of text")
    return text


class _Environment(EnvSettingsSource):
    """pydantic-settings' reader of MAILBOT_TABLE__KEY, with lists as JSON or separated by commas."""

    # Any: the types of pydantic-settings.
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return json.loads(value)
        except ValueError:
            if value.lstrip().startswith(("[", "{")) or field_name in Settings.model_fields:
                return value  # broken JSON: the text itself is then refused, with its name
            return [part.strip() for part in value.split(",") if part.strip()]


def environment_layer() -> Layer:
    """Read MAILBOT_TABLE__KEY, MAILBOT_MAILBOX__NAME__KEY, and MAILBOT_AGENTS as JSON; report unknown tables."""
    data: Data = _Environment(Settings)()
    problems = []
    single = _single_mailboxes()
    if isinstance(data.get("mailbox"), dict) or single:
        if "MAILBOT_MAILBOX" in {name.upper() for name in os.environ}:
            problems.append("environment MAILBOT_MAILBOX: single keys (MAILBOT_MAILBOX__NAME__KEY) are given as well")
        elif not single:
            problems.append("environment MAILBOT_MAILBOX__…: which mailbox? Allowed: MAILBOT_MAILBOX__NAME__KEY")
        data.pop("mailbox", None)
    if single:
        data["mailbox"] = single
    for table, keys in tables().items():
        written = data.get(table)
        if isinstance(written, dict) and table not in LISTS:
            data[table] = {key: _as_written(keys.get(key), value) for key, value in written.items()}
    for name in sorted(os.environ):
        table, double, _ = name.removeprefix("MAILBOT_").lower().partition("__")
        if name.startswith("MAILBOT_") and double and table not in tables():
            near = difflib.get_close_matches(table, tables(), 1, 0.5)
            meant = f"; did you mean MAILBOT_{near[0].upper()}__…?" if near else f"; known: {', '.join(tables())}"
            problems.append(f"environment {name}: there is no table [{table}]{meant}")
    layer = Layer(data, lambda key_path: _in_environment(layer.named(key_path)), problems)
    return layer


def _single_mailboxes() -> Data:
    """Read MAILBOT_MAILBOX__NAME__KEY as {name: {key: value}}; a "-" of the name is written "_" there."""
    found: Data = {}
    for variable in sorted(os.environ):
        parts = variable.lower().split("__")
        if len(parts) == 3 and parts[0] == "mailbot_mailbox":
            key = parts[2]
            found.setdefault(parts[1], {})[key] = _as_written(tables()["mailbox"].get(key), os.environ[variable])
    return found


def _in_environment(key_path: KeyPath) -> str:
    if len(key_path) > 2 and key_path[0] == "mailbox" and isinstance(key_path[1], str):
        return f"environment MAILBOT_MAILBOX__{key_path[1].upper()}__{str(key_path[2]).upper()}"
    whole = f"MAILBOT_{str(key_path[0]).upper()}" if key_path else "MAILBOT_…"
    if len(key_path) > 1 and isinstance(key_path[1], str):
        single = f"{whole}__{key_path[1].upper()}"
        return f"environment {single if single in {name.upper() for name in os.environ} else whole}"
    return f"environment {whole}"


def _as_written(info: FieldInfo | None, value: object) -> object:
    """Convert a text, the only type of the environment, to the TOML type of its key where that is unambiguous."""
    if info is None or not isinstance(value, str):
        return value
    if info.annotation is bool:
        return _TRUTH.get(value.strip().lower(), value)
    if info.annotation is int and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
        return int(value)
    return value
