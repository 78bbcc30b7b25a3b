"""Running a program and saying what it cost; and what this machine is.

CPU is what the kernel counted for the process and all its descendants that were waited for. Memory is the sum of the
resident sizes of the process and its descendants, looked at every 50 ms (pages that they share count for each).
"""

from __future__ import annotations

import os
import platform
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK_SECONDS = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cost:
    """`wall` and `cpu` in seconds, `memory` and `largest` (of one process) in MB (10^6), `code` the exit code."""

    wall: float
    cpu: float
    memory: float
    largest: float
    code: int


def run(
    command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None, cwd: Path | None = None,
    log: Path | None = None,
) -> Cost:  # fmt: skip
    """Run a command to its end."""
    with (log or Path(os.devnull)).open("ab") as out:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command], env=dict(environment or os.environ), cwd=cwd, stdout=out, stderr=out
        )
        sampler = Sampler(process.pid)
        sampler.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        sampler.stop()
    # ru_maxrss can't be used: it begins with what the process that forked had
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(wall, cpu, sampler.peak / 1e6, sampler.largest / 1e6, process.returncode)


class Sampler(threading.Thread):
    """Looks at the memory of a process and its descendants until `stop()`: `peak` and `largest` are bytes."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._ended = threading.Event()
        self.peak = self.largest = 0

    def run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            sizes = [resident(pid) for pid in family(self._pid)]
            self.peak = max(self.peak, sum(sizes))
            self.largest = max(self.largest, *sizes)

    def stop(self) -> None:
        self._ended.set()
        self.join()


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # it has just ended
                continue
    return found


def resident(pid: int) -> int:
    """Bytes in memory now; 0 for a process that is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def described() -> str:
    """The machine and the load on it, in a line."""
    known = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in known if "model name" in line), "?")
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores ({model}), Python {platform.python_version()}, kernel {platform.release()}, load {load}"
