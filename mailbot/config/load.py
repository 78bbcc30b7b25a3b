"""Reading the configuration: layers in, `Settings` out, or one ConfigError with everything that is wrong.

Each problem names the place (file and line, environment variable, credential), the key, what was found (never a
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
    Layer,
    Place,
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
    """The settings from `path` (or where config_path looks), credentials and the environment, or ConfigError."""
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
    problems += [f"{_where(layers, place)}: {what}" for place, what in _broken_rules(settings, positions, faults)]
    if problems:
        raise ConfigError(problems)
    settings._config_file = file
    return settings


def _merge(layers: list[Layer]) -> Data:
    """One dict; a key of a later layer replaces that of an earlier one, lists as a whole."""
    merged: Data = {}
    for layer in layers:
        for table, written in layer.data.items():
            if table == "mailbox" and isinstance(written, dict):
                continue  # keys of single mailboxes: they need the whole list
            if isinstance(written, dict) and isinstance(merged.get(table), dict):
                merged[table] = {**merged[table], **written}
            elif isinstance(written, list):
                merged[table] = [dict(item) if isinstance(item, dict) else item for item in written]
            else:
                merged[table] = dict(written) if isinstance(written, dict) else written
    return merged


def _single_mailboxes(layers: list[Layer], merged: Data) -> list[str]:
    """Put what credentials and environment say of one [[mailbox]], by its name, into the merged list.

    In the layers the name that they wrote becomes the position in that list, as everywhere else.
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
            merged["mailbox"] = single  # [mailbox] in the file: the validation says that it takes double brackets
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
    """Put the content of each `KEY_file` in KEY's place, unless a stronger layer gives KEY itself."""
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
            continue  # the wrong type is said by the validation
        try:
            value = first_line(Path(file).expanduser())
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            problems.append(f'{start}: "{file}" can\'t be used: {why}')
        else:
            written = merged[str(table[0])]
            (written if len(table) == 1 else written[table[1]])[key] = value
    return problems


def _secret_keys(merged: Data) -> Iterator[tuple[Place, str]]:
    """(table, key) of every secret, those of each [[mailbox]] too."""
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
    """The settings as if the faulty keys had not been written, so that the rules between the others are tried as well.

    Also the positions, in the file, of the agents and mailboxes that are left.
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
) -> list[tuple[Place, str]]:
    """What the rules between keys find, left out where a key that a rule looks at is wrong by itself."""
    wrong = {fault["loc"][:2] for fault in faults}
    found: list[tuple[Place, str]] = []
    for check in CHECKS:
        if any(key in wrong or key[:1] in wrong for key in check.keys):
            continue
        for finding in check.find(settings):
            place = finding.place
            if place[0] in LISTS:
                place = (place[0], positions[str(place[0])][int(place[1])], *place[2:])
            found.append((place, f"{key_words(place)}: found {finding.found}; allowed: {finding.allowed}"))
    return found


def _where(layers: list[Layer], place: Place) -> str:
    """The start of a problem's line: the strongest layer that says something at that place, else the file."""
    source = next((layer for layer in reversed(layers) if layer.has(place)), layers[0])
    return source.where(place)
