"""A fault that pydantic found in the configuration, in the words of the admin who has to mend it.

In: pydantic's error details. Out: the key, what was found, what is allowed, the nearest known key. Never: a secret, nor
the value of a key that nobody knows (it may be a secret under a mistyped name).
"""

from __future__ import annotations

import difflib
import json

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mailbot.config.layers import (
    LISTS,
    Place,
    secrets,
    tables,
)
from mailbot.config.values import ADDRESS


def key_words(place: Place) -> str:
    """("imap", "port") → "[imap] port"; ("agents", 1, "email") → "[[agents]] number 2: email"."""
    table, *rest = place
    if table in LISTS:
        number = f" number {int(rest[0]) + 1}" if rest else ""
        return f"[[{table}]]{number}" + "".join(f": {part}" for part in rest[1:2])
    key = f" {rest[0]}" if rest else ""
    item = f", item {int(rest[1]) + 1}" if len(rest) > 1 and isinstance(rest[1], int) else ""
    return f"[{table}]{key}{item}"


def sentence(fault: ErrorDetails) -> str:
    """What is wrong with one value, as the rest of the line behind the place."""
    place = fault["loc"]
    if fault["type"] == "extra_forbidden":
        return _unknown(place, fault["input"])
    if fault["type"] == "missing":
        return f"{key_words(place)}: is missing; allowed: {_allowed_for(place)}"
    return f"{key_words(place)}: found {_found(place, fault['input'])}; allowed: {_allowed(fault)}"


def _unknown(place: Place, found: object) -> str:
    """An unknown key or table: its name and the nearest known one. Its value is not shown: it may be a secret."""
    name = str(place[-1])
    if len(place) == 1 and isinstance(found, (dict, list)):
        return f"[{name}] is not a known table{_meant(name, list(tables()))}"
    owners = [table for table, keys in tables().items() if name in keys]
    if len(place) == 1:
        keys = [key for table in tables().values() for key in table]
        where = f"it belongs below [{owners[0]}]" if owners else f"a key belongs below a [table]{_meant(name, keys)}"
        return f"{name} stands outside of any table; {where}"
    known = list(tables()[str(place[0])])
    if owners and not difflib.get_close_matches(name, known, 1, 0.5):
        return f"{key_words(place)} is not a known key; it belongs below [{owners[0]}]"
    return f"{key_words(place)} is not a known key{_meant(name, known)}"


def _meant(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(dict.fromkeys(known))}"


def _found(place: Place, value: object) -> str:
    """What stood there, as TOML writes it; only its type where it is a secret."""
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "a text"),
        (dict, "a table"),
        ((list, tuple), "a list"),
    )
    kind = next((words for type_, words in kinds if isinstance(value, type_)), type(value).__name__)
    if (place[0], place[2 if place[0] in LISTS and len(place) > 2 else -1]) in secrets():
        return f"{kind} (not shown, it is secret)"
    if isinstance(value, dict) or len(place) == 1:
        return kind
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value[:80] + "…" * (len(value) > 80), ensure_ascii=False)
    return str(value)[:80]


def _allowed(fault: ErrorDetails) -> str:
    """What may stand there. The readers in config.values say it themselves; pydantic's own types are described here."""
    error = fault.get("ctx", {}).get("error")
    if isinstance(error, ValueError):
        return str(error)
    return _allowed_for(fault["loc"], fault)


def _allowed_for(place: Place, fault: ErrorDetails | None = None) -> str:
    kind = fault["type"] if fault else ""
    if kind == "literal_error" and fault:
        return str(fault["ctx"]["expected"]).replace("'", '"')
    info = tables().get(str(place[0]), {}).get(str(place[2] if place[0] in LISTS and len(place) > 2 else place[-1]))
    if kind in ("model_type", "model_attributes_type", "dict_type") or len(place) == 1:
        return (
            f"tables, each below [[{place[0]}]]" if place[0] in LISTS else f"a table, that is keys below [{place[0]}]"
        )
    if place[-1] == "email":
        return ADDRESS
    if kind in ("tuple_type", "list_type", "iterable_type"):
        return 'a list such as ["…", "…"]'
    if kind.startswith("bool"):
        return "true or false"
    if kind.startswith("int") or kind in ("greater_than_equal", "less_than_equal"):
        return f"{'a size' if place[-1] == 'max_size' else 'a whole number'}{_bounds(info)}"
    return 'text in quotes, "…"'


def _bounds(info: FieldInfo | None) -> str:
    """ " from 1 to 65535", as the key's type has it."""
    limits = {
        name: getattr(rule, name)
        for rule in (info.metadata if info else ())
        for name in ("ge", "le")
        if hasattr(rule, name)
    }
    return f" from {limits['ge']} to {limits['le']}" if limits.keys() == {"ge", "le"} else ""
