"""`mailbot key …`: the keys of the signed reply addresses: list, rotate, drop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailbot.cli import output
from mailbot.cli.options import AsJson, ConfigFile, example, group, restore_owner, settings_of
from mailbot.errors import NotPossible, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from mailbot.config.keyring import Keyring

app = group("key", "The keys of the signed reply addresses (support+TOKEN@…).")

PICKED_UP = "A running mailbot picks it up within a few seconds; no restart is needed."


@app.command("list", epilog=example("mailbot key list"))
def list_(context: typer.Context, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """List the keys by fingerprint: which one signs, and until when the others are accepted. Shows no secret."""
    from mailbot.config.keyring import read_keyring
    from mailbot.desk.wiring import key_path
    from mailbot.runtime.clock import SystemClock

    path, now = key_path(settings_of(context)), SystemClock().now()
    if not path.exists():
        raise NotPossible(f"There is no key yet: the first start creates {path}.")
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
        str, typer.Option(metavar="SPAN", help="How long the old keys stay valid; 0d: not at all.")
    ] = "90d",
    config: ConfigFile = None,
) -> None:
    """Add a new signing key. Reply addresses that were handed out before keep working for the grace period."""
    from datetime import timedelta

    from mailbot.config.values import read_duration

    try:
        span = timedelta() if grace.strip() in ("0", "0d", "0h", "0m", "0s") else read_duration(grace)
    except ValueError as error:
        raise UsageError(f"--grace {grace}: allowed: {error}") from error
    with _changed(context) as (ring, now, replace_ring):
        replace_ring(ring.rotated(now, span))
    if span:
        output.say(f"A new key signs now; addresses signed before are valid until {(now + span).date()}. {PICKED_UP}")
    else:
        output.say(f"A new key signs now; addresses signed before are no longer valid. {PICKED_UP}")


@app.command(epilog=example("mailbot key drop", "mailbot key drop 9a3e01bc"))
def drop(
    context: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="[KEY]", help="A fingerprint of `key list`; default: every expired key.")
    ] = "",
    config: ConfigFile = None,
) -> None:
    """Remove keys from the file: the expired ones, or one by its fingerprint (never the one that signs)."""
    with _changed(context) as (ring, now, replace_ring):
        older = ring.keys[1:]
        if key and key not in {each.fingerprint for each in older}:
            is_first = key == ring.keys[0].fingerprint
            raise NotPossible(
                f"{key} signs: rotate first (`mailbot key rotate`)." if is_first
                else f"There is no key {key}; see `mailbot key list`."
            )  # fmt: skip
        kept = [k for k in older if (k.fingerprint != key if key else not k.is_expired(now))]
        if len(kept) != len(older):
            replace_ring(replace(ring, keys=(ring.keys[0], *kept), instance=ring.instance_id))
    count = len(older) - len(kept)
    output.say(f"{count} {'key' if count == 1 else 'keys'} dropped." if count else "No key has expired yet.")


@contextmanager
def _changed(context: typer.Context) -> Iterator[tuple[Keyring, datetime, Callable[[Keyring], None]]]:
    """Yield the keyring, the time, and a function that replaces the keyring; one command at a time."""
    from mailbot.config.keyring import change_keyring, only_one_writer
    from mailbot.desk.wiring import key_path, read_keys
    from mailbot.runtime.clock import SystemClock

    settings = settings_of(context)
    path: Path = key_path(settings)
    read_keys(settings)  # a desk that has never run gets its first key
    with only_one_writer(path):
        ring = read_keys(settings)
        yield ring, SystemClock().now(), lambda changed: change_keyring(path, changed)
    restore_owner(settings.storage.data_dir)
