"""Loads the configuration: layers in, `Settings` out, or one ConfigError with every mistake.

Each problem names the source (file and line, environment variable, credential), the key, what was found (never a
secret's value), what is allowed, and the nearest known key.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mailbot.config.checks import CHECKS
from mailbot.config.layers import (
    LISTS,
    Data,
    KeyPath,
    Layer,
    config_path,
    credentials_layer,
    environment_layer,
    file_layer,
    first_line,
    secrets,
)
from mailbot.config.model import Settings
from mailbot.config.wording import key_words, sentence
from mailbot.errors import ConfigError


def load_settings(path: Path | None = None) -> Settings:
    """Load the settings from `path` (default: `config_path`), credentials and the environment, or raise ConfigError."""
    file = config_path(path)
    layers = [file_layer(file), credentials_layer(), environment_layer()]  # later ones win
    problems = [problem for layer in layers for problem in layer.problems]
    merged = _merge(layers)
    problems += _single_mailboxes(layers, merged)
    problems += _secret_files(layers, merged)
    settings, faults = _validate(merged)
    problems += [f"{_where(layers, fault['loc'])}: {sentence(fault)}" for fault in faults]
    if settings is None:
        settings, positions = _without(merged, faults)
    else:
        positions = {table: list(range(len(getattr(settings, table)))) for table in LISTS}
    problems += [f"{_where(layers, key_path)}: {what}" for key_path, what in _broken_rules(settings, positions, faults)]
    if problems:
        raise ConfigError(problems)
    settings._config_file = file
    return settings


def _merge(layers: list[Layer]) -> Data:
    """Merge the layers into one dict; later values replace earlier ones, lists as a whole."""
    merged: Data = {}
    for layer in layers:
        for table, written in layer.data.items():
            if table == "mailbox" and isinstance(written, dict):
                continue  # keys of single mailboxes: merged when the list is complete
            if isinstance(written, dict) and isinstance(merged.get(table), dict):
                merged[table] = {**merged[table], **written}
            elif isinstance(written, list):
                merged[table] = [dict(item) if isinstance(item, dict) else item for item in written]
            else:
                merged[table] = dict(written) if isinstance(written, dict) else written
    return merged


def _single_mailboxes(layers: list[Layer], merged: Data) -> list[str]:
    """Merge what credentials and environment have for one [[mailbox]], by its name, into the list.

    In the layers' own data the name is replaced by the position in that list, as everywhere else.
    """
    problems = []
    written = merged.get("mailbox")
    boxes = written if isinstance(written, list) else []
    names = [box.get("name") if isinstance(box, dict) else None for box in boxes]
    spelt = {name.replace("-", "_"): name for name in names if isinstance(name, str)}
    for layer in layers:
        single = layer.data.get("mailbox")
        if not isinstance(single, dict):
            continue
        if layer is layers[0]:
            merged["mailbox"] = single  # [mailbox] in the file: the validation reports that it takes double brackets
            continue
        placed: dict[int, Any] = {}
        for name, keys in single.items():
            if name not in names and name not in spelt:
                known = ", ".join(str(known) for known in names if known) or "none"
                where = layer.where(("mailbox", name, next(iter(keys))))
                problems.append(f"{where}: there is no [[mailbox]] of that name; known: {known}")
                continue
            position = names.index(name if name in names else spelt[name])
            placed[position] = keys
            boxes[position] |= keys
        layer.data["mailbox"] = placed
        layer.names = {position: str(names[position]).replace("-", "_") for position in placed}
    return problems


def _secret_files(layers: list[Layer], merged: Data) -> list[str]:
    """Set each KEY to the content of its `KEY_file`, unless a later layer gives KEY itself."""
    problems = []
    for table, key in _secret_keys(merged):
        named = f"{key}_file"
        strongest = next(
            (layer for layer in reversed(layers) if layer.gives(table, key) or layer.gives(table, named)), None
        )
        if strongest is None or not strongest.gives(table, named):
            continue
        start = f"{strongest.where((*table, named))}: {key_words((*table, named))}"
        if strongest.gives(table, key):
            problems.append(f"{start}: {key} is given as well; allowed: one of the two")
            continue
        file = strongest.at((*table, named))
        if not isinstance(file, str):
            continue  # the validation reports the wrong type
        try:
            value = first_line(Path(file).expanduser())
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            problems.append(f'{start}: "{file}" can\'t be used: {why}')
        else:
            written = merged[str(table[0])]
            (written if len(table) == 1 else written[table[1]])[key] = value
    return problems


def _secret_keys(merged: Data) -> Iterator[tuple[KeyPath, str]]:
    """Yield (table, key) of every secret, including those of each [[mailbox]]."""
    for table, key in sorted(secrets()):
        written = merged.get(table)
        if table not in LISTS:
            yield (table,), key
        elif isinstance(written, list):
            yield from (((table, position), key) for position in range(len(written)))


def _validate(data: Data) -> tuple[Settings | None, list[ErrorDetails]]:
    try:
        return Settings(**data), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _without(data: Data, faults: list[ErrorDetails]) -> tuple[Settings, dict[str, list[int]]]:
    """Return the settings without the faulty keys, so that the rules between the others are checked as well.

    Also returns the positions, in the file, of the remaining agents and mailboxes.
    """
    kept = {table: dict(keys) if isinstance(keys, dict) else keys for table, keys in data.items()}
    for fault in faults:
        table, *rest = fault["loc"]
        if table not in LISTS and rest and isinstance(kept.get(str(table)), dict):
            kept[str(table)].pop(rest[0], None)
        elif table not in LISTS or not rest:
            kept.pop(str(table), None)
    positions: dict[str, list[int]] = {}
    for table in LISTS:
        bad = {fault["loc"][1] for fault in faults if fault["loc"][0] == table and len(fault["loc"]) > 1}
        written = kept.get(table)
        positions[table] = []
        if isinstance(written, (list, tuple)):
            positions[table] = [at for at in range(len(written)) if at not in bad]
            kept[table] = [written[at] for at in positions[table]]
    return Settings(**cast(Any, kept)), positions


def _broken_rules(
    settings: Settings, positions: dict[str, list[int]], faults: list[ErrorDetails]
) -> list[tuple[KeyPath, str]]:
    """Check the rules between keys, except those that involve a key that is wrong by itself."""
    wrong = {fault["loc"][:2] for fault in faults}
    found: list[tuple[KeyPath, str]] = []
    for check in CHECKS:
        if any(key in wrong or key[:1] in wrong for key in check.keys):
            continue
        for violation in check.find(settings):
            key_path = violation.key_path
            if key_path[0] in LISTS:
                key_path = (key_path[0], positions[str(key_path[0])][int(key_path[1])], *key_path[2:])
            found.append((key_path, f"{key_words(key_path)}: found {violation.found}; allowed: {violation.allowed}"))
    return found


def _where(layers: list[Layer], key_path: KeyPath) -> str:
    """Return the start of a problem's line: where the last layer that has the value has it, else the file."""
    source = next((layer for layer in reversed(layers) if layer.has(key_path)), layers[0])
    return source.where(key_path)
