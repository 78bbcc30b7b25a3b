"""Understanding in a process of its own, so that a backlog is taken in with more than one core.

In: the mails of a batch. Out: for each what `core.understand` and `core.identity` find, and the packed bytes for the
store; or nothing, and then whoever asked does it by themselves. Nothing is decided or written there.

    reader thread    begin(batch) ──► queue ──► a thread for each worker ──► pipe ──► worker process
    processing       batch.result() ◄───────────────────────────────────── pipe ◄──

A worker is `python -m mailbot.desk.inbound.analysis_worker` with two pipes: it ends when they close, so it can't outlive its
parent, however that died. One that dies or hangs takes nothing with it: its mails are understood by the parent, where
the attempts are counted that set a deadly mail aside (processing.py).
"""

from __future__ import annotations

import logging
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import IO, Any

from mailbot.mail.analysis import Analysis
from mailbot.mail.classify.facts import OwnIdentity
from mailbot.mail.duplicates import Identity
from mailbot.mail.fetched import FetchedMail

log = logging.getLogger(__name__)

# A look that finds so many new mails starts the workers: starting one takes as long as reading a hundred mails.
BACKLOG = 200
# One keeps pace: with a hundred mails a second it uses a quarter of a core. Each has 30 MB to itself.
WORKERS = 1
# Mails go to a worker in handfuls: for each there and back the waiting thread has to get the interpreter's lock.
HANDFUL = 10
# Larger mails stay with the parent: they would only be copied to and fro.
LARGEST = 1_000_000

_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class PreparedMail:
    """What a worker found out about one mail; `packed` is its zstd frame (store.raw_mail)."""

    understood: Analysis
    identity: Identity
    sha256: str
    packed: bytes


class Batch:
    """A batch on its way. `result()` waits; None stands for a mail that nobody else understood."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._parts: list[tuple[list[int], Future[list[PreparedMail | None]]]] = []

    def add(self, places: list[int], future: Future[list[PreparedMail | None]]) -> None:
        """A handful of it: which of its mails, and where their results will be."""
        self._parts.append((places, future))

    def result(self) -> list[PreparedMail | None]:
        """One for each mail of the batch, in its order."""
        found: list[PreparedMail | None] = [None] * self._size
        for places, future in self._parts:
            for place, prepared in zip(places, future.result(), strict=True):
                found[place] = prepared
        return found


class AnalysisPool:
    """The worker processes for one backlog (`WORKERS`). Use it in a `with`: they end with it."""

    def __init__(self, own: OwnIdentity) -> None:
        count = min(WORKERS, len(os.sched_getaffinity(0)) - 1)
        self._jobs: queue.Queue[tuple[list[bytes], Future[list[PreparedMail | None]]] | None] = queue.Queue()
        self._workers = [_Worker(own, self._jobs) for _ in range(count)]

    def __enter__(self) -> AnalysisPool:
        return self

    def __exit__(self, *_: object) -> None:
        for _worker in self._workers:
            self._jobs.put(None)
        for worker in self._workers:
            worker.join()

    def begin(self, arrivals: Sequence[FetchedMail]) -> Batch:
        """Hand a batch over. Returns at once."""
        batch = Batch(len(arrivals))
        if any(worker.is_ready for worker in self._workers):
            fit = [place for place, a in enumerate(arrivals) if not a.partial and len(a.raw) <= LARGEST]
            for start in range(0, len(fit), HANDFUL):
                places = fit[start : start + HANDFUL]
                future: Future[list[PreparedMail | None]] = Future()
                self._jobs.put(([arrivals[place].raw for place in places], future))
                batch.add(places, future)
        return batch


class _Worker(threading.Thread):
    """One process, and the thread that talks to it."""

    def __init__(self, own: OwnIdentity, jobs: Any) -> None:
        super().__init__(name="understanding", daemon=True)
        self._own = own
        self._jobs = jobs
        self.is_ready = False
        self.start()

    def run(self) -> None:
        try:
            with start_worker() as process:
                assert process.stdin is not None
                assert process.stdout is not None
                self._talk(process.stdin, process.stdout)
        except Exception:
            log.exception("a process that helps to understand mail has failed; its mails are understood without it")
        finally:
            self.is_ready = False
            self._answer_the_rest()

    def _talk(self, there: IO[bytes], back: IO[bytes]) -> None:
        say(there, self._own)
        hear(back)
        self.is_ready = True
        while (job := self._jobs.get()) is not None:
            raws, future = job
            try:
                say(there, raws)
                future.set_result(hear(back))
            finally:
                if not future.done():
                    future.set_result([None] * len(raws))

    def _answer_the_rest(self) -> None:
        """Nobody may wait for a worker that is gone."""
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is None:
                self._jobs.put(None)  # meant for another
                return
            job[1].set_result([None] * len(job[0]))


def start_worker() -> subprocess.Popen[bytes]:
    """A process that understands mail, with a pipe to it and one back; the same code as ours, wherever it was found."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-m", "mailbot.desk.inbound.analysis_worker"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True,
    )  # fmt: skip


def say(pipe: IO[bytes], value: object) -> None:
    """Write one value."""
    told = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(told)) + told)
    pipe.flush()


def hear(pipe: IO[bytes]) -> Any:
    """Read one value, of a process of our own; EOFError where the other side is gone."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError("the other process has ended")
    return pickle.loads(pipe.read(*_LENGTH.unpack(head)))  # noqa: S301 - our own process wrote it
