"""A fresh Dovecot and a fresh SMTP server that takes all, for each test that asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.dovecot import Dovecot
from tests.support.smtp_sink import Sink


@pytest.fixture
def dovecot(server_home: Callable[[], Path]) -> Iterator[Dovecot]:
    with Dovecot(server_home()) as server:
        yield server


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server
