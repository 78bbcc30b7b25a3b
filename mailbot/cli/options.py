"""What every command shares: `--config`, `--json`, the settings, the open desk.

`--config FILE` may stand before or after the command, or between the two words of one: wherever it stood, `settings_of`
finds it. Never: work; that is the service's.
"""

from __future__ import annotations

import os
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
import stat


@dataclass
class Invocation:
    """What was said before the command's own arguments."""

    config: Path | None = None


def _remember(context: typer.Context, given: Path | None) -> Path | None:
    """Keep the file that was named; the one nearest to the command's own arguments counts."""
    if given is not None:
        context.ensure_object(Invocation).config = given
    return given


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        callback=_remember,
        help="The configuration; else $MAILBOT_CONFIG, else /etc/mailbot/config.toml.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def group(name: str, words: str) -> typer.Typer:
    """A word with commands below it, as `mailbot ticket`."""
    made = typer.Typer(name=name, help=words, no_args_is_help=True, add_completion=False, rich_markup_mode=None)

    @made.callback()
    def options(config: ConfigFile = None) -> None:
        """Only there for --config between the two words."""

    return made


def alone(name: str, function: Callable[..., None], *examples: str) -> typer.Typer:
    """A command of one word, as `mailbot run`."""
    made = typer.Typer(add_completion=False, rich_markup_mode=None)
    made.command(name, epilog=example(*examples))(function)
    return made


def example(*lines: str) -> str:
    """The end of a command's help: how it is used."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def named_config(context: typer.Context) -> Path | None:
    """The file that `--config` named, wherever it stood."""
    said = context.find_object(Invocation)
    return said.config if said else None


def settings_of(context: typer.Context, *, quiet: bool = True) -> Settings:
    """The settings, with logging as they say; `quiet`: warnings only, for a command that a person waits for."""
    from mailbot.config.load import load_settings
    from mailbot.config.logging import configure_for

    settings = load_settings(named_config(context))
    configure_for(settings, at_least="warning" if quiet else "debug")
    return settings


def settings_if_any(context: typer.Context) -> Settings | None:
    """The settings, or None where none were named and this machine has none: for commands that need no desk."""
    from mailbot.config.layers import DEFAULT_PATH, config_path

    path = config_path(named_config(context))
    return None if path == DEFAULT_PATH and not os.access(path, os.R_OK) else settings_of(context)


@contextmanager
def opened_desk(context: typer.Context) -> Iterator[Desk]:
    """The desk, its schema up to date, closed at the end."""
    settings = settings_of(context)  # first: a mistake in it is said before the large imports

    from mailbot.desk.wiring import open_desk

    try:
        with open_desk(settings) as desk:
            yield desk
    finally:
        hand_over(settings.storage.data_dir)


@contextmanager
def opened_store(context: typer.Context) -> Iterator[tuple[Store, ZoneInfo]]:
    """The database alone, its schema up to date, and the desk's zone: for commands that only look, which so start

    without templates, rules and mail servers.
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
        hand_over(storage.data_dir)


def read_text(file: Path) -> str:
    """A text file's words, `-` is stdin; UsageError where it can't be read or has none."""
    import sys

    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        text = raw.decode()
    except OSError as error:
        raise UsageError(f"{file}: can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: is not UTF-8 text (byte {error.start})") from error
    if not text.strip():
        raise UsageError(f"{file}: holds no words")
    return text


def hand_over(folder: Path) -> None:
    """Give root's own files in `folder` to its owner. Does nothing unless root runs it and another owns the folder."""
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
