"""Where settings come from: the TOML file, systemd's credentials, the environment. Later ones win, key by key.

In: a path and the process's environment. Out: `Layer`s, each with its data as nested dicts of what was written there,
and with words for "where did this value stand". Never: a judgement of a value, except that it can't be read at all.
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

Place = tuple[str | int, ...]
Data = dict[str, Any]

DEFAULT_PATH = Path("/etc/mailbot/config.toml")
_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class Layer:
    """One source. `where(place)` says where the value at (table, key, …) stood, as the start of a sentence."""

    data: Data
    where: Callable[[Place], str]
    problems: list[str] = field(default_factory=list)

    def gives(self, table: str, key: str) -> bool:
        """Does this layer say something, not "", about the key?"""
        found = self.data.get(table)
        return isinstance(found, dict) and found.get(key, "") != ""

    def has(self, place: Place) -> bool:
        """Does the value at this place come from here?"""
        found = self.data.get(str(place[0])) if place else None
        if len(place) == 1 or place[0] == "agents":
            return found is not None
        return isinstance(found, dict) and place[1] in found


@cache
def tables() -> dict[str, dict[str, FieldInfo]]:
    """Every table of the configuration with its keys ("agents" has those of one agent)."""
    found = {}
    for name, info in Settings.model_fields.items():
        model = next((arg for arg in get_args(info.annotation) if arg is not Ellipsis), info.annotation)
        assert isinstance(model, type) and issubclass(model, BaseModel)
        found[name] = dict(model.model_fields)
    return found


def holds(info: FieldInfo, kind: type) -> bool:
    """Is this key of that type, or of that type or nothing?"""
    return any(part is kind or get_args(part)[:1] == (kind,) for part in (info.annotation, *get_args(info.annotation)))


@cache
def secrets() -> frozenset[tuple[str, str]]:
    """(table, key) of every value that is never shown."""
    return frozenset(
        (table, key) for table, keys in tables().items() for key, info in keys.items() if holds(info, SecretStr)
    )


@cache
def file_names() -> frozenset[tuple[str, str]]:
    """(table, key) of every value that names a file or folder."""
    return frozenset(
        (table, key)
        for table, keys in tables().items()
        for key, info in keys.items()
        if holds(info, Path) or any(getattr(rule, "func", None) is read_file_name for rule in info.metadata)
    )


def config_path(given: Path | None) -> Path:
    """Which file is read: the one that was named, else $MAILBOT_CONFIG, else /etc/mailbot/config.toml."""
    if given is not None:
        return given
    named = os.environ.get("MAILBOT_CONFIG", "")
    return Path(named) if named else DEFAULT_PATH


def file_layer(path: Path) -> Layer:
    """The TOML file. ConfigError where it can't be read or is no TOML: then nothing else can be said of it."""
    try:
        text = path.read_bytes().decode()
        data = tomllib.loads(text)
    except FileNotFoundError as error:
        mend = "`mailbot init` writes one, `--config FILE` or $MAILBOT_CONFIG names another"
        raise ConfigError([f"{path}: there is no such file; {mend}"]) from error
    except OSError as error:
        raise ConfigError(
            [f"{path}: can't be read ({error.strerror}); mailbot runs as user id {os.geteuid()}"]
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 text (byte {error.start}), as TOML has to be"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not valid TOML: {str(error)[:1].lower()}{str(error)[1:]}"]) from error
    _anchor_paths(data, path.absolute().parent)
    return Layer(data, lambda place: _in_file(path, text, place))


def _anchor_paths(data: Data, folder: Path) -> None:
    """A relative file name in the configuration counts from the configuration's folder, not from where one stands."""
    for table, key in file_names():
        written = data.get(table)
        name = written.get(key) if isinstance(written, dict) else None
        if isinstance(written, dict) and isinstance(name, str) and name and not name.startswith("~"):
            written[key] = str(folder / name)


def _in_file(path: Path, text: str, place: Place) -> str:
    """ "FILE, line 12": the line where a key, or at least its table, stands."""
    line = _line_of(text, place)
    return f"{path}, line {line}" if line else str(path)


def _line_of(text: str, place: Place) -> int:
    """The line of a key, 0 where it was written in a form that this simple search doesn't know."""
    table = str(place[0]) if place else ""
    nth = place[1] if len(place) > 1 and isinstance(place[1], int) else 0
    key = next((str(part) for part in place[1:] if isinstance(part, str)), "")
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
    """Files named TABLE.KEY in $CREDENTIALS_DIRECTORY (systemd.exec(5), LoadCredential=): texts and secrets."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    data: Data = {}
    problems: list[str] = []
    try:
        names = sorted(path.name for path in Path(folder).iterdir()) if folder else []
    except OSError as error:
        names, problems = [], [f"$CREDENTIALS_DIRECTORY {folder}: can't be read ({error.strerror})"]
    for name in names:
        table, _, key = name.partition(".")
        keys = tables().get(table, {})
        if key not in keys or table == "agents":
            near = difflib.get_close_matches(key, keys, 1, 0.8) if table != "agents" else []
            if near:  # another file that the unit passes in, a certificate say, is none of our business
                problems.append(
                    f'credential {name}: there is no key "{key}" in [{table}]; did you mean {table}.{near[0]}?'
                )
            continue
        try:
            written = first_line(Path(folder, name))
            if written:  # an empty one is a password that is not known yet, or not needed
                data.setdefault(table, {})[key] = _as_written(keys[key], written)
        except (OSError, ValueError) as error:
            problems.append(f"credential {name}: can't be read ({error})")
    return Layer(data, lambda place: f"credential {'.'.join(str(part) for part in place[:2])}", problems)


def first_line(path: Path) -> str:
    """What a file holds, without the line break at its end. ValueError where it is no text, or several lines of it."""
    try:
        text = path.read_bytes().decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error
    if "\n" in text or "\0" in text or len(text) > 100_000:
        raise ValueError("it holds more than one line of text")
    return text


class _Environment(EnvSettingsSource):
    """pydantic-settings' own reading of MAILBOT_TABLE__KEY, which takes lists as JSON or with commas."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return json.loads(value)
        except ValueError:
            if value.lstrip().startswith(("[", "{")) or field_name in Settings.model_fields:
                return value  # broken JSON: the text itself is then refused, with its name
            return [part.strip() for part in value.split(",") if part.strip()]


def environment_layer() -> Layer:
    """MAILBOT_TABLE__KEY, and MAILBOT_AGENTS as JSON. A name with `__` that no table has is a slip, and said."""
    data: Data = _Environment(Settings)()
    for table, keys in tables().items():
        written = data.get(table)
        if isinstance(written, dict):
            data[table] = {key: _as_written(keys.get(key), value) for key, value in written.items()}
    problems = []
    for name in sorted(os.environ):
        table, double, _ = name.removeprefix("MAILBOT_").lower().partition("__")
        if name.startswith("MAILBOT_") and double and table not in tables():
            near = difflib.get_close_matches(table, tables(), 1, 0.5)
            meant = f"; did you mean MAILBOT_{near[0].upper()}__…?" if near else f"; known: {', '.join(tables())}"
            problems.append(f"environment {name}: there is no table [{table}]{meant}")
    return Layer(data, _in_environment, problems)


def _in_environment(place: Place) -> str:
    whole = f"MAILBOT_{str(place[0]).upper()}" if place else "MAILBOT_…"
    if len(place) > 1 and isinstance(place[1], str):
        single = f"{whole}__{place[1].upper()}"
        return f"environment {single if single in {name.upper() for name in os.environ} else whole}"
    return f"environment {whole}"


def _as_written(info: FieldInfo | None, value: object) -> object:
    """The environment knows only texts: make of one what TOML would have had, where that is plain."""
    if info is None or not isinstance(value, str):
        return value
    if info.annotation is bool:
        return _TRUTH.get(value.strip().lower(), value)
    if info.annotation is int and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
        return int(value)
    return value
