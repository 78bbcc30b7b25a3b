"""How results are printed: one JSON document, or tables and text for people.

In: documents and rows. Out: stdout. Text from mail is not trusted: control characters (a terminal would obey them) are
replaced, and rich's markup is not interpreted in it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# C0 and C1 controls except TAB and LF, and the marks that change the direction of text (U+202A–E, U+2066–9).
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
PIPE_WIDTH = 10_000


def print_json(document: object) -> None:
    """Print one document on stdout, dates as RFC 3339 with an offset.

    Indented at a terminal; on one line in a pipe, which is ten times as fast to write.
    """
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=indent, default=_plain) + "\n")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def safe(text: object) -> str:
    """Return text from outside with its control characters replaced."""
    return _UNSAFE.sub("�", str(text))


def cell(value: object) -> str:
    """Return one value for a table: on one line, "" for None."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(item) for item in value)
    return " ".join(safe(value).split())


def console(*, stderr: bool = False) -> Console:
    """Return a console; in a pipe its lines are not wrapped to a guessed width."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> int:
    """Print a table, one line per row in a pipe; return the number of rows. Columns named in `right` hold numbers."""
    texts = [[cell(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        _print_plain(columns, texts, right)
        return len(texts)
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in texts:
        table.add_row(*(Text(text) for text in row))
    console().print(table)
    return len(texts)


def _print_plain(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    whole = [columns, *rows]
    widths = [max(len(row[at]) for row in whole) for at in range(len(columns))]
    for row in whole:
        sized = (
            text.rjust(width) if column in right else text.ljust(width)
            for text, width, column in zip(row, widths, columns, strict=True)
        )
        sys.stdout.write("  ".join(sized).rstrip() + "\n")


def count(number: int, one: str, many: str = "") -> str:
    """Return `1 mail` or `3 mails`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def moment(iso: str | None, zone: tzinfo) -> str:
    """Format an RFC 3339 time as `2025-11-24 08:00` in the desk's zone; "" for None."""
    return datetime.fromisoformat(iso).astimezone(zone).strftime("%Y-%m-%d %H:%M") if iso else ""


def say(text: str) -> None:
    """Print a line for the person at the terminal on stderr, apart from the result."""
    sys.stderr.write(f"{text}\n")
