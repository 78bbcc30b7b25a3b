"""Writes the reference pages from the code: `make reference`.

In: mailbot.config.model (types and defaults; a key's meaning is its `#:` comment) and the command line's Typer
commands. Out: docs/operator/configuration.md, docs/operator/commands.md, and the comments of config/mailbot.toml, whose
keys, values and order stay as they are. tests/unit/docs/test_reference.py fails while any of them is stale.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer
from pydantic import BeforeValidator, SecretStr

from mailbot.cli.app import COMMANDS, build
from mailbot.config import model, values
from mailbot.config.layers import LISTS, tables

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "config" / "mailbot.toml"
COLUMN = 42  # of the comments in the example
WIDTH = 120

HEAD = """# {title}

<!-- Written by `make reference` from {source}: change it there. -->

{text}
"""

CONFIGURATION = """\
`mailbot run` reads one TOML file: `--config FILE`, else `$MAILBOT_CONFIG`, else `/etc/mailbot/config.toml`. Write the
keys that differ from the defaults below; `mailbot check` tests the file, and `systemctl reload mailbot` applies it (a
file with a mistake is rejected, and the desk keeps its old configuration).

- Environment: any key, for instance `MAILBOT_IMAP__PASSWORD`, or `MAILBOT_MAILBOX__NAME__PASSWORD` for one of several
  inboxes; lists with commas.
- Secrets: better in a file of their own (`password_file`), or in a systemd credential named `imap.password`,
  `smtp.password`, `alerts.password`, `storage.database_url` or `mailbox.NAME.password`.
- Relative file names count from the folder of the configuration file."""

MAILBOX = """\
One block for each inbox. It has the keys of `[imap]` as well, and inherits those that it omits; of `password`,
`password_file`, `token_file` and `token_command` it inherits all or none.
"""

COMMAND_LINE = """\
Results go to standard output, messages and logs to standard error. Exit status: 0 done; 1 not done, with the reason;
2 wrong usage or configuration; 130 interrupted. `--config FILE` may stand anywhere in a command; `--json` prints one
JSON document and nothing else."""


@cache
def meanings(table: type[model.Table]) -> dict[str, str]:
    """Return the `#:` comments of the keys that this class itself declares."""
    lines = inspect.getsource(table).splitlines()
    found = {}
    for node in ast.parse(textwrap.dedent("\n".join(lines))).body[0].body:  # type: ignore[attr-defined]
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.end_lineno:
            above = []
            for line in reversed(lines[: node.lineno - 1]):
                if not line.strip().startswith("#:"):
                    break
                above.insert(0, line.strip().removeprefix("#:").strip())
            trailing = re.search(r"  #: (.*)$", lines[node.end_lineno - 1])
            found[node.target.id] = " ".join(above) or (trailing[1] if trailing else "")
    return found


def declaring(table: type[model.Table], key: str) -> type[model.Table]:
    """Return the class that declares a key of a table: the table itself, or one that it inherits from."""
    return next(base for base in table.__mro__ if key in vars(base).get("__annotations__", {}))


def classes() -> dict[str, type[model.Table]]:
    """Return the class of each table, in the order of the settings."""
    hints = get_type_hints(model.Settings)
    return {name: next((a for a in get_args(hints[name]) if a is not ...), hints[name]) for name in tables()}


def purpose(table: type[model.Table]) -> str:
    """Return what a table is for: the first line of its docstring behind the name."""
    return (table.__doc__ or "").partition("\n")[0].partition(": ")[2].rstrip(".")


# The example

_HEADER = re.compile(r"(?:# )?(\[\[?([a-z_]+)\]\]?)")
_ENTRY = re.compile(r'((?:# )?([a-z_]+) = ("[^"]*"|\[[^\]]*\]|[^\s#]+))')
_CONTINUED = re.compile(r" {20,}#")


def example(text: str) -> str:
    """Return the example with the comments of all keys and tables taken from the model."""
    by_name, shown, out = classes(), set(), []
    table = ""
    for line in text.splitlines():
        if header := _HEADER.match(line):
            table = header[2]
            out += [line] if line.startswith("#") else _commented(header[1], purpose(by_name[table]))
        elif entry := _ENTRY.match(line):
            source = declaring(by_name[table], entry[2])
            is_new = (source, entry[2]) not in shown
            shown.add((source, entry[2]))
            out += _commented(entry[1], meanings(source)[entry[2]] if is_new else "")
        elif not _CONTINUED.match(line):
            out.append(line)
    return "\n".join(out) + "\n"


def written(text: str) -> dict[str, dict[str, str]]:
    """Return the values in the example, which are the defaults, by table and key."""
    found: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if header := _HEADER.match(line):
            found[header[2]] = {}
        elif entry := _ENTRY.match(line):
            next(reversed(found.values()))[entry[2]] = entry[3]
    return found


def _commented(left: str, words: str) -> list[str]:
    if not words:
        return [left]
    first = textwrap.wrap(words, WIDTH - COLUMN - 2)
    rest = textwrap.wrap(words[len(first[0]) :].strip(), WIDTH - COLUMN - 4) if len(left) < COLUMN else first
    start = [f"{left:{COLUMN}}# {first[0]}"] if len(left) < COLUMN else [left]
    return start + [f"{'':{COLUMN}}#   {line}" for line in rest]


# docs/operator/configuration.md


def configuration() -> str:
    """Return the page of every table and key."""
    parts = [HEAD.format(title="Configuration", source="mailbot/config/model.py", text=CONFIGURATION)]
    defaults, by_name = written(EXAMPLE.read_text(encoding="utf-8")), classes()
    for name, default in defaults.items():
        table, fields = by_name[name], tables()[name]
        title = f"[[{name}]]" if name in LISTS else f"[{name}]"
        about = purpose(table)
        parts.append(f"## `{title}`\n\n{about[0].upper()}{about[1:]}.\n")
        if name == "mailbox":
            parts.append(MAILBOX)
        parts.append("| key | type | default | meaning |\n|---|---|---|---|")
        hints = get_type_hints(table, include_extras=True)
        for key, value in default.items():
            source = declaring(table, key)
            if name == "mailbox" and source is not table:
                continue
            bounds = {n: getattr(r, n) for r in fields[key].metadata for n in ("ge", "le") if hasattr(r, n)}
            words = kind(hints[key]) + (f" from {bounds['ge']} to {bounds['le']}" if bounds else "")
            shown = "required" if fields[key].is_required() else f"`{value}`"
            parts.append(_row(f"`{key}`", words, shown, meanings(source)[key]))
        parts.append("")
    return "\n".join(parts)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def kind(hint: Any) -> str:
    """Return the type of a key in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f'`"{value}"`' for value in arguments)
    if origin is tuple:
        return f"list of: {kind(arguments[0])}"
    if hint is SecretStr:
        return "text, secret"
    if origin is not Annotated:
        return {bool: "`true` or `false`", int: "whole number", str: "text", Path: "file or folder"}.get(hint, "")
    for rule in arguments[1:]:
        if isinstance(rule, BeforeValidator) and (words := _KINDS.get(rule.func)):
            return words
        if isinstance(rule, BeforeValidator) and rule.func is values.empty_is_none:
            return f'{kind(next(a for a in get_args(arguments[0]) if a is not type(None)))}, or `""`'
    if hint == values.OptionalEmail:
        return f'{_KINDS[values.read_address]}, or `""`'
    return kind(arguments[0])


_KINDS = {
    values.read_duration: 'duration: `"90s"`, `"15m"`, `"6h"`, `"2d"`',
    values.read_size: 'size: `"500KB"`, `"25MB"`',
    values.read_rate: 'rate: `"20/h"`, `"5/15m"`',
    values.read_time: 'time of day: `"08:00"`',
    values.read_day: 'date: `"2026-03-20"`',
    values.read_address: "e-mail address",
    values.read_mailbox_name: "short name",
    values.read_domain: "mail domain",
    values.read_path: "file or folder",
    values.read_file_name: 'file or folder, or `""`',
    values.read_listen: 'address and port: `"127.0.0.1:8080"`',
    values.read_endpoint: 'address and port, or `"unix:FILE"`',
    values.read_zone: "time zone",
    values.read_language: '`"id"` or `"en"`',
    values.read_country: 'country code, or `""`',
    values.read_extension: 'file extension: `".xlsm"`',
    values.read_refused: "kind of files, or file extension",
    values.read_scanner: 'address and port, `"unix:FILE"`, or `""`',
}


# docs/operator/commands.md


def commands() -> str:
    """Return the page of every command."""
    parts = [HEAD.format(title="Commands", source="mailbot/cli/", text=COMMAND_LINE)]
    for name in COMMANDS:
        command = build(name)
        below = getattr(command, "commands", None)
        parts.append(f"## `mailbot {name}`\n")
        if below is None:
            parts += _command(command, f"mailbot {name}")
            continue
        parts.append(f"{command.help}\n")
        for word, each in below.items():
            parts.append(f"### `mailbot {name} {word}`\n")
            parts += _command(each, f"mailbot {name} {word}")
    return "\n".join(parts)


def _command(command: Any, path: str) -> Iterator[str]:  # typer does not export click's types
    context = typer.Context(command, info_name=path)
    yield f"{command.help}\n"
    yield f"```\n{path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    records = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    if records:
        yield "| option or argument | meaning |\n|---|---|"
        for names, words in records:
            yield _row(f"`{names}`", words)
        yield ""
    if command.epilog:
        lines = command.epilog.replace("\b", "").strip().splitlines()
        yield "\n".join([lines[0], "", "```", *(line.strip() for line in lines[1:]), "```", ""])


PAGES = {
    EXAMPLE: lambda: example(EXAMPLE.read_text(encoding="utf-8")),
    ROOT / "docs" / "operator" / "configuration.md": configuration,
    ROOT / "docs" / "operator" / "commands.md": commands,
}


def main() -> None:
    """Write all pages."""
    for path, render in PAGES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
