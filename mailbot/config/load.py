"""Reading the configuration: layers in, `Settings` out, or one ConfigError with everything that is wrong.

Each problem names the place (file and line, environment variable, credential), the key, what was found (never a
secret's value), what is allowed, and the nearest known key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mailbot.config.checks import CHECKS
from mailbot.config.layers import (
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
    problems += _secret_files(layers, merged)
    settings, faults = _validate(merged)
    problems += [f"{_where(layers, fault['loc'])}: {sentence(fault)}" for fault in faults]
    if settings is None:
        settings, positions = _without(merged, faults)
    else:
        positions = list(range(len(settings.agents)))
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
            if isinstance(written, dict) and isinstance(merged.get(table), dict):
                merged[table] = {**merged[table], **written}
            else:
                merged[table] = dict(written) if isinstance(written, dict) else written
    return merged


def _secret_files(layers: list[Layer], merged: Data) -> list[str]:
    """Put the content of each `KEY_file` in KEY's place, unless a stronger layer gives KEY itself."""
    problems = []
    for table, key in sorted(secrets()):
        named = f"{key}_file"
        strongest = next(
            (layer for layer in reversed(layers) if layer.gives(table, key) or layer.gives(table, named)), None
        )
        if strongest is None or not strongest.gives(table, named):
            continue
        if strongest.gives(table, key):
            problems.append(
                f"{strongest.where((table, named))}: [{table}] {named}: {key} is given as well; allowed: one of the two"
            )
            continue
        file = strongest.data[table][named]
        if not isinstance(file, str):
            continue  # the wrong type is said by the validation
        try:
            merged[table][key] = first_line(Path(file).expanduser())
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            problems.append(f'{strongest.where((table, named))}: [{table}] {named}: "{file}" can\'t be used: {why}')
    return problems


def _validate(data: Data) -> tuple[Settings | None, list[ErrorDetails]]:
    try:
        return Settings(**data), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _without(data: Data, faults: list[ErrorDetails]) -> tuple[Settings, list[int]]:
    """The settings as if the faulty keys had not been written, so that the rules between the others are tried as well.

    Also the positions, in the file, of the agents that are left.
    """
    kept = {table: dict(keys) if isinstance(keys, dict) else keys for table, keys in data.items()}
    bad_agents = {fault["loc"][1] for fault in faults if fault["loc"][0] == "agents" and len(fault["loc"]) > 1}
    for fault in faults:
        table, *rest = fault["loc"]
        if table != "agents" and rest and isinstance(kept.get(str(table)), dict):
            kept[str(table)].pop(rest[0], None)
        elif table != "agents" or not rest:
            kept.pop(str(table), None)
    written = kept.get("agents")
    positions = [at for at in range(len(written)) if at not in bad_agents] if isinstance(written, (list, tuple)) else []
    if isinstance(written, (list, tuple)):
        kept["agents"] = [written[at] for at in positions]
    return Settings(**cast(Any, kept)), positions


def _broken_rules(settings: Settings, positions: list[int], faults: list[ErrorDetails]) -> list[tuple[Place, str]]:
    """What the rules between keys find, left out where a key that a rule looks at is wrong by itself."""
    wrong = {fault["loc"][:2] for fault in faults}
    found: list[tuple[Place, str]] = []
    for check in CHECKS:
        if any(key in wrong or key[:1] in wrong for key in check.keys):
            continue
        for finding in check.find(settings):
            place = finding.place
            if place[0] == "agents":
                place = ("agents", positions[int(place[1])], *place[2:])
            found.append((place, f"{key_words(place)}: found {finding.found}; allowed: {finding.allowed}"))
    return found


def _where(layers: list[Layer], place: Place) -> str:
    """The start of a problem's line: the strongest layer that says something at that place, else the file."""
    source = next((layer for layer in reversed(layers) if layer.has(place)), layers[0])
    return source.where(place)
