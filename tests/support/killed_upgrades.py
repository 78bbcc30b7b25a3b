"""Upgrades a database, killed at many moments.

Run by a test as `python -m tests.support.killed_upgrades URL TIMES [REVISION]`: from an empty database, or from one
with the schema of that revision. Each attempt is a fork that SIGALRM ends without notice after a part of the time that
a whole upgrade takes. Then a second fork upgrades what the first left, and one line of JSON says what it found:
{"killed", "differences", "parts"}. A process of its own, because forking one that has threads (pytest's) deadlocks.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial

import alembic.command  # noqa: F401 - imported once here, not in every fork
from sqlalchemy import text

from mailbot.runtime.clock import SystemClock
from mailbot.store import schema
from mailbot.store.engine import Store
from mailbot.store.migrations.drift import differences
from tests.support.stores import make_with_schema, parts


def in_a_fork(work: Callable[[], object]) -> int:
    """Run something in a child; its wait status."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def upgrade(url: str) -> None:
    with Store(url, clock=SystemClock()) as store:
        schema.upgrade(store)


def doomed(url: str, seconds: float) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    upgrade(url)


def report(url: str, killed: bool) -> None:
    with Store(url, clock=SystemClock()) as store:
        schema.upgrade(store)
        with store.reading() as connection:
            found = {"killed": killed, "differences": len(differences(connection)), "parts": sorted(parts(connection))}
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def empty(url: str) -> None:
    """Take everything out of the database again."""
    with Store(url, clock=SystemClock()) as store:
        if store.path is None:
            with store.writing() as connection:
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
    if store.path is not None:
        for file in store.path.parent.iterdir():
            file.unlink()


def begin(url: str, revision: str) -> None:
    """Make the database as it is before the upgrade."""
    empty(url)
    if revision:
        with Store(url, clock=SystemClock()) as store:
            make_with_schema(store, revision)


def main() -> None:
    url, times, revision = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
    in_a_fork(partial(begin, url, revision))
    started = time.monotonic()
    in_a_fork(partial(upgrade, url))
    whole = time.monotonic() - started
    for attempt in range(1, times + 1):
        in_a_fork(partial(begin, url, revision))
        seconds = whole * attempt / times
        status = in_a_fork(partial(doomed, url, seconds))
        in_a_fork(partial(report, url, os.WIFSIGNALED(status)))


if __name__ == "__main__":
    main()
