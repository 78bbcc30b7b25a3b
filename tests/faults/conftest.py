"""The servers between which a desk stands in these tests, and the desk itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.faulty_desk import FaultyDesk, Watch
from tests.support.dovecot import Dovecot
from tests.support.smtp_sink import Sink


@pytest.fixture
def desk(tmp_path: Path, dovecot: Dovecot, sink: Sink) -> Iterator[FaultyDesk]:
    """Running, and well."""
    with FaultyDesk(tmp_path, dovecot, sink) as running:
        running.logged("running", seconds=90)
        yield running


@pytest.fixture
def watch(desk: FaultyDesk) -> Watch:
    return Watch(desk)
