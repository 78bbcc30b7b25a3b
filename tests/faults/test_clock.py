"""The machine's clock jumps under the running daemon, by libfaketime and a file that the test rewrites.

The monotonic clocks are left alone, as a jump leaves them. A year has to pass for nobody: no reminder, no closing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.faulty_desk import FaultyDesk, Watch
from tests.support.chaos_results import record
from tests.support.dovecot import Dovecot
from tests.support.loopback import until
from tests.support.running_desk import ACHA, SALLY
from tests.support.smtp_sink import Sink

pytestmark = [pytest.mark.dovecot, pytest.mark.faketime, pytest.mark.chaos, pytest.mark.timeout(400)]


class Offset:
    """What the daemon's clock is off by."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        self.set("+0s")
        library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self.environment = {
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "Europe/Berlin",
        }  # fmt: skip

    def set(self, offset: str) -> None:
        """ "+1h", "-1y"; whole at once, as the daemon may read it at any moment."""
        draft = self._file.with_suffix(".new")
        draft.write_text(offset + "\n")
        draft.replace(self._file)


@pytest.fixture
def offset(tmp_path: Path) -> Offset:
    return Offset(tmp_path)


@pytest.fixture
def desk(tmp_path: Path, dovecot: Dovecot, sink: Sink, offset: Offset) -> Iterator[FaultyDesk]:
    with FaultyDesk(tmp_path, dovecot, sink, environment=offset.environment, from_nothing=True) as running:
        running.logged("running", seconds=90)
        yield running


def test_forward_by_a_year_and_back(desk: FaultyDesk, watch: Watch, offset: Offset) -> None:
    desk.write(ACHA, "Menunggu jawaban")
    desk.reply(desk.wait_for(SALLY, "notification"), SALLY, "Mohon kirim NPSN.")
    desk.wait_for(ACHA, "answer")
    until(lambda: desk.ticket()["next_timer"] is not None, 30, "the timers run")
    offset.set("+1y")
    desk.logged("clock jumped forward by 365d", seconds=30)
    watch.write(2)
    watch.mended()
    watch.whole("clock: jumps forward by a year", note="mail goes on; timers rest for 15 minutes")
    time.sleep(3)  # six bells
    assert not desk.to(ACHA, "reminder") and not desk.to(ACHA, "closure")
    offset.set("+0s")
    desk.logged("clock jumped back by 365d", seconds=30)
    watch.write(2)
    watch.mended()
    watch.whole("clock: jumps back by a year")
    assert len(desk.lines("clock jumped")) == 2, desk.lines()
    assert not desk.to(ACHA, "reminder") and desk.ticket()["status"] == "waiting"


@pytest.mark.parametrize("jump", ["-1h", "-1y"])
def test_back(tmp_path: Path, dovecot: Dovecot, sink: Sink, offset: Offset, jump: str) -> None:
    """Mail that was put off until a moment that is far away now goes out; the bells ring on."""
    sink.replies["rcpt"] = {ACHA: "450 4.2.0 later"}
    timers = ("2s", "4s", "60s")
    with FaultyDesk(tmp_path, dovecot, sink, timers=timers, environment=offset.environment, from_nothing=True) as desk:
        desk.write(ACHA, "Sebelum lompatan")
        note = desk.wait_for(SALLY, "notification", seconds=90)
        until(lambda: any(row["attempts"] for row in desk.outbox()), 30, "it was put off")
        offset.set(jump)
        sink.replies.clear()
        begun = time.monotonic()
        desk.logged("clock jumped back by", seconds=30)
        desk.wait_for(ACHA, "acknowledgement")
        record(f"clock: jumps by {jump}", time.monotonic() - begun)
        desk.reply(note, SALLY, "Mohon kirim NPSN.")
        desk.wait_for(ACHA, "answer")
        desk.wait_for(ACHA, "reminder")
        assert len(desk.lines("clock jumped")) == 1, desk.lines()


def test_forward_by_an_hour(desk: FaultyDesk, watch: Watch, offset: Offset) -> None:
    offset.set("+1h")
    desk.logged("clock jumped forward by 1h", seconds=30)
    watch.write(2)
    watch.mended()
    watch.whole("clock: jumps by +1h")
    assert desk.check()["clock"].state == "ok" and len(desk.lines()) == 1, desk.lines()
