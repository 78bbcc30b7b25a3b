"""Starts mailbot commands quickly: forks of a process that has mailbot's modules in its memory already.

    python -m tests.support.forkserver

Loading the modules takes a second of computing, the same each time; hundreds of commands in a row can do without. A
fork runs the command as `python -m mailbot` would, with the environment of whoever asks for it.

In: lines of JSON on stdin: `arguments`, `out` and `err` (files that the output is appended to), `environment`, and
`constants`, which have another value in this process (see `replace`): a test that waits for a timeout of half a minute
shortens it. Out: lines of JSON, {"pid": …} when a fork was made, {"pid": …, "code": …} when it
has ended.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

ROOT = Path(__file__).parents[2]
# What `mailbot run` and other commands load by and by.
MODULES = (
    "mailbot.cli.app", "mailbot.cli.run", "mailbot.cli.check", "mailbot.cli.exit_codes", "mailbot.daemon.app",
    "mailbot.desk.wiring", "mailbot.store.schema", "mailbot.store.search.index",
    "apscheduler.schedulers.background", "imapclient", "alembic.command", "authres", "mailbot.mail.reply.forward",
    "mailbot.mail.classify.dsn", "holidays.countries.indonesia",
)  # fmt: skip


class Process(Protocol):
    """What a test needs of a running command; a `subprocess.Popen` has it too."""

    pid: int

    def send_signal(self, number: int, /) -> None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float) -> int: ...


def serve() -> None:
    """Fork at each line, until stdin ends."""
    for name in MODULES:
        importlib.import_module(name)
    gc.freeze()  # a collection in a fork leaves these pages shared
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    unread = b""
    while True:
        ready = select.select([0, ended], [], [])[0]
        if ended in ready:
            os.read(ended, 4096)
            _report_ended()
        if 0 in ready:
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, unread = (unread + chunk).split(b"\n")
            for line in lines:
                request = json.loads(line)
                if (child := os.fork()) == 0:
                    signal.set_wakeup_fd(-1)
                    os.close(ended)
                    os.close(wake)
                    become(request)
                _say(pid=child)


def _report_ended() -> None:
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            _say(pid=found[0], code=os.waitstatus_to_exitcode(found[1]))


def _say(**words: int) -> None:
    os.write(1, json.dumps(words).encode() + b"\n")


def become(request: dict[str, Any]) -> None:
    """In the fork: be that command, and end with it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    files = (
        (os.devnull, os.O_RDONLY),
        *((request[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in ("out", "err")),
    )
    for descriptor, (path, flags) in enumerate(files):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.umask(request["umask"])
    for name, value in request["constants"].items():
        replace(name, value)
    from mailbot.__main__ import main

    sys.argv = ["mailbot", *request["arguments"]]
    code: object = 1
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter's end does: waits for threads
        atexit._run_exitfuncs()
        os._exit(code if isinstance(code, int) else 1)


def replace(name: str, value: float) -> None:
    """Give a constant ("package.module:NAME") or a parameter's default ("…:function.parameter") another value."""
    module_name, _, attribute = name.partition(":")
    module = importlib.import_module(module_name)
    function, _, parameter = attribute.rpartition(".")
    if function:
        defaults = getattr(module, function).__kwdefaults__
        assert parameter in defaults, name
        defaults[parameter] = value
        return
    is_span = isinstance(getattr(module, attribute), timedelta)  # AttributeError where there is no such constant
    setattr(module, attribute, timedelta(seconds=value) if is_span else value)


@dataclass
class Forked:
    """A fork, with as much of `subprocess.Popen` as a desk needs."""

    pid: int
    server: ForkServer
    returncode: int | None = None
    _descriptor: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        with contextlib.suppress(ProcessLookupError):  # it may have ended already
            self._descriptor = os.pidfd_open(self.pid)

    def send_signal(self, number: int) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def poll(self) -> int | None:
        if self.returncode is None and self._has_ended(0):
            self.returncode = self.server.exit_code(self.pid)
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
        return self.returncode

    def wait(self, timeout: float) -> int:
        if self.returncode is None and not self._has_ended(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        code = self.poll()
        assert code is not None
        return code

    def _has_ended(self, timeout: float) -> bool:
        return self._descriptor is None or bool(select.select([self._descriptor], [], [], timeout)[0])


class ForkServer:
    """The server, as a process of its own. Use it in a `with`, or take the one of this process: `shared()`."""

    def __enter__(self) -> ForkServer:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forkserver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        self._codes: dict[int, int] = {}
        self._lock = threading.Lock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def start(
        self,
        arguments: list[str],
        log: Path,
        *,
        err: Path | None = None,
        environment: Mapping[str, str] | None = None,
        constants: Mapping[str, float] | None = None,
        umask: int = 0o022,
    ) -> Forked:
        """Run `mailbot arguments…`; both outputs go to `log` unless `err` is given."""
        request = {
            "arguments": arguments, "out": str(log), "err": str(err or log), "constants": dict(constants or {}),
            "environment": dict(os.environ if environment is None else environment), "umask": umask,
        }  # fmt: skip
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            while "code" in (said := self._read()):
                continue
        return Forked(said["pid"], self)

    def run(
        self, *arguments: str, environment: Mapping[str, str] | None = None, umask: int = 0o022, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run `mailbot arguments…` to its end, as `subprocess.run` does; without variables of ours by default."""
        if environment is None:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILBOT_")}
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            process = self.start(list(arguments), out, err=err, environment=environment, umask=umask)
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                raise
            said = [file.read_text(encoding="utf-8") for file in (out, err)]
            return subprocess.CompletedProcess(["mailbot", *arguments], code, *said)

    def exit_code(self, pid: int) -> int:
        """The exit code of a fork that has ended; of one that was killed, the signal's number, negative."""
        with self._lock:
            while pid not in self._codes:
                self._read()
            return self._codes.pop(pid)

    def _read(self) -> dict[str, int]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the fork server has ended"
        said: dict[str, int] = json.loads(line)
        if "code" in said:
            self._codes[said["pid"]] = said["code"]
        return said


@functools.cache
def shared() -> ForkServer:
    """The fork server of this process, started when it is first wanted."""
    server = ForkServer().__enter__()
    atexit.register(server.__exit__, None, None, None)
    return server


if __name__ == "__main__":
    serve()
