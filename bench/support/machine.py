"""Running a program and saying what it cost; and what this machine is.

CPU is what the kernel counted for the process and all its descendants that were waited for. Memory is what the process
and its descendants have resident together, looked at every 50 ms: each one's own pages, and the pages that they share
(the interpreter, libraries) once. The kernel's PSS would do nearly the same, but gives a part of the shared pages to
whatever other Python runs on the machine at the time, so that a busy one would flatter us.
"""

from __future__ import annotations

import os
import platform
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOOK_SECONDS = 0.05
MOST_STRETCHES = 400


@dataclass(frozen=True, slots=True)
class Cost:
    """`wall` and `cpu` in seconds, `memory` and `largest` (of one process) in MB (10^6), `code` the exit code.

    `history`: seconds since the start, and the highest memory in so long a time before them.
    """

    wall: float
    cpu: float
    memory: float
    largest: float
    code: int
    history: Sequence[tuple[float, float]] = field(default=(), repr=False)


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
    history = [(at, held / 1e6) for at, held in sampler.history]
    return Cost(wall, cpu, sampler.peak / 1e6, sampler.largest / 1e6, process.returncode, history)


class Sampler(threading.Thread):
    """Looks at the memory of a process and its descendants until `stop()`: `peak` and `largest` are bytes.

    `history` has the highest of each stretch of time, and never more than `MOST_STRETCHES`: they get longer.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._ended = threading.Event()
        self.peak = self.largest = 0
        self.history: list[tuple[float, int]] = []
        self._stretch = 1.0

    def run(self) -> None:
        begun = time.monotonic()
        while not self._ended.wait(LOOK_SECONDS):
            found = [pages(pid) for pid in family(self._pid)]
            held = together(found)
            self.peak = max(self.peak, held)
            self.largest = max(self.largest, *(own + shared for own, shared in found))
            self._keep(time.monotonic() - begun, held)

    def _keep(self, at: float, held: int) -> None:
        """`at`: seconds since the start."""
        nth = int(at / self._stretch)
        last = self.history[-1] if self.history else (0.0, 0)
        if self.history and int(last[0] / self._stretch) == nth:
            self.history[-1] = (at, max(last[1], held))
            return
        if len(self.history) == MOST_STRETCHES:
            self._stretch *= 2
            pairs = zip(self.history[::2], self.history[1::2], strict=True)
            self.history = [(later, max(one, other)) for (_, one), (later, other) in pairs]
        self.history.append((at, held))

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


def cpu(pid: int) -> float:
    """Seconds of CPU that a process and its descendants have had, also those that have ended and were waited for."""
    ticks = 0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        ticks += sum(map(int, fields[11:15]))  # proc(5): utime, stime, cutime, cstime
    return ticks / os.sysconf("SC_CLK_TCK")


def pages(pid: int) -> tuple[int, int]:
    """(bytes that only this process has in memory, bytes that it shares with any other); 0 for one that is gone."""
    own = shared = 0
    try:
        with Path(f"/proc/{pid}/smaps_rollup").open() as lines:
            for line in lines:
                name, _, size = line.partition(":")
                if name in ("Private_Clean", "Private_Dirty"):
                    own += int(size.split()[0]) * 1024
                elif name in ("Shared_Clean", "Shared_Dirty"):
                    shared += int(size.split()[0]) * 1024
    except OSError:
        return 0, 0
    return own, shared


def together(found: Sequence[tuple[int, int]]) -> int:
    """Bytes that these processes have in memory together, shared pages once (the most that one of them has)."""
    return sum(own for own, _ in found) + max((shared for _, shared in found), default=0)


def described() -> str:
    """The machine and the load on it, in a line."""
    known = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in known if "model name" in line), "?")
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores ({model}), Python {platform.python_version()}, kernel {platform.release()}, load {load}"
