"""`mailbot key …`: the keys of the signed reply addresses, their rotation and their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.cli.options import (
    AsJson,
    ConfigFile,
    example,
    group,
    settings_of,
)
from mailbot.errors import NotPossible, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from mailbot.config.keyring import Keyring

app = group("key", "The keys of the signed reply addresses (support+TOKEN@…).")

TAKEN_UP = "A running mailbot takes it up within a few seconds; nothing has to be restarted."


@app.command("list", epilog=example("mailbot key list"))
def list_(context: typer.Context, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """List the keys by fingerprint: which one signs, and until when the others are believed. No secret is shown."""
    from mailbot.cli import output
    from mailbot.config.keyring import read_keyring
    from mailbot.desk.wiring import key_path
    from mailbot.runtime.clock import SystemClock

    path, now = key_path(settings_of(context)), SystemClock().now()
    if not path.exists():
        raise NotPossible(f"There is no key yet: the desk's first start makes {path}.")
    ring = read_keyring(path)
    rows = [
        {
            "key": key.fingerprint,
            "use": "signs" if nth == 0 else "over" if key.is_expired(now) else "believed",
            "until": key.until.isoformat() if key.until and nth else None,
        }
        for nth, key in enumerate(ring.keys)
    ]
    if as_json:
        output.print_json({"file": str(path), "instance": ring.instance_id, "keys": rows})
        return
    output.print_table(("key", "use", "until"), ([row["key"], row["use"], row["until"] or "–"] for row in rows))


@app.command(epilog=example("mailbot key rotate", "mailbot key rotate --grace 0d   # the old key leaked"))
def rotate(
    context: typer.Context,
    grace: Annotated[
        str, typer.Option(metavar="SPAN", help="How long the old keys are still believed; 0d: no longer from now on.")
    ] = "90d",
    config: ConfigFile = None,
) -> None:
    """Put a fresh key first. Reply addresses that schools and agents have already go on working through the grace."""
    from datetime import timedelta

    from mailbot.cli import output
    from mailbot.config.values import read_duration

    try:
        span = timedelta() if grace.strip() in ("0", "0d", "0h", "0m", "0s") else read_duration(grace)
    except ValueError as error:
        raise UsageError(f"--grace {grace}: allowed: {error}") from error
    with _changed(context) as (ring, now, put):
        put(ring.rotated(now, span))
    if span:
        output.say(f"A fresh key signs now; what was signed before is believed to {(now + span).date()}. {TAKEN_UP}")
    else:
        output.say(f"A fresh key signs now; nothing that was signed before is believed any more. {TAKEN_UP}")


@app.command(epilog=example("mailbot key drop", "mailbot key drop 9a3e01bc"))
def drop(
    context: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="[KEY]", help="A fingerprint of `key list`; default: every key that is over.")
    ] = "",
    config: ConfigFile = None,
) -> None:
    """Take keys out of the file: those whose day has passed, or one by its fingerprint (never the one that signs)."""
    from mailbot.cli import output

    with _changed(context) as (ring, now, put):
        older = ring.keys[1:]
        if key and key not in {each.fingerprint for each in older}:
            is_first = key == ring.keys[0].fingerprint
            raise NotPossible(
                f"{key} signs: rotate first (`mailbot key rotate`)." if is_first
                else f"There is no key {key}. `mailbot key list` shows those that there are."
            )  # fmt: skip
        kept = [k for k in older if (k.fingerprint != key if key else not k.is_expired(now))]
        if len(kept) != len(older):
            put(replace(ring, keys=(ring.keys[0], *kept), instance=ring.instance_id))
    count = len(older) - len(kept)
    output.say(f"{count} {'key' if count == 1 else 'keys'} dropped." if count else "No key is over yet.")


@contextmanager
def _changed(context: typer.Context) -> Iterator[tuple[Keyring, datetime, Callable[[Keyring], None]]]:
    """The keyring, the moment, and what puts another in its place; one command at a time."""
    from mailbot.cli.options import hand_over
    from mailbot.config.keyring import change_keyring, only_one_writer
    from mailbot.desk.wiring import key_path, read_keys
    from mailbot.runtime.clock import SystemClock

    settings = settings_of(context)
    path: Path = key_path(settings)
    read_keys(settings)  # a desk that has never run gets its first key
    with only_one_writer(path):
        ring = read_keys(settings)
        yield ring, SystemClock().now(), lambda change: change_keyring(path, change)
    hand_over(settings.storage.data_dir)
