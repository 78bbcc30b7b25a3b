"""What the crash tests share: one Dovecot for all desks of a session, each desk with a mailbox of its own."""

from __future__ import annotations

import itertools
import os
import platform
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.crash.desk import CrashDesk
from tests.crash.smtp_record import RecordingSink
from tests.crash.tracer import CALLS, can_trace
from tests.support.dovecot import Dovecot

MakeDesk = Callable[..., AbstractContextManager[CrashDesk]]


@pytest.fixture(scope="session")
def post_office(server_home: Callable[[], Path]) -> Iterator[Dovecot]:
    with Dovecot(server_home()) as server:
        yield server


@pytest.fixture(scope="session")
def make_desk(tmp_path_factory: pytest.TempPathFactory, post_office: Dovecot) -> MakeDesk:
    """Makes desks, each with a folder, a mailbox and an SMTP server of its own; none is started."""
    numbers = itertools.count(1)
    folder = tmp_path_factory.mktemp("desks")

    @contextmanager
    def make(dovecot: Dovecot | None = None, kind: type[CrashDesk] = CrashDesk, **options: Any) -> Iterator[CrashDesk]:
        number = next(numbers)
        home = folder / f"desk{number}"
        home.mkdir()
        with RecordingSink() as sink:
            desk = kind(home, dovecot or post_office, sink, user=f"desk{number}", **options)
            try:
                yield desk
            finally:
                if desk.process is not None:
                    desk.stop(signal.SIGKILL)
                shutil.rmtree(home, ignore_errors=True)

    return make


@pytest.fixture(scope="session")
def tracing() -> None:
    """Skips where a process can't be traced; fails there where CI=true."""
    if platform.machine() not in CALLS or not can_trace():
        words = "this machine lets no process trace another (ptrace), or its system calls are not known"
        if os.environ.get("CI") == "true":
            pytest.fail(words, pytrace=False)
        pytest.skip(words)
