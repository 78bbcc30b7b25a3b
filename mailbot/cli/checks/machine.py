"""Probes of this machine: clock, service hours, data folder, database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

from mailbot.cli.checks.result import CheckResult, State
from mailbot.config.model import Settings

# A person waits for the result, and a long lock would keep the daemon from writing.
LOCK_WAIT_SECONDS = 3.0
LOW_SPACE = 1_000_000_000
NO_SPACE = 100_000_000
# The month before mailbot's first release: a clock that is earlier has stopped or lost its battery.
EARLIEST = datetime(2025, 11, 1, tzinfo=UTC)


def clock(settings: Settings) -> Iterator[CheckResult]:
    """Check that the machine's clock is plausible."""
    from mailbot.desk.outbound.formats import format_stamp
    from mailbot.runtime.clock import SystemClock

    now = SystemClock().now()
    words = f"{format_stamp(now, 'en', settings.helpdesk.zone)} ({settings.helpdesk.timezone})"
    if now < EARLIEST:
        yield CheckResult("clock", "fail", f"{words}: this machine's clock is wrong", "timedatectl set-ntp true")
    else:
        yield CheckResult("clock", "ok", words)


def service_hours(settings: Settings) -> Iterator[CheckResult]:
    """Report whether the desk is open now, and when it opens next."""
    from mailbot.config.holidays import service_hours
    from mailbot.desk.outbound.formats import format_moment
    from mailbot.runtime.clock import SystemClock

    hours, now = service_hours(settings.hours, settings.helpdesk.timezone), SystemClock().now()
    opens = format_moment(hours.next_opening(now), "en", settings.helpdesk.zone)
    state = "open now" if hours.is_open(now) else f"closed now, next opening {opens}"
    country = settings.hours.holidays
    holidays = f"with holidays of {country}" if country else "without holidays"
    yield CheckResult("service hours", "ok", f"{state}; {holidays}")


def data_folder(settings: Settings) -> Iterator[CheckResult]:
    """Check that the data folder can be written to and has space."""
    part, folder = "data folder", settings.storage.data_dir
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        remedy = "run as mailbot's user, let it own the folder, or set [storage] data_dir"
        yield CheckResult(part, "fail", f"{existing} may not be written by user id {os.geteuid()}", remedy)
        return
    free = shutil.disk_usage(existing).free
    state: State = "fail" if free < NO_SPACE else "warn" if free < LOW_SPACE else "ok"
    words = f"{folder}: {free / 1e9:.1f} GB free" + ("" if folder.exists() else " (created at the first start)")
    yield CheckResult(part, state, words, "" if state == "ok" else "make room, or move [storage] data_dir elsewhere")


def database(settings: Settings) -> Iterator[CheckResult]:
    """Check the schema version and the integrity of the database."""
    from mailbot.desk.wiring import open_store
    from mailbot.runtime.clock import SystemClock
    from mailbot.store import integrity, schema_version
    from mailbot.store.integrity import InUse

    part, file = "database", settings.storage.data_dir / "mailbot.db"
    if not settings.storage.database_url.get_secret_value() and not file.exists():
        yield CheckResult(part, "ok", f"{file}: created at the first start")
        return
    with open_store(settings, SystemClock(), lock_wait=LOCK_WAIT_SECONDS) as store:
        with store.reading() as connection:
            found = schema_version.version(connection)
        if found != schema_version.HEAD:
            words = f"{store.described()}: schema {found or '(none yet)'}, this mailbot has {schema_version.HEAD}"
            yield CheckResult(part, "warn", words, "it is upgraded at the next start; `mailbot db backup` first")
            return
        try:
            problems = integrity.check(store)
        except InUse as error:
            words = f"{error}; schema {found}, sound as far as it can be checked meanwhile"
            yield CheckResult(part, "warn", words, "until then all mail waits; run `mailbot check` again afterwards")
            return
        yield from (CheckResult(part, "fail", problem, "restore a backup") for problem in problems)
        if not problems:
            yield CheckResult(part, "ok", f"{store.described()}: schema {found}, sound")
