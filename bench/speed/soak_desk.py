"""The desk of bench/speed/soak.py: `mailbot run` but for a clock that runs fast; a process with nothing else in it.

    python -m bench.speed.soak_desk CONFIG START SPEED      START in ISO 8601, SPEED in simulated seconds a second

It says "running" on standard output, and ends well when its standard input closes.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from mailbot.config.load import load_settings
from mailbot.daemon.app import Daemon
from mailbot.desk.wiring import open_desk
from mailbot.runtime.clock import ScaledClock
from mailbot.runtime.memory import tune_memory


def main(config: Path, start: datetime, speed: float) -> None:
    """Run until standard input closes."""
    tune_memory()
    with open_desk(load_settings(config), clock=ScaledClock(start, speed), exclusive=True) as desk:
        daemon = Daemon(desk)
        daemon.start()
        print("running", flush=True)
        sys.stdin.read()
        daemon.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), float(sys.argv[3]))
