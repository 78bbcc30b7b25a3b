"""Messages for the admin about the errors that pydantic finds in the configuration.

In: pydantic's error details. Out: the key, what was found, what is allowed, the nearest known key. Never: a secret, nor
the value of an unknown key (it may be a secret under a mistyped name).
"""

from __future__ import annotations

import difflib
import json

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mailbot.config.layers import (
    LISTS,
    KeyPath,
    secrets,
    tables,
)
from mailbot.config.values import ADDRESS


def key_words(key_path: KeyPath) -> str:
    """Name a key: ("imap", "port") → "[imap] port"; ("agents", 1, "email") → "[[agents]] number 2: email"."""
    table, *rest = key_path
    if table in LISTS:
        number = f" number {int(rest[0]) + 1}" if rest else ""
        return f"[[{table}]]{number}" + "".join(f": {part}" for part in rest[1:2])
    key = f" {rest[0]}" if rest else ""
    item = f", item {int(rest[1]) + 1}" if len(rest) > 1 and isinstance(rest[1], int) else ""
    return f"[{table}]{key}{item}"


def sentence(fault: ErrorDetails) -> str:
    """Describe an error of one value, as the part of the line behind the source."""
    key_path = fault["loc"]
    if fault["type"] == "extra_forbidden":
        return _unknown(key_path, fault["input"])
    if fault["type"] == "missing":
        return f"{key_words(key_path)}: is missing; allowed: {_allowed_for(key_path)}"
    return f"{key_words(key_path)}: found {_found(key_path, fault['input'])}; allowed: {_allowed(fault)}"


def _unknown(key_path: KeyPath, found: object) -> str:
    """Report an unknown key or table and the nearest known one, without its value, which may be a secret."""
    name = str(key_path[-1])
    if len(key_path) == 1 and isinstance(found, (dict, list)):
        return f"[{name}] is not a known table{_meant(name, list(tables()))}"
    owners = [table for table, keys in tables().items() if name in keys]
    if len(key_path) == 1:
        keys = [key for table in tables().values() for key in table]
        where = f"it belongs below [{owners[0]}]" if owners else f"a key belongs below a [table]{_meant(name, keys)}"
        return f"{name} stands outside of any table; {where}"
    known = list(tables()[str(key_path[0])])
    if owners and not difflib.get_close_matches(name, known, 1, 0.5):
        return f"{key_words(key_path)} is not a known key; it belongs below [{owners[0]}]"
    return f"{key_words(key_path)} is not a known key{_meant(name, known)}"


def _meant(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(dict.fromkeys(known))}"


def _found(key_path: KeyPath, value: object) -> str:
    """Return the value as TOML writes it; of a secret, only its type."""
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "a text"),
        (dict, "a table"),
        ((list, tuple), "a list"),
    )
    kind = next((words for type_, words in kinds if isinstance(value, type_)), type(value).__name__)
    if (key_path[0], key_path[2 if key_path[0] in LISTS and len(key_path) > 2 else -1]) in secrets():
        return f"{kind} (not shown, it is secret)"
    if isinstance(value, dict) or len(key_path) == 1:
        return kind
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value[:80] + "…" * (len(value) > 80), ensure_ascii=False)
    return str(value)[:80]


def _allowed(fault: ErrorDetails) -> str:
    """Describe the allowed values: as the readers in config.values do, or as pydantic's own types require."""
    error = fault.get("ctx", {}).get("error")
    if isinstance(error, ValueError):
        return str(error)
    return _allowed_for(fault["loc"], fault)


def _allowed_for(key_path: KeyPath, fault: ErrorDetails | None = None) -> str:
    kind = fault["type"] if fault else ""
    if kind == "literal_error" and fault:
        return str(fault["ctx"]["expected"]).replace("'", '"')
    info = (
        tables()
        .get(str(key_path[0]), {})
        .get(str(key_path[2] if key_path[0] in LISTS and len(key_path) > 2 else key_path[-1]))
    )
    if kind in ("model_type", "model_attributes_type", "dict_type") or len(key_path) == 1:
        return (
            f"tables, each below [[{key_path[0]}]]"
            if key_path[0] in LISTS
            else f"a table, that is keys below [{key_path[0]}]"
        )
    if key_path[-1] == "email":
        return ADDRESS
    if kind in ("tuple_type", "list_type", "iterable_type"):
        return 'a list such as ["…", "…"]'
    if kind.startswith("bool"):
        return "true or false"
    if kind.startswith("int") or kind in ("greater_than_equal", "less_than_equal"):
        return f"{'a size' if key_path[-1] == 'max_size' else 'a whole number'}{_bounds(info)}"
    return 'text in quotes, "…"'


def _bounds(info: FieldInfo | None) -> str:
    """Return the bounds of the key's type, such as " from 1 to 65535"."""
    limits = {
        name: getattr(rule, name)
        for rule in (info.metadata if info else ())
        for name in ("ge", "le")
        if hasattr(rule, name)
    }
    return f" from {limits['ge']} to {limits['le']}" if limits.keys() == {"ge", "le"} else ""
