"""What all tests share: the real servers that some need, and what happens where one is missing.

A test marked `clamav`, `dovecot`, `postfix`, `postgresql`, `chromium` or `strace` is skipped on a machine without that
program, but fails where CI=true: what is not tested there must not look green. One marked `chaos` runs in `make chaos`
only.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.certificate import Certificate, make_certificate
from tests.support.chaos_results import is_recording
from tests.support.postgres import postgres
from tests.support.programs import SERVERS, require
from tests.support.servers import dovecot, sink
from tests.support.stores import (
    clock,
    store,
    store_url,
)

# A shell that starts tests in the background has them ignore SIGINT, and what tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Fixtures of other modules, for every test.
__all__ = ["clock", "dovecot", "postgres", "sink", "store", "store_url"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden/*.eml anew instead of comparing")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes too long for `make test`."""
    if not is_recording():
        left_out = [item for item in items if item.get_closest_marker("chaos") is not None]
        items[:] = [item for item in items if item.get_closest_marker("chaos") is None]
        config.hook.pytest_deselected(items=left_out)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Binary values are called by their parameter: their bytes may hold the time of day, and names must not differ."""
    if isinstance(val, bytes) and not (val.isascii() and val.decode("ascii").isprintable()):
        return argname
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in SERVERS:
        if item.get_closest_marker(name) is not None:
            require(name)


@pytest.fixture(scope="session")
def server_home() -> Iterator[Callable[[], Path]]:
    """Makes folders that the users of servers can enter; all are removed at the end.

    pytest's own folders are no place for a server: each pytest that starts on the machine closes the folder above them
    to everybody else, also while other tests run.
    """
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="mailbot-test-")))
        made[-1].chmod(0o755)
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def certificate(server_home: Callable[[], Path]) -> Certificate:
    """A self-signed certificate for localhost and 127.0.0.1, its own authority."""
    require("openssl")
    return make_certificate(server_home())
