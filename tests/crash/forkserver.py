"""Starts mailbot commands quickly: forks of a process that has mailbot's modules in its memory already.

    python -m tests.crash.forkserver

In: lines of JSON on stdin, {"arguments": [...], "log": a file}. Out: for each the process id of a fork that runs the
command from there on as `python -m mailbot` would, with its output in the log. Loading the modules takes a second of
computing, the same each time; hundreds of kills in a row can do without. The forks are reaped by the kernel.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

# What `mailbot run` loads by and by.
MODULES = (
    "mailbot.cli.app", "mailbot.cli.run", "mailbot.daemon.app", "mailbot.desk.wiring", "mailbot.store.schema",
    "mailbot.store.search.index", "apscheduler.schedulers.background", "imapclient", "alembic.command", "authres",
    "mailbot.mail.reply.forward", "mailbot.mail.classify.dsn", "holidays.countries.indonesia",
)  # fmt: skip


def serve() -> None:
    """Fork at each line, until stdin ends."""
    for name in MODULES:
        with contextlib.suppress(ImportError):
            __import__(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            become(order["arguments"], order["log"])
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def become(arguments: list[str], log: str) -> None:
    """In the fork: be that command, and end with it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, place in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(descriptor, place)
    from mailbot.__main__ import main

    sys.argv = ["mailbot", *arguments]
    code: object = 1
    try:
        code = main() or 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


@dataclass
class Forked:
    """A fork, with as much of `subprocess.Popen` as a desk needs. Its exit code is known to nobody."""

    pid: int
    _descriptor: int = field(init=False)

    def __post_init__(self) -> None:
        self._descriptor = os.pidfd_open(self.pid)

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    def poll(self) -> int | None:
        return 0 if select.select([self._descriptor], [], [], 0)[0] else None

    def wait(self, timeout: float) -> int:
        assert select.select([self._descriptor], [], [], timeout)[0], f"process {self.pid} did not end"
        os.close(self._descriptor)
        return 0


class ForkServer:
    """The server, as a process of its own. Use it in a `with`."""

    def __enter__(self) -> ForkServer:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.forkserver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def start(self, arguments: list[str], log: Path) -> Forked:
        """Run `mailbot arguments…`."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"arguments": arguments, "log": str(log)}) + "\n")
        self._process.stdin.flush()
        return Forked(int(self._process.stdout.readline()))


if __name__ == "__main__":
    serve()
