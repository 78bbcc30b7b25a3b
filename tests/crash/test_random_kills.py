"""The daemon is killed at random moments while mail comes in; afterwards nothing is missing and nothing is there twice.

Each life of the daemon: it starts, works off what the last one left, and is compared with a desk that was never killed;
then a burst of mail comes in, and at a random moment SIGKILL. Now and then the next life is killed while it starts.
`make chaos` does 300 kills and more (CHAOS_KILLS), `make test` a handful; the seed of a failure is in the test's name.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.crash.conftest import MakeDesk
from tests.crash.desk import CrashDesk
from tests.crash.ledger import Findings
from tests.crash.load import World, plan
from tests.crash.reference import Reference
from tests.support.chaos_results import is_recording, record

pytestmark = pytest.mark.dovecot

BURST = 8
# How long a daemon may live on after a burst of mail came in (seconds; a burst takes about one), and when it starts.
BUSY, STARTING = 1.4, 1.6
DIES_AGAIN = 0.25
KILLS_A_DESK = 20
CHAOS_KILLS = int(os.environ.get("CHAOS_KILLS", "300"))
SEEDS = range(1, CHAOS_KILLS // KILLS_A_DESK + 1) if is_recording() else range(1, 2)
KILLS = KILLS_A_DESK if is_recording() else 8


class Storm:
    """One desk and its kills."""

    def __init__(self, desk: CrashDesk, seed: int, home: Path) -> None:
        self.desk, self.seed, self.home = desk, seed, home
        self.dice = random.Random(f"{seed} moments")

    def rage(self, kills: int) -> None:
        """Play a plan with so many kills; each is followed by a comparison."""
        name = f"badai{self.seed}"
        world = World(self.desk, name)
        bursts = iter(plan(self.seed, self.rounds(kills), BURST))
        with Reference(self.home, name) as reference:
            self.desk.start()
            self.desk.logged("running", seconds=120)
            expected = reference.play([])
            with self.desk.store() as store:
                while self.desk.kills < kills:
                    burst = next(bursts)
                    for raw in world.letters(burst):
                        self.desk.dovecot.append(self.desk.user, raw)
                    self._die_after(BUSY)
                    while self.dice.random() < DIES_AGAIN and self.desk.kills < kills:
                        self._die_after(STARTING)
                    expected = reference.play(burst)
                    seconds = self.desk.rest(len(world.written), store)
                    self._judge(self.desk.audit(expected, world.written, store), seconds)

    def rounds(self, kills: int) -> int:
        """How many bursts of mail there are at most."""
        return kills + 1

    def _die_after(self, at_most: float) -> None:
        time.sleep(self.dice.uniform(0, at_most))  # a random moment is what this test is about
        self.desk.kill()
        self.desk.start()

    def _judge(self, findings: Findings, seconds: float) -> None:
        new = findings.resent - self._resent
        self._resent = findings.resent
        lost, doubled = len(findings.lost), len(findings.doubled) + len(findings.wrong)
        killed = self.desk.kills - self._judged
        self._judged = self.desk.kills
        for _ in range(killed):
            record(self.fault, seconds, lost, doubled + new, str(findings) if findings else "", allowed=new)
            new = 0
        assert not findings, f"after kill {self.desk.kills} of seed {self.seed}:\n{findings}"

    _resent = _judged = 0
    fault = "killed at a random moment, under load"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.slow
def test_nothing_is_lost_and_nothing_is_doubled(seed: int, make_desk: MakeDesk, tmp_path: Path) -> None:
    # The first of the seeds starts each life from nothing, the others fork it from loaded modules.
    with make_desk(from_nothing=seed == 1) as desk:
        Storm(desk, seed, tmp_path / "reference").rage(KILLS)
        assert desk.kills == KILLS
