"""What the commands share: `--config`, `--json`, how a command is declared, the settings, the opened desk.

`--config FILE` may stand before or after the command, or between the two words of one; `settings_of` finds it wherever
it stood. Never: business logic, which belongs to the desk.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from mailbot.errors import UsageError

if TYPE_CHECKING:
    from mailbot.config.model import Settings
    from mailbot.desk.wiring import Desk
    from mailbot.store.engine import Store


@dataclass
class Invocation:
    """What was given before the command's own arguments."""

    config: Path | None = None


def _remember(context: typer.Context, given: Path | None) -> Path | None:
    """Keep the named file; the one nearest to the command's own arguments wins."""
    if given is not None:
        context.ensure_object(Invocation).config = given
    return given


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        callback=_remember,
        help="The configuration; default: $MAILBOT_CONFIG, then /etc/mailbot/config.toml.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def group(name: str, summary: str) -> typer.Typer:
    """Return a command that only has subcommands, such as `mailbot ticket`."""
    made = typer.Typer(name=name, help=summary, no_args_is_help=True, add_completion=False, rich_markup_mode=None)

    @made.callback()
    def options(config: ConfigFile = None) -> None:
        """Accept --config between the two words."""

    return made


def single(name: str, function: Callable[..., None], *examples: str) -> typer.Typer:
    """Return a command of one word, such as `mailbot run`."""
    made = typer.Typer(add_completion=False, rich_markup_mode=None)
    made.command(name, epilog=example(*examples))(function)
    return made


def example(*lines: str) -> str:
    """Return the example at the end of a command's help."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def named_config(context: typer.Context) -> Path | None:
    """Return the file that `--config` named, wherever it stood."""
    invocation = context.find_object(Invocation)
    return invocation.config if invocation else None


def settings_of(context: typer.Context, *, quiet: bool = True) -> Settings:
    """Load the settings and configure logging; `quiet`: warnings only, for a command at a terminal."""
    from mailbot.config.load import load_settings
    from mailbot.config.logging import configure_for

    settings = load_settings(named_config(context))
    configure_for(settings, at_least="warning" if quiet else "debug")
    return settings


def settings_if_any(context: typer.Context) -> Settings | None:
    """Return the settings, or None if no file was named and the default one is not there."""
    from mailbot.config.layers import DEFAULT_PATH, config_path

    path = config_path(named_config(context))
    return None if path == DEFAULT_PATH and not os.access(path, os.R_OK) else settings_of(context)


@contextmanager
def opened_desk(context: typer.Context) -> Iterator[Desk]:
    """Open the desk with its schema up to date; close it at the end."""
    settings = settings_of(context)  # first: report a mistake in it before the large imports

    from mailbot.desk.wiring import open_desk

    try:
        with open_desk(settings) as desk:
            yield desk
    finally:
        restore_owner(settings.storage.data_dir)


@contextmanager
def opened_store(context: typer.Context) -> Iterator[tuple[Store, ZoneInfo]]:
    """Open the database alone, its schema up to date, for commands that only read; also yields the desk's time zone.

    Such commands start faster: no templates, rules or mail servers are loaded.
    """
    settings = settings_of(context)

    from mailbot.runtime.clock import SystemClock
    from mailbot.store import schema
    from mailbot.store.engine import Store, StoreOptions

    storage, options = settings.storage, StoreOptions(first_ticket_number=settings.helpdesk.first_ticket_number)
    url = storage.database_url.get_secret_value()
    try:
        with Store(url, clock=SystemClock(), data_dir=storage.data_dir, options=options) as store:
            schema.upgrade(store)
            yield store, settings.helpdesk.zone
    finally:
        restore_owner(storage.data_dir)


def restore_owner(folder: Path) -> None:
    """Give the files that root created in `folder` to the folder's owner, so that the daemon can write to them.

    Does nothing unless root runs the command and somebody else owns the folder.
    """
    if os.geteuid() != 0:
        return
    try:
        owner = folder.stat()
        if owner.st_uid == 0:
            return
        for entry in os.scandir(folder):
            found = entry.stat(follow_symlinks=False)
            if found.st_uid == 0 and stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
                os.chown(entry.path, owner.st_uid, owner.st_gid, follow_symlinks=False)
    except FileNotFoundError:
        return  # no folder yet, or a side file that SQLite has just removed


def read_text(file: Path) -> str:
    """Read a text file (`-` is stdin); UsageError if it can't be read or is empty."""
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        text = raw.decode()
    except OSError as error:
        raise UsageError(f"{file}: can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: is not UTF-8 text (byte {error.start})") from error
    if not text.strip():
        raise UsageError(f"{file}: is empty")
    return text
